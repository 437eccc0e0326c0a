"""MatMulInteger, QLinearMatMul and MatMulNBits as cases.

Operands are broadcast as NumPy's matmul does it; parameters of a row or of a
column come as `[M]`, `[N]` or with batch dimensions. Every product is built
with its right side as an argument and again as a constant.
"""

import re

import numpy as np

from quantcheck.elements import (bounds, exact, exact_but_ties, float_array,
                                 float_type, integers, scales, stored,
                                 stored_result, stored_type)
from quantcheck.program import Case, tensor, to_float, within


class Operands:
    """Both sides of a product of rank >= 2, and what rows and columns have."""

    def __init__(self, a, b):
        a, b = np.asarray(a), np.asarray(b)
        a = a[None, :] if a.ndim == 1 else a
        b = b[:, None] if b.ndim == 1 else b
        while b.ndim > 2 and b.shape[0] == 1 and b.ndim > a.ndim:
            b = b[0]
        self.lead = a.shape[:-2]
        if b.ndim > 2:
            self.lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
            a = np.broadcast_to(a, self.lead + a.shape[-2:])
            b = np.broadcast_to(b, self.lead + b.shape[-2:])
        self.a, self.b = a, b
        self.shape = self.lead + (a.shape[-2], b.shape[-1])

    def of_rows(self, value):
        """A parameter of the left side: rank 0, or one for each row."""
        value = np.asarray(value)
        if value.size == 1:
            return value.reshape(())
        value = value if value.ndim == 1 else value[..., 0]
        return np.broadcast_to(value, self.shape[:-1])

    def of_columns(self, value):
        """A parameter of the right side: rank 0, `[N]` or `[B.., N]`."""
        value = np.asarray(value)
        if value.size == 1:
            return value.reshape(())
        value = value if value.ndim == 1 else value[..., 0, :]
        if self.b.ndim == 2:
            return value.reshape(-1)
        if value.ndim == 1 or all(n == 1 for n in value.shape[:-1]):
            return value.reshape(-1)
        return np.broadcast_to(value, self.lead + value.shape[-1:])


def zero_point(case, side, value):
    value = np.asarray(value, np.int64)
    if not value.any():
        return ""
    return f" {side}_zero_point({{}} : {{}})".format(
        *case.argument(value.astype(np.int32)))


def matmul(case, sides, types, zeros, constant):
    """quant.matmul; returns the accumulator."""
    lhs = stored(case, sides.a, types[0])
    rhs = stored(case, sides.b, types[1], constant)
    text = ""
    flags = []
    for side, type_, zero in zip(("lhs", "rhs"), types, zeros):
        text += zero_point(case, side, zero)
        if stored_type(type_)[1]:
            flags.append(f"{side}_unsigned")
    type_ = tensor(sides.shape, "i32")
    init = case.line(f"arith.constant dense<0> : {type_}", type_)
    attributes = f" {{{', '.join(flags)}}}" if flags else ""
    return case.line(
        f"quant.matmul ins({lhs[0]}, {rhs[0]} : {lhs[1]}, {rhs[1]}){text} "
        f"outs({init[0]} : {type_}){attributes} -> {type_}", type_)


def optional(values, i):
    return values[i] if i < len(values) else None


def numbers(value, type_):
    return np.zeros((), np.int64) if value is None else integers(value, type_)


def matmul_integer(vector):
    a, b = vector.inputs[:2]
    types = vector.input_types[:2]
    sides = Operands(a, b)
    zeros = (sides.of_rows(numbers(optional(vector.inputs, 2), types[0])),
             sides.of_columns(numbers(optional(vector.inputs, 3), types[1])))
    if zeros[1].ndim == 1 and sides.b.ndim > 2:
        zeros = zeros[0], np.broadcast_to(zeros[1], sides.lead + zeros[1].shape)
    cases = []
    for constant in (False, True):
        case = Case(vector.name)
        acc = matmul(case, sides, types, zeros, constant)
        expected = np.asarray(vector.outputs[0], np.int64)
        case.result(acc, sides.shape, exact(expected.reshape(sides.shape)))
        cases.append(case)
    return cases


def multiplier_error(vector):
    """Relative error of M: float32, or the 16 bits that the scales have."""
    kinds = {float_type(vector.input_types[i]) for i in (1, 4, 6)}
    if "bf16" in kinds:
        return 2.0**-6
    return 2.0**-9 if "f16" in kinds else 2.0**-21


def slices(vector):
    """Vectors of one batch index each, where columns' parameters differ by
    batch: a rescale has one vector of them."""
    a, b = np.asarray(vector.inputs[0]), np.asarray(vector.inputs[3])
    scale = np.asarray(vector.inputs[4])
    if scale.ndim < 3 or all(n == 1 for n in scale.shape[:-2]):
        return [vector]
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    spread = lambda v: np.broadcast_to(v, lead + v.shape[-2:]) \
        if np.ndim(v) > 2 else None
    parts = []
    for at in np.ndindex(*lead):
        one = type(vector)(**vars(vector))
        one.inputs = [v if spread(v) is None else spread(v)[at]
                      for v in vector.inputs]
        one.outputs = [np.asarray(vector.outputs[0])[at]]
        parts.append(one)
    return parts


def qlinear_matmul(vector):
    return [case for part in slices(vector) for constant in (False, True)
            for case in [qlinear_case(part, constant)]]


def qlinear_case(vector, constant):
    a, _, _, b, _, _, _, _ = vector.inputs[:8]
    types = vector.input_types[0], vector.input_types[3]
    kind = vector.output_types[0]
    sides = Operands(a, b)
    zeros = (sides.of_rows(numbers(vector.inputs[2], types[0])),
             sides.of_columns(numbers(vector.inputs[5], types[1])))
    if zeros[1].ndim == 1 and sides.b.ndim > 2:
        zeros = zeros[0], np.broadcast_to(zeros[1], sides.lead + zeros[1].shape)
    scale = lambda i: scales(vector.inputs[i], vector.input_types[i])
    sx, sw = sides.of_rows(scale(1)), sides.of_columns(scale(4))
    sy, zy = sides.of_rows(scale(6)), numbers(vector.inputs[7], kind)
    zy = sides.of_rows(zy)
    case = Case(vector.name)
    acc = matmul(case, sides, types, zeros, constant)
    low, high = bounds(kind)
    word = " unsigned" if stored_type(kind)[1] else ""
    to = tensor(sides.shape, f"i{stored_type(kind)[0]}")
    argument = lambda v: "{} : {}".format(*case.argument(
        np.asarray(v, np.float32)))
    if sy.ndim or zy.ndim:  # the result's parameters differ by row
        float_type_ = tensor(sides.shape, "f32")
        y = case.line(f"quant.rescale {acc[0]} row_scale({argument(sx)}) "
                      f"channel_scale({argument(sw)}) : {acc[1]} -> "
                      f"{float_type_}", float_type_)
        rows = list(range(len(sides.shape) - 1))
        full = lambda v: np.broadcast_to(v, sides.shape[:-1])
        zero = case.argument(full(zy).astype(np.int32))
        q = case.line(
            f"quant.quantize {y[0]} scale({argument(full(sy))}) zero_point("
            f"{zero[0]} : {zero[1]}) axes = {rows} range = [{low}, {high}]"
            f"{word} : {float_type_} -> {to}", to)
    else:
        text = f"channel_scale({argument(sx * sw / sy)})" if not sx.ndim else \
            f"row_scale({argument(sx / sy)}) channel_scale({argument(sw)})"
        q = case.line(
            f"quant.rescale {acc[0]} {text}{word} {{zero_point = {int(zy)} : "
            f"i32, range = array<i64: {low}, {high}>}} : {acc[1]} -> {to}", to)
    exact_sum = sums(sides, types, zeros)
    rows = lambda v: v[..., None] if v.ndim else v
    m = rows(sx).astype(np.float64) * sw / rows(sy)
    unrounded = exact_sum * m
    expected = integers(vector.outputs[0], kind).reshape(sides.shape)
    expected = saturated(expected, np.rint(unrounded) + rows(zy), low, high)
    stored_result(case, q, sides.shape, kind, exact_but_ties(
        expected, unrounded,
        np.abs(unrounded) * multiplier_error(vector) + 2.0**-24))
    return case


def saturated(expected, real, low, high):
    """ONNX's own int8 node tests hold wrapped numbers where its text says
    `saturate`. Those (the number itself or its neighbour, out of range) are
    taken as what they wrapped from, saturated."""
    span = high - low + 1
    whole = expected + span * np.rint((real - expected) / span)
    wrapped = (np.abs(whole - real) <= 1) & ((whole < low) | (whole > high))
    return np.where(wrapped, np.clip(whole, low, high),
                    expected).astype(np.int64)


def sums(sides, types, zeros):
    """The accumulators as float64, which holds them exactly."""
    a = integers(sides.a, types[0]) - (zeros[0][..., None] if zeros[0].ndim
                                       else zeros[0])
    b = integers(sides.b, types[1]) - (zeros[1][..., None, :] if zeros[1].ndim
                                       else zeros[1])
    return np.matmul(a.astype(np.float64), b.astype(np.float64))


def unpacked(blob, k, bits):
    """MatMulNBits' own storage [N, blocks, bytes] as [N, K]: low bits first."""
    b = np.asarray(blob, np.uint8).reshape(blob.shape[0], -1)
    if bits == 4:
        b = np.stack([b & 15, b >> 4], -1).reshape(b.shape[0], -1)
    return b[:, :k]


def group_of(vector, k, groups):
    """Elements of a block: an attribute, the note, the name, or the power of
    two that gives this many blocks."""
    if "block_size" in vector.attributes:
        return int(vector.attributes["block_size"])
    for text, pattern in ((vector.note, r"group (\d+)"),
                          (vector.name, r"_g(\d+)")):
        found = re.search(pattern, text)
        if found and -(-k // int(found.group(1))) == groups:
            return int(found.group(1))
    return next((1 << p for p in range(1, 31) if -(-k // (1 << p)) == groups),
                -(-k // groups))


def bits_of(vector, q):
    if "bits" in vector.attributes:
        return int(vector.attributes["bits"])
    found = re.search(r"nbits(\d)", vector.name.lower())
    if found:
        return int(found.group(1))
    return 4 if not q.size or int(q.max()) < 16 else 8


def matmul_nbits(vector):
    a_type = vector.input_types[0]
    a = float_array(vector.inputs[0], a_type)
    a = a[None, :] if a.ndim == 1 else a
    q, k = np.asarray(vector.inputs[1]), a.shape[-1]
    bits = bits_of(vector, q)
    q = unpacked(q, k, bits) if q.ndim == 3 else q
    n = q.shape[0]
    scale = scales(vector.inputs[2], vector.input_types[2])
    scale = scale.reshape(n, -1)
    groups = scale.shape[1]
    size = group_of(vector, k, groups)
    signed = q.dtype.kind == "i"
    zero = optional(vector.inputs, 3)
    offset = None
    if zero is None:
        zero = np.full(scale.shape, 0 if signed else 1 << bits - 1)
    elif vector.input_types[3] in ("FLOAT", "FLOAT16", "BFLOAT16"):
        offset = -scale * scales(zero, vector.input_types[3]).reshape(n, groups)
        zero = np.zeros(scale.shape)
    elif np.size(zero) != scale.size:
        zero = unpacked(np.reshape(zero, (n, -1)), groups, bits)
    zero = np.asarray(zero, np.int64).reshape(n, groups)
    order = optional(vector.inputs, 4)
    if order is not None:  # the group of each k
        scale, zero = scale[:, order], zero[:, order]
        offset = None if offset is None else offset[:, order]
        size = 1
    kind = f"{'' if signed else 'U'}INT{bits}"
    bias = optional(vector.inputs, 5)
    return [nbits_case(vector, a, q, kind, scale, zero, offset, bias, size,
                       constant) for constant in (False, True)]


def nbits_case(vector, a, q, kind, scale, zero, offset, bias, size, constant):
    case = Case(vector.name)
    lhs, rhs = case.argument(a), stored(case, q, kind, constant)
    text = " rhs_scale({} : {})".format(*case.argument(scale))
    text += " rhs_zero_point({} : {})".format(
        *case.argument(zero.astype(np.int32)))
    each = lambda v: np.repeat(np.asarray(v, np.float64), size,
                               axis=1)[:, :q.shape[1]]
    w = each(scale) * (integers(q, kind) - each(zero))
    if offset is not None:
        text += " rhs_offset({} : {})".format(
            *case.argument(offset.astype(np.float32)))
        w = w + each(offset)
    if bias is not None:
        bias = scales(bias, vector.input_types[5])
        text += " bias({} : {})".format(*case.argument(bias))
    flags = [f"group_size = {size} : i64"]
    flags += ["rhs_unsigned"] if stored_type(kind)[1] else []
    element = float_type(vector.output_types[0])
    shape = a.shape[:-1] + (q.shape[0],)
    type_ = tensor(shape, element)
    y = case.line(f"quant.scaled_matmul ins({lhs[0]}, {rhs[0]} : {lhs[1]}, "
                  f"{rhs[1]}){text} {{{', '.join(flags)}}} -> {type_}", type_)
    expected = to_float(float_array(vector.outputs[0], vector.output_types[0]))
    # Both sums are of k floats in an order that nobody promises.
    x = np.abs(to_float(a))
    bound = 2 * (a.shape[-1] + 8) * 2.0**-24 * (x @ np.abs(w).T + 1e-3)
    step = {"f32": 2.0**-23, "f16": 2.0**-9, "bf16": 2.0**-6}[element]
    case.result(y, shape, within(expected.reshape(shape), bound + step *
                                 np.abs(expected.reshape(shape))))
    return case
