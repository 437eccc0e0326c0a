"""The float parts of the exported models, operation by operation.

A rounding that goes the other way before a `quantize` moves one integer by one,
and the layers behind it multiply that difference: for whole models the oracle
must round as the program does. So sums are float32 in the order of the index
and without fused multiply-add, and `exp`, `erf` and `tanh` are the C library's.
"""

import ctypes
import ctypes.util

import numpy as np

F32 = np.float32

_LIBM = ctypes.CDLL(ctypes.util.find_library("m") or "libm.so.6")


def _libm(name):
    function = getattr(_LIBM, name)
    function.restype = ctypes.c_float
    function.argtypes = [ctypes.c_float]
    each = np.frompyfunc(function, 1, 1)
    return lambda x: each(x).astype(F32)


exp = _libm("expf")
erf = _libm("erff")
tanh = _libm("tanhf")


def total(x, axis):
    """Sum over `axis` one by one, in the type of x; keeps the dimension."""
    return np.add.accumulate(x, axis=axis).take([-1], axis=axis)


def rsqrt(x):
    return F32(1) / np.sqrt(x)


def gelu_erf(x):
    """torch's exact GELU: x * ((erf(x / sqrt 2) + 1) / 2)."""
    return x * ((erf(x / F32(1.41421354)) + F32(1)) * F32(0.5))


def gelu_tanh(x):
    """JAX's approximate GELU."""
    inner = F32(0.797884583) * (x + F32(0.044715) * ((x * x) * x))
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
    centred = x64 - total(x64, -1) / x.shape[-1]
    variance = (total(centred * centred, -1) / x.shape[-1]).astype(F32)
    mean = total(x, -1) / F32(x.shape[-1])
    return (x - mean) * rsqrt(variance + F32(eps)) * weight + bias


def rms_norm(x, weight, eps):
    square = total(x * x, -1) / F32(x.shape[-1])
    return weight * (x * rsqrt(square + F32(eps)))


def matmul(a, b):
    """Float product of two activations: stays float in every scheme."""
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    acc = np.zeros(batch + (a.shape[-2], b.shape[-1]), F32)
    for k in range(a.shape[-1]):
        acc = acc + a[..., :, k:k + 1] * b[..., k:k + 1, :]
    return acc
