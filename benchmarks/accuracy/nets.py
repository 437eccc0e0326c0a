"""The other models: rows of results against the float ones."""

import pathlib

import numpy as np

from accuracy.programs import Programs, run, save

HERE = pathlib.Path(__file__).resolve().parent
W8 = "weights=channel"
W4 = "weights=group group-size=32 weight-bits=4"
TOKEN = "activations=dynamic-token"
COMPENSATED = ("weight-scale=full-range-mse rounding=error-compensated "
               "stats={stats}")
# Scheme, program, options, ONNX Runtime's scheme.
ROWS = [
    ("float", "plain", None, "float"),
    ("W8 per channel, A8 per token", "plain", f"{W8} {TOKEN}", ""),
    ("W8 per channel, A8 dynamic per tensor, asymmetric", "plain",
     f"{W8} activations=dynamic-tensor symmetric=false", "w8a8"),
    ("W8 per channel, A8 static per tensor, asymmetric", "plain",
     f"{W8} activations=static symmetric=false stats={{stats}}", ""),
    ("W8 per channel, A8 per token, equalized (alpha {alpha})", "equalized",
     f"{W8} {TOKEN}", ""),
    ("the same, alpha by the calibration inputs ({alpha})", "tuned",
     f"{W8} {TOKEN}", ""),
    ("W8 per channel, A float", "plain", f"{W8} activations=float", ""),
    ("W4 group 32, A float", "plain", f"{W4} activations=float", "w4"),
    ("W4 group 32, A float, full range", "plain",
     f"{W4} activations=float weight-scale=full-range", "w4"),
    ("W4 group 32, A float, full range and MSE", "plain",
     f"{W4} activations=float weight-scale=full-range-mse", "w4"),
    ("W4 group 32, A8 per token", "plain", f"{W4} {TOKEN}", "w4a8"),
    ("W4 group 32, A8 per token, full range", "plain",
     f"{W4} {TOKEN} weight-scale=full-range", "w4a8"),
    ("W4 group 32, A8 per token, full range and MSE", "plain",
     f"{W4} {TOKEN} weight-scale=full-range-mse", "w4a8"),
    ("W4 group 32, A8 per token, full range and MSE, error-compensated",
     "plain", f"{W4} {TOKEN} {COMPENSATED}", ""),
]
# Programs whose weights are arguments: quantized like activations.
NEEDS_CONSTANTS = ("activations=float", "weights=group")


class Table:
    """One model's, in Markdown."""

    def __init__(self, evaluation):
        self.evaluation = evaluation
        self.rivals = {}

    def applies(self, program, options):
        calibrated = program != "plain" or "{stats}" in (options or "")
        if calibrated and self.evaluation.calibration is None:
            return False
        return self.evaluation.constant_weights or not any(
            part in (options or "") for part in NEEDS_CONSTANTS)

    def evaluate(self, programs, program, options):
        e = self.evaluation
        quantize = ([f"--quantize={programs.options(program, options)}"]
                    if options else [])
        return e.score(programs.evaluate(
            programs.get(program), save(programs.folder / "in", e.inputs),
            *quantize, result=e.result))

    def score_rival(self, programs, build, python, scheme):
        """ONNX Runtime's results, scored like ours; each is made once."""
        e = self.evaluation
        if not (scheme and python and e.onnx):
            return {}
        if scheme not in self.rivals:
            path = programs.folder / f"onnxruntime-{scheme}.npy"
            arrays = save(programs.folder / "in", e.inputs)
            run(python, HERE / "rival.py", scheme, path,
                f"--build={build}", f"--model={e.program}",
                f"--inputs={arrays}")
            self.rivals[scheme] = e.score(np.load(path))
        return self.rivals[scheme]

    def print(self, build, only, rival_python):
        e = self.evaluation
        inputs = (save(pathlib.Path(build) / "accuracy" / e.program /
                       "calibration", e.calibration)
                  if e.calibration else None)
        programs = Programs(e.program, build, inputs)
        print(f"{e.title}: {e.note}.\n")
        print("| scheme | mean cosine | SQNR |" +
              (" top-1 unchanged |" if e.top1 else "") +
              (" correct |" if e.labels is not None else "") +
              (" ONNX Runtime |" if e.onnx else ""))
        columns = (3 + e.top1 + (e.labels is not None) + e.onnx)
        print("|---" * columns + "|", flush=True)
        worst = []
        for name, program, options, rival in ROWS:
            if only not in name or not self.applies(program, options):
                continue
            got = self.evaluate(programs, program, options)
            theirs = self.score_rival(programs, build, rival_python, rival)
            name = name.format(alpha=programs.title(program))
            print(f"| {name} |" + self.cells(got) +
                  (f" {show(theirs)} |" if e.onnx else ""), flush=True)
            if len(got.get("margins", [])) and "W8" in name:
                worst.append(got["margins"].max())
        if worst:
            print("\nWhere 8 bits change the top-1, float's two best results are "
                  f"at most {max(worst):.2f} apart; the standard deviation of "
                  f"its results is {e.reference.std():.1f}.")

    def cells(self, got):
        text = f" {got['cosine']:.5f} | {got['sqnr']:.1f} dB |"
        for key in ("top1", "correct"):
            if key in got:
                text += f" {100 * got[key]:.1f} % |"
        return text


def show(score):
    if not score:
        return ""
    return f"{score['cosine']:.5f}, {score['sqnr']:.1f} dB" + (
        f", {100 * score['top1']:.1f} %" if "top1" in score else "")
