"""Random programs of the quant ops, with NumPy's answer.

Integer results are exact, and so are float ones where the op's documentation
gives their steps an order; sums of floats (a weight-only product) have a bound.
"""

import numpy as np
from quantsim import arith

from quantcheck.draw import F32
from quantcheck.elements import exact, stored, stored_result
from quantcheck.program import (Case, equal, round_to, tensor, to_float,
                                within)


def stored_name(bits, unsigned):
    return f"{'U' if unsigned else ''}INT{bits}"


def parameter(case, draw, array):
    """` (%v : type)` of an argument or a constant."""
    make = case.constant if draw.chance(0.3) else case.argument
    return "({} : {})".format(*make(np.asarray(array)))


class Product:
    """A quant.matmul: operands, and the exact sums."""

    def __init__(self, case, draw, lhs=None):
        self.case, self.draw = case, draw
        kind = draw.pick("plain", "plain", "plain", "shared", "batched")
        self.lead = () if kind == "plain" else draw.pick((2,), (2, 3), (1,))
        self.m, self.n = draw.rows(), draw.columns()
        self.k = draw.depth(self.n)
        if self.lead:
            self.m = min(self.m, 17)
        self.lhs_bits, self.lhs_unsigned = draw.pick(8, 8, 8, 4), draw.chance(.4)
        if lhs:  # the result of another product
            self.lead, (self.m, self.k) = (), lhs[1]
            self.lhs_bits, self.lhs_unsigned = 8, lhs[3]
            kind = "plain"
        self.rhs_bits, self.rhs_unsigned = draw.pick(8, 8, 4), draw.chance(.3)
        self.transposed = draw.chance(0.5)
        self.own = self.lead if kind == "batched" else ()
        self.dynamic = (0,) if kind == "plain" and not lhs and \
            draw.chance(.3) else ()
        self.build(lhs)

    def zero(self, side, shape, bits, unsigned):
        """Text and value of a zero point: none, one, or one for each."""
        how = self.draw.pick("none", "none", "one", "each")
        if how == "none":
            return "", np.zeros((), np.int64)
        shape = () if how == "one" or self.dynamic and side == "lhs" else shape
        value = self.draw.integers(shape, bits, unsigned)
        text = parameter(self.case, self.draw, value.astype(np.int32))
        return f" {side}_zero_point{text}", value

    def build(self, lhs):
        case, draw = self.case, self.draw
        types = (stored_name(self.lhs_bits, self.lhs_unsigned),
                 stored_name(self.rhs_bits, self.rhs_unsigned))
        if lhs:
            x, value = lhs[2], lhs[0]
        else:
            x = draw.integers(self.lead + (self.m, self.k), self.lhs_bits,
                              self.lhs_unsigned)
            value = stored(case, x, types[0])
            if self.dynamic:
                value = case.cast(value, tensor(
                    (None, self.k), f"i{self.lhs_bits}"))
        w = draw.integers(self.own + (self.k, self.n), self.rhs_bits,
                          self.rhs_unsigned)
        laid = np.swapaxes(w, -1, -2) if self.transposed else w
        rhs = stored(case, laid, types[1], draw.chance(0.6))
        zx_text, zx = self.zero("lhs", self.lead + (self.m,), self.lhs_bits,
                                self.lhs_unsigned)
        zw_text, zw = self.zero("rhs", self.own + (self.n,), self.rhs_bits,
                                self.rhs_unsigned)
        flags = [name for name, on in (
            ("transpose_rhs", self.transposed),
            ("lhs_unsigned", self.lhs_unsigned),
            ("rhs_unsigned", self.rhs_unsigned)) if on]
        rows = zx[..., None] if zx.ndim else zx
        columns = zw[..., None, :] if zw.ndim else zw
        self.shape = self.lead + (self.m, self.n)
        self.sums = np.matmul((x - rows).astype(np.float64),
                              (w - columns).astype(np.float64)).astype(np.int64)
        typed = ((None, self.n) if self.dynamic else self.shape)
        self.type = tensor(typed, "i32")
        if draw.chance(0.15):
            start = draw.rng.integers(-10**6, 10**6, self.shape)
            init = case.argument(start.astype(np.int32))
            self.sums = self.sums + start
        else:
            static = tensor(self.shape, "i32")
            init = case.line(f"arith.constant dense<0> : {static}", static)
        init = case.cast(init, self.type)
        attributes = f" {{{', '.join(flags)}}}" if flags else ""
        self.value = case.line(
            f"quant.matmul ins({value[0]}, {rhs[0]} : {value[1]}, {rhs[1]})"
            f"{zx_text}{zw_text} outs({init[0]} : {self.type}){attributes} -> "
            f"{self.type}", self.type)

    def typed(self, element):
        return self.type.replace("i32>", f"{element}>")


def float_rescale(product, kind):
    """quant.rescale of a product: (value, numbers) as `kind`, an element type
    or `u8`."""
    case, draw, acc = product.case, product.draw, product.sums
    spread = max(1.0, float(np.abs(acc.astype(np.float64)).mean()))
    rows = () if product.dynamic or draw.chance(.5) else product.shape[:-1]
    text, args = "", {}
    which = draw.pick("row", "column", "both")
    if which != "column":
        args["row_scale"] = draw.scales(rows, 0.5, 1.5) * F32(50 / spread)
    if which != "row":
        args["channel_scale"] = draw.scales(
            draw.pick((), (product.n,)), 0.5, 1.5)
        if which == "column":
            args["channel_scale"] *= F32(50 / spread)
    if draw.chance(0.5):
        args["bias"] = draw.pick(
            (draw.rng.standard_normal(product.n) * 10).astype(F32),
            draw.rng.integers(-1000, 1000, product.n).astype(np.int32))
    for name, value in args.items():
        text += f" {name}" + parameter(case, draw, np.asarray(value))
    attributes, clamp, zero, qrange = [], None, None, None
    if draw.chance(0.4):
        clamp = draw.pick((0.0, 60.0), (0.0, 6.0), (-1.5, 3e38))
        attributes += [f"clamp_min = {clamp[0]:e} : f32",
                       f"clamp_max = {clamp[1]:e} : f32"]
    if kind in ("i8", "u8", "i4"):
        bits = int(kind[1])
        qrange = draw.limits(bits, kind == "u8")
        if kind != "u8" and draw.chance(0.3):
            qrange = (qrange[0] + 1, qrange[1])
        zero = int(draw.rng.integers(qrange[0], qrange[1] + 1))
        attributes += [f"zero_point = {zero} : i32",
                       f"range = array<i64: {qrange[0]}, {qrange[1]}>"]
    word = " unsigned" if kind == "u8" else ""
    type_ = product.typed("i8" if kind == "u8" else kind)
    y = case.line(f"quant.rescale {product.value[0]}{text}{word} "
                  f"{{{', '.join(attributes)}}} : {product.type} -> {type_}",
                  type_)
    return y, arith.rescale(acc, zero_point=zero, qrange=qrange, clamp=clamp,
                            **args)


def fixed_rescale(product):
    case, draw = product.case, product.draw
    per_channel = draw.pick((), (product.n,))
    m = draw.rng.integers(1 << 30, 1 << 31, per_channel).astype(np.int32)
    s = draw.rng.integers(30, 55, per_channel).astype(np.int8)
    double, bias, text = draw.chance(.5), None, ""
    if draw.chance(0.5):
        bias = draw.rng.integers(-1000, 1000, product.n).astype(np.int32)
        text = " bias" + parameter(case, draw, bias)
    zero = int(draw.rng.integers(-128, 128))
    type_ = product.typed("i8")
    y = case.line(
        f"quant.rescale_fixed_point {product.value[0]} multiplier"
        f"{parameter(case, draw, m)} shift{parameter(case, draw, s)} rounding("
        f"{'DOUBLE' if double else 'SINGLE'}_ROUND){text} {{output_zero_point ="
        f" {zero} : i32, range = array<i64: -128, 127>}} : {product.type} -> "
        f"{type_}", type_)
    return y, arith.rescale_fixed_point(product.sums, m, s, double, 0, zero,
                                        bias)


def matmul(draw):
    case = Case("matmul")
    product = Product(case, draw)
    finish(draw, product)
    return case


def finish(draw, product):
    """What stands behind a product, and the result."""
    case = product.case
    kind = draw.pick("i32", "f32", "f32", "f32", "i8", "u8", "fixed", "f16",
                     "bf16", "i4")
    if kind == "i32":
        return case.result(product.value, product.shape, exact(product.sums))
    y, numbers = fixed_rescale(product) if kind == "fixed" else \
        float_rescale(product, kind)
    if kind in ("i8", "u8", "i4", "fixed"):
        name = {"u8": "UINT8", "i4": "INT4"}.get(kind, "INT8")
        if kind == "i4" and product.dynamic:
            y = case.cast(y, tensor(product.shape, "i4"))
        return stored_result(case, y, product.shape, name, exact(numbers))
    return case.result(y, product.shape, equal(round_to(numbers, kind)))


def two_layers(draw):
    """matmul, rescale to 8 bits, matmul: nothing float between them."""
    case = Case("two_layers")
    first = Product(case, draw)
    while first.lead or first.dynamic or first.n * first.m > 4096:
        case = Case("two_layers")
        first = Product(case, draw)
    kind = draw.pick("i8", "u8")
    q, numbers = float_rescale(first, kind) if draw.chance(.7) or kind == "u8" \
        else fixed_rescale(first)
    second = Product(case, draw, (q, first.shape, numbers, kind == "u8"))
    finish(draw, second)
    return case


def quantize(draw):
    """choose_qparams, quantize, dequantize of any float type."""
    case = Case("quantize")
    rank = draw.pick(1, 2, 2, 3, 4)
    shape = tuple(int(draw.rng.choice(
        [1, 2, 3, 5, 8, 17, 33] if rank < 4 else [1, 2, 3])) for _ in range(rank))
    if draw.chance(0.05):
        shape = (0,) + shape[1:]
    element = draw.pick("f32", "f32", "f16", "bf16")
    data = draw.floats(shape, draw.pick(0.1, 3, 50))
    if draw.chance(0.1) and data.size:
        data.flat[draw.rng.integers(data.size)] = draw.pick(
            np.nan, np.inf, -np.inf)
    x = round_to(data, element)
    numbers = to_float(x).astype(F32)
    axes = [d for d in range(rank) if draw.chance(0.3)]
    bits, unsigned = draw.pick(8, 8, 4), draw.chance(.4)
    low, high = draw.limits(bits, unsigned)
    value = case.argument(x)
    sizes = [shape[a] for a in axes]
    scale_type, zero_type = tensor(sizes, "f32"), tensor(sizes, "i32")
    how = draw.pick("chosen", "given", "given")
    if how == "chosen":
        symmetric = not unsigned and draw.chance(.5)
        names = case.lines_of(
            f"quant.choose_qparams {value[0]} axes = {axes} range = [{low}, "
            f"{high}] : {value[1]} -> {scale_type}"
            f"{'' if symmetric else ', ' + zero_type}", 1 if symmetric else 2)
        scale, zero = arith.choose_qparams(numbers, tuple(axes), (low, high),
                                           symmetric)
        text = f" scale({names[0]} : {scale_type})"
        case.result((names[0], scale_type), sizes, equal(scale))
        if not symmetric:
            text += f" zero_point({names[1]} : {zero_type})"
            case.result((names[1], zero_type), sizes, equal(zero))
    else:
        scale = draw.scales(sizes, 0.01, draw.pick(0.02, 0.5))
        text, zero = " scale" + parameter(case, draw, scale), 0
        if draw.chance(0.6):
            zero = draw.integers(sizes, bits, unsigned)
            text += " zero_point" + parameter(case, draw,
                                              zero.astype(np.int32))
    word = " unsigned" if unsigned else ""
    type_ = tensor(shape, f"i{bits}")
    q = case.line(f"quant.quantize {value[0]}{text} axes = {axes} range = "
                  f"[{low}, {high}]{word} : {value[1]} -> {type_}", type_)
    expected = arith.quantize(numbers, scale, zero, tuple(axes), (low, high))
    stored_result(case, q, shape, stored_name(bits, unsigned), exact(expected))
    back_element = draw.pick("f32", "f16", "bf16")
    back_type = tensor(shape, back_element)
    back = case.line(f"quant.dequantize {q[0]}{text} axes = {axes}{word} : "
                     f"{type_} -> {back_type}", back_type)
    with np.errstate(over="ignore"):
        real = arith.dequantize(expected, scale, zero, tuple(axes))
    case.result(back, shape, equal(round_to(real, back_element)))
    return case


def quantized_rows(case, draw, shape, group, args, flags):
    """Operand and integers [.., M, K]; adds what goes with them to `args` and
    `flags`."""
    *rows, k = shape
    rows, unsigned = tuple(rows), draw.chance(.4)
    x = draw.integers(shape, 8, unsigned)
    operand = stored(case, x, stored_name(8, unsigned))
    flags += ["lhs_unsigned"] * unsigned
    if draw.chance(.5):
        args["lhs_zero_point"] = draw.integers(draw.pick((), rows), 8, unsigned)
    if draw.chance(.6):
        args["row_scale"] = draw.scales(draw.pick((), rows), .01, 1)
    if draw.chance(.4):
        block = draw.pick(group, group, 2 * group, 16 * group, k, *(
            b for b in (8, 16, 32) if group % b == 0 or group == k))
        flags.append(f"lhs_group_size = {block} : i64")
        args["lhs_scale"] = draw.scales(rows + (-(-k // block),), .01, 1)
        args["lhs_group_size"] = block
    return operand, x


def weight_parameters(draw, args, groups, bits, unsigned, in_codes):
    """Adds those that a weight may have, `groups` being [N, groups]."""
    if not in_codes and draw.chance(.5):
        args["rhs_zero_point"] = draw.integers(groups, bits, unsigned)
    if draw.chance(.2):
        args["rhs_offset"] = draw.rng.standard_normal(groups).astype(F32)
    if draw.chance(.5):
        args["bias"] = draw.rng.standard_normal(groups[0]).astype(F32)


def weight_only(x, w, group, args, step):
    """The rule for float rows `x`, whose product is rounded by `step`."""
    real = arith.dequantize_groups(w, args["rhs_scale"], group,
                                   args.get("rhs_zero_point"),
                                   args.get("rhs_offset"))
    expected = x @ real.T + args.get("bias", 0)
    bound = (x.shape[-1] + 8) * 2.0**-24 * (np.abs(x) @ np.abs(real).T + 4)
    return within(expected, bound + step * np.abs(expected))


def scaled_matmul(draw):
    case = Case("scaled_matmul")
    lead = draw.pick((), (), (2,))
    m, n = draw.rows(), draw.columns()
    k = draw.depth(n)
    group = draw.pick(k, 1, 3, 16, 32, 32, 64, 128, 200)
    groups = (n, -(-k // group))
    bits, unsigned = draw.pick(2, 4, 4, 8), draw.chance(.4)
    w = draw.integers((n, k), bits, unsigned)
    rhs = stored(case, w, stored_name(bits, unsigned), draw.chance(.6))
    # Those of f16 and bf16 are stored so.
    args = {"rhs_scale": arith.narrow_scale(draw.scales(groups), draw.pick(
        "f32", "f32", "f16", "bf16"))}
    flags = [f"group_size = {group} : i64"] + ["rhs_unsigned"] * unsigned
    in_codes = bits == 4 and not unsigned and draw.chance(.5)
    if in_codes:
        codes = draw.integers((16,), 8, False)
        flags.append(f"rhs_codebook = array<i8: {', '.join(map(str, codes))}>")
        w = codes[w & 15]
    kind = draw.pick("int", "int", "f32", "f16", "bf16")
    if kind == "int":
        lhs, x = quantized_rows(case, draw, lead + (m, k), group, args, flags)
    else:
        # Small enough that no sum overflows f16.
        x = round_to(np.clip(draw.floats(lead + (m, k)), -2, 2), kind)
        lhs = case.argument(x)
    weight_parameters(draw, args, groups, bits, unsigned, in_codes)
    text = ""
    for name in ("lhs_zero_point", "row_scale", "rhs_scale", "rhs_zero_point",
                 "rhs_offset", "bias", "lhs_scale"):
        if name in args:
            value = np.asarray(args[name])
            text += f" {name}" + parameter(case, draw, value.astype(
                np.int32 if value.dtype.kind == "i" else F32))
    element = kind if kind != "int" else draw.pick("f32", "f32", "f16", "bf16")
    shape = lead + (m, n)
    type_ = tensor(shape, element)
    y = case.line(f"quant.scaled_matmul ins({lhs[0]}, {rhs[0]} : {lhs[1]}, "
                  f"{rhs[1]}){text} {{{', '.join(flags)}}} -> {type_}", type_)
    if kind == "int":
        expected = arith.scaled_matmul(x, w, group_size=group, **args)
        case.result(y, shape, equal(round_to(expected, element)))
    else:
        step = {"f32": 0, "f16": 2.0**-11, "bf16": 2.0**-8}[element]
        case.result(y, shape, weight_only(to_float(x), w, group, args, step))
    return case


KINDS = {"matmul": matmul, "two_layers": two_layers, "quantize": quantize,
         "scaled_matmul": scaled_matmul}
