"""One spelling of a problem, as a case."""

import dataclasses

import numpy as np

from quantcheck.elements import exact_but_ties
from quantcheck.program import Case, equal, within
from quantcheck.spelling import tosa
from quantcheck.spelling.contraction import Contraction, Pending
from quantcheck.spelling.packing import Packing
from quantcheck.spelling.problem import MATMUL_INTEGER, Problem
from quantcheck.spelling.scaling import Scaling, wrapped
from quantcheck.spelling.steps import Parameter, Step, Steps
from quantcheck.spelling.writer import NUMPY, Writer, arranged, flat


@dataclasses.dataclass
class Program:
    """A case, the problem behind it, and what it was written with: all of it,
    and what is not the plain way. `loose` is the rule for the program run as it
    is written, in floats."""
    case: Case
    problem: Problem
    features: set
    odd: set
    loose: object
    constant_weight: bool

    def may_stay(self):
        """Whether the product may be left, with a reason: a weight that is
        known at run time only cannot be mirrored or sorted by groups, and
        upstream's passes fold TOSA constants of equal numbers and products
        with zeros."""
        w = self.problem.weight
        if "dialect: tosa" in self.features and \
                (np.ptp(w.q) == 0 or not np.any(w.scale)):
            return True
        return not self.constant_weight and (
            bool(np.any(w.scale <= 0)) or not w.ordered)

    def loosely(self):
        """The case judged as a program of floats."""
        twin = Case(self.case.name)
        twin.arguments, twin.lines = self.case.arguments, self.case.lines
        twin.results = [(v, s, self.loose) for v, s, _ in self.case.results]
        return twin


class Mover:
    """Moves a value about between the steps that are applied to it."""

    def __init__(self, steps):
        self.steps, self.writer = steps, steps.writer
        self.ways = steps.axis("moves", "none", "some") != "none"

    def __call__(self, value, later):
        if not self.ways or not self.writer.draw.chance(.6):
            return value
        how = self.steps.axis("moved by", "transpose", "unit dimension",
                              "merged", "split", "cast")
        if how == "cast":
            return self.writer.cast_and_back(value)
        dims = self.layout(how, value.dims)
        legal = all(self.fits(p, dims)
                    for step in later for p in step.parameters)
        return self.writer.arrange(value, dims) if legal else value

    def fits(self, parameter, dims):
        """Whether the parameter can be walked by `dims`. Rows that have their
        own are not merged with what is in them: quantize has no such axis."""
        taken = self.steps.places(parameter, dims)
        if taken is None or self.steps.what != "x":
            return taken is not None
        return all(not some or len(some) == len(dim)
                   for some, dim in zip(taken, dims))

    def layout(self, how, dims):
        rng = self.writer.draw.rng
        if how == "transpose":
            return tuple(dims[i] for i in rng.permutation(len(dims)))
        at = int(rng.integers(len(dims) + 1))
        if how == "unit dimension":
            if () in dims:
                return tuple(d for d in dims if d)
            return dims[:at] + ((),) + dims[at:]
        if how == "split":
            return tuple(part for d in dims
                         for part in ([(a,) for a in d] or [()]))
        at = min(at, len(dims) - 1)
        pair = dims[at:at + 2]
        if any(self.writer.dynamic & set(d) for d in pair):
            return dims
        return dims[:at] + (flat(pair),) + dims[at + 2:]


class Speller:
    def __init__(self, axes):
        self.axes, self.draw = axes, axes.draw
        self.constant_weight = True
        self.problem = problem = Problem(axes)
        w = problem.weight
        self.ragged = problem.k % w.group != 0 and not w.looked_up
        self.grouped = w.granularity == "group" and not w.looked_up
        self.case = Case("spelling")
        sizes = {"b": problem.b, "m": problem.m, "n": problem.n,
                 "k": problem.k, "g": w.groups, "s": w.group}
        self.writer = Writer(self.case, axes, sizes,
                             "m" if problem.dynamic else "")
        self.k_dim = ("g", "s") if self.grouped and not self.ragged else ("k",)

    # The activations.
    def rows(self):
        x, writer = self.problem.x, self.writer
        dims = ((("b",),) if x.b > 1 else ()) + (("m",), self.k_dim)
        if x.b == 1 and self.axes("unit dimension of the rows", "no",
                                  "yes") == "yes":
            dims = ((),) + dims
        atoms = ("b", "m") + self.k_dim if x.b > 1 else ("m",) + self.k_dim
        data = x.q if x.given and not x.floats else x.x
        sizes = [writer.sizes[a] for a in atoms]
        array = arranged(data.reshape(sizes), atoms, dims, writer.sizes)
        if x.floats:
            return writer.argument(array, dims)
        steps = Steps(writer, "x")
        scaling, move = Scaling(steps), Mover(steps)
        if x.given:
            value = writer.argument((array & 255).astype(np.uint8)
                                    .view(np.int8), dims)
            if self.problem.kind == MATMUL_INTEGER:
                return self.integers(steps, move, value, 8, x.unsigned, x.zero,
                                     x.zero_atoms)
            return steps.run(value, scaling.dequantize(
                "i8", 8, x.unsigned, x.scale, x.atoms, x.zero, x.zero_atoms),
                move)
        value = writer.argument(array, dims)
        stored = self.axes("quantized rows", "stored", "never stored") == \
            "stored"
        down, element = scaling.quantize(x.scale, x.atoms, x.zero, x.zero_atoms,
                                         x.low, x.high, stored)
        if not stored:
            up = scaling.dequantize_unstored(element, x.unsigned, x.scale,
                                             x.atoms, x.zero, x.zero_atoms)
            return steps.run(value, down + up, move)
        up = scaling.dequantize("i8", 8, x.unsigned, x.scale, x.atoms, x.zero,
                                x.zero_atoms)
        if self.axes("quantize and dequantize", "apart", "in one") == "in one":
            return steps.run(value, down + up, move)
        return steps.run(steps.run(value, down, move, up), up, move)

    def integers(self, steps, move, value, bits, unsigned, zero, zero_atoms):
        """Stored integers as widened ones without their zero point."""
        if zero_atoms is None and not unsigned and self.may_stay_narrow and \
                steps.axis("widened", "before", "in the product") != "before":
            return value
        ext = "arith.extui" if unsigned else "arith.extsi"
        row = [Step(ext, "i32")] if value.element != "i32" else []
        if zero_atoms is not None:
            zero = Scaling(steps).integer_zero(zero, zero_atoms, "i32", bits,
                                               unsigned)
            row.append(Step("arith.subi", "i32", zero))
        return steps.run(value, row, move) if row else value

    # The weight.
    def weight(self):
        w, writer = self.problem.weight, self.writer
        atoms, array = ("n",) + self.k_dim, w.q
        padded = self.ragged and self.axes(
            "ragged groups", "padded and cut", "floordiv") != "floordiv"
        if padded:
            atoms = "n", "g", "s"
            array = np.zeros((w.n, w.groups * w.group), np.int64)
            array[:, :w.k] = w.q
        words = self.words(array)
        value = self.unpacked(array, atoms, words) if words else \
            self.stored(array, atoms)
        steps = Steps(writer, "w")
        if words and not (w.unsigned and w.zero_atoms == ("n", "g") and
                          Packing.fits(w.zero.shape, words) and steps.axis(
                              "packed zero points", "no", "yes") == "yes"):
            words = None
        scaling = Scaling(steps, self.problem.real,
                          w.index if w.looked_up else None, words)
        move = Mover(steps)
        if self.problem.kind == MATMUL_INTEGER:
            return self.integers(steps, move, value, w.bits, w.unsigned,
                                 w.zero, w.zero_atoms)
        row = scaling.dequantize(value.element, w.bits, w.unsigned, w.scale,
                                 w.scale_atoms, w.zero, w.zero_atoms)
        if not padded and self.axes("weight dequantized", "before the product",
                                    "in its body") != "before the product":
            return Pending(value, steps, row)
        value = steps.run(value, row, move)
        return self.cut(value) if padded else value

    def words(self, array):
        """The words that nibbles are packed in, or None."""
        if self.problem.weight.bits != 4:
            return None
        options = [w for w in ("i8", "i32") if Packing.fits(array.shape, w)]
        found = self.axes("nibbles", "are elements",
                          *(f"in {w} words" for w in options))
        return None if found == "are elements" else found.split()[1]

    def unpacked(self, array, atoms, words):
        signed = not self.problem.weight.unsigned
        packing = Packing(self.writer, words, "w", signed)
        return packing.value(array, ("n",), atoms[1:])

    def stored(self, array, atoms):
        """The integers as the program holds them."""
        w, writer = self.problem.weight, self.writer
        layouts = {"[N, K]": (("n",), atoms[1:]), "[K, N]": (atoms[1:], ("n",)),
                   "[1, K, N]": ((), atoms[1:], ("n",)),
                   "flat": (atoms,)}
        if len(atoms) == 3:
            layouts |= {"[N, G, S]": (("n",), ("g",), ("s",)),
                        "[G, S, N]": (("g",), ("s",), ("n",)),
                        "[N * G, S]": (("n", "g"), ("s",))}
        if self.grouped and atoms == ("n", "k"):
            del layouts["flat"]  # a group's index is no quotient there
        dims = layouts[self.axes.even("weight layout", *layouts)]
        element = "i8"
        if w.bits == 4:
            element = self.axes("4 bits held as", "i4", "i8")
        sizes = [writer.sizes[a] for a in atoms]
        laid = arranged(array.reshape(sizes), atoms, dims, writer.sizes)
        if element == "i8" and self.axes("weight is", "a constant",
                                         "an argument") != "a constant":
            self.constant_weight = False
            return writer.argument(wrapped(laid, element), dims)
        return writer.constant(wrapped(laid, element), element, dims,
                               "w constant")

    def cut(self, value):
        """Only the K columns that the padded groups stand for."""
        writer = self.writer
        dims = (("n",), ("g", "s"))
        if self.draw.chance(.5):
            dims = dims[::-1]
        value = writer.arrange(value, dims)
        cut = tuple(("k",) if d == ("g", "s") else d for d in dims)
        shape = [writer.size(d) for d in cut]
        return writer.new(
            f"tensor.extract_slice {value.name}[0, 0] {shape} [1, 1] : "
            f"{writer.type(value)} to $T", cut, value.element)

    # Behind the product.
    def epilogue(self, y):
        problem, steps = self.problem, Steps(self.writer, "y")
        if problem.kind == MATMUL_INTEGER:
            if y.element == "i64":
                y = steps.run(y, [Step("arith.trunci", "i32")])
            if not problem.scaled:
                return y
        row = [] if y.element == problem.real or problem.scaled else [
            Step("arith.truncf", problem.real)]
        if problem.scaled:
            scale, atoms = problem.scaled
            row = [Step("arith.sitofp", "f32"), Step(
                "arith.mulf", "f32", Scaling(steps).scale(scale, atoms))]
        if problem.bias is not None:
            row.append(Step("arith.addf", problem.real, Parameter(
                "bias", problem.bias.astype(NUMPY[problem.real]), ("n",),
                problem.real, problem.real)))
        if problem.out:
            scale, zero, low, high = problem.out
            down, _ = Scaling(steps).quantize(
                scale, (), np.asarray(zero), () if zero or self.draw.chance(.3)
                else None, low, high)
            row += down
        return steps.run(y, row, Mover(steps)) if row else y

    def expected(self, array, dims):
        """[B, M, N] as the result is laid out."""
        atoms = [a for a in ("b", "m", "n") if a in flat(dims)]
        array = array.reshape([self.writer.sizes[a] for a in atoms])
        return arranged(array, tuple(atoms), dims, self.writer.sizes)

    def program(self):
        problem = self.problem
        integer = problem.kind == MATMUL_INTEGER
        if tosa.suits(problem) and self.axes("dialect", "linalg", "tosa",
                                             odd=.12) == "tosa":
            return self.judged(tosa.Tosa(self.writer, problem,
                                         self.k_dim).run())
        element = "f32"
        if problem.real == "f16":
            element = self.axes("sum", "f16", "f32")
        if integer:
            element = self.axes("sum", "i32", "i64")
        self.may_stay_narrow = element == "i32"
        x, w = self.rows(), self.weight()
        if integer and x.element != w.element:
            # Named ops widen both sides alike.
            wide = [Step("arith.extsi", "i32")]
            x, w = (Steps(self.writer, "side").run(v, wide)
                    if v.element != "i32" else v for v in (x, w))
        return self.judged(self.epilogue(
            Contraction(self.writer, self.k_dim)(x, w, element)))

    def judged(self, y):
        """The program whose result is `y`."""
        problem = self.problem
        product = problem.product()
        if problem.kind == MATMUL_INTEGER and not problem.scaled:
            tight = loose = equal(self.expected(product.astype(np.int32),
                                                y.dims))
        elif problem.out:
            tight, loose = (self.requantized(product, problem.bound(whole),
                                             y.dims)
                            for whole in (False, True))
        else:
            tight, loose = (
                within(self.expected(product, y.dims),
                       self.expected(problem.bound(whole), y.dims))
                for whole in (False, True))
        shape = tuple(self.writer.size(d) for d in y.dims)
        self.case.result((y.name, self.writer.type(y)), shape, tight)
        self.case.name = f"spelling of a product, {problem.kind}"
        return Program(self.case, problem, self.axes.features,
                       self.axes.odd, loose, self.constant_weight)

    def requantized(self, product, bound, dims):
        scale, zero, low, high = self.problem.out
        steps = product / np.float64(scale)
        q = np.clip(np.rint(steps) + zero, low, high).astype(np.int64)
        # Nothing is near a tie where the clamp decides.
        rule = exact_but_ties(self.expected(q, dims),
                              self.expected(steps, dims),
                              self.expected(bound / scale + 1e-5, dims))
        mask = 255 if low == 0 else None
        return lambda got: rule(got.astype(np.int64) & mask if mask else
                                got.astype(np.int64))
