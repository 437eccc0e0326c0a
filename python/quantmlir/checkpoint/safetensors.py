"""Safetensors files, and folders of them as Hugging Face lays them out.

A tensor is a view of the mapped file; nothing is imported for it.
"""

import json
import math
import os

import numpy as np

from ..errors import FileError
from .container import Checkpoint, Container

_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8",
          "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1", "BOOL": "?",
          "F8_E4M3": "u1"}
_MAX_HEADER = 100 << 20  # the format's own limit


def _e4m3():
    """Values of E4M3 by their bits: no infinities, NaN with all bits set."""
    bits = np.arange(128)
    exponent, fraction = bits >> 3, bits & 7
    values = np.where(exponent == 0, fraction * 2.0**-9,
                      (8 + fraction) * 2.0**(exponent - 10))
    values[127] = np.nan
    return np.concatenate([values, -values]).astype(np.float32)


_E4M3 = _e4m3()


class Tensor:
    """A tensor of a file: `name`, `shape`, `kind` (the format's type)."""

    def __init__(self, container, name, entry, begin):
        self.name, self._container = name, container
        try:
            self.kind, self.shape = entry["dtype"], tuple(entry["shape"])
            first, last = entry["data_offsets"]
            sizes = [*self.shape, first, last]
            if any(type(size) is not int or size < 0 for size in sizes):
                raise ValueError
        except (KeyError, TypeError, ValueError):
            container.fail(f"tensor {name} is not described")
        if self.kind not in _TYPES:
            container.fail(f"tensor {name} has elements of {self.kind}; "
                           f"{', '.join(_TYPES)} can be read")
        self._dtype = np.dtype(_TYPES[self.kind])
        count = math.prod(self.shape)
        if last - first != count * self._dtype.itemsize:
            container.fail(f"tensor {name} of {list(self.shape)} {self.kind} has "
                           f"{last - first} bytes")
        container.check(begin + first, last - first, f"tensor {name}")
        self._begin, self._count = begin + first, count
        # Of the file.
        self.extent = begin + first, begin + last

    def array(self):
        """As the file has it; BF16 as its bits."""
        return np.frombuffer(self._container.bytes, self._dtype, self._count,
                             self._begin).reshape(self.shape)

    def floats(self):
        """float32 of a tensor of floats."""
        array = self.array()
        if self.kind == "BF16":
            array = (array.astype(np.uint32) << 16).view(np.float32)
        elif self.kind == "F8_E4M3":
            array = _E4M3[array]
        elif array.dtype.kind != "f":
            self._container.fail(f"tensor {self.name} has elements of {self.kind}, "
                                 "expected floats")
        array = array.astype(np.float32)
        if not np.all(np.isfinite(array)):
            self._container.fail(f"tensor {self.name} holds infinities or NaN")
        return array

    def integers(self, *kinds):
        """As the file has it, if its type is one of `kinds`."""
        if self.kind not in kinds:
            self._container.fail(f"tensor {self.name} has elements of {self.kind}, "
                                 f"expected {' or '.join(kinds)}")
        return self.array()


def read_file(path):
    """{name: Tensor} of one file."""
    container = Container(path)
    container.check(0, 8, "the header")
    size = int.from_bytes(container.bytes[:8], "little")
    if size > _MAX_HEADER:
        container.fail("is not a safetensors file")
    container.check(8, size, "the header")
    header = parse_json(container.bytes[8:8 + size], f"{container.path}: the header")
    tensors = {name: Tensor(container, name, entry, 8 + size)
               for name, entry in header.items() if name != "__metadata__"}
    end = 8 + size
    for tensor in sorted(tensors.values(), key=lambda tensor: tensor.extent):
        begin, last = tensor.extent
        if begin != end:
            container.fail(f"tensor {tensor.name} begins at byte {begin}, expected "
                           f"{end}, where the one before it ends")
        end = last
    if end != container.size:
        container.fail(f"the tensors end at byte {end}, but the file has "
                       f"{container.size}")
    return tensors


def parse_json(data, what):
    """An object of JSON."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FileError(f"{what}: {error}".split("\n")[0]) from None
    if not isinstance(value, dict):
        raise FileError(f"{what}: expected an object of JSON, found "
                        f"{type(value).__name__}")
    return value


class Folder(Checkpoint):
    """A folder with config.json and its safetensors files: `config`, `tensors`."""

    def __init__(self, path):
        self.path = os.fspath(path)
        self.config = self.json("config.json")
        if self.config is None:
            self.fail("has no config.json")
        self.tensors = {}
        for name in self._shards():
            self.tensors.update(read_file(os.path.join(self.path, name)))

    def fail(self, text):
        """Raises a FileError that names the folder."""
        raise FileError(f"{self.path}: {text}")

    def json(self, name):
        """The file `name`, or None."""
        path = os.path.join(self.path, name)
        try:
            with open(path, "rb") as file:
                data = file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise FileError(f"{path}: {error.strerror}") from None
        return parse_json(data, path)

    def has(self, name):
        return os.path.isfile(os.path.join(self.path, name))

    def _shards(self):
        index = self.json("model.safetensors.index.json")
        if index is None:
            names = sorted(name for name in os.listdir(self.path)
                           if name.endswith(".safetensors"))
            if not names:
                self.fail("has no .safetensors file")
            return names
        places = index.get("weight_map")
        if not isinstance(places, dict) or \
                any(not isinstance(n, str) or os.path.basename(n) != n
                    for n in places.values()):
            self.fail("model.safetensors.index.json names no files of the folder")
        return sorted(set(places.values()))

    def files(self):
        """Paths of all that a program is made of."""
        return [os.path.join(self.path, name)
                for name in ["config.json", *self._shards()]]
