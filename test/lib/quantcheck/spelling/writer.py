"""Values of a program whose dimensions know what they walk, and the ways to
move and combine them.

A dimension is a tuple of *atoms*: ("k",), ("g", "s") for groups and what is in
them walked as one, () for a unit dimension. Parameters find their place in any
value by the atoms that they depend on.
"""

import dataclasses
import math

import numpy as np

from quantcheck.program import element_of, tensor

NUMPY = {"i4": np.int8, "i8": np.int8, "i16": np.int16, "i32": np.int32,
         "i64": np.int64, "f16": np.float16, "f32": np.float32,
         "f64": np.float64}


def literal_of(number, element):
    """A scalar constant, bit for bit."""
    if element[0] == "i":
        bits = int(element[1:])
        number = int(number) & ((1 << bits) - 1)
        return str(number - (1 << bits) if number >> (bits - 1) else number)
    data = np.asarray(number, NUMPY[element]).tobytes()
    return "0x" + data[::-1].hex().upper()


@dataclasses.dataclass(frozen=True)
class Value:
    name: str
    dims: tuple
    element: str


def flat(dims):
    return tuple(a for dim in dims for a in dim)


def arranged(array, atoms, dims, sizes):
    """`array`, whose axes are `atoms`, laid out as `dims`."""
    array = np.asarray(array)
    order = [atoms.index(a) for a in flat(dims)]
    shape = [math.prod(sizes[a] for a in dim) for dim in dims]
    return np.ascontiguousarray(array.transpose(order)).reshape(shape)


def prefix_of(dim, wanted):
    """How a parameter of the atoms `wanted` walks `dim`: the atoms that it
    takes of it, or None where it would need a remainder."""
    if dim == ("k",) and "k" not in wanted:  # ragged groups
        return ("g",) if "g" in wanted else ()
    taken = []
    for atom in dim:
        if atom not in wanted:
            break
        taken.append(atom)
    if any(a in wanted for a in dim[len(taken):]):
        return None
    return tuple(taken)


class Writer:
    def __init__(self, case, axes, sizes, dynamic=()):
        self.case, self.axes, self.draw = case, axes, axes.draw
        self.sizes, self.dynamic = sizes, frozenset(dynamic)

    # Shapes and types.
    def size(self, dim):
        return math.prod(self.sizes[a] for a in dim)

    def shape(self, dims):
        return [None if self.dynamic & set(d) else self.size(d) for d in dims]

    def type(self, value):
        return tensor(self.shape(value.dims), value.element)

    def new(self, text, dims, element):
        """A value of the line `text % its type`."""
        value = Value(self.case.fresh(), tuple(dims), element)
        self.case.lines.append(
            f"{value.name} = {text.replace('$T', self.type(value))}")
        return value

    def line(self, text):
        """A result that is no tensor of ours: its name."""
        name = self.case.fresh()
        self.case.lines.append(f"{name} = {text}")
        return name

    def argument(self, array, dims, element=None):
        array = np.asarray(array)
        dynamic = [i for i, d in enumerate(dims) if self.dynamic & set(d)]
        name, _ = self.case.argument(array, dynamic)
        return Value(name, tuple(dims), element or element_of(array))

    # Constants.
    def constant(self, array, element, dims, axis="constants"):
        """`array` (already laid out as `dims`), as itself or as a piece."""
        array = np.asarray(array)
        how = "whole"
        if array.ndim:
            how = self.axes(axis, "whole", "slice", "concat", "transposed",
                            "reshaped")
        if how == "whole" or how == "transposed" and array.ndim < 2:
            return self._plain(array, element, dims)
        return {"slice": self._sliced, "concat": self._concatenated,
                "transposed": self._turned, "reshaped": self._reshaped}[how](
                    array, element, dims)

    def _plain(self, array, element, dims):
        name, _ = self.case.constant(array, element)
        return Value(name, tuple(dims), element)

    def _sliced(self, array, element, dims):
        axis = int(self.draw.rng.integers(array.ndim))
        before, after = (int(v) for v in self.draw.rng.integers(0, 3, 2))
        widths = [(0, 0)] * array.ndim
        widths[axis] = (before, after)
        big = np.pad(array, widths, mode="wrap" if array.size else "constant")
        whole = self.case.constant(np.ascontiguousarray(big), element)
        offsets = [before if i == axis else 0 for i in range(array.ndim)]
        return self.new(
            f"tensor.extract_slice {whole[0]}{offsets} {list(array.shape)} "
            f"{[1] * array.ndim} : {whole[1]} to $T", dims, element)

    def _concatenated(self, array, element, dims):
        axis = int(self.draw.rng.integers(array.ndim))
        if array.shape[axis] < 2:
            return self._plain(array, element, dims)
        at = int(self.draw.rng.integers(1, array.shape[axis]))
        parts = [self.case.constant(np.ascontiguousarray(part), element)
                 for part in np.split(array, [at], axis)]
        names = ", ".join(p[0] for p in parts)
        types = ", ".join(p[1] for p in parts)
        return self.new(f"tensor.concat dim({axis}) {names} : ({types}) -> $T",
                        dims, element)

    def _turned(self, array, element, dims):
        order = [int(i) for i in self.draw.rng.permutation(array.ndim)]
        back = [order.index(i) for i in range(array.ndim)]
        turned = self._plain(np.ascontiguousarray(array.transpose(order)),
                             element, [dims[i] for i in order])
        return self.transpose(turned, back)

    def _reshaped(self, array, element, dims):
        one = self.case.constant(np.ascontiguousarray(array.reshape(-1)),
                                 element)
        if array.ndim < 2:
            return Value(one[0], tuple(dims), element)
        groups = [list(range(array.ndim))]
        return self.new(
            f"tensor.expand_shape {one[0]} {groups} output_shape "
            f"{list(array.shape)} : {one[1]} into $T", dims, element)

    # Destinations.
    def empty(self, dims, element, like=None):
        sizes = []
        for i, dim in enumerate(dims):
            if self.dynamic & set(dim):
                at = self.line(f"arith.constant {like.dims.index(dim)} : index")
                sizes.append(self.line(
                    f"tensor.dim {like.name}, {at} : {self.type(like)}"))
        return self.new(f"tensor.empty({', '.join(sizes)}) : $T", dims, element)

    def zeros(self, dims, element, like=None):
        if not any(self.dynamic & set(d) for d in dims) and \
                self.axes("init", "fill", "constant") == "constant":
            zeros = np.zeros([self.size(d) for d in dims], NUMPY[element])
            return self._plain(zeros, element, dims)
        zero = self.line(f"arith.constant {literal_of(0, element)} : {element}")
        empty = self.empty(dims, element, like)
        return self.new(f"linalg.fill ins({zero} : {element}) outs("
                        f"{empty.name} : {self.type(empty)}) -> $T", dims,
                        element)

    # Movement.
    def transpose(self, value, order):
        order = [int(i) for i in order]
        dims = [value.dims[i] for i in order]
        if order == list(range(len(order))):
            return value
        if self.axes("transpose", "named", "generic") == "generic":
            return self.generic(value, [], value.element,
                                lambda names: names[0], order)
        empty = self.empty(dims, value.element, value)
        return self.new(
            f"linalg.transpose ins({value.name} : {self.type(value)}) outs("
            f"{empty.name} : {self.type(empty)}) permutation = {order}", dims,
            value.element)

    def reshape(self, value, dims):
        """Other cuts of the same atoms in the same order."""
        dims = tuple(dims)
        bare = tuple(d for d in dims if d)
        for step in (tuple(d for d in value.dims if d), bare,
                     tuple((a,) for a in flat(dims)), bare, dims):
            if self._direct(value.dims, dims):
                break
            if self._direct(value.dims, step):
                value = self._regroup(value, step)
        return value if value.dims == dims else self._regroup(value, dims)

    def _direct(self, a, b):
        return self._covers(a, b) or self._covers(b, a)

    @staticmethod
    def _groups(fine, coarse):
        """Which dimensions of `fine` make each one of `coarse`, or None."""
        groups, at = [], 0
        for i, dim in enumerate(coarse):
            group, have = [], ()
            while at < len(fine) and (not group or have != dim) and \
                    dim[:len(have) + len(fine[at])] == have + fine[at]:
                have += fine[at]
                group.append(at)
                at += 1
            # Units behind go with what is before, but for a unit's own.
            spare = sum(1 for d in coarse[i + 1:] if d == ())
            while at < len(fine) and fine[at] == () and \
                    sum(1 for d in fine[at:] if d == ()) > spare:
                group.append(at)
                at += 1
            if have != dim or not group:
                return None
            groups.append(group)
        return groups if at == len(fine) and len(fine) >= len(coarse) else None

    def _covers(self, fine, coarse):
        return fine != coarse and self._groups(fine, coarse) is not None

    def _regroup(self, value, dims):
        collapse = self._covers(value.dims, dims)
        op = f"tensor.{'collapse' if collapse else 'expand'}_shape"
        fine, coarse = (value.dims, dims) if collapse else (dims, value.dims)
        groups = self._groups(fine, coarse)
        extra = ""
        if not collapse:
            sizes = []
            for dim in dims:
                if self.dynamic & set(dim):
                    at = self.line(
                        f"arith.constant {value.dims.index(dim)} : index")
                    sizes.append(self.line(
                        f"tensor.dim {value.name}, {at} : {self.type(value)}"))
                else:
                    sizes.append(str(self.size(dim)))
            extra = f" output_shape [{', '.join(sizes)}]"
        return self.new(f"{op} {value.name} {groups}{extra} : "
                        f"{self.type(value)} into $T", dims, value.element)

    def arrange(self, value, dims):
        """The same value laid out as `dims`."""
        dims = tuple(dims)
        if value.dims == dims:
            return value
        if sorted(value.dims) == sorted(dims):
            spare, order = list(range(len(dims))), []
            for dim in dims:
                order.append(next(i for i in spare if value.dims[i] == dim))
                spare.remove(order[-1])
            return self.transpose(value, order)
        if flat(value.dims) == flat(dims):
            return self.reshape(value, dims)
        # Whole dimensions move where both sides have them, else atoms.
        blocks = tuple(d for d in value.dims if d)
        if sorted(blocks) != sorted(d for d in dims if d):
            blocks = tuple((a,) for a in flat(value.dims))
            target = tuple((a,) for a in flat(dims))
        else:
            target = tuple(d for d in dims if d)
        value = self.reshape(value, blocks)
        value = self.transpose(value, [blocks.index(d) for d in target])
        return self.reshape(value, dims)

    def cast_and_back(self, value):
        """A cast to unknown sizes and back."""
        if not value.dims:
            return value
        shape = self.shape(value.dims)
        shape[int(self.draw.rng.integers(len(shape)))] = None
        loose = tensor(shape, value.element)
        if loose == self.type(value):
            return value
        name = self.line(f"tensor.cast {value.name} : {self.type(value)} to "
                         f"{loose}")
        return self.new(f"tensor.cast {name} : {loose} to $T", value.dims,
                        value.element)

    # Elementwise ops.
    def generic(self, value, inputs, element, body, out_order=None):
        """One loop nest over `value`. `inputs` are (value, index texts), where
        `{0}` stands for the first dimension of `value`; `body` is given the
        names of the elements, writes lines, and returns what is yielded.
        The result's dimensions are those of `value` in `out_order`."""
        whole = [f"{{{i}}}" for i in range(len(value.dims))]
        return self.nest(value.dims, [(value, whole), *inputs], element, body,
                         out_order, value)

    def nest(self, dims, operands, element, body, out_order=None, like=None):
        """A loop nest over `dims`, whichever operands walk them."""
        rank = len(dims)
        out_order = range(rank) if out_order is None else out_order
        order = list(range(rank))
        if rank > 1 and self.axes("loop order", "as stored", "permuted") == \
                "permuted":
            order = [int(i) for i in self.draw.rng.permutation(rank)]
        loops = [f"d{order[i]}" for i in range(rank)]
        walked = ", ".join(f"d{i}" for i in range(rank))
        indices = [[text.format(*loops) for text in texts]
                   for _, texts in operands]
        indices.append([loops[i] for i in out_order])
        operands = [v for v, _ in operands]
        out_dims = tuple(dims[i] for i in out_order)
        empty = self.empty(out_dims, element, like)
        maps = ", ".join(f"affine_map<({walked}) -> ({', '.join(texts)})>"
                         for texts in indices)
        kinds = ", ".join(['"parallel"'] * rank)
        names = [self.case.fresh() for _ in operands]
        arguments = [f"{n}: {v.element}" for n, v in zip(names, operands)]
        arguments.append(f"{self.case.fresh()}: {element}")
        lines, self.case.lines = self.case.lines, []
        self.loop_of = order  # for linalg.index of a dimension
        yielded = body(names)
        inside, self.case.lines = self.case.lines, lines
        result = Value(self.case.fresh(), out_dims, element)
        ins = ""
        if operands:
            ins = (f" ins({', '.join(v.name for v in operands)} : "
                   f"{', '.join(self.type(v) for v in operands)})")
        self.case.lines += [
            f"{result.name} = linalg.generic {{indexing_maps = [{maps}], "
            f"iterator_types = [{kinds}]}}{ins} outs({empty.name} : "
            f"{self.type(empty)}) {{",
            f"^bb0({', '.join(arguments)}):", *("  " + l for l in inside),
            f"  linalg.yield {yielded} : {element}",
            f"}} -> {self.type(result)}"]
        return result

    def index(self, dim):
        """In a body: where the nest stands in its dimension `dim`."""
        return self.line(f"linalg.index {self.loop_of[dim]} : index")
