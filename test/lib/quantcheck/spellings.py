"""Random spellings of quantized products: that they are recognised, and what
they compute.

usage: spellings.py [--only=I] COUNT [SEED]

Each program is one product of SEMANTICS.md (activations in integers or floats,
a weight with scales and zero points per tensor, channel or group, ONNX's
MatMulInteger), written in one of the ways that exporters write it. The
pipeline's quant stage must hold the program's own integers, nothing may be left
in float, and the results must be the ones that NumPy computes. Failures are
listed by what the programs were written with.
"""

import argparse
import collections
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from quantcheck import module
from quantcheck.draw import Draw
from quantcheck.spelling import compiled, native
from quantcheck.spelling.axes import Axes
from quantcheck.spelling.program import Speller

# quant-run's compiler takes ten times as long: a share of the programs.
SHARE = 25
JIT = {"quant-run": ["--target=generic"], "quant-run-x86": ["--target=x86"]}


def make(seed, index, banned=(), forced=(), oddness=None):
    return Speller(Axes(Draw(seed, index, 2), banned, forced,
                        oddness)).program()


def import_batch(programs, quant_opt):
    """{index: (kind, words)} of what the quant stage makes of the programs."""
    if not programs:
        return {}
    text, _ = module.module_text([p.case for p in programs])
    with tempfile.NamedTemporaryFile("w", suffix=".mlir") as file:
        file.write(text)
        file.flush()
        done = subprocess.run(
            [quant_opt, "--quant-to-generic=stop-after=quant", file.name,
             "--mlir-print-elementsattrs-with-hex-if-larger=16"],
            capture_output=True, text=True, timeout=module.TIMEOUT)
    if done.returncode:
        if len(programs) == 1:
            lines = done.stderr.strip().splitlines()
            worst = [l for l in lines if "error" in l] or lines or [
                f"quant-opt ended with {done.returncode}"]
            return {0: ("refused", worst[0].split(".mlir")[-1])}
        half = len(programs) // 2
        wrong = import_batch(programs[:half], quant_opt)
        for i, found in import_batch(programs[half:], quant_opt).items():
            wrong[half + i] = found
        return wrong
    remarks = remarks_of(done.stderr, text)
    functions = compiled.functions(done.stdout)
    wrong = {}
    for i, program in enumerate(programs):
        found = compiled.judge(functions[f"case{i}"], program)
        if found and found[0] == "left" and f"case{i}" in remarks:
            found = "left with reason", remarks[f"case{i}"]
        if found:
            wrong[i] = found
    return wrong


def remarks_of(stderr, text):
    """{function: the first remark in it}."""
    starts = [(i, re.search(r"@(\w+)", line)[1])
              for i, line in enumerate(text.splitlines(), 1)
              if line.lstrip().startswith("func.func")]
    found = {}
    for line, words in re.findall(r"\.mlir:(\d+):\d+: remark: ([^\n]*)",
                                  stderr):
        name = [n for i, n in starts if i <= int(line)][-1]
        found.setdefault(name, words)
    return found


def check(programs, options):
    """{index: (kind, words)} of the programs that fail."""
    if options.stock:
        return {i: ("numbers", text) for i, text in native.check(
            [p.loosely() for p in programs], "stock",
            options.quant_opt).items()}
    wrong = import_batch(programs, options.quant_opt)
    # What is left in floats is judged as that.
    cases = [p.loosely() if i in wrong else p.case
             for i, p in enumerate(programs)]
    runs = [i for i in range(len(programs))
            if i not in wrong or wrong[i][0] != "refused"]
    wrong = {i: found for i, found in wrong.items()
             if found[0] != "left with reason" or not programs[i].may_stay()}
    for target in options.targets.split(","):
        some = runs[::SHARE] if target in JIT else runs
        chosen = [cases[i] for i in some]
        found = module.check(chosen, JIT[target], options.quant_run) \
            if target in JIT else native.check(chosen, target,
                                               options.quant_opt)
        for at, text in found.items():
            wrong[some[at]] = "numbers", f"{target}: {text}"
    return wrong


def explain(failed, drawn):
    """Features that explain the failures, the surest first: (feature,
    failures, programs with it), each without the programs before."""
    rest, found = {i: p.odd for i, p in drawn.items()}, []
    while any(i in failed and rest[i] for i in rest):
        total, bad = collections.Counter(), collections.Counter()
        for i, features in rest.items():
            total.update(features)
            if i in failed:
                bad.update(features)
        feature = max(sorted(bad), key=lambda f: (bad[f] / (total[f] + 1),
                                                  bad[f]))
        found.append((feature, bad[feature], total[feature]))
        rest = {i: f for i, f in rest.items() if feature not in f}
    return found


def main():
    root = pathlib.Path(__file__).resolve().parents[3]
    parser = argparse.ArgumentParser(prog="fuzz.sh --spellings")
    bin_ = root / "build" / "bin"
    parser.add_argument("--quant-run", default=str(bin_ / "quant-run"))
    parser.add_argument("--quant-opt", default=str(bin_ / "quant-opt"))
    parser.add_argument("--output", default=str(root / "build" / "spellings"))
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--targets", default="generic,quant-run",
                        help="of generic, x86, quant-run, quant-run-x86 "
                        "(the last two: a share of the programs)")
    parser.add_argument("--stock", action="store_true",
                        help="run the programs as they are written, by "
                        "upstream's passes: checks this generator")
    parser.add_argument("--without", action="append", default=[],
                        metavar="FEATURE", help="do not draw this one")
    parser.add_argument("--with", dest="forced", action="append", default=[],
                        metavar="FEATURE", help="draw this one where its axis "
                        "is met, as in --with='w cuts: everywhere'")
    parser.add_argument("--odd", type=float, metavar="P",
                        help="how often an axis is not plain; 0: never, but "
                        "for --with")
    parser.add_argument("--table", action="store_true",
                        help="every feature's failures")
    parser.add_argument("--show", type=int, default=20,
                        help="write and print so many failures")
    parser.add_argument("--only", type=int, help="run this program alone")
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    options = parser.parse_args()
    banned = options.without
    begin_time, failed, drawn = time.time(), {}, {}
    kinds = collections.Counter()
    indices = range(options.count) if options.only is None else [options.only]
    for begin in range(0, len(indices), options.batch):
        part = indices[begin:begin + options.batch]
        programs = [make(options.seed, i, banned, options.forced,
                         options.odd) for i in part]
        for i, program in zip(part, programs):
            drawn[i] = program
        for at, (kind, text) in sorted(check(programs, options).items()):
            i, program = part[at], programs[at]
            failed[i] = kind
            kinds[kind] += 1
            if sum(kinds.values()) <= options.show:
                report(options, i, program, kind, text)
    summary(options, failed, drawn, kinds, time.time() - begin_time)
    return 1 if failed or not drawn else 0


def report(options, i, program, kind, text):
    folder = pathlib.Path(options.output) / f"{options.seed}-{i}"
    module.write([program.case], folder)
    features = "\n".join(sorted(program.features))
    (folder / "features.txt").write_text(f"{kind}: {text}\n{features}\n")
    print(f"MISMATCH program {i} of seed {options.seed}, {kind}: {text}\n"
          f"  {folder}/model.mlir; written with: "
          f"{'; '.join(sorted(program.odd))}", flush=True)


def summary(options, failed, drawn, kinds, seconds):
    if failed:
        print("failures explained by, each without the programs before:")
        for feature, bad, total in explain(failed, drawn)[:60]:
            print(f"  {bad:5} of {total:5}  {feature}")
    if options.table:
        total, bad = collections.Counter(), collections.Counter()
        for i, program in drawn.items():
            total.update(program.features)
            if i in failed:
                bad.update(program.features)
        print("every feature, failures of programs with it:")
        for feature in sorted(total):
            print(f"  {bad[feature]:5} of {total[feature]:5}  {feature}")
    words = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
    print(f"{len(drawn)} spellings, seed {options.seed}, {len(failed)} "
          f"mismatches{' (' + words + ')' if words else ''}, "
          f"{seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
