"""This project as a contender of peers.py (`peers.py --plugin benchmarks/contender.py`).

Each contender writes a small MLIR program with the weights as a constant,
compiles it with `quant-opt --quant-to-x86`, and loads the machine code as a
shared library, so that `run()` is one call of the compiled function. What is
done at compile time (packing the weights, their column sums) is done in
`prepare()`, untimed; everything that depends on the activations is timed.

The tools are those of a build folder (`QUANT_BUILD`, default `build` beside
this folder). Compiled programs are kept under `QUANT_BENCH_CACHE`, named by a
hash of the program, its weights and the compiler.
"""

import ctypes
import hashlib
import mmap
import os
import platform
import re
import shutil
import subprocess

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("QUANT_BUILD", os.path.join(os.path.dirname(HERE), "build"))
CACHE = os.environ.get("QUANT_BENCH_CACHE",
                       os.path.expanduser("~/.cache/quant-bench"))
PIPELINE_OPTIONS = os.environ.get("QUANT_BENCH_PIPELINE", "")
HUGE_PAGE = 1 << 21
LLVM = os.environ.get("LLVM_BIN", "/usr/lib/llvm-22/bin")


def run_tool(*command):
    done = subprocess.run(command, capture_output=True)
    if done.returncode:
        raise RuntimeError(" ".join(command[:2]) + ": " +
                           done.stderr.decode(errors="replace")[:2000])


def tool(name):
    path = os.path.join(LLVM, name)
    return path if os.path.exists(path) else shutil.which(name)


def read_own_source():
    with open(os.path.abspath(__file__), "rb") as f:
        return f.read()


def digest(*parts):
    h = hashlib.sha256()
    for part in parts:
        h.update(part if isinstance(part, bytes) else part.encode())
    return h.hexdigest()[:24]


def compiler_identity(opt):
    stat = os.stat(opt)
    return f"{stat.st_size} {stat.st_mtime_ns} {PIPELINE_OPTIONS}"


def split_constants(stem, alignment=HUGE_PAGE):
    """Takes large constants out of `stem`.llvm.mlir into `stem`.s, which includes
    them as files: no optimizer need look at them. Returns the files."""
    with open(stem + ".llvm.mlir") as f:
        code, _, blobs = f.read().partition("\n{-#")
    blobs = dict(re.findall(r'^ +([\w.]+): "0x[0-9A-Fa-f]{8}([0-9A-Fa-f]*)"', blobs, re.M))
    assembly, files, small = [".section .quant_weights,\"a\",@progbits",
                              ".globl quant_weights_begin, quant_weights_end",
                              f".balign {alignment}", "quant_weights_begin:"], [], {}

    def externalize(match):
        symbol, blob, kind = match.group("symbol", "blob", "kind")
        if len(blobs[blob]) < 8192:
            small[blob] = blobs[blob]
            return match.group(0)
        files.append(f"{stem}.{len(files)}.bin")
        with open(files[-1], "wb") as f:
            f.write(bytes.fromhex(blobs[blob]))
        assembly.append(f'.globl {symbol}\n.hidden {symbol}\n.balign {alignment}\n'
                        f'{symbol}: .incbin "{files[-1]}"')
        return (f"llvm.mlir.global external hidden constant @{symbol}() "
                f"{{alignment = 64 : i64}} : {kind}")

    code = re.sub(r"llvm\.mlir\.global private constant @(?P<symbol>\w+)\(dense_resource<"
                  r"(?P<blob>[\w.]+)> : tensor<[^>]*>\) \{[^}]*\} : (?P<kind>.*)",
                  externalize, code)
    with open(stem + ".llvm.mlir", "w") as f:
        f.write(code + "\n")
        if small:
            f.write("{-# dialect_resources: { builtin: {" + ",".join(
                f'{key}: "0x40000000{value}"' for key, value in small.items()) + "} } #-}\n")
    with open(stem + ".s", "w") as f:
        f.write("\n".join(assembly + [f".balign {alignment}", "quant_weights_end:",
                                      '.section .note.GNU-stack,"",@progbits', ""]))
    return files


def generate_code(stem, cpu="native"):
    """`stem`.ll to `stem`.o. Without the triple LLVM knows of no memcpy, and copies bytes."""
    machine = ["-O3", f"-mcpu={cpu}", f"-mtriple={platform.machine()}-pc-linux-gnu"]
    run_tool(tool("opt"), *machine, stem + ".ll", "-o", stem + ".bc")
    run_tool(tool("llc"), *machine, "-filetype=obj", "--relocation-model=pic",
             stem + ".bc", "-o", stem + ".o")


def compile_program(text, resources, pipeline=""):
    """The path of a shared library made from MLIR text and named blobs."""
    opt = os.path.join(BUILD, "bin", "quant-opt")
    arrays = {name: np.ascontiguousarray(a) for name, a in resources.items()}
    name = digest(text, pipeline, compiler_identity(opt), read_own_source(),
                  *(a.tobytes() for a in arrays.values()))
    library = os.path.join(CACHE, name + ".so")
    if os.path.exists(library):
        return library
    os.makedirs(CACHE, exist_ok=True)
    stem = os.path.join(CACHE, f"{name}.{os.getpid()}")
    with open(stem + ".mlir", "w") as f:
        f.write(text)
        f.write("\n{-#\n  dialect_resources: {\n    builtin: {\n")
        # The first four bytes are the blob's alignment.
        f.write(",\n".join(f'      {key}: "0x40000000{a.tobytes().hex()}"'
                           for key, a in arrays.items()))
        f.write("\n    }\n  }\n#-}\n")
    options = (pipeline or PIPELINE_OPTIONS).strip()
    flag = "--quant-to-x86" + (f"={options}" if options else "")
    # As text: mlir-translate refuses bytecode whose constants are aligned to 64.
    run_tool(opt, flag, stem + ".mlir", "-o", stem + ".llvm.mlir")
    data = split_constants(stem)
    run_tool(tool("mlir-translate"), "--mlir-to-llvmir", stem + ".llvm.mlir", "-o", stem + ".ll")
    generate_code(stem)
    run_tool(tool("clang") or "cc", "-shared", stem + ".o", stem + ".s", "-o", stem + ".so", "-lm",
             f"-Wl,-z,max-page-size={HUGE_PAGE}")
    os.replace(stem + ".so", library)
    if not os.environ.get("QUANT_BENCH_KEEP"):
        for path in [stem + e for e in (".mlir", ".llvm.mlir", ".ll", ".bc", ".o", ".s")] + data:
            os.remove(path)
    return library


def descriptor(array):
    """Upstream's C interface: pointers, offset, sizes, strides."""
    words = [array.ctypes.data, array.ctypes.data, 0, *array.shape]
    words += [s // array.itemsize for s in array.strides]
    return (ctypes.c_int64 * len(words))(*words)


def aligned(shape, dtype):
    """An array at the start of a page."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.zeros(size + 8192, np.uint8)
    start = -raw.ctypes.data % 4096
    return raw[start:start + size].view(dtype).reshape(shape)


def use_huge_pages(library):
    """Moves the weights from the pages of the file to huge ones, where NumPy's
    large arrays, and with them the weights of other contenders, lie too."""
    try:
        begin, end = (ctypes.addressof(ctypes.c_char.in_dll(library, "quant_weights_" + name))
                      for name in ("begin", "end"))
    except ValueError:
        return
    size = end - begin
    if size == 0:
        return
    saved = ctypes.string_at(begin, size)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + 3 * [ctypes.c_int] + [ctypes.c_long]
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    map_fixed = 0x10
    at = libc.mmap(begin, size, mmap.PROT_READ | mmap.PROT_WRITE,
                   mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | map_fixed, -1, 0)
    if at != begin:
        raise OSError(ctypes.get_errno(), "mmap")
    libc.madvise(begin, size, mmap.MADV_HUGEPAGE)
    ctypes.memmove(begin, saved, size)


class Compiled:
    """A compiled function on memrefs that are bound once."""

    def __init__(self, library, *arrays):
        loaded = ctypes.CDLL(library)
        use_huge_pages(loaded)
        self.function = loaded._mlir_ciface_main
        self.function.restype = None
        self.descriptors = [descriptor(a) for a in arrays]
        self.arguments = [ctypes.byref(d) for d in self.descriptors]
        self.arrays = arrays

    def __call__(self):
        self.function(*self.arguments)


PROGRAM = """func.func @main(%x: memref<{B}x{D}x{IN}>, %y: memref<{B}x{N}x{OUT}>) {{
  %in = bufferization.to_tensor %x restrict : memref<{B}x{D}x{IN}> to tensor<{B}x{D}x{IN}>
{BODY}
  bufferization.materialize_in_destination %result in restrict writable %y
    : (tensor<{B}x{N}x{OUT}>, memref<{B}x{N}x{OUT}>) -> ()
  return
}}"""

MATMUL = """  %w = arith.constant dense_resource<w> : tensor<{N}x{D}xi8>
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<{B}x{N}xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<{B}x{N}xi32>) -> tensor<{B}x{N}xi32>
  %{ACC} = quant.matmul ins(%{LHS}, %w : tensor<{B}x{D}xi8>, tensor<{N}x{D}xi8>)
    outs(%init : tensor<{B}x{N}xi32>) {{transpose_rhs}} -> tensor<{B}x{N}xi32>"""

QUANTIZE = """  %sx = quant.choose_qparams %in axes = [0] range = [-127, 127] : tensor<{B}x{D}xf32> -> tensor<{B}xf32>
  %q = quant.quantize %in scale(%sx : tensor<{B}xf32>) axes = [0] range = [-127, 127]
    : tensor<{B}x{D}xf32> -> tensor<{B}x{D}xi8>"""

QUANTIZE_BLOCKS = """  %q0 = tensor.empty() : tensor<{B}x{D}xi8>
  %sx0 = tensor.empty() : tensor<{B}x{GROUPS}xf32>
  %q, %sx = quant.quantize_blocks ins(%in : tensor<{B}x{D}xf32>)
    outs(%q0, %sx0 : tensor<{B}x{D}xi8>, tensor<{B}x{GROUPS}xf32>) block = {GROUP}
    range = [-127, 127] -> tensor<{B}x{D}xi8>, tensor<{B}x{GROUPS}xf32>"""

RESCALE = """  %sw = arith.constant dense_resource<sw> : tensor<{N}xf32>
  %result = quant.rescale %acc row_scale(%sx : tensor<{B}xf32>) channel_scale(%sw : tensor<{N}xf32>)
    : tensor<{B}x{N}xi32> -> tensor<{B}x{N}xf32>"""


class Contender:
    """One shape at a time, as peers.py asks."""

    @staticmethod
    def setup():
        """Asks the kernel for tile registers: ARCH_REQ_XCOMP_PERM of XTILEDATA. Where
        there are none, it refuses and the code has none."""
        if platform.machine() == "x86_64":
            ctypes.CDLL(None).syscall(158, 0x1023, 18)

    def load(self, text, resources, x, y):
        self.x, self.y = x, y
        self.program = Compiled(compile_program(text, resources), x, y)

    def run(self):
        self.program()

    def result(self):
        return self.y

    def close(self):
        self.program = self.x = self.y = None

    @staticmethod
    def weight_bytes(N, D):
        return N * D


class Int8Gemm(Contender):
    name, dtype, io, check = "i8.quant", "int8", "s8->s32", "int32"
    note = "integer GEMM; signed activations are made unsigned inside the call"

    def prepare(self, B, N, D, Xq, Wq, **_):
        x, y = aligned((B, D), np.int8), aligned((B, N), np.int32)
        x[:] = Xq
        sizes = dict(B=B, N=N, D=D, IN="i8", OUT="i32", LHS="in", ACC="result")
        body = MATMUL.format(**sizes)
        self.load(PROGRAM.format(BODY=body, **sizes), {"w": Wq}, x, y)


class Int8Fused(Contender):
    name, dtype, io, check = "i8.quant_fused", "int8", "f32->f32", "float"
    note = "quantizes each row inside the call, rescales by row and channel"

    def prepare(self, B, N, D, Xq, Wq, a=None, **_):
        x, y = aligned((B, D), np.float32), aligned((B, N), np.float32)
        x[:] = a["X"]
        sizes = dict(B=B, N=N, D=D, IN="f32", OUT="f32", LHS="q", ACC="acc")
        body = "\n".join(part.format(**sizes) for part in (QUANTIZE, MATMUL, RESCALE))
        self.load(PROGRAM.format(BODY=body, **sizes), {"w": Wq, "sw": a["sw"]}, x, y)


SCALED = """  %packed = arith.constant dense_resource<w> : tensor<{N}x{H}xi8>
  %w = quant.unpack_int4 %packed : tensor<{N}x{H}xi8> -> tensor<{N}x{D}xi4>
  %sw = arith.constant dense_resource<sw> : tensor<{N}x{GROUPS}xf32>
  %result = quant.scaled_matmul ins(%{LHS}, %w : tensor<{B}x{D}x{ELEMENT}>, tensor<{N}x{D}xi4>)
    {SCALES} -> tensor<{B}x{N}xf32>"""
ROW_SCALE = """row_scale(%sx : tensor<{B}xf32>) rhs_scale(%sw : tensor<{N}x{GROUPS}xf32>)
    {{group_size = {GROUP} : i64}}"""
GROUP_SCALE = """rhs_scale(%sw : tensor<{N}x{GROUPS}xf32>) {{group_size = {GROUP} : i64}}"""
BLOCK_SCALES = """rhs_scale(%sw : tensor<{N}x{GROUPS}xf32>) lhs_scale(%sx : tensor<{B}x{GROUPS}xf32>)
    {{group_size = {GROUP} : i64, lhs_group_size = {GROUP} : i64}}"""


class Int4Grouped(Contender):
    """A 4-bit weight with a scale for each group along D, int8 activations."""
    dtype, io = "int4", "f32->f32"
    note = "W4A8: quantizes each row inside the call, integer dot products"
    group = 0
    quantize, scales = QUANTIZE, ROW_SCALE
    activations, element = "q", "i8"

    @classmethod
    def supports(cls, B, N, D):
        return D % cls.group == 0

    def prepare(self, B, N, D, Xq, Wq, a=None, **_):
        x, y = aligned((B, D), np.float32), aligned((B, N), np.float32)
        x[:] = a["X"]
        low, high = (a["W4q"][:, i::2].astype(np.uint8) & 15 for i in (0, 1))
        sizes = dict(B=B, N=N, D=D, H=D // 2, GROUP=self.group,
                     GROUPS=D // self.group, IN="f32", OUT="f32",
                     LHS=self.activations, ELEMENT=self.element)
        sizes["SCALES"] = self.scales.format(**sizes)
        body = "\n".join(part.format(**sizes) for part in (self.quantize, SCALED))
        resources = {"w": low | high << 4, "sw": a[f"s4g{self.group}"]}
        self.load(PROGRAM.format(BODY=body, **sizes), resources, x, y)

    @classmethod
    def weight_bytes(cls, N, D):
        return N * D // 2 + 4 * N * D // cls.group


class Int4Group128(Int4Grouped):
    name, check, group = "i4.quant_g128", "int4g128", 128


class Int4Group32(Int4Grouped):
    name, check, group = "i4.quant_g32", "int4g32", 32


class Int4Blocks32(Int4Group32):
    """Activations with scales for the same blocks of D."""
    name = "i4.quant_g32_blocks"
    note = "W4A8: quantizes each block of 32 inside the call, scales on both sides"
    quantize, scales = QUANTIZE_BLOCKS, BLOCK_SCALES


class WeightOnly(Int4Group32):
    """The same weight, float activations."""
    name = "i4.quant_g32_float"
    note = "W4 with float activations: the weight is widened in registers"
    quantize, scales, activations, element = "", GROUP_SCALE, "in", "f32"


SCALED_INT2 = SCALED.replace("int4", "int2").replace("xi4>", "xi2>")


class Int2Group32(Int4Group32):
    """A 2-bit weight: the 4-bit one's upper bits, four in a byte."""
    name, check = "i4.quant_int2_g32", None  # the driver knows no such weight
    note = "W2A8: quantizes each row inside the call, integer dot products"

    def prepare(self, B, N, D, Xq, Wq, a=None, **_):
        x, y = aligned((B, D), np.float32), aligned((B, N), np.float32)
        x[:] = a["X"]
        w = a["W4q"] >> 2
        parts = [(w[:, i::4].astype(np.uint8) & 3) << 2 * i for i in range(4)]
        sizes = dict(B=B, N=N, D=D, H=D // 4, GROUP=32, GROUPS=D // 32, IN="f32",
                     OUT="f32", LHS="q", ELEMENT="i8")
        sizes["SCALES"] = ROW_SCALE.format(**sizes)
        body = "\n".join(part.format(**sizes) for part in (QUANTIZE, SCALED_INT2))
        resources = {"w": np.bitwise_or.reduce(parts), "sw": a["s4g32"]}
        self.load(PROGRAM.format(BODY=body, **sizes), resources, x, y)
        self.run()
        expected = x @ (w * np.repeat(a["s4g32"], 32, 1)).T
        error = np.sqrt(np.mean((y - expected) ** 2) / np.mean(expected ** 2))
        assert error < 0.02, error

    @classmethod
    def weight_bytes(cls, N, D):
        return N * D // 4 + 4 * N * D // 32


CONTENDERS = [Int8Gemm, Int8Fused, Int4Group128, Int4Group32, Int4Blocks32, WeightOnly,
              Int2Group32]
