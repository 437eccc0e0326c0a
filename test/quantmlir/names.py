# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t
"""Functions of a program that are called as those of the C library, of what
stands around a model's code or of OpenMP are called; loops with a reduction
beside loops over threads; and no threads in the code of a program without."""

import pathlib
import re
import subprocess
import sys

import numpy as np
import quantmlir

FOLDER = pathlib.Path(sys.argv[1])
NAMES = ["getpid", "fegetenv", "pthread_once", "pthread_create", "strlen", "mmap",
         "quantPause", "quantFork", "quantDivide", "quantGetThread", "quantSay",
         "quantStop", "quantRun", "quantAllocate", "quantForgetTeams",
         "quantCallProgram", "waitForLoop", "omp_get_thread_num", "memory"]
TYPE = "tensor<?x4096xf32>"


def addition(name, number):
    """A function that adds `number`, in a loop over threads."""
    return f"""
func.func private @{name}(%x: {TYPE}) -> {TYPE} attributes {{no_inline}} {{
  %c0 = arith.constant 0 : index
  %n = arith.constant {number}.0 : f32
  %rows = tensor.dim %x, %c0 : {TYPE}
  %empty = tensor.empty(%rows) : {TYPE}
  %k = linalg.fill ins(%n : f32) outs(%empty : {TYPE}) -> {TYPE}
  %r = linalg.add ins(%x, %k : {TYPE}, {TYPE}) outs(%empty : {TYPE}) -> {TYPE}
  return %r : {TYPE}
}}
"""


def calls():
    lines, value = [], "%x"
    for i, name in enumerate(NAMES * 2):
        lines.append(f"  %y{i} = func.call @{name}({value}) : ({TYPE}) -> {TYPE}")
        value = f"%y{i}"
    return "\n".join(lines), value


body, last = calls()
text = "".join(addition(name, i) for i, name in enumerate(NAMES)) + f"""
func.func @main(%x: {TYPE}) -> ({TYPE}, tensor<f32>, tensor<i32>) {{
  %zero = arith.constant 0 : i32
  %f0 = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = arith.constant 4096 : index
  %rows = tensor.dim %x, %c0 : {TYPE}
{body}
  %s:2 = scf.parallel (%i, %j) = (%c0, %c0) to (%rows, %n) step (%c1, %c1)
      init (%f0, %zero) -> (f32, i32) {{
    %v = tensor.extract %x[%i, %j] : {TYPE}
    %w = arith.fptosi %v : f32 to i32
    scf.reduce(%v, %w : f32, i32) {{
    ^bb0(%a: f32, %b: f32):
      %t = arith.addf %a, %b : f32
      scf.reduce.return %t : f32
    }}, {{
    ^bb0(%a: i32, %b: i32):
      %t = arith.addi %a, %b : i32
      scf.reduce.return %t : i32
    }}
  }}
  %f = tensor.from_elements %s#0 : tensor<f32>
  %k = tensor.from_elements %s#1 : tensor<i32>
  return {last}, %f, %k : {TYPE}, tensor<f32>, tensor<i32>
}}
"""
x = (np.random.default_rng(0).standard_normal((20, 4096)) * 99).astype(np.float32)
whole = np.round(x)
for threads in (1, 2):
    model = quantmlir.compile(text, target="x86", threads=threads, optimize=0)
    path = FOLDER / f"threads{threads}.o"
    model.save(path)
    for data in (x, whole, x[:3]):
        sums, real, integer = model(data)
        expected = data
        for i in list(range(len(NAMES))) * 2:
            expected = expected + np.float32(i)
        assert np.array_equal(sums, expected), threads
        # In order: no sum is divided.
        assert real == np.add.accumulate(data.ravel())[-1], threads
        assert integer == data.astype(np.int32).sum(), threads
    undefined = subprocess.run(["llvm-nm", "--undefined-only", path], check=True,
                               capture_output=True, text=True).stdout
    for name in ("pthread_create", "fegetenv"):
        assert bool(re.search(rf"\b{name}$", undefined, re.M)) == (threads > 1), undefined
