# RUN: %python %s %build | FileCheck %s
"""Programs whose weights alone are quantized, in the ways in which exporters
write them: the result is that of the dequantized weight, within the bound of a
sum of floats, and no float weight is left in the program.

Scales per tensor, per channel, by groups that a reshape merges before the
matmul, and by blocks of upstream's sub-channel type; [N, K] and [K, N]; 8 and 4
bits; zero points and none; f32 activations, and per-tensor i8 ones.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from quantcheck import module
from quantcheck.draw import Draw
from quantcheck.program import Case, tensor, within

BIN = pathlib.Path(sys.argv[1]) / "bin"
M, N = 5, 40


def parameter(case, word, array):
    array = np.asarray(array, np.float32 if word == "scale" else np.int32)
    name, type_ = case.constant(array)
    return f" {word}({name} : {type_})"


class Weight:
    """Integers `[N, K / G, G]` (G = K: no groups), a scale for each group."""

    def __init__(self, draw, k, group, bits, zero_points, per_tensor):
        self.groups, self.group, self.bits = k // group, group, bits
        self.per_tensor = per_tensor
        self.q = draw.integers((N, self.groups, group), bits, False)
        shape = () if per_tensor else (N, self.groups)
        self.scale = draw.scales(shape)
        self.zero = draw.integers(shape, bits, False) if zero_points else None
        along = np.zeros(1) if self.zero is None else self.zero
        if not per_tensor:
            along, scale = np.broadcast_to(along, shape)[..., None], \
                self.scale[..., None]
        else:
            scale = self.scale
        self.real = ((self.q - along) * scale.astype(np.float64)).reshape(N, k)

    def emit(self, case, transposed, sub_channel):
        """The weight as a float value of the program, `[N, K]` or `[K, N]`."""
        element, k = f"i{self.bits}", self.groups * self.group
        q = self.q if transposed else np.moveaxis(self.q, 0, -1)
        if sub_channel:
            return self.emit_sub_channel(case, q, transposed)
        if self.groups == 1:
            q = q.reshape((N, k) if transposed else (k, N))
            axes = [] if self.per_tensor else [0 if transposed else 1]
            scale, zero = self.scale, self.zero
            if not self.per_tensor:
                scale = scale.reshape(N)
                zero = None if zero is None else zero.reshape(N)
        else:
            axes = [0, 1] if transposed else [0, 2]
            scale = self.scale if transposed else self.scale.T
            zero = self.zero if transposed or self.zero is None \
                else self.zero.T
        text = parameter(case, "scale", scale)
        if zero is not None:
            text += parameter(case, "zero_point", zero)
        stored = case.constant(q if self.bits == 4 else q.astype(np.int8),
                               element)
        type_ = tensor(q.shape, "f32")
        value = case.line(f"quant.dequantize {stored[0]}{text} axes = {axes} : "
                          f"{stored[1]} -> {type_}", type_)
        if self.groups == 1:
            return value
        merged = tensor((N, k) if transposed else (k, N), "f32")
        how = "[[0], [1, 2]]" if transposed else "[[0, 1], [2]]"
        return case.line(f"tensor.collapse_shape {value[0]} {how} : "
                         f"{value[1]} into {merged}", merged)

    def emit_sub_channel(self, case, q, transposed):
        k = self.groups * self.group
        q = q.reshape((N, k) if transposed else (k, N))
        scale = self.scale if transposed else self.scale.T
        zero = np.zeros(scale.shape, int) if self.zero is None else (
            self.zero if transposed else self.zero.T)
        rows = ("{" + ", ".join(f"{s!r}:{z}" for s, z in zip(*row)) + "}"
                for row in zip(scale.astype(float).tolist(), zero.tolist()))
        blocks = f"0:1, 1:{self.group}" if transposed else \
            f"0:{self.group}, 1:1"
        type_ = (f"!quant.uniform<i{self.bits}:f32:{{{blocks}}}, "
                 f"{{{', '.join(rows)}}}>")
        stored = case.constant(q if self.bits == 4 else q.astype(np.int8),
                               f"i{self.bits}")
        quantized = tensor(q.shape, type_)
        cast = case.line(f"quant.scast {stored[0]} : {stored[1]} to "
                         f"{quantized}", quantized)
        floats = tensor(q.shape, "f32")
        return case.line(f"quant.dcast {cast[0]} : {quantized} to {floats}",
                         floats)


def program(draw, k, group, bits, zero_points, transposed, kind,
            integer_lhs=False):
    case = Case(f"{kind} K={k} G={group} W{bits} z={zero_points} "
                f"t={transposed} i={integer_lhs}")
    weight = Weight(draw, k, group, bits, zero_points, kind == "tensor")
    if integer_lhs:
        q = draw.integers((M, k), 8, False)
        x = q * np.float64(np.float32(0.05))
        stored = case.argument(q.astype(np.int8))
        lhs = case.line(f"quant.dequantize {stored[0]}"
                        f"{parameter(case, 'scale', np.float32(0.05))} axes = "
                        f"[] : {stored[1]} -> {tensor((M, k), 'f32')}",
                        tensor((M, k), "f32"))
    else:
        x = draw.rng.standard_normal((M, k)).astype(np.float32)
        lhs = case.argument(x)
    rhs = weight.emit(case, transposed, kind == "sub-channel")
    type_ = tensor((M, N), "f32")
    init = case.constant(np.zeros((M, N), np.float32))
    maps = "" if not transposed else (
        "indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, "
        "k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] ")
    y = case.line(f"linalg.matmul {maps}ins({lhs[0]}, {rhs[0]} : {lhs[1]}, "
                  f"{rhs[1]}) outs({init[0]} : {type_}) -> {type_}", type_)
    bound = (k + 8) * 2.0**-24 * (np.abs(x) @ np.abs(weight.real).T + 1e-3)
    case.result(y, (M, N), within(x @ weight.real.T, bound))
    return case


def programs():
    number = 0
    for k, group, kind in ((64, 64, "tensor"), (70, 70, "channel"),
                           (96, 32, "group"), (60, 12, "group"),
                           (64, 16, "sub-channel")):
        for bits in (8, 4):
            for zero_points in (False, True):
                for transposed in (True, False):
                    number += 1
                    yield program(Draw(number, 3), k, group, bits, zero_points,
                                  transposed, kind)
    for transposed in (True, False):
        for zero_points in (False, True):
            yield program(Draw(number, transposed, zero_points), 96, 32, 4,
                          zero_points, transposed, "group", integer_lhs=True)


def what_is_left(cases):
    """Float matmuls and dequantized weights after the quant stage, and plain
    constants of 4 bits."""
    with tempfile.TemporaryDirectory() as folder:
        module.write(cases, folder)
        done = subprocess.run(
            [BIN / "quant-opt", f"{folder}/model.mlir",
             "--quant-to-generic=stop-after=quant"], capture_output=True,
            text=True)
    assert done.returncode == 0, done.stderr[:2000]
    return sum(("linalg.matmul" in line or "linalg.generic" in line
                or "quant.dequantize" in line
                or "arith.constant dense" in line and "xi4>" in line)
               for line in done.stdout.splitlines())


every = list(programs())
# CHECK: 0 floats left
print(what_is_left(every), "floats left")
for target in ("generic", "x86"):
    wrong = module.check(every, [f"--target={target}", module.QUICK], BIN / "quant-run")
    for i, text in wrong.items():
        print(f"WRONG {target} {every[i].name}: {text}")
    # CHECK-NOT: WRONG
    # CHECK-COUNT-2: 44 programs, 0 wrong
    print(f"{len(every)} programs, {len(wrong)} wrong")
