"""When a result of a program counts as the expected one.

Without a scheme the program says its numbers, so they are held to it:

* integers are equal; floats differ by at most 1e-5 of the largest magnitude
  (f16: 1e-3, bf16: 8e-3), which covers the order of a sum; where a program
  multiplies narrow floats that it dequantizes, they are held to that type's
  share: SEMANTICS.md ("Weight-only") has the products be those of the exact
  s * (q - z), which the program rounds first;
* where the program rounds to a grid after a float step, a tie may fall to the
  other side: at most 1 % of the elements, or one of them, by at most one step
  of the result's grid (integers: 1; floats that lie on no grid: 2 % of the
  largest magnitude).

With a scheme whose integers are new, its error is allowed: a tenth of the
result in the Euclidean norm; half of that where the weight's integers are the
program's own, which a coarse scheme must not replace. NaN and infinities stand
where they must.
"""

import numpy as np

from quantcheck.program import BF16, to_float

SHARE = 0.01
NORM = 0.1
KEPT = 0.05


def _as_numbers(array, like=None):
    """float64; bytes read as unsigned where the other side is."""
    array = np.asarray(array)
    if array.dtype.kind in "iub" and like is not None and \
            np.asarray(like).dtype.kind == "u":
        array = array.astype(np.int64) & \
            ((1 << 8 * np.asarray(like).dtype.itemsize) - 1) \
            if np.asarray(like).dtype.itemsize < 8 else array
    return to_float(array)


TOLERANCE = {"bf16": 8e-3, "f16": 1e-3}


def _tolerance(dtype):
    if dtype == BF16:
        return TOLERANCE["bf16"]
    return {2: TOLERANCE["f16"], 4: 1e-5, 8: 1e-5}[dtype.itemsize]


def _step(expected):
    """The step of the grid on which all values lie, or None."""
    values = np.unique(expected)
    if len(values) < 2 or len(values) > 512:
        return None
    gaps = np.diff(values)
    step = gaps.min()
    off = np.abs(gaps / step - np.rint(gaps / step))
    return step if (off < 1e-2).all() and step > 1e-3 * np.abs(values).max() \
        else None


def difference(got, expected, rounds=False, allowed=None, factors=0):
    """None, or in words how `got` is not `expected`. `factors`: the tolerance
    of what is multiplied on the way."""
    got, expected = np.asarray(got), np.asarray(expected)
    if got.shape != expected.shape:
        return f"expected the shape {expected.shape}, found {got.shape}"
    if not got.size:
        return None
    a, b = _as_numbers(got, expected), _as_numbers(expected)
    finite = np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return "NaN or infinity stand elsewhere than expected"
    a, b = a[finite], b[finite]
    if not a.size:
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        off = np.abs(a - b)
        largest = np.abs(b).max()
        if allowed is not None:
            norm = float(np.linalg.norm(off) / max(np.linalg.norm(b), 1e-30))
            return None if norm <= allowed or not off.any() else \
                f"relative error {norm:.3g}, allowed {allowed}"
        integers = got.dtype.kind in "iub"
        bound = 0 if integers else \
            max(_tolerance(got.dtype), factors) * largest
        bad = ~(off <= bound)
        if not bad.any():
            return None
        step = 1 if integers else _step(b) or 0.02 * largest
        if rounds and bad.sum() <= max(1, SHARE * bad.size) and \
                (off[bad] <= step * 1.001 + bound).all():
            return None
    at = int(np.argmax(np.where(np.isfinite(off), off, np.inf)))
    return (f"{bad.sum()} of {bad.size} differ, most by {off[at]:.4g}: expected "
            f"{b[at]:.8g}, found {a[at]:.8g}")
