"""Cases compiled ahead of time and called from here: by upstream's passes
alone, which do what the programs say as they are written, or by the project's
pipelines. A tenth of what quant-run's optimizing compiler takes."""

import ctypes
import pathlib
import subprocess
import tempfile

import numpy as np

from quantcheck import module
from quantcheck.program import tensor

LLVM = pathlib.Path("/usr/lib/llvm-22")
UPSTREAM = (
    "builtin.module(func.func(tosa-to-linalg-named,tosa-to-linalg,"
    "tosa-to-arith,tosa-to-tensor),"
    "convert-elementwise-to-linalg,inline,"
    "one-shot-bufferize{bufferize-function-boundaries=true "
    "function-boundary-type-conversion=identity-layout-map},"
    "buffer-results-to-out-params{hoist-static-allocs=true},"
    "func.func(convert-linalg-to-loops),expand-strided-metadata,lower-affine,"
    "convert-scf-to-cf,arith-expand,convert-math-to-libm,convert-to-llvm,"
    "reconcile-unrealized-casts)")


def compiler(target, quant_opt):
    """(command that lowers to the LLVM dialect, options of llc)."""
    if target == "stock":
        return [str(LLVM / "bin" / "mlir-opt"),
                f"--pass-pipeline={UPSTREAM}"], ["-O0"]
    quant_opt = str(pathlib.Path(quant_opt).resolve())
    if target == "generic":
        return [quant_opt, "--quant-to-generic"], ["-O0"]
    return [quant_opt, "--quant-to-x86=cpu=host"], ["-O1", "-mcpu=native"]


def module_text(cases):
    """A function `main` whose results are written to its last arguments."""
    text, arrays = module.module_text(cases)
    head, body = text.split("\n", 2)[1:]
    results = [(v[1], shape) for case in cases for v, shape, _ in case.results]
    outs, stores = [], []
    at = body.index("    return ")
    line_end = body.index("\n", at)
    names = body[at + 11:line_end].split(" : ")[0].split(", ")
    for i, ((type_, shape), name) in enumerate(zip(results, names)):
        element = type_[:-1].split("x")[-1].split("<")[-1]
        static = tensor(shape, element)
        memref = static.replace("tensor", "memref")
        outs.append(f"%o{i}: {memref}")
        if static != type_:
            stores.append(f"{name.replace('#', '_')}s = tensor.cast {name} : "
                          f"{type_} to {static}")
            name = f"{name.replace('#', '_')}s"
        stores.append("bufferization.materialize_in_destination "
                      f"{name} in restrict writable %o{i} : "
                      f"({static}, {memref}) -> ()")
    inputs = head[head.index("(") + 1:head.index(")")]
    arguments = ", ".join(([inputs] if inputs else []) + outs)
    head = (f"  func.func @main({arguments}) attributes "
            "{llvm.emit_c_interface} {")
    body = body[:at] + "    " + "\n    ".join(stores + ["return"]) + \
        body[line_end:]
    return f"module {{\n{head}\n{body}", arrays, results


def descriptor(array):
    """A memref descriptor that points at `array`."""
    rank = array.ndim
    fields = [("base", ctypes.c_void_p), ("data", ctypes.c_void_p),
              ("offset", ctypes.c_int64)]
    if rank:
        fields += [("sizes", ctypes.c_int64 * rank),
                   ("strides", ctypes.c_int64 * rank)]
    kind = type("Descriptor", (ctypes.Structure,), {"_fields_": fields})
    values = [array.ctypes.data, array.ctypes.data, 0]
    if rank:
        strides = [s // array.itemsize for s in array.strides]
        values += [(ctypes.c_int64 * rank)(*array.shape),
                   (ctypes.c_int64 * rank)(*strides)]
    return kind(*values)


DTYPES = {"f32": np.float32, "i8": np.int8, "i32": np.int32, "i64": np.int64,
          "i16": np.int16, "f16": np.float16, "f64": np.float64}


def build(text, folder, target, quant_opt):
    """The module as a shared library; raises with what went wrong."""
    (folder / "model.mlir").write_text(text)
    lower, code = compiler(target, quant_opt)
    libraries = LLVM / "lib"
    steps = [
        [*lower, "model.mlir", "-o", "lowered.mlir"],
        [str(LLVM / "bin" / "mlir-translate"), "--mlir-to-llvmir",
         "lowered.mlir", "-o", "model.ll"],
        [str(LLVM / "bin" / "llc"), *code, "-filetype=obj",
         "-relocation-model=pic", "model.ll", "-o", "model.o"],
        ["cc", "-shared", "model.o", "-o", "model.so", "-lm", f"-L{libraries}",
         f"-Wl,-rpath,{libraries}", "-lmlir_c_runner_utils"]]
    for command in steps:
        done = subprocess.run(command, cwd=folder, capture_output=True,
                              text=True, timeout=module.TIMEOUT)
        if done.returncode:
            lines = done.stderr.strip().splitlines()
            worst = [l for l in lines if "error" in l] or lines or [
                f"ended with {done.returncode}"]
            raise RuntimeError(f"{pathlib.Path(command[0]).name}: {worst[0]}")
    return ctypes.CDLL(str(folder / "model.so"))


def execute(cases, target, quant_opt):
    """The results of the cases, in one list."""
    text, arrays, results = module_text(cases)
    with tempfile.TemporaryDirectory(prefix="native.") as folder:
        library = build(text, pathlib.Path(folder), target, quant_opt)
        outs = [np.zeros(shape, DTYPES[t[:-1].split("x")[-1].split("<")[-1]])
                for t, shape in results]
        buffers = [np.ascontiguousarray(a).reshape(np.shape(a))
                   for a in arrays] + outs
        holders = [descriptor(a) for a in buffers]
        library._mlir_ciface_main(*[ctypes.byref(h) for h in holders])
    return outs


def check(cases, target, quant_opt):
    """{index of a case: what is wrong}, for the cases that fail."""
    if not cases:
        return {}
    try:
        found = execute(cases, target, quant_opt)
    except RuntimeError as error:
        if len(cases) == 1:
            return {0: str(error)}
        half = len(cases) // 2
        wrong = check(cases[:half], target, quant_opt)
        for i, text in check(cases[half:], target, quant_opt).items():
            wrong[half + i] = text
        return wrong
    return module.judge_all(cases, found)
