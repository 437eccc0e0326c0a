# REQUIRES: torch-mlir, jax
# RUN: rm -rf %t && mkdir %t
# RUN: %extras-python %s %src %t | FileCheck %s
"""The code of docs/jax.md."""

# CHECK: (tensor<8x64xf32>) -> (tensor<8x32xf32>)
# CHECK: {{^0.00[0-9]+$}}

import os
import pathlib
import re
import sys

os.environ["JAX_PLATFORMS"] = "cpu"
# torch-mlir-opt is beside the interpreter.
os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
text = pathlib.Path(sys.argv[1], "docs", "jax.md").read_text()
blocks = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
assert len(blocks) == 1, len(blocks)
os.chdir(sys.argv[2])
scope = {}
exec(compile(blocks[0], "docs/jax.md", "exec"), scope)
assert scope["m"].remarks == []
# A quarter of the floats.
assert scope["m"].weights_bytes < 0.35 * 4 * (64 * 128 + 128 * 32)
