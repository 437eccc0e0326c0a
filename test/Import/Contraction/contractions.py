# RUN: %python %s %mlir_libs %t
"""Random contractions, imported and run: sums equal to numpy.einsum.

Each case has its own number of batch, row, column and contracted loops, in
any order in the operands and the result, static or dynamic, with either
operand constant or not, and a zero or non-zero init. Integer cases must come
out exactly; float cases are quantized and must come out close.
"""

import ast
import os
import random
import re
import subprocess
import sys

import numpy as np

LIBS, TMP = sys.argv[1], sys.argv[2]
ELEMENT = {"int8": "i8", "int32": "i32", "float32": "f32"}
FLOAT_BODY = """    %p = arith.mulf %x, %y : f32
    %s = arith.addf %z, %p : f32
    linalg.yield %s : f32"""
INT_BODY = """    %x32 = arith.extsi %x : i8 to i32
    %y32 = arith.extsi %y : i8 to i32
    %p = arith.muli %x32, %y32 : i32
    %s = arith.addi %z, %p : i32
    linalg.yield %s : i32"""


class Case:
    """One contraction: its operands, its function and the expected result."""

    def __init__(self, seed, is_float):
        self.seed, self.is_float = seed, is_float
        rand, rng = random.Random(seed), np.random.default_rng(seed)
        batch = 0 if is_float else rand.choice([0, 0, 0, 1, 2])
        rows = rand.choice([1, 2] if is_float else [0, 1, 1, 2])
        columns = rand.choice([1, 2] if is_float else [0, 1, 1, 2])
        reduced = rand.choice([1, 1, 2])
        self.num_loops = batch + rows + columns + reduced
        loops = list(range(self.num_loops))
        rand.shuffle(loops)
        b, loops = loops[:batch], loops[batch:]
        m, loops = loops[:rows], loops[rows:]
        n, self.k = loops[:columns], loops[columns:]
        shuffled = lambda ls: rand.sample(ls, len(ls))
        self.size = [rand.choice([1, 2, 3, 4]) for _ in range(self.num_loops)]
        self.maps = [shuffled(b + m + self.k), shuffled(b + n + self.k),
                     shuffled(b + m + n)]
        if rand.random() < 0.3:
            self.maps[:2] = self.maps[1::-1]
        shapes = [[self.size[d] for d in ls] for ls in self.maps]
        if is_float:
            values = [rng.standard_normal(s).astype(np.float32)
                      for s in shapes]
        else:
            values = [rng.integers(-128, 128, s).astype(np.int8)
                      for s in shapes[:2]]
            values.append(rng.integers(-999, 999, shapes[2]).astype(np.int32))
        if rand.random() < 0.4:
            values[2] *= 0
        self.values = values
        # The weight of a float case is its second operand, if it is constant.
        self.constant = rand.choice([None, 1] if is_float else [None, 0, 1])
        self.dynamic = rand.random() < 0.5

    def spec(self, i):
        return "".join("abcdefghij"[d] for d in self.maps[i])

    def expected(self):
        wide = np.float64 if self.is_float else np.int64
        a, b, init = (v.astype(wide) for v in self.values)
        return np.einsum(
            f"{self.spec(0)},{self.spec(1)}->{self.spec(2)}", a, b) + init

    def type(self, i, in_function=True):
        dynamic = in_function and self.dynamic and i != self.constant
        sizes = ["?" if dynamic and d not in self.k else str(self.size[d])
                 for d in self.maps[i]]
        return ("tensor<" + "".join(s + "x" for s in sizes)
                + ELEMENT[str(self.values[i].dtype)] + ">")

    def literal(self, i):
        return (f"dense<{self.values[i].tolist()}> : "
                f"{self.type(i, in_function=False)}")

    def affine_map(self, i):
        dims = ", ".join(f"d{d}" for d in range(self.num_loops))
        return (f"affine_map<({dims}) -> ("
                + ", ".join(f"d{d}" for d in self.maps[i]) + ")>")

    def text(self):
        given = [i for i in range(3) if i != self.constant]
        args = ", ".join(f"%v{i}: {self.type(i)}" for i in given)
        kinds = ", ".join('"reduction"' if d in self.k else '"parallel"'
                          for d in range(self.num_loops))
        element, total = ("f32", "f32") if self.is_float else ("i8", "i32")
        lines = [f"func.func private @case{self.seed}({args}) -> "
                 f"{self.type(2)} attributes {{no_inline}} {{"]
        if self.constant is not None:
            lines.append(f"  %v{self.constant} = arith.constant "
                         f"{self.literal(self.constant)}")
        lines += [
            "  %r = linalg.generic {indexing_maps = ["
            + ", ".join(self.affine_map(i) for i in range(3))
            + f"], iterator_types = [{kinds}]}} ins(%v0, %v1 : "
            f"{self.type(0)}, {self.type(1)}) outs(%v2 : {self.type(2)}) {{",
            f"  ^bb0(%x: {element}, %y: {element}, %z: {total}):",
            FLOAT_BODY if self.is_float else INT_BODY,
            f"  }} -> {self.type(2)}", f"  return %r : {self.type(2)}", "}"]
        return "\n".join(lines)

    def call(self):
        given = [i for i in range(3) if i != self.constant]
        name = lambda i: f"%c{self.seed}_{i}"
        lines = []
        for i in given:
            lines.append(f"  {name(i)}s = arith.constant {self.literal(i)}")
            lines.append(f"  {name(i)} = tensor.cast {name(i)}s : "
                         f"{self.type(i, in_function=False)} to "
                         f"{self.type(i)}")
        total = "f32" if self.is_float else "i32"
        lines += [
            f"  %r{self.seed} = func.call @case{self.seed}("
            + ", ".join(name(i) for i in given) + ") : ("
            + ", ".join(self.type(i) for i in given)
            + f") -> {self.type(2)}",
            f"  %u{self.seed} = tensor.cast %r{self.seed} : {self.type(2)} "
            f"to tensor<*x{total}>",
            f"  func.call @printMemref{total.upper()}(%u{self.seed}) : "
            f"(tensor<*x{total}>) -> ()"]
        return "\n".join(lines)


def run(cases, options):
    """The results of all cases, from one compilation."""
    total = "f32" if cases[0].is_float else "i32"
    text = (f"func.func private @printMemref{total.upper()}(tensor<*x{total}>)"
            " attributes {llvm.emit_c_interface}\n"
            + "\n".join(c.text() for c in cases)
            + "\nfunc.func @main() {\n" + "\n".join(c.call() for c in cases)
            + "\n  return\n}\n")
    path = TMP + ".mlir"
    with open(path, "w") as f:
        f.write(text)
    quant = subprocess.run(["quant-opt", path, "-quant-import", *options[:-1]],
                           capture_output=True, text=True, check=True)
    count = quant.stdout.count("= quant.matmul ")
    assert count == len(cases), (count, quant.stderr)
    lowered = subprocess.run(["quant-opt", path, options[-1]],
                             capture_output=True, text=True, check=True)
    libs = ",".join(os.path.join(LIBS, f"libmlir_{n}runner_utils.so")
                    for n in ("", "c_"))
    out = subprocess.run(
        ["mlir-runner", "-e", "main", "-entry-point-result=void",
         "-shared-libs=" + libs], input=lowered.stdout, capture_output=True,
        text=True, check=True).stdout
    datas = re.findall(r"data =\s*(.*?)(?=Unranked|\Z)", out, re.S)
    assert len(datas) == len(cases), (len(datas), out)
    return [np.array(ast.literal_eval(d.strip())).reshape(c.expected().shape)
            for d, c in zip(datas, cases)]


integers = [Case(seed, False) for seed in range(48)]
for case, got in zip(integers, run(integers, ["-quant-to-generic"])):
    assert (got == case.expected()).all(), (case.text(), got, case.expected())

floats = [Case(seed, True) for seed in range(100, 124)]
results = run(floats, ["-quant-quantize-matmul",
                       "-quant-to-generic=quantize=symmetric=true"])
for case, got in zip(floats, results):
    expected = case.expected()
    error = np.abs(got - expected).max()
    assert error <= 0.04 * max(1, np.abs(expected).max()), (
        case.text(), got, expected)
