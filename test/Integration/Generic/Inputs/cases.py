"""Random and edge cases of every op, as entries of a Batch."""

import numpy as np
from quantsim import arith

F32 = np.float32
EDGES = np.array([0.0, -0.0, 0.05, 0.15, 0.25, -0.25, 0.35, 12.7, 12.75, -12.8,
                  -12.85, 1e9, -1e9, np.inf, -np.inf, np.nan, 1e-45, 3e38],
                 F32)


def attribute(values):
    return "[" + ", ".join(str(v) for v in values) + "]"


def parameter(batch, array):
    name, type_ = batch.argument(array)
    return f"({name} : {type_})"


def constant_parameter(batch, array):
    """The same as a constant of the program."""
    element = {"f": "f32", "i": "i32"}[array.dtype.kind]
    sizes = "".join(f"{size}x" for size in array.shape)
    words = array.astype("<f4" if element == "f32" else "<i4")
    data = words.tobytes().hex().upper()
    text = f'"0x{data}"' if array.size > 1 else f"0x{words.ravel().view('<u4')[0]:08X}"
    if array.size == 1 and element == "i32":
        text = str(int(array.ravel()[0]))
    name, type_ = batch.line(f"arith.constant dense<{text}> : tensor<{sizes}{element}>",
                             f"tensor<{sizes}{element}>")
    return f"({name} : {type_})"


def quantize_case(batch, rng, bits, unsigned, axes, with_zp, edges=False):
    shape = [int(rng.integers(1, 6)), int(rng.integers(1, 40))]
    x = (rng.standard_normal(shape) * 3).astype(F32)
    if edges:
        x = np.resize(EDGES, shape).astype(F32)
    lo, hi = (0, 2**bits - 1) if unsigned else (-2**(bits - 1),
                                                2**(bits - 1) - 1)
    param_shape = [shape[a] for a in axes]
    scale = rng.uniform(0.01, 0.3, param_shape).astype(F32)
    if edges:
        scale = np.full(param_shape, 0.1, F32)
    zp = rng.integers(lo, hi + 1, param_shape).astype(np.int32)
    dynamic = bool(rng.integers(2))
    value, type_ = batch.argument(x, dynamic)
    sizes = type_[len("tensor<"):-len("f32>")]
    element = f"i{bits}"
    q_type = f"tensor<{sizes}{element}>"
    zp_text = f" zero_point{parameter(batch, zp)}" if with_zp else ""
    # A scale of one row for a dynamic first dimension needs its type.
    scale_value = batch.argument(scale)
    scale_type = scale_value[1]
    if dynamic and 0 in axes:
        return quantize_case(batch, rng, bits, unsigned, [], with_zp, edges)
    word = " unsigned" if unsigned else ""
    q = batch.line(
        f"quant.quantize {value} scale({scale_value[0]} : {scale_type})"
        f"{zp_text} axes = {attribute(axes)} range = {attribute([lo, hi])}"
        f"{word} : {type_} -> {q_type}", q_type)
    z = zp if with_zp else 0
    expected = arith.quantize(x, scale, z, axes, (lo, hi))
    what = (f"quantize bits={bits} unsigned={unsigned} axes={axes} "
            f"shape={shape} zp={with_zp}")
    if bits == 8:
        batch.expect(q, expected.astype(np.uint8 if unsigned else np.int8)
                     .view(np.int8), what)
    dq = batch.line(
        f"quant.dequantize {q[0]} scale({scale_value[0]} : {scale_type})"
        f"{zp_text} axes = {attribute(axes)}{word} : {q_type} -> {type_}",
        type_)
    batch.expect(dq, arith.dequantize(expected, scale, z, axes),
                 "de" + what)


def qparams_case(batch, rng, symmetric, axes, special=None):
    shape = [int(rng.integers(1, 6)), int(rng.integers(1, 40))]
    x = (rng.standard_normal(shape) * 5).astype(F32)
    if special is not None:
        x = np.resize(np.asarray(special, F32), shape)
    lo, hi = [(-128, 127), (-8, 7), (0, 255)][int(rng.integers(
        2 if symmetric else 3))]
    value, type_ = batch.argument(x)
    param = "".join(f"{shape[a]}x" for a in axes)
    results = f"tensor<{param}f32>"
    name = batch.name()
    names = [name]
    if not symmetric:
        results += f", tensor<{param}i32>"
        names.append(batch.name())
    batch.lines.append(
        f"  {', '.join(names)} = quant.choose_qparams {value} axes = "
        f"{attribute(axes)} range = {attribute([lo, hi])} : {type_} -> "
        f"{results}")
    scale, zp = arith.choose_qparams(x, axes, (lo, hi), symmetric)
    what = f"choose_qparams symmetric={symmetric} axes={axes} {shape} {special}"
    batch.expect((names[0], f"tensor<{param}f32>"), scale, what)
    if not symmetric:
        batch.expect((names[1], f"tensor<{param}i32>"), zp, what + " zp")


def matmul_case(batch, rng, shape, transpose, lhs_unsigned=False,
                rhs_unsigned=False, lhs_zp=None, rhs_zp=None, batched=False,
                lhs_edge=None, constant_init=True):
    """`lhs_zp`, `rhs_zp`: None, 'one' or 'each'."""
    m, n, k = shape
    lead = [2] if batched else []
    limits = lambda u: (0, 256) if u else (-128, 128)
    lhs = rng.integers(*limits(lhs_unsigned), lead + [m, k])
    rhs = rng.integers(*limits(rhs_unsigned),
                       (lead if batched == "both" else []) +
                       ([n, k] if transpose else [k, n]))
    if lhs_edge is not None:
        lhs[...] = lhs_edge
        rhs[...] = limits(rhs_unsigned)[0] or 255
    bits = lambda v, u: v.astype(np.uint8 if u else np.int8).view(np.int8)
    a = batch.argument(bits(lhs, lhs_unsigned), dynamic=not batched and
                       bool(rng.integers(2)) and lhs_zp != "each")
    b = batch.argument(bits(rhs, rhs_unsigned))
    zx = zw = 0
    text = ""
    if lhs_zp:
        zx = rng.integers(*limits(lhs_unsigned),
                          lead + [m] if lhs_zp == "each" else [])
        text += f" lhs_zero_point{parameter(batch, zx.astype(np.int32))}" \
            if lhs_zp == "each" else \
            f" lhs_zero_point{parameter(batch, np.int32(zx))}"
    if rhs_zp:
        zw = rng.integers(*limits(rhs_unsigned), [n] if rhs_zp == "each" else [])
        text += f" rhs_zero_point{parameter(batch, np.asarray(zw, np.int32))}"
    init = np.zeros(lead + [m, n], np.int32)
    if not constant_init:
        init = rng.integers(-1000, 1000, lead + [m, n]).astype(np.int32)
    c = batch.argument(init)
    if constant_init:
        c = batch.line(f"arith.constant dense<0> : {c[1]}", c[1])
    c = batch.cast(c, a[1].rsplit("x", 2)[0] + f"x{n}xi32>")
    flags = [w for w, on in [("transpose_rhs", transpose),
                             ("lhs_unsigned", lhs_unsigned),
                             ("rhs_unsigned", rhs_unsigned)] if on]
    flag_text = " {" + ", ".join(flags) + "}" if flags else ""
    acc = batch.line(
        f"quant.matmul ins({a[0]}, {b[0]} : {a[1]}, {b[1]}){text} "
        f"outs({c[0]} : {c[1]}){flag_text} -> {c[1]}", c[1])
    x = lhs.astype(np.int64) - np.asarray(zx, np.int64)[..., None]
    w = rhs.astype(np.int64)
    w = np.swapaxes(w, -1, -2) if transpose else w
    expected = x @ (w - np.asarray(zw, np.int64)) + init
    batch.expect(acc, expected.astype(np.int32),
                 f"matmul {shape} t={transpose} u={lhs_unsigned},"
                 f"{rhs_unsigned} zp={lhs_zp},{rhs_zp} batched={batched}")
    return acc, expected.astype(np.int32)


def rescale_case(batch, rng, acc, values, row=None, channel=None, bias=None,
                 to_int=False, zp=None, clamp=None):
    """`row`, `channel`: None, 'one' or 'each'; `bias`: None, 'i32', 'f32'."""
    n = values.shape[-1]
    text, scales = "", {}
    if row:
        size = [] if row == "one" else list(values.shape[:-1])
        scales["row_scale"] = rng.uniform(1e-3, 1e-2, size).astype(F32)
    if channel:
        size = [] if channel == "one" else [n]
        scales["channel_scale"] = rng.uniform(1e-3, 1e-1, size).astype(F32)
    source = batch.cast(acc, tensor_type_of(values))
    for key, value in scales.items():
        text += f" {key}{parameter(batch, value)}"
    b = None
    if bias:
        b = (rng.integers(-500, 500, n).astype(np.int32) if bias == "i32"
             else rng.standard_normal(n).astype(F32))
        text += f" bias{parameter(batch, b)}"
    attrs, qrange = [], None
    if to_int:
        qrange = (-128, 127)
        attrs.append("range = array<i64: -128, 127>")
    if zp:
        attrs.append(f"zero_point = {zp} : i32")
    if clamp:
        attrs.append(f"clamp_min = {clamp[0]:e} : f32")
        attrs.append(f"clamp_max = {clamp[1]:e} : f32")
    attr_text = " {" + ", ".join(attrs) + "}" if attrs else ""
    result = tensor_type_of(values, "i8" if to_int else "f32")
    y = batch.line(f"quant.rescale {source[0]}{text}{attr_text} : {source[1]} "
                   f"-> {result}", result)
    expected = arith.rescale(values, scales.get("row_scale"),
                             scales.get("channel_scale"), b, zp, qrange, clamp)
    batch.expect(y, expected, f"rescale row={row} channel={channel} "
                 f"bias={bias} int={to_int} zp={zp} clamp={clamp}")


def tensor_type_of(array, element="i32"):
    return "tensor<" + "".join(f"{s}x" for s in array.shape) + element + ">"


def fixed_point_case(batch, rng, per_channel, double_round, bias):
    shape = [int(rng.integers(1, 5)), int(rng.integers(1, 9))]
    acc = rng.integers(-2**31, 2**31, shape).astype(np.int32)
    acc[0, 0] = [-2**31, 2**31 - 1, 0, -1][int(rng.integers(4))]
    size = [shape[1]] if per_channel else []
    multiplier = rng.integers(2**30, 2**31, size).astype(np.int32)
    shift = rng.integers(2, 63, size).astype(np.int8)
    value, type_ = batch.argument(acc)
    text = (f" multiplier{parameter(batch, multiplier)}"
            f" shift{parameter(batch, shift)}"
            f" rounding({'DOUBLE' if double_round else 'SINGLE'}_ROUND)")
    b = None
    if bias:
        b = rng.integers(-99, 99, shape[1]).astype(np.int32)
        text += f" bias{parameter(batch, b)}"
    result = tensor_type_of(acc, "i8")
    y = batch.line(
        f"quant.rescale_fixed_point {value}{text} {{output_zero_point = 5 : "
        f"i32, range = array<i64: -128, 127>}} : {type_} -> {result}", result)
    summed = acc if b is None else arith.wrap_i32(acc.astype(np.int64) + b)
    batch.expect(y, arith.rescale_fixed_point(
        summed, multiplier, shift, double_round, 0, 5, None, (-128, 127)),
        f"rescale_fixed_point {shape} double={double_round}")


def int4_case(batch, rng, length):
    rows = int(rng.integers(1, 4))
    q = rng.integers(-8, 8, (rows, length))
    packed = np.asarray(arith.pack_int4(q)).astype(np.uint8).view(np.int8)
    value, type_ = batch.argument(packed)
    narrow = f"tensor<{rows}x{length}xi4>"
    u = batch.line(f"quant.unpack_int4 {value} : {type_} -> {narrow}", narrow)
    one = batch.line("arith.constant dense<1.0> : tensor<f32>", "tensor<f32>")
    wide = f"tensor<{rows}x{length}xf32>"
    x = batch.line(f"quant.dequantize {u[0]} scale({one[0]} : {one[1]}) "
                   f"axes = [] : {narrow} -> {wide}", wide)
    batch.expect(x, q.astype(F32), f"unpack_int4 {length}")
    back = batch.line(
        f"quant.quantize {x[0]} scale({one[0]} : {one[1]}) axes = [] "
        f"range = [-8, 7] : {wide} -> {narrow}", narrow)
    p = batch.line(f"quant.pack_int4 {back[0]} : {narrow} -> {type_}", type_)
    batch.expect(p, packed, f"pack_int4 {length}")


def int2_case(batch, rng, length):
    """Unpacked and packed again, which clears the bits behind a row's end."""
    rows = int(rng.integers(1, 4))
    data = rng.integers(-128, 128, (rows, -(-length // 4))).astype(np.int8)
    value, type_ = batch.argument(data)
    narrow = f"tensor<{rows}x{length}xi2>"
    u = batch.line(f"quant.unpack_int2 {value} : {type_} -> {narrow}", narrow)
    p = batch.line(f"quant.pack_int2 {u[0]} : {narrow} -> {type_}", type_)
    batch.expect(p, arith.pack_int2(arith.unpack_int2(data, length)),
                 f"int2 {length}")

