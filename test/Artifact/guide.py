# A program that is not instrumented cannot load a library that is.
# UNSUPPORTED: sanitizers
# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %src %shlib_dir %t
"""The commands of docs/artifacts.md, one after the other."""

import os
import pathlib
import re
import subprocess
import sys

SRC, LIBS, FOLDER = sys.argv[1:]
text = pathlib.Path(SRC, "docs", "artifacts.md").read_text()
blocks = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
assert len(blocks) == 5, len(blocks)
done = subprocess.run(
    ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)], cwd=FOLDER,
    env={**os.environ, "QUANT_SOURCE": SRC, "QUANT_LIBS": LIBS},
    capture_output=True, text=True)
assert done.returncode == 0, (done.stdout, done.stderr)
# 1 + 0.5 - 0.25 + 2 and -1 + 2 + 1 + 0, rounded to 8 bits.
numbers = [line.split() for line in done.stdout.splitlines()
           if re.fullmatch(r"[-0-9.e]+ [-0-9.e]+ ?", line)]
assert len(numbers) == 1, done.stdout
assert abs(float(numbers[0][0]) - 3.25) < 0.02, numbers
assert abs(float(numbers[0][1]) - 2) < 0.02, numbers
assert "10 threads, 2000 calls, 0 failures" in done.stdout
assert sorted(os.listdir(FOLDER + "/out")) == [
    "again.h", "again.so", "model.h", "model.so"]
assert {"server", "arm", "plain.o", "w.weights"} <= set(os.listdir(FOLDER))
