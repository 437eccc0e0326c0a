"""What examples/c/compile.c printed, against NumPy."""

import sys

import numpy as np

from Artifact.Inputs import programs

lines = open(sys.argv[1]).read().splitlines()
found = np.array([line for line in lines if ":" not in line], np.float32)
x = (np.arange(4 * programs.K) % 7 - 3).astype(np.float32).reshape(4, programs.K)
expected = programs.run_mlp(x, programs.mlp()[1])
assert found.size == expected.size
assert programs.sqnr(expected, found.reshape(expected.shape)) > 30
