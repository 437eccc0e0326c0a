# REQUIRES: cases
# RUN: env QUANT_CASES=%cases %python %s %build
"""A streaming int8 net that keeps its state in variables: LiteRT's results,
one step after the other. The open case hears no wake word, so that its results
are all 0; test/Integration/Forms/streaming.py has results that tell states
apart."""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from quantmlir import weights
from quantsim import catalog

NAME = "tfl_wakeword_alexa_int8"
BIN = pathlib.Path(sys.argv[1]) / "bin"


def run(model, steps, target):
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/steps.npy", steps)
        done = subprocess.run(
            [BIN / "quant-run", model, f"--target={target}",
             f"--evaluate={folder}/steps.npy", f"--outputs={folder}"],
            capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        return np.load(f"{folder}/out0.npy").view(np.uint8)


with tempfile.TemporaryDirectory() as folder:
    model = pathlib.Path(folder) / "model.mlirbc"
    found = weights.find(catalog.locate(f"{NAME}.tosa.weights.json"),
                         [catalog.locate(f"{NAME}.tosa.weights.npz")])
    weights.write_program(catalog.locate(f"{NAME}.tosa.body.mlir"), found,
                          model, BIN / "quant-opt")
    io = np.load(catalog.locate(f"{NAME}.io.npz"))
    steps, expected = io["steps_in"], io["steps_out"]
    for target in ("generic", "x86"):
        got = run(model, steps, target)
        off = np.abs(got.astype(int) - expected.astype(int))
        assert got.shape == expected.shape and off.max() == 0, \
            f"{target}: {int((off > 0).sum())} of {off.size} differ, " \
            f"by up to {off.max()}"
