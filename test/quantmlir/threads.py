# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t
"""Ten threads call one model, compiled here and loaded from a file, with inputs
of different sizes; two models at once; threads within."""

import pathlib
import sys
import threading

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


def work(t):
    out = np.empty((t + 1, programs.N), np.float32)
    start.wait()
    for call in range(150):
        which = (t + call) % len(models)
        y = models[which](inputs[t], out=out if call % 2 else None)
        if not np.array_equal(y, expected[which][t]):
            failures.append((t, call))


threads = [threading.Thread(target=work, args=(t,)) for t in range(10)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
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
threads = [threading.Thread(target=lambda: [counter(one) for _ in range(200)])
           for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert counter(one) == 8 * 200 + 1

# OpenMP's threads, compiled here and saved.
team = quantmlir.compile(text, quantize=scheme, target="x86", threads=2)
team.save(FOLDER / "team.so")
for model in (team, quantmlir.load(FOLDER / "team.so")):
    for x, y in zip(inputs, expected[0]):
        assert np.array_equal(model(x), y)
