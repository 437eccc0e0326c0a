"""MLIR text, an operation at a time."""


def tensor(shape, element="f32"):
    """The type of a tensor; None and "?" are sizes that the run knows."""
    return "tensor<" + "".join(f"{'?' if s is None else s}x" for s in shape) \
        + element + ">"


class Value:
    """The name of a value, its shape and element type. sizes: numbers, and what stands
    for sizes of the run (`Body.sizes`, or None); shape: None for these."""

    def __init__(self, name, sizes, element="f32"):
        self.name, self.sizes, self.element = name, tuple(sizes), element
        self.shape = tuple(s if isinstance(s, int) else None for s in self.sizes)

    @property
    def type(self):
        return tensor(self.shape, self.element)

    def __str__(self):
        return self.name


def affine(dims, results):
    return f"affine_map<({', '.join(dims)}) -> ({', '.join(results)})>"


class Body:
    """Operations of a function. Sizes of the run are SSA names in `sizes`, by
    what stands for them in shapes: a shape is of numbers and such names."""

    def __init__(self):
        self.lines, self._next, self._indent = [], 0, 1
        self._constants = {}
        self.sizes = {}

    def line(self, text):
        self.lines.append("  " * self._indent + text)

    def fresh(self):
        self._next += 1
        return f"%{self._next - 1}"

    def op(self, text, shape=(), element="f32"):
        """An op with one result."""
        name = self.fresh()
        self.line(f"{name} = {text}")
        return Value(name, shape, element)

    def scalar(self, text):
        return self.op(text).name

    def index(self, value):
        return self.scalar(f"arith.constant {value} : index")

    def number(self, value):
        return self.scalar(f"arith.constant {value:.17e} : f32")

    def static(self, shape):
        """The shape as types have it."""
        return tuple(s if isinstance(s, int) else None for s in shape)

    def _names(self, shape):
        return ", ".join(self.sizes[s] for s in shape if not isinstance(s, int))

    def empty(self, shape, element="f32"):
        return self.op(f"tensor.empty({self._names(shape)}) : "
                       f"{tensor(self.static(shape), element)}", shape, element)

    def fill(self, shape, value):
        init = self.empty(shape)
        return self.filled(init, self.number(value))

    def filled(self, init, scalar):
        return self.op(f"linalg.fill ins({scalar} : {init.element}) outs({init} : "
                       f"{init.type}) -> {init.type}", init.sizes, init.element)

    def generic(self, dims, inputs, init, body, out=None, reduced=()):
        """A linalg.generic: `inputs` are pairs of a value and its indices,
        `body` the lines between, whose arguments are %a, %b, .. and %o."""
        out = dims if out is None else out
        maps = [affine(dims, indices) for _, indices in inputs]
        maps.append(affine(dims, out))
        kinds = ", ".join('"reduction"' if d in reduced else '"parallel"'
                          for d in dims)
        ins = ""
        if inputs:
            ins = (" ins(" + ", ".join(v.name for v, _ in inputs) + " : "
                   + ", ".join(v.type for v, _ in inputs) + ")")
        name = self.fresh()
        arguments = [f"%{chr(97 + i)}: {v.element}"
                     for i, (v, _) in enumerate(inputs)]
        arguments.append(f"%o: {init.element}")
        self.line(f"{name} = linalg.generic {{indexing_maps = "
                  f"[{', '.join(maps)}], iterator_types = [{kinds}]}}{ins} "
                  f"outs({init} : {init.type}) {{")
        self.line(f"^bb0({', '.join(arguments)}):")
        for text in body:
            self.line("  " + text)
        self.line(f"}} -> {init.type}")
        return Value(name, init.sizes, init.element)

    def slice(self, source, offsets, sizes, dropped=()):
        """A slice with steps of 1: offsets are numbers or SSA names, sizes
        numbers or names of `self.sizes`; dimensions in `dropped` go."""
        result = [s for d, s in enumerate(sizes) if d not in dropped]
        type_ = tensor(self.static(result), source.element)
        return self.op(
            f"tensor.extract_slice {source}{self._place(offsets, sizes)} : "
            f"{source.type} to {type_}", result, source.element)

    def insert(self, source, into, offsets, sizes):
        return self.op(
            f"tensor.insert_slice {source} into {into}"
            f"{self._place(offsets, sizes)} : {source.type} into {into.type}",
            into.sizes, into.element)

    def _place(self, offsets, sizes):
        sizes = [s if isinstance(s, int) else self.sizes[s] for s in sizes]
        return "".join(f"[{', '.join(map(str, part))}]"
                       for part in (offsets, sizes, [1] * len(sizes)))

    def expand(self, source, groups, shape):
        sizes = ", ".join(str(s) if isinstance(s, int) else self.sizes[s]
                          for s in shape)
        return self.op(
            f"tensor.expand_shape {source} {groups} output_shape [{sizes}] : "
            f"{source.type} into {tensor(self.static(shape), source.element)}",
            shape, source.element)

    def collapse(self, source, groups, shape):
        return self.op(
            f"tensor.collapse_shape {source} {groups} : {source.type} into "
            f"{tensor(self.static(shape), source.element)}", shape,
            source.element)

    def open(self, text):
        self.line(text)
        self.indent()

    def indent(self):
        self._indent += 1

    def close(self, text="}"):
        self._indent -= 1
        self.line(text)
