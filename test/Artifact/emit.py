# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t %cc %cxx %src
"""A model compiled ahead of time: its files, its symbols, and what a C program
that knows its header alone computes, linked to the library or to the object;
against NumPy, and bit for bit against quant-run."""

import pathlib
import re
import subprocess
import sys

import numpy as np

from Artifact.Inputs import programs

FOLDER, CC, CXX, SRC = (*map(pathlib.Path, sys.argv[1:4]), sys.argv[4])
MAIN = f"{SRC}/examples/artifact/main.c"


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def symbols(path, *options):
    """Names that are defined and visible."""
    lines = run("llvm-nm", "--defined-only", "--extern-only", *options, path)
    hidden = set(re.findall(r"HIDDEN .* (\S+)$", run("llvm-readelf", "-s", path), re.M))
    return [s for s in (line.split()[-1] for line in lines.splitlines())
            if s not in hidden]


def matrix(text):
    return np.array([line.split() for line in text.splitlines()], np.float32)


def quant_run(model, x, *options):
    np.save(FOLDER / "x.npy", x)
    run("quant-run", model, f"--inputs={FOLDER}/x.npy", f"--outputs={FOLDER}/ref",
        "--print=false", *options)
    return np.load(FOLDER / "ref" / "out0.npy")


text, weights = programs.mlp()
source = FOLDER / "mlp.mlir"
source.write_text(text)
SCHEME = "--quantize=weights=channel activations=dynamic-token"

for case, options in {"float": [], "generic": [SCHEME],
                      "x86": [SCHEME, "--target=x86"]}.items():
    folder = FOLDER / case
    said = run("quant-compile", source, f"--emit={folder}/model.so", *options)
    run("quant-compile", source, f"--emit={folder}/model.o", *options)
    assert re.search(r"wrote .*model\.weights: \d+ bytes", said), said
    # One symbol, and none that a program has itself: neither main nor the
    # compiler's own.
    assert symbols(folder / "model.so", "-D") == ["model_artifact"]
    assert symbols(folder / "model.o") == ["model_artifact"]
    # The weights are in their file, and nowhere else.
    code = (folder / "model.so").read_bytes()
    data = (folder / "model.weights").read_bytes()
    assert data[:8] == b"QUANTWTS" and int.from_bytes(data[16:24], "little") == len(data)
    large = weights[0].tobytes()
    assert (case == "float") == (large in data) and large not in code
    if case != "float":
        assert len(data) < 0.5 * sum(w.nbytes for w in weights)

    x = programs.activations(5)
    x.tofile(FOLDER / "x.bin")
    run(CC, "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", f"-I{folder}",
        MAIN, folder / "model.so", "-Wl,-rpath,$ORIGIN", "-o", folder / "main")
    shared = matrix(run(folder / "main", FOLDER / "x.bin", 5))
    # The object is a part of the program: the weights are beside that.
    run(CXX, "-std=c++17", "-Wall", "-Werror", f"-I{folder}", "-x", "c++",
        MAIN, "-x", "none", folder / "model.o", "-lm", "-o", folder / "static")
    static = matrix(run(folder / "static", FOLDER / "x.bin", 5))
    expected = programs.run_mlp(x, weights)
    assert programs.sqnr(expected, shared) > (120 if case == "float" else 30)
    reference = quant_run(source, x, *options)
    assert np.array_equal(shared, reference), np.abs(shared - reference).max()
    assert np.array_equal(static, reference)
    # The same numbers by other code.
    run("quant-compile", source, f"--emit={folder}/O0/model.so", "-O0", *options)
    assert (folder / "O0" / "model.so").read_bytes() != code
    run(CC, f"-I{folder}", MAIN, folder / "O0" / "model.so", "-Wl,-rpath,$ORIGIN/O0",
        "-o", folder / "main0")
    assert np.array_equal(matrix(run(folder / "main0", FOLDER / "x.bin", 5)), reference)

# What is asked of the model wrongly is said, and what it was is left alone.
main = FOLDER / "x86" / "main"
weights_file = FOLDER / "x86" / "model.weights"
data = weights_file.read_bytes()


def fails(*expected):
    done = subprocess.run([main, FOLDER / "x.bin", "5"], capture_output=True, text=True)
    assert done.returncode == 1, done
    for words in expected:
        assert words in done.stderr, done.stderr


weights_file.write_bytes(data[:-1])
fails("model.weights: expected the weights of 'model', found only a part of them")
weights_file.write_bytes(b"")
fails("the file is empty")
weights_file.write_bytes(b"x" * 100)
fails("found something else")
weights_file.write_bytes((FOLDER / "float" / "model.weights").read_bytes())
fails("found those of another model, or of this one compiled otherwise")
weights_file.unlink()
fails("model.weights: cannot be opened")
weights_file.write_bytes(data)
assert np.array_equal(matrix(run(main, FOLDER / "x.bin", 5)), reference)

# Two models, and two versions of one, in one program.
other, other_weights = programs.mlp(seed=7)
(FOLDER / "other.mlir").write_text(other)
both = FOLDER / "both"
for name, path in (("first", source), ("second", FOLDER / "other.mlir")):
    run("quant-compile", path, f"--emit={both}/{name}.o")
(both / "main.c").write_text("""
#include "first.h"
#include "second.h"
#include <stdio.h>
int main(void) {
  const QuantArtifact *models[2];
  models[0] = first_artifact();
  models[1] = second_artifact();
  for (int m = 0; m < 2; ++m) {
    float x[64], y[32];
    int64_t in[2] = {1, 64}, out[2];
    QuantTensor input = {x, sizeof x, QUANT_F32, 2, in, NULL};
    QuantTensor result = {y, sizeof y, QUANT_F32, 2, out, NULL};
    char message[256] = "";
    for (int i = 0; i < 64; ++i)
      x[i] = i;
    if (models[m]->run(&input, 1, &result, 1, message, sizeof message))
      return puts(message), 1;
    for (int i = 0; i < 32; ++i)
      printf("%.9g ", y[i]);
    printf("\\n");
  }
  return 0;
}
""")
run(CC, "-std=c99", "-Wall", "-Wextra", f"-I{both}", both / "main.c", both / "first.o",
    both / "second.o", "-lm", "-o", both / "main")
found = matrix(run(both / "main"))
x = np.arange(64, dtype=np.float32)[None]
for row, w in zip(found, (weights, other_weights)):
    assert programs.sqnr(programs.run_mlp(x, w), row[None]) > 120
