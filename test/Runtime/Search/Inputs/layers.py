"""Products with ReLU between them: as a program, and in NumPy with weights of 8 and
4 bits and activations of 8."""

import numpy as np


def program(weights, rows):
    """MLIR of x [rows, k] by `weights`, [k, n] each."""
    lines, value = [], "x"
    for i, (k, n) in enumerate(w.shape for w in weights):
        y = f"tensor<{rows}x{n}xf32>"
        lines += [
            f"%w{i} = arith.constant dense_resource<w{i}> : tensor<{k}x{n}xf32>",
            f"%e{i} = tensor.empty() : {y}",
            f"%z{i} = linalg.fill ins(%zero : f32) outs(%e{i} : {y}) -> {y}",
            f"%y{i} = linalg.matmul ins(%{value}, %w{i} : tensor<{rows}x{k}xf32>, "
            f"tensor<{k}x{n}xf32>) outs(%z{i} : {y}) -> {y}"]
        value = f"y{i}"
        if i + 1 < len(weights):
            lines.append(f"%r{i} = linalg.max ins(%y{i}, %z{i} : {y}, {y}) "
                         f"outs(%e{i} : {y}) -> {y}")
            value = f"r{i}"
    blobs = ", ".join(f'w{i}: "0x04000000{w.tobytes().hex()}"'
                      for i, w in enumerate(weights))
    body = "\n  ".join(lines)
    return f"""
func.func @main(%x: tensor<{rows}x{weights[0].shape[0]}xf32>) -> {y} {{
  %zero = arith.constant 0.0 : f32
  {body}
  return %{value} : {y}
}}
{{-# dialect_resources: {{ builtin: {{ {blobs} }} }} #-}}
"""


def fake(values, axis, bits):
    """What `values` are after they were quantized with scales along `axis`."""
    high = 2 ** (bits - 1) - 1
    scale = (np.abs(values).max(axis, keepdims=True) / high).astype(np.float32)
    scale[scale == 0] = 1
    return (np.clip(np.rint(values / scale), -high - 1, high) * scale).astype(np.float32)


def results(x, weights, bits):
    """Of inputs [s, rows, k] with the bits of each weight; 0 is float."""
    for i, (w, b) in enumerate(zip(weights, bits)):
        x = fake(x, 2, 8) @ fake(w, 0, b) if b else x @ w
        x = np.maximum(x, 0) if i + 1 < len(weights) else x
    return x.astype(float)


def sqnr(x, weights, bits):
    wanted = results(x, weights, [0] * len(weights))
    noise = ((wanted - results(x, weights, bits)) ** 2).sum()
    return 10 * np.log10((wanted ** 2).sum() / noise) if noise else np.inf


def bytes_of(weights, bits):
    """With a scale for each column."""
    return sum(w.size * 4 if b == 0 else w.size * b // 8 + 4 * w.shape[1]
               for w, b in zip(weights, bits))
