# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t
"""What is not accepted raises an error of its kind that says what was expected
and what was found, and leaves everything usable."""

import pathlib
import sys
import threading

import numpy as np
import quantmlir
from quantmlir import (CompileError, FileError, InvalidArgument, MissingPackage,
                       ModelStopped, QuantError)

from Artifact.Inputs import programs
from quantcheck.raising import raises

FOLDER = pathlib.Path(sys.argv[1])


text, weights = programs.mlp()
x = programs.activations(3)
m = quantmlir.compile(text, target="generic")
y = m(x)

# Programs.
error = raises(FileError, lambda: quantmlir.compile("func.func @main(\n"), "program:")
assert error.diagnostics and ": error: " in error.diagnostics[0], error.diagnostics
raises(FileError, lambda: quantmlir.compile("no/such.mlir"),
       "no/such.mlir: No such file or directory")
raises(InvalidArgument, lambda: quantmlir.compile(text, entry="g"),
       "expected a public function 'g', found: main")
raises(InvalidArgument, lambda: quantmlir.compile(3), "found int")
raises(FileError, lambda: quantmlir.compile("/dev/zero"),
       "/dev/zero: expected a file, found a device")
raises(InvalidArgument, lambda: quantmlir.compile(text, example_inputs=(1,)),
       "expected a torch.nn.Module")
scalar = "func.func @main(%x: index) -> index {\n  return %x : index\n}"
raises(InvalidArgument, lambda: quantmlir.compile(scalar),
       "'main' argument 0: expected a ranked tensor", "found index")

# Options.
raises(InvalidArgument, lambda: quantmlir.compile(text, quantize="weights=row"),
       "found 'weights=row'")
raises(InvalidArgument, lambda: quantmlir.compile(text, target="riscv"),
       "target: expected generic, x86 or arm, found 'riscv'")
raises(InvalidArgument,
       lambda: quantmlir.compile(text, target="generic", threads=2), "threads")
raises(InvalidArgument, lambda: quantmlir.compile(text, target="x86", threads=-1),
       "expected 1 to 1024, found -1")
for count in (2**32 + 1, 1.5, "2", None):
    raises(InvalidArgument, lambda: quantmlir.compile(text, threads=count), "threads: ")
for option in ("quantize", "target", "cpu", "features", "triple", "name", "schedules",
               "entry"):
    raises(InvalidArgument, lambda: quantmlir.compile(text, **{option: 3}),
           f"{option}: expected a str, found 3")
    raises(InvalidArgument, lambda: quantmlir.compile(text, **{option: "a\0b"}),
           f"{option}: expected no zero byte")
raises(InvalidArgument, lambda: quantmlir.compile(text, target="x86", cpu="zen"),
       "found 'zen'")
for level in (4, -1, "fast", True):
    raises(InvalidArgument, lambda: quantmlir.compile(text, optimize=level),
           f"optimize: expected 0 to 3, found '{level}'")
raises(CompileError, lambda: quantmlir.compile(text, name="a b"),
       "expected a C identifier, found 'a b'")
# A weight that is no constant.
computed = """
func.func @main(%x: tensor<4x4xf32>, %w: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x4xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x4xf32>, tensor<4x4xf32>) outs(%i : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}"""
lenient = quantmlir.compile(computed, quantize="weights=channel")
assert any("remark" in r for r in lenient.remarks), lenient.remarks
strict = raises(
    CompileError,
    lambda: quantmlir.compile(computed, quantize="weights=channel", strict=True))
assert any(d.startswith("program:6:8: error: ") for d in strict.diagnostics), \
    strict.diagnostics

# Arrays.
raises(InvalidArgument, lambda: m(), "expected 1 inputs", "found 0")
raises(InvalidArgument, lambda: m(x, x), "found 2")
raises(InvalidArgument, lambda: m(x.astype(np.float64)),
       "input 0: expected tensor<?x64xf32>, found an array of float64 with shape "
       "(3, 64); array.astype('float32') converts it")
raises(InvalidArgument, lambda: m(x.T),
       "input 0: expected tensor<?x64xf32>, found an array of float32 with shape "
       "(64, 3)")
raises(InvalidArgument, lambda: m(x[0]), "shape (64)")
raises(InvalidArgument, lambda: m(x.astype(">f4")), "found an array of >f4")
raises(InvalidArgument, lambda: m("text"), "input 0")
raises(InvalidArgument, lambda: m(None), "found NoneType")
raises(InvalidArgument, lambda: m(x, out=np.empty((3, 31), np.float32)),
       "result 0: expected tensor<?x32xf32>")
raises(InvalidArgument, lambda: m(x, out=np.empty((2, 32), np.float32)),
       "result 0: tensor<3x32xf32> takes 384 bytes, the memory has 256")
raises(InvalidArgument, lambda: m(x, out=[None, None]), "found 2")
raises(InvalidArgument, lambda: m(x, out=[[1.0]]), "found list")
frozen = np.empty((3, 32), np.float32)
frozen.flags.writeable = False
raises(InvalidArgument, lambda: m(x, out=frozen), "read-only")
raises(InvalidArgument, lambda: m(x, out=np.empty((3, 32), np.float32)[::-1]),
       "not negative")

raises(InvalidArgument, lambda: m(x, out=3), "out: expected an array", "found int")
raises(InvalidArgument, lambda: m(x, out=np.empty((5, 32), np.float32)),
       "result 0: expected an array of the shape (3, 32), found (5, 32)")
once = np.lib.stride_tricks.as_strided(np.empty(32, np.float32), (3, 32), (0, 4))
raises(InvalidArgument, lambda: m(x, out=once), "result 0: expected a place for each "
       "element, found stride 0 of dimension 0")
raises(InvalidArgument, lambda: m(np.ma.masked_array(x, False)), "without a mask")

# Lists, whose numbers have no type: each is one of the expected type.
for rows, word in (([[1] * 64, [1]], "found a list that is no array"),
                   ([["a"] * 64], "found a list of <U1"),
                   ([[None] * 64], "found a list of object"),
                   ([[1e300] * 64], "too large")):
    raises(InvalidArgument, lambda: m(rows), word)
assert np.array_equal(m([[1] * 64]), m(np.ones((1, 64), np.float32)))
for kind, good, bad in (("i1", [0, 1, True], (2, -1, 0.5)),
                        ("i4", [-8, 7, 15], (-9, 16, 0.5)),
                        ("i8", [-128, 255, 3.0], (-129, 256, 1.7, float("nan"))),
                        ("i32", [-2**31, 2**32 - 1], (2**32, 1e10)),
                        ("i64", [-2**63, 5], (2**70, 1e18)),
                        ("f16", [1, 0.5], (70000.0,)), ("bf16", [], (1.0,))):
    same = quantmlir.compile(f'''
func.func @main(%x: tensor<?x{kind}>) -> tensor<?x{kind}> {{
  return %x : tensor<?x{kind}>
}}''', target="generic", optimize=0)
    got = same(good)
    wrap = 16 if kind == "i4" else 2**8 if kind == "i8" else 2**32
    assert all(a == b or b - a == wrap for a, b in zip(got.tolist(), good)), (got, good)
    for number in bad:
        raises(InvalidArgument, lambda: same([number]), "input 0: expected tensor<?x")

# A closed model; one that is closed while threads call it goes with the last call.
closed = quantmlir.compile(text, target="generic", optimize=0)
closed.close()
closed.close()
raises(InvalidArgument, lambda: closed(x), "found one that is closed")
raises(InvalidArgument, lambda: closed.save(FOLDER / "closed.so"), "that is closed")
called = quantmlir.compile(text, target="generic", optimize=0)
rows, calls = programs.activations(20000), []


def call_until_closed():
    try:
        while True:
            calls.append(len(called(rows)))
    except InvalidArgument:
        pass


threads = [threading.Thread(target=call_until_closed) for _ in range(3)]
for thread in threads:
    thread.start()
while not calls:
    pass
called.close()
for thread in threads:
    thread.join()
assert set(calls) == {20000}

# Sizes that must be equal and are not: the program stops, the process goes on.
adds = quantmlir.compile("""
func.func @main(%x: tensor<?x4xf32>, %y: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x4xf32>
  %n = tensor.dim %y, %c0 : tensor<?x4xf32>
  %some = arith.cmpi ne, %m, %c0 : index
  cf.assert %some, "at least one row"
  %e = tensor.empty(%m) : tensor<?x4xf32>
  %s = linalg.add ins(%x, %y : tensor<?x4xf32>, tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %s : tensor<?x4xf32>
}""")
a, b = np.ones((2, 4), np.float32), np.ones((3, 4), np.float32)
for _ in range(3):
    error = raises(ModelStopped, lambda: adds(a, b))
    assert str(error) == (
        "the model does not accept these inputs: program:9:8: 'linalg.add' op "
        "expected equal sizes, but dimension 0 of operand 1 is 3 and dimension 0 "
        "of operand 0 is 2"), str(error)
    raises(ModelStopped, lambda: adds(a[:0], a[:0]), "at least one row")
    assert np.array_equal(adds(a, a), a + a)
# Files.
raises(FileError, lambda: quantmlir.load(FOLDER / "none.so"), "none.so")
raises(FileError, lambda: quantmlir.load("/dev/zero"), "found a device")
(FOLDER / "text.so").write_text(text)
raises(FileError, lambda: quantmlir.load(FOLDER / "text.so"),
       "text.so: expected a compiled model")
raises(FileError, lambda: quantmlir.load("/usr/lib/x86_64-linux-gnu/libm.so.6"),
       "found no symbol NAME_artifact")
m.save(FOLDER / "model.so")
code = (FOLDER / "model.so").read_bytes()
data = (FOLDER / "model.weights").read_bytes()
for size in (0, 10, 64, 1000, len(code) // 2, len(code) - 1):
    (FOLDER / "short.so").write_bytes(code[:size])
    raises(FileError, lambda: quantmlir.load(FOLDER / "short.so"), "short.so")
(FOLDER / "alone.so").write_bytes(code)
raises(FileError, lambda: quantmlir.load(FOLDER / "alone.so"),
       "alone.weights: cannot be opened")
(FOLDER / "alone.weights").write_bytes(data[:-1])
raises(FileError, lambda: quantmlir.load(FOLDER / "alone.so"),
       "found only a part of them")
for path in ("model.txt", "model"):
    raises(InvalidArgument, lambda: m.save(FOLDER / path),
           "expected a file NAME.so or NAME.o")
raises(FileError, lambda: m.save("/dev/null/model.so"), "/dev/null/model")
raises(FileError, lambda: m.save(FOLDER / "x.so", linker="no-such-linker"),
       "'no-such-linker' is not on PATH")
assert not list(FOLDER.glob("x.*")) and not list(FOLDER.glob("*.tmp"))
raises(InvalidArgument, lambda: quantmlir.load(FOLDER / "model.so").save(
    FOLDER / "again.so"), "copy those")

# A kind of input that needs a package.
(FOLDER / "model.onnx").write_bytes(b"\x08\x07")
sys.modules["torch_mlir"] = None  # as if it were not installed
raises(MissingPackage, lambda: quantmlir.compile(FOLDER / "model.onnx"),
       "model.onnx: an ONNX model needs the package torch-mlir")
raises(FileError, lambda: quantmlir.compile(FOLDER / "none.onnx"), "none.onnx")

# The families that Python has.
for kind, base in ((InvalidArgument, ValueError), (FileError, OSError),
                   (ModelStopped, RuntimeError), (MissingPackage, ImportError)):
    assert issubclass(kind, base) and issubclass(kind, QuantError)
# And after all this the first model is as it was.
assert np.array_equal(m(x), y)
