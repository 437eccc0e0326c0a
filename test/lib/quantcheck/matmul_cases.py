"""Random programs of one integer matmul and what NumPy makes of them: operands
of both signednesses and widths, constant and run-time weights, every kind of
zero point, init and rescale, float and fixed-point, shapes at the edges of
tiles."""

import subprocess
import sys

import numpy as np
from quantsim import arith

SHAPES = [(1, 1, 1), (1, 129, 65), (3, 7, 15), (7, 65, 3), (8, 48, 64),
          (15, 63, 17), (17, 17, 129), (16, 96, 7), (63, 15, 65), (65, 129, 63),
          (129, 3, 16), (9, 130, 12), (2, 500, 33), (4, 64, 256), (24, 56, 40)]
TYPES = {np.dtype(np.int8): "i8", np.dtype(np.int16): "i16",
         np.dtype(np.int32): "i32", np.dtype(np.float32): "f32"}
# Where the arithmetic of TOSA's RESCALE changes, and its ends.
EDGE_SHIFTS = [2, 3, 30, 31, 32, 33, 61, 62]


def run(*command, **kwargs):
    result = subprocess.run(command, capture_output=True, **kwargs)
    if result.returncode:
        sys.exit(f"{' '.join(command)}\n{result.stderr.decode()[:4000]}")
    return result.stdout


def tensor_type(array, dynamic=False, element=None):
    dims = ["?" if dynamic else str(d) for d in array.shape]
    return f"tensor<{'x'.join(dims + [element or TYPES[array.dtype]])}>"


class Case:
    """One function: its text, its arguments, what it must return."""

    def __init__(self, index, shape, rng):
        self.name = f"case{index}"
        self.rng = rng
        self.args, self.lines, self.what = [], [], []
        self.m, self.n, self.k = shape
        self.batch = ()
        pick = lambda *options: options[rng.integers(len(options))]
        kind = pick("plain", "plain", "plain", "shared", "batched")
        if kind != "plain":
            self.batch = pick((2,), (2, 3), (1,))
        self.batched_rhs = kind == "batched"
        self.dynamic = pick(False, False, True) and kind == "plain"
        self.transposed = pick(True, False)
        self.lhs_unsigned = pick(True, False)
        self.rhs_unsigned = pick(True, False, False)
        self.rhs_bits = pick(8, 8, 4)
        self.rhs_constant = pick(True, False) or self.rhs_bits == 4
        self.lhs_zp = pick("none", "constant", "scalar", "rows")
        self.rhs_zp = pick("none", "none", "constant", "scalar", "columns")
        self.with_init = pick(False, False, False, True)
        self.result = pick("i32", "f32", "f32", "i8", "u8", "fixed", "fixed", "fixed")
        self.build()

    def describe(self):
        return (f"{self.batch}{self.m}x{self.n}x{self.k} dynamic={self.dynamic} "
                f"transposed={self.transposed} batched_rhs={self.batched_rhs} "
                f"lhs_unsigned={self.lhs_unsigned} rhs={self.rhs_bits}"
                f"{'u' if self.rhs_unsigned else 's'} constant={self.rhs_constant} "
                f"zp={self.lhs_zp}/{self.rhs_zp} init={self.with_init} "
                f"result={self.result} {self.what}")

    def argument(self, array, dynamic=False):
        array = np.array(array, order="C")
        name = f"%a{len(self.args)}"
        kind = tensor_type(array, dynamic)
        self.args.append((name, kind, array))
        return name, kind

    def constant(self, array, element=None):
        name = f"%c{len(self.lines)}"
        kind = tensor_type(array, element=element)
        flat = "".join(f"{v & 255:02X}" for v in array.ravel().tolist()) \
            if array.dtype == np.int8 and element is None else None
        if flat and array.size > 1:
            value = f'"0x{flat}"'
        else:
            value = str(array.tolist())
        self.lines.append(f"{name} = arith.constant dense<{value}> : {kind}")
        return name, kind

    def column(self, make, array):
        """A parameter for each column, or for all. Beside columns whose number
        is not known, a size of 1 could be either, and is refused."""
        name, kind = make(array)
        if not self.dynamic or array.shape != (1,):
            return name, kind
        self.lines.append(f"{name}_cast = tensor.cast {name} : {kind} to "
                          f"{kind.replace('<1x', '<?x')}")
        return f"{name}_cast", kind.replace("<1x", "<?x")

    def stored(self, shape, is_unsigned, bits=8):
        low, high = (0, 1 << bits) if is_unsigned else (-(1 << bits - 1), 1 << bits - 1)
        return self.rng.integers(low, high, shape).astype(np.int64)

    def zero_point(self, how, values, reading):
        if how == "none":
            return None, np.zeros((), np.int64)
        if how in ("constant", "scalar"):
            values = values.ravel()[:1].reshape(())
        array = values.astype(np.int32)
        make = self.constant if how == "constant" else self.argument
        return make(array, **({"dynamic": self.dynamic} if how == "rows" else {})), values

    def build(self):
        rng, m, n, k = self.rng, self.m, self.n, self.k
        x = self.stored(self.batch + (m, k), self.lhs_unsigned)
        lead = self.batch if self.batched_rhs else ()
        w = self.stored(lead + (k, n), self.rhs_unsigned, self.rhs_bits)
        lhs = self.argument(x.astype(np.uint8).view(np.int8) if self.lhs_unsigned
                            else x.astype(np.int8), self.dynamic)
        layout = np.swapaxes(w, -1, -2) if self.transposed else w
        bits = np.ascontiguousarray(layout.astype(np.uint8).view(np.int8)
                                    if self.rhs_unsigned else layout.astype(np.int8))
        if self.rhs_bits == 4:
            signed = np.where(bits > 7, bits - 16, bits).astype(np.int8)
            rhs = self.constant(signed, "i4")
        else:
            rhs = (self.constant if self.rhs_constant else self.argument)(bits)
        zx_op, zx = self.zero_point(
            self.lhs_zp, self.stored(self.batch + (m,), self.lhs_unsigned), "lhs")
        zw_op, zw = self.zero_point(
            self.rhs_zp, self.stored(lead + (n,), self.rhs_unsigned, self.rhs_bits), "rhs")
        shape = self.batch + (m, n)
        acc_type = tensor_type(np.empty(shape, np.int32), self.dynamic)
        acc = (x - zx[..., None] if zx.ndim else x - zx) @ (
            w - zw[..., None, :] if zw.ndim else w - zw)
        init = self.make_init(shape, acc_type, lhs)
        if self.with_init:
            acc = acc + init[2]
        attrs = [a for a, on in (("transpose_rhs", self.transposed),
                                 ("lhs_unsigned", self.lhs_unsigned),
                                 ("rhs_unsigned", self.rhs_unsigned)) if on]
        zps = "".join(f" {side}_zero_point({op[0]} : {op[1]})"
                      for side, op in (("lhs", zx_op), ("rhs", zw_op)) if op)
        self.lines.append(
            f"%acc = quant.matmul ins({lhs[0]}, {rhs[0]} : {lhs[1]}, {rhs[1]}){zps} "
            f"outs({init[0]} : {acc_type}) {{{', '.join(attrs)}}} -> {acc_type}")
        acc = acc.astype(np.int32)
        if self.result == "i32":
            self.expected, self.returned = acc, ("%acc", acc_type)
        elif self.result == "fixed":
            self.rescale_fixed_point(acc, acc_type)
        else:
            self.rescale(acc, acc_type)

    def make_init(self, shape, acc_type, lhs):
        if self.with_init:
            values = self.rng.integers(-10**6, 10**6, shape).astype(np.int32)
            return (*self.argument(values, self.dynamic), values)
        sizes = ""
        if self.dynamic:
            self.lines += ["%i0 = arith.constant 0 : index",
                           f"%dm = tensor.dim {lhs[0]}, %i0 : {lhs[1]}",
                           f"%dn = arith.constant {self.n} : index"]
            sizes = "%dm, %dn"
        self.lines += ["%zero = arith.constant 0 : i32",
                       f"%empty = tensor.empty({sizes}) : {acc_type}",
                       f"%init = linalg.fill ins(%zero : i32) outs(%empty : "
                       f"{acc_type}) -> {acc_type}"]
        return "%init", acc_type, 0

    def rescale(self, acc, acc_type):
        rng, f32 = self.rng, np.float32
        spread = f32(max(1.0, np.abs(acc.astype(np.float64)).mean()))
        row_shape = [self.batch + (self.m,), ()][rng.integers(2)]
        rows = (rng.random(row_shape).astype(f32) + f32(0.5)) * f32(50) / spread
        rows = np.asarray(rows, f32)
        columns = np.asarray(
            rng.random([(self.n,), ()][rng.integers(2)]).astype(f32) + f32(0.5)) \
            if rng.integers(3) else None
        bias = None
        if rng.integers(2):
            bias = (rng.standard_normal(self.n).astype(f32) * f32(10) if rng.integers(2)
                    else rng.integers(-1000, 1000, self.n).astype(np.int32))
        operand = self.argument
        text = "row_scale({} : {})".format(*operand(rows, self.dynamic))
        if columns is not None:
            make = self.argument if rng.integers(2) else self.float_constant
            text += " channel_scale({} : {})".format(*self.column(make, columns))
        if bias is not None:
            make = self.argument if bias.dtype == np.int32 else self.float_constant
            text += " bias({} : {})".format(*self.column(make, bias))
        attrs = []
        # The documented order, every step rounded to float32.
        t = acc
        if bias is not None and bias.dtype == np.int32:
            t = (acc.astype(np.int64) + bias).astype(np.int32)
        scale = rows[..., None] if rows.ndim else rows
        if columns is not None:
            scale = (scale * columns).astype(f32)
        y = (t.astype(f32) * scale).astype(f32)
        if bias is not None and bias.dtype == f32:
            y = (y + bias).astype(f32)
        if self.result == "f32" and rng.integers(2):
            residual = rng.standard_normal(y.shape).astype(f32) * f32(40)
            text += " residual({} : {})".format(*self.argument(residual, self.dynamic))
            y = (y + residual).astype(f32)
        if rng.integers(2):
            attrs += ["clamp_min = 0.0 : f32", "clamp_max = 60.0 : f32"]
            y = np.minimum(np.maximum(y, f32(0)), f32(60))
        if self.result in ("i8", "u8"):
            low, high = (-128, 127) if self.result == "i8" else (0, 255)
            zero = int(rng.integers(low, high))
            attrs += [f"zero_point = {zero} : i32", f"range = array<i64: {low}, {high}>"]
            y = np.clip(np.rint(y) + f32(zero), low, high)
            y = y.astype(np.int64).astype(np.uint8).view(np.int8) if low == 0 \
                else y.astype(np.int8)
        if self.result == "u8":
            text += " unsigned"
        self.what = attrs
        kind = tensor_type(y, self.dynamic)
        self.lines.append(f"%y = quant.rescale %acc {text} "
                          f"{{{', '.join(attrs)}}} : {acc_type} -> {kind}")
        self.expected, self.returned = y, ("%y", kind)

    def rescale_fixed_point(self, acc, acc_type):
        rng = self.rng
        bits, is_unsigned = [(8, False), (8, True), (16, False), (16, True),
                             (32, False)][rng.integers(5)]
        low, high = (0, (1 << bits) - 1) if is_unsigned else \
            (-(1 << bits - 1), (1 << bits - 1) - 1)
        if rng.integers(2):  # a clamp, as an activation is
            low, high = low + (high >> 2), high - (high >> 3)
        zero, zero_in = int(rng.integers(low, high)), 0
        columns = [(self.n,), ()][rng.integers(2)]
        multiplier = rng.integers(1 << 30, 1 << 31, columns).astype(np.int32)
        # Half of the shifts bring the sums to the range of the result.
        spread = max(1.0, np.abs(acc.astype(np.float64)).mean())
        fitting = int(np.clip(30 + np.log2(spread) - bits + 3, 2, 62))
        shift = np.where(rng.integers(0, 2, columns) == 0, fitting,
                         rng.choice(EDGE_SHIFTS, columns)).astype(np.int8)
        double, bias = bool(rng.integers(2)), None
        make = [self.argument, self.constant][rng.integers(2)]
        text = "multiplier({} : {})".format(*self.column(make, multiplier))
        text += " shift({} : {})".format(*self.column(make, shift))
        text += f" rounding({'DOUBLE' if double else 'SINGLE'}_ROUND)"
        if rng.integers(2):
            bias = rng.integers(-10**6, 10**6, self.n).astype(np.int32)
            make = [self.argument, self.constant][rng.integers(2)]
            text += " bias({} : {})".format(*self.column(make, bias))
        if rng.integers(2):
            zero_in = int(rng.integers(-200, 200))
        text += " unsigned" if is_unsigned else ""
        y = arith.rescale_fixed_point(acc, multiplier, shift, double, zero_in, zero,
                                      bias, (low, high))
        unsigned = np.dtype(f"uint{bits}")
        y = (y & ((1 << bits) - 1)).astype(unsigned).view(f"int{bits}")
        self.what = [f"i{bits}", low, high, zero_in, zero, double, shift.tolist()]
        kind = tensor_type(y, self.dynamic)
        self.lines.append(
            f"%y = quant.rescale_fixed_point %acc {text} {{input_zero_point = {zero_in} "
            f": i32, output_zero_point = {zero} : i32, range = array<i64: {low}, "
            f"{high}>}} : {acc_type} -> {kind}")
        self.expected, self.returned = y, ("%y", kind)

    def float_constant(self, array):
        name, kind = f"%c{len(self.lines)}", tensor_type(array)
        data = array.astype("<f4").tobytes().hex().upper()
        value = f'"0x{data}"' if array.size > 1 else \
            f"0x{int(array.ravel().view(np.uint32)[0]):08X}"
        self.lines.append(f"{name} = arith.constant dense<{value}> : {kind}")
        return name, kind

    def text(self):
        args = ", ".join(f"{name}: {kind}" for name, kind, _ in self.args)
        body = "\n  ".join(self.lines)
        return (f"func.func @{self.name}({args}) -> {self.returned[1]} {{\n  {body}\n"
                f"  return {self.returned[0]} : {self.returned[1]}\n}}\n")
