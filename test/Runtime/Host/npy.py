# RUN: %python %s %t | FileCheck %s
"""NPY files in and out of quant-run: every type, both versions, every way to
be wrong. Nothing that a file holds may end in a crash."""
import pathlib
import subprocess
import sys

import numpy as np

FOLDER = pathlib.Path(sys.argv[1])
FOLDER.mkdir(parents=True, exist_ok=True)
MODEL = FOLDER / "model.mlir"


def run(type_, path, result=None):
    """Returns its argument; the status is an exit, never a signal."""
    result = result or type_
    MODEL.write_text(f"func.func @main(%x: {type_}) -> {result} {{\n"
                     f"  return %x : {type_}\n}}\n")
    out = FOLDER / "out"
    done = subprocess.run(["quant-run", MODEL, f"--inputs={path}",
                           f"--outputs={out}", "--print=false"],
                          capture_output=True, text=True)
    assert done.returncode in (0, 1), (path, done)
    if done.returncode:
        return None, done.stderr.strip()
    return np.load(out / "out0.npy"), ""


def round_trip():
    rng = np.random.default_rng(1)
    types = {"i1": bool, "i8": np.int8, "i16": np.int16, "i32": np.int32,
             "i64": np.int64, "f16": np.float16, "f32": np.float32,
             "f64": np.float64}
    for name, dtype in types.items():
        for shape in ((), (1,), (7,), (2, 3, 5), (4, 0, 3), (2, 1, 1, 3, 1)):
            x = (rng.normal(size=shape) * 50).astype(dtype)
            x = np.asarray(x)
            np.save(FOLDER / "x.npy", x)
            dims = "x".join(["?"] * len(shape) + [name])
            y, message = run(f"tensor<{dims}>", FOLDER / "x.npy")
            assert not message, message
            assert y.dtype == x.dtype and y.shape == x.shape, (y, x)
            assert y.tobytes() == x.tobytes()
        print("ok", name)
    # Unsigned bytes keep their bits, and bf16 has no name of its own.
    np.save(FOLDER / "u.npy", np.uint8([0, 127, 128, 255]))
    y, _ = run("tensor<4xi8>", FOLDER / "u.npy")
    print("unsigned", y)
    np.save(FOLDER / "b.npy", np.array([b"\x80\x3f", b"\xc0\xbf"], "V2"))
    y, _ = run("tensor<2xbf16>", FOLDER / "b.npy")
    print("bf16", y.dtype.str, y.tobytes().hex())
    with open(FOLDER / "v2.npy", "wb") as f:
        np.lib.format.write_array(f, np.float32([1, 2]), version=(2, 0))
    y, _ = run("tensor<2xf32>", FOLDER / "v2.npy")
    print("version 2", y)
    # Fortran's order of elements is read as what it means.
    for shape in ((2, 3), (4, 1, 3, 2), (0, 3), (2, 5, 3)):
        x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
        np.save(FOLDER / "f.npy", np.asfortranarray(x))
        header = (FOLDER / "f.npy").read_bytes()[:80]
        assert b"'fortran_order': True" in header or 0 in shape
        y, message = run(f"tensor<{'x'.join(map(str, shape))}xf32>",
                         FOLDER / "f.npy")
        assert np.array_equal(y, x), message
    print("fortran")
    # 4 bits come in bytes, signed or not, and go out signed.
    np.save(FOLDER / "n.npy", np.int8([-8, -1, 0, 7]))
    print("i4", run("tensor<4xi4>", FOLDER / "n.npy")[0])
    np.save(FOLDER / "n.npy", np.uint8([8, 15, 0, 7]))
    print("u4", run("tensor<4xi4>", FOLDER / "n.npy")[0])


# CHECK-COUNT-8: ok {{[if][0-9]+}}
# CHECK: unsigned [   0  127 -128   -1]
# CHECK: bf16 |V2 803fc0bf
# CHECK: version 2 [1. 2.]
# CHECK: fortran
# CHECK: i4 [-8 -1  0  7]
# CHECK: u4 [-8 -1  0  7]


def wrong():
    def say(name, data, type_="tensor<2x3xf32>"):
        path = FOLDER / f"{name}.npy"
        path.write_bytes(data)
        y, message = run(type_, path)
        assert y is None, name
        print(message.replace(str(FOLDER), ""))

    np.save(FOLDER / "good.npy", np.zeros((2, 3), np.float32))
    good = (FOLDER / "good.npy").read_bytes()

    def array(x):
        np.save(FOLDER / "a.npy", x)
        return (FOLDER / "a.npy").read_bytes()

    def header(text, version=1):
        return (b"\x93NUMPY" + bytes([version, 0]) +
                len(text).to_bytes(2, "little") + text.encode())

    say("empty", b"")
    # CHECK: error: /empty.npy: expected an NPY file, found no NPY magic string
    say("text", b"0.5, 0.25\n")
    # CHECK: error: /text.npy: expected an NPY file, found no NPY magic string
    say("magic", good[:6])
    # CHECK: error: /magic.npy: the file ends within the NPY header
    say("version", good[:6] + b"\x03" + good[7:])
    # CHECK: error: /version.npy: expected NPY version 1.0 or 2.0, found 3.0
    say("length", good[:9])
    # CHECK: error: /length.npy: the file ends within the NPY header
    say("header", good[:40])
    # CHECK: error: /header.npy: the file ends within the NPY header: expected 118 bytes, found 30
    say("dictionary", header("{'descr': '<f4', 'shape': (2, 3)}"))
    # CHECK: error: /dictionary.npy: the NPY header is not a dictionary of descr, fortran_order and shape
    say("negative", header("{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3)}"))
    # CHECK: error: /negative.npy: the NPY header is not a dictionary
    say("huge", header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 3)}"))
    # CHECK: error: /huge.npy: the NPY header is not a dictionary
    say("overflow", header("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4611686018427387904)}"),
        "tensor<?x?xf32>")
    # CHECK: error: /overflow.npy: tensor<4611686018427387904x4611686018427387904xf32>: the number of bytes overflows
    say("much", header("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 1000000)}"),
        "tensor<?x?xf32>")
    # CHECK: error: /much.npy: expected 4000000000000000 bytes of data for tensor<1000000000x1000000xf32>, found 0
    say("truncated", good[:-4])
    # CHECK: error: /truncated.npy: expected 24 bytes of data for tensor<2x3xf32>, found 20
    say("longer", good + b"\0")
    # CHECK: error: /longer.npy: expected 24 bytes of data for tensor<2x3xf32>, found 25
    say("dtype", array(np.zeros((2, 3))))
    # CHECK: error: /dtype.npy: expected elements of f32 (NPY '<f4'), found '<f8'
    say("integers", array(np.zeros((2, 3), np.int32)))
    # CHECK: error: /integers.npy: expected elements of f32 (NPY '<f4'), found '<i4'
    say("big-endian", array(np.zeros((2, 3), ">f4")))
    # CHECK: error: /big-endian.npy: expected little endian data, found '>f4'
    say("object", array(np.array([[1, "a"]], dtype="U3")))
    # CHECK: error: /object.npy: expected elements of f32 (NPY '<f4'), found '<U3'
    say("record", array(np.zeros(2, [("a", "<f4")])))
    # CHECK: error: /record.npy: the NPY header is not a dictionary
    say("nibbles", array(np.int8([3, 16])), "tensor<2xi4>")
    # CHECK: error: /nibbles.npy: expected values of i4, -8 to 15, found 16
    say("rank", array(np.zeros(6, np.float32)))
    # CHECK: error: /rank.npy: expected rank 2 (tensor<2x3xf32>), found rank 1 (tensor<6xf32>)
    say("shape", array(np.zeros((3, 2), np.float32)))
    # CHECK: error: /shape.npy: expected shape tensor<2x3xf32>, found tensor<3x2xf32>
    say("dynamic", array(np.zeros((3, 2), np.float32)), "tensor<?x3xf32>")
    # CHECK: error: /dynamic.npy: expected shape tensor<?x3xf32>, found tensor<3x2xf32>
    # One damaged byte at a time, over the whole header.
    for i in range(0, 128, 3):
        data = bytearray(good)
        data[i] ^= 0x15
        (FOLDER / "bit.npy").write_bytes(data)
        run("tensor<2x3xf32>", FOLDER / "bit.npy")
    print("no damaged byte crashes")
    # CHECK: no damaged byte crashes


round_trip()
wrong()
