#!/usr/bin/env python3
"""MiniLM under every kind of scheme: the table of docs/accuracy.md.

    accuracy-table.py [--build=build] [--onnxruntime-python=PYTHON] [--only=TEXT]

Calibrates on test/Inputs/calibration (none of them a scored sentence),
equalizes, quantizes, compiles for x86 and scores on the sentences of the open
cases. With --onnxruntime-python, an interpreter that has onnx and onnxruntime,
ONNX Runtime's own quantizers are scored beside (utils/onnxruntime-accuracy.py).
Prints Markdown, a row as soon as it is known.
"""

import argparse
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "python"))

from quantsim import catalog  # noqa: E402

MODEL = "minilm_l6_full_dynbatch_s32"
TOKEN = "activations=dynamic-token"
W4 = "weights=group group-size=32 weight-bits=4"
W4_CHANNEL = "weights=channel weight-bits=4"
BEST = ("weight-scale=mse rounding=error-compensated activation-order=true "
        "stats={stats}")
# Scheme, program, options, mean cosine of the cases' fake quantization, ONNX
# Runtime's scheme.
ROWS = [
    ("float", "plain", "none", "", "float"),
    ("W8 per channel, A8 per token", "plain", f"weights=channel {TOKEN}",
     "0.9967", "w8a8"),
    ("the same, equalized (alpha 0.5)", "equalized", f"weights=channel {TOKEN}",
     "", ""),
    ("W8 per channel, A8 static per tensor, asymmetric", "plain",
     "weights=channel activations=static symmetric=false stats={stats}",
     "0.9923", ""),
    ("W8 per channel, A float", "plain", "weights=channel activations=float",
     "", ""),
    ("W4 group 32, A float", "plain", f"{W4} activations=float", "0.9535",
     "w4"),
    ("W4 group 32, A8 per token", "plain", f"{W4} {TOKEN}", "0.9496", "w4a8"),
    ("W4 group 32, A float, full range", "plain",
     f"{W4} activations=float weight-scale=full-range", "", "w4"),
    ("W4 group 32, A8 per token, full range", "plain",
     f"{W4} {TOKEN} weight-scale=full-range", "", "w4a8"),
    ("W4 group 32, A float, MSE scales", "plain",
     f"{W4} activations=float weight-scale=mse", "", "w4"),
    ("W4 group 32, A8 per token, MSE scales", "plain",
     f"{W4} {TOKEN} weight-scale=mse", "", "w4a8"),
    ("W4 group 32, A float, full range and MSE", "plain",
     f"{W4} activations=float weight-scale=full-range-mse", "", "w4"),
    ("W4 group 32, A8 per token, full range and MSE", "plain",
     f"{W4} {TOKEN} weight-scale=full-range-mse", "", "w4a8"),
    ("W4 group 32, A8 per token, MSE scales, error-compensated", "plain",
     f"{W4} {TOKEN} {BEST}", "", ""),
    ("W4 group 32, A8 per token, equalized, MSE scales, error-compensated",
     "equalized", f"{W4} {TOKEN} {BEST}", "", ""),
    ("W4 per channel, A float", "plain", f"{W4_CHANNEL} activations=float",
     "0.907", ""),
    ("W4 per channel, A float, MSE scales, error-compensated", "plain",
     f"{W4_CHANNEL} activations=float {BEST}", "", ""),
    ("W4 per channel, A8 per token, MSE scales, error-compensated", "plain",
     f"{W4_CHANNEL} {TOKEN} {BEST}", "", ""),
    ("W4 group 32, A4 per token", "plain", f"{W4} {TOKEN} activation-bits=4",
     "0.738", ""),
]


def run(*command, output=None):
    done = subprocess.run([str(c) for c in command], capture_output=True,
                          text=output is None)
    if done.returncode:
        error = done.stderr if output is None else done.stderr.decode()
        sys.exit(f"error: {' '.join(map(str, command))}:\n{error[-2000:]}")
    if output:
        output.write_bytes(done.stdout)
    return done.stdout


class Programs:
    """The float program, the equalized one, and their statistics."""

    def __init__(self, build):
        self.bin = pathlib.Path(build) / "bin"
        self.folder = pathlib.Path(build) / "accuracy"
        self.folder.mkdir(exist_ok=True)
        self.inputs = self.folder / "calibration"
        run(sys.executable, ROOT / "utils" / "make-calibration.py",
            f"--out={self.inputs}", f"--build={build}")
        self.known = {"plain": catalog.attached(MODEL, build,
                                                self.bin / "quant-opt")}
        self.statistics = {}

    def get(self, name):
        if name not in self.known:
            self.known[name] = self.folder / f"{name}.mlirbc"
            run(self.bin / "quant-opt", self.known["plain"], "--emit-bytecode",
                f"--quant-equalize=stats={self.stats('plain')} alpha=0.5",
                output=self.known[name])
        return self.known[name]

    def stats(self, name):
        if name not in self.statistics:
            path = self.folder / f"{name}.json"
            run(self.bin / "quant-run", self.get(name),
                f"--calibrate={self.inputs}", f"--stats-output={path}",
                "--second-moments")
            self.statistics[name] = path
        return self.statistics[name]


def parse_scores(text):
    return dict(line.split(": ", 1) for line in text.splitlines()
                if ": " in line)


def score(programs, build, program, options):
    if "{stats}" in options:
        options = options.format(stats=programs.stats(program))
    return parse_scores(run(
        sys.executable, ROOT / "utils" / "score-minilm.py", f"--build={build}",
        f"--program={programs.get(program)}", f"--quantize={options}"))


def score_rival(programs, build, python, scheme):
    """ONNX Runtime's embeddings, scored like ours."""
    sys.path.insert(0, str(ROOT / "utils"))
    import importlib
    import numpy as np
    scorer = importlib.import_module("score-minilm")
    path = programs.folder / f"onnxruntime-{scheme}.npy"
    run(python, ROOT / "utils" / "onnxruntime-accuracy.py", scheme, path,
        f"--build={build}")
    with np.load(catalog.locate("minilm_l6_accuracy_open.npz")) as archive:
        return f"{scorer.score(archive['emb_fp32'], np.load(path))['mean cosine']:.4f}"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build", default=str(ROOT / "build"))
    parser.add_argument("--onnxruntime-python")
    parser.add_argument("--only", default="", help="rows that hold this text")
    options = parser.parse_args()
    programs = Programs(options.build)
    print("| scheme | mean cosine | least | SQNR | Spearman | fake quantization "
          "| ONNX Runtime |\n|---|---|---|---|---|---|---|", flush=True)
    for name, program, scheme, fake, rival in ROWS:
        if options.only not in name:
            continue
        got = score(programs, options.build, program, scheme)
        theirs = ""
        if rival and options.onnxruntime_python:
            theirs = score_rival(programs, options.build,
                                 options.onnxruntime_python, rival)
        print(f"| {name} | {float(got['mean cosine']):.4f} | "
              f"{float(got['min cosine']):.4f} | "
              f"{float(got['SQNR dB']):.1f} dB | "
              f"{float(got['Spearman']):.4f} | {fake} | {theirs} |", flush=True)


if __name__ == "__main__":
    main()
