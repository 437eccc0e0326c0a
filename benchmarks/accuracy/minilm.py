"""MiniLM: embeddings of sentences, by the cosine to the float ones."""

import pathlib
import sys

import numpy as np

from accuracy import score_minilm
from accuracy.programs import Programs, run, save
from quantsim import catalog

HERE = pathlib.Path(__file__).resolve().parent
MODEL = "minilm_l6_full_dynbatch_s32"
TOKEN = "activations=dynamic-token"
BLOCKS = "activations=dynamic-block block-size=32"
W4 = "weights=group group-size=32 weight-bits=4"
W4_16 = "weights=group group-size=16 weight-bits=4"
W4_CHANNEL = "weights=channel weight-bits=4"
BEST = ("weight-scale=mse rounding=error-compensated activation-order=true "
        "stats={stats}")
BOTH_ENDS = BEST.replace("=mse", "=full-range-mse")
# Scheme, program, options, mean cosine of the cases' fake quantization, ONNX
# Runtime's scheme.
ROWS = [
    ("float", "plain", "none", "", "float"),
    ("W8 per channel, A8 per token", "plain", f"weights=channel {TOKEN}",
     "0.9967", "w8a8"),
    ("W8 per channel, A8 per token, equalized (alpha {alpha})", "equalized",
     f"weights=channel {TOKEN}", "", ""),
    ("the same, alpha by the calibration inputs ({alpha})", "tuned",
     f"weights=channel {TOKEN}", "", ""),
    ("W8 per channel, A8 per token, H of 32", "plain",
     f"weights=channel {TOKEN} rotation=hadamard32", "", ""),
    ("W8 per channel, A8 per token, H of 128", "plain",
     f"weights=channel {TOKEN} rotation=hadamard128", "", ""),
    ("W8 per channel, A8 dynamic per tensor, asymmetric", "plain",
     "weights=channel activations=dynamic-tensor symmetric=false", "", "w8a8"),
    ("W8 per channel, A8 static per tensor, asymmetric", "plain",
     "weights=channel activations=static symmetric=false stats={stats}",
     "0.9923", ""),
    ("W8 per channel, A8 static per tensor, H of 32", "plain",
     "weights=channel activations=static stats={stats} rotation=hadamard32", "",
     ""),
    ("W8 per channel, A8 static per tensor, H of 128", "plain",
     "weights=channel activations=static stats={stats} rotation=hadamard128",
     "", ""),
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
    ("W4 group 32, A8 per token, full range and MSE, error-compensated",
     "plain", f"{W4} {TOKEN} {BOTH_ENDS}", "", ""),
    ("the same, equalized (alpha {alpha})", "equalized",
     f"{W4} {TOKEN} {BOTH_ENDS}", "", ""),
    ("the same, alpha of W8A8 by the calibration inputs ({alpha})", "tuned",
     f"{W4} {TOKEN} {BOTH_ENDS}", "", ""),
    ("W4 group 32, A8 per token, full range and MSE, error-compensated, H of "
     "32", "plain", f"{W4} {TOKEN} {BOTH_ENDS} rotation=hadamard32", "", ""),
    ("W4 group 32, A8 per token, full range and MSE, error-compensated, H of "
     "128", "plain", f"{W4} {TOKEN} {BOTH_ENDS} rotation=hadamard128", "", ""),
    ("W4 group 16, A8 per token, MSE scales", "plain",
     f"{W4_16} {TOKEN} weight-scale=mse", "", ""),
    ("NVFP4, A8 per token", "plain", f"weight-format=nvfp4 {TOKEN}", "", ""),
    ("NVFP4, A8 per token, MSE scales", "plain", f"nvfp4 {TOKEN}", "", ""),
    ("NVFP4, A8 per token, MSE scales, error-compensated, H of 32", "plain",
     f"nvfp4 {TOKEN} {BEST} rotation=hadamard32", "", ""),
    ("MXFP4, A8 per token", "plain", f"weight-format=mxfp4 {TOKEN}", "", ""),
    ("MXFP4, A8 per token, MSE scales", "plain", f"mxfp4 {TOKEN}", "", ""),
    ("MXFP4, A8 per token, MSE scales, error-compensated, H of 32", "plain",
     f"mxfp4 {TOKEN} {BEST} rotation=hadamard32", "", ""),
    ("IQ4_NL, A8 per token, MSE scales", "plain",
     f"weight-format=iq4_nl weight-scale=mse {TOKEN}", "", ""),
    ("MXINT8, A8 per token", "plain", f"weight-format=mxint8 {TOKEN}", "", ""),
    ("W4 per channel, A float", "plain", f"{W4_CHANNEL} activations=float",
     "0.907", ""),
    ("W4 per channel, A float, MSE scales, error-compensated", "plain",
     f"{W4_CHANNEL} activations=float {BEST}", "", ""),
    ("W4 per channel, A8 per token, MSE scales, error-compensated", "plain",
     f"{W4_CHANNEL} {TOKEN} {BEST}", "", ""),
    ("W4 group 32, A4 per token", "plain", f"{W4} {TOKEN} activation-bits=4",
     "0.738", ""),
    ("W4 group 32, A4 per token, H of 32", "plain",
     f"{W4} {TOKEN} activation-bits=4 rotation=hadamard32", "", ""),
    ("W4 group 32, A4 per token, H of 128", "plain",
     f"{W4} {TOKEN} activation-bits=4 rotation=hadamard128", "", ""),
    ("W4 group 32, A4 per token, full range and MSE, error-compensated, H of "
     "32", "plain", f"{W4} {TOKEN} activation-bits=4 {BOTH_ENDS} "
     "rotation=hadamard32", "", ""),
    ("W4 group 32, A4 per token, full range and MSE, error-compensated, H of "
     "128", "plain", f"{W4} {TOKEN} activation-bits=4 {BOTH_ENDS} "
     "rotation=hadamard128", "", ""),
    ("W8 per channel, A8 in blocks of 32", "plain",
     f"weights=channel {BLOCKS}", "", ""),
    ("W4 group 32, A8 in blocks of 32", "plain", f"{W4} {BLOCKS}", "", ""),
    ("W4 group 32, A4 in blocks of 32", "plain",
     f"{W4} {BLOCKS} activation-bits=4", "", ""),
    ("W4 group 32, A4 in blocks of 32, H of 32", "plain",
     f"{W4} {BLOCKS} activation-bits=4 rotation=hadamard32", "", ""),
    ("W4 group 32, A4 in blocks of 32, full range and MSE, error-compensated",
     "plain", f"{W4} {BLOCKS} activation-bits=4 {BOTH_ENDS}", "", ""),
    ("W4 group 32, A4 in blocks of 32, full range and MSE, error-compensated, "
     "H of 32", "plain", f"{W4} {BLOCKS} activation-bits=4 {BOTH_ENDS} "
     "rotation=hadamard32", "", ""),
]


def parse_scores(text):
    return dict(line.split(": ", 1) for line in text.splitlines()
                if ": " in line)


def score(programs, build, program, options):
    options = programs.options(program, options)
    return parse_scores(run(
        sys.executable, HERE / "score_minilm.py", f"--build={build}",
        f"--program={programs.get(program)}", f"--quantize={options}",
        # The scale of a whole tensor depends on the batch.
        f"--batch={1 if 'dynamic-tensor' in options else 58}"))


def score_rival(programs, build, python, scheme):
    """ONNX Runtime's embeddings, scored like ours."""
    path = programs.folder / f"onnxruntime-{scheme}.npy"
    with np.load(catalog.locate("minilm_l6_accuracy_open.npz")) as archive:
        # One sentence a call: a dynamic scale is of the whole tensor, so
        # larger batches would only be worse.
        inputs = save(programs.folder / "in",
                      score_minilm.batches(score_minilm.program_inputs(archive), 1))
        run(python, HERE / "rival.py", scheme, path,
            f"--build={build}", f"--model={MODEL}", f"--inputs={inputs}")
        got = score_minilm.score(archive["emb_fp32"], np.load(path)[:, 0])
    return f"{got['mean cosine']:.5f}"


def print_table(build, only, rival_python):
    sentences = pathlib.Path(build) / "accuracy" / "sentences"
    run(sys.executable, HERE / "make_calibration.py", f"--out={sentences}",
        f"--build={build}")
    programs = Programs(MODEL, build, sentences)
    print("| scheme | mean cosine | least | SQNR | Spearman | fake "
          "quantization | ONNX Runtime |\n|---|---|---|---|---|---|---|",
          flush=True)
    for name, program, scheme, fake, rival in ROWS:
        if only not in name:
            continue
        got = score(programs, build, program, scheme)
        theirs = ""
        if rival and rival_python:
            theirs = score_rival(programs, build, rival_python, rival)
        name = name.format(alpha=programs.title(program))
        print(f"| {name} | {got['mean cosine']} | "
              f"{float(got['min cosine']):.4f} | "
              f"{float(got['SQNR dB']):.1f} dB | "
              f"{float(got['Spearman']):.4f} | {fake} | {theirs} |", flush=True)
