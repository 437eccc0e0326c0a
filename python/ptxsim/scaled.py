"""A quant.packed_scaled_matmul for a GPU: its text, its operands, its result, and
a run of its kernel here."""

import numpy as np

from quantsim import arith

from . import Machine, parse
from .gemm import compile_kernels, get_grid, pack_rows

RESULTS = {"f32": np.float32, "f16": np.float16}


class ScaledSpec:
    """Weights of `bits` bits, a scale for each `group` of them along K."""

    def __init__(self, m, n, k, bits=4, group=32, result="f32", row_scale="rows",
                 bias=False):
        self.m, self.n, self.k, self.bits, self.group = m, n, k, bits, group
        self.result, self.row_scale, self.bias = result, row_scale, bias
        self.panels, self.groups = -(-n // 8), -(-k // group)
        self.step = 32 // bits

    @property
    def steps(self):
        return -(-self.group // self.step)

    def mlir(self):
        types = {"a": f"memref<{self.m}x{-(-self.k // 64)}x1x64xi8>",
                 "w": f"memref<{self.panels}x{self.groups}x{self.steps}x8x4xi8>",
                 "s": f"memref<{self.panels}x{self.groups}x8xf32>"}
        clauses = [f"rhs_scale(%s : {types['s']})"]
        if self.row_scale:
            types["rs"] = ("memref<f32>" if self.row_scale == "one"
                           else f"memref<{self.m}xf32>")
            clauses.append(f"row_scale(%rs : {types['rs']})")
        if self.bias:
            types["bi"] = f"memref<{self.panels}x8xf32>"
            clauses.append(f"bias(%bi : {types['bi']})")
        out = f"memref<{self.m}x{self.n}x{self.result}>"
        arguments = ", ".join(f"%{k}: {t}" for k, t in types.items())
        return f"""
func.func @f({arguments}, %y: {out}) {{
  quant.packed_scaled_matmul <dp4a> {self.bits}
    ins(%a, %w : {types['a']}, {types['w']}) {' '.join(clauses)} outs(%y : {out})
  return
}}"""

    def draw_weight(self, rng, extreme=False):
        """[N, K] integers and [N, K/G] scales; `extreme`: columns of the least
        and of the greatest numbers."""
        low = 1 << (self.bits - 1)
        if extreme:
            w = np.where(np.arange(self.n) % 2, low - 1, -low).astype(np.int8)
            return (np.tile(w[:, None], (1, self.k)),
                    rng.uniform(.01, 1, (self.n, self.groups)).astype(np.float32))
        return (rng.integers(-low, low, (self.n, self.k)).astype(np.int8),
                rng.uniform(.01, 1, (self.n, self.groups)).astype(np.float32))

    def pack_weight(self, w):
        """[N, K] to [N/8][K/G][steps][8][4] bytes; of 4 bits, element p of a step
        in the low nibble of byte p, element p + 4 in the high one."""
        padded = np.zeros((self.panels * 8, self.groups, self.steps * self.step), np.int8)
        for g in range(self.groups):
            part = w[:, g * self.group:(g + 1) * self.group]
            padded[:self.n, g, :part.shape[1]] = part
        parts = padded.reshape(self.panels, 8, self.groups, self.steps, self.step // 4, 4)
        parts = parts.transpose(0, 2, 3, 1, 4, 5).view(np.uint8)
        if self.bits == 4:
            return np.ascontiguousarray((parts[..., 0, :] & 15) | parts[..., 1, :] << 4)
        return np.ascontiguousarray(parts[..., 0, :])

    def pack_columns(self, x):
        """[N, ...] to [N/8][...][8], zeros past N."""
        x = np.pad(x, [(0, self.panels * 8 - self.n)] + [(0, 0)] * (x.ndim - 1))
        x = x.reshape(self.panels, 8, *x.shape[1:])
        return np.ascontiguousarray(np.moveaxis(x, 1, -1))

    def multiply(self, a, w, scales, row_scale=None, bias=None):
        """What the op's formula gives, to the bit."""
        t = np.zeros((a.shape[0], self.n), np.float32)
        for g in range(self.groups):
            part = slice(g * self.group, (g + 1) * self.group)
            acc = a[:, part].astype(np.float64) @ w[:, part].astype(np.float64).T
            t = arith.fma32(acc.astype(np.float32), scales[None, :, g], t)
        if row_scale is not None:
            t = t * np.reshape(row_scale, (-1, 1))
        if bias is not None:
            t = t + bias
        return t.astype(RESULTS[self.result])


def run_scaled(opt, spec, chip, rng, rows=None, extreme=False):
    """{kernel: (expected, found, machine)} of `spec` on random operands; where
    spec.m is not known, for `rows` rows and each of the kernels that the program
    chooses from. `extreme`: sums as large as they can be."""
    rows = rows or spec.m
    ptx, launches = compile_kernels(opt, spec.mlir(), chip)
    kernels = parse(ptx)
    a = rng.integers(-128, 128, (rows, spec.k)).astype(np.int8)
    if extreme:
        a[0::2], a[1::2] = -128, 127
    w, scales = spec.draw_weight(rng, extreme)
    row_scale = bias = None
    if spec.row_scale:
        row_scale = rng.uniform(.01, 1, 1 if spec.row_scale == "one" else rows)
        row_scale = row_scale.astype(np.float32)
    if spec.bias:
        bias = rng.normal(size=spec.n).astype(np.float32)
    expected = spec.multiply(a, w, scales, row_scale, bias)
    results = {}
    for name, launch in launches.items():
        machine = Machine()
        result = machine.allocate(expected.nbytes)
        arguments = [
            rows, machine.upload(pack_rows(a, 64)), machine.upload(spec.pack_weight(w)),
            result, machine.upload(spec.pack_columns(scales)),
            0 if row_scale is None else machine.upload(row_scale),
            0 if bias is None else machine.upload(spec.pack_columns(bias))]
        machine.launch(kernels[name], get_grid(launch, rows, spec.n), launch[2], launch[3],
                       arguments)
        found = machine.download(result, expected.shape, expected.dtype)
        results[name] = expected, found, machine
    return results
