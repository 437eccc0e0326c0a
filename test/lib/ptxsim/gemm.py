"""Compiles a qtarget.packed_matmul for a chip and runs its kernel here."""

import copy
import pathlib
import re
import subprocess
import tempfile

import numpy as np

from . import Machine, parse

KERNEL_PASSES = (
    "gpu.module(canonicalize,cse,convert-scf-to-cf,convert-math-to-llvm,"
    "convert-gpu-to-nvvm,convert-nvvm-to-llvm,canonicalize,cse,reconcile-unrealized-casts),"
    "nvvm-attach-target{{chip={chip} features={ptx} O=3}},gpu-module-to-binary{{format=isa}}")

# The PTX version of each chip's row in Chips.cpp.
PTX = {"sm_61": "+ptx60", "sm_75": "+ptx65", "sm_80": "+ptx70",
       "sm_86": "+ptx71", "sm_89": "+ptx78", "sm_90a": "+ptx80",
       "sm_100": "+ptx86"}

_CONVERT = "convert-quant-to-nvvm"
_KERNELS = f"quant-set-nvvm-target{{{{chip={{chip}}}}}},{_CONVERT}"
_FUNCTION = re.compile(r"func\.func @(\w+)\(")
_LAUNCH = re.compile(r"gpu\.launch_func\s+@quant_kernels::@(\w+)")
_KERNEL = re.compile(r"gpu\.func @(\w+)\(.*?quant\.launch = array<i64: "
                     r"([\d, ]+)>", re.S)
DYNAMIC = "?"


class Spec:
    """A packed matmul: what it is made of beside the two operands."""

    def __init__(self, m, n, k, row="mma_m16n8k32_s8", result="f32",
                 col_bias=False, rank=0, row_scale=None, channel_scale=None,
                 bias=False, attributes="", unsigned=False, residual=False,
                 multiplier=None, rounding="SINGLE_ROUND"):
        self.m, self.n, self.k, self.row, self.result = m, n, k, row, result
        self.kr = 128 if row.endswith("s4") else 64
        self.col_bias, self.rank, self.bias = col_bias, rank, bias
        self.row_scale, self.channel_scale = row_scale, channel_scale
        self.attributes, self.unsigned = attributes, unsigned
        self.residual, self.multiplier = residual, multiplier
        self.rounding = rounding

    @property
    def panels(self):
        return -(-self.n // 8)

    @property
    def blocks(self):
        return -(-self.k // self.kr)

    def mlir(self):
        element = "i4" if self.kr == 128 else "i8"
        types = {"a": f"memref<{self.m}x{self.blocks}x1x{self.kr}x{element}>",
                 "w": f"memref<{self.panels}x{self.blocks}x8x{self.kr}x"
                      f"{element}>"}
        columns = f"memref<{self.panels}x8x{{}}>"
        clauses = []

        def clause(name, key, kind):
            types[key] = kind
            clauses.append(f"{name}(%{key} : {kind})")

        if self.col_bias:
            clause("col_bias", "cb", columns.format("i32"))
        if self.rank:
            clause("row_factors", "rf", f"memref<{self.rank}x{self.m}xi32>")
            clause("col_factors", "cf",
                   f"memref<{self.rank}x{self.panels}x8xi32>")
        if self.row_scale:
            clause("row_scale", "rs", "memref<f32>" if self.row_scale == "one"
                   else f"memref<{self.m}xf32>")
        if self.channel_scale:
            clause("channel_scale", "cs", "memref<f32>"
                   if self.channel_scale == "one" else columns.format("f32"))
        if self.bias:
            clause("bias", "bi", columns.format("f32"))
        if self.residual:
            clause("residual", "re", f"memref<{self.m}x{self.n}xf32>")
        if self.multiplier:
            one = self.multiplier == "one"
            clause("multiplier", "mu",
                   "memref<i32>" if one else columns.format("i32"))
            clause("shift", "sh", "memref<i8>" if one else columns.format("i8"))
            clauses.append(f"rounding({self.rounding})")
        out = f"memref<{self.m}x{self.n}x{self.result}>"
        arguments = ", ".join(f"%{k}: {t}" for k, t in types.items())
        element = f"s{512 // self.kr}"
        layout = f"layout<lhs = {element} 1x{self.kr}, rhs = {element} 8x{self.kr}>"
        return f"""
func.func @f({arguments}, %y: {out}) {{
  qtarget.packed_matmul #qtarget.nvvm<{self.row}> {layout}
    ins(%a, %w : {types['a']}, {types['w']})
    {' '.join(clauses)} outs(%y : {out}){' unsigned' if self.unsigned else ''}
    {self.attributes}
  return
}}"""


def run_opt(opt, text, passes, *options):
    """What `opt` makes of a program."""
    with tempfile.TemporaryFile("w+") as program:
        program.write(text)
        program.seek(0)
        result = subprocess.run(
            [opt, f"--pass-pipeline=builtin.module({passes})", *options],
            stdin=program, capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(result.stderr + text)
    return result.stdout


def _unescape(text):
    return re.sub(r"\\([0-9A-Fa-f]{2}|\\)",
                  lambda m: "\\" if m.group(1) == "\\"
                  else chr(int(m.group(1), 16)), text)


def extract_ptx(text):
    return _unescape(
        re.search(r'(?:assembly = |bin = )?"((?:[^"\\]|\\.)*\.version'
                  r'(?:[^"\\]|\\.)*)"', text).group(1)).rstrip("\0")


def _split(text):
    """({name: how it is launched}, the host's program) of kernels before they are
    lowered."""
    launches = {name: tuple(int(n) for n in numbers.split(","))
                for name, numbers in _KERNEL.findall(text)}
    return launches, text[:text.rindex("gpu.module")]


def number(texts):
    """One module of programs that are a function @f each."""
    return "".join(text.replace("@f(", f"@f{i}(") for i, text in enumerate(texts))


def _launched(host, launches, count):
    """Of each function @f0, @f1 ..: {name: launch} of what it launches."""
    parts = _FUNCTION.split(host)
    bodies = dict(zip(parts[1::2], parts[2::2]))
    return [{name: launches[name] for name in _LAUNCH.findall(bodies[f"f{i}"])}
            for i in range(count)]


def plan_kernels(opt, texts, chip):
    """Of programs that are a function @f each: {name: launch} of their kernels,
    which are not lowered."""
    launches, host = _split(run_opt(opt, number(texts), _KERNELS.format(chip=chip)))
    return _launched(host, launches, len(texts))


def _compile(opt, text, chip, *options):
    """(PTX, {name: how it is launched}, the host's program)."""
    passes = f"{_KERNELS.format(chip=chip)}," + KERNEL_PASSES.format(chip=chip,
                                                                     ptx=PTX[chip])
    with tempfile.TemporaryDirectory() as folder:
        binary = run_opt(opt, text, passes, f"--mlir-print-ir-after={_CONVERT}",
                         f"--mlir-print-ir-tree-dir={folder}", *options)
        host, = pathlib.Path(folder).rglob(f"*{_CONVERT}.mlir")
        host = host.read_text()
    return extract_ptx(binary), *_split(host)


def compile_kernels(opt, text, chip):
    """(PTX, {name: (rows of a block, columns of a block, threads, bytes of
    shared memory, blocks of a multiprocessor, blocks that share out K, bytes of
    the workspace for each tile)})."""
    # Verifying after each pass, which takes long, is done where programs are run.
    return _compile(opt, text, chip, "--verify-each=0")[:2]


def compile_programs(opt, texts, chip):
    """Of programs that are a function @f each, compiled at once: their kernels, as
    ({name: parsed}, {name: launch})."""
    ptx, launches, host = _compile(opt, number(texts), chip)
    kernels = parse(ptx)
    return [({name: kernels[name] for name in found}, found)
            for found in _launched(host, launches, len(texts))]


# The epilogue's operands, named as in Spec.mlir, in the order of a kernel's
# arguments; of those over columns.
TERMS = ("cb", "rf", "cf", "rs", "cs", "bi", "re", "mu", "sh")
OVER_COLUMNS = {"cb", "cf", "cs", "bi", "mu", "sh"}


def order_arguments(lhs, rhs, result, workspace, terms={}):
    """Addresses as a kernel takes them, after M; 0 for terms that it does not
    have."""
    return [lhs, rhs, result, *(terms.get(t, 0) for t in TERMS), workspace]


def get_grid(launch, m, n):
    """Blocks along x, y, z for a result of m x n."""
    columns = -(-n // 8) * 8
    return -(-columns // launch[1]), -(-m // launch[0]), launch[5]


def get_workspace_bytes(launch, m, n):
    """Of zeros, which the kernel leaves as zeros."""
    x, y, _ = get_grid(launch, m, n)
    return x * y * launch[6]


def pack_rows(x, kr):
    """[M, K] to [M, ceil(K / kr) * kr], zeros after K."""
    pad = -x.shape[1] % kr
    return np.ascontiguousarray(np.pad(x, ((0, 0), (0, pad))))


def pack_columns(w, kr):
    """[N, K] to [N/8][K/kr][8][kr]."""
    w = pack_rows(w, kr)
    w = np.pad(w, ((0, -w.shape[0] % 8), (0, 0)))
    return np.ascontiguousarray(
        w.reshape(w.shape[0] // 8, 8, -1, kr).transpose(0, 2, 1, 3))


def pack_nibbles(x):
    """Pairs of 4-bit numbers to bytes, the even one low."""
    flat = x.reshape(*x.shape[:-1], -1, 2).astype(np.uint8)
    return np.ascontiguousarray((flat[..., 0] & 15) | (flat[..., 1] << 4))


def get_compiled(spec, any_rows):
    """`spec` with as many rows as its kernel is compiled for."""
    compiled = copy.copy(spec)
    compiled.m = DYNAMIC if any_rows else spec.m
    return compiled


def run_kernel(opt, spec, chip, operands, any_rows=False):
    """The result of `spec` on `operands` ({name of Spec.mlir: array}), the
    machine, the PTX. `any_rows`: by the kernel for most rows of those that are
    compiled for an M that is not known."""
    ptx, launches = compile_kernels(opt, get_compiled(spec, any_rows).mlir(), chip)
    assert any_rows or len(launches) == 1, launches
    return *run_compiled(spec, parse(ptx), launches, operands), ptx


def run_compiled(spec, kernels, launches, operands):
    """The result, by the one of the kernels that is for most rows, the machine."""
    machine = Machine()
    narrow = spec.kr == 128
    a, w = pack_rows(operands["a"], spec.kr), pack_columns(operands["w"],
                                                           spec.kr)
    if narrow:
        a, w = pack_nibbles(a), pack_nibbles(w)

    def columns(x):
        return np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, -x.shape[-1] % 8)])

    dtype = {"f32": np.float32, "i32": np.int32, "i16": np.int16,
             "i8": np.int8, "f16": np.float16}[spec.result]
    size = spec.m * spec.n * np.dtype(dtype).itemsize
    result = machine.allocate(size)
    terms = {}
    for key in TERMS:
        if key in operands:
            value = np.asarray(operands[key])
            is_padded = key in OVER_COLUMNS and value.ndim
            terms[key] = machine.upload(columns(value) if is_padded else value)
    name, launch = max(launches.items(), key=lambda item: item[1][0])
    zeros = np.zeros(get_workspace_bytes(launch, spec.m, spec.n), np.uint8)
    workspace = machine.upload(zeros)
    arguments = order_arguments(machine.upload(a), machine.upload(w), result,
                                workspace, terms)
    machine.launch(kernels[name], get_grid(launch, spec.m, spec.n), launch[2],
                   launch[3], [spec.m, *arguments])
    if machine.download(workspace, zeros.shape, np.uint8).any():
        raise RuntimeError("the workspace is not left as zeros")
    machine.splits = launch[5]
    return machine.download(result, (spec.m, spec.n), dtype), machine
