#!/usr/bin/env python3
"""Our kernels against their rivals and the machine's limits, one table and chart.

    python3 benchmarks/run.py --peers=FOLDER [--config=benchmarks/x86.json]
            [--cpu=icelake-server] [--shapes=REGEX] [--schemes=REGEX]
            [--rounds=9] [--core=1] [--json=FILE] [--chart=FILE.html] [--from=FILE.json ...]

The configuration is a list of {scheme, ours, rivals, shapes}: a contender of
benchmarks/contender.py, a regular expression of rivals' names, and sizes BxNxD
with `:cold` where the weights must come from memory. FOLDER holds peers.py,
which keeps all contenders of a shape pinned to one core and times them by
turns; the limits (dot product peak, reads of as many bytes as the weights have,
and of AMX what tile_limits.py says) take part in the same rounds. One row of a
matmul is measured against the bandwidth, more against the peak: that of AMX where
nothing keeps this project from using it, for the rows from which it does. A configuration of several schemes is one run
for each shape, so that ratios compare what ran side by side. With --cpu both
sides keep to that processor's instructions where they can be told to.
"""

import argparse
import html
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# What keeps rivals to AVX512-VNNI on a processor that has more.
RIVAL_LIMITS = {"icelake-server": {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_VNNI",
                                   "DNNL_MAX_CPU_ISA": "AVX512_CORE_VNNI",
                                   "MKL_ENABLE_INSTRUCTIONS": "AVX512_E1"}}
# From how many rows on tiles are used where there are some (lib/Target/X86/AMX/AMXTile.cpp).
TILE_ROWS = {"i8.quant": 5, "i8.quant_fused": 5, "i4.quant_g128": 16, "i4.quant_g32": 64,
             "i4.quant_g32_blocks": 64}


def run_peers(args, shapes, names):
    """The JSON of one run of peers.py with the contenders `names`."""
    env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
    if args.cpu:
        env["QUANT_BENCH_PIPELINE"] = f"cpu={args.cpu}"
        env.update(RIVAL_LIMITS.get(args.cpu, {}))
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.json")
        command = [sys.executable, os.path.join(args.peers, "peers.py"),
                   "--plugin", str(HERE / "contender.py"), "--shapes", ",".join(shapes),
               *([] if args.cpu else ["--plugin", str(HERE / "tile_limits.py")]),
                   "--only", "|".join(names), "--rounds", str(args.rounds),
                   "--core", str(args.core), "--json", out]
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(command)}\n{done.stderr[-2000:]}")
        with open(out) as f:
            return json.load(f)


def measure(args, config):
    """One run for all shapes that the same schemes are measured on."""
    groups = {}
    for shape in dict.fromkeys(s for entry in config for s in entry["shapes"]):
        if re.search(args.shapes, shape):
            rivals = tuple(e["rivals"] for e in config if shape in e["shapes"])
            groups.setdefault(rivals, []).append(shape)
    return [run_peers(args, shapes, rivals) for rivals, shapes in groups.items()]


def fraction(row, limits):
    """Of the limits that bind, by name: bandwidth for one row, else a peak."""
    if row["B"] == 1:
        return {"bandwidth": row["of_bw"]} if row.get("of_bw") else {}
    if row["contender"].endswith("_float"):
        peak = limits.get("phys.fma")
        return {"f32 peak": row["gmac"] / peak} if peak else {}
    tiles = {"AMX": limits.get("phys.amx"), "AMX from L1": limits.get("phys.amx_block")}
    if tiles["AMX"] and row["B"] >= TILE_ROWS[row["contender"]]:
        return {name: row["gmac"] / limit for name, limit in tiles.items() if limit}
    return {"peak": row["of_vnni"]} if row.get("of_vnni") else {}


def summarize(config, runs):
    """One record for each scheme and shape that was measured."""
    records = []
    rows = [r for run in runs for r in run["results"] if r["correct"]]
    for entry in config:
        for mine in rows:
            if mine["contender"] != entry["ours"]:
                continue
            rivals = [r for r in rows if re.search(entry["rivals"], r["contender"])
                      and (r["shape"], r["mode"]) == (mine["shape"], mine["mode"])]
            best = max(rivals, key=lambda r: r["gmac"], default=None)
            limits = {r["contender"]: r["gmac"] for r in rows
                      if (r["shape"], r["mode"]) == (mine["shape"], mine["mode"])}
            records.append({
                "scheme": entry["scheme"], "shape": mine["shape"], "mode": mine["mode"],
                "us": mine["us"], "gmac": mine["gmac"], "limits": fraction(mine, limits),
                "rival": best and best["contender"], "rival_gmac": best and best["gmac"],
                "ratio": best and mine["gmac"] / best["gmac"]})
    return records


def print_table(records, cpu):
    print(f"{cpu}\n\n| scheme | B x N x D | us | GMAC/s | of limit | best rival | GMAC/s | ratio |")
    print("|---|---|--:|--:|--:|---|--:|--:|")
    for r in records:
        name = r["shape"] + (" cold" if r["mode"] == "cold" else "")
        limit = ", ".join(f"{value:.2f} {name}" for name, value in r["limits"].items())
        rival = f"{r['rival']} | {r['rival_gmac']:.1f} | {r['ratio']:.2f}" if r["rival"] else " | | "
        print(f"| {r['scheme']} | {name} | {r['us']:.1f} | {r['gmac']:.1f} | {limit} | {rival} |")


def write_chart(path, records, cpu):
    """Bars of the ratio to the best rival, one file without references."""
    bar, left, scale = 22, 330, 160
    parts = []
    for i, r in enumerate(x for x in records if x["ratio"]):
        y = 30 + i * bar
        name = f"{r['scheme']} {r['shape']}" + (" cold" if r["mode"] == "cold" else "")
        width = min(r["ratio"], 4) * scale
        color = "#3a7" if r["ratio"] >= 1 else "#c63"
        parts.append(
            f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">{html.escape(name)}</text>'
            f'<rect x="{left}" y="{y + 3}" width="{width:.0f}" height="{bar - 6}" fill="{color}">'
            f'<title>{html.escape(str(r["rival"]))}</title></rect>'
            f'<text x="{left + width + 6:.0f}" y="{y + 14}">{r["ratio"]:.2f}</text>')
    height = 40 + len(parts) * bar
    parts.append(f'<line x1="{left + scale}" x2="{left + scale}" y1="24" y2="{height}" stroke="#555"/>')
    with open(path, "w") as f:
        f.write(f"<!doctype html><meta charset=utf-8><title>Speed</title>"
                f"<p style='font:14px sans-serif'>Times the best rival's speed, "
                f"one thread, {html.escape(cpu)}</p>"
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + 4 * scale + 80}" '
                f'height="{height + 10}" font-family="sans-serif" font-size="12">'
                + "".join(parts) + "</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default="", help="the folder of peers.py")
    parser.add_argument("--config", default=str(HERE / "x86.json"))
    parser.add_argument("--cpu", default="")
    parser.add_argument("--shapes", default="")
    parser.add_argument("--schemes", default="")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--core", type=int, default=1)
    parser.add_argument("--json", default="")
    parser.add_argument("--chart", default="")
    parser.add_argument("--from", dest="sources", action="append", default=[],
                        help="results that --json wrote, instead of measuring")
    args = parser.parse_args()
    with open(args.config) as f:
        config = [e for e in json.load(f) if re.search(args.schemes, e["scheme"])]
    runs = []
    for source in args.sources:
        with open(source) as f:
            runs += json.load(f)["runs"]
    if not args.sources:
        if not args.peers:
            parser.error("expected --peers=FOLDER or --from=FILE")
        # The contenders run under the same interpreter.
        if importlib.util.find_spec("numpy") is None:
            sys.exit(f"error: {sys.executable} has no NumPy, which measuring needs: "
                     f"{sys.executable} -m pip install numpy, or another python3")
        runs = measure(args, config)
    records = summarize(config, runs)
    cpu = str(runs[0]["cpu"]["model"]) if runs else ""
    if args.json:
        with open(args.json, "w") as f:
            json.dump({"records": records, "runs": runs}, f, indent=1)
    print_table(records, cpu)
    if args.chart:
        write_chart(args.chart, records, cpu)
    return 0 if records else 1


if __name__ == "__main__":
    sys.exit(main())
