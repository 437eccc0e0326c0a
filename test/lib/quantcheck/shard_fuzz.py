"""Random programs with random shardings: the bits of one process on several.

usage: shard_fuzz.py [--quant-run=PATH] [--batch=N] COUNT [SEED]

Programs of a batch are parts of one function, which runs alone and over 2 to 4
ranks. In one batch of two, floats are quantized by one scheme and cut as
`--shard-along` proposes; in others each program, of integers, says itself what is
cut, by a `shard.shard` of one of its values. A batch that differs is written to
build/fuzz with its inputs and its commands.
"""

import argparse
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time

import numpy as np

from quantcheck.draw import Draw
from quantcheck.mpi import ENVIRONMENT

SCHEMES = ["weights=channel activations=dynamic-token",
           "weights=tensor activations=dynamic-tensor",
           "weights=channel activations=dynamic-token symmetric=false",
           "weights=channel weight-bits=4 activations=dynamic-token",
           "weights=channel weight-symmetric=false activations=dynamic-token",
           "weights=channel activations=dynamic-token rotation=hadamard32",
           "weights=group group-size=16 weight-bits=4 activations=dynamic-token",
           "weights=group group-size=32 activations=dynamic-token symmetric=false",
           "weights=group group-size=32 weight-bits=4 activations=dynamic-block",
           "weights=channel activations=float",
           "weights=group group-size=16 activations=float"]
SIZES = [1, 2, 3, 5, 7, 8, 12, 16, 17, 24, 31, 32, 33, 47, 48, 64, 65, 96]
BETWEEN = {"tanh": ["%t = math.tanh %a : f32"],
           "relu": ["%z = arith.constant 0.0 : f32",
                    "%t = arith.maximumf %a, %z : f32"],
           # Keeps no zeros: what is padded would widen a range.
           "cos": ["%t = math.cos %a : f32"],
           "square": ["%t = arith.mulf %a, %a : f32"]}


class Program:
    """Text of parts of one function, its constants and inputs."""

    def __init__(self, draw, ranks, says=False):
        """`says`: it says itself what is cut."""
        self.draw, self.ranks, self.says = draw, ranks, says
        self.lines, self.blobs, self.arrays, self.results = [], [], [], []
        self.next = 0

    def op(self, text, type_):
        self.next += 1
        self.lines.append(f"%v{self.next} = {text}")
        return f"%v{self.next}", type_

    def constant(self, array, element):
        array = np.ascontiguousarray(array)
        name = f"c{len(self.blobs)}"
        self.blobs.append(f'{name}: "0x04000000{array.tobytes().hex()}"')
        type_ = of(array.shape, element)
        return self.op(f"arith.constant dense_resource<{name}> : {type_}", type_)

    def input(self, array, element):
        self.arrays.append(array)
        return f"%x{len(self.arrays) - 1}", of(array.shape, element)

    def filled(self, shape, element, number):
        type_ = of(shape, element)
        scalar, _ = self.op(f"arith.constant {number} : {element}", element)
        empty, _ = self.op(f"tensor.empty() : {type_}", type_)
        return self.op(f"linalg.fill ins({scalar} : {element}) outs({empty} : {type_})"
                       f" -> {type_}", type_)

    def map(self, x, shape, body, more=()):
        """An elementwise op of x and of vectors of its columns."""
        type_ = of(shape, "f32")
        empty, _ = self.op(f"tensor.empty() : {type_}", type_)
        maps = ["#id", *["#column"] * len(more), "#id"]
        ins = ", ".join([x, *[name for name, _ in more]])
        types = ", ".join([type_, *[t for _, t in more]])
        letters = ", ".join(f"%{l}: f32" for l in "abo"[:1 + len(more)] + "o")
        return self.op(
            f"linalg.generic {{indexing_maps = [{', '.join(maps)}], iterator_types = "
            f"[\"parallel\", \"parallel\"]}} ins({ins} : {types}) outs({empty} : "
            f"{type_}) {{\n^bb0({letters}):\n" + "\n".join(body)
            + f"\nlinalg.yield %t : f32\n}} -> {type_}", type_)[0]

    def text(self):
        arguments = ", ".join(f"%x{i}: {of(a.shape, element_of(a))}"
                              for i, a in enumerate(self.arrays))
        types = ", ".join(t for _, t in self.results)
        body = "\n".join(self.lines)
        return (f"#id = affine_map<(m, n) -> (m, n)>\n"
                f"#column = affine_map<(m, n) -> (n)>\n"
                f"{f'shard.grid @ranks(shape = {self.ranks})' if self.says else ''}\n"
                f"func.func @main({arguments}) -> ({types}) {{\n{body}\nreturn "
                f"{', '.join(n for n, _ in self.results)} : {types}\n}}\n"
                f"{{-# dialect_resources: {{builtin: {{{', '.join(self.blobs)}}}}} #-}}\n")


def of(shape, element):
    return "tensor<" + "".join(f"{s}x" for s in shape) + element + ">"


def element_of(array):
    return {np.dtype(np.float32): "f32", np.dtype(np.int8): "i8"}[array.dtype]


def add_floats(p):
    """A chain of products with element-wise ops between."""
    draw = p.draw
    rows = draw.pick(1, 2, 3, 4, 7, 12, 16)
    sizes = [draw.pick(*SIZES) for _ in range(draw.pick(2, 3, 3, 4))]
    x, _ = p.input(draw.floats((rows, sizes[0])), "f32")
    for i, (k, n) in enumerate(zip(sizes, sizes[1:])):
        w, wt = p.constant(draw.floats((k, n)), "f32")
        init, out = p.filled((rows, n), "f32", "0.0")
        x, _ = p.op(f"linalg.matmul ins({x}, {w} : {of((rows, k), 'f32')}, {wt}) "
                    f"outs({init} : {out}) -> {out}", out)
        if draw.chance(.4):
            bias = p.constant(draw.floats((n,)), "f32")
            x = p.map(x, (rows, n), ["%t = arith.addf %a, %b : f32"], [bias])
        if i + 2 < len(sizes) and draw.chance(.8):
            x = p.map(x, (rows, n), BETWEEN[draw.pick(*BETWEEN)])
    p.results.append((x, out))


def add_integers(p):
    """Two products of integers, one of whose values is annotated."""
    draw, r = p.draw, p.ranks
    m, k, n, last = (r * draw.pick(1, 2, 3, 4, 5, 8, 16) for _ in range(4))
    where = draw.pick("rows", "columns", "batch", "between", "none")
    axes = {"rows": "[[], [0]]", "columns": "[[], [0]]", "between": "[[], [0]]",
            "batch": "[[0]]", "none": "[[]]"}[where]
    sharding = None
    if p.says:
        sharding, _ = p.op(f"shard.sharding @ranks split_axes = {axes} : "
                           "!shard.sharding", None)

    def cut(value, type_, users=""):
        if not p.says:
            return value
        return p.op(f"shard.shard {value} to {sharding}{users} : {type_}", type_)[0]

    def product(x, k, n, mark):
        w, wt = p.constant(draw.rng.integers(-128, 128, (n, k)).astype(np.int8), "i8")
        init, acc = p.filled((m, n), "i32", "0")
        y, _ = p.op(f"quant.matmul ins({x}, {w} : {of((m, k), 'i8')}, {wt}) outs({init}"
                    f" : {acc}) {{transpose_rhs}} -> {acc}", acc)
        if mark:
            y = cut(y, acc)
        s, st = p.constant(draw.scales((n,)), "f32")
        out = of((m, n), "f32")
        return p.op(f"quant.rescale {y} channel_scale({s} : {st}) : {acc} -> {out}",
                    out)

    x, xt = p.input(draw.rng.integers(-128, 128, (m, k)).astype(np.int8), "i8")
    if where in ("rows", "batch", "none"):
        x = cut(x, xt, " annotate_for_users")
    y, yt = product(x, k, n, where == "columns")
    if draw.chance(.5):
        y = p.map(y, (m, n), BETWEEN[draw.pick(*BETWEEN)])
    if where == "between":
        y = cut(y, yt)
    high = draw.pick(127, 7)
    scales = of((m,), "f32")
    s, _ = p.op(f"quant.choose_qparams {y} axes = [0] range = [-{high}, {high}] : {yt} "
                f"-> {scales}", scales)
    q, _ = p.op(f"quant.quantize {y} scale({s} : {scales}) axes = [0] range = [-{high}, "
                f"{high}] : {yt} -> {of((m, n), 'i8')}", None)
    p.results.append(product(q, n, last, False))


def run(command, folder):
    done = subprocess.run(command, capture_output=True, text=True, timeout=600,
                          env=ENVIRONMENT, cwd=folder)
    return None if done.returncode == 0 else done.stderr[-2000:]


def differs(folder, commands):
    """What is wrong with a batch, or None."""
    for command in commands:
        if failure := run(command, folder):
            return failure
    one, many = folder / "one", folder / "many"
    names = sorted(path.name for path in one.glob("*.npy"))
    different = [name for name in names
                 if (one / name).read_bytes() != (many / name).read_bytes()]
    return different and f"other bits: {', '.join(different)}" or \
        (None if names else "no results")


def write(batch, size, seed, folder, quant_run):
    """Writes a batch; returns its commands."""
    def make(says):
        draw = Draw(seed, batch, 7)
        ranks, kind = draw.pick(2, 2, 3, 4), draw.pick(add_floats, add_integers)
        program = Program(draw, ranks, says and kind is add_integers)
        for _ in range(size):
            kind(program)
        return program, kind

    program, kind = make(says=True)
    draw, ranks = program.draw, program.ranks
    (folder / "cut.mlir").write_text(program.text())
    (folder / "one.mlir").write_text(make(says=False)[0].text())
    for i, array in enumerate(program.arrays):
        np.save(folder / f"x{i}.npy", array)
    inputs = ",".join(f"x{i}.npy" for i in range(len(program.arrays)))
    # Cuts are made before the target matters, whose kernels take long to compile.
    options = [f"--inputs={inputs}", "--print=false", "-O0",
               f"--target={draw.pick('x86', *['generic'] * 3)}"]
    along = []
    if kind is add_floats:
        options.append(f"--quantize={draw.pick(*SCHEMES)}")
        along = draw.pick([], [], *[[f"--shard-along={what}"]
                                    for what in ("rows", "columns", "batch")])
    return [[str(quant_run), "one.mlir", *options, "--outputs=one"],
            ["mpirun", "--oversubscribe", "-n", str(ranks), str(quant_run), "cut.mlir",
             *options, f"--shard={ranks}", *along, "--outputs=many"]]


def main():
    root = pathlib.Path(__file__).resolve().parents[3]
    parser = argparse.ArgumentParser(prog="fuzz.sh --shard")
    parser.add_argument("--quant-run", default=root / "build/bin/quant-run")
    parser.add_argument("--batch", type=int, default=25)
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    args = parser.parse_args()
    failed = done = 0
    begin = time.monotonic()
    for batch in range(-(-args.count // args.batch)):
        size = min(args.batch, args.count - done)
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            commands = write(batch, size, args.seed, folder, args.quant_run)
            problem = differs(folder, commands)
            if problem:
                kept = root / "build/fuzz" / f"shard-{args.seed}-{batch}"
                subprocess.run(["mkdir", "-p", kept.parent])
                subprocess.run(["rm", "-rf", kept])
                subprocess.run(["cp", "-r", folder, kept])
                (kept / "commands.txt").write_text(
                    "\n".join(shlex.join(c) for c in commands) + "\n")
                print(f"batch {batch} of seed {args.seed} ({kept}): {problem}")
        done += size
        failed += bool(problem)
    print(f"{done} programs, {failed} batches differ; seed {args.seed}, "
          f"{time.monotonic() - begin:.0f} s")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
