"""Runs of a tensor's last dimension quantized, each by a scale of its own, as text of
the program: heads of keys and values, blocks of activations."""

from .text import tensor


def quantize_runs(b, x, top, shares=(), is_fitted=False, is_signed=False):
    """(integers i8, scales) of x [A, B, D], of which one size may be the new
    tokens, symmetric: a scale is the largest magnitude over `top`, or, with shares (count,
    step), of 1, 1 - step, ... of that the one, the larger of two, with the least
    squared error; there the integers reach from -top - 1. Fitted: the scale is then
    what is best for the integers that it gave. Signed: the scale is below 0 where the
    value of the largest magnitude is above, so that -top - 1 is on its side."""
    if is_signed:
        sign = _sign(b, x)
        x = _times(b, x, sign)
    sizes = x.sizes
    scales = tensor(x.shape[:2])
    scale = b.op(f"quant.choose_qparams {x} axes = [0, 1] range = [-{top}, {top}] "
                 f": {x.type} -> {scales}", sizes[:2])
    low = -top
    if shares:
        low, scale = low - 1, _least_squares(b, x, scale, top, *shares)
    q = b.op(f"quant.quantize {x} scale({scale} : {scale.type}) axes = [0, 1] "
             f"range = [{low}, {top}] : {x.type} -> {tensor(x.shape, 'i8')}",
             sizes, "i8")
    if is_fitted:
        scale = _fitted(b, x, q, scale)
    return q, _times(b, scale, sign) if is_signed else scale


def _times(b, x, sign):
    """x [A, B, ..] times [A, B]."""
    dims = ("h", "s", "d")[:len(x.shape)]
    return b.generic(dims, [(x, dims), (sign, ("h", "s"))], b.empty(x.sizes),
                     ["%r = arith.mulf %a, %b : f32", "linalg.yield %r : f32"])


def _sign(b, x):
    """-1 where a run's value of the largest magnitude is above 0, else 1."""
    row, all_ = ("h", "s"), ("h", "s", "d")
    sizes = x.sizes[:2]
    high, low = (b.generic(all_, [(x, all_)], b.fill(sizes, 0.0),
                           [f"%m = arith.{op} %a, %o : f32", "linalg.yield %m : f32"],
                           row, reduced=("d",)) for op in ("maximumf", "minimumf"))
    return b.generic(row, [(high, row), (low, row)], b.empty(sizes),
                     ["%n = arith.negf %b : f32", "%p = arith.cmpf ogt, %a, %n : f32",
                      f"%s = arith.select %p, {b.number(-1.0)}, {b.number(1.0)} : f32",
                      "linalg.yield %s : f32"])


def _fitted(b, x, q, scale):
    """sum(q x) / sum(q q) of each run; `scale` where all integers are 0."""
    row, all_ = ("h", "s"), ("h", "s", "d")
    sizes = x.sizes[:2]
    as_float = "%q = arith.sitofp %a : i8 to f32"
    products = b.generic(
        all_, [(q, all_), (x, all_)], b.fill(sizes, 0.0),
        [as_float, "%p = arith.mulf %q, %b : f32", "%r = arith.addf %o, %p : f32",
         "linalg.yield %r : f32"], row, reduced=("d",))
    squares = b.generic(
        all_, [(q, all_)], b.fill(sizes, 0.0),
        [as_float, "%p = arith.mulf %q, %q : f32", "%r = arith.addf %o, %p : f32",
         "linalg.yield %r : f32"], row, reduced=("d",))
    return b.generic(
        row, [(products, row), (squares, row), (scale, row)], b.empty(sizes),
        [f"%e = arith.cmpf oeq, %b, {b.number(0.0)} : f32",
         "%d = arith.divf %a, %b : f32", "%s = arith.select %e, %c, %d : f32",
         "linalg.yield %s : f32"])


def _least_squares(b, x, scale, top, count, step):
    row, tries, all_ = ("h", "s"), ("h", "s", "c"), ("h", "s", "c", "d")
    sizes = (*x.sizes[:2], count)
    step, low = b.number(-step), b.number(-top - 1.0)
    one, high = b.number(1.0), b.number(top)
    share = ["%i = linalg.index 2 : index", "%j = arith.index_cast %i : index to i32",
             "%k = arith.sitofp %j : i32 to f32", f"%l = arith.mulf %k, {step} : f32",
             f"%f = arith.addf %l, {one} : f32"]
    tried = b.generic(tries, [(scale, row)], b.empty(sizes),
                      [*share, "%s = arith.mulf %a, %f : f32",
                       "linalg.yield %s : f32"])
    errors = b.generic(
        all_, [(x, ("h", "s", "d")), (tried, tries)], b.fill(sizes, 0.0),
        ["%p = arith.divf %a, %b : f32", "%q = math.roundeven %p : f32",
         f"%r = arith.maximumf %q, {low} : f32", f"%s = arith.minimumf %r, {high} : f32",
         "%t = arith.mulf %s, %b : f32", "%u = arith.subf %t, %a : f32",
         "%v = arith.mulf %u, %u : f32", "%w = arith.addf %o, %v : f32",
         "linalg.yield %w : f32"], tries, reduced=("d",))
    least = b.generic(tries, [(errors, tries)], b.fill(sizes[:2], 3.0e+38),
                      ["%m = arith.minimumf %a, %o : f32", "linalg.yield %m : f32"],
                      row, reduced=("c",))
    return b.generic(
        tries, [(errors, tries), (tried, tries), (least, row)], b.fill(sizes[:2], 0.0),
        ["%e = arith.cmpf ole, %a, %c : f32",
         f"%t = arith.select %e, %b, {b.number(0.0)} : f32",
         "%m = arith.maximumf %t, %o : f32", "linalg.yield %m : f32"],
        row, reduced=("c",))
