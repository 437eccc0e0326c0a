"""What ranks of a language model say, and when, where one of them cannot go on.

    llm-failures.py FOLDER
"""

import os
import pathlib
import signal
import subprocess
import sys
import time

from quantllm.checkpoints import Decoder

from ranks import ENVIRONMENT

# Seconds after which a run has to have ended.
LIMIT = 10
# What a rank waits for another, which may be busy with compiling.
TIMEOUT = 20
WORKER = """
import sys, quantmlir.llm as llm
model = llm.load(sys.argv[1], weights=sys.argv[2], cache=False, ranks="mpi",
                 ranks_timeout=int(sys.argv[3]))
print("running", flush=True)
while True:
    model.session(1)([1])
"""


def start(*ranks):
    """Rank i has the file and the weights ranks[i]."""
    command = ["mpirun", "--oversubscribe"]
    for i, (path, weights) in enumerate(ranks):
        command += ([":"] if i else []) + [
            "-n", "1", sys.executable, "-m", "mpi4py", "-c", WORKER, path, weights,
            str(TIMEOUT)]
    return subprocess.Popen(command, env=ENVIRONMENT, text=True, stderr=subprocess.PIPE,
                            stdout=subprocess.PIPE)


def ends(what, process, text, since=None, limit=LIMIT):
    try:
        said = process.communicate(timeout=120)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        sys.exit(f"{what}: it hangs")
    seconds = since and time.monotonic() - since
    if text not in said or process.returncode == 0 or (seconds or 0) > limit:
        sys.exit(f"{what}: expected '{text}' within {limit} s, found after {seconds} s, "
                 f"status {process.returncode}:\n{said}")
    print("ok", what)


def signalled(what, number, text, path, limit):
    process = start((path, "w8"), (path, "w8"))
    for _ in range(2):
        assert process.stdout.readline() == "running\n"
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
    ends("other weights", start((path, "w8"), (path, "w4-g32")),
         "expected the same checkpoint, options and build on every rank, found others "
         "on rank 1 than on rank 0")
    signalled("a rank is killed", signal.SIGKILL, "signal 9", path, LIMIT)
    signalled("a rank is stopped", signal.SIGSTOP,
              f"rank 0 waited {TIMEOUT} s for the other ranks to compute", path,
              TIMEOUT + LIMIT)


if __name__ == "__main__":
    main()
