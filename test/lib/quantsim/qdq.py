"""Programs that describe their integers by upstream's `!quant.uniform` types.

The digits MLP of the `quantdialect_*` models: every layer quantizes its input
with a static scale, multiplies it with stored weights, and adds a float bias.
The parameters are read from the body's types.
"""

import re

import numpy as np

from quantsim import arith, nn

_QCAST = re.compile(r"quant\.qcast .*uniform<([iu])(\d+)(?:<-?\d+:-?\d+>)?:f32,"
                    r" ([0-9.eE+-]+)(?::(-?\d+))?>>")
_SCAST = re.compile(r"quant\.scast .*uniform<i(\d+)(?:<-?\d+:-?\d+>)?:f32"
                    r"(?::(\d+), \{([^}]*)\}|, ([0-9.eE+-]+))>>")
_CONSTANT = re.compile(r"arith\.constant (dense_resource<(\w+)>|"
                       r"dense<(.*)>) : tensor<([0-9x]+)x(i8|i4|f32)>$", re.M)


def _constants(body, arrays):
    """All tensor constants, in the order of the text."""
    for _, key, literal, shape, kind in _CONSTANT.findall(body):
        shape = tuple(int(n) for n in shape.split("x"))
        if key:
            yield arrays[key].reshape(shape)
        elif literal.startswith('"0x'):
            data = bytes.fromhex(literal.strip('"')[2:])
            yield np.frombuffer(data, np.float32 if kind == "f32" else np.int8
                                ).reshape(shape)
        else:
            numbers = re.findall(r"-?\d+", literal)
            yield np.array(numbers, np.int64).reshape(shape)


def digits_mlp(body, arrays, x):
    """Result of the integers that the body describes, and (qx, acc) a layer."""
    activations = _QCAST.findall(body)
    weights = _SCAST.findall(body)
    constants = list(_constants(body, arrays))
    integers = []
    for i, ((sign, bits, sx, zx), (_, _, per_axis, sw)) in enumerate(
            zip(activations, weights)):
        top = 1 << int(bits)
        qrange = (0, top - 1) if sign == "u" else (-top // 2, top // 2 - 1)
        sx, zx = np.float32(sx), int(zx or 0)
        sw = np.array([float(v) for v in (per_axis or sw).split(",")],
                      np.float32)
        qw, bias = constants[2 * i], constants[2 * i + 1]
        qx = arith.quantize(x, sx, zx, (), qrange)
        acc = arith.matmul_i32(qx, qw, zx)
        integers.append((qx, acc))
        x = arith.rescale(acc, row_scale=sx, channel_scale=sw, bias=bias)
        x = nn.relu(x) if i + 1 < len(weights) else x
    return x, integers
