# RUN: rm -rf %t && mkdir %t
# RUN: %python %src/utils/attach-weights.py --opt %build/bin/quant-opt %src/test/Inputs/models/digits_mlp_b16.body.mlir %src/test/Inputs/models/digits_mlp_b16.weights.json %t/model.mlir %src/test/Inputs/models/digits_mlp_b16.weights.npz
# RUN: env CC=%cc %python %s %src %t | FileCheck %s
"""The first lines of README.md: a layer that is written by hand and what is said of
it, and an exported model on its way to a call from C."""

# CHECK: {{^}}{{[3-9][0-9]}}.{{[0-9]+}} dB to the float model
# CHECK: 16 x 10

import os
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np

source, folder = map(pathlib.Path, sys.argv[1:])
text = (source / "README.md").read_text()
page = text[text.index("## Twelve lines"):text.index("## Two commands")]
python, = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
shell, = re.findall(r"^```sh\n(.*?)^```", page, re.M | re.S)
page = text[text.index("## From nothing"):text.index("## Twelve lines")]
layer, = re.findall(r"^```sh\n(.*?)^```", page, re.M | re.S)
said = re.findall(r"^```text\n(.*?)^```", page, re.M | re.S)[-1]
archive = np.load(source / "test/Inputs/models/digits_mlp_b16.io.npz")
os.chdir(folder)
done = subprocess.run(["bash", "-euc", layer], capture_output=True, text=True, check=True)
assert done.stdout.endswith(said), done.stdout
archive["in0"].astype(np.float32).tofile("x.bin")
shutil.copy(source / "examples/artifact/main.c", ".")
scope = {}
exec(compile(python, "README.md", "exec"), scope)
assert os.path.getsize("report.html") > 10000
shell = shell.replace("cc main.c", f"{os.environ['CC']} main.c")
done = subprocess.run(["bash", "-euc", shell], capture_output=True, text=True, check=True)
rows = [[float(v) for v in re.findall(r"-?\d+\.\d+(?:e-?\d+)?", line)]
        for line in done.stdout.splitlines()]
print(len(rows), "x", len(rows[0]))
found = np.array(rows)
assert np.allclose(found, scope["m"](scope["x"]), atol=1e-4), done.stdout
