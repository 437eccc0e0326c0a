"""NumPy's meaning of the arith and math ops: one op on whole arrays.

Floats are rounded after each op, integers wrap. An f32 sum that a reduction
carries may come as float64 (`__init__.py`); then the op's result stays wide.
"""

import math

import numpy as np

from quantcheck.generic_form import FLOATS, as_element, tensor_type, width


class Unsupported(Exception):
    """The program has something that this evaluation does not know."""


class Mismatch(Exception):
    """Sizes that disagree at run time: the program has no result."""


def unsigned(array, bits):
    """The same bits as an unsigned number; 64 bits as uint64."""
    if bits == 64:
        return np.asarray(array, np.int64).view(np.uint64)
    return np.asarray(array, np.int64) & ((1 << bits) - 1)


def to_integer(x, bits, signed):
    """fptosi, fptoui: what every runtime does out of range is wrap, through
    a signed i32 where the type is narrower."""
    wide, signed = max(bits, 32), signed or bits < 32
    low, high = (-2.0**(wide - 1), 2.0**(wide - 1)) if signed else \
        (0.0, 2.0**wide)
    with np.errstate(invalid="ignore"):
        x = np.trunc(np.nan_to_num(np.asarray(x, np.float64), nan=0.0))
        x = np.clip(x, low, high)
        if not signed and bits == 64:
            return x.astype(np.uint64).view(np.int64)
        x = np.where(x >= 2.0**63, np.float64(2.0**63 - 1024), x)
        return np.minimum(x.astype(np.int64), int(high) - 1) \
            if wide < 64 else x.astype(np.int64)


def _quotient(a, b):
    if (np.asarray(b) == 0).any():
        raise Unsupported("a division by zero")
    a, b = np.asarray(a), np.asarray(b)
    q = np.abs(a) // np.abs(b)
    return np.where((a < 0) != (b < 0), -q, q)


def _shift(bits):
    return lambda f: lambda a, b: np.where(unsigned(b, bits) < bits,
                                           f(a, np.minimum(b, 63)), 0)


_COMPARE = {"eq": np.equal, "ne": np.not_equal, "lt": np.less,
            "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal}
_PREDICATES = ["eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt",
               "uge"]
_FLOAT_PREDICATES = ["false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord",
                     "ueq", "ugt", "uge", "ult", "ule", "une", "uno", "true"]

_erf = np.vectorize(math.erf, otypes=[np.float64])

FLOAT_OPS = {
    "arith.addf": np.add, "arith.subf": np.subtract,
    "arith.mulf": np.multiply, "arith.divf": np.divide,
    "arith.remf": np.fmod, "arith.negf": np.negative,
    "arith.maximumf": np.maximum, "arith.minimumf": np.minimum,
    "arith.maxnumf": np.fmax, "arith.minnumf": np.fmin,
    "math.roundeven": np.rint, "math.floor": np.floor, "math.ceil": np.ceil,
    "math.trunc": np.trunc, "math.absf": np.abs, "math.sqrt": np.sqrt,
    "math.round": lambda a: np.copysign(np.floor(np.abs(a) + 0.5), a),
    "math.exp": np.exp, "math.exp2": np.exp2, "math.expm1": np.expm1,
    "math.log": np.log, "math.log2": np.log2, "math.log1p": np.log1p,
    "math.tanh": np.tanh, "math.sin": np.sin, "math.cos": np.cos,
    "math.erf": _erf, "math.powf": np.power, "math.copysign": np.copysign,
    "math.rsqrt": lambda a: 1 / np.sqrt(a),
    "math.fma": lambda a, b, c: np.asarray(a, np.float64) * b + c,
    "math.fpowi": lambda a, n: np.power(np.asarray(a, np.float64), n),
}

INTEGER_OPS = {
    "arith.addi": np.add, "arith.subi": np.subtract,
    "arith.muli": np.multiply, "arith.andi": np.bitwise_and,
    "arith.ori": np.bitwise_or, "arith.xori": np.bitwise_xor,
    "arith.maxsi": np.maximum, "arith.minsi": np.minimum,
    "arith.divsi": _quotient,
    "arith.remsi": lambda a, b: a - _quotient(a, b) * b,
    "arith.floordivsi": np.floor_divide,
    "arith.ceildivsi": lambda a, b: -np.floor_divide(-a, b),
    "math.absi": np.abs, "arith.bitcast": lambda a: a,
}

UNSIGNED_OPS = {
    "arith.divui": np.floor_divide, "arith.remui": np.remainder,
    "arith.ceildivui": lambda a, b: -(-a.astype(np.int64) // b),
    "arith.maxui": np.maximum, "arith.minui": np.minimum,
}


def _compare(op, operands, bits):
    code = int(op.attribute("predicate").partition(" ")[0])
    a, b = operands
    if bits is None:  # floats
        name = _FLOAT_PREDICATES[code]
        nan = np.isnan(a) | np.isnan(b)
        if name in ("false", "true"):
            return np.full(nan.shape, name == "true")
        if name in ("ord", "uno"):
            return nan if name == "uno" else ~nan
        found = _COMPARE[name[1:]](a, b)
        return found & ~nan if name[0] == "o" else found | nan
    name = _PREDICATES[code]
    if name[0] == "u":
        a, b, name = unsigned(a, bits), unsigned(b, bits), name[1:]
    return _COMPARE[name.lstrip("s") if name not in _COMPARE else name](a, b)


def apply(op, operands):
    """The result of a scalar op on arrays; raises Unsupported."""
    inputs, outputs = op.types()
    source = tensor_type(inputs[0])[1] if inputs else None
    element = tensor_type(outputs[0])[1]
    bits, name = width(source or element), op.name
    with np.errstate(all="ignore"):
        if name in FLOAT_OPS:
            found = FLOAT_OPS[name](*operands)
            wide = any(np.asarray(a).dtype == np.float64 for a in operands)
            if wide and element == "f32" and name != "math.fpowi":
                return found  # a sum that is carried wide
            return as_element(found, element)
        if name in INTEGER_OPS and bits is not None:
            return as_element(INTEGER_OPS[name](*operands), element)
        if name in UNSIGNED_OPS:
            found = UNSIGNED_OPS[name](*[unsigned(a, bits) for a in operands])
            return as_element(found.astype(np.int64), element)
        found = _convert(op, operands, source, element, bits)
    if found is None:
        raise Unsupported(name)
    return as_element(found, element)


def _convert(op, operands, source, element, bits):
    """Casts, comparisons, choices and shifts."""
    name, first = op.name, operands[0] if operands else None
    if name in ("arith.extsi", "arith.trunci", "arith.index_cast"):
        # i1 is kept as 0 and 1: extended by its sign it is -1.
        return -first if name != "arith.trunci" and bits == 1 else first
    if name in ("arith.extui", "arith.index_castui"):
        return unsigned(first, bits).astype(np.int64)
    if name == "arith.sitofp":
        return -first if bits == 1 else first
    if name == "arith.uitofp":
        return unsigned(first, bits)
    if name in ("arith.fptosi", "arith.fptoui"):
        return to_integer(first, width(element), name.endswith("si"))
    if name in ("arith.extf", "arith.truncf", "arith.convertf"):
        return first
    if name in ("arith.cmpi", "arith.cmpf"):
        return _compare(op, operands, bits)
    if name == "arith.select":
        return np.where(np.asarray(first) != 0, operands[1], operands[2])
    if name == "arith.shli":
        return _shift(bits)(np.left_shift)(*operands)
    if name == "arith.shrui":
        wide = unsigned(first, bits)
        return np.where(operands[1] < bits, wide >> np.asarray(
            np.minimum(operands[1], 63)).astype(wide.dtype), 0).astype(np.int64)
    if name == "arith.shrsi":
        return np.right_shift(first, np.minimum(operands[1], bits - 1))
    if name == "arith.bitcast":
        return _bitcast(first, source, element)
    return None


def _bitcast(value, source, element):
    if source in FLOATS and element in FLOATS:
        return value
    sizes = {"f16": 2, "f32": 4, "f64": 8}
    if source in sizes:
        return np.asarray(value, FLOATS[source]).view(f"i{sizes[source]}")
    if element in sizes:
        return np.asarray(value).astype(f"i{sizes[element]}").view(
            FLOATS[element])
    raise Unsupported("arith.bitcast of bf16")
