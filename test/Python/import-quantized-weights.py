# RUN: %python %s %src %cases %t generic
# RUN: %python %s %src %cases %t x86
# REQUIRES: cases
"""Weights that ONNX Runtime and llama.cpp quantized, imported and multiplied.

The open cases hold their integers and results; here they are put into the
formats' own bytes (MatMulNBits' packed initializers, GGUF blocks and a GGUF
file), imported by the tool and run: the float result within rounding of the
other tool's, with int8 activations equal to NumPy to the bit.
"""

import os
import struct
import subprocess
import sys

import numpy as np
from quantmlir import blocks
from quantmlir.checkpoint import ggml
from quantsim import arith

F32 = np.float32


def pack_low_first(q):
    return (q[..., 0::2] | q[..., 1::2] << 4).astype(np.uint8)


def pack_halves(q):
    """GGML: element j low, j + 16 high, for blocks of 32."""
    b = q.reshape(q.shape[:-1] + (-1, 32))
    return (b[..., :16] | b[..., 16:] << 4).astype(np.uint8)


def half(v):
    return np.asarray(v, np.float16)[..., None].view(np.uint8)


def write_gguf(path, name, kind, n, k, data):
    """One tensor, version 3, with a key of each sort before it."""
    text = lambda s: struct.pack("<Q", len(s)) + s.encode()
    out = b"GGUF" + struct.pack("<IQQ", 3, 1, 3)
    out += text("general.architecture") + struct.pack("<I", 8) + text("llama")
    out += text("general.alignment") + struct.pack("<II", 4, 64)
    out += text("list") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("bc")
    out += text(name) + struct.pack("<IQQIQ", 2, k, n,
                                    ggml.BY_NAME[kind.upper()].number, 0)
    out += b"\0" * (-len(out) % 64)
    with open(path, "wb") as f:
        f.write(out + data)


class Runner:
    def __init__(self, src, folder, target):
        self.tool = os.path.join(src, "utils", "import-quantized-weights.py")
        self.folder, self.target, self.failures = folder, target, 0
        os.makedirs(folder, exist_ok=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, x, *arguments):
        model, source = self.path("model.mlir"), self.path("x.npy")
        subprocess.run([sys.executable, self.tool, *arguments, "-o", model],
                       check=True)
        np.save(source, x)
        subprocess.run(["quant-run", model, f"--inputs={source}",
                        f"--outputs={self.folder}", f"--target={self.target}", "-O0"],
                       check=True, stdout=subprocess.DEVNULL)
        return np.load(self.path("out0.npy"))

    def check(self, what, x, weight, expected, *arguments):
        """Both kinds of activations against `weight`, and the float result
        against the other tool's, where there is one."""
        exact = x.astype(np.float64) @ arith.dequantize_weight(weight).T
        bound = 2.0**-20 * (np.abs(x).astype(np.float64) @
                            np.abs(arith.dequantize_weight(weight)).T)
        y = self.run(x, *arguments)
        self.report(what + " float", np.all(np.abs(y - exact) <= bound))
        if expected is not None:
            error = np.abs(y - expected).max() / np.abs(expected).max()
            self.report(f"{what} other tool's result ({error:.1e})",
                        error < 1e-5)
        y = self.run(x, *arguments, "--activations=int8")
        scale = arith.choose_qparams(x, [0], (-128, 127), True)[0]
        q = arith.quantize(x, scale, 0, [0], (-128, 127))
        same = arith.scaled_matmul(q, weight.q, weight.scale, weight.group, 0,
                                   scale, weight.zero_point, weight.offset)
        self.report(what + " int8", np.array_equal(y, same))

    def report(self, what, ok):
        self.failures += not ok
        print(f"{'ok' if ok else 'MISMATCH'} {self.target} {what}")


def check_nbits(runner, cases):
    for name, block in (("128x48_g32", 32), ("256x40_g64", 64)):
        z = np.load(f"{cases}/open/onnx_conformance/ort_matmulnbits4_{name}.npz")
        q, zp, scale = z["q"], z["zp"], z["scale"]
        n, k = q.shape
        weight = blocks.Grouped(q.astype(np.int64), scale, block, 4, True,
                                zp.astype(np.int64))
        path = runner.path("w.npz")
        fields = dict(B=pack_low_first(q).reshape(n, k // block, block // 2),
                      scales=scale.ravel(), N=n, K=k, block_size=block)
        np.savez(path, **fields, zero_points=pack_low_first(zp))
        runner.check(f"MatMulNBits {name}", z["A"], weight, z["out0"],
                     "matmulnbits", path)
        # The default zero point, negative and zero scales.
        scale = scale.copy()
        scale[::3] *= -1
        scale[1, 1] = 0
        np.savez(path, **{**fields, "scales": scale.ravel()})
        weight = blocks.matmul_nbits(fields["B"], scale, n, k, block)
        plain = (q - 8.0) * np.repeat(scale, block, axis=1)
        runner.report("negative scales", np.array_equal(arith.dequantize_weight(weight),
                                                        plain))
        runner.check(f"MatMulNBits {name} signs", z["A"], weight, None,
                     "matmulnbits", path)


def check_two_bits(runner):
    """bits=2 by the operator's definition, scale * (q - zero point): four
    elements in a byte, the first in the lowest bits; zero points packed alike,
    or 2."""
    random = np.random.default_rng(6)
    n, k, block = 8, 80, 32
    count = -(-k // block)
    q = random.integers(0, 4, (n, count * block))
    zp = random.integers(0, 4, (n, -(-count // 4) * 4))
    scale = random.standard_normal((n, count)).astype(F32)
    scale[2, 1] = 0
    pack = lambda a: (a.reshape(n, -1, 4) << np.arange(0, 8, 2)).sum(-1).astype(np.uint8)
    x = random.standard_normal((3, k)).astype(F32)
    for zeros in (None, zp[:, :count]):
        fields = dict(B=pack(q).reshape(n, count, -1), scales=scale.ravel(), N=n,
                      K=k, block_size=block, bits=2)
        if zeros is not None:
            fields["zero_points"] = pack(zp)
        path = runner.path("w.npz")
        np.savez(path, **fields)
        each = lambda values: np.repeat(values, block, axis=1)[:, :k]
        plain = each(scale) * (q[:, :k] - each(
            np.full((n, count), 2) if zeros is None else zeros)).astype(np.float64)
        weight = blocks.matmul_nbits(fields["B"], scale, n, k, block, 2,
                                     fields.get("zero_points"))
        runner.report("2 bits: decoded", np.array_equal(
            arith.dequantize_weight(weight), plain) and weight.bits == 2)
        runner.check("MatMulNBits of 2 bits", x, weight, None, "matmulnbits", path)


def check_order():
    """A group for each column, and a bias, by the op's definition."""
    random = np.random.default_rng(5)
    n, k, block = 8, 80, 16
    groups = k // block
    q = random.integers(0, 16, (n, k))
    zp = random.integers(0, 16, (n, groups))
    scale = random.uniform(.01, .1, (n, groups)).astype(F32)
    scale[2] *= -1
    bias = random.standard_normal(n).astype(F32)
    x = random.standard_normal((5, k)).astype(F32)
    fields = dict(B=pack_low_first(q).reshape(n, groups, block // 2),
                  scales=scale.ravel(), N=n, K=k, block_size=block, bias=bias)
    packed = pack_low_first(np.pad(zp, ((0, 0), (0, 1))))
    # A permutation, and groups of any size, one of them empty.
    for name, g_idx in (("order", random.permutation(k) // block),
                        ("index", random.integers(0, groups - 1, k))):
        yield (name, x, {**fields, "g_idx": g_idx.astype(np.int32)},
               scale[:, g_idx] * (q - 8.0), bias)
        yield (name + ", zero points", x,
               {**fields, "g_idx": g_idx.astype(np.int32),
                "zero_points": packed},
               scale[:, g_idx] * (q - zp[:, g_idx]).astype(np.float64), bias,
               "--use-zero-points")


def check_orders(runner):
    for name, x, fields, w, bias, *flags in check_order():
        path = runner.path("w.npz")
        np.savez(path, **fields)
        weight = blocks.matmul_nbits(
            *(fields[key] for key in ("B", "scales", "N", "K", "block_size")),
            zero_points=fields.get("zero_points"), g_idx=fields["g_idx"],
            as_runtime=not flags)
        runner.report(f"{name}: decoded",
                      np.allclose(arith.dequantize_weight(weight), w, rtol=1e-7, atol=0))
        for rows in ("?", str(len(x))):
            arguments = ["matmulnbits", path, f"--rows={rows}", *flags]
            y = runner.run(x, *arguments)
            bound = 2.0**-20 * (np.abs(x).astype(np.float64) @ np.abs(w).T + 1)
            runner.report(f"{name} float, {rows} rows",
                          np.all(np.abs(y - (x @ w.T + bias)) <= bound))
            y = runner.run(x, *arguments, "--activations=int8")
            s = arith.choose_qparams(x, [0], (-128, 127), True)[0]
            q = arith.quantize(x, s, 0, [0], (-128, 127)).astype(np.float64)
            exact = (q @ w.T) * s[:, None] + bias
            bound = 2.0**-20 * ((np.abs(q) @ np.abs(w).T) * s[:, None] + 1)
            runner.report(f"{name} int8, {rows} rows",
                          np.all(np.abs(y - exact) <= bound))


def check_ggml(runner, cases):
    z = np.load(f"{cases}/open/models/smollm2_q4_1_blk4_ffn_up.npz")
    d, m, x = z["d"], z["m"], z["x"]
    n, groups = d.shape
    k = groups * 32
    q = blocks.unpack_bits(z["q_packed_lo_even"], 4)
    data = np.concatenate([half(d), half(m), pack_halves(q)], -1)
    weight = blocks.Grouped(q, d.astype(F32), 32, 4, True, None, m.astype(F32))
    path = runner.path("model.gguf")
    write_gguf(path, "blk.4.ffn_up.weight", "q4_1", n, k, data.tobytes())
    runner.check("Q4_1 in GGUF", x, weight, z["y"], "gguf", path, "--tensor",
                 "blk.4.ffn_up.weight")
    rng = np.random.default_rng(0)
    d = rng.standard_normal((40, 3)).astype(np.float16)
    d[2, 1] = 0
    x = rng.standard_normal((5, 96)).astype(F32)
    scale = np.repeat(d.astype(np.float64), 32, axis=1)
    q = rng.integers(0, 16, (40, 96))
    eight = rng.integers(-127, 128, (40, 96))
    for kind, values, raw in (
            ("q4_0", scale * (q - 8), pack_halves(q)),
            ("q8_0", scale * eight,
             eight.astype(np.int8).view(np.uint8).reshape(40, 3, 32))):
        data = np.concatenate([half(d), raw], -1).tobytes()
        weight = ggml.bare(data, ggml.BY_NAME[kind.upper()], 40, 96)
        runner.report(kind, np.array_equal(arith.dequantize_weight(weight), values))
        with open(runner.path("blocks"), "wb") as f:
            f.write(data)
        runner.check(kind, x, weight, None, kind, runner.path("blocks"),
                     "--shape", "40,96", "--rows", "5")


def check_errors(runner):
    """What cannot be imported is named."""
    path = runner.path("short")
    bad = np.full((2, 18), 0, np.uint8)
    bad[1, :2] = half(np.float16(np.inf))
    for data, arguments, message in (
            (b"", ["q4_0", path, "--shape", "2,32"],
             "Q4_0 [2, 32] takes 36 bytes, found 0"),
            (b"", ["q4_0", path, "--shape", "2,33"],
             "Q4_0 rows hold whole blocks of 32, but K is 33"),
            (bad.tobytes(), ["q4_0", path, "--shape", "2,32"],
             "the scale of row 1, block 0 is inf"),
            (b"abcd", ["gguf", path, "--tensor", "t"],
             f"{path}: is not a GGUF file")):
        with open(path, "wb") as f:
            f.write(data)
        result = subprocess.run(
            [sys.executable, runner.tool, *arguments, "-o", path + ".mlir"],
            capture_output=True, text=True)
        runner.report("error: " + message, result.returncode == 1 and
                      f"import-quantized-weights: {message}" in result.stderr)


def main(src, cases, folder, target):
    runner = Runner(src, folder, target)
    check_nbits(runner, cases)
    check_two_bits(runner)
    check_orders(runner)
    check_ggml(runner, cases)
    check_errors(runner)
    return 1 if runner.failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
