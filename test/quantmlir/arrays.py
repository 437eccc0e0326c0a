# RUN: %python %s
"""Arrays go in and come out: layouts, element types, buffers of the caller's."""

import gc

import numpy as np
import quantmlir

from Artifact.Inputs import programs

text, weights = programs.mlp()
x = programs.activations(6)
expected = programs.run_mlp(x, weights)
scheme = "weights=channel activations=dynamic-token"

# Text, bytes; the signature, and what it is made of.
m = quantmlir.compile(text, target="generic")
assert str(m.signature) == "(tensor<?x64xf32>) -> (tensor<?x32xf32>)"
assert m.signature.inputs[0].shape == (None, 64)
assert m.signature.inputs[0].numpy_dtype == np.float32
assert (m.name, m.target, m.scheme) == ("model", "generic", "")
y = m(x)
assert y.dtype == np.float32 and y.shape == (6, 32)
assert programs.sqnr(expected, y) > 120
q = quantmlir.compile(text.encode(), quantize=scheme, target="generic")
assert q.scheme == scheme and q.remarks == []
# The weights are integers in the program already: a quarter of their bytes.
assert q.weights_bytes < 0.3 * m.weights_bytes
assert 30 < programs.sqnr(expected, q(x)) < 60
# Both targets compute the same integers; the default is this machine's.
assert np.array_equal(quantmlir.compile(text, quantize=scheme)(x), q(x))

# Any rows; none; results that outlive the model.
for rows in (1, 17, 0):
    z = q(programs.activations(rows))
    assert z.shape == (rows, 32), z.shape
one = quantmlir.compile(text, target="generic")
kept = one(x)
one.close()
del one
gc.collect()
assert np.array_equal(kept, y)

# Views: what is not in C order is copied, and only read.
wide = np.zeros((6, 3, 64), np.float32)
wide[:, 1] = x
for view in (wide[:, 1], np.asfortranarray(x), x[::-1][::-1], x[::-1]):
    before = view.copy()
    want = y if np.array_equal(view, x) else y[::-1]
    assert np.array_equal(m(view), want)
    assert np.array_equal(view, before)
packed = np.zeros(x.nbytes + 1, np.uint8)
odd = packed[1:].view(np.float32).reshape(x.shape)
odd[:] = x
assert np.array_equal(m(odd), y)
readonly = x.copy()
readonly.flags.writeable = False
assert np.array_equal(m(readonly), y)

# The caller's buffers, strided too, with nothing written between.
out = np.full((6, 32), np.nan, np.float32)
assert m(x, out=out) is out and np.array_equal(out, y)
big = np.full((12, 64), 7, np.float32)
m(x, out=[big[::2, ::2]])
assert np.array_equal(big[::2, ::2], y)
assert (big[1::2] == 7).all() and (big[:, 1::2] == 7).all()
# An input may be the buffer of a result.
square = quantmlir.compile("""
func.func @main(%x: tensor<4x4xf32>, %w: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x4xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x4xf32>, tensor<4x4xf32>) outs(%i : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}""")
a = np.arange(16, dtype=np.float32).reshape(4, 4)
b = a + 1
want = a @ b
square(a, b, out=a)
assert np.array_equal(a, want)


class Foreign:
    """Something with DLPack and nothing else."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


assert np.array_equal(m(Foreign(x)), y)

# Every element type, in and out, bit for bit; a scalar; an input that is a
# result, and the same result twice.
for name, dtype in {"i1": bool, "i8": np.int8, "i16": np.int16, "i32": np.int32,
                    "i64": np.int64, "f16": np.float16, "f32": np.float32,
                    "f64": np.float64, "bf16": np.uint16}.items():
    for shape in ((), (3,), (2, 3)):
        sizes = "".join(f"{s}x" for s in shape)
        t = f"tensor<{sizes}{name}>"
        echo = quantmlir.compile(
            f"func.func @main(%x: {t}) -> ({t}, {t}) {{\n  return %x, %x : {t}, {t}\n}}")
        value = np.random.default_rng(3).integers(0, 2, shape).astype(dtype)
        before = value.copy()
        first, second = echo(value)
        assert first.dtype == dtype and first.shape == shape, (first.dtype, t)
        assert np.array_equal(first, before) and np.array_equal(second, before)
        assert not np.shares_memory(first, second)
        assert not np.shares_memory(first, value)
# Signless integers take unsigned arrays; lists take the type that is expected.
echo = quantmlir.compile("func.func @main(%x: tensor<2xi8>) -> tensor<2xi8> {\n"
                         "  return %x : tensor<2xi8>\n}")
assert echo(np.array([255, 1], np.uint8)).tolist() == [-1, 1]
assert echo([3, -4]).tolist() == [3, -4]
# i4 comes in bytes; its upper bits are not the program's.
nibble = quantmlir.compile("func.func @main(%x: tensor<3xi4>) -> tensor<3xi4> {\n"
                           "  return %x : tensor<3xi4>\n}")
assert nibble(np.array([15, -8, 7], np.int8)).tolist() == [-1, -8, 7]
# No results, no inputs.
assert quantmlir.compile("func.func @main() {\n  return\n}")() is None
ones = quantmlir.compile("func.func @main() -> tensor<2xf32> {\n"
                         "  %0 = arith.constant dense<1.0> : tensor<2xf32>\n"
                         "  return %0 : tensor<2xf32>\n}")
assert ones().tolist() == [1, 1]
first = ones()
first[:] = 5
assert ones().tolist() == [1, 1]

# A program that writes to its argument writes to a copy.
writes = quantmlir.compile("""
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c1 = arith.constant 1 : index
  %v = arith.constant 9.0 : f32
  %y = tensor.insert %v into %x[%c1] : tensor<4xf32>
  return %y : tensor<4xf32>
}""")
value = np.zeros(4, np.float32)
assert writes(value).tolist() == [0, 9, 0, 0] and value.tolist() == [0] * 4
