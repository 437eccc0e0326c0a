"""Programs of these tests, and what they compute by NumPy."""

import numpy as np

K, H, N = 64, 96, 32


def text(array):
    """A constant in MLIR's hexadecimal form."""
    return f'dense<"0x{np.ascontiguousarray(array).tobytes().hex().upper()}">'


def mlp(seed=0, rows="?", entry="main"):
    """MLIR of relu(x W1 + b) W2 with `rows` rows, and its weights: two of them
    are larger than 4096 bytes."""
    rng = np.random.default_rng(seed)
    w1, b, w2 = (rng.standard_normal(s).astype(np.float32)
                 for s in ((K, H), (H,), (H, N)))
    empty = "%m" if rows == "?" else ""
    return f"""
func.func @{entry}(%x: tensor<{rows}x{K}xf32>) -> tensor<{rows}x{N}xf32> {{
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %m = tensor.dim %x, %c0 : tensor<{rows}x{K}xf32>
  %w1 = arith.constant {text(w1)} : tensor<{K}x{H}xf32>
  %b = arith.constant {text(b)} : tensor<{H}xf32>
  %w2 = arith.constant {text(w2)} : tensor<{H}x{N}xf32>
  %e0 = tensor.empty({empty}) : tensor<{rows}x{H}xf32>
  %i0 = linalg.fill ins(%zero : f32) outs(%e0 : tensor<{rows}x{H}xf32>) -> tensor<{rows}x{H}xf32>
  %y0 = linalg.matmul ins(%x, %w1 : tensor<{rows}x{K}xf32>, tensor<{K}x{H}xf32>) outs(%i0 : tensor<{rows}x{H}xf32>) -> tensor<{rows}x{H}xf32>
  %r = linalg.generic {{
    indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>],
    iterator_types = ["parallel", "parallel"]}}
    ins(%y0, %b : tensor<{rows}x{H}xf32>, tensor<{H}xf32>) outs(%e0 : tensor<{rows}x{H}xf32>) {{
  ^bb0(%v: f32, %c: f32, %o: f32):
    %s = arith.addf %v, %c : f32
    %t = arith.maximumf %s, %zero : f32
    linalg.yield %t : f32
  }} -> tensor<{rows}x{H}xf32>
  %e1 = tensor.empty({empty}) : tensor<{rows}x{N}xf32>
  %i1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<{rows}x{N}xf32>) -> tensor<{rows}x{N}xf32>
  %y = linalg.matmul ins(%r, %w2 : tensor<{rows}x{H}xf32>, tensor<{H}x{N}xf32>) outs(%i1 : tensor<{rows}x{N}xf32>) -> tensor<{rows}x{N}xf32>
  return %y : tensor<{rows}x{N}xf32>
}}
""", (w1, b, w2)


def run_mlp(x, weights):
    """The same in double precision."""
    w1, b, w2 = (w.astype(np.float64) for w in weights)
    return np.maximum(x.astype(np.float64) @ w1 + b, 0) @ w2


def sqnr(expected, found):
    """In dB."""
    error = np.sum((expected - found.astype(np.float64)) ** 2)
    return 10 * np.log10(np.sum(np.square(expected, dtype=np.float64)) / error)


def activations(rows, seed=1):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((rows, K)).astype(np.float32)
