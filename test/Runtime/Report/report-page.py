# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t | FileCheck %s
"""The page of a report in a browser: what was done and with what, axes and
labels, rows that are sorted by a click, where the time goes, nothing that wraps or is
cut off."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np

FOLDER = pathlib.Path(sys.argv[1])
BROWSER = next(filter(None, map(shutil.which, (
    "chromium-headless-shell", "chromium", "google-chrome"))), None)
assert BROWSER, "no Chromium: utils/build.sh installs chromium-headless-shell"

M, K, N = 33, 64, 48
NAMES = ["model.layers.0.self_attn.out_proj", "model.layers.0.mlp.up_proj",
         "model.layers.0.mlp.down_proj"]
rng = np.random.default_rng(11)
np.save(FOLDER / "x.npy", rng.normal(size=(M, K)).astype(np.float32))
weights = [rng.normal(size=shape).astype(np.float32)
           for shape in ((K, K), (K, N), (N, K))]
# One outlier a row: its matmul is the worst.
weights[1][::7] *= 40


def layer(i, rows, columns, value):
    return f"""
  %w{i} = arith.constant dense_resource<w{i}> : tensor<{rows}x{columns}xf32>
  %e{i} = tensor.empty() : tensor<{M}x{columns}xf32>
  %z{i} = linalg.fill ins(%zero : f32) outs(%e{i} : tensor<{M}x{columns}xf32>) -> tensor<{M}x{columns}xf32>
  %y{i} = linalg.matmul ins({value}, %w{i} : tensor<{M}x{rows}xf32>, tensor<{rows}x{columns}xf32>)
      outs(%z{i} : tensor<{M}x{columns}xf32>) -> tensor<{M}x{columns}xf32> loc("{NAMES[i]}")"""


blobs = ", ".join(f'w{i}: "0x04000000{w.tobytes().hex()}"'
                  for i, w in enumerate(weights))
(FOLDER / "model.mlir").write_text(f"""
func.func @main(%x: tensor<{M}x{K}xf32>) -> tensor<{M}x{K}xf32> {{
  %zero = arith.constant 0.0 : f32{layer(0, K, K, "%x")}{layer(1, K, N, "%y0")}{layer(2, N, K, "%y1")}
  return %y2 : tensor<{M}x{K}xf32>
}}
{{-# dialect_resources: {{ builtin: {{ {blobs} }} }} #-}}
""")
command = ["quant-run", "model.mlir", "--inputs=x.npy", "--quantize",
           "--compare", "--repeat=3", "--profile", "--report=r.json",
           "--report-html=r.html", "--print=false"]
subprocess.run(command, check=True, cwd=FOLDER, stdout=subprocess.DEVNULL)
report = json.loads((FOLDER / "r.json").read_text())

# Asks the page in the browser, and puts the answers in its place.
PROBE = """<script>
const all = (selector, of = document) => [...of.querySelectorAll(selector)];
const table = document.querySelector("#matmuls");
const names = () => all("tbody tr", table).map(r => r.cells[0].textContent);
const head = name => all("th", table).find(h => h.textContent === name);
const answers = {text: document.body.innerText, names: names(), sorted: {}};
for (const name of ["SQNR dB", "bytes", "scheme", "matmul"]) {
  head(name).click();
  const up = names();
  head(name).click();
  answers.sorted[name] = [up, names(), head(name).getAttribute("aria-sort")];
}
const cells = id => all(`#${id} tbody tr`).map(
  row => [...row.cells].map(cell => cell.textContent));
const profiled = id => {
  const found = {rows: cells(id)};
  for (const head of all(`#${id} th`)) {
    head.click();
    found[head.textContent] = cells(id);
  }
  return found;
};
answers.kinds = profiled("profile-kinds");
answers.ops = profiled("profile-ops");
// The lines of a cell's text are its client rectangles of different tops.
answers.wrapped = all("td, th, svg text").filter(cell => {
  const range = document.createRange();
  range.selectNodeContents(cell);
  const tops = [...range.getClientRects()].map(r => Math.round(r.top));
  return Math.max(...tops) - Math.min(...tops) > 8;
}).map(cell => cell.textContent);
// Nothing of a plot lies outside of it or on another label.
const box = e => e.getBoundingClientRect();
answers.outside = all("svg").flatMap(svg => all("text", svg).filter(t =>
  box(t).left < box(svg).left - 1 || box(t).right > box(svg).right + 1 ||
  box(t).top < box(svg).top - 1 || box(t).bottom > box(svg).bottom + 1)
  .map(t => t.textContent));
answers.touching = all("svg").flatMap(svg => {
  const texts = all("text", svg);
  return texts.flatMap((a, i) => texts.slice(i + 1).filter(b =>
    box(a).left < box(b).right && box(b).left < box(a).right &&
    box(a).top + 2 < box(b).bottom && box(b).top + 2 < box(a).bottom)
    .map(b => a.textContent + " on " + b.textContent));
});
answers.wide = document.documentElement.scrollWidth > innerWidth;
answers.bars = all("svg.errors .bar").length;
answers.labels = all("svg.errors .name").map(t => t.textContent);
answers.values = all("svg.errors .value").map(t => t.textContent);
answers.histograms = all("svg.histogram").map(svg => ({
  ticks: all(".tick", svg).map(t => t.textContent),
  labels: all(".label", svg).map(t => t.textContent),
  // The share of the plot's area that bars fill.
  bars: svg.querySelector(".bars").getAttribute("d").split("Z").length - 1}));
document.documentElement.innerHTML =
  "<pre id=answers>" + btoa(unescape(encodeURIComponent(
    JSON.stringify(answers)))) + "</pre>";
</script>"""
page = (FOLDER / "r.html").read_text()
assert "http" not in page and "src=" not in page
(FOLDER / "probe.html").write_text(page.replace("</body>", PROBE + "</body>"))
dump = subprocess.run(
    [BROWSER, "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
     "--window-size=1500,900",
     f"--user-data-dir={FOLDER}/profile", "--dump-dom",
     f"file://{(FOLDER / 'probe.html').resolve()}"],
    capture_output=True, text=True, timeout=120,
    env={**os.environ, "HOME": str(FOLDER)})
found = re.search(r'<pre id="answers">([^<]*)</pre>', dump.stdout)
assert found, dump.stdout[-500:] + dump.stderr[-500:]
import base64  # noqa: E402
answers = json.loads(base64.b64decode(found[1]).decode())

# What was done, by what, where.
text = answers["text"]
assert " ".join(command) in text, text
assert re.search(r"QuantMLIR \d+\.\d+\.\d+ \(LLVM 22\.\d+\.\d+\)", text)
model = re.search(r"^model name\s*:\s*(.*)$",
                  pathlib.Path("/proc/cpuinfo").read_text(), re.M)
assert not model or model[1].strip() in text
assert "(defaults)" in text
for option in ("weight-bits=8", "activation-bits=8", "weights=channel",
               "activations=dynamic-token", "symmetric=true"):
    assert option in text, option
sizes = report["bytes"]
assert (f"{sizes['weights_before']} bytes before, {sizes['weights_after']} "
        f"after: {sizes['weights_before'] / sizes['weights_after']:.2f} × "
        "smaller") in text
ratio = (report["compare"]["timing"]["median_ms"]
         / report["timing"]["median_ms"])
assert f"{ratio:.2f} × as fast (3 runs)" in text, (ratio, text)
assert "products\t3 in integers + 0 left with reason = 3" in text
print("facts: command, version, machine, scheme, size, speed")
# CHECK: facts: command, version, machine, scheme, size, speed

# Sorted by numbers, not by their text, and back to the program's order.
each = {m["name"]: m for m in report["matmuls"]["each"]}
assert answers["names"] == NAMES == list(each)
keys = {"SQNR dB": lambda name: each[name]["local"]["sqnr_db"],
        "bytes": lambda name: each[name]["weight_bytes_before"],
        "matmul": NAMES.index}
for column, key in keys.items():
    up, down, order = answers["sorted"][column]
    assert sorted(up) == sorted(down) == sorted(NAMES)
    # Text would have 9216 after 12288.
    wanted = sorted(map(key, NAMES))
    assert list(map(key, up)) == wanted, (column, up)
    assert list(map(key, down)) == wanted[::-1], (column, down)
    assert order == "descending"
assert answers["sorted"]["SQNR dB"][0] != NAMES
print("sorted by", ", ".join(sorted(keys)))
# CHECK: sorted by SQNR dB, bytes, matmul

# Where the time goes: what the JSON has, longest first, and by every column.
profile = report["profile"]
for table, lines, texts in (
        ("kinds", profile["kinds"], ("kind",)),
        ("ops", profile["ops"], ("kind", "name", "types", "location"))):
    columns = {"operands": "types", "where": "location"}
    rows = [[*(line[t] for t in texts), f"{line['ms']:.3f}",
             f"{100 * line['ms'] / profile['ms']:.1f} %", str(line["calls"])]
            for line in lines]
    found = answers[table]
    assert found.pop("rows") == rows, (found, rows)
    assert len(found) == len(texts) + 3
    for i, (column, sorted_rows) in enumerate(found.items()):
        assert sorted(sorted_rows) == sorted(rows)
        key = [float(row[i].split()[0]) if i >= len(texts) else row[i]
               for row in sorted_rows]
        assert key == sorted(key), (table, column, key)
assert "integer product" in [kind["kind"] for kind in profile["kinds"]], profile["kinds"]
assert f"{profile['ms']:.3f} ms a run" in text
print("profile:", len(profile["kinds"]) > 1, len(profile["ops"]) > 3)
# CHECK: profile: True True

assert not answers["wrapped"], answers["wrapped"]
assert not answers["outside"], answers["outside"]
assert not answers["touching"], answers["touching"]
assert not answers["wide"]
print("nothing wraps, touches or is cut off")
# CHECK: nothing wraps, touches or is cut off

assert answers["bars"] == 3 and answers["labels"] == NAMES
assert answers["values"] == [
    f"{each[n]['local']['sqnr_db']:.2f} dB" for n in NAMES]
assert len(answers["histograms"]) == 6
for i, histogram in enumerate(answers["histograms"]):
    is_weight = i % 2
    assert histogram["labels"] == (
        ["stored integer", "count"] if is_weight else
        ["value", "count (log)"]), histogram
    assert len(histogram["ticks"]) >= 6 and "0" in histogram["ticks"]
    # 8 bits have 256 steps: bars of some of them, with room between.
    assert 20 < histogram["bars"] <= 130, histogram
print("3 bars with names and values, 6 histograms with axes")
# CHECK: 3 bars with names and values, 6 histograms with axes
