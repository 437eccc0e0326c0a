"""QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear as cases."""

import numpy as np

from quantcheck.elements import (Outside, bounds, exact_but_ties,
                                 float_array, float_type, integers, scales,
                                 stored, stored_result, stored_type)
from quantcheck.program import Case, equal, tensor, to_float, within

# What a division rounded to the type may move a quotient by.
DIVISION = {"f32": 0.0, "f16": 2.0**-11, "bf16": 2.0**-8}


def layout(x, scale, attributes):
    """Where the scales lie: (x, scale, axes), reshaped so that a block is a
    dimension of its own. Sizes that blocks do not divide get a scale for each
    element."""
    block = int(attributes.get("block_size", 0))
    if scale.size == 1 and (scale.ndim < 2 or not block):
        return x.shape, scale.reshape(()), []
    axis = int(attributes.get("axis", 1))
    axis += x.ndim if axis < 0 else 0
    if not block and scale.ndim == 1:
        if axis >= x.ndim or x.shape[axis] != scale.size:  # no attribute
            axis = next(d for d, n in enumerate(x.shape) if n == scale.size)
        return x.shape, scale, [axis]
    if not block:  # blocked, and the attributes are not known
        axis = next(d for d in range(x.ndim) if x.shape[d] != scale.shape[d])
        block = -(-x.shape[axis] // scale.shape[axis])
    if x.shape[axis] % block:
        spread = np.repeat(scale, block, axis)
        spread = spread[tuple(slice(0, n) for n in x.shape)]
        return x.shape, spread, list(range(x.ndim))
    shape = (x.shape[:axis] + (x.shape[axis] // block, block)
             + x.shape[axis + 1:])
    return shape, scale, [d for d in range(len(shape)) if d != axis + 1]


def along(parameter, shape, axes):
    """A parameter, broadcast to `shape`."""
    full = [1] * len(shape)
    for size, axis in zip(np.shape(parameter), axes):
        full[axis] = size
    return np.broadcast_to(np.reshape(parameter, full), shape)


def parameters(case, vector, kind):
    """(shape, scale, zero point, axes, text of the operands)."""
    x, scale = vector.inputs[0], scales(vector.inputs[1], vector.input_types[1])
    shape, placed, axes = layout(x, scale, vector.attributes)
    zero = vector.inputs[2] if len(vector.inputs) > 2 else None
    text = " scale({} : {})".format(*case.argument(placed))
    if zero is None:
        return shape, placed, np.zeros(placed.shape, np.int64), axes, text
    zero = integers(zero, kind).reshape(scale.shape)
    zero = layout(x, zero, vector.attributes)[1]
    text += " zero_point({} : {})".format(
        *case.argument(zero.astype(np.int32)))
    return shape, placed, zero, axes, text


def widened(case, x):
    """An i32 argument as f32."""
    value, type_ = case.argument(x)
    to = type_.replace("xi32", "xf32").replace("<i32", "<f32")
    dims = ", ".join(f"d{i}" for i in range(x.ndim))
    space = f"affine_map<({dims}) -> ({dims})>"
    kinds = ", ".join(['"parallel"'] * x.ndim)
    empty = case.line(f"tensor.empty() : {to}", to)
    return case.line(
        f"linalg.generic {{indexing_maps = [{space}, {space}], iterator_types "
        f"= [{kinds}]}} ins({value} : {type_}) outs({empty[0]} : {to}) {{\n"
        f"    ^bb0(%i: i32, %o: f32):\n      %f = arith.sitofp %i : i32 to f32"
        f"\n      linalg.yield %f : f32\n    }} -> {to}", to)


def quantize_linear(vector):
    kind, from_type = vector.output_types[0], vector.input_types[0]
    bits, unsigned = stored_type(kind)
    low, high = bounds(kind)
    case = Case(vector.name)
    if bits == 4 and vector.inputs[0].ndim == 0:
        vector.inputs[0] = vector.inputs[0].reshape(1)
    shape, scale, zero, axes, text = parameters(case, vector, kind)
    if from_type == "INT32":
        x = widened(case, vector.inputs[0].reshape(shape))
        numbers, precise = vector.inputs[0].astype(np.float64), "f32"
    else:
        data = float_array(vector.inputs[0], from_type)
        x = case.argument(data.reshape(shape))
        numbers = to_float(data)
        # The division is in the scale's type (`precision` says otherwise).
        precise = "f32" if vector.attributes.get("precision") == 1 else \
            float_type(vector.input_types[1])
    type_ = tensor(shape, f"i{bits}")
    q = case.line(f"quant.quantize {x[0]}{text} axes = {axes} range = "
                  f"[{low}, {high}]{' unsigned' if unsigned else ''} : {x[1]} "
                  f"-> {type_}", type_)
    expected = integers(vector.outputs[0], kind).reshape(shape)
    numbers = numbers.reshape(shape)
    with np.errstate(all="ignore"):
        quotient = numbers / along(scale, shape, axes).astype(np.float64)
    rule = exact_but_ties(
        expected, quotient,
        np.abs(quotient) * DIVISION[precise], ignore=np.isnan(numbers))
    stored_result(case, q, shape, kind, rule)
    return [case]


def dequantize_i32(vector):
    """A bias: what a rescale computes, along the last dimension."""
    x = np.asarray(vector.inputs[0])
    scale = scales(vector.inputs[1], vector.input_types[1])
    shape, placed, axes = layout(x, scale, vector.attributes)
    zero = vector.inputs[2] if len(vector.inputs) > 2 else None
    if zero is not None and np.any(zero):
        raise Outside("element type INT32 with a zero point")
    x = x.reshape(shape)
    expected = np.asarray(vector.outputs[0]).reshape(shape)
    if axes:  # rows of one scale each
        order = axes + [d for d in range(len(shape)) if d not in axes]
        count = int(np.prod([shape[a] for a in axes]))
        x = np.transpose(x, order).reshape(count, -1)
        expected = np.transpose(expected, order).reshape(count, -1)
        placed = placed.reshape(-1)
    case = Case(vector.name)
    acc = case.argument(np.atleast_2d(x))
    scale = case.argument(placed)
    to = float_type(vector.output_types[0])
    type_ = tensor(np.atleast_2d(x).shape, to)
    y = case.line(f"quant.rescale {acc[0]} row_scale({scale[0]} : {scale[1]}) "
                  f": {acc[1]} -> {type_}", type_)
    case.result(y, np.atleast_2d(x).shape, equal(np.atleast_2d(expected)))
    return [case]


def dequantize_linear(vector):
    kind, to_type = vector.input_types[0], vector.output_types[0]
    if kind == "INT32":
        return dequantize_i32(vector)
    bits, unsigned = stored_type(kind)
    element = float_type(to_type)
    if bits == 4 and vector.inputs[0].ndim == 0:
        vector.inputs[0] = vector.inputs[0].reshape(1)
    case = Case(vector.name)
    shape, _, _, axes, text = parameters(case, vector, kind)
    q = stored(case, np.reshape(vector.inputs[0], shape), kind)
    type_ = tensor(shape, element)
    x = case.line(f"quant.dequantize {q[0]}{text} axes = {axes}"
                  f"{' unsigned' if unsigned else ''} : {q[1]} -> {type_}",
                  type_)
    expected = float_array(vector.outputs[0], to_type)
    case.result(x, shape, equal(expected.reshape(shape)))
    return [case]


def dynamic_quantize_linear(vector):
    x = np.asarray(vector.inputs[0])
    float_type(vector.input_types[0])
    expected, scale, zero = (np.asarray(v) for v in vector.outputs)
    case = Case(vector.name)
    value, type_ = case.argument(x)
    names = case.lines_of(
        f"quant.choose_qparams {value} axes = [] range = [0, 255] : {type_} -> "
        f"tensor<f32>, tensor<i32>", 2)
    to = tensor(x.shape, "i8")
    q = case.line(
        f"quant.quantize {value} scale({names[0]} : tensor<f32>) zero_point("
        f"{names[1]} : tensor<i32>) axes = [] range = [0, 255] unsigned : "
        f"{type_} -> {to}", to)
    # The scale is one subtraction and one division; the zero point and the
    # integers may differ by 1 where floats tie.
    one = np.float64(np.spacing(np.abs(np.float32(scale))))
    case.result((names[0], "tensor<f32>"), (), within(scale, one))
    low = min(0.0, float(x.min(initial=0)))
    ratio = np.asarray(-low / float(scale)) if scale else np.zeros(())
    case.result((names[1], "tensor<i32>"), (), exact_but_ties(
        zero.astype(np.int64), ratio, np.abs(ratio) * 2.0**-22))
    quotient = x.astype(np.float64) / (float(scale) or 1.0)
    stored_result(case, q, x.shape, "UINT8", exact_but_ties(
        expected, quotient, np.abs(quotient) * 2.0**-22))
    return [case]
