# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t
"""What was saved computes the same when it is loaded, from a library and from an
object, in this process and in another, whatever becomes of the files; versions
are independent, and the weights of processes are the same memory."""

import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import quantmlir

from Artifact.Inputs import programs

FOLDER = pathlib.Path(sys.argv[1])
text, weights = programs.mlp()
x = programs.activations(4)
m = quantmlir.compile(text, quantize="weights=channel activations=dynamic-token")
y = m(x)
assert programs.sqnr(programs.run_mlp(x, weights), y) > 30

m.save(FOLDER / "net.so")
m.save(FOLDER / "net.o")
assert sorted(p.name for p in FOLDER.iterdir()) == [
    "model.weights", "net.h", "net.o", "net.so", "net.weights"]
for path in ("net.so", "net.o"):
    loaded = quantmlir.load(FOLDER / path)
    assert np.array_equal(loaded(x), y)
    assert loaded.signature == m.signature and loaded.scheme == m.scheme
    loaded.close()

# What LLVM does makes other code for the same numbers.
(FOLDER / "levels").mkdir()
for level in range(4):
    leveled = quantmlir.compile(text, quantize=m.scheme, optimize=level)
    assert np.array_equal(leveled(x), y)
    leveled.save(FOLDER / "levels" / f"{level}.o")
codes = [(FOLDER / "levels" / f"{level}.o").read_bytes() for level in range(4)]
assert codes[2] == (FOLDER / "net.o").read_bytes() and len(set(codes)) > 2
assert len(codes[0]) > len(codes[2])

# Renamed together, and with weights elsewhere.
(FOLDER / "moved").mkdir()
shutil.copy(FOLDER / "net.so", FOLDER / "moved" / "other.so")
shutil.copy(FOLDER / "net.weights", FOLDER / "moved" / "other.weights")
assert np.array_equal(quantmlir.load(FOLDER / "moved" / "other.so")(x), y)
shutil.move(FOLDER / "moved" / "other.weights", FOLDER / "moved" / "elsewhere")
assert np.array_equal(quantmlir.load(FOLDER / "moved" / "other.so",
                                     FOLDER / "moved" / "elsewhere")(x), y)

# Another version in the same file: who has the first keeps it.
first = quantmlir.load(FOLDER / "net.so")
again = quantmlir.load(FOLDER / "net.so")
again.close()
text2, weights2 = programs.mlp(seed=5)
quantmlir.compile(text2).save(FOLDER / "net.so")
second = quantmlir.load(FOLDER / "net.so")
for _ in range(2):
    assert np.array_equal(first(x), y)
    assert programs.sqnr(programs.run_mlp(x, weights2), second(x)) > 120
for name in ("net.so", "net.weights"):
    (FOLDER / name).unlink()
assert np.array_equal(first(x), y)

# The weights are mapped from their file, read-only and shared.
m.save(FOLDER / "net.so")
loaded = quantmlir.load(FOLDER / "net.so")
loaded(x)
maps = pathlib.Path("/proc/self/maps").read_text()
lines = [line for line in maps.splitlines() if line.endswith("/net.weights")]
assert lines and all(re.match(r"\S+ r--s ", line) for line in lines), lines
loaded.close()
maps = pathlib.Path("/proc/self/maps").read_text()
assert not [line for line in maps.splitlines() if line.endswith("/net.weights")]

# Another process.
np.save(FOLDER / "x.npy", x)
done = subprocess.run(
    [sys.executable, "-c", f"""
import numpy as np, quantmlir
np.save("{FOLDER}/y.npy", quantmlir.load("{FOLDER}/net.so")(np.load("{FOLDER}/x.npy")))
"""], capture_output=True, text=True)
assert done.returncode == 0, done.stderr
assert np.array_equal(np.load(FOLDER / "y.npy"), y)

# A thousand times: nothing is used up.
for _ in range(1100):
    loaded = quantmlir.load(FOLDER / "net.so")
    loaded(x)
    loaded.close()
assert len(list(pathlib.Path("/proc/self/fd").iterdir())) < 40

# For another machine: it is saved, and not called.
arm = quantmlir.compile(text, triple="aarch64-linux-gnu", name="arm")
arm.save(FOLDER / "arm.o")
try:
    arm(x)
    raise AssertionError("it ran")
except quantmlir.InvalidArgument as error:
    assert "for another machine" in str(error)
try:
    quantmlir.load(FOLDER / "arm.o")
    raise AssertionError("it was loaded")
except quantmlir.FileError as error:
    assert "arm.o" in str(error) or "aarch64" in str(error), error
