"""Element types of vector files as values of a program."""

import numpy as np
from quantsim import arith

from quantcheck.program import BF16, to_bf16, to_float

# ONNX's name: bits, unsigned.
STORED = {"INT8": (8, False), "UINT8": (8, True),
          "INT4": (4, False), "UINT4": (4, True)}
# Weights with groups only.
NARROW = {"INT2": (2, False), "UINT2": (2, True)}
FLOATS = {"FLOAT": "f32", "FLOAT16": "f16", "BFLOAT16": "bf16"}


class Outside(Exception):
    """The vector needs an element type that is no part of the project."""


def bounds(onnx_type):
    """[qmin, qmax] of a stored type."""
    bits, unsigned = stored_type(onnx_type)
    return (0, (1 << bits) - 1) if unsigned else (-(1 << bits - 1),
                                                  (1 << bits - 1) - 1)


def stored_type(onnx_type):
    if onnx_type not in STORED:
        raise Outside(f"element type {onnx_type}")
    return STORED[onnx_type]


def float_type(onnx_type):
    if onnx_type not in FLOATS:
        raise Outside(f"element type {onnx_type}")
    return FLOATS[onnx_type]


def float_array(array, onnx_type):
    """Data of a float input in the type that a program takes."""
    element = float_type(onnx_type)
    array = np.asarray(array)
    if element != "bf16":
        return array
    if array.dtype.kind == "f":  # stored as the floats that they are
        return to_bf16(array)
    return array.view(BF16)


def scales(array, onnx_type):
    """Scales as float32, which holds every f16 and bf16 exactly."""
    return to_float(float_array(array, onnx_type)).astype(np.float32)


def integers(array, onnx_type):
    """The numbers that stored data stands for."""
    bits, unsigned = stored_type(onnx_type)
    q = np.asarray(array).astype(np.int64) & ((1 << bits) - 1)
    return q if unsigned else np.where(q >> (bits - 1), q - (1 << bits), q)


def stored(case, array, onnx_type, constant=False):
    """A stored operand of a case: i8, or i4 and i2 from several in a byte."""
    bits, _ = NARROW.get(onnx_type) or stored_type(onnx_type)
    q = np.asarray(array).astype(np.int64)
    make = case.constant if constant else case.argument
    if bits == 8:
        return make((q & 255).astype(np.uint8).view(np.int8))
    packed = make(np.asarray(arith.pack_int2(q) if bits == 2
                             else arith.pack_int4(q)))
    sizes = "".join(f"{n}x" for n in q.shape)
    type_ = f"tensor<{sizes}i{bits}>"
    return case.line(
        f"quant.unpack_int{bits} {packed[0]} : {packed[1]} -> {type_}", type_)


def stored_result(case, value, shape, onnx_type, rule):
    """A stored result; `rule` is given the numbers that came back."""
    bits, _ = stored_type(onnx_type)
    if bits == 8:
        case.result(value, shape, lambda got: rule(integers(got, onnx_type)))
        return
    packed_shape = tuple(shape[:-1]) + (-(-shape[-1] // 2),)
    type_ = f"tensor<{''.join(f'{n}x' for n in packed_shape)}i8>"
    packed = case.line(f"quant.pack_int4 {value[0]} : {value[1]} -> {type_}",
                       type_)
    case.result(packed, packed_shape, lambda got: rule(
        integers(arith.unpack_int4(got, shape[-1]), onnx_type)))


def exact(expected):
    """A rule on integers: equal."""
    expected = np.asarray(expected, np.int64)

    def judge(got):
        wrong = np.argwhere(got != expected)
        if not len(wrong):
            return None
        at = tuple(wrong[0])
        return (f"{len(wrong)} of {got.size} differ, first at "
                f"{[int(i) for i in at]}: expected {expected[at]}, found "
                f"{got[at]}")
    return judge


def exact_but_ties(expected, unrounded, tolerance, ignore=None):
    """A rule on rounded integers: equal, but by one where the number before
    rounding is within `tolerance` of a tie."""
    expected = np.asarray(expected, np.int64)
    with np.errstate(invalid="ignore"):
        distance = np.abs(np.abs(unrounded - np.floor(unrounded)) - 0.5)
        tie = distance <= tolerance

    def judge(got):
        off = np.abs(got - expected)
        bad = (off > 1) | ((off == 1) & ~tie)
        if ignore is not None:
            bad &= ~ignore
        wrong = np.argwhere(bad)
        if not len(wrong):
            return None
        at = tuple(wrong[0])
        return (f"{len(wrong)} of {got.size} differ and are no ties, first at "
                f"{[int(i) for i in at]}: expected {expected[at]}, found "
                f"{got[at]}, before rounding {unrounded[at]}")
    return judge


def few_off_by_one(expected, share=0.002):
    """A rule on integers: off by one on at most `share` of them (or one)."""
    expected = np.asarray(expected, np.int64)
    allowed = max(1, int(share * expected.size))

    def judge(got):
        off = np.abs(got - expected)
        count = int((off > 0).sum())
        if count and (off.max() > 1 or count > allowed):
            return (f"{count} of {off.size} differ, by up to {off.max()}; "
                    f"allowed: {allowed}, by 1")
        return None
    return judge
