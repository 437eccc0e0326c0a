"""Weights as constants of the program: one of each kind for all layers."""

import tempfile
from dataclasses import dataclass

import numpy as np

from ..blocks import pack
from .text import tensor


@dataclass(frozen=True)
class Form:
    """How a weight is stored. bits 0: float32."""
    bits: int
    group: int = 0
    is_unsigned: bool = False
    zero: bool = False
    offset: bool = False
    order: bool = False
    codebook: tuple | None = None

    def nbytes(self, n, k):
        """Of the constants that hold a weight [N, K], with its scales (f32)."""
        if not self.bits:
            return 4 * n * k
        return n * (-(-k * self.bits // 8) + 4 * -(-k // self.group) * (
            1 + self.zero + self.offset)) + 4 * k * self.order


class Resource:
    """A constant of the program whose data is in the file of weights."""

    def __init__(self, key, shape, element):
        self.key, self.shape, self.element = key, tuple(shape), element

    @property
    def type(self):
        return tensor(self.shape, self.element)

    @property
    def itemsize(self):
        return 1 if self.element == "i8" else 4

    @property
    def nbytes(self):
        return int(np.prod(self.shape, dtype=np.int64)) * self.itemsize


# Columns of a product that lie side by side for each element of K, where all parts
# have whole ones: a weight of floats is read in the order of memory then.
PANEL = 32


class Stack:
    """Weights of one shape and form, one for each of some layers. Floats are
    [N / PANEL, K, PANEL], or [N, K].

    sources: for each layer the weights whose rows follow each other (Q, K and
        V are multiplied as one); each has `form`, `shape` and `load()`.
    """

    def __init__(self, name, sources, biases=None, stacked=True):
        self.name, self.sources, self.stacked = name, sources, stacked
        self.form = sources[0][0].form
        self.n = sum(part.shape[0] for part in sources[0])
        self.k = sources[0][0].shape[1]
        self.biases = biases
        form, lead = self.form, (len(sources),) if stacked else ()
        make = lambda what, shape, element: Resource(
            f"{name}.{what}", lead + shape, element)
        if not form.bits:
            self.in_panels = all(part.shape[0] % PANEL == 0 for part in sources[0])
            shape = (self.n // PANEL, self.k, PANEL) if self.in_panels \
                else (self.n, self.k)
            self.resources = {"values": make("values", shape, "f32")}
        else:
            groups = -(-self.k // form.group)
            stored = -(-self.k * form.bits // 8)
            self.resources = {"q": make("q", (self.n, stored), "i8"),
                              "scale": make("scale", (self.n, groups), "f32")}
            if form.zero:
                self.resources["zero_point"] = make("zero_point", (self.n, groups), "i32")
            if form.offset:
                self.resources["offset"] = make("offset", (self.n, groups), "f32")
        if form.order:
            self.resources["order"] = make("order", (self.k,), "i32")
        if biases is not None:
            self.resources["bias"] = make("bias", (self.n,), "f32")

    def write(self, writer):
        """All data, in the order of `resources`: the first streams, others wait
        in a file."""
        first, *others = self.resources
        waiting = {name: tempfile.TemporaryFile() for name in others}
        try:
            with writer.blob(self.resources[first]) as out:
                for i, parts in enumerate(self.sources):
                    self._write_layer(i, parts, out, waiting)
            for name in others:
                waiting[name].seek(0)
                with writer.blob(self.resources[name]) as out:
                    while chunk := waiting[name].read(1 << 20):
                        out(chunk)
        finally:
            for file in waiting.values():
                file.close()

    def _write_layer(self, i, parts, out, waiting):
        for at, part in enumerate(parts):
            weight = part.load()
            if not self.form.bits:
                if self.in_panels:
                    weight = weight.reshape(-1, PANEL, self.k).swapaxes(1, 2)
                out(np.ascontiguousarray(weight, "<f4"))
                continue
            q = pack(weight.q, self.form.bits)
            out(np.ascontiguousarray(q).view(np.int8))
            put = lambda name, data, type_: waiting[name].write(
                np.ascontiguousarray(data, type_))
            put("scale", weight.scale, "<f4")
            if self.form.zero:
                put("zero_point", weight.zero_point, "<i4")
            if self.form.offset:
                put("offset", weight.offset, "<f4")
            if self.form.order and at == 0:
                put("order", weight.order, "<i4")
        if self.biases is not None:
            waiting["bias"].write(np.ascontiguousarray(self.biases[i], "<f4"))


class Array:
    """A constant that is there: norms, tables."""

    def __init__(self, name, values, element="f32"):
        self.values = np.ascontiguousarray(values, "<i4" if element == "i32" else "<f4")
        self.resource = Resource(name, self.values.shape, element)
        self.resources = {"values": self.resource}

    def write(self, writer):
        with writer.blob(self.resource) as out:
            out(self.values)
