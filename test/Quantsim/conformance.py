# REQUIRES: cases
# RUN: %python %s %cases
"""The oracle against vectors of independent implementations.

TOSA's reference model (fixed-point rescale, exact), ONNX's node tests and ONNX
Runtime (quantize, dynamic quantize, integer matmul).
"""

import pathlib
import sys

import numpy as np

from quantsim import arith

CASES = pathlib.Path(sys.argv[1]) / "open"


def load(path):
    with np.load(path) as archive:
        return {key: archive[key] for key in archive.files}


def bounds(kind):
    info = np.iinfo(kind)
    return int(info.min), int(info.max)


def check_tosa():
    count = 0
    for path in sorted((CASES / "requant").glob("rescale_*.npz")):
        if "scale16" in path.name:
            continue
        z = load(path)
        got = arith.rescale_fixed_point(
            z["x"], z["multiplier"], z["shift"], "double" in path.name,
            int(z["in_zp"]), int(z["out_zp"]), qrange=bounds(z["y"].dtype))
        assert (got == z["y"]).all(), path.name
        count += 1
    assert count >= 6, count


def check_onnx():
    folder = CASES / "onnx_conformance"
    z = load(folder / "test_quantizelinear.npz")
    assert (arith.quantize(z["in0"], z["in1"], int(z["in2"]), (), (0, 255))
            == z["out0"]).all()
    z = load(folder / "test_quantizelinear_axis.npz")
    assert (arith.quantize(z["in0"], z["in1"], z["in2"].astype(int), (1,),
                           (0, 255)) == z["out0"]).all()
    z = load(folder / "test_dequantizelinear.npz")
    assert (arith.dequantize(z["in0"], z["in1"], int(z["in2"]))
            == z["out0"]).all()
    for path in sorted(folder.glob("ort_quantize_*.npz")):
        z = load(path)
        got = arith.quantize(z["x"], z["y_scale"], int(z["y_zp"]), (),
                             bounds(z["out0"].dtype))
        assert (got == z["out0"]).all(), path.name
    for path in sorted(folder.glob("ort_matmulinteger_*.npz")):
        z = load(path)
        got = arith.matmul_i32(z["A"], z["B"], z["a_zp"], z["b_zp"])
        assert (got == z["out0"]).all(), path.name


def check_dynamic():
    """ONNX rounds the zero point as a whole: a float tie may differ by 1."""
    folder = CASES / "onnx_conformance"
    for path in sorted(folder.glob("ort_dynamicquantize_*.npz")):
        z = load(path)
        scale, zero = arith.choose_qparams(z["x"], (), (0, 255), False)
        assert scale == z["out1"], path.name
        assert abs(int(zero) - int(z["out2"])) <= 1, path.name
        got = arith.quantize(z["x"], scale, int(z["out2"]), (), (0, 255))
        assert (np.abs(got - z["out0"]) <= 1).all(), path.name


def check_qlinear():
    """acc * float multiplier, ties to even; 1 LSB where ORT's product ties."""
    folder = CASES / "onnx_conformance"
    for path in sorted(folder.glob("ort_qlinearmatmul_*.npz")):
        z = load(path)
        acc = arith.matmul_i32(z["a"], z["b"], z["a_zp"], z["b_zp"])
        multiplier = z["a_scale"] * z["b_scale"] / z["y_scale"]
        got = arith.rescale(acc, channel_scale=multiplier,
                            zero_point=int(z["y_zp"]),
                            qrange=bounds(z["out0"].dtype))
        off = np.abs(got - z["out0"])
        assert off.max() <= 1 and (off > 0).mean() < 0.002, path.name


check_tosa()
check_onnx()
check_dynamic()
check_qlinear()
