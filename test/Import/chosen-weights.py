# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t | FileCheck %s
"""Experts that the run chooses from one constant [E, K, N] or [E, N, K], in
the spellings that exporters have for it, against the NumPy model of the scheme
applied to the expert alone; with a searched scale, against the program that has
each expert as a constant of its own."""
import pathlib
import re
import subprocess
import sys

import numpy as np

from quantsim.schemes import QuantLinear, Scheme

FOLDER = pathlib.Path(sys.argv[1])
E, K, N, M = 3, 40, 24, 4
SCHEMES = ["weights=channel", "weights=tensor weight-bits=4",
           "weights=channel weight-bits=4 weight-symmetric=false",
           "weights=tensor weight-symmetric=false symmetric=false",
           "weights=group group-size=16 weight-bits=4",
           "weights=group group-size=16 weight-symmetric=false",
           "weights=channel activations=float",
           "weights=tensor weight-bits=4 activations=float",
           "weights=group group-size=16 weight-bits=4 activations=float",
           "weights=channel weight-bits=4 weight-scale=mse"]
rng = np.random.default_rng(14)
X = rng.standard_normal((M, K)).astype("<f4")
W = rng.standard_normal((E, K, N)).astype("<f4")
W *= np.array([1, 4, 0.25], np.float32)[:, None, None]
np.save(FOLDER / "x.npy", X)


def slice_of(i, rows):
    """torch.select: a slice, which a transpose may follow."""
    shape = f"{N}x{K}" if rows else f"{K}x{N}"
    a, b = shape.split("x")
    text = f"""
  %i{i} = arith.constant {i} : index
  %at{i} = tensor.extract %e[%i{i}] : tensor<{E}xi64>
  %e{i} = arith.index_cast %at{i} : i64 to index
  %s{i} = tensor.extract_slice %w[%e{i}, 0, 0] [1, {a}, {b}] [1, 1, 1] : !w to tensor<{shape}xf32>"""
    if not rows:
        return text, f"%s{i}"
    return text + f"""
  %h{i} = tensor.empty() : tensor<{K}x{N}xf32>
  %t{i} = linalg.transpose ins(%s{i} : tensor<{shape}xf32>) outs(%h{i} : tensor<{K}x{N}xf32>) permutation = [1, 0]""", f"%t{i}"


def lookup_of(i, rows, captured):
    """index_select and w[e]: the index is an operand, or read in the body; a
    negative one counts from the end."""
    a, b = (N, K) if rows else (K, N)
    index = (f"""
    %first = linalg.index 0 : index
    %in = tensor.extract %p{i}[%first] : tensor<1xi64>""" if captured else "")
    ins = "" if captured else f"ins(%p{i} : tensor<1xi64>) "
    maps = "" if captured else "affine_map<(d0, d1, d2) -> (d0)>, "
    args = "%old: f32" if captured else "%in: i64, %old: f32"
    text = f"""
  %p{i} = tensor.extract_slice %e[{i}] [1] [1] : tensor<{E}xi64> to tensor<1xi64>
  %h{i} = tensor.empty() : tensor<1x{a}x{b}xf32>
  %g{i} = linalg.generic {{indexing_maps = [{maps}affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]}} {ins}outs(%h{i} : tensor<1x{a}x{b}xf32>) {{
  ^bb0({args}):{index}
    %z = arith.constant 0 : i64
    %count = arith.constant {E} : i64
    %less = arith.cmpi slt, %in, %z : i64
    %added = arith.addi %in, %count : i64
    %chosen = arith.select %less, %added, %in : i64
    %c = arith.index_cast %chosen : i64 to index
    %k = linalg.index 1 : index
    %n = linalg.index 2 : index
    %v = tensor.extract %w[%c, %k, %n] : !w
    linalg.yield %v : f32
  }} -> tensor<1x{a}x{b}xf32>
  %s{i} = tensor.collapse_shape %g{i} [[0, 1], [2]] : tensor<1x{a}x{b}xf32> into tensor<{a}x{b}xf32>"""
    if not rows:
        return text, f"%s{i}"
    return text + f"""
  %f{i} = tensor.empty() : tensor<{K}x{N}xf32>
  %t{i} = linalg.transpose ins(%s{i} : tensor<{a}x{b}xf32>) outs(%f{i} : tensor<{K}x{N}xf32>) permutation = [1, 0]""", f"%t{i}"


def constant(values):
    shape = "x".join(map(str, values.shape))
    return (f'arith.constant dense<"0x{values.tobytes().hex()}"> : '
            f"tensor<{shape}xf32>")


def program(weights, rows):
    """One product for each expert; %e says which. With its own constants,
    `weights` are the experts in the order of the products."""
    shape = f"{E}x{N}x{K}" if rows else f"{E}x{K}x{N}"
    own = weights is not W
    stored = np.ascontiguousarray(weights.swapaxes(1, 2)) if rows else weights
    lines = [f"!w = tensor<{shape}xf32>",
             f"func.func @main(%x: tensor<{M}x{K}xf32>, %e: tensor<{E}xi64>) "
             f"-> tensor<{E}x{M}x{N}xf32> {{",
             "%zero = arith.constant 0.0 : f32",
             f"%o = tensor.empty() : tensor<{M}x{N}xf32>",
             f"%init = linalg.fill ins(%zero : f32) outs(%o : "
             f"tensor<{M}x{N}xf32>) -> tensor<{M}x{N}xf32>",
             f"%r0 = tensor.empty() : tensor<{E}x{M}x{N}xf32>"]
    if not own:
        lines.append(f"%w = {constant(stored)}")
    for i in range(E):
        if own:
            text, name = f"%own{i} = {constant(weights[i])}", f"%own{i}"
        elif i == 0:
            text, name = slice_of(i, rows)
        else:
            text, name = lookup_of(i, rows, captured=i == 2)
        lines += [text, f"%y{i} = linalg.matmul ins(%x, {name} : "
                  f"tensor<{M}x{K}xf32>, tensor<{K}x{N}xf32>) outs(%init : "
                  f"tensor<{M}x{N}xf32>) -> tensor<{M}x{N}xf32>",
                  f"%r{i + 1} = tensor.insert_slice %y{i} into %r{i}"
                  f"[{i}, 0, 0] [1, {M}, {N}] [1, 1, 1] : tensor<{M}x{N}xf32>"
                  f" into tensor<{E}x{M}x{N}xf32>"]
    return "\n".join(lines + [f"return %r{E} : tensor<{E}x{M}x{N}xf32>", "}"])


def run(text, choice, scheme, target):
    (FOLDER / "model.mlir").write_text(text)
    np.save(FOLDER / "e.npy", np.array(choice, np.int64))
    done = subprocess.run(
        ["quant-run", FOLDER / "model.mlir", "--print=false",
         # Float activations are not packed on x86.
         f"--strict={str('float' not in scheme).lower()}",
         f"--inputs={FOLDER}/x.npy,{FOLDER}/e.npy", f"--target={target}",
         f"--outputs={FOLDER}/out", f"--quantize={scheme}"],
        capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"{E} in integers + 0 left" in done.stdout, done.stdout
    return np.load(FOLDER / "out/out0.npy")


def count_weights(text, scheme):
    """Constants that hold integers of the experts, in the compiled program."""
    (FOLDER / "model.mlir").write_text(text)
    done = subprocess.run(
        ["quant-opt", FOLDER / "model.mlir",
         f"--quant-to-generic=quantize={{{scheme}}} stop-after=quant"],
        capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "every call" not in done.stderr and "float:" not in done.stderr
    stored = re.findall(r"arith\.constant dense[^\n]*tensor<"
                        rf"{E}x\d+x\d+x(i4|i8)>", done.stdout)
    assert f"tensor<{E}x{K}x{N}xf32>" not in done.stdout
    assert "quantize %cst" not in done.stdout
    return len(stored)


def compare(found, choice, scheme, target):
    # The index of a slice is not negative.
    experts = W[choice]
    if "mse" in scheme:
        assert np.array_equal(found, run(program(experts, False), choice,
                                         scheme, target)), scheme
        return
    for product, weight in zip(found, experts):
        expected = QuantLinear(Scheme.parse(scheme))(X, weight,
                                                     transpose=False)
        if "activations=float" in scheme:
            assert np.allclose(product, expected, rtol=1e-5, atol=1e-5), scheme
        else:
            assert np.array_equal(product, expected), scheme


for scheme in SCHEMES:
    for rows in (False, True):
        text = program(W, rows)
        constants = count_weights(text, scheme)
        for target, choice in (("generic", [1, -1, 0]), ("x86", [2, -3, -2])):
            compare(run(text, choice, scheme, target), choice, scheme, target)
        print(f"{scheme}, {'[E, N, K]' if rows else '[E, K, N]'}: equal, "
              f"{constants} constant")
# CHECK-NOT: {{ [02-9] constant}}
# CHECK-COUNT-20: equal, 1 constant

# Statistics are of a product, whichever expert it took.
(FOLDER / "model.mlir").write_text(program(W, False))
np.save(FOLDER / "x.npy", X[None])
np.save(FOLDER / "e.npy", np.array([[0, 1, 2]]))
inputs = f"{FOLDER}/x.npy,{FOLDER}/e.npy"
stats = FOLDER / "stats.json"
subprocess.run(["quant-run", FOLDER / "model.mlir", f"--calibrate={inputs}",
                "--second-moments", f"--stats-output={stats}"], check=True)
done = subprocess.run(
    ["quant-opt", FOLDER / "model.mlir", "-o", "/dev/null",
     "--quant-to-generic=quantize={rounding=error-compensated "
     f"stats={stats}}} stop-after=quant"], capture_output=True, text=True)
print(done.stderr)
# CHECK: matmul stays in float: error compensation needs the second moments of one weight's activations, this weight is chosen at run time
