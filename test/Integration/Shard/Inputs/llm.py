"""Language models cut over ranks give the bits of one process, and send what their
plan says.

    llm.py FOLDER CC RANKS CASE...

Models are small and random; cases are those of llm-rank.py.
"""

import pathlib
import subprocess
import sys

from quantcheck.mpi import ENVIRONMENT
from quantllm.checkpoints import Decoder

HERE = pathlib.Path(__file__).parent
SIZES = dict(dim=96, heads=9, kv_heads=3, head_dim=32, ffn=224,
             vocabulary=101)
KINDS = {"q8": {"*": "Q8_0"}, "q4": {"*": "Q4_1", "token_embd": "Q8_0"},
         # Weights of two layers in several forms, and a head of its own.
         "mixed": {"*": "Q4_0", "blk.1.ffn_down": "Q8_0", "token_embd": "F32"}}


def main():
    folder, cc, ranks, *cases = sys.argv[1:]
    folder = pathlib.Path(folder)
    for name, kinds in KINDS.items():
        Decoder("llama", kinds, layers=1 if name == "q4" else 2, tied=name != "mixed",
                **SIZES).write(folder / f"{name}.gguf")
    shim = folder / "count-mpi.so"
    subprocess.run([cc, "-shared", "-fPIC", "-o", shim, HERE / "count-mpi.c"],
                   check=True)
    worker = [sys.executable, "-m", "mpi4py", HERE / "llm-rank.py", folder, *cases]
    # What one process computes is the same for any number of ranks.
    if not all((folder / f"{case}.npy").exists() for case in cases):
        subprocess.run([sys.executable, *worker[3:]], check=True, timeout=900)
    subprocess.run(["mpirun", "--oversubscribe", "-n", ranks, "-x",
                    f"LD_PRELOAD={shim}", *worker], check=True, timeout=900,
                   env=ENVIRONMENT)


if __name__ == "__main__":
    main()
