"""NPZ archives from anywhere: what is read is asked for by its name and size.

Nothing is inflated but the header of an array before its type and number of
elements are known to be the expected ones, so that a small file cannot take
much memory. Every fault is a ValueError of one line.
"""

import math
import zipfile
import zlib

import numpy as np

_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_KINDS = {"i": "signed integers", "u": "unsigned integers", "f": "floats"}


def _read_header(stream, name):
    """Shape, order and type of an NPY file."""
    try:
        version = np.lib.format.read_magic(stream)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    readers = {(1, 0): np.lib.format.read_array_header_1_0,
               (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"{name} has NPY version {version[0]}.{version[1]}; "
                         f"1.0 and 2.0 can be read")
    try:
        shape, fortran, dtype = readers[version](stream)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name}: {error}") from None
    if any(size < 0 for size in shape):
        raise ValueError(f"{name} has the shape {shape}")
    return shape, fortran, dtype


def _read_array(stream, name, kinds, counts):
    shape, fortran, dtype = _read_header(stream, name)
    if dtype.kind not in kinds:
        wanted = " or ".join(_KINDS[kind] for kind in kinds)
        raise ValueError(f"expected elements of {name} of {wanted}, found "
                         f"{dtype}")
    count = math.prod(shape)
    if count not in counts:
        raise ValueError(f"expected {counts[0]} elements of {name}, found "
                         f"{count}")
    size = count * dtype.itemsize
    data = stream.read(size)
    if len(data) != size or stream.read(1):
        raise ValueError(f"expected {size} bytes of data of {name}, as its "
                         f"shape says")
    array = np.frombuffer(data, dtype)
    return array.reshape(shape, order="F" if fortran else "C").reshape(-1)


class Archive:
    def __init__(self, path):
        self.path = path
        with open(path, "rb") as f:
            if f.read(6) == b"\x93NUMPY":
                raise ValueError(f"{path} is not an .npz file")
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise ValueError(f"{path}: {error}") from None

    def __contains__(self, name):
        return f"{name}.npy" in self._zip.namelist()

    def type(self, name):
        return self._open(name, lambda stream: _read_header(stream, name)[2])

    def read(self, name, kinds, counts):
        """The array `name` as a vector of `counts` elements (a number, or
        several that are allowed), whose type is one of NumPy's `kinds`."""
        allowed = counts if isinstance(counts, tuple) else (counts,)
        return self._open(name, lambda stream: _read_array(stream, name, kinds,
                                                           allowed))

    def check(self, *names):
        """Those of `names` that are there can be read."""
        for name in names:
            if name in self:
                self._find(name)

    def _find(self, name):
        if name not in self:
            raise ValueError(f"expected an array {name} in {self.path}, found "
                             f"none")
        info = self._zip.getinfo(f"{name}.npy")
        if info.flag_bits & 1:
            raise ValueError(f"{name} is encrypted")
        if info.compress_type not in _METHODS:
            raise ValueError(f"{name} is compressed by method "
                             f"{info.compress_type}; stored and deflated ones "
                             f"can be read")
        return info

    def _open(self, name, read):
        info = self._find(name)
        try:
            with self._zip.open(info) as stream:
                return read(stream)
        except (zipfile.BadZipFile, zlib.error, EOFError, SyntaxError,
                NotImplementedError, RuntimeError) as error:
            raise ValueError(f"{name}: {error}") from None

    def integer(self, name):
        value = self.read(name, "iuf", 1)[0]
        if not np.isfinite(value) or value != int(value):
            raise ValueError(f"expected {name} to be an integer, found {value}")
        return int(value)
