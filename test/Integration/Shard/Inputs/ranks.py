"""Programs cut over ranks give the bits of one process.

    ranks.py --build BUILD [--cc CC] PROGRAM,TARGET,RANKS[,ALONG][,SCHEME=...]...
    ranks.py --build BUILD --random=SECONDS [--seed=SEED]

Each case runs alone and under mpirun, and the files of results are compared byte
by byte, and what a rank says that it sends with what MPI is given. PROGRAM is `matmul` or `mlp`, which are made here, sizes as `48x71x24`, or
the name of an exported model. What a rank says that it holds is checked, too: of
weights that are cut, each has its part. --random makes up cases for so long.
"""

import argparse
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

import numpy as np

from quantcheck.mpi import ENVIRONMENT
from quantcheck.shard_fuzz import SCHEMES

SCHEME = "weights=channel activations=dynamic-token"
SIZES = {"matmul": (48, 24), "mlp": (48, 72, 24),
         # No multiples of what they are cut into.
         "odd-matmul": (47, 23), "odd-mlp": (48, 71, 24),
         # Static sizes that casts forget.
         "cast-matmul": (48, 24)}
ROWS = 12


def make_program(sizes, rows="?"):
    """A chain of products with tanh between, and its constants."""
    rng = np.random.default_rng(7)
    body, blobs, value = [], [], "%x"
    dim = "%rows" if rows == "?" else ""
    for i, (k, n) in enumerate(zip(sizes, sizes[1:])):
        blob = rng.standard_normal((k, n)).astype("<f4").tobytes().hex()
        blobs.append(f'w{i}: "0x04000000{blob}"')
        w, x, y = f"tensor<{k}x{n}xf32>", f"tensor<{rows}x{k}xf32>", \
            f"tensor<{rows}x{n}xf32>"
        body.append(f"""
  %w{i} = arith.constant dense_resource<w{i}> : {w}
  %e{i} = tensor.empty({dim}) : {y}
  %f{i} = linalg.fill ins(%zero : f32) outs(%e{i} : {y}) -> {y}
  %y{i} = linalg.matmul ins({value}, %w{i} : {x}, {w})
    outs(%f{i} : {y}) -> {y}""")
        value = f"%y{i}"
        if i + 2 == len(sizes):
            break
        body.append(f"""
  %t{i} = linalg.generic {{indexing_maps = [#id, #id],
      iterator_types = ["parallel", "parallel"]}}
      ins(%y{i} : {y}) outs(%e{i} : {y}) {{
  ^bb0(%a: f32, %b: f32):
    %t = math.tanh %a : f32
    linalg.yield %t : f32
  }} -> {y}""")
        value = f"%t{i}"
    x, y = f"tensor<{rows}x{sizes[0]}xf32>", f"tensor<{rows}x{sizes[-1]}xf32>"
    return f"""#id = affine_map<(m, n) -> (m, n)>
func.func @main(%x: {x}) -> {y} {{
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : {x}{"".join(body)}
  return {value} : {y}
}}
{{-# dialect_resources: {{builtin: {{{", ".join(blobs)}}}}} #-}}
"""


def forget_rows(program):
    """The same with static rows at its borders, and casts within."""
    x, y = re.search(r"\(%x: (.*?)\) -> (.*?) {", program).groups()
    fixed_x, fixed_y = (t.replace("<?", f"<{ROWS}") for t in (x, y))
    program = program.replace(
        f"(%x: {x}) -> {y} {{", f"(%given: {fixed_x}) -> {fixed_y} {{\n"
        f"  %x = tensor.cast %given : {fixed_x} to {x}")
    return re.sub(r"  return (%\w+) : .*", rf"  %cast = tensor.cast \1 : {y} to "
                  rf"{fixed_y}\n  return %cast : {fixed_y}", program)


def make_case(rng):
    sizes = [rng.choice([7, 8, 16, 24, 32, 33, 47, 48, 64, 96])
             for _ in range(rng.choice([2, 3, 3, 4]))]
    along = rng.choice(["", "", "", ",rows", ",columns", ",batch"])
    return (f"{'x'.join(map(str, sizes))},{rng.choice(['x86', 'generic'])},"
            f"{rng.choice([2, 2, 3, 4])}{along},"
            f"SCHEME={rng.choice(SCHEMES).replace(' ', '+')}")


def prepare(name, build, folder):
    """The path of a program, and its inputs as arguments of quant-run."""
    sizes = SIZES.get(name)
    if re.fullmatch(r"\d+(x\d+)+", name):
        sizes = tuple(map(int, name.split("x")))
    if sizes:
        path = folder / f"{name}.mlir"
        program = make_program(sizes)
        path.write_text(forget_rows(program) if name.startswith("cast")
                        else program)
        np.save(folder / "x.npy", np.random.default_rng(1).standard_normal(
            (ROWS, sizes[0])).astype(np.float32))
        return path, f"--inputs={folder / 'x.npy'}"
    from quantsim import catalog
    path = catalog.attached(name, build, pathlib.Path(build) / "bin/quant-opt")
    paths = []
    for i, array in enumerate(catalog.inputs_and_results(name)[0]):
        paths.append(str(folder / f"{name}.in{i}.npy"))
        np.save(paths[-1], np.ascontiguousarray(array))
    return path, "--inputs=" + ",".join(paths)


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300,
                          env=ENVIRONMENT)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout


def counting(cc, folder):
    """What mpirun is told, so that each rank says what MPI is given."""
    if not cc:
        return []
    shim = folder / "count-mpi.so"
    subprocess.run([cc, "-shared", "-fPIC", "-o", shim,
                    pathlib.Path(__file__).with_name("count-mpi.c")], check=True)
    return ["-x", f"LD_PRELOAD={shim}", "-x", "COUNT_MPI=1"]


def miscounted(said, ranks):
    """None, or how the bytes differ that a rank says, and those that are counted."""
    found = set(re.findall(r"counted: (\d+) reduced, (\d+) gathered", said))
    if len(found) != 1:
        return f"ranks count other bytes: {found}"
    reduced, gathered = map(int, found.pop())
    # What quant-run itself asks of MPI goes past this.
    sent = (2 * reduced + gathered) * (ranks - 1) // ranks
    planned = int(re.search(r"sent by a rank in a run: (\d+)", said)[1])
    return None if sent == planned else f"{planned} bytes are said, {sent} counted"


def check(case, build, folder, cc=None):
    """None, or what is wrong with a case."""
    case, _, scheme = case.partition(",SCHEME=")
    name, target, ranks, *along = case.split(",")
    program, inputs = prepare(name, build, folder)
    tool = pathlib.Path(build) / "bin" / "quant-run"
    command = [tool, program, inputs, f"--target={target}",
               f"--quantize={scheme.replace('+', ' ') or SCHEME}"]
    run(command + [f"--outputs={folder / 'one'}"])
    said = run(["mpirun", "--oversubscribe", "-n", ranks, *counting(cc, folder)] +
               command +
               [f"--outputs={folder / 'many'}", f"--shard={ranks}"] +
               [f"--shard-along={kind}" for kind in along])
    facts = re.search(r"weights of one: (\d+) of (\d+) bytes\n.*\((.*)\)", said)
    held, total = int(facts[1]), int(facts[2])
    print(f"{case} {scheme}: a rank holds {held} of {total} bytes; {facts[3]}",
          flush=True)
    for one in sorted((folder / "one").glob("*.npy")):
        if one.read_bytes() != (folder / "many" / one.name).read_bytes():
            return f"{one.name} differs"
    if cc and (problem := miscounted(said, int(ranks))):
        return problem
    if not name[0].isdigit() and along != ["batch"] and held > total * (1 / int(ranks) + 0.15):
        return "a rank holds more than its part of the weights"
    return None


def report(case, build, cc=None):
    """Whether a case is as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            problem = check(case, build, pathlib.Path(folder), cc)
        except RuntimeError as error:
            problem = str(error)
    print(f"{'FAIL' if problem else 'ok  '} {case}: "
          f"{problem or 'equal to the bit'}", flush=True)
    return problem is None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--cc", help="C compiler: bytes that are sent are counted")
    parser.add_argument("--random", type=float, default=0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("cases", nargs="*")
    args = parser.parse_args()
    good = [report(case, args.build, args.cc) for case in args.cases]
    rng = random.Random(args.seed)
    end = time.monotonic() + args.random
    while time.monotonic() < end:
        good.append(report(make_case(rng), args.build))
    print(f"{len(good)} cases, {good.count(False)} failed")
    return not all(good)


if __name__ == "__main__":
    sys.exit(main())
