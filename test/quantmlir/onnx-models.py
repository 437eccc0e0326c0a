# REQUIRES: torch, torch-mlir, onnx
# RUN: rm -rf %t && mkdir %t
# RUN: %extras-python %s %src %t | FileCheck %s
"""The code of docs/onnx.md, one block after the other, and files that are none."""

# CHECK: (tensor<?x64xf32>) -> (tensor<?x32xf32>)
# CHECK: {{^}}[[#]].{{[0-9]+}} dB

import os
import pathlib
import re
import sys

from quantcheck.raising import raises
from quantmlir import CompileError

text = pathlib.Path(sys.argv[1], "docs", "onnx.md").read_text()
blocks = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
assert len(blocks) == 2, len(blocks)
os.chdir(sys.argv[2])
scope = {}
exec(compile("\n".join(blocks), "docs/onnx.md", "exec"), scope)
# Integers, and exactly those.
assert scope["n"].weights_bytes < 0.4 * 4 * 64 * 32
data = pathlib.Path("model.onnx").read_bytes()
for i, damaged in enumerate((b"", b"\x08\x07", data[:-100], data[:200])):
    path = pathlib.Path(f"damaged{i}.onnx")
    path.write_bytes(damaged)
    raises(CompileError, lambda: scope["quantmlir"].compile(path), path.name)
