"""TOSA's rescale and LiteRT's fully connected layers as cases."""

import re

import numpy as np
from quantsim import arith

from quantcheck.elements import Outside, exact, few_off_by_one
from quantcheck.program import Case, tensor

WIDTHS = {1: "i8", 2: "i16", 4: "i32"}


def description(vector):
    """Attributes of the `tosa.rescale` in the program beside the vectors, or
    what the name says."""
    beside = vector.path.with_suffix(".mlir")
    text = beside.read_text() if beside.is_file() else ""
    found = dict(re.findall(r"(\w+) = (\w+)", text))
    name = vector.name
    return {
        "rounding": found.get("rounding_mode", "DOUBLE_ROUND" if "double" in
                              name else "SINGLE_ROUND"),
        "input_unsigned": found.get("input_unsigned", "false") == "true",
        "output_unsigned": found.get("output_unsigned", "false") == "true",
        "i48": "xi48>" in text or "_i48_" in name}


def widen(case, x, unsigned):
    """An i8 or i16 argument as the i32 that a rescale takes."""
    value, type_ = case.argument(x)
    narrow = WIDTHS[x.dtype.itemsize]
    if narrow == "i32":
        return value, type_
    to = tensor(x.shape, "i32")
    dims = ", ".join(f"d{i}" for i in range(x.ndim))
    space = f"affine_map<({dims}) -> ({dims})>"
    kinds = ", ".join(['"parallel"'] * x.ndim)
    empty = case.line(f"tensor.empty() : {to}", to)
    op = "extui" if unsigned else "extsi"
    return case.line(
        f"linalg.generic {{indexing_maps = [{space}, {space}], iterator_types "
        f"= [{kinds}]}} ins({value} : {type_}) outs({empty[0]} : {to}) {{\n"
        f"    ^bb0(%i: {narrow}, %o: i32):\n      %f = arith.{op} %i : {narrow} "
        f"to i32\n      linalg.yield %f : i32\n    }} -> {to}", to)


def rescale(vector):
    data, said = vector.arrays, description(vector)
    x, y = data["x"], data["y"]
    if said["i48"] or x.dtype.itemsize not in WIDTHS or \
            y.dtype.itemsize not in WIDTHS:
        raise Outside("element type i48")
    unsigned_in = said["input_unsigned"] or x.dtype.kind == "u"
    unsigned_out = said["output_unsigned"] or y.dtype.kind == "u"
    x = np.atleast_1d(x)
    case = Case(vector.name)
    acc = widen(case, x, unsigned_in)
    shape = () if data["multiplier"].size == 1 else data["multiplier"].shape
    # A multiplier of 16 bits (scale32 = false) obeys the same formula.
    m = case.argument(data["multiplier"].astype(np.int32).reshape(shape))
    s = case.argument(data["shift"].astype(np.int8).reshape(shape))
    rounding = "DOUBLE_ROUND" if said["rounding"] == "DOUBLE_ROUND" else \
        "SINGLE_ROUND"
    bits = 8 * y.dtype.itemsize
    low, high = (0, (1 << bits) - 1) if unsigned_out else (
        -(1 << bits - 1), (1 << bits - 1) - 1)
    number = lambda key, width, is_unsigned: int(data[key]) & (
        (1 << width) - 1) if is_unsigned else int(data[key])
    in_zp = number("in_zp", 8 * x.dtype.itemsize, unsigned_in)
    out_zp = number("out_zp", bits, unsigned_out)
    to = tensor(x.shape, WIDTHS[y.dtype.itemsize])
    q = case.line(
        f"quant.rescale_fixed_point {acc[0]} multiplier({m[0]} : {m[1]}) "
        f"shift({s[0]} : {s[1]}) rounding({rounding})"
        f"{' unsigned' if unsigned_out else ''} {{input_zero_point = {in_zp} : "
        f"i32, output_zero_point = {out_zp} : i32, range = array<i64: {low}, "
        f"{high}>}} : {acc[1]} -> {to}", to)
    reading = np.dtype(f"{'u' if unsigned_out else ''}int{bits}")
    rule = exact(y.view(reading).reshape(x.shape))
    case.result(q, x.shape, lambda got: rule(got.view(reading)))
    return [case]


def activation(data, low, high):
    """The result's range under TFLite's fused activation."""
    scale, zero = np.float32(data["y_scale"]), int(data["y_zp"])
    q = lambda v: zero + int(np.rint(np.float32(v) / scale))
    return {1: (max(low, q(0)), high), 2: (max(low, q(-1)), min(high, q(1))),
            3: (max(low, q(0)), min(high, q(6)))}.get(
                int(data.get("relu", 0)), (low, high))


def multipliers(data, n):
    """TFLite's QuantizeMultiplier of each channel: (multiplier, shift)."""
    w_scale = np.atleast_1d(data["w_scale"]).astype(np.float32)
    product = np.float32(data["x_scale"]) * w_scale if w_scale.size == 1 else \
        np.float64(data["x_scale"]) * w_scale
    real = product.astype(np.float64) / np.float64(data["y_scale"])
    pairs = [arith.quantize_multiplier(v) for v in np.broadcast_to(real, n)]
    pairs = [(m, s) if s <= 62 else (0, 31) for m, s in pairs]
    return np.array(pairs, np.int64), real


def layer(data, constant):
    """The integer product of a layer, and the case that it stands in."""
    x, w = data["x"], data["w"]
    for array in (x, w):
        if array.dtype.itemsize != 1:  # TFLite's 16x8 layers
            raise Outside(f"element type {array.dtype.name.upper()}")
    x = x.reshape(-1, w.shape[1])
    case = Case("fully_connected")
    lhs = case.argument(x)
    rhs = (case.constant if constant else case.argument)(w)
    text, flags = "", ["transpose_rhs"]
    for side, key, array in (("lhs", "x_zp", x), ("rhs", "w_zp", w)):
        zero = np.asarray(data.get(key, 0), np.int64)
        flags += [f"{side}_unsigned"] if array.dtype.kind == "u" else []
        if zero.any():
            zero = zero.reshape(()) if zero.size == 1 else zero
            text += f" {side}_zero_point({{}} : {{}})".format(
                *case.argument(zero.astype(np.int32)))
    shape = (x.shape[0], w.shape[0])
    type_ = tensor(shape, "i32")
    init = case.line(f"arith.constant dense<0> : {type_}", type_)
    acc = case.line(
        f"quant.matmul ins({lhs[0]}, {rhs[0]} : {lhs[1]}, {rhs[1]}){text} "
        f"outs({init[0]} : {type_}) {{{', '.join(flags)}}} -> {type_}", type_)
    return case, acc, shape


def fully_connected(vector):
    """Sums exactly; results against the kernels, each with its own rescale:
    fixed point for LiteRT's, float for XNNPACK's."""
    data = vector.arrays
    cases = []
    for constant in (False, True):
        for key, want in data.items():
            if not re.fullmatch(r"y(_ref|_opt|_xnnpack)?", key):
                continue
            cases.append(layer_case(vector, key, want, constant))
    if not cases:
        raise KeyError("y_ref")
    return cases


def layer_case(vector, key, want, constant):
    data = vector.arrays
    case, acc, shape = layer(data, constant)
    case.name = f"{vector.name} {key}"
    bias = ""
    if data.get("b") is not None:
        bias = " bias({} : {})".format(*case.argument(
            data["b"].astype(np.int32)))
    is_unsigned = want.dtype.kind == "u"
    info = np.iinfo(want.dtype)
    low, high = activation(data, int(info.min), int(info.max))
    word = " unsigned" if is_unsigned else ""
    to = tensor(shape, WIDTHS[want.dtype.itemsize])
    attributes = f"range = array<i64: {low}, {high}>}} : {acc[1]} -> {to}"
    pairs, real = multipliers(data, shape[1])
    if key == "y_xnnpack":
        m = case.argument(np.broadcast_to(real, shape[1]).astype(np.float32))
        y = case.line(f"quant.rescale {acc[0]} channel_scale({m[0]} : {m[1]})"
                      f"{bias}{word} {{zero_point = {int(data['y_zp'])} : i32, "
                      f"{attributes}", to)
    else:
        m = case.argument(pairs[:, 0].astype(np.int32))
        s = case.argument(pairs[:, 1].astype(np.int8))
        y = case.line(
            f"quant.rescale_fixed_point {acc[0]} multiplier({m[0]} : {m[1]}) "
            f"shift({s[0]} : {s[1]}) rounding(SINGLE_ROUND){bias}{word} "
            f"{{output_zero_point = {int(data['y_zp'])} : i32, {attributes}",
            to)
    rule = few_off_by_one(want.reshape(shape))
    case.result(y, shape, lambda got: rule(
        (got.view(want.dtype)).astype(np.int64)))
    if key == "y_ref" and "acc" in data:
        sums = np.asarray(data["acc"], np.int64).reshape(shape)
        if data.get("b") is not None:  # the kernels' sums hold the bias
            sums = sums - data["b"]
        case.result(acc, shape, exact(arith.wrap_i32(sums)))
    return case
