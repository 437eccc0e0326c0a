"""A program compiled for each rank, with its own file of weights, that Python calls.

    compile.py BUILD FOLDER RANKS        compiles, and runs itself over RANKS
    mpirun .. compile.py FOLDER [FILE]   one of them, with its file, or with rank FILE's
"""

import pathlib
import subprocess
import sys

import numpy as np
import quantmlir
from quantcheck.mpi import ENVIRONMENT

from ranks import SCHEME, make_program


def call(folder, file=None):
    from mpi4py import MPI
    # Compiled code drops what MPI returns.
    MPI.COMM_WORLD.Set_errhandler(MPI.ERRORS_ARE_FATAL)
    rank = MPI.COMM_WORLD.rank
    model = quantmlir.load(folder / f"rank{file or rank}.so")
    try:
        found = model(np.load(folder / "x.npy"))
        same = found.tobytes() == np.load(folder / "one.npy").tobytes()
    except quantmlir.QuantError as error:
        same = str(error)
    everybody = MPI.COMM_WORLD.gather(same)
    if rank == 0:
        print("same bits on each rank:", everybody, flush=True)


def main(build, folder, ranks):
    program = folder / "model.mlir"
    program.write_text(make_program((256, 384, 128), 5))
    x = np.random.default_rng(3).standard_normal((5, 256)).astype(np.float32)
    np.save(folder / "x.npy", x)
    compiler = [f"{build}/bin/quant-compile", program, "--target=x86",
                f"--quantize={SCHEME}"]
    subprocess.run([*compiler, f"--emit={folder / 'whole.so'}"], check=True,
                   stdout=subprocess.DEVNULL)
    np.save(folder / "one.npy", quantmlir.load(folder / "whole.so")(x))
    for i in range(ranks):
        subprocess.run([*compiler, f"--emit={folder}/rank{i}.so", f"--rank={i}",
                        f"--shard={ranks}"], check=True)
    sizes = [(folder / f"{name}.weights").stat().st_size
             for name in ("whole", *(f"rank{i}" for i in range(ranks)))]
    # Beside its part, a rank has the last bias and scales.
    assert max(sizes[1:]) < 1.1 * sizes[0] / ranks, sizes
    # As they are meant, too few, and the file of one rank on all.
    for count, *file in ((ranks,), (ranks - 1,), (ranks, "1")):
        subprocess.run(["mpirun", "--oversubscribe", "-n", str(count), sys.executable,
                        "-m", "mpi4py", __file__, folder, *file], check=True,
                       env=ENVIRONMENT, timeout=60)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        call(pathlib.Path(sys.argv[1]), *sys.argv[2:])
    else:
        main(sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]))
