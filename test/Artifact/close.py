# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t %cc %S/Inputs/close.c
"""Closing the library of a model gives back all that calls took, without
unload(): the thread key and the weights' pages; and a process may end while it
calls. A model whose loops are divided over threads, and one without."""

import pathlib
import subprocess
import sys

from Artifact.Inputs import programs

FOLDER, CC, MAIN = map(pathlib.Path, sys.argv[1:])

text, _ = programs.mlp()
(FOLDER / "model.mlir").write_text(text)
for target in (["--target=x86", "--threads=2"], []):
    subprocess.run(["quant-compile", FOLDER / "model.mlir", "-O0",
                    f"--emit={FOLDER}/model.so", *target],
                   check=True, stdout=subprocess.DEVNULL)
    subprocess.run([CC, "-std=gnu11", "-Wall", "-Wextra", "-Werror", f"-I{FOLDER}",
                    MAIN, "-pthread", "-ldl", "-o", FOLDER / "main"], check=True)
    done = subprocess.run([FOLDER / "main", FOLDER / "model.so"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done
