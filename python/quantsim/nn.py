"""The float parts of the exported models, in the order of their operations.

Sums are taken in float64 and rounded once, where the compiled program adds in
float32 one by one: the two differ by a few roundings of float32.
"""

import math

import numpy as np

F32 = np.float32

# erf by a cubic Taylor step from a table of exact values: NumPy has none.
_STEP = 1.0 / 256
_NODES = np.arange(-6 * 256, 6 * 256 + 1) * _STEP
_ERF = np.array([math.erf(v) for v in _NODES])


def erf(x):
    x64 = np.clip(np.asarray(x, np.float64), -6, 6)
    i = np.rint(x64 / _STEP).astype(np.int64) + 6 * 256
    x0 = _NODES[i]
    h = x64 - x0
    slope = 2 / math.sqrt(math.pi) * np.exp(-x0 * x0)
    step = h * (1 - x0 * h + (2 * x0 * x0 - 1) * h * h / 1.5 / 2)
    return (_ERF[i] + slope * step).astype(F32)


def exp(x):
    return np.exp(np.asarray(x, np.float64)).astype(F32)


def tanh(x):
    return np.tanh(np.asarray(x, np.float64)).astype(F32)


def total(x, axis):
    return x.sum(axis=axis, keepdims=True, dtype=np.float64).astype(F32)


def rsqrt(x):
    return (1 / np.sqrt(np.asarray(x, np.float64))).astype(F32)


def gelu_erf(x):
    """torch's exact GELU: x * ((erf(x / sqrt 2) + 1) / 2)."""
    return x * ((erf(x / F32(1.41421354)) + F32(1)) * F32(0.5))


def gelu_tanh(x):
    """JAX's approximate GELU."""
    inner = F32(0.797884583) * (x + F32(0.044715) * (x * x * x))
    return x * (F32(0.5) * (F32(1) + tanh(inner)))


def silu(x):
    with np.errstate(over="ignore"):
        return x * (F32(1) / (exp(-x) + F32(1)))


def relu(x):
    return np.maximum(x, F32(0))


def softmax(x):
    e = exp(x - x.max(-1, keepdims=True))
    return e / total(e, -1)


def layer_norm(x, weight, bias, eps):
    """torch-mlir's form: the variance in float64, the mean in float32."""
    x64 = x.astype(np.float64)
    centred = x64 - x64.mean(-1, keepdims=True)
    variance = (centred * centred).mean(-1, keepdims=True).astype(F32)
    mean = total(x, -1) / F32(x.shape[-1])
    return (x - mean) * rsqrt(variance + F32(eps)) * weight + bias


def rms_norm(x, weight, eps):
    square = total(x * x, -1) / F32(x.shape[-1])
    return weight * (x * rsqrt(square + F32(eps)))


def matmul(a, b):
    """Float product of two activations: stays float in every scheme."""
    return np.matmul(a.astype(np.float64), b.astype(np.float64)).astype(F32)
