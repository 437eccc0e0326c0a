"""GGUF files, versions 2 and 3, little-endian.

Nothing is read but what is asked for: tensors are views of the mapped file, and
lists of the metadata are decoded when they are looked at.
"""

import math

import numpy as np

from . import ggml
from .container import Checkpoint, Container, Cursor

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?",
            10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MAX_DIMS = 4


class _List:
    """An array of the metadata, as yet bytes of the file: of strings, whose
    places are known, or of numbers."""

    def __init__(self, container, places, dtype=None, begin=0, count=0):
        self._container, self._places = container, places
        self._dtype, self._begin, self._count = dtype, begin, count

    def decode(self):
        if self._dtype is None:
            text = self._container.text
            return [text(begin, end) for begin, end in self._places]
        return np.frombuffer(self._container.bytes, self._dtype, self._count,
                             self._begin).tolist()


class Metadata:
    """Keys of the file and their values: numbers, str, or lists of them."""

    def __init__(self):
        self._values = {}

    def _add(self, key, value):
        self._values[key] = value

    def __contains__(self, key):
        return key in self._values

    def __iter__(self):
        return iter(self._values)

    def __len__(self):
        return len(self._values)

    def __getitem__(self, key):
        value = self._values[key]
        if isinstance(value, _List):
            value = self._values[key] = value.decode()
        return value

    def get(self, key, default=None):
        return self[key] if key in self else default


class Tensor:
    """A tensor of the file: `name`, `shape` (outermost first), `kind`."""

    def __init__(self, container, name, shape, number, begin):
        self.name, self.shape = name, tuple(shape)
        self._container, self._begin = container, begin
        if number not in ggml.KINDS:
            known = ", ".join(kind.name for kind in ggml.KINDS.values())
            container.fail(f"tensor {name} has GGML type {number}; {known} can "
                           f"be read")
        self._kind = ggml.KINDS[number]
        self.kind = self._kind.name
        if self.shape[-1] % self._kind.block:
            container.fail(f"tensor {name}: {self.kind} rows hold whole blocks "
                           f"of {self._kind.block}, but its rows have "
                           f"{self.shape[-1]}")
        self.nbytes = math.prod(self.shape) // self._kind.block * self._kind.size
        container.check(begin, self.nbytes, f"tensor {name}")

    def raw(self):
        """The blocks, a view of the file: [rows, bytes of a row]."""
        data = np.frombuffer(self._container.bytes, np.uint8, self.nbytes,
                             self._begin)
        return data.reshape(math.prod(self.shape[:-1]), -1)

    def stored(self):
        """`ggml.stored` of the tensor."""
        return ggml.stored(self.raw(), self._kind)

    def floats(self):
        """All values in float32, of the tensor's shape."""
        try:
            return ggml.floats(self.raw(), self._kind).reshape(self.shape)
        except ValueError as error:
            self._container.fail(f"tensor {self.name}: {error}")

    def weight(self):
        """The integers of the file: a `blocks.Grouped`, or float32 of types
        that hold floats."""
        if len(self.shape) != 2:
            self._container.fail(f"tensor {self.name} has {len(self.shape)} "
                                 f"dimensions, expected 2")
        try:
            weight = ggml.weight(self.raw(), self._kind)
        except ValueError as error:
            self._container.fail(f"tensor {self.name}: {error}")
        self._container.release(self._begin, self.nbytes)
        return weight


class GGUF(Checkpoint):
    """A GGUF file: `metadata` and `tensors`, a dict by name."""

    def __init__(self, path):
        self._container = container = Container(path)
        self.path = container.path
        if bytes(container.bytes[:4]) != b"GGUF":
            container.fail("is not a GGUF file")
        cursor = Cursor(container, "the header", at=4)
        version, tensors, pairs = cursor.take("IQQ")
        if version not in (2, 3):
            container.fail(f"has GGUF version {version}; 2 and 3 can be read")
        # A key takes 13 bytes or more, a tensor 32.
        container.check(cursor.at, 13 * pairs + 32 * tensors, "the header")
        self.metadata = Metadata()
        for _ in range(pairs):
            key = cursor.string()
            if key in self.metadata:
                container.fail(f"there are two keys {key}")
            self.metadata._add(key, self._value(cursor, key, cursor.take("I")))
        self._refuse_part()
        self._read_tensors(cursor, tensors)

    def files(self):
        """Paths of all that a program is made of."""
        return [self.path]

    def fail(self, text):
        """Raises a FileError that names the file."""
        self._container.fail(text)

    def _refuse_part(self):
        count = self.metadata.get("split.count", 0)
        if not isinstance(count, int):
            self.fail(f"key split.count is {count!r}, expected a number")
        if count > 1:
            self.fail(f"is one of {count} parts of a model; `llama-gguf-split "
                      f"--merge` makes one file of them")

    def _value(self, cursor, key, kind):
        if kind == _STRING:
            return cursor.string()
        if kind in _SCALARS:
            return cursor.take(_SCALARS[kind])
        if kind != _ARRAY:
            self.fail(f"key {key} has a value of type {kind}")
        element, count = cursor.take("IQ")
        container = self._container
        if element == _STRING:
            container.check(cursor.at, 8 * count, f"key {key}")
            return _List(container, cursor.strings(count))
        if element not in _SCALARS:
            self.fail(f"key {key} is a list of elements of type {element}")
        dtype = np.dtype("<" + _SCALARS[element])
        lazy = _List(container, None, dtype, cursor.at, count)
        cursor.skip(count * dtype.itemsize)
        return lazy

    def _read_tensors(self, cursor, count):
        found = []
        for _ in range(count):
            name, rank = cursor.string(), cursor.take("I")
            if not 1 <= rank <= _MAX_DIMS:
                self.fail(f"tensor {name} has {rank} dimensions, expected 1 to "
                          f"{_MAX_DIMS}")
            shape = [cursor.take("Q") for _ in range(rank)]
            if 0 in shape:
                self.fail(f"tensor {name} has the shape {shape[::-1]}")
            found.append((name, shape[::-1], *cursor.take("IQ")))
        alignment = self.metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment < 1:
            self.fail(f"general.alignment is {alignment}")
        data = -(-cursor.at // alignment) * alignment
        self.tensors = {}
        end = 0
        for name, shape, number, offset in found:
            if name in self.tensors:
                self.fail(f"there are two tensors {name}")
            if offset != end:
                self.fail(f"tensor {name} begins at {offset} of the data, expected "
                          f"{end}, where the one before it ends")
            self.tensors[name] = tensor = Tensor(self._container, name, shape,
                                                 number, data + offset)
            end = -(-(end + tensor.nbytes) // alignment) * alignment
