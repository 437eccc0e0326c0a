"""Damaged programs, files and options: refused with a diagnostic, or done.

usage: python -m quantcheck.damage [-jN] [--build=DIR] [--only=I] [--programs=DIR] COUNT [SEED]

Mutant i of a seed is always the same. A finding is a tool that ends by a signal,
runs for more than 20 seconds of the processor, fails without a diagnostic,
succeeds with a program that does not parse and verify again or, of a pipeline
for the host, that mlir-translate refuses, or ends in a Python traceback; memory
is limited to 4 GiB. What is found is kept, with its command, in
build/damage/SEED-i.
"""

import argparse
import collections
import multiprocessing
import os
import pathlib
import queue
import random
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
import traceback

from quantcheck.damage import seeds
from quantcheck.damage import text as damage
from quantcheck.damage.upstream import KNOWN
from quantmlir import import_weights

SECONDS, BYTES = 20, 4 << 30
ENVIRONMENT = {"LLVM_DISABLE_SYMBOLIZATION": "1", "OMP_NUM_THREADS": "1",
               "OPENBLAS_NUM_THREADS": "1", "LLVM_DISABLE_CRASH_REPORT": "1"}


class Server:
    """A tool that is loaded once and forks for each run."""

    def __init__(self, build, path):
        self.tool = str(path)
        self.process = subprocess.Popen(
            [self.tool], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env={**os.environ, **ENVIRONMENT,
                            "LD_PRELOAD": str(build / "lib/libForkServer.so")})

    def run(self, folder, arguments):
        """(waitpid's status, errors) of the tool in `folder`."""
        out, err = folder / "stdout", folder / "stderr"
        fields = [out, err, SECONDS, BYTES, self.tool, *arguments]
        line = "\t".join(map(str, fields))
        if "\n" in line or self.process.poll() is not None:
            raise ValueError(f"cannot run {line!r}: server's status is "
                             f"{self.process.poll()}")
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        status = int(self.process.stdout.readline())
        return status, err.read_text(errors="replace")


def run_importer(folder, arguments):
    """The importer in a child of this process, which has NumPy loaded."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            err = os.open(folder / "stderr", os.O_WRONLY | os.O_CREAT |
                          os.O_TRUNC, 0o644)
            os.dup2(err, 2)
            signal.alarm(6 * SECONDS)
            resource.setrlimit(resource.RLIMIT_CPU,
                               (SECONDS, SECONDS + 1))
            resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
            sys.argv = ["import-quantized-weights.py", *map(str, arguments)]
            IMPORTER.main()
            code = 0
        except SystemExit as end:
            if isinstance(end.code, str):
                print(end.code, file=sys.stderr)
            code = end.code if isinstance(end.code, int) else 1
        except BaseException:
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(code or 0)
    status = os.waitpid(child, 0)[1]
    return status, (folder / "stderr").read_text(errors="replace")


def is_only_read(arguments):
    """Whether bytecode goes through no pass: MLIR 22.1.8's reader follows types
    that name each other again for each of them, without an end."""
    return arguments[0].endswith("bc") and len(arguments) == 4


def judge(status, errors):
    """What is wrong with how a tool ended; empty where nothing is."""
    for known in KNOWN:
        if re.search(known.signature, errors):
            return ""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number in (signal.SIGALRM, signal.SIGXCPU):
            return "runs too long"
        return f"ends by {signal.Signals(number).name}"
    if "Traceback (most recent call last)" in errors:
        return "ends in a traceback"
    code = os.WEXITSTATUS(status)
    if code >= 128 or "PLEASE submit a bug report" in errors:
        return f"crashes with status {code}"
    if code and not re.search(r"error|usage|import-quantized-weights:|"
                              r"Unknown command line argument|for the -|"
                              r"Too many positional|no such option", errors,
                              re.I):
        return f"fails with status {code} and without a diagnostic"
    if re.search(r"LLVM ERROR|Assertion .* failed", errors):
        return "ends within LLVM"
    return ""


def is_lowered(arguments):
    """Whether what `quant-opt` writes is for mlir-translate."""
    last = arguments[-1]
    return re.match("--?quant-to-(generic|x86)", last) and \
        re.search(r"stop-after=(?!llvm)", last) is None


class Mutants:
    """Makes and runs them; one for each worker."""

    def __init__(self, options, folder):
        build = pathlib.Path(options.build)
        self.seed, self.folder, self.build = options.seed, folder, build
        folder.mkdir(parents=True, exist_ok=True)
        self.opt, self.run_tool, self.translate = (
            Server(build, path) for path in (
                build / "bin/quant-opt", build / "bin/quant-run",
                shutil.which("mlir-translate-22")))
        self.programs = seeds.programs(options.programs)
        self.bytecodes = BYTECODES
        (folder / "model.mlir").write_text(seeds.MODEL)
        (folder / "x.npy").write_bytes(seeds.npy())

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes)
                         else content.encode(errors="replace"))
        return name

    def check(self, index):
        """(kind, finding, command) of one mutant."""
        draw = random.Random(f"{self.seed}-{index}")
        kind = draw.choices(["text", "bytecode", "options", "files", "import"],
                            weights=[70, 8, 5, 9, 8])[0]
        tool, arguments = getattr(self, "make_" + kind)(draw)
        if tool == "import":
            os.chdir(self.folder)
            status, errors = run_importer(self.folder, arguments)
        else:
            server = self.opt if tool == "quant-opt" else self.run_tool
            status, errors = server.run(self.folder, [
                self.absolute(a) for a in arguments])
        finding = judge(status, errors)
        if finding == "runs too long" and is_only_read(arguments):
            finding = ""
        if not finding and tool == "quant-opt" and status == 0:
            finding = self.check_output(arguments)
        if finding and kind == "bytecode" and os.WIFSIGNALED(status) and \
                self.dies_reading(arguments[0]):
            finding = ""
        command = shlex.join([tool if tool != "import" else
                              "import-quantized-weights.py", *arguments])
        return kind, finding, command

    def absolute(self, argument):
        """Files are named as they stand in the folder."""
        return re.sub(r"(?<![\w./])(m\.mlir|m\.mlirbc|f\.json|o\.mlir|o\.json|"
                      r"model\.mlir|[fx]\.np[yz])\b",
                      lambda m: str(self.folder / m.group(0)), argument)

    def check_output(self, arguments):
        """The output parses and verifies again; a program is translated."""
        output = self.folder / "o.mlir"
        if not output.exists() or "--verify-diagnostics" in arguments:
            return ""
        status, errors = self.opt.run(self.folder, [
            str(output), "-o", os.devnull, "--mlir-disable-threading"])
        finding = judge(status, errors)
        if any(re.search(known.signature, errors) for known in KNOWN):
            return ""
        if finding or status:
            if self.is_unprintable(arguments[0]):
                return ""
            return f"writes what does not verify: {finding or errors[:200]}"
        if not is_lowered(arguments):
            return ""
        status, errors = self.translate.run(self.folder, [
            "--mlir-to-llvmir", str(output), "-o", os.devnull])
        if any(re.search(known.signature, errors) for known in KNOWN):
            return ""
        if judge(status, errors) or status:
            return f"writes what is not translated: {errors[:200]}"
        return ""

    def dies_reading(self, name):
        """Whether reading alone, which is upstream's, ends the process: it wrote
        where it should not."""
        return os.WIFSIGNALED(self.opt.run(self.folder, [
            str(self.folder / name), "-o", os.devnull,
            "--mlir-disable-threading"])[0])

    def is_unprintable(self, name):
        """Whether `name` is bytecode that no text says, run through no pass."""
        if not name.endswith("bc"):
            return False
        again = str(self.folder / "o.mlir")
        status, _ = self.opt.run(self.folder, [
            str(self.folder / name), "-o", again, "--mlir-disable-threading"])
        return status == 0 and self.opt.run(self.folder, [
            again, "-o", os.devnull, "--mlir-disable-threading"])[0] != 0

    def run_opt(self, name, arguments):
        return "quant-opt", [name, "-o", "o.mlir", "--mlir-disable-threading",
                             *arguments]

    def make_text(self, draw):
        text, own = draw.choice(self.programs)
        other, _ = draw.choice(self.programs)
        mutant = damage.program(draw, text, other)
        arguments = seeds.arguments(draw)
        if own and draw.random() < .5:
            try:
                arguments = shlex.split(draw.choice(own))
            except ValueError:
                pass
        arguments = [a for a in arguments if not a.startswith("-split-input")]
        return self.run_opt(self.write("m.mlir", mutant), arguments)

    def make_bytecode(self, draw):
        content = damage.data(draw, draw.choice(self.bytecodes))
        arguments = seeds.arguments(draw) if draw.random() < .5 else []
        return self.run_opt(self.write("m.mlirbc", content), arguments)

    def make_options(self, draw):
        text, _ = draw.choice(self.programs)
        self.write("m.mlir", text)
        arguments = seeds.arguments(draw)
        at = draw.randrange(len(arguments))
        arguments[at] = damage.options(draw, arguments[at]).replace("\t", "") \
            .replace("\n", "")
        return self.run_opt("m.mlir", arguments)

    def make_files(self, draw):
        """Inputs, recipes, statistics and schedules."""
        how = draw.randrange(6)
        if how == 0:
            self.write("f.npy", damage.data(draw, seeds.npy()))
            return "quant-run", ["model.mlir", "--inputs=f.npy"]
        if how == 1:
            archive = seeds.npz(draw.random() < .5,
                                in0=seeds.np.ones((3, 8), "f4"))
            self.write("f.npz", damage.data(draw, archive))
            return "quant-run", [
                "model.mlir", draw.choice(["--evaluate=f.npz",
                                           "--calibrate=f.npz"]),
                draw.choice([f"--outputs={self.folder / 'o'}", "--stats-output=o.json"])]
        if how == 2:
            self.write("f.json", self.damage_json(draw, seeds.RECIPE))
            return self.run_opt("model.mlir",
                                ["--quant-quantize-matmul=recipe=f.json"])
        if how == 3:
            self.write("f.json", self.damage_json(draw, STATISTICS))
            return self.run_opt("model.mlir", [
                "--quant-quantize-matmul=activations=static "
                "statistics=f.json"])
        if how == 4:
            self.write("f.json", self.damage_json(draw, seeds.SCHEDULES))
            self.write("m.mlir", seeds.PACKABLE)
            return self.run_opt("m.mlir", [
                "--quant-set-target=cpu=icelake-server",
                "--quant-pack-matmul=schedules=f.json"])
        text = damage.program(draw, seeds.MODEL, seeds.MODEL)
        target = draw.choice(["generic", "x86"])
        scheme = draw.choice(seeds.SCHEMES + [""])
        self.write("m.mlir", text)
        return "quant-run", ["m.mlir", "--inputs=x.npy", f"--target={target}",
                             *([f"--quantize={scheme}"] if scheme else [])]

    @staticmethod
    def damage_json(draw, text):
        if draw.random() < .3:
            return damage.data(draw, text.encode())
        return damage.program(draw, text, text)

    def make_import(self, draw):
        more = {}
        if draw.random() < .3:
            more["g_idx"] = seeds.np.arange(64, dtype="i4") // 32
        if draw.random() < .3:
            more["bias"] = seeds.np.ones(4, "f4")
        output = ["-o", "o.mlir", "--activations",
                  draw.choice(["float", "int8"])]
        if draw.random() < .6:
            archive = seeds.nbits(draw.random() < .5, **more)
            self.write("f.npz", damage.data(draw, archive))
            return "import", ["matmulnbits", "f.npz", *output]
        kind = draw.choice(seeds.GGUF_KINDS)
        self.write("f.gguf", damage.data(draw, seeds.gguf(kind)))
        return "import", ["gguf", "f.gguf", "--tensor", "w", *output]


def keep(options, index, folder, finding, command):
    """A finding's files, with the command that shows it."""
    to = pathlib.Path(options.build) / "damage" / f"{options.seed}-{index}"
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    for path in folder.iterdir():
        if path.is_file() and path.stat().st_size < 1 << 20:
            shutil.copy(path, to)
    (to / "command.txt").write_text(
        f"# {finding} (damage.sh --only={index} {options.count} "
        f"{options.seed})\n{command}\n")
    print(f"FAILED mutant {index} of seed {options.seed}: {finding}\n"
          f"  cd {to}; {command}", flush=True)


def work(options, share, results, progress):
    folder = pathlib.Path(options.build) / "damage" / f"work-{share}"
    mutants = Mutants(options, folder)
    indices = range(share, options.count, options.jobs)
    if options.only is not None:
        indices = [options.only] if share == 0 else []
    done, failed = collections.Counter(), 0
    for index in indices:
        for name in ("o.mlir", "stdout", "stderr"):
            (folder / name).unlink(missing_ok=True)
        kind, finding, command = mutants.check(index)
        done[kind] += 1
        with progress.get_lock():
            progress.value += 1
        if finding:
            failed += 1
            keep(options, index, folder, finding, command)
    results.put((done, failed))


def make_statistics(build, folder):
    """What quant-run measures of the model."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.mlir").write_text(seeds.MODEL)
    (folder / "x.npy").write_bytes(seeds.npy())
    subprocess.run([build / "bin/quant-run", folder / "model.mlir",
                    f"--calibrate={folder}/x.npy",
                    f"--stats-output={folder}/stats.json"], check=True,
                   stdout=subprocess.DEVNULL)
    return (folder / "stats.json").read_text()


def main():
    global BYTECODES, IMPORTER, STATISTICS
    parser = argparse.ArgumentParser(prog="damage.sh")
    parser.add_argument("--build", default=str(seeds.ROOT / "build"))
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", type=int, help="run this mutant alone")
    parser.add_argument("--programs", help="damage the programs in this folder "
                        "too")
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    options = parser.parse_args()
    options.build = str(pathlib.Path(options.build).resolve())
    build, begin = pathlib.Path(options.build), time.time()
    IMPORTER = import_weights
    STATISTICS = make_statistics(build, build / "damage" / "work")
    BYTECODES = seeds.bytecodes(build / "bin/quant-opt",
                                [text for text, _ in seeds.programs()[::20]])
    results, progress = multiprocessing.Queue(), multiprocessing.Value("q", 0)
    workers = [multiprocessing.Process(target=work,
                                       args=(options, share, results,
                                             progress))
               for share in range(options.jobs)]
    for worker in workers:
        worker.start()
    done, failed, ended, said = collections.Counter(), 0, 0, begin
    while ended < len(workers):
        if time.time() - said > 30:
            said = time.time()
            print(f"{progress.value} of {options.count}", file=sys.stderr,
                  flush=True)
        try:
            counts, wrong = results.get(timeout=5)
        except queue.Empty:  # A worker may end without a word.
            if any(worker.is_alive() for worker in workers) or \
                    not results.empty():
                continue
            print("damage.sh: a worker ended early", file=sys.stderr)
            return 1
        done, failed, ended = done + counts, failed + wrong, ended + 1
    seconds = time.time() - begin
    print(", ".join(f"{count} {kind}" for kind, count in sorted(done.items())) +
          f"; {seconds:.0f} s, {sum(done.values()) / seconds:.0f} a second")
    print(f"{sum(done.values()) - failed} passed, {failed} failed")
    return 1 if failed or not done else 0


if __name__ == "__main__":
    sys.exit(main())
