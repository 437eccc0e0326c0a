"""What ranks of a language model say, and when, where one of them cannot go on.

    llm-failures.py FOLDER
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

from quantcheck.mpi import ENVIRONMENT
from quantllm.checkpoints import Decoder

# Seconds after which a run has to have ended.
LIMIT = 10
# What a rank waits for another, which may be busy with compiling.
TIMEOUT = 20
# Each rank is of another machine, which makes no difference. It writes a file where it
# runs: what it prints, mpirun mixes.
WORKER = """
import json, pathlib, sys, quantmlir.llm as llm
from mpi4py import MPI
rank = str(MPI.COMM_WORLD.rank)
llm.cache._machine = lambda: rank
path, tokens, calls, options = json.loads(sys.argv[1])
model = llm.load(path, ranks="mpi", **options)
pathlib.Path(path).with_suffix("." + rank).touch()
while calls:
    model.session(4)([1] * tokens)
    calls -= 1
print("computed", flush=True)
"""


def start(*ranks, **options):
    """Rank i has the file, the weights and makes the calls of ranks[i]: (path, weights,
    number of tokens = 1, of calls = without end)."""
    command = ["mpirun", "--oversubscribe"]
    for i, (path, weights, *calls) in enumerate(ranks):
        how = {"weights": weights, "cache": False, "optimize": 0, "ranks_timeout": TIMEOUT,
               **options}
        tokens, calls = calls or (1, -1)
        command += ([":"] if i else []) + [
            "-n", "1", sys.executable, "-m", "mpi4py", "-c", WORKER,
            json.dumps([path, tokens, calls, how])]
    return subprocess.Popen(command, env=ENVIRONMENT, text=True, stderr=subprocess.PIPE,
                            stdout=subprocess.PIPE)


def ends(what, process, text, since=None, limit=LIMIT):
    try:
        out, said = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        sys.exit(f"{what}: it hangs")
    seconds = since and time.monotonic() - since
    if text not in said or process.returncode == 0 or (seconds or 0) > limit \
            or "computed" in out:
        sys.exit(f"{what}: expected '{text}' within {limit} s, found after {seconds} s, "
                 f"status {process.returncode}:\n{out}{said}")
    print("ok", what)


def running(path):
    """Waits for both ranks."""
    marks = [pathlib.Path(path).with_suffix(f".{rank}") for rank in range(2)]
    end = time.monotonic() + 120
    while not all(mark.exists() for mark in marks):
        if time.monotonic() > end:
            sys.exit("the ranks do not run")
        time.sleep(0.01)
    for mark in marks:
        mark.unlink()


def signalled(what, number, text, path, limit):
    process = start((path, "w8"), (path, "w8"), cache=f"{sys.argv[1]}/cache")
    running(path)
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    ranks = sorted(map(int, children.read_text().split()))
    since = time.monotonic()
    os.kill(ranks[1], number)
    ends(what, process, text, since, limit)


def main():
    path = f"{sys.argv[1]}/model.gguf"
    Decoder("llama", {"*": "Q8_0"}, layers=1, dim=64, heads=2, kv_heads=2, head_dim=32,
            ffn=64).write(path)
    ends("no file", start((path, "w8"), (f"{path}x", "w8")),
         "rank 1 could not load the model: ")
    since = time.monotonic()
    ends("no path", start((path, "w8"), (1.5, "w8")),
         "rank 1 could not load the model: TypeError: ", since)
    ends("other weights", start((path, "w8"), (path, "w4-g32")),
         "expected the same checkpoint, options and build on every rank, found others "
         "on rank 1 than on rank 0")
    data = bytearray(pathlib.Path(path).read_bytes())
    data[-1] ^= 1
    pathlib.Path(f"{path}1").write_bytes(data)
    ends("other bytes", start((path, "w8"), (f"{path}1", "w8")), "found others on rank 1")
    # MPI says it, if OpenMPI's mpirun does not garble that (4.1.4).
    process = start((path, "w8", 3, 2), (path, "w8", 2, 2))
    running(path)
    ends("other calls", process, "", time.monotonic())
    signalled("a rank is killed", signal.SIGKILL, "signal 9", path, LIMIT)
    signalled("a rank is stopped", signal.SIGSTOP,
              f"rank 0 waited {TIMEOUT} s for the other ranks to compute", path,
              TIMEOUT + LIMIT)


if __name__ == "__main__":
    main()
