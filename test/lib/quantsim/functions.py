"""Functions and sums of floats that all targets compute alike, from the definitions
of `quant-approximate-math` and `quant-sum-rows`.
"""

import numpy as np

from .arith import fma32
from .attention import LANES, add_lanes

F32 = np.float32
ERF = [float.fromhex(c) for c in (
    "0x1.874f0cp-2", "-0x1.861434p-3", "0x1.2058fcp-3", "-0x1.cd54dap-4",
    "0x1.72d36ap-4", "-0x1.2118bp-4", "0x1.aa92dep-5", "-0x1.2409ccp-5",
    "0x1.7dbbb6p-6", "-0x1.f10e28p-7", "0x1.0ad55ap-7", "-0x1.68fe24p-9",
    "0x1.b05246p-10", "-0x1.d8e93ap-10", "0x1.6c982p-11")]


def erf(x):
    x = np.asarray(x, F32)
    with np.errstate(all="ignore"):
        t = fma32(x * x, F32(0.146092027), F32(-1))
        y = np.full_like(x, F32(ERF[-1]))
        for c in ERF[-2::-1]:
            y = fma32(y, t, F32(c))
        return np.where(np.abs(x) >= F32(3.7), np.copysign(F32(1), x), y * x)


def sum_in_order(x):
    """Of each row, element by element."""
    total = np.zeros(x.shape[0], x.dtype)
    for column in x.T:
        total = total + column
    return total


def sum_rows(x, is_known=False):
    """Of each row of floats: in lanes, or in order where the program knows that rows
    are shorter than those."""
    rows, columns = x.shape
    if is_known and columns < LANES:
        return sum_in_order(x)
    padded = np.zeros((rows, -(-columns // LANES) * LANES), x.dtype)
    padded[:, :columns] = x
    lanes = np.zeros((rows, LANES), x.dtype)
    for part in range(0, padded.shape[1], LANES):
        lanes = lanes + padded[:, part:part + LANES]
    return add_lanes(lanes)[:, 0]
