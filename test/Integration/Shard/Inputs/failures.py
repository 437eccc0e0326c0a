"""What all ranks say, and when, where one of them cannot go on.

    failures.py --build BUILD
"""

import argparse
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np

from quantcheck.mpi import ENVIRONMENT

from ranks import make_program

# Seconds after which a run has to have ended.
LIMIT = 10


class Check:
    def __init__(self, build, folder):
        self.tool = str(pathlib.Path(build) / "bin" / "quant-run")
        self.folder = folder
        self.failed = 0
        for name, sizes in (("a", (16, 8)), ("b", (16, 4))):
            (folder / f"{name}.mlir").write_text(make_program(sizes, 4))
        for seed in (1, 2):
            np.save(folder / f"x{seed}.npy", np.random.default_rng(seed)
                    .standard_normal((4, 16)).astype(np.float32))

    def command(self, program="a", ranks=2, inputs=1, *more):
        return [self.tool, str(self.folder / f"{program}.mlir"),
                f"--inputs={self.folder / f'x{inputs}.npy'}",
                f"--shard={ranks}", f"--outputs={self.folder / 'out'}",
                "--quantize=weights=channel activations=dynamic-token", *more]

    def record(self, what, problem):
        print(f"{'FAIL' if problem else 'ok  '} {what}"
              f"{': ' + problem if problem else ''}", flush=True)
        self.failed += bool(problem)

    def ends(self, what, process, begin, texts):
        """`process` fails in time, says each text and writes nothing."""
        try:
            said = process.communicate(timeout=LIMIT + 20)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            return self.record(what, "it hangs")
        seconds = time.monotonic() - begin
        problem = None
        for text, times in texts.items():
            if said.count(text) != times:
                problem = f"expected {times} times '{text}', found:\n{said}"
        if process.returncode == 0:
            problem = "it succeeds"
        elif seconds > LIMIT:
            problem = f"it takes {seconds:.1f} s"
        elif (self.folder / "out").exists():
            problem = "it writes results"
        self.record(what, problem)

    def start(self, *programs):
        """Rank i runs programs[i]."""
        command = ["mpirun", "--oversubscribe"]
        for i, program in enumerate(programs):
            command += ([":"] if i else []) + ["-n", "1"] + program
        return subprocess.Popen(command, env=ENVIRONMENT, text=True,
                                stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE)

    def run(self, what, programs, texts):
        self.ends(what, self.start(*programs), time.monotonic(), texts)

    def signalled(self, what, number, more, texts):
        """A rank gets a signal while the program runs again and again."""
        program = self.command("a", 2, 1, "--repeat=100000000", "--progress",
                               *more)
        process = self.start(program, program)
        compiled = 0
        while compiled < 2:
            line = process.stderr.readline()
            if not line:
                return self.record(what, "it ends before it runs")
            compiled += "quant-run: running, generic ..." in line
        begin = time.monotonic()
        os.kill(self.running(process.pid)[1], number)
        self.ends(what, process, begin, texts)

    def running(self, parent):
        """Processes of quant-run that `parent` started."""
        found = []
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                _, rest = stat.read_text().rsplit(") ", 1)
                name = (stat.parent / "comm").read_text().strip()
            except (OSError, ValueError):
                continue
            if int(rest.split()[1]) == parent and name == "quant-run":
                found.append(int(stat.parent.name))
        return sorted(found)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    with tempfile.TemporaryDirectory() as folder:
        check = Check(parser.parse_args().build, pathlib.Path(folder))
        three = check.command(ranks=3)
        check.run("two of three ranks", [three, three],
                  {"error: --shard=3: expected 3 processes, found 2 "
                   "(mpirun -n 3": 2})
        check.run("two programs", [check.command("a"), check.command("b")],
                  {"error: expected the same program on every rank, found "
                   "others on rank 1 than on rank 0": 2})
        check.run("two inputs", [check.command(), check.command(inputs=2)],
                  {"error: expected the same inputs on every rank, found "
                   "others on rank 1 than on rank 0": 2})
        check.run("no program", [check.command(), check.command("c")],
                  {"error: rank 1 could not compile the program": 1,
                   "c.mlir: No such file or directory": 1})
        check.signalled("a rank is killed", signal.SIGKILL, [],
                        {"error: ended, because another rank has ended": 1})
        check.signalled("a rank is stopped", signal.SIGSTOP,
                        ["--shard-timeout=5"],
                        # At whatever they do together: a busy machine is slow.
                        {"error: rank 0 waited 5 s for the other ranks ": 1})
    return check.failed > 0


if __name__ == "__main__":
    sys.exit(main())
