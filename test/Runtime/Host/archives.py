# The limit on memory is what the test is about.
# UNSUPPORTED: sanitizers
# RUN: %python %s %t
"""NPZ archives that would take much memory: nothing is inflated but what the
arguments can take, and no bytes serve for two members."""

import io
import pathlib
import resource
import struct
import subprocess
import sys
import zipfile

import numpy as np

FOLDER = pathlib.Path(sys.argv[1])
FOLDER.mkdir(parents=True, exist_ok=True)
(FOLDER / "model.mlir").write_text("""
func.func @main(%x: tensor<2x3xf32>, %y: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = arith.addf %x, %y : tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}
""")


def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def evaluate(members, change=lambda data: data):
    """The run's (status, errors) within 1 GiB."""
    path = FOLDER / "in.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    path.write_bytes(change(path.read_bytes()))
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    done = subprocess.run(
        ["quant-run", FOLDER / "model.mlir", f"--evaluate={path}",
         f"--outputs={FOLDER}/out"], capture_output=True, text=True,
        preexec_fn=limit)
    return done.returncode, done.stderr


ONE = npy(np.ones((2, 3), np.float32))
BOMB = bytes(1 << 29)
assert evaluate({"in0.npy": ONE, "in1.npy": ONE}) == (0, "")
assert np.array_equal(np.load(FOLDER / "out/out0.npy"),
                      np.full((1, 2, 3), 2, np.float32))
# What no argument asks for is not looked at.
assert evaluate({"other.npy": BOMB, "in0.npy": ONE, "in1.npy": ONE}) == (0, "")
# No more than the header's shape says.
status, errors = evaluate({"in0.npy": ONE + BOMB, "in1.npy": ONE})
assert status == 1 and "in0: expected 24 bytes of data" in errors, errors
status, errors = evaluate({"in0.npy": BOMB, "in1.npy": ONE})
assert status == 1 and "found no NPY magic string" in errors, errors


def share(data):
    """The second entry of the directory says the first one's place."""
    data = bytearray(data)
    first = data.index(b"PK\1\2")
    second = data.index(b"PK\1\2", first + 4)
    data[second + 42:second + 46] = data[first + 42:first + 46]
    return bytes(data)


status, errors = evaluate({"in0.npy": ONE, "in1.npy": ONE}, share)
assert status == 1, errors
assert "member 'in1': its bytes are those of another member" in errors, errors
