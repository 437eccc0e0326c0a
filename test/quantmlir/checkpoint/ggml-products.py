# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t --target=generic
# RUN: %python %s %t --target=x86
# RUN: %python %s %t --target=x86 --cpu=x86-64
"""Products as ggml computes them: activations in Q8_0 by a weight in Q4_0 or
Q8_0. What ggml says is written here once more, element by element:

* quantize_row_q8_0_ref: d = amax / 127, q = roundf(x * (1 / d)), d stored as
  f16. The bytes are PyPI's `gguf`'s, and those of quant.quantize_blocks.
* ggml_vec_dot_q4_0_q8_0, ggml_vec_dot_q8_0_q8_0: an integer sum for each block,
  times both scales. ggml has no order of its own for the sums of blocks (each
  processor's has another one), so the integers are compared to the bit, and the
  result with this project's order of the same sums, to the bit, and with ggml's
  generic one within the rounding of its additions.

ggml-products.py FOLDER [quant-run options...]
"""

import os
import subprocess
import sys

import gguf
import numpy as np
from gguf import quants
from quantmlir import checkpoint
from quantmlir.blocks import pack_int4
from quantsim.arith import fma32

FOLDER, OPTIONS = sys.argv[1], sys.argv[2:]
F32 = np.float32
M, N, K, BLOCK = 5, 19, 224, 32
rng = np.random.default_rng(3)


def quantize_row_q8_0(x):
    """One row as ggml's C: (integers, f16 scales)."""
    ints, scales = [], []
    for block in x.reshape(-1, BLOCK):
        d = np.abs(block).max() / F32(127)
        inverse = F32(1) / d if d else F32(0)
        # roundf: half away from zero; exact in double.
        v = (block * inverse).astype(np.float64)
        ints.append(np.trunc(v + np.copysign(.5, v)).astype(np.int64))
        scales.append(np.float16(d))
    return np.array(ints), np.array(scales)


def unpack_q4_0(raw):
    """Blocks of a row: integers in the order of elements, f16 scales."""
    raw = raw.reshape(-1, 18)
    d = raw[:, :2].copy().view(np.float16)[:, 0]
    low, high = raw[:, 2:] & 15, raw[:, 2:] >> 4
    return np.concatenate([low, high], 1).astype(np.int64) - 8, d


def unpack_q8_0(raw):
    raw = raw.reshape(-1, 34)
    return raw[:, 2:].view(np.int8).astype(np.int64), raw[:, :2].copy().view(np.float16)[:, 0]


def constant(array, element):
    sizes = "x".join(map(str, array.shape))
    return (f'arith.constant dense<"0x{array.tobytes().hex().upper()}"> : '
            f"tensor<{sizes}x{element}>")


def program(weight):
    """Floats by the stored weight, which the scheme quantizes."""
    groups = K // BLOCK
    nibbles = weight.bits == 4
    stored = pack_int4(weight.q) if nibbles else weight.q.astype(np.int8)
    lines = [f"%s = {constant(weight.scale, 'f32')}",
             f"%{'p' if nibbles else 'w'} = {constant(stored, 'i8')}"]
    if nibbles:
        lines.append(f"%w = quant.unpack_int4 %p : tensor<{N}x{K // 2}xi8> -> tensor<{N}x{K}xi4>")
    zero = ""
    if weight.zero_point is not None:
        lines.append(f"%z = {constant(weight.zero_point.astype(np.int32), 'i32')}")
        zero = f" rhs_zero_point(%z : tensor<{N}x{groups}xi32>)"
    flag = ", rhs_unsigned" if weight.unsigned else ""
    return f"""func.func @main(%x: tensor<{M}x{K}xf32>) -> tensor<{M}x{N}xf32> {{
  {chr(10).join(lines)}
  %y = quant.scaled_matmul ins(%x, %w : tensor<{M}x{K}xf32>, tensor<{N}x{K}xi{weight.bits}>)
    rhs_scale(%s : tensor<{N}x{groups}xf32>){zero} {{group_size = {BLOCK} : i64{flag}}}
    -> tensor<{M}x{N}xf32>
  return %y : tensor<{M}x{N}xf32>
}}
"""


QUANTIZE = f"""func.func @main(%x: tensor<{M}x{K}xf32>) -> (tensor<{M}x{K}xi8>, tensor<{M}x{K // BLOCK}xf32>) {{
  %q = tensor.empty() : tensor<{M}x{K}xi8>
  %s = tensor.empty() : tensor<{M}x{K // BLOCK}xf32>
  %r:2 = quant.quantize_blocks ins(%x : tensor<{M}x{K}xf32>)
    outs(%q, %s : tensor<{M}x{K}xi8>, tensor<{M}x{K // BLOCK}xf32>) block = {BLOCK}
    range = [-127, 127] scales = q8_0 -> tensor<{M}x{K}xi8>, tensor<{M}x{K // BLOCK}xf32>
  return %r#0, %r#1 : tensor<{M}x{K}xi8>, tensor<{M}x{K // BLOCK}xf32>
}}
"""


def run(text, x, *options):
    with open(f"{FOLDER}/model.mlir", "w") as file:
        file.write(text)
    np.save(f"{FOLDER}/x.npy", x)
    subprocess.run([os.environ.get("QUANT_RUN", "quant-run"), f"{FOLDER}/model.mlir",
                    f"--inputs={FOLDER}/x.npy", f"--outputs={FOLDER}", *OPTIONS, *options],
                   check=True, stdout=subprocess.DEVNULL)
    count = 2 if text is QUANTIZE else 1
    return [np.load(f"{FOLDER}/out{i}.npy") for i in range(count)]


# Halves of a step are what roundings differ in.
x = rng.standard_normal((M, K)).astype(F32)
x[0] = rng.integers(-254, 255, K) * F32(.5)
x[0, ::BLOCK] = 127
x[1, :BLOCK] = 0
rows = [quantize_row_q8_0(row) for row in x]
bytes_of = np.stack([np.concatenate([s[:, None].view(np.uint8), q.astype(np.int8).view(np.uint8)], 1)
                     .ravel() for q, s in rows])
assert np.array_equal(bytes_of, quants.quantize(x, gguf.GGMLQuantizationType.Q8_0))
ints, scales = run(QUANTIZE, x)
for i, (q, s) in enumerate(rows):
    assert np.array_equal(ints[i], q.ravel()), i
    # A block of zeros has the scale 1, which multiplies zeros.
    assert np.array_equal(scales[i], np.where(s == 0, 1, s.astype(F32))), i

out = gguf.GGUFWriter(f"{FOLDER}/weights.gguf", "llama")
raw = {}
for kind in ("Q4_0", "Q8_0"):
    type_ = getattr(gguf.GGMLQuantizationType, kind)
    raw[kind] = quants.quantize(rng.standard_normal((N, K)).astype(F32), type_)
    out.add_tensor(kind, raw[kind], raw_dtype=type_)
out.write_header_to_file()
out.write_kv_data_to_file()
out.write_tensors_to_file()
out.close()
for kind, unpack in (("Q4_0", unpack_q4_0), ("Q8_0", unpack_q8_0)):
    weight = checkpoint.open(f"{FOLDER}/weights.gguf").tensors[kind].weight()
    found, = run(program(weight), x,
                 "--quantize=activations=dynamic-block activation-scales=q8_0")
    same, generic = np.zeros((M, N), F32), np.zeros((M, N), F32)
    size = np.zeros((M, N))
    for n in range(N):
        w, dw = unpack(raw[kind][n])
        for m, (q, dx) in enumerate(rows):
            for sum_, d in zip((w * q).sum(1), dw.astype(F32) * dx.astype(F32)):
                same[m, n] = fma32(F32(sum_), d, same[m, n])
                generic[m, n] += F32(sum_) * d
                size[m, n] += abs(float(sum_) * d)
    assert np.array_equal(found, same), (kind, np.abs(found - same).max())
    assert np.all(np.abs(found - generic) <= 2 * K / BLOCK * 2.0**-24 * size), kind
    print("ok", kind, *OPTIONS)
