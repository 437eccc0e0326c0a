"""A qtarget.packed_matmul with groups for a GPU: its text, its operands, its result, and
a run of its kernel here."""

import numpy as np

from quantsim import arith

from . import Machine, parse
from .gemm import compile_kernels, get_grid, pack_rows

RESULTS = {"f32": np.float32, "f16": np.float16}


class ScaledSpec:
    """Weights of `bits` bits, a scale for each `group` of them along K; with
    `group_zero_point`, a zero point too. Activations have `row_zero_point`
    "one", one for each of the "rows", or none."""

    def __init__(self, m, n, k, bits=4, group=32, result="f32", row_scale="rows",
                 bias=False, group_zero_point=False, row_zero_point=None):
        self.m, self.n, self.k, self.bits, self.group = m, n, k, bits, group
        self.result, self.row_scale, self.bias = result, row_scale, bias
        self.group_zero_point = group_zero_point
        self.row_zero_point = row_zero_point
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

        def clause(name, key, kind):
            types[key] = kind
            clauses.append(f"{name}(%{key} : {kind})")

        def of_rows(count, element):
            return f"memref<{element}>" if count == "one" else f"memref<{self.m}x{element}>"

        of_groups = types["s"].replace("f32", "i32")
        if self.group_zero_point:
            clause("rhs_zero_point", "gz", of_groups)
        if self.row_zero_point:
            clause("lhs_zero_point", "rz", of_rows(self.row_zero_point, "i32"))
            clause("rhs_sums", "gs", of_groups)
        if self.row_scale:
            clause("row_scale", "rs", of_rows(self.row_scale, "f32"))
        if self.bias:
            clause("bias", "bi", f"memref<{self.panels}x8xf32>")
        out = f"memref<{self.m}x{self.n}x{self.result}>"
        arguments = ", ".join(f"%{k}: {t}" for k, t in types.items())
        layout = (f"layout<lhs = s8 1x64, rhs = s{self.bits} 8x{self.step}, "
                  f"group = {self.steps * self.step}>")
        return f"""
func.func @f({arguments}, %y: {out}) {{
  qtarget.packed_matmul #qtarget.nvvm<grouped_s8> {layout}
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

    def draw_zero_points(self, rng, rows, extreme=False):
        """Of the groups [N, K/G] and of `rows` rows; None where there are
        none. `extreme`: as far from draw_weight's numbers as they can be."""
        low, groups, of_rows = 1 << (self.bits - 1), None, None
        if self.group_zero_point:
            shape = self.n, self.groups
            groups = rng.integers(-low, low, shape).astype(np.int32)
            if extreme:
                groups[0::2], groups[1::2] = low - 1, -low
        if self.row_zero_point:
            count = () if self.row_zero_point == "one" else rows
            of_rows = np.asarray(rng.integers(-128, 128, count), np.int32)
            if extreme:
                of_rows[0::2], of_rows[1::2] = 127, -128
        return groups, of_rows

    def sum_groups(self, w, zero_points=None):
        """Sums of the weight less its zero points, [N, K/G]."""
        starts = range(0, self.k, self.group)
        sums = np.add.reduceat(w, starts, axis=1, dtype=np.int32)
        if zero_points is None:
            return sums
        lengths = [min(self.group, self.k - start) for start in starts]
        return sums - zero_points * np.asarray(lengths, np.int32)

    def multiply(self, a, w, scales, row_scale=None, bias=None, group_zeros=None,
                 row_zeros=0):
        """What the op's formula gives, to the bit."""
        t = arith.scaled_matmul(a, w, scales, self.group, row_zeros, row_scale,
                                group_zeros, bias=bias)
        return t.astype(RESULTS[self.result])


# A kernel's operands after the activations, in the order of its arguments.
OPERANDS = ("w", "y", "s", "rs", "bi", "gz", "rz", "gs")


def order_arguments(lhs, addresses):
    """Addresses ({name as in ScaledSpec.mlir: address}) as a kernel takes them,
    after M; 0 for what it does not have."""
    return [lhs, *(addresses.get(name, 0) for name in OPERANDS)]


def run_scaled(opt, spec, chip, rng, rows=None, extreme=False):
    """{kernel: (expected, found, machine)} of `spec` on random operands; where
    spec.m is not known, for `rows` rows and each of the kernels that the program
    chooses from. `extreme`: sums as large as they can be."""
    ptx, launches = compile_kernels(opt, spec.mlir(), chip)
    return run_compiled(spec, parse(ptx), launches, rng, rows, extreme)


def run_compiled(spec, kernels, launches, rng, rows=None, extreme=False):
    rows = rows or spec.m
    a = rng.integers(-128, 128, (rows, spec.k)).astype(np.int8)
    if extreme:
        a[0::2], a[1::2] = -128, 127
    w, scales = spec.draw_weight(rng, extreme)
    group_zeros, row_zeros = spec.draw_zero_points(rng, rows, extreme)
    row_scale = bias = None
    if spec.row_scale:
        shape = () if spec.row_scale == "one" else rows
        row_scale = np.asarray(rng.uniform(.01, 1, shape), np.float32)
    if spec.bias:
        bias = rng.normal(size=spec.n).astype(np.float32)
    expected = spec.multiply(a, w, scales, row_scale, bias, group_zeros,
                             0 if row_zeros is None else row_zeros)
    operands = {"w": spec.pack_weight(w), "s": spec.pack_columns(scales)}
    if row_scale is not None:
        operands["rs"] = row_scale
    if bias is not None:
        operands["bi"] = spec.pack_columns(bias)
    if group_zeros is not None:
        operands["gz"] = spec.pack_columns(group_zeros)
    if row_zeros is not None:
        operands["rz"] = row_zeros
        operands["gs"] = spec.pack_columns(spec.sum_groups(w, group_zeros))
    results = {}
    for name, launch in launches.items():
        machine = Machine()
        result = machine.allocate(expected.nbytes)
        addresses = {key: machine.upload(value) for key, value in operands.items()}
        arguments = order_arguments(machine.upload(pack_rows(a, 64)),
                                    {**addresses, "y": result})
        machine.launch(kernels[name], get_grid(launch, rows, spec.n), launch[2], launch[3],
                       [rows, *arguments])
        found = machine.download(result, expected.shape, expected.dtype)
        results[name] = expected, found, machine
    return results
