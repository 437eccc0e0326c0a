# RUN: %python %s %build
"""`quant.qcast` and `dcast` of every stored width, against NumPy.

Signed and unsigned, of the tensor, along an axis and by blocks, with zero
points and narrowed ranges, from f32 and f16; halves, infinities and NaN are
among the inputs. The stored integers are read with `scast` as well, transposed
on the way, so that they stand in memory.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np

BIN = pathlib.Path(sys.argv[1]) / "bin"
ROWS, COLUMNS, BLOCK = 6, 40, 8
WIDTHS = [*range(2, 18), 20, 24, 31, 32]


class Cast:
    """One type, with a scale and a zero point for each element."""

    def __init__(self, rng, bits, signed, kind, real):
        self.bits, self.signed, self.real = bits, signed, real
        self.low = -2**(bits - 1) if signed else 0
        self.high = 2**(bits - 1 if signed else bits) - 1
        narrow = rng.random() < 0.3 and bits > 2
        self.low += narrow
        storage = ("i" if signed else "u") + str(bits)
        if narrow:
            storage += f"<{self.low}:{self.high}>"
        shape = {"tensor": (1, 1), "axis": (1, COLUMNS),
                 "blocks": (ROWS, COLUMNS // BLOCK)}[kind]
        # So that the inputs, about 1, fill the narrow ranges and some of the
        # wide ones; the first scale makes halves of the inputs ties.
        self.scale = (rng.uniform(0.5, 1.5, shape) * 2.0**-rng.integers(
            0, min(bits, 12))).astype(np.float32)
        self.scale.flat[0] = 0.25
        if real == "f16":  # what the type of blocks holds
            self.scale = self.scale.astype(np.float16).astype(np.float32)
        self.zero = rng.integers(max(self.low, -2**31),
                                 min(self.high, 2**31 - 1), shape,
                                 endpoint=True)
        pairs = [f"{s!r}:{z}" for s, z in zip(self.scale.ravel().tolist(),
                                              self.zero.ravel().tolist())]
        if kind == "tensor":
            axes, numbers = "", pairs[0]
        elif kind == "axis":
            axes, numbers = ":1", "{" + ", ".join(pairs) + "}"
        else:
            axes = f":{{0:1, 1:{BLOCK}}}"
            each = COLUMNS // BLOCK
            numbers = "{" + ", ".join(
                "{" + ", ".join(pairs[i:i + each]) + "}"
                for i in range(0, len(pairs), each)) + "}"
            self.scale = np.repeat(self.scale, BLOCK, 1)
            self.zero = np.repeat(self.zero, BLOCK, 1)
        self.type = f"!quant.uniform<{storage}:{real}{axes}, {numbers}>"

    def quantize(self, x):
        with np.errstate(all="ignore"):
            q = np.rint(x.astype(np.float32) / self.scale).astype(np.float64)
            q = np.clip(q + self.zero, self.low, self.high)
        return np.where(np.isnan(q), self.zero, q).astype(np.int64)

    def dequantize(self, q):
        x = self.scale * (q - self.zero).astype(np.float32)
        with np.errstate(over="ignore"):
            return x.astype(np.float16 if self.real == "f16" else np.float32)

    def lines(self, i):
        shape = f"{ROWS}x{COLUMNS}"
        turned = f"{COLUMNS}x{ROWS}"
        stored, wide = f"i{self.bits}", "i64" if self.bits > 31 else "i32"
        extend = "extsi" if self.signed else "extui"
        x, floats = f"%{self.real}", f"tensor<{shape}x{self.real}>"
        return f"""
    %q{i} = quant.qcast {x} : {floats} to tensor<{shape}x{self.type}>
    %d{i} = quant.dcast %q{i} : tensor<{shape}x{self.type}> to {floats}
    %s{i} = quant.scast %q{i} : tensor<{shape}x{self.type}> to tensor<{shape}x{stored}>
    %te{i} = tensor.empty() : tensor<{turned}x{stored}>
    %t{i} = linalg.transpose ins(%s{i} : tensor<{shape}x{stored}>)
      outs(%te{i} : tensor<{turned}x{stored}>) permutation = [1, 0]
    %w{i} = arith.{extend} %t{i} : tensor<{turned}x{stored}> to tensor<{turned}x{wide}>
"""

    def results(self, i):
        wide = "i64" if self.bits > 31 else "i32"
        return [(f"%d{i}", f"tensor<{ROWS}x{COLUMNS}x{self.real}>"),
                (f"%w{i}", f"tensor<{COLUMNS}x{ROWS}x{wide}>")]


def program(casts):
    results = [r for i, c in enumerate(casts) for r in c.results(i)]
    types = ", ".join(t for _, t in results)
    return (f"func.func @main(%f32: tensor<{ROWS}x{COLUMNS}xf32>, "
            f"%f16: tensor<{ROWS}x{COLUMNS}xf16>) -> ({types}) {{"
            + "".join(c.lines(i) for i, c in enumerate(casts))
            + f"    return {', '.join(n for n, _ in results)} : {types}\n}}\n")


def check(casts, inputs, target):
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "model.mlir").write_text(program(casts))
        for name, array in inputs.items():
            np.save(f"{folder}/{name}.npy", array)
        done = subprocess.run(
            [BIN / "quant-run", f"{folder}/model.mlir", f"--target={target}",
             "-O0", f"--inputs={folder}/f32.npy,{folder}/f16.npy", "--print=false",
             f"--outputs={folder}"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        for i, cast in enumerate(casts):
            q = cast.quantize(inputs[cast.real])
            floats = np.load(f"{folder}/out{2 * i}.npy")
            stored = np.load(f"{folder}/out{2 * i + 1}.npy").T
            assert np.array_equal(stored, q), \
                f"{target}: {cast.type}: {(stored != q).sum()} integers"
            want = cast.dequantize(q)
            assert np.array_equal(floats, want), \
                f"{target}: {cast.type}: {(floats != want).sum()} floats, " \
                f"{floats[floats != want][:4]} for {want[floats != want][:4]}"


rng = np.random.default_rng(4)
x = rng.standard_normal((ROWS, COLUMNS)) * 2.0**rng.integers(
    -3, 5, (ROWS, COLUMNS))
x[0, :16] = np.arange(-8, 8) / 8
x[1, :5] = [np.inf, -np.inf, np.nan, 6e4, -6e4]
# Beyond every range, of 32 bits too.
x[2, :2] = [3e4, -3e4]
arrays = {"f16": x.astype(np.float16)}
x[2, :2] = [1e12, -1e12]
arrays["f32"] = x.astype(np.float32)
# Compiling takes longer than anything else: each width has two of the kinds.
kinds = ("tensor", "axis", "blocks")
chosen = [Cast(rng, bits, signed, kinds[(i + signed) % 3],
               rng.choice(["f32", "f16"]))
          for i, bits in enumerate(WIDTHS) for signed in (True, False)]
for target in ("generic", "x86"):
    check(chosen, arrays, target)
