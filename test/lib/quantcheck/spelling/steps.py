"""Elementwise steps of a quantization, and the ways to write a row of them:
one loop nest, one for each step, or any cut between."""

import dataclasses

import numpy as np

from quantcheck.spelling.packing import Lookup, Packing
from quantcheck.spelling.writer import (Value, arranged, flat, literal_of,
                                        prefix_of)

COMMUTATIVE = {"arith.mulf", "arith.addf", "arith.addi", "arith.muli",
               "arith.maximumf", "arith.minimumf", "arith.maxnumf",
               "arith.minnumf", "arith.maxsi", "arith.minsi"}
NAMED = {"arith.mulf": "linalg.mul", "arith.subf": "linalg.sub",
         "arith.addf": "linalg.add", "arith.divf": "linalg.div",
         "arith.subi": "linalg.sub", "arith.addi": "linalg.add"}


@dataclasses.dataclass(frozen=True)
class Parameter:
    """Numbers for the atoms that they depend on. They are held as `stored` and
    read as `element`; `unsigned` says how integers widen. With `gathered`, the
    group of each k, `array` is [N, G] and is looked up at run time. `packed`
    numbers are nibbles in words of this type. `inverted` ones are read as one
    over what is stored, those of `plus_one` are one more (GPTQ)."""
    name: str
    array: np.ndarray
    atoms: tuple
    stored: str
    element: str
    unsigned: bool = False
    gathered: np.ndarray = None
    inverted: bool = False
    plus_one: bool = False
    packed: str = None


@dataclasses.dataclass(frozen=True)
class Step:
    """`op` of a value; with a parameter, of both; with a factor, of the value
    and of parameter * factor. `element` is the result's."""
    op: str
    element: str
    parameter: Parameter = None
    factor: Parameter = None

    @property
    def parameters(self):
        return [p for p in (self.parameter, self.factor) if p]


def conversion(source, element, unsigned):
    """The op that brings `source` to `element`, or None."""
    if source == element:
        return None
    if source[0] == "i" and element[0] == "i":
        if int(source[1:]) > int(element[1:]):
            return "arith.trunci"
        return "arith.extui" if unsigned else "arith.extsi"
    if source[0] == "i":
        return "arith.uitofp" if unsigned else "arith.sitofp"
    return "arith.truncf" if int(source[1:]) > int(element[1:]) else \
        "arith.extf"


class Steps:
    """Writes steps with the choices of one program."""

    def __init__(self, writer, what):
        self.writer, self.axes, self.what = writer, writer.axes, what
        # Whether bodies walk the value's own dimensions (linalg.index).
        self.may_look_up = True

    def axis(self, name, *options, **more):
        return self.axes(f"{self.what} {name}", *options, **more)

    def swapped(self):
        """Whether a commutative op has its parameter first."""
        return self.axis("operand order", "value first",
                         "value second") != "value first"

    # Parameters.
    def places(self, parameter, dims):
        """For each dimension of a value, the atoms that the parameter takes of
        it; None where it cannot be walked there."""
        taken = [prefix_of(dim, parameter.atoms) for dim in dims]
        if None in taken or sorted(flat(taken)) != sorted(parameter.atoms):
            return None
        return taken

    def tensor(self, parameter, dims):
        """(value, index texts) of a parameter as a tensor input."""
        writer, rank = self.writer, len(dims)
        places = self.places(parameter, dims)
        found = []
        for i, (taken, dim) in enumerate(zip(places, dims)):
            text = f"{{{i}}}"
            if taken and taken != dim:
                rest = writer.sizes["s"] if dim == ("k",) else \
                    writer.size(dim[len(taken):])
                text += f" floordiv {rest}"
            found.append((taken, text if taken else "0"))
        shape = self.axis(f"{parameter.name} shape", "bare", "unit dimensions",
                          "permuted", "extra unit dimensions",
                          "some unit dimensions")
        bare = [f for f in found if f[0]]
        if shape == "unit dimensions" and rank:
            bare = found
        elif shape == "some unit dimensions":
            bare = [f for f in found if f[0] or self.writer.draw.chance(.5)]
        elif shape == "permuted" and len(bare) > 1:
            order = self.writer.draw.rng.permutation(len(bare))
            bare = [bare[i] for i in order]
        elif shape == "extra unit dimensions":
            at = int(self.writer.draw.rng.integers(len(bare) + 1))
            bare = bare[:at] + [((), "0")] + bare[at:]
        layout = tuple(f[0] for f in bare)
        return self.held(parameter, layout), [f[1] for f in bare]

    def held(self, parameter, layout):
        """The parameter as the program holds it, laid out as `layout`."""
        if parameter.gathered is not None:
            return self.writer.arrange(
                Lookup(self, parameter).gathered(layout), layout)
        if parameter.packed:
            packing = Packing(self.writer, parameter.packed, parameter.name)
            atoms = parameter.atoms
            value = packing.value(parameter.array, atoms[0], atoms[1])
            if parameter.plus_one:
                value = self.one_more(value)
            return self.writer.arrange(value, layout)
        array = arranged(parameter.array, parameter.atoms, layout,
                         self.writer.sizes)
        return self.writer.constant(array, parameter.stored, layout,
                                    f"{parameter.name} constant")

    def one_more(self, value):
        """Integers plus one."""
        writer = self.writer

        def body(names):
            one = writer.line(f"arith.constant 1 : {value.element}")
            return writer.line(f"arith.addi {names[0]}, {one} : "
                               f"{value.element}")
        return writer.generic(value, [], value.element, body)

    def converted(self, value, parameter):
        """The parameter's tensor as the type that the step wants."""
        op = conversion(value.element, parameter.element, parameter.unsigned)
        if not op:
            return value
        if self.axis("parameter conversion", "arith", "generic") == "generic":
            return self.writer.generic(
                value, [], parameter.element,
                lambda names: self.writer.line(
                    f"{op} {names[0]} : {value.element} to "
                    f"{parameter.element}"))
        return self.writer.new(f"{op} {value.name} : {self.writer.type(value)} "
                               "to $T", value.dims, parameter.element)

    def scalar_form(self, parameter):
        if parameter.atoms:
            return "tensor"
        return self.axis(f"one {parameter.name}", "captured", "in the body",
                         "tensor", "extracted")

    def scalar(self, parameter):
        """A parameter as a constant where the writer stands."""
        number = parameter.array.reshape(-1)[0]
        return self.writer.line(
            f"arith.constant {literal_of(number, parameter.stored)} : "
            f"{parameter.stored}")

    def read(self, name, parameter, element=None):
        """The element `name` of a parameter, converted."""
        element = element or parameter.stored
        op = conversion(element, parameter.element, parameter.unsigned)
        if op:
            name = self.writer.line(
                f"{op} {name} : {element} to {parameter.element}")
        if parameter.inverted:
            one = self.writer.line(f"arith.constant 1.0 : {parameter.element}")
            name = self.writer.line(
                f"arith.divf {one}, {name} : {parameter.element}")
        return name

    # One step on elements.
    def apply(self, step, name, source, other=None):
        """Writes `step` on scalars; returns the result's name."""
        writer, op, element = self.writer, step.op, step.element
        if op == "math.roundeven" and self.axis(
                "rounding", "roundeven", "floor and ceil") != "roundeven":
            return self.half_to_even(name, element)
        if not step.parameter:
            if source == element:
                return writer.line(f"{op} {name} : {element}")
            return writer.line(f"{op} {name} : {source} to {element}")
        if op in ("select max", "select min"):
            return self.select(op == "select max", name, other, element)
        if op in COMMUTATIVE and self.swapped():
            name, other = other, name
        return writer.line(f"{op} {name}, {other} : {element}")

    def half_to_even(self, name, element):
        """roundeven as torch's decomposition for TOSA writes it."""
        def line(text):
            return self.writer.line(f"{text} : {element}")

        def number(value):
            return line(f"arith.constant {literal_of(value, element)}")
        below, half = line(f"math.floor {name}"), number(.5)
        rest = line(f"arith.subf {name}, {below}")
        halved = line(f"math.floor {line(f'arith.mulf {below}, {half}')}")
        doubled = line(f"arith.mulf {halved}, {number(2)}")
        even = line(f"arith.cmpf oeq, {below}, {doubled}")
        tie = line(f"arith.cmpf oeq, {rest}, {half}")
        less = line(f"arith.cmpf ogt, {half}, {rest}")
        both = self.writer.line(f"arith.andi {tie}, {even} : i1")
        down = self.writer.line(f"arith.ori {less}, {both} : i1")
        above = line(f"math.ceil {name}")
        return line(f"arith.select {down}, {below}, {above}")

    def select(self, larger, name, other, element):
        """max or min by a comparison: the bound where it is passed, or the
        value where it is not; either side of the comparison first."""
        writer, float_ = self.writer, element[0] != "i"
        keep = self.axis("select", "the bound", "the value") == "the value"
        first = self.axis("compared", "value first", "bound first")
        sides = [name, other]
        greater = larger == keep  # value > bound keeps the value for a max
        if first != "value first":
            sides.reverse()
            greater = not greater
        op = "gt" if greater else "lt"
        if float_:
            # What is not a number fails an ordered comparison.
            op = self.axis("comparison", "unordered", "ordered")[0] + op
        else:
            op = "s" + op
        flag = writer.line(f"arith.cmp{'f' if float_ else 'i'} {op}, "
                           f"{', '.join(sides)} : {element}")
        chosen = [name, other] if keep else [other, name]
        return writer.line(f"arith.select {flag}, {', '.join(chosen)} : "
                           f"{element}")

    def nest(self, value, steps):
        """The steps in one loop nest."""
        inputs = []
        read = self.readers(value, steps, inputs)
        return self.writer.generic(
            value, inputs, steps[-1].element,
            lambda names: read(names[0], names[1:]))

    def readers(self, value, steps, inputs):
        """Puts the steps' parameters where a nest over `value` reads them, some
        behind `inputs`; returns what writes the steps on the element of `value`
        and those of `inputs`, in a body."""
        read = {(i, which): self.reader(parameter, value, inputs)
                for i, step in enumerate(steps)
                for which, parameter in enumerate(step.parameters)}

        def body(current, names):
            element = value.element
            for i, step in enumerate(steps):
                others = [read[i, which](names)
                          for which in range(len(step.parameters))]
                if len(others) == 2:
                    others = [self.writer.line(
                        f"arith.mulf {', '.join(others)} : {step.element}")]
                current = self.apply(step, current, element, *others)
                element = step.element
            return current
        return body

    def reader(self, parameter, value, inputs):
        """Puts a parameter where a nest over `value` can read it; returns what
        writes the reading, given the names of the nest's elements."""
        form = self.scalar_form(parameter)
        plain = ("n",) in value.dims and ("k",) in value.dims
        if parameter.gathered is not None and plain and self.may_look_up and \
                self.axis("looked up", "before", "in the body") != "before":
            lookup = Lookup(self, parameter)
            n, k = (value.dims.index((a,)) for a in ("n", "k"))
            at = len(inputs)
            inputs += lookup.operands(k)
            return lambda names: self.read(
                lookup.read(names[at] if lookup.given else None, n, k),
                parameter)
        if form == "tensor":
            tensor, texts = self.tensor(parameter, value.dims)
            if self.axis("parameter converted", "inside", "before") == \
                    "before":
                tensor = self.converted(tensor, parameter)
            at = len(inputs)
            inputs.append((tensor, texts))
            return lambda names: self.read(names[at], parameter,
                                           tensor.element)
        if form == "captured":
            name = self.scalar(parameter)
            if self.axis("scalar converted", "inside", "before") == "before":
                name = self.read(name, parameter)
                return lambda names: name
            return lambda names: self.read(name, parameter)
        if form == "extracted":
            tensor, _ = self.tensor(parameter, ())
            at = ", ".join(self.writer.line("arith.constant 0 : index")
                           for _ in tensor.dims)
            name = self.writer.line(f"tensor.extract {tensor.name}[{at}] : "
                                    f"{self.writer.type(tensor)}")
            return lambda names: self.read(name, parameter, tensor.element)
        return lambda names: self.read(self.scalar(parameter), parameter)

    # One step on whole tensors.
    def whole(self, value, step, how):
        """`arith`, a named op or linalg.map; parameters are spread first."""
        writer = self.writer
        if not step.parameter:
            same = value.element == step.element
            types = "$T" if same else f"{writer.type(value)} to $T"
            return writer.new(f"{step.op} {value.name} : {types}", value.dims,
                              step.element)
        other = self.spread(step.parameter, value.dims)
        names = [value.name, other.name]
        if step.op in COMMUTATIVE and self.swapped():
            names.reverse()
        if how == "arith":
            return writer.new(f"{step.op} {', '.join(names)} : $T", value.dims,
                              step.element)
        empty = writer.empty(value.dims, step.element)
        if how == "linalg.map":
            return writer.new(
                f"linalg.map {{ {step.op} }} ins({', '.join(names)} : "
                f"{writer.type(empty)}, {writer.type(empty)}) outs("
                f"{empty.name} : {writer.type(empty)})", value.dims,
                step.element)
        return writer.new(
            f"{NAMED[step.op]} ins({', '.join(names)} : {writer.type(empty)}, "
            f"{writer.type(empty)}) outs({empty.name} : {writer.type(empty)}) "
            "-> $T", value.dims, step.element)

    def spread(self, parameter, dims):
        """A parameter copied to every element of `dims`."""
        writer = self.writer
        if not parameter.atoms and self.axis(f"one {parameter.name} for a "
                                             "tensor", "splat",
                                             "fill") == "fill":
            name = self.read(self.scalar(parameter), parameter)
            empty = writer.empty(dims, parameter.element)
            return writer.new(
                f"linalg.fill ins({name} : {parameter.element}) outs("
                f"{empty.name} : {writer.type(empty)}) -> $T", dims,
                parameter.element)
        if not parameter.atoms and parameter.stored == parameter.element:
            shape = "x".join(str(writer.size(d)) for d in dims)
            number = literal_of(parameter.array.reshape(-1)[0],
                                parameter.element)
            return writer.new(f"arith.constant dense<{number}> : "
                              f"tensor<{shape}x{parameter.element}>", dims,
                              parameter.element)
        places = self.places(parameter, dims)
        layout = tuple(taken for taken in places if taken)
        value = self.converted(self.held(parameter, layout), parameter)
        added = [i for i, taken in enumerate(places) if not taken]
        if not added:
            return Value(value.name, dims, value.element)
        empty = writer.empty(dims, value.element)
        return writer.new(
            f"linalg.broadcast ins({value.name} : {writer.type(value)}) outs("
            f"{empty.name} : {writer.type(empty)}) dimensions = {added}", dims,
            value.element)

    def spreadable(self, value, step):
        """Whether `whole` can write the step."""
        if any(self.writer.dynamic & set(d) for d in value.dims) or \
                not value.dims or step.op.startswith("select"):
            return False
        if step.factor or step.parameter and step.parameter.inverted:
            return False
        if not step.parameter:
            return True
        places = self.places(step.parameter, value.dims)
        return places is not None and all(
            not taken or taken == dim
            for taken, dim in zip(places, value.dims))

    # A row of steps.
    def run(self, value, steps, move=None, behind=()):
        """The steps, cut into nests; `move(value, later steps)` stands between
        them and gives back the value in another layout. `behind` are steps of a
        later run."""
        how = self.axis("cuts", "none", "everywhere", "some")
        start = 0
        for end in range(1, len(steps) + 1):
            last = end == len(steps)
            if not last and (how == "none" or how == "some" and
                             self.writer.draw.chance(.5)):
                continue
            part = steps[start:end]
            if move:
                value = move(value, [*steps[start:], *behind])
            value = self.part(value, part)
            start = end
        return value

    def part(self, value, steps):
        if len(steps) > 1 or not self.spreadable(value, steps[0]):
            return self.nest(value, steps)
        options = ["generic", "arith"]
        if steps[0].parameter and steps[0].op in NAMED:
            options.append("named")
        if steps[0].parameter:
            options.append("linalg.map")
        how = self.axis("one step", *options)
        if how == "generic":
            return self.nest(value, steps)
        return self.whole(value, steps[0], how)
