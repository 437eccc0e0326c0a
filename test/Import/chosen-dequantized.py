# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t | FileCheck %s
"""Experts [E, K, N] that a program stores as integers and dequantizes before
the run chooses one: integers and parameters are chosen, not floats. Against
NumPy from the definitions, with float and with quantized activations."""
import pathlib
import subprocess
import sys

import numpy as np

FOLDER = pathlib.Path(sys.argv[1])
E, K, N, M, G = 3, 64, 24, 4, 32
rng = np.random.default_rng(3)
X = rng.standard_normal((M, K)).astype(np.float32)
np.save(FOLDER / "x.npy", X)


def tensor(shape, element):
    return f"tensor<{'x'.join(map(str, shape))}x{element}>"


def program(ints, scales, zeros, element, parameters):
    """`parameters`: the dimensions of `ints` that scales and zeros have."""
    dims = [f"d{i}" for i in range(ints.ndim)]
    every = f"affine_map<({', '.join(dims)}) -> ({', '.join(dims)})>"
    some = (f"affine_map<({', '.join(dims)}) -> "
            f"({', '.join(dims[i] for i in parameters)})>")
    kinds = ", ".join(['"parallel"'] * ints.ndim)
    floats, w = tensor(ints.shape, "f32"), tensor((E, K, N), "f32")
    merge = (f"%w = tensor.collapse_shape %d [[0], [1, 2], [3]] : {floats} "
             f"into {w}" if ints.ndim == 4 else "")
    whole = "%w" if ints.ndim == 4 else "%d"
    return f"""
func.func @main(%x: tensor<{M}x{K}xf32>, %e: tensor<1xi64>) -> tensor<{M}x{N}xf32> {{
  %q = arith.constant dense<{ints.tolist()}> : {tensor(ints.shape, element)}
  %s = arith.constant dense<{scales.astype(float).tolist()}> : {tensor(scales.shape, "f32")}
  %z = arith.constant dense<{zeros.tolist()}> : {tensor(zeros.shape, "i8")}
  %e0 = tensor.empty() : {floats}
  %d = linalg.generic {{indexing_maps = [{every}, {some}, {some}, {every}], iterator_types = [{kinds}]}}
      ins(%q, %s, %z : {tensor(ints.shape, element)}, {tensor(scales.shape, "f32")}, {tensor(zeros.shape, "i8")}) outs(%e0 : {floats}) {{
  ^bb0(%a: {element}, %b: f32, %c: i8, %old: f32):
    %a32 = arith.extsi %a : {element} to i32
    %c32 = arith.extsi %c : i8 to i32
    %i = arith.subi %a32, %c32 : i32
    %f = arith.sitofp %i : i32 to f32
    %m = arith.mulf %f, %b : f32
    linalg.yield %m : f32
  }} -> {floats}
  {merge}
  %o = tensor.empty() : tensor<1x{K}x{N}xf32>
  %g = linalg.generic {{indexing_maps = [affine_map<(d0, d1, d2) -> (d0)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]}} ins(%e : tensor<1xi64>) outs(%o : tensor<1x{K}x{N}xf32>) {{
  ^bb0(%in: i64, %old: f32):
    %at = arith.index_cast %in : i64 to index
    %k = linalg.index 1 : index
    %n = linalg.index 2 : index
    %v = tensor.extract {whole}[%at, %k, %n] : {w}
    linalg.yield %v : f32
  }} -> tensor<1x{K}x{N}xf32>
  %one = tensor.collapse_shape %g [[0, 1], [2]] : tensor<1x{K}x{N}xf32> into tensor<{K}x{N}xf32>
  %zero = arith.constant dense<0.0> : tensor<{M}x{N}xf32>
  %y = linalg.matmul ins(%x, %one : tensor<{M}x{K}xf32>, tensor<{K}x{N}xf32>) outs(%zero : tensor<{M}x{N}xf32>) -> tensor<{M}x{N}xf32>
  return %y : tensor<{M}x{N}xf32>
}}
"""


SCALE = (np.abs(X).max(1, keepdims=True) / np.float32(127)).astype(np.float32)
QX = np.clip(np.rint(X / SCALE), -128, 127).astype(np.float64) * SCALE
for bits in (8, 4):
    for name, shape, parameters in (
            ("channel", (E, K, N), (0, 2)), ("tensor", (E, K, N), (0,)),
            ("group", (E, K // G, G, N), (0, 1, 3))):
        least = -(1 << (bits - 1))
        ints = rng.integers(least, -least, shape)
        sizes = [shape[i] for i in parameters]
        scales = rng.uniform(0.01, 0.2, sizes).astype(np.float32)
        zeros = rng.integers(-3, 4, sizes)
        (FOLDER / "model.mlir").write_text(
            program(ints, scales, zeros, f"i{bits}", parameters))
        spread = [i for i in range(len(shape)) if i not in parameters]
        real = ((ints - np.expand_dims(zeros, spread)).astype(float)
                * np.expand_dims(scales, spread)).reshape(E, K, N)
        for activations, x in (("float", X.astype(float)),
                               ("dynamic-token", QX)):
            for target, expert in (("generic", 0), ("generic", 2),
                                   ("x86", 1)):
                np.save(FOLDER / "e.npy", np.array([expert]))
                done = subprocess.run(
                    ["quant-run", FOLDER / "model.mlir", "--print=false",
                     f"--inputs={FOLDER}/x.npy,{FOLDER}/e.npy",
                     f"--outputs={FOLDER}/out", f"--target={target}",
                     f"--quantize=activations={activations}"],
                    capture_output=True, text=True)
                assert done.returncode == 0, done.stderr
                found = np.load(FOLDER / "out/out0.npy")
                assert np.allclose(found, x @ real[expert], rtol=1e-4,
                                   atol=1e-4), (name, bits, target)
                said = done.stdout.splitlines()[-1]
                assert "products: 1 in integers + 0 left" in said, said
        print(f"{name}, {bits} bits: the expert's integers")
# CHECK-COUNT-6: the expert's integers
