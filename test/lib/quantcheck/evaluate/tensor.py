"""NumPy's meaning of the tensor ops, for the package."""

import re

import numpy as np

from quantcheck.evaluate.body import Mismatch, Unsupported
from quantcheck.generic_form import FLOATS, tensor_type


def _mixed(op, key, dynamic):
    """Static numbers with the dynamic ones, an iterator, where they are `?`."""
    return [int(next(dynamic)) if n is None else n for n in op.integers(key)]


def _slices(op, parts):
    offsets, sizes, strides = (iter(p) for p in parts)
    return tuple(slice(o, o + n * s if n else o, s) if s > 0 else _negative()
                 for o, n, s in zip(_mixed(op, "static_offsets", offsets),
                                    _mixed(op, "static_sizes", sizes),
                                    _mixed(op, "static_strides", strides)))


def _negative():
    raise Unsupported("a stride that is not positive")


def _groups(op):
    return [[int(i) for i in re.findall(r"\d+", g)] for g in
            re.findall(r"\[([^\[\]]*)\]", op.attribute("reassociation"))]


def _split(op, operands):
    """Operand values in the segments of the op."""
    parts, begin = [], 0
    for names in op.segments():
        parts.append(operands[begin:begin + len(names)])
        begin += len(names)
    return parts


def _empty(op, operands):
    shape, element = tensor_type(op.types()[1][0])
    dynamic = iter(operands)
    shape = [int(next(dynamic)) if n is None else n for n in shape]
    # What nobody writes is nobody's: a number that would be noticed.
    if element in FLOATS:
        return np.full(shape, 1.0e4, FLOATS[element])
    return np.full(shape, 77 if element != "i1" else 1, np.int64)


def _pad(evaluator, op, operands, values):
    source, low, high = _split(op, operands)
    low, high = iter(low), iter(high)
    array = source[0]
    pads = list(zip(_mixed(op, "static_low", low),
                    _mixed(op, "static_high", high)))
    shape = [n + a + b for n, (a, b) in zip(array.shape, pads)]
    region = op.regions[0]
    grid = np.ix_(*[np.arange(n) for n in shape])
    value, = evaluator.region(region, [np.broadcast_to(g, shape)
                                       for g in grid], values)
    result = np.array(np.broadcast_to(value, shape), array.dtype)
    inner = tuple(slice(max(a, 0), n - max(b, 0))
                  for n, (a, b) in zip(shape, pads))
    outer = tuple(slice(max(-a, 0), n - max(-b, 0))
                  for n, (a, b) in zip(array.shape, pads))
    result[inner] = array[outer]
    return result


def _expand(op, operands, array):
    dynamic = iter(operands[1:])
    shape = _mixed(op, "static_output_shape", dynamic)
    return array.reshape(shape)


def _collapse(op, array):
    sizes = [int(np.prod([array.shape[i] for i in g], dtype=np.int64))
             for g in _groups(op)]
    return array.reshape(sizes)


def _gather(op, operands):
    """gather_dims in their order; the results' trailing sizes by the type."""
    array, at = operands
    dims = op.integers("gather_dims")
    if list(dims) != list(range(len(dims))):
        raise Unsupported("tensor.gather of inner dimensions")
    found = array[tuple(at[..., i] for i in range(len(dims)))]
    return found.reshape(tensor_type(op.types()[1][0])[0])


def run(evaluator, op, operands, values):
    kind = op.name[len("tensor."):]
    array = operands[0] if operands else None
    if kind == "empty":
        return [_empty(op, operands)]
    if kind == "dim":
        return [np.int64(array.shape[int(operands[1])])]
    if kind == "rank":
        return [np.int64(array.ndim)]
    if kind == "cast":
        for have, want in zip(array.shape, tensor_type(op.types()[1][0])[0]):
            if want not in (None, have):
                raise Mismatch(f"a cast of {array.shape} to {want}")
        return [array]
    if kind == "extract":
        return [array[tuple(int(i) for i in operands[1:])]
                if all(np.ndim(i) == 0 for i in operands[1:])
                else array[tuple(operands[1:])]]
    if kind == "insert":
        result = np.array(operands[1])
        result[tuple(int(i) for i in operands[2:])] = array
        return [result]
    if kind == "extract_slice":
        parts = _split(op, operands)
        found = array[_slices(op, parts[1:])]
        shape = tensor_type(op.types()[1][0])[0]
        if len(shape) != found.ndim:  # unit dimensions are dropped
            sizes = list(found.shape)
            found = found.reshape(_drop(sizes, shape))
        return [found]
    if kind == "insert_slice":
        parts = _split(op, operands)
        result = np.array(operands[1])
        at = _slices(op, parts[2:])
        result[at] = np.reshape(array, result[at].shape)
        return [result]
    if kind == "pad":
        return [_pad(evaluator, op, operands, values)]
    if kind == "expand_shape":
        return [_expand(op, operands, array)]
    if kind == "collapse_shape":
        return [_collapse(op, array)]
    if kind == "reshape":
        return [array.reshape([int(n) for n in operands[1]])]
    if kind == "concat":
        axis = int(op.attribute("dim").partition(" ")[0])
        return [np.concatenate(operands, axis)]
    if kind in ("from_elements", "splat"):
        shape = [1 if n is None else n
                 for n in tensor_type(op.types()[1][0])[0]]
        return [np.broadcast_to(np.array(operands), shape) if kind == "splat"
                else np.array(operands).reshape(shape)]
    if kind == "generate":
        return [_generate(evaluator, op, operands, values)]
    if kind == "gather":
        return [_gather(op, operands)]
    if kind == "bitcast":
        return [array]
    raise Unsupported(op.name)


def _drop(sizes, shape):
    """`sizes` without the unit dimensions that `shape` has not."""
    sizes = [n for n in sizes]
    want = list(shape)
    result = []
    for n in sizes:
        if len(result) < len(want) and want[len(result)] in (None, n):
            result.append(n)
        elif n != 1:
            raise Unsupported("a slice that drops more than unit dimensions")
    return result


def _generate(evaluator, op, operands, values):
    dynamic = iter(operands)
    shape = [int(next(dynamic)) if n is None else n
             for n in tensor_type(op.types()[1][0])[0]]
    grid = np.ix_(*[np.arange(n) for n in shape])
    value, = evaluator.region(op.regions[0],
                              [np.broadcast_to(g, shape) for g in grid],
                              values)
    return np.array(np.broadcast_to(value, shape))
