# RUN: %python %s %t generic -O0
# RUN: %python %s %t x86 --threads=2 -O0
# RUN: %python %s %t x86 --cpu=x86-64-v3 -O0
# RUN: %python %s %t x86 --cpu=x86-64 -O0
"""Sums of floats along rows (quant-sum-rows) and erf (quant-approximate-math)
against NumPy, to the bit.

float_rows.py FOLDER TARGET [quant-run options...]

Rows of fewer elements than lanes, as many, some more, and none; sizes that the
program knows and that the run knows; the variance in f64 of a layer norm, whose
mean is one number of the row; columns of a matrix, which do not follow each other
in memory. erf of all kinds of numbers, and of a GELU's quotient.
"""

import sys

import numpy as np
from Integration.Generic.Inputs.batch import Batch, report
from quantsim import functions

F32, F64 = np.float32, np.float64
SUM = """linalg.generic {{indexing_maps = [{}],
    iterator_types = ["parallel", "reduction"]}} ins({}) outs({}) {{
  ^bb0({}, %sum: {e}):
    {}
    %next = arith.addf {}, %sum : {e}
    linalg.yield %next : {e}
  }} -> tensor<?x{e}>"""
AT, ROW = ("affine_map<(i, k) -> (i, k)>", "affine_map<(i, k) -> (i)>")
COLUMN = "affine_map<(i, k) -> (k, i)>"


def add_rows(batch, x, dynamic):
    """The sums of x's rows and columns, and the variances of its rows."""
    rows, columns = x.shape
    wide = batch.argument(x)
    if dynamic:
        wide = wide[0], "tensor<?x?xf32>"
        batch.arguments[-1] = (*wide, x)
    count = lambda n: batch.line(f"arith.constant {n} : index", "index")[0]

    def zeros(n, element):
        type_ = f"tensor<?x{element}>"
        empty = batch.line(f"tensor.empty({count(n)}) : {type_}", type_)
        zero = batch.line(f"arith.constant 0.0 : {element}", element)[0]
        return batch.line(f"linalg.fill ins({zero} : {element}) outs({empty[0]} : "
                          f"{type_}) -> {type_}", type_)

    def sums(maps, ins, n, arguments, body, added, element):
        init = zeros(n, element)
        names = ", ".join(v for v, _ in ins) + " : " + ", ".join(t for _, t in ins)
        return batch.line(SUM.format(", ".join(maps), names, f"{init[0]} : {init[1]}",
                                     arguments, body, added, e=element), init[1])

    what = f"{rows} x {columns}{' dynamic' if dynamic else ''}"
    plain = sums([AT, ROW], [wide], rows, "%a: f32", "", "%a", "f32")
    batch.expect(plain, functions.sum_rows(x, not dynamic), what + ", sums of rows")
    across = sums([COLUMN, ROW], [wide], columns, "%a: f32", "", "%a", "f32")
    batch.expect(across, functions.sum_in_order(x.T), what + ", sums of columns")
    means = sums([AT, ROW], [wide], rows, "%a: f32", "%w = arith.extf %a : f32 to f64",
                 "%w", "f64")
    squares = sums([AT, ROW, ROW], [wide, means], rows, "%a: f32, %m: f64",
                   "%w = arith.extf %a : f32 to f64\n    %d = arith.subf %w, %m : f64\n"
                   "    %q = arith.mulf %d, %d : f64", "%q", "f64")
    sums64 = functions.sum_rows(x.astype(F64), not dynamic)
    d = x.astype(F64) - sums64[:, None]
    type_ = "tensor<?xf32>"
    narrow = batch.line(f"arith.truncf {squares[0]} : {squares[1]} to {type_}", type_)
    batch.expect(narrow, functions.sum_rows(d * d, not dynamic).astype(F32), what + ", squares")


def add_erf(batch, rng):
    x = np.concatenate([rng.standard_normal(500), rng.uniform(-4, 4, 500),
                        10.0 ** rng.uniform(-44, 38, 100),
                        [0, -0.0, np.inf, -np.inf, np.nan, 3.7, -3.7]]).astype(F32)
    value, type_ = batch.argument(x)
    batch.expect(batch.line(f"math.erf {value} : {type_}", type_), functions.erf(x), "erf")
    root = batch.line(f"arith.constant dense<1.41421354> : {type_}", type_)[0]
    quotient = batch.line(f"arith.divf {value}, {root} : {type_}", type_)[0]
    reciprocal = F32(1) / F32(1.41421354)
    batch.expect(batch.line(f"math.erf {quotient} : {type_}", type_),
                 functions.erf(x * reciprocal), "erf of a quotient")


def main(folder, target, *options):
    rng, batch = np.random.default_rng(3), Batch()
    for rows, columns in ((3, 15), (5, 16), (9, 17), (2, 40), (20, 384), (4, 0)):
        x = rng.standard_normal((rows, columns)).astype(F32) * F32(9)
        for dynamic in (False, True):
            if columns or dynamic:
                add_rows(batch, x, dynamic)
    add_erf(batch, rng)
    return report([(batch, folder)], target, *options)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
