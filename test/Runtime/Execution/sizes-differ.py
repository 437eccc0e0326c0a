# RUN: %python %s %t generic
# RUN: %python %s %t x86
"""Sizes that only the run knows: equal ones compute, others end in an error that
says both, and nothing beyond the operands is read or written."""

import pathlib
import subprocess
import sys

import numpy as np

FOLDER, TARGET = pathlib.Path(sys.argv[1]), sys.argv[2]
FOLDER.mkdir(parents=True, exist_ok=True)
RNG = np.random.default_rng(7)
W = RNG.integers(-9, 10, (8, 4)).astype(np.float32)

WEIGHT = f"""
func.func @main(%x: tensor<?x?xf32>) -> tensor<?x4xf32> {{
  %c0 = arith.constant 0 : index
  %z = arith.constant 0.0 : f32
  %w = arith.constant dense<{W.tolist()}> : tensor<8x4xf32>
  %wd = tensor.cast %w : tensor<8x4xf32> to tensor<?x4xf32>
  %m = tensor.dim %x, %c0 : tensor<?x?xf32>
  %e = tensor.empty(%m) : tensor<?x4xf32>
  %i = linalg.fill ins(%z : f32) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = linalg.matmul ins(%x, %wd : tensor<?x?xf32>, tensor<?x4xf32>)
    outs(%i : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}}
"""
BOTH = """
func.func @main(%x: tensor<?x?xf32>, %w: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %z = arith.constant 0.0 : f32
  %m = tensor.dim %x, %c0 : tensor<?x?xf32>
  %n = tensor.dim %w, %c1 : tensor<?x?xf32>
  %e = tensor.empty(%m, %n) : tensor<?x?xf32>
  %i = linalg.fill ins(%z : f32) outs(%e : tensor<?x?xf32>) -> tensor<?x?xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x?xf32>, tensor<?x?xf32>)
    outs(%i : tensor<?x?xf32>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}
"""
# A scale for each row, and a bias, that come with the rows.
ROWS = """
func.func @main(%x: tensor<?x8xi8>, %w: tensor<4x8xi8>, %s: tensor<?xf32>,
                %b: tensor<?xf32>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %z = arith.constant 0 : i32
  %m = tensor.dim %x, %c0 : tensor<?x8xi8>
  %e = tensor.empty(%m) : tensor<?x4xi32>
  %i = linalg.fill ins(%z : i32) outs(%e : tensor<?x4xi32>) -> tensor<?x4xi32>
  %acc = quant.matmul ins(%x, %w : tensor<?x8xi8>, tensor<4x8xi8>)
    outs(%i : tensor<?x4xi32>) {transpose_rhs} -> tensor<?x4xi32>
  %y = quant.rescale %acc row_scale(%s : tensor<?xf32>) bias(%b : tensor<?xf32>)
    : tensor<?x4xi32> -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
"""
# What an operand of one row is where there are several.
GROUPS = """
func.func @main(%x: tensor<2x?xf32>, %w: tensor<4x?xi8>, %s: tensor<4x?xf32>)
    -> tensor<2x4xf32> {
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x?xf32>, tensor<4x?xi8>)
    rhs_scale(%s : tensor<4x?xf32>) {group_size = 4 : i64} -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}
"""
# What the result is written into comes from the caller.
BLOCKS = """
func.func @main(%x: tensor<?x64xf32>, %a: tensor<?x64xi8>, %b: tensor<?x2xf32>)
    -> (tensor<?x64xi8>, tensor<?x2xf32>) {
  %q, %s = quant.quantize_blocks ins(%x : tensor<?x64xf32>)
    outs(%a, %b : tensor<?x64xi8>, tensor<?x2xf32>) block = 32
    range = [-127, 127] -> tensor<?x64xi8>, tensor<?x2xf32>
  return %q, %s : tensor<?x64xi8>, tensor<?x2xf32>
}
"""
QUANTIZED_ROWS = """
func.func @main(%x: tensor<?x64xf32>, %a: tensor<?x64xi8>, %b: tensor<?xf32>)
    -> (tensor<?x64xi8>, tensor<?xf32>) {
  %q, %s = quant.quantize_rows ins(%x : tensor<?x64xf32>)
    outs(%a, %b : tensor<?x64xi8>, tensor<?xf32>) range = [-127, 127]
    -> tensor<?x64xi8>, tensor<?xf32>
  return %q, %s : tensor<?x64xi8>, tensor<?xf32>
}
"""
ROTATED_ROWS = """
func.func @main(%x: tensor<?x64xf32>, %a: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %q = quant.rotate_rows ins(%x : tensor<?x64xf32>)
    outs(%a : tensor<?x64xf32>) size = 4 -> tensor<?x64xf32>
  return %q : tensor<?x64xf32>
}
"""


def run(program, arrays, *options):
    (FOLDER / "model.mlir").write_text(program)
    paths = []
    for i, array in enumerate(arrays):
        paths.append(str(FOLDER / f"in{i}.npy"))
        np.save(paths[-1], array)
    return subprocess.run(
        ["quant-run", FOLDER / "model.mlir", "--inputs=" + ",".join(paths),
         f"--outputs={FOLDER}", f"--target={TARGET}", "-O0", *options],
        capture_output=True, text=True)


def accepts(expected, *arguments):
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    assert np.array_equal(np.load(FOLDER / "out0.npy"), expected)


def refuses(message, *arguments):
    done = run(*arguments)
    assert done.returncode == 1, (done.returncode, done.stderr)
    assert "does not accept these inputs" in done.stderr, done.stderr
    assert message in done.stderr, done.stderr


def ints(*shape, kind=np.float32):
    return RNG.integers(-9, 10, shape).astype(kind)


SCHEME = "--quantize=weights=channel activations=dynamic-token"
X = ints(3, 8)
accepts(X @ W, WEIGHT, [X])
for k in (4, 80):
    for scheme in ([], [SCHEME]):
        # In float it is the cast that claims 8.
        what = "'quant.matmul' op expected equal sizes, but dimension 1 of lhs " \
            f"is {k} and dimension 0 of rhs is 8" if scheme else \
            f"of the source is {k} and the result is 8"
        refuses(what, WEIGHT, [ints(3, k)], *scheme)

W2 = ints(8, 5)
accepts(X @ W2, BOTH, [X, W2])
refuses("but dimension 0 of operand 1 is 7 and dimension 1 of operand 0 is 8",
        BOTH, [X, ints(7, 5)])
refuses("but dimension 0 of operand 1 is 900 and dimension 1 of operand 0 is 8",
        BOTH, [X, ints(900, 5)])

Q, V = ints(5, 8, kind=np.int8), ints(4, 8, kind=np.int8)
SUMS = (Q.astype(np.int32) @ V.astype(np.int32).T).astype(np.float32)
S, B = np.float32([.5, 1, 2, 4, 8]), ints(4)
accepts(SUMS * S[:, None] + B, ROWS, [Q, V, S, B])
refuses("dimension 0 of row_scale is 1 and dimension 0 of acc is 5", ROWS,
        [Q, V, S[:1], B])
refuses("dimension 0 of row_scale is 6 and dimension 0 of acc is 5", ROWS,
        [Q, V, np.float32([1] * 6), B])
refuses("dimension 0 of bias is 3 and dimension 1 of acc is 4", ROWS,
        [Q, V, S, B[:3]])

X2, SG = ints(2, 8), np.float32([[1, 2], [4, 8], [.5, 1], [1, 1]])
accepts((X2 @ (V * np.repeat(SG, 4, axis=1)).T).astype(np.float32), GROUPS,
        [X2, V, SG])
refuses("the groups of rhs is 2", GROUPS, [X2, V, SG[:, :1]])
refuses("of lhs is 9", GROUPS, [ints(2, 9), V, SG])

# The largest magnitude of each block is 127, so that scales are 1.
X64 = ints(300, 64)
X64[:, [0, 32]] = 127
OUT = np.zeros((300, 64), np.int8)
accepts(X64, BLOCKS, [X64, OUT, np.zeros((300, 2), np.float32)])
refuses("dimension 0 of ints is 2 and dimension 0 of input is 300", BLOCKS,
        [X64, OUT[:2], np.zeros((300, 2), np.float32)])
refuses("dimension 0 of scale is 1 and dimension 0 of input is 300", BLOCKS,
        [X64, OUT, np.zeros((1, 2), np.float32)])
accepts(X64, QUANTIZED_ROWS, [X64, OUT, np.zeros(300, np.float32)])
refuses("dimension 0 of packed is 2 and dimension 0 of input is 300",
        QUANTIZED_ROWS, [X64, OUT[:2], np.zeros(300, np.float32)])
refuses("dimension 0 of scale is 1 and dimension 0 of input is 300",
        QUANTIZED_ROWS, [X64, OUT, np.zeros(1, np.float32)])
H2 = np.float32([[1, 1], [1, -1]])
accepts((X64.reshape(-1, 4) @ np.kron(H2, H2) / 2).reshape(300, 64),
        ROTATED_ROWS, [X64, np.zeros((300, 64), np.float32)])
refuses("dimension 0 of rotated is 2 and dimension 0 of input is 300",
        ROTATED_ROWS, [X64, np.zeros((2, 64), np.float32)])

# No products: the scale of a row without elements is 1, and a result 0.
EMPTY = f"""
func.func @main(%x: tensor<?x0xf32>) -> tensor<?x4xf32> {{
  %c0 = arith.constant 0 : index
  %z = arith.constant 0.0 : f32
  %w = arith.constant dense<0.0> : tensor<0x4xf32>
  %m = tensor.dim %x, %c0 : tensor<?x0xf32>
  %e = tensor.empty(%m) : tensor<?x4xf32>
  %i = linalg.fill ins(%z : f32) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x0xf32>, tensor<0x4xf32>)
    outs(%i : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}}
"""
accepts(np.zeros((500, 4), np.float32), EMPTY, [ints(500, 0)], SCHEME)
RESOURCE = EMPTY.replace("dense<0.0>", "dense_resource<w>") + \
    '{-# dialect_resources: { builtin: { w: "0x04000000" } } #-}'
for scheme in ([], [SCHEME], ["--quantize=weights=group group-size=32 "
                              "activations=dynamic-block"]):
    accepts(np.zeros((5, 4), np.float32), RESOURCE, [ints(5, 0)], *scheme)
