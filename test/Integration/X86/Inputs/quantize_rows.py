"""Rows scaled and quantized at once, against NumPy, to the bit.

usage: quantize_rows.py QUANT_RUN OUTPUT_FOLDER [OPTIONS]

Rows of every length around a vector's, whose elements are multiples of one half
of the scale and up to four floats beside them; scales from denormals to the
largest float; rows with infinities, NaN, nothing but zeros; f32, f16 and bf16;
signed and moved by 128. OPTIONS name the CPU.
"""

import os
import subprocess
import sys

import numpy as np

from quantsim import arith

SIZES = [(1, 1), (3, 2), (2, 31), (5, 32), (4, 33), (3, 63), (2, 64), (2, 65), (7, 97), (3, 129),
         (2, 384), (64, 509), (0, 40)]
NARROW = """{size}
  %narrow = tensor.empty({dims}) : {x}
  %x = linalg.generic {{indexing_maps = [affine_map<(i, j) -> (i, j)>,
      affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}}
      ins(%f : {argument}) outs(%narrow : {x}) {{
  ^bb0(%a: f32, %b: {element}):
    %t = arith.truncf %a : f32 to {element}
    linalg.yield %t : {element}
  }} -> {x}"""
RANGES = [(-127, 127), (-128, 127), (-7, 7)]


def to_bf16(x):
    """x cut to bf16, as f32."""
    return (x.view(np.uint32) & 0xFFFF0000).view(np.float32)


def draw(rng, shape, qmax):
    """Rows whose largest magnitude is random bits, or next to a power of two."""
    m, k = shape
    bits = rng.integers(1, 0x7F800000, m, dtype=np.int64)
    near = (rng.integers(1, 255, m) << 23) + rng.integers(-2, 3, m)
    bits = np.where(np.arange(m) % 2, bits, near)
    most = np.clip(bits, 1, 0x7F7FFFFF).astype(np.uint32).view(np.float32)
    with np.errstate(all="ignore"):
        scale = (most / np.float32(qmax))[:, None]
        x = rng.integers(-2 * qmax, 2 * qmax + 1, shape) * np.float32(.5) * scale
    x = x.astype(np.float32).view(np.int32) + rng.integers(-4, 5, shape, dtype=np.int32)
    x = x.view(np.float32)
    x[np.abs(x) > most[:, None]] = 0
    if k:
        x[np.arange(m), rng.integers(0, k, m)] = most
    anything = rng.integers(0, 1 << 32, shape, dtype=np.uint64).astype(np.uint32)
    kind = rng.integers(0, 8, m)
    x[kind == 0] = anything.view(np.float32)[kind == 0]
    x[kind == 1] = 0
    for i in np.flatnonzero(kind == 2):
        x[i, rng.integers(0, k, max(1, k // 8))] = rng.choice([np.nan, np.inf, -np.inf])
    return np.ascontiguousarray(x)


def reference(x, qrange, shift):
    finite = np.where(np.isfinite(x), np.abs(x), np.float32(0))
    with np.errstate(all="ignore"):
        scale = finite.max(axis=1, initial=0) / np.float32(qrange[1])
        scale = np.where(scale == 0, np.float32(1), scale).astype(np.float32)
        q = arith.quantize(x, scale, 0, (0,), qrange)
    return (q.astype(np.int32) + shift).astype(np.uint8).view(np.int8), scale


def program(m, k, element, qrange, shift):
    x, q, s = f"tensor<{m}x{k}x{element}>", f"tensor<{m}x{k}xi8>", f"tensor<{m}xf32>"
    if m == "?":
        sizes = "%m = tensor.dim %x, %c0 : " + x
        sizes, dims = "%c0 = arith.constant 0 : index\n" + sizes, "%m"
    else:
        sizes, dims = "", ""
    # f32 arguments: bf16 is not a type of NumPy's.
    argument = x.replace(element, "f32")
    narrow = "" if element == "f32" else NARROW.format(
        x=x, argument=argument, element=element,
        dims="" if m != "?" else "%n", size="" if m != "?" else
        f"%z = arith.constant 0 : index\n  %n = tensor.dim %f, %z : {argument}")
    name = "%x" if element == "f32" else "%f"
    unsigned = " unsigned" if shift else ""
    return f"""
func.func @main({name}: {argument}) -> ({q}, {s}) {{
  {narrow}
  {sizes}
  %q = tensor.empty({dims}) : {q}
  %s = tensor.empty({dims}) : {s}
  %r:2 = quant.quantize_rows ins(%x : {x}) outs(%q, %s : {q}, {s})
    range = [{qrange[0]}, {qrange[1]}]{unsigned} -> {q}, {s}
  return %r#0, %r#1 : {q}, {s}
}}"""


def run(tool, folder, text, x, options):
    path = os.path.join(folder, "rows.mlir")
    with open(path, "w") as f:
        f.write(text)
    np.save(os.path.join(folder, "x.npy"), x)
    subprocess.run([tool, path, "--inputs=" + os.path.join(folder, "x.npy"),
                    "--outputs=" + folder, "--print=false", "--target=x86", *options],
                   check=True, stdout=subprocess.DEVNULL)
    return [np.load(os.path.join(folder, f"out{i}.npy")) for i in range(2)]


def main():
    tool, folder, options = sys.argv[1], sys.argv[2], sys.argv[3:]
    os.makedirs(folder, exist_ok=True)
    rng, passed, failed = np.random.default_rng(11), 0, 0
    for case, (m, k) in enumerate(SIZES * 3):
        element = ("f32", "f32", "f16", "bf16")[case % 4]
        qrange, shift = RANGES[case % len(RANGES)], 128 * (case // 2 % 2)
        x = draw(rng, (m, k), qrange[1])
        if element == "f16":
            with np.errstate(all="ignore"):
                x = (x / np.float32(2.0**60)).astype(np.float16).astype(np.float32)
        elif element == "bf16":
            x = to_bf16(x)
        rows = "?" if case % 3 == 0 else m
        got = run(tool, folder, program(rows, k, element, qrange, shift), x, options)
        expected = reference(x, qrange, shift)
        if all(np.array_equal(a.view(np.uint8), np.ascontiguousarray(b).view(np.uint8))
               for a, b in zip(expected, got)):
            passed += 1
            continue
        failed += 1
        wrong = (expected[0] != got[0]).sum(), (expected[1] != got[1]).sum()
        print(f"FAILED: {m}x{k} {element} {qrange} shift {shift}: {wrong[0]} integers, "
              f"{wrong[1]} scales differ")
    print(f"{passed} matrices equal, {failed} differ")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
