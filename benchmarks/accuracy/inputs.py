"""The models of docs/accuracy.md beside MiniLM: their inputs and their scores.

Inputs come from the cases. Where there are many, some are set aside for
calibration and never scored; where there is one sequence, its first half is
what calibration sees (twice, to fill the program's length) and the results of
the second half are scored. A model with a single input has no calibration.
"""

from dataclasses import dataclass, field
from typing import Callable, Optional

import numpy as np

from quantsim import catalog, metrics, models, schemes


@dataclass
class Evaluation:
    """What to run a program on, and what is expected."""
    title: str
    program: str  # name in the catalogue
    inputs: list  # for quant-run --evaluate
    reference: np.ndarray  # [rows, width]
    calibration: Optional[list] = None
    # From the result's array to the rows that are scored.
    rows: Callable = field(default=lambda out: out.reshape(-1, out.shape[-1]))
    result: int = 0  # which of the program's
    labels: Optional[np.ndarray] = None
    top1: bool = False
    note: str = ""
    constant_weights: bool = True
    # benchmarks/accuracy/rival.py can build it.
    onnx: bool = False

    def score(self, out):
        got = self.rows(out)
        assert got.shape == self.reference.shape, (got.shape,
                                                   self.reference.shape)
        result = {"cosine": metrics.mean_cosine(self.reference, got),
                  "sqnr": metrics.sqnr_db(self.reference, got)}
        if self.top1:
            best = got.argmax(-1)
            changed = best != self.reference.argmax(-1)
            result["top1"] = (~changed).mean()
            # How clearly float chose what was changed.
            top = np.sort(self.reference, -1)
            result["margins"] = (top[:, -1] - top[:, -2])[changed]
            if self.labels is not None:
                result["correct"] = (best == self.labels).mean()
        return result


def digits():
    _, arrays = catalog.inputs_and_results("digits_mlp_dynbatch")
    aside = 50
    x = arrays["test_x"]
    return Evaluation(
        "digits MLP", "digits_mlp_dynbatch", [x[aside:]],
        arrays["test_logits_fp32"][aside:], [x[:aside]],
        labels=arrays["test_y"][aside:], top1=True, onnx=True,
        note=f"{len(x) - aside} test images, {aside} others for calibration")


def jax_mlp():
    """Weights are arguments of the program: the dynamic schemes only."""
    inputs, _ = catalog.inputs_and_results("jax_mlp")
    runs = 64
    x = np.random.default_rng(1).normal(
        size=(runs,) + inputs[0].shape).astype(np.float32)
    weights = [np.repeat(w[None], runs, 0) for w in inputs[1:]]
    reference = models.jax_mlp([x.reshape(-1, x.shape[-1])] + inputs[1:], None,
                               schemes.FloatLinear())
    return Evaluation(
        "JAX MLP", "jax_mlp", [x] + weights, reference, top1=True,
        constant_weights=False,
        note=f"{len(reference)} random inputs; the weights are arguments, so "
             "they are quantized at run time")


def text_direction():
    with np.load(catalog.locate("ppocr_cls_accuracy_open.npz")) as archive:
        z = {key: archive[key] for key in archive.files}
    mean, deviation = z["norm"]
    x = ((z["x"] - mean) / deviation).astype(np.float32)
    aside = 16
    return Evaluation(
        "text direction (MobileNetV3)", "ppocr_cls_mobilenetv3_b1",
        [x[aside:, None]], z["probs_fp32"][aside:], [x[:aside, None]],
        labels=z["label"][aside:], top1=True,
        note=f"{len(x) - aside} labelled images, {aside} others for "
             "calibration; the results are probabilities")


def smollm2_layer():
    name = "smollm2_layer4_s64"
    inputs, arrays = catalog.inputs_and_results(name)
    half = inputs[0].shape[1] // 2
    first = inputs[0][:, :half]
    return Evaluation(
        "SmolLM2 decoder layer", name, [v[None] for v in inputs],
        arrays["out0"][0, half:],
        [np.concatenate([first, first], 1)[None]] +
        [v[None] for v in inputs[1:]],
        rows=lambda out: out[0, 0, half:], onnx=True,
        note=f"{half} tokens; calibration saw the {half} before them")


def smollm2_mlp():
    name = "smollm2_mlp4_decode_s1"
    inputs, arrays = catalog.inputs_and_results(name)
    return Evaluation("SmolLM2 MLP, decode", name, [v[None] for v in inputs],
                      arrays["out0"][0], note="one token")


def single_image(title, name):
    inputs, arrays = catalog.inputs_and_results(name)
    result = arrays["out0"]
    return Evaluation(title, name, [v[None] for v in inputs],
                      result.reshape(-1, result.shape[-1]), note="one image")


def face_scores():
    """The 896 anchors' scores as one row: the best one is the face."""
    name = "tfl_face_detection_short_range.tosa"
    inputs, arrays = catalog.inputs_and_results(name)
    return Evaluation("face detection (TFLite), scores of the anchors", name,
                      [v[None] for v in inputs], arrays["out1"].reshape(1, -1),
                      result=1, rows=lambda out: out.reshape(1, -1), top1=True,
                      note="one image; top-1 is the best of 896 anchors")


def all_models():
    """{short name: function that makes the evaluation}."""
    return {
        "digits": digits,
        "jax": jax_mlp,
        "text-direction": text_direction,
        "smollm2-layer": smollm2_layer,
        "smollm2-mlp": smollm2_mlp,
        "face-detection": lambda: single_image(
            "face detection (TFLite), boxes", "tfl_face_detection_short_range.tosa"),
        "face-scores": face_scores,
        "hand-recrop": lambda: single_image("hand recrop (TFLite)",
                                            "tfl_hand_recrop.tosa"),
    }
