"""quant.quantize by reciprocals against division, on ties and at the ends of floats.

usage: quotients.py QUANT_RUN OUTPUT_FOLDER COUNT [OPTIONS]

COUNT matrices, whose rows have scales from 2^-149 to 2^127, among them those with
mantissas next to a power of two; elements are the scale's multiples of one half
and up to four floats beside them, random bits, NaN, infinities and zeros. Each is
quantized with constant and with run-time parameters, to every range, on x86
(OPTIONS name the CPU), and compared with NumPy's division.
"""

import os
import subprocess
import sys

import numpy as np

from quantsim import arith

ROWS, COLUMNS = 64, 509
FORMS = [("i8", (-128, 127), None), ("i8", (-127, 127), None), ("i8", (-128, 127), "i32"),
         ("i4", (-8, 7), None), ("i4", (-8, 7), "i32")]


def random_scales(rng, count):
    bits = rng.integers(1, 0x7F800000, count, dtype=np.int64)
    near = rng.integers(1, 255, count) << 23
    bits = np.where(np.arange(count) % 3 == 0, near + rng.integers(-2, 3, count), bits)
    scales = np.clip(bits, 1, 0x7F7FFFFF).astype(np.uint32).view(np.float32)
    scales[:4] = [2.0**-149, 2.0**-126, np.float32(0.1), np.finfo(np.float32).max]
    return scales


def random_elements(rng, scales, most):
    shape = (len(scales), COLUMNS)
    halves = rng.integers(-2 * most - 8, 2 * most + 9, shape) * np.float32(0.5)
    with np.errstate(all="ignore"):
        x = (halves.astype(np.float32) * scales[:, None]).astype(np.float32)
    beside = x.view(np.int32) + rng.integers(-4, 5, shape, dtype=np.int32)
    anything = rng.integers(0, 1 << 32, shape, dtype=np.uint64).astype(np.uint32)
    kind = rng.integers(0, 8, shape)
    x = np.where(kind == 0, anything.view(np.int32), beside).astype(np.int32).view(np.float32)
    x[:, :5] = [np.nan, np.inf, -np.inf, 0.0, -0.0]
    return np.ascontiguousarray(x)


def program(element, qrange, zero_point, rows):
    """Scales (and zero points) given at run time, one a row; or constants: `rows`."""
    out = f"tensor<{ROWS}x{COLUMNS}x{element}>"
    back = out.replace("xi4>", "xi8>")
    arguments, lines = f"%x: tensor<{ROWS}x{COLUMNS}xf32>", []
    axes, shape = "[0]", f"{ROWS}x"
    if rows is None:
        arguments += f", %s: tensor<{shape}f32>"
        arguments += f", %z: tensor<{shape}i32>" if zero_point else ""
    else:
        scale, z = rows
        axes, shape = "[]", ""
        bits = scale.view(np.uint32)
        lines.append(f"%s = arith.constant dense<0x{bits:08X}> : tensor<f32>")
        if zero_point:
            lines.append(f"%z = arith.constant dense<{z}> : tensor<i32>")
    zp = f" zero_point(%z : tensor<{shape}i32>)" if zero_point else ""
    lines.append(f"%q = quant.quantize %x scale(%s : tensor<{shape}f32>){zp} axes = {axes} "
                 f"range = [{qrange[0]}, {qrange[1]}] : tensor<{ROWS}x{COLUMNS}xf32> -> {out}")
    if back != out:
        lines.append(f"%e = tensor.empty() : {back}")
        lines.append('%w = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, '
                     'affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} '
                     f"ins(%q : {out}) outs(%e : {back}) {{\n^bb0(%a: i4, %o: i8):\n"
                     "%v = arith.extsi %a : i4 to i8\nlinalg.yield %v : i8\n} -> " + back)
    lines.append(f"return {'%w' if back != out else '%q'} : {back}")
    return f"func.func @main({arguments}) -> {back} {{\n" + "\n".join(lines) + "\n}\n"


def run(tool, folder, text, arrays, options):
    path = os.path.join(folder, "quotients.mlir")
    with open(path, "w") as f:
        f.write(text)
    names = []
    for i, array in enumerate(arrays):
        names.append(os.path.join(folder, f"in{i}.npy"))
        np.save(names[-1], array)
    subprocess.run([tool, path, "--inputs=" + ",".join(names), "--outputs=" + folder,
                    "--print=false", "--target=x86", *options], check=True,
                   stdout=subprocess.DEVNULL)
    return np.load(os.path.join(folder, "out0.npy"))


def report(what, x, scale, expected, got):
    wrong = np.argwhere(expected != got)
    for i, j in wrong[:3]:
        print(f"{what}: {x[i, j].hex()} / {scale[i].hex()}: expected {expected[i, j]}, "
              f"found {got[i, j]}")
    return len(wrong)


def main():
    tool, folder, count, options = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
    os.makedirs(folder, exist_ok=True)
    rng, elements, differing = np.random.default_rng(7), 0, 0
    for case in range(count):
        element, qrange, zero_point = FORMS[case % len(FORMS)]
        scales = random_scales(rng, ROWS)
        zps = rng.integers(qrange[0], qrange[1] + 1, ROWS).astype(np.int32)
        constant = case // len(FORMS) % 2 == 1
        if constant:
            row = case % ROWS
            scales, zps = np.full(ROWS, scales[row]), np.full(ROWS, zps[row])
        x = random_elements(rng, scales, qrange[1])
        with np.errstate(all="ignore"):
            expected = arith.quantize(x, scales, zps if zero_point else 0, (0,), qrange)
        text = program(element, qrange, zero_point, (scales[0], zps[0]) if constant else None)
        arrays = [x] if constant else [x, scales] + ([zps] if zero_point else [])
        got = run(tool, folder, text, arrays, options)
        differing += report(f"{element} {qrange}", x, scales, expected, got)
        elements += x.size
    print(f"{elements} quotients, {differing} differ")
    return differing != 0


if __name__ == "__main__":
    sys.exit(main())
