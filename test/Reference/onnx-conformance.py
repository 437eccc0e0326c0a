# REQUIRES: cases
# RUN: %python %s quant-opt %cases | FileCheck %s
"""ONNX's node tests and ONNX Runtime's results, folded by quant-opt."""

import pathlib
import re
import subprocess
import sys

import numpy as np

BITS = {"int8": ("i8", -128, 127, ""), "uint8": ("i8", 0, 255, " unsigned"),
        "int4": ("i4", -8, 7, "")}
# Larger results go into resources, which the test does not read.
CHUNK = 1024


def tensor(shape, dtype):
    return "tensor<" + "".join(f"{n}x" for n in shape) + dtype + ">"


def constant(name, array, dtype):
    if dtype == "f32":
        # Bits, so that nothing is rounded on the way.
        raw = "".join(f"{b:02X}" for b in np.ascontiguousarray(array, "<f4").tobytes())
        values = f'"0x{raw}"'
    else:
        values = str(array.tolist())
    return f" %{name} = arith.constant dense<{values}> : {tensor(array.shape, dtype)}\n"


def run(quant_opt, body, results):
    """Folds the function and returns its constants, by their order."""
    names, types = zip(*results)
    text = (f"func.func @f() -> ({', '.join(types)}) {{\n{body}"
            f" return {', '.join(names)} : {', '.join(types)}\n}}\n")
    out = subprocess.run(
        [quant_opt, "-canonicalize", "--mlir-print-elementsattrs-with-hex-if-larger=0"],
        input=text, capture_output=True, text=True, check=True).stdout
    assert "quant." not in out, out
    values = dict(re.findall(r"(%\S+) = arith\.constant dense<(.*)> : tensor", out))
    order = re.search(r"return (.*) :", out).group(1).split(", ")
    return [values[name] for name in order]


def ints(text, count, kind):
    """Printed elements: hex bytes, a list or a splat."""
    dtype, _, _, unsigned = BITS[kind]
    if text.startswith('"0x'):
        found = np.frombuffer(bytes.fromhex(text[3:-1]), np.int8).astype(np.int64)
    else:
        found = np.array([int(v) for v in re.findall(r"-?\d+", text)], np.int64)
    found = np.broadcast_to(found, (count,)) if found.size == 1 else found
    if dtype == "i4":  # a byte each, of which the low nibble counts
        return ((found & 0xF) ^ 8) - 8
    return found & 0xFF if unsigned else found


def floats(text, count):
    if text.startswith('"0x'):
        found = np.frombuffer(bytes.fromhex(text[3:-1]), np.float32)
    else:
        found = np.array([np.float32(v) for v in re.findall(r"[-\d.]+(?:[eE][-+]?\d+)?", text)])
    return np.broadcast_to(found, (count,)) if found.size == 1 else found


def quantize(quant_opt, x, scale, zero_point, axes, kind):
    dtype, low, high, flag = BITS[kind]
    ty = tensor(x.shape, dtype)
    ts, tz = tensor(scale.shape, "f32"), tensor(zero_point.shape, "i32")
    body = (constant("x", x, "f32") + constant("s", scale, "f32")
            + constant("z", zero_point.astype(np.int64), "i32")
            + f" %q = quant.quantize %x scale(%s : {ts}) zero_point(%z : {tz}) "
              f"axes = {axes} range = [{low}, {high}]{flag} : "
              f"{tensor(x.shape, 'f32')} -> {ty}\n")
    return ints(run(quant_opt, body, [("%q", ty)])[0], x.size, kind)


def dequantize(quant_opt, q, scale, zero_point, kind):
    dtype, _, _, flag = BITS[kind]
    signed = q.astype(np.int8) if dtype == "i8" else q
    ty = tensor(q.shape, "f32")
    body = (constant("q", signed, dtype) + constant("s", scale, "f32")
            + constant("z", zero_point.astype(np.int64), "i32")
            + f" %x = quant.dequantize %q scale(%s : tensor<f32>) "
              f"zero_point(%z : tensor<i32>) axes = []{flag} : "
              f"{tensor(q.shape, dtype)} -> {ty}\n")
    return floats(run(quant_opt, body, [("%x", ty)])[0], q.size)


def choose(quant_opt, x):
    body = (constant("x", x, "f32")
            + " %s, %z = quant.choose_qparams %x axes = [] range = [0, 255] : "
              f"{tensor(x.shape, 'f32')} -> tensor<f32>, tensor<i32>\n")
    scale, zero_point = run(quant_opt, body, [("%s", "tensor<f32>"), ("%z", "tensor<i32>")])
    return floats(scale, 1)[0], int(zero_point)


def report(name, good):
    print(name, "equal" if good else "DIFFERENT")


def check_quantize(quant_opt, name, x, scale, zero_point, axes, kind, want):
    if axes:
        got = quantize(quant_opt, x, scale, zero_point, axes, kind)
    else:
        flat = x.reshape(-1)
        got = np.concatenate([
            quantize(quant_opt, flat[i:i + CHUNK], scale.reshape(()),
                     zero_point.reshape(()), axes, kind)
            for i in range(0, flat.size, CHUNK)])
    report(name, np.array_equal(got, want.reshape(-1).astype(np.int64)))


def main(quant_opt, cases):
    folder = pathlib.Path(cases) / "open" / "onnx_conformance"
    load = lambda name: np.load(folder / f"{name}.npz")
    for name, axes, kind in (("test_quantizelinear", [], "uint8"),
                             ("test_quantizelinear_axis", [1], "uint8"),
                             ("test_quantizelinear_int4", [0], "int4")):
        d = load(name)
        check_quantize(quant_opt, name, d["in0"], d["in1"], d["in2"], axes, kind, d["out0"])
    for path in sorted(folder.glob("ort_quantize_*.npz")):
        d = np.load(path)
        check_quantize(quant_opt, path.stem, d["x"], d["y_scale"], d["y_zp"], [],
                       d["out0"].dtype.name, d["out0"])
    for name, kind in (("test_dequantizelinear", "uint8"), ("test_dequantizelinear_int4", "int4")):
        d = load(name)
        got = dequantize(quant_opt, d["in0"], d["in1"], d["in2"].reshape(()), kind)
        report(name, np.array_equal(got, d["out0"].reshape(-1)))
    for name in ("test_dynamicquantizelinear", "test_dynamicquantizelinear_min_adjusted",
                 "ort_dynamicquantize_0", "ort_dynamicquantize_1", "ort_dynamicquantize_2"):
        d = dict(load(name))
        d.setdefault("in0", d.get("x"))
        scale, zero_point = choose(quant_opt, d["in0"])
        good = scale == d["out1"] and zero_point == int(d["out2"])
        got = quantize(quant_opt, d["in0"], np.float32(scale).reshape(()),
                       np.array(zero_point), [], "uint8")
        report(name, good and np.array_equal(got, d["out0"].reshape(-1).astype(np.int64)))


# CHECK-COUNT-13: equal
# CHECK-NOT: DIFFERENT
main(sys.argv[1], sys.argv[2])
