"""Programs with one constant weight, compiled to a stage, for the guarantees."""

import re
import subprocess

import numpy as np

M, N, K = 6, 80, 144  # what no other dimension of the programs multiplies to
SCHEMES = ["weights=channel", "weights=tensor", "weights=channel weight-bits=4",
           "weights=channel activations=dynamic-tensor symmetric=false",
           "weights=channel symmetric=false",
           "weights=tensor weight-bits=4 activation-bits=4"]
TARGETS = [("generic", ""), ("x86", "cpu=x86-64"), ("x86", "cpu=haswell"),
           ("x86", "cpu=skylake-avx512"), ("x86", "cpu=icelake-server"),
           ("x86", "cpu=alderlake")]


def resource(array):
    return '"0x40000000' + array.tobytes().hex().upper() + '"'


def float_program(n=N, k=K):
    """torch's Linear: a matmul with a transposed constant."""
    w = np.random.default_rng(3).standard_normal((n, k)).astype("<f4")
    return f"""func.func @main(%x: tensor<{M}x{k}xf32>) -> tensor<{M}x{n}xf32> {{
  %w = arith.constant dense_resource<w> : tensor<{n}x{k}xf32>
  %e = tensor.empty() : tensor<{k}x{n}xf32>
  %t = linalg.transpose ins(%w : tensor<{n}x{k}xf32>) outs(%e : tensor<{k}x{n}xf32>) permutation = [1, 0]
  %zero = arith.constant 0.0 : f32
  %i = tensor.empty() : tensor<{M}x{n}xf32>
  %init = linalg.fill ins(%zero : f32) outs(%i : tensor<{M}x{n}xf32>) -> tensor<{M}x{n}xf32>
  %y = linalg.matmul ins(%x, %t : tensor<{M}x{k}xf32>, tensor<{k}x{n}xf32>) outs(%init : tensor<{M}x{n}xf32>) -> tensor<{M}x{n}xf32>
  return %y : tensor<{M}x{n}xf32>
}}
{{-#
  dialect_resources: {{ builtin: {{ w: {resource(w)} }} }}
#-}}
"""


def grouped_program(lhs, bits, group=32):
    """quant.scaled_matmul of a constant weight, `lhs` i8 or a float type."""
    rng = np.random.default_rng(5)
    groups = -(-K // group)
    stored = rng.integers(0, 256, (N, K // 2 if bits == 4 else K)).astype("u1")
    scale = rng.uniform(.01, .02, (N, groups)).astype("<f4")
    result = "f32" if lhs == "i8" else lhs
    rhs, unpack = "%w", ""
    if bits == 4:
        rhs = "%q"
        unpack = (f"%q = quant.unpack_int4 %w : tensor<{N}x{K // 2}xi8> -> "
                  f"tensor<{N}x{K}xi4>")
    return f"""func.func @main(%x: tensor<{M}x{K}x{lhs}>) -> tensor<{M}x{N}x{result}> {{
  %w = arith.constant dense_resource<w> : tensor<{N}x{stored.shape[1]}xi8>
  %s = arith.constant dense_resource<s> : tensor<{N}x{groups}xf32>
  {unpack}
  %y = quant.scaled_matmul ins(%x, {rhs} : tensor<{M}x{K}x{lhs}>, tensor<{N}x{K}xi{bits}>)
    rhs_scale(%s : tensor<{N}x{groups}xf32>) {{group_size = {group} : i64}} -> tensor<{M}x{N}x{result}>
  return %y : tensor<{M}x{N}x{result}>
}}
{{-#
  dialect_resources: {{ builtin: {{ w: {resource(stored)}, s: {resource(scale)} }} }}
#-}}
"""


def fixed_point_program(result, per_channel, rounding):
    """An int8 layer as TFLite and TOSA have it: zero points, an i32 bias and a
    fixed-point rescale to `result`."""
    rng = np.random.default_rng(7)
    w = rng.integers(-127, 128, (N, K)).astype("i1")
    bias = rng.integers(-1000, 1000, N).astype("<i4")
    params = f"{N}x" if per_channel else ""
    m = rng.integers(1 << 30, 1 << 31, N if per_channel else 1).astype("<i4")
    s = rng.integers(36, 42, N if per_channel else 1).astype("i1")
    high = (1 << int(result[1:]) - 1) - 1
    value = lambda name, array: f"dense_resource<{name}>" if per_channel else \
        f"dense<{array[0]}>"
    return f"""func.func @main(%x: tensor<{M}x{K}xi8>) -> tensor<{M}x{N}x{result}> {{
  %w = arith.constant dense_resource<w> : tensor<{N}x{K}xi8>
  %b = arith.constant dense_resource<b> : tensor<{N}xi32>
  %m = arith.constant {value("m", m)} : tensor<{params}i32>
  %s = arith.constant {value("s", s)} : tensor<{params}i8>
  %zx = arith.constant dense<-128> : tensor<i32>
  %init = arith.constant dense<0> : tensor<{M}x{N}xi32>
  %acc = quant.matmul ins(%x, %w : tensor<{M}x{K}xi8>, tensor<{N}x{K}xi8>) lhs_zero_point(%zx : tensor<i32>)
    outs(%init : tensor<{M}x{N}xi32>) {{transpose_rhs}} -> tensor<{M}x{N}xi32>
  %y = quant.rescale_fixed_point %acc multiplier(%m : tensor<{params}i32>) shift(%s : tensor<{params}i8>)
    rounding({rounding}_ROUND) bias(%b : tensor<{N}xi32>)
    {{output_zero_point = -3 : i32, range = array<i64: {-high - 1}, {high}>}}
    : tensor<{M}x{N}xi32> -> tensor<{M}x{N}x{result}>
  return %y : tensor<{M}x{N}x{result}>
}}
{{-#
  dialect_resources: {{ builtin: {{ w: {resource(w)}, b: {resource(bias)}{
      f", m: {resource(m)}, s: {resource(s)}" if per_channel else ""} }} }}
#-}}
"""


def compile_to(text, target, options, stage="llvm", *more):
    done = subprocess.run(
        ["quant-opt", f"--quant-to-{target}={options} stop-after={stage}",
         *more], input=text.encode(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[:2000]
    return done.stdout


def sizes(text, kind, element):
    """Numbers of elements of every `kind<2x3xelement` (a regex) in the text;
    dynamic sizes count as 1."""
    found = []
    for shape in re.findall(rf"{kind}<((?:[\d?]+x)+)(?:{element})\b", text):
        found.append(int(np.prod([int(n) for n in shape.split("x")
                                  if n.isdigit()] or [1])))
    return found


def arrays(text, element):
    """Numbers of elements of every !llvm.array of `element`."""
    return [int(np.prod([int(n) for n in re.findall(r"(\d+) x", nest)]))
            for nest in re.findall(
                rf"((?:array<\d+ x )+)(?:{element})>", text)]


def programs():
    """(what, program text, options of the pipeline)."""
    for scheme in SCHEMES:
        yield scheme, float_program(), f"quantize={{{scheme}}}"
    for lhs in ("i8", "f32", "f16", "bf16"):
        for bits in (8, 4):
            yield f"groups of 32, W{bits}, {lhs}", grouped_program(lhs, bits), ""
