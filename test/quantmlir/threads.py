# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t
"""Ten threads call one model, compiled here and loaded from a file, with inputs
of different sizes; two models at once; threads within."""

import os
import pathlib
import subprocess
import sys
import threading
import time

import numpy as np
import quantmlir

from Artifact.Inputs import programs

FOLDER = pathlib.Path(sys.argv[1])
text, _ = programs.mlp()
other, _ = programs.mlp(seed=9)
scheme = "weights=channel activations=dynamic-token"
m = quantmlir.compile(text, quantize=scheme)
m.save(FOLDER / "m.so")
models = [m, quantmlir.load(FOLDER / "m.so"), quantmlir.compile(other)]
inputs = [programs.activations(rows + 1, seed=rows) for rows in range(10)]
expected = [[model(x) for x in inputs] for model in models]
failures = []
start = threading.Barrier(10)


def in_threads(count, function):
    """function(0), function(1), ..., each by a thread of its own, at once."""
    threads = [threading.Thread(target=function, args=(t,)) for t in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def work(t):
    out = np.empty((t + 1, programs.N), np.float32)
    start.wait()
    for call in range(150):
        which = (t + call) % len(models)
        y = models[which](inputs[t], out=out if call % 2 else None)
        if not np.array_equal(y, expected[which][t]):
            failures.append((t, call))


in_threads(10, work)
assert not failures, failures[:5]

# A model that keeps a variable: calls wait for each other, none is lost.
counter = quantmlir.compile("""
ml_program.global private mutable @count(dense<0> : tensor<i64>) : tensor<i64>
func.func @main(%x: tensor<i64>) -> tensor<i64> {
  %0 = ml_program.global_load @count : tensor<i64>
  %e = tensor.empty() : tensor<i64>
  %1 = linalg.add ins(%0, %x : tensor<i64>, tensor<i64>) outs(%e : tensor<i64>) -> tensor<i64>
  ml_program.global_store @count = %1 : tensor<i64>
  return %1 : tensor<i64>
}""", target="generic")
one = np.array(1, np.int64)
in_threads(8, lambda t: [counter(one) for _ in range(200)])
assert counter(one) == 8 * 200 + 1

# A model whose loops are divided, called by as many threads as above: each call
# that finds processors has threads of its own, no library has them.
divided = """
func.func @main(%x: tensor<?x512xi8>, %w: tensor<512x512xi8>) -> tensor<?x512xi32> {
  %zero = arith.constant 0 : i32
  %row = arith.constant 0 : index
  %rows = tensor.dim %x, %row : tensor<?x512xi8>
  %empty = tensor.empty(%rows) : tensor<?x512xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<?x512xi32>) -> tensor<?x512xi32>
  %y = quant.matmul ins(%x, %w : tensor<?x512xi8>, tensor<512x512xi8>)
         outs(%init : tensor<?x512xi32>) {transpose_rhs} -> tensor<?x512xi32>
  return %y : tensor<?x512xi32>
}"""
rng = np.random.default_rng(1)
weight = rng.integers(-127, 128, (512, 512), np.int8)
inputs = [rng.integers(-128, 128, (rows + 1, 512), np.int8) for rows in range(10)]
expected = [x.astype(np.int32) @ weight.T.astype(np.int32) for x in inputs]
before = len(os.listdir("/proc/self/task"))
team = quantmlir.compile(divided, target="x86", threads=3, optimize=0)
team.save(FOLDER / "team.so")
assert b"omp" not in subprocess.run(["llvm-readelf", "-d", FOLDER / "team.so"],
                                    capture_output=True, check=True).stdout
models = [team, quantmlir.load(FOLDER / "team.so")]
for model in models:
    assert np.array_equal(model(inputs[0], weight), expected[0])
processors = len(os.sched_getaffinity(0))
assert len(os.listdir("/proc/self/task")) == before + 2 * min(2, processors - 1)


def multiply(t):
    for call in range(20):
        if not np.array_equal(models[call % 2](inputs[t], weight), expected[t]):
            failures.append((t, call))


in_threads(10, multiply)
assert not failures, failures[:5]
for model in models:
    model.close()
# The system lists a thread for a moment after it was joined.
for _ in range(100):
    if len(os.listdir("/proc/self/task")) == before:
        break
    time.sleep(0.05)
else:
    raise SystemExit("threads of models that were closed are left")
