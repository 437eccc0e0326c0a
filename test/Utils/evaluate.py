# RUN: %python %s %t
"""The evaluation of programs in NumPy, on numbers that are known: SEMANTICS'
worked examples, wrapping integers, grids, loops, and sizes that disagree."""

import pathlib
import sys

import numpy as np

from quantcheck import evaluate

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)


def run(text, *arrays):
    path = folder / "model.mlir"
    path.write_text(text)
    return evaluate.evaluate(*evaluate.load(path),
                             [np.asarray(a) for a in arrays])


F = np.float32
# The second worked example, by qcast and dcast (f32 sums of 0.1 * 0.1 * n).
y, = run("""
!q = !quant.uniform<i8:f32, 0.1>
func.func @main(%x: tensor<2x3xf32>, %w: tensor<2x3xf32>) -> tensor<2x2xf32> {
  %xq = quant.qcast %x : tensor<2x3xf32> to tensor<2x3x!q>
  %xd = quant.dcast %xq : tensor<2x3x!q> to tensor<2x3xf32>
  %wq = quant.qcast %w : tensor<2x3xf32> to tensor<2x3x!q>
  %wd = quant.dcast %wq : tensor<2x3x!q> to tensor<2x3xf32>
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x2xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<2x2xf32>) -> tensor<2x2xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>,
      affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
    ins(%xd, %wd : tensor<2x3xf32>, tensor<2x3xf32>)
    outs(%z : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}
""", np.array([[0.3, -0.2, 0.1], [-0.5, 0.4, 0.2]], F),
           np.array([[0.6, -0.1, 0.3], [-0.4, 0.7, -0.2]], F))
assert np.allclose(y, [[0.23, -0.28], [-0.28, 0.44]], atol=1e-6), y

# Ties to even, the zero point after rounding, saturation, NaN.
y, = run("""
!q = !quant.uniform<u4:f32, 0.5:3>
func.func @main(%x: tensor<7xf32>) -> tensor<7xf32> {
  %q = quant.qcast %x : tensor<7xf32> to tensor<7x!q>
  %d = quant.dcast %q : tensor<7x!q> to tensor<7xf32>
  return %d : tensor<7xf32>
}
""", np.array([0.25, 0.75, -0.25, 100, -100, np.nan, np.inf], F))
assert y.tolist() == [0.0, 1.0, 0.0, 6.0, -1.5, 0.0, 6.0], y

# Bytes wrap; the same bits read as unsigned; shifts; a comparison.
found = run("""
func.func @main(%a: tensor<4xi8>) -> (tensor<4xi8>, tensor<4xi32>, tensor<4xi8>,
                                      tensor<4xi1>) {
  %c = arith.constant dense<100> : tensor<4xi8>
  %one = arith.constant dense<1> : tensor<4xi8>
  %s = arith.addi %a, %c : tensor<4xi8>
  %u = arith.extui %a : tensor<4xi8> to tensor<4xi32>
  %h = arith.shrui %a, %one : tensor<4xi8>
  %p = arith.cmpi ult, %a, %c : tensor<4xi8>
  return %s, %u, %h, %p : tensor<4xi8>, tensor<4xi32>, tensor<4xi8>, tensor<4xi1>
}
""", np.array([100, -1, 27, -128], np.int8))
assert [f.tolist() for f in found] == [
    [-56, 99, 127, -28], [100, 255, 27, 128], [50, 127, 13, 64],
    [0, 0, 1, 0]], found

# A loop, a branch in it, a slice with the loop's counter, padding.
found = run("""
func.func @main(%x: tensor<?x2xf32>) -> (tensor<2xf32>, tensor<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %n = tensor.dim %x, %c0 : tensor<?x2xf32>
  %z = arith.constant dense<0.0> : tensor<2xf32>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%h = %z) -> tensor<2xf32> {
    %s = tensor.extract_slice %x[%i, 0] [1, 2] [1, 1]
      : tensor<?x2xf32> to tensor<2xf32>
    %m = arith.remui %i, %c2 : index
    %even = arith.cmpi eq, %m, %c0 : index
    %t = scf.if %even -> tensor<2xf32> {
      %a = arith.addf %h, %s : tensor<2xf32>
      scf.yield %a : tensor<2xf32>
    } else {
      %b = arith.subf %h, %s : tensor<2xf32>
      scf.yield %b : tensor<2xf32>
    }
    scf.yield %t : tensor<2xf32>
  }
  %v = arith.constant 7.0 : f32
  %p = tensor.pad %r low[1] high[1] {
  ^bb0(%i: index):
    tensor.yield %v : f32
  } : tensor<2xf32> to tensor<4xf32>
  return %r, %p : tensor<2xf32>, tensor<4xf32>
}
""", np.array([[1, 2], [10, 20], [100, 200]], F))
assert found[0].tolist() == [91, 182] and found[1].tolist() == [7, 91, 182, 7]

# Sizes that disagree have no result.
K = """
func.func @main(%a: tensor<?x?xf32>, %b: tensor<?x?xf32>, %c: tensor<2x2xf32>)
    -> tensor<2x2xf32> {
  %0 = tensor.cast %a : tensor<?x?xf32> to tensor<2x?xf32>
  %1 = tensor.cast %b : tensor<?x?xf32> to tensor<?x2xf32>
  %y = linalg.matmul ins(%0, %1 : tensor<2x?xf32>, tensor<?x2xf32>)
    outs(%c : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}
"""
one = np.ones((2, 2), F)
assert run(K, one, one, one)[0].tolist() == [[3, 3], [3, 3]]
for a, b in (((2, 3), (2, 2)), ((3, 2), (2, 2))):
    try:
        run(K, np.ones(a, F), np.ones(b, F), one)
        raise SystemExit(f"{a} and {b} have a result")
    except evaluate.Mismatch:
        pass
