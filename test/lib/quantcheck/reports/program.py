"""A folder with a model: its runs, and what became of each (`reports.py`)."""

import pathlib
import re
import shutil
import tempfile

import numpy as np

from quantcheck import closeness, evaluate, module, products
from quantcheck.generic_form import FLOATS, parse, tensor_type
from quantcheck.program import to_bf16

TARGETS = ("generic", "x86")
SCHEME = "weights=channel activations=dynamic-token"
# So coarse that integers which replace the program's own are noticed.
COARSE = "weights=tensor weight-bits=4 activations=dynamic-token"
PRINT = ["--mlir-print-op-generic", "--mlir-print-debuginfo",
         "--mlir-print-local-scope",
         "--mlir-print-elementsattrs-with-hex-if-larger=8"]
_ROUNDS = re.compile(r"roundeven|math\.round|qcast|tosa\.rescale|fpto[su]i|"
                     r"quant\.(quantize|rescale)")


class Verdict:
    def __init__(self, name, run, kind, text=""):
        self.name, self.run, self.kind, self.text = name, run, kind, text

    @property
    def failed(self):
        return self.kind in ("wrong", "silent")

    def __str__(self):
        text = f": {self.text}" if self.text else ""
        return f"{self.name} ({self.run}): {self.kind}{text}"


class Stage:
    """The module after the Quant stage, and what was said on the way."""

    def __init__(self, tools, plain, ended, scheme, scratch):
        """`plain`: the program, `ended`: how making it did."""
        out = scratch / "stage.mlir"
        self.ended = ended
        self.module, self.text = None, None
        if not self.ended.succeeded:
            return
        quantize = f'quantize="{scheme}" ' if scheme else ""
        self.ended = tools(tools.opt, plain, "-o", out, *PRINT,
                           f"--quant-to-generic={quantize}stop-after=quant")
        if self.ended.succeeded:
            self.module = products.Module(parse(out.read_text())[0])
            # Its own program, locations and constants aside.
            self.text = re.sub(r" loc\(.*", "", out.read_text())
        self.remarks = products.remarks(self.ended.err)


def argument_arrays(types):
    """Random inputs of these types; what is dynamic has the size 3."""
    random, arrays = np.random.default_rng(1), []
    for type_ in types:
        shape, element = tensor_type(type_)
        shape = [3 if n is None else n for n in shape]
        if element == "bf16":
            arrays.append(to_bf16(random.standard_normal(shape)).view("V2"))
        elif element in FLOATS:
            arrays.append(random.standard_normal(shape).astype(FLOATS[element]))
        else:
            bits = int(element[1:])
            least, most = (0, 1) if bits == 1 else (-2**(bits - 1),
                                                    2**(bits - 1) - 1)
            arrays.append(random.integers(least, most, shape,
                                          f"int{max(8, bits)}", endpoint=True))
    return arrays


class Program:
    """A folder with a model: its inputs and what they must give."""

    def __init__(self, folder, scratch):
        self.name, self.model = folder.name, folder / "model.mlir"
        self.scratch = scratch
        self.text = self.model.read_bytes()
        self.rounds = bool(_ROUNDS.search(self.text.decode(errors="replace")))
        self.inputs = numbered(folder, "in")
        self.expected = [np.load(f) for f in numbered(folder, "expected")]
        self.results, self.why, self.total = [], "", None
        self.factors = 0
        self.evaluate()

    def evaluate(self):
        """The second opinion, for results that have no file."""
        try:
            root, blobs = evaluate.load(self.model)
            main = evaluate.entry(root)
            # Equal products are one, and those that nobody reads are none.
            self.total = products.Module(evaluate.load(
                self.model, ["canonicalize", "cse", "symbol-dce"])[0]).count()
            self.factors = max(
                map(closeness.TOLERANCE.get,
                    products.Module(root).narrow_factors()), default=0)
            types = main.regions[0][0].types
            if not self.inputs:
                arrays = argument_arrays(types)
                for i, array in enumerate(arrays):
                    self.inputs.append(self.scratch / f"in{i}.npy")
                    np.save(self.inputs[-1], array)
            if not self.covered(main):
                self.results = evaluate.evaluate(
                    root, blobs, [np.load(f) for f in self.inputs])
        except evaluate.Mismatch as error:
            self.why = f"has no result: {error}"
        except (evaluate.Unsupported, KeyError, ValueError, IndexError,
                TypeError, AttributeError, RecursionError) as error:
            self.why = f"not evaluated: {error}"

    def covered(self, main):
        """Whether every result has its file."""
        return all(len(op.operands) <= len(self.expected)
                   for op in main.walk() if op.name == "func.return")

    def difference(self, got, allowed):
        """None or in words; the files come first, then the evaluation."""
        want = list(self.expected) + self.results[len(self.expected):]
        for i, (a, b) in enumerate(zip(got, want)):
            text = closeness.difference(a, b, self.rounds, allowed,
                                        self.factors)
            if text:
                return f"result {i}: {text}"
        if self.why.startswith("has no result"):
            return "expected an error, " + self.why
        return None

    def judged(self):
        """How many results have something to be compared with."""
        return max(len(self.expected), len(self.results))


def numbered(folder, stem):
    """in.npy, in0.npy, in1.npy, ... in the order of their numbers."""
    found = [f for f in folder.glob(f"{stem}*.npy")
             if re.fullmatch(rf"{stem}\d*", f.stem)]
    return sorted(found, key=lambda f: int(f.stem[len(stem):] or 0))


def run_program(tools, program, target, scheme, stage, allowed):
    """(kind, text) of one run; `allowed` as in closeness.py."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=program.scratch))
    command = [tools.run_, program.model, f"--target={target}",
               "--print=false", "--verbose", f"--outputs={folder}",
               module.QUICK]
    if program.inputs:
        command.append("--inputs=" + ",".join(map(str, program.inputs)))
    if scheme:
        command.append(f"--quantize={scheme}")
    ended = tools(*command)
    fault = ended.fault() or stage.ended.fault()
    if fault:
        return "wrong", fault
    if not ended.succeeded:
        return "refused", ended.reason()
    got = [np.load(f) for f in numbered(folder, "out")]
    text = program.difference(got, allowed)
    if text:
        return "wrong", text
    return describe(program, stage, scheme, len(got), ended.out)


def describe(program, stage, scheme, results, printed):
    """What became of the products of a run whose numbers are right."""
    if stage.module is None:
        return "silent", "quant-opt refuses what quant-run runs: " + \
            stage.ended.reason()
    silent, explained = products.find_silent(stage.module, stage.remarks,
                                             bool(scheme))
    done, left = len(stage.module.rewritten), len(stage.module.left)
    count = f"{done} of {done + left} products"
    if program.judged() < results:
        count += f"; {results - program.judged()} results are compared with " \
                 f"nothing ({program.why})"
    silent += filter(None, [products.find_miscount(stage.module, printed)])
    if silent:
        return "silent", "; ".join(silent)
    if done + left < (program.total or 0):
        return "silent", f"{program.total} products are {done + left} " \
            "afterwards"
    if explained:
        return "left with reason", count + ": " + reasons(stage)
    if left:
        return "float", count
    return ("integer", count) if done else ("computed", "")


def reasons(stage):
    places = set().union(*(op.places() for op in stage.module.left))
    texts = {text for line, column, text in stage.remarks
             if (line, column) in places}
    return "; ".join(sorted(texts))


def run_folder(tools, folder):
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="reports."))
    try:
        return list(run_scratch(tools, folder, scratch))
    finally:
        shutil.rmtree(scratch)


def run_scratch(tools, folder, scratch):
    program = Program(folder, scratch)
    # A copy without locations of its own, so that lines are this file's.
    plain = scratch / "plain.mlir"
    ended = tools(tools.opt, program.model, "-o", plain)
    stages = {s: Stage(tools, plain, ended, s, scratch)
              for s in ("", SCHEME, COARSE)}

    def run(target, scheme, name, error):
        same = stages[scheme].text == stages[""].text is not None
        kind, text = run_program(tools, program, target, scheme,
                                 stages[scheme], None if same else error)
        return Verdict(folder.name, target + name, kind, text)

    for target in TARGETS:
        yield run(target, "", "", None)
        yield run(target, SCHEME, ", scheme", closeness.NORM)
    # Where every product has integers of the program's own, a scheme is for
    # what else there is.
    given = stages[""].module
    if given and given.rewritten and not given.left:
        yield run("generic", COARSE, ", coarse scheme", closeness.KEPT)
