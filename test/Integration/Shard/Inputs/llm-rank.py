"""One rank of language models, or the one process that ranks are compared with.

    llm-rank.py FOLDER CASE...

CASE: NAME,OPTION=VALUE,..: NAME.gguf of FOLDER with options of `llm.load`. Logits go
to FOLDER, from one process, or are compared with those.
"""

import ctypes
import os
import pathlib
import sys

import numpy as np
import quantmlir.llm as llm

# A prompt, whose rows are divided (of four ranks, one has none), its end, and tokens one
# by one.
CALLS = [slice(0, 9), slice(9, 11), slice(11, 12), slice(12, 13)]
# So few that a short prompt does.
llm.ranks.LEAST_ROWS = 2


class Counter:
    """Bytes that MPI was asked to combine (count-mpi.c)."""

    def __init__(self):
        here = ctypes.CDLL(None)
        self._counts = [ctypes.c_longlong.in_dll(here, name)
                        for name in ("countedReduced", "countedGathered")]

    def sent(self, count):
        reduced, gathered = (c.value for c in self._counts)
        return (2 * reduced + gathered) * (count - 1) // count


def run(folder, case, ranks):
    name, *options = case.split(",")
    options = dict(option.split("=") for option in options)
    said = []
    model = llm.load(folder / f"{name}.gguf", cache=False, ranks=ranks, optimize=0,
                     progress=said.append, **options)
    tokens = np.random.default_rng(1).integers(0, model.config.vocabulary, 16)
    session, logits = model.session(16), []
    for part in CALLS:
        counter = Counter() if ranks else None
        before = counter.sent(model.plan.count) if ranks else 0
        logits.append(session(tokens[part]).copy())
        if ranks:
            sent = counter.sent(model.plan.count) - before
            predicted = model.plan.traffic().sent(len(tokens[part]))
            if abs(sent - predicted) > 1:
                raise SystemExit(f"{case}: {sent} bytes are sent, the plan says "
                                 f"{predicted}")
    path = folder / f"{case}.npy"
    if not ranks:
        return np.save(path, np.array(logits))
    if np.array(logits).tobytes() != np.load(path).tobytes():
        raise SystemExit(f"{case}: rank {model.plan.number} of {model.plan.count} "
                         "has other bits")
    if model.plan.number == 0:
        whole = [line for line in said if "every rank" in line]
        print(f"ok {case} on {model.plan.count}: {model.plan.traffic().sent(1)} bytes "
              f"a token{''.join('; ' + line for line in whole)}", flush=True)


def main():
    folder, ranks = pathlib.Path(sys.argv[1]), None
    if "OMPI_COMM_WORLD_SIZE" in os.environ:
        ranks = "mpi"
    for case in sys.argv[2:]:
        run(folder, case, ranks)


if __name__ == "__main__":
    main()
