# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t | FileCheck %s
"""The comparison matmul by matmul against NumPy: own and cumulative errors,
weights, sizes; as a table, as JSON and as a page that needs nothing else."""
import html.parser
import json
import pathlib
import subprocess
import sys

import numpy as np

FOLDER = pathlib.Path(sys.argv[1])
M, K, H, N = 7, 40, 24, 9
rng = np.random.default_rng(5)
W = rng.normal(size=(K, H)).astype(np.float32)
V = rng.normal(size=(N, H)).astype(np.float32)
B = rng.normal(size=H).astype(np.float32)
X = rng.normal(size=(M, K)).astype(np.float32)
X[:, 3] *= 20
np.save(FOLDER / "x.npy", X)


def blob(array):
    return f'"0x04000000{array.tobytes().hex()}"'


# A layer with bias and ReLU, a transposed weight, and a product of activations.
(FOLDER / "model.mlir").write_text(f"""
func.func @main(%x: tensor<?x{K}xf32>) -> (tensor<?x{N}xf32>, tensor<1x{N}x{N}xf32>) {{
  %w = arith.constant dense_resource<w> : tensor<{K}x{H}xf32>
  %v = arith.constant dense_resource<v> : tensor<{N}x{H}xf32>
  %b = arith.constant dense_resource<b> : tensor<{H}xf32>
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x{K}xf32>
  %e = tensor.empty(%m) : tensor<?x{H}xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<?x{H}xf32>) -> tensor<?x{H}xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x{K}xf32>, tensor<{K}x{H}xf32>)
         outs(%z : tensor<?x{H}xf32>) -> tensor<?x{H}xf32>
  %r = linalg.generic {{
      indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>,
                       affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]}}
      ins(%y, %b : tensor<?x{H}xf32>, tensor<{H}xf32>) outs(%e : tensor<?x{H}xf32>) {{
    ^bb0(%i: f32, %j: f32, %o: f32):
      %s = arith.addf %i, %j : f32
      %t = arith.maximumf %s, %zero : f32
      linalg.yield %t : f32
    }} -> tensor<?x{H}xf32>
  %te = tensor.empty() : tensor<{H}x{N}xf32>
  %t = linalg.transpose ins(%v : tensor<{N}x{H}xf32>) outs(%te : tensor<{H}x{N}xf32>) permutation = [1, 0]
  %e1 = tensor.empty(%m) : tensor<?x{N}xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<?x{N}xf32>) -> tensor<?x{N}xf32>
  %y1 = linalg.matmul ins(%r, %t : tensor<?x{H}xf32>, tensor<{H}x{N}xf32>)
          outs(%z1 : tensor<?x{N}xf32>) -> tensor<?x{N}xf32>
  %a = tensor.expand_shape %y1 [[0, 1], [2]] output_shape [1, %m, {N}]
         : tensor<?x{N}xf32> into tensor<1x?x{N}xf32>
  %e2 = tensor.empty() : tensor<1x{N}x{N}xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<1x{N}x{N}xf32>) -> tensor<1x{N}x{N}xf32>
  %y2 = linalg.generic {{
      indexing_maps = [affine_map<(b, i, j, k) -> (b, k, i)>,
                       affine_map<(b, i, j, k) -> (b, k, j)>,
                       affine_map<(b, i, j, k) -> (b, i, j)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}}
      ins(%a, %a : tensor<1x?x{N}xf32>, tensor<1x?x{N}xf32>) outs(%z2 : tensor<1x{N}x{N}xf32>) {{
    ^bb0(%i: f32, %j: f32, %o: f32):
      %p = arith.mulf %i, %j : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
    }} -> tensor<1x{N}x{N}xf32>
  return %y1, %y2 : tensor<?x{N}xf32>, tensor<1x{N}x{N}xf32>
}}
{{-# dialect_resources: {{ builtin: {{ w: {blob(W)}, v: {blob(V)}, b: {blob(B)} }} }} #-}}
""")


def run(quantize, *options):
    done = subprocess.run(
        ["quant-run", FOLDER / "model.mlir", f"--inputs={FOLDER}/x.npy",
         f"--quantize={quantize}", "--compare", f"--report={FOLDER}/r.json",
         f"--report-html={FOLDER}/r.html", "--print=false", *options],
        capture_output=True, text=True, check=True)
    return done.stdout, json.loads((FOLDER / "r.json").read_text())


def fake(values, axis, bits):
    scale = np.abs(values).max(axis, keepdims=True) / (2 ** (bits - 1) - 1)
    scale = scale.astype(np.float32)
    q = np.clip(np.rint(values / scale), -2 ** (bits - 1), 2 ** (bits - 1) - 1)
    return q * scale.astype(float)


def db(x, y):
    return 10 * np.log10((x.astype(float) ** 2).sum() / ((x - y) ** 2).sum())


def near(found, x, y):
    x, y = x.astype(float), y.astype(float)
    assert abs(found["sqnr_db"] - db(x, y)) < 0.02, (found, db(x, y))
    cosine = (x * y).sum() / np.linalg.norm(x) / np.linalg.norm(y)
    assert abs(found["cosine"] - cosine) < 1e-6
    assert np.isclose(found["max_abs_error"], np.abs(x - y).max(), rtol=1e-3)


for bits in (8, 4):
    for target in ("generic", "x86"):
        text, report = run(f"weight-bits={bits}", f"--target={target}")
        first, second, product = report["matmuls"]["each"]
        # Float, and each matmul's quantized form on float's activations.
        y0 = X @ W
        r0 = np.maximum(y0 + B, 0)
        y1 = r0 @ V.T
        wq, vq = fake(W, 0, bits), fake(V, 1, bits)
        q0 = fake(X, 1, 8) @ wq
        near(first["local"], y0, q0)
        near(first["cumulative"], y0, q0)
        near(second["local"], y1, fake(r0, 1, 8) @ vq.T)
        q1 = fake(np.maximum(q0 + B, 0), 1, 8) @ vq.T
        near(second["cumulative"], y1, q1)
        near(first["weight_error"], W, wq)
        near(second["weight_error"], V, vq)
        # What is float has no error of its own, but that of those before it.
        assert product["local"] is None and not product["quantized"]
        near(product["cumulative"], y1.T @ y1, q1.T @ q1)
        assert product["scheme"].startswith("float: the contracted dimension D is dynamic")
        for entry, k, n in ((first, K, H), (second, H, N)):
            assert entry["scheme"] == f"W{bits} channel, A8 dynamic token"
            assert (entry["m"], entry["k"], entry["n"]) == (None, k, n)
            assert entry["weight_bytes_before"] == 4 * k * n
            assert entry["weight_bytes_after"] == k * n * bits // 8 + 4 * n
            assert entry["clipped_activations"] == 0
            assert entry["clipped_weights"] == 0
            assert "activation_grid" not in entry
        assert np.isclose(first["activation_max"], X.max())
        assert np.isclose(second["activation_min"], r0.min())
        lines = text.splitlines()
        at = [i for i, l in enumerate(lines) if l.startswith("matmul  ")][0]
        assert lines[at + 1].split()[:3] == [
            "main#0", f"?x{K}x{H}", f"{first['local']['sqnr_db']:.2f}"]
        print(target, lines[at + 4].split("(")[0])
# CHECK: generic the matmul that hurts most by itself: main#{{[01]}}
# CHECK: x86 the matmul that hurts most by itself: main#{{[01]}}
# CHECK: generic the matmul that hurts most by itself: main#{{[01]}}
# CHECK: x86 the matmul that hurts most by itself: main#{{[01]}}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.counts, self.ids, self.links = [], {}, [], []

    def handle_starttag(self, tag, attrs):
        if tag != "meta":
            self.open.append(tag)
        self.handle_startendtag(tag, attrs)

    def handle_startendtag(self, tag, attrs):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        for key, value in attrs:
            assert key not in ("src", "onload", "onclick"), (tag, key)
            if key == "id":
                self.ids.append(value)
            if key == "href":
                self.links.append(value)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag


text = (FOLDER / "r.html").read_text()
page = Page()
page.feed(text)
assert not page.open
assert page.counts["script"] == 1 and "link" not in page.counts
assert "http" not in text
assert page.ids[:2] == ["scheme", "matmuls"]
assert set(page.links) == {f"#{i}" for i in page.ids[2:]}, (page.links, page.ids)
# One plot of all errors, two of each quantized matmul, one of the product.
print("page:", page.counts["svg"], "plots,", page.counts["section"], "sections")
# CHECK: page: 6 plots, 3 sections

# Without a file: only the table.
done = subprocess.run(
    ["quant-run", FOLDER / "model.mlir", f"--inputs={FOLDER}/x.npy",
     "--quantize", "--compare", "--report", "--print=false"],
    capture_output=True, text=True, check=True, cwd=FOLDER)
print("table" if "matmuls one by one" in done.stdout else "none",
      sorted(p.name for p in FOLDER.iterdir()))
# CHECK: table ['model.mlir', 'r.html', 'r.json', 'x.npy']
done = subprocess.run(
    ["quant-run", FOLDER / "model.mlir", f"--inputs={FOLDER}/x.npy",
     "--quantize", f"--report-html={FOLDER}/none.html"],
    capture_output=True, text=True)
print(done.stderr.strip(), (FOLDER / "none.html").exists())
# CHECK: error: --report-html needs --compare and --quantize, or --profile False
