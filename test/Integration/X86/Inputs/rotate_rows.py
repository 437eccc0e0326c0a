"""Rows rotated, and quantized in one go, against NumPy, to the bit.

usage: rotate_rows.py QUANT_RUN OUTPUT_FOLDER [OPTIONS]

Every size of blocks with rows that fill them or do not, signs, f32, f16 and bf16,
rows with infinities, NaN, zeros, subnormals. Each program gives the rotated rows,
their integers by scales of rows (signed), by one constant scale with a zero point
(unsigned), by one scale from the data, and by scales of rows with zero points.
"""

import os
import subprocess
import sys

import numpy as np

from quantsim import arith, rotation

CASES = [(3, 64, 32, 0, "f32"), (5, 72, 32, 0, "f32"), (4, 256, 128, 0, "f32"),
         (3, 200, 128, 7, "f32"), (2, 96, 32, 3, "f16"), (3, 95, 32, 0, "bf16"),
         (7, 31, 32, 0, "f32"), (2, 384, 128, 0, "f16"), (1, 520, 256, 1, "f32"),
         (4, 13, 2, 0, "f32"), (3, 100, 16, 9, "f32"), (2, 67, 8, 0, "bf16"),
         (65, 576, 32, 0, "f32"), (2, 1, 4, 2, "f32")]
SCALE, ZERO = np.float32(0.0371), 130


def draw(rng, shape, element):
    x = rng.standard_normal(shape).astype(np.float32) * 3
    x[:, rng.integers(0, shape[1], 1 + shape[1] // 30)] *= 40
    if shape[0] > 1:
        x[0, rng.integers(0, shape[1])] = np.inf
        x[-1, rng.integers(0, shape[1])] = np.nan
    if shape[0] > 2:
        x[1] = 0
    if shape[0] > 3:
        x[2] *= np.float32(1e-39) if element == "f32" else np.float32(1e-7)
    if element == "f16":
        return x.astype(np.float16).astype(np.float32)
    if element == "bf16":
        return (x.view(np.uint32) & 0xFFFF0000).view(np.float32)
    return x


def program(m, k, size, seed, element):
    x, r, q = (f"tensor<?x{k}x{e}>" for e in (element, "f32", "i8"))
    argument = r
    rotate = f"quant.rotate %x size = {size}{f' seed = {seed}' if seed else ''}"
    narrow = "" if element == "f32" else f"""
  %c0 = arith.constant 0 : index
  %n = tensor.dim %f, %c0 : {argument}
  %narrow = tensor.empty(%n) : {x}
  %x = linalg.generic {{indexing_maps = [affine_map<(i, j) -> (i, j)>,
      affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}}
      ins(%f : {argument}) outs(%narrow : {x}) {{
  ^bb0(%a: f32, %b: {element}):
    %t = arith.truncf %a : f32 to {element}
    linalg.yield %t : {element}
  }} -> {x}"""
    name = "%x" if element == "f32" else "%f"
    return f"""
func.func @main({name}: {argument}) -> ({r}, {q}, tensor<?xf32>, {q}, {q}, {q}) {{{narrow}
  %r = {rotate} : {x} -> {r}
  %s = quant.choose_qparams %r axes = [0] range = [-127, 127] : {r} -> tensor<?xf32>
  %q = quant.quantize %r scale(%s : tensor<?xf32>) axes = [0] range = [-127, 127] : {r} -> {q}
  %cs = arith.constant dense<{SCALE:.9e}> : tensor<f32>
  %cz = arith.constant dense<{ZERO}> : tensor<i32>
  %static = quant.quantize %r scale(%cs : tensor<f32>) zero_point(%cz : tensor<i32>) axes = [] range = [0, 255] unsigned : {r} -> {q}
  %ts = quant.choose_qparams %r axes = [] range = [-128, 127] : {r} -> tensor<f32>
  %t = quant.quantize %r scale(%ts : tensor<f32>) axes = [] range = [-128, 127] : {r} -> {q}
  %as, %az = quant.choose_qparams %r axes = [0] range = [-128, 127] : {r} -> tensor<?xf32>, tensor<?xi32>
  %a = quant.quantize %r scale(%as : tensor<?xf32>) zero_point(%az : tensor<?xi32>) axes = [0] range = [-128, 127] : {r} -> {q}
  return %r, %q, %s, %static, %t, %a : {r}, {q}, tensor<?xf32>, {q}, {q}, {q}
}}"""


def reference(x, size, seed):
    r = rotation.rotate(x, size, seed)
    s, _ = arith.choose_qparams(r, (0,), (-127, 127))
    ts, _ = arith.choose_qparams(r, (), (-128, 127))
    az = arith.choose_qparams(r, (0,), (-128, 127), symmetric=False)
    byte = lambda q: q.astype(np.uint8).view(np.int8)
    return [r, byte(arith.quantize(r, s, 0, (0,), (-127, 127))), s,
            byte(arith.quantize(r, SCALE, ZERO, (), (0, 255))),
            byte(arith.quantize(r, ts, 0, (), (-128, 127))),
            byte(arith.quantize(r, *az, (0,), (-128, 127)))]


def is_equal(a, b):
    """To the bit, but for what a NaN holds and a zero's sign."""
    if a.shape != b.shape:
        return False
    if a.dtype == np.float32:
        return bool(np.array_equal(a, b, equal_nan=True))
    return a.tobytes() == np.ascontiguousarray(b).tobytes()


def main():
    tool, folder, options = sys.argv[1], sys.argv[2], sys.argv[3:]
    os.makedirs(folder, exist_ok=True)
    at = lambda name: os.path.join(folder, name)
    rng, passed, failed = np.random.default_rng(5), 0, 0
    for m, k, size, seed, element in CASES:
        x = draw(rng, (m, k), element)
        with open(at("rotate.mlir"), "w") as f:
            f.write(program(m, k, size, seed, element))
        np.save(at("x.npy"), x)
        subprocess.run([tool, at("rotate.mlir"), "--inputs=" + at("x.npy"),
                        "--outputs=" + folder, *options],
                       check=True, stdout=subprocess.DEVNULL)
        got = [np.load(at(f"out{i}.npy")) for i in range(6)]
        same = [is_equal(a, b) for a, b in zip(reference(x, size, seed), got)]
        # The stages are those of the matrix.
        near = rotation.matrix(size, seed)
        whole = k - k % size
        with np.errstate(all="ignore"):
            exact = (x[:, :whole].astype(np.float64).reshape(-1, size) @ near
                     ).reshape(m, whole)
        good = np.isfinite(exact).all(1)
        same.append(np.allclose(exact[good], got[0][good, :whole], rtol=1e-5, atol=1e-4))
        if all(same):
            passed += 1
            continue
        failed += 1
        print(f"FAILED: {m}x{k} size {size} seed {seed} {element}: {same}")
    print(f"{passed} programs equal, {failed} differ")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
