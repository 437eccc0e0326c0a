# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %src %t | FileCheck %s
"""The code of docs/python.md, one block after the other."""

# CHECK: (tensor<?x256xf32>) -> (tensor<?x128xf32>)
# CHECK: (None, 256)
# CHECK: {{^}}[[#]].{{[0-9]+}} dB
# CHECK: {{^}}[[#]].{{[0-9]+}} dB; 1 matmul
# CHECK: input 0: expected tensor<?x256xf32>, found an array of float64 with shape (8, 256); array.astype('float32') converts it
# CHECK: program:9:8: error: {{.*}}linalg.mat

import os
import pathlib
import re
import sys

text = pathlib.Path(sys.argv[1], "docs", "python.md").read_text()
blocks = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
assert len(blocks) == 5, len(blocks)
os.chdir(sys.argv[2])
scope = {}
exec(compile("\n".join(blocks), "docs/python.md", "exec"), scope)
assert sorted(os.listdir(".")) == [
    "model.h", "model.so", "model.weights", "report.html"]
