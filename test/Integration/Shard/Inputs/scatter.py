"""shard.reduce_scatter on ranks, against NumPy.

    scatter.py RANKS             runs itself over RANKS
    mpirun .. scatter.py         one of them
"""

import functools
import subprocess
import sys

import numpy as np
import quantmlir
from quantcheck.mpi import ENVIRONMENT

DTYPES = {"f32": np.float32, "i32": np.int32, "i64": np.int64}
COMBINE = {"sum": np.add, "max": np.maximum, "bitwise_or": np.bitwise_or}
CASES = [("sum", 0, "i32", (6, 4)), ("sum", 0, "f32", (9, 4)),
         ("max", 1, "f32", (5, 6, 2)), ("bitwise_or", 2, "i64", (2, 3, 12)),
         ("sum", 0, "i32", (7, 4))]


def program(kind, axis, element, rank, count):
    """Sizes are those of the run."""
    type_ = f"tensor<{'?x' * rank}{element}>"
    return f"""
module attributes {{dlti.map = #dlti.map<"MPI:Implementation" = "OpenMPI">}} {{
  shard.grid @ranks(shape = {count})
  func.func @main(%x: {type_}) -> {type_} {{
    %0 = shard.reduce_scatter %x on @ranks grid_axes = [0] reduction = {kind}
           scatter_axis = {axis} : {type_} -> {type_}
    return %0 : {type_}
  }}
}}""".encode()


def run(world, case):
    kind, axis, element, shape = case
    dtype, name = DTYPES[element], f"{kind} {axis} {element} {shape}"
    # Whole numbers, so that sums of floats are the same in any order.
    parts = [np.random.default_rng(i).integers(-99, 99, shape).astype(dtype)
             for i in range(world.size)]
    model = quantmlir.compile(program(kind, axis, element, len(shape), world.size),
                              target="generic", optimize=0)
    try:
        found = model(parts[world.rank])
    except quantmlir.QuantError as error:
        refused = world.gather("a multiple of the ranks" in str(error))
        return f"refused {name}: {refused}"
    whole = functools.reduce(COMBINE[kind], parts)
    expected = np.split(whole, world.size, axis)[world.rank]
    same = world.gather(found.shape == expected.shape and (found == expected).all())
    return f"{'ok' if same and all(same) else 'wrong'} {name}"


def main():
    if len(sys.argv) > 1:
        subprocess.run(["mpirun", "--oversubscribe", "-n", sys.argv[1], sys.executable,
                        "-m", "mpi4py", __file__], check=True, env=ENVIRONMENT,
                       timeout=120)
        return
    from mpi4py import MPI
    for case in CASES:
        said = run(MPI.COMM_WORLD, case)
        if MPI.COMM_WORLD.rank == 0:
            print(said, flush=True)


if __name__ == "__main__":
    main()
