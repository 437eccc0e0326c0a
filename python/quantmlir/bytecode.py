"""MLIR bytecode whose constants are written one by one, as they come.

A program's text without its data becomes bytecode by the compiler; its section
of resources is replaced by one that goes to the file first, so that no more than
a piece of a constant is ever in memory. The format is MLIR's
(mlir/docs/BytecodeFormat.md): sections stand in any order.
"""

import contextlib
import os
import struct
import tempfile

import numpy as np

from .errors import FileError

_STRING, _RESOURCE, _RESOURCE_OFFSET = 0, 5, 6
# What a buffer that was not mapped is aligned to.
ALIGNMENT = 16
_BLOB = 0


def _varint(value):
    for size in range(1, 9):
        if value < 1 << 7 * size:
            return (value << size | 1 << size - 1).to_bytes(size, "little")
    return b"\0" + struct.pack("<Q", value)


class _Reader:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def varint(self):
        first = self.data[self.at]
        size = 9 if not first else (first & -first).bit_length()
        raw = int.from_bytes(self.data[self.at:self.at + size], "little")
        self.at += size
        return raw >> (8 if size == 9 else size)

    def take(self, size):
        self.at += size
        return self.data[self.at - size:self.at]


def _read_sections(program):
    """(head, [(number, bytes)]) of bytecode."""
    reader = _Reader(program, 4)
    reader.varint()
    reader.at = program.index(b"\0", reader.at) + 1
    head, sections = program[:reader.at], []
    while reader.at < len(program):
        number = reader.take(1)[0]
        size = reader.varint()
        if number & 128:
            alignment = reader.varint()
            reader.at = -(-reader.at // alignment) * alignment
        sections.append((number & 127, reader.take(size)))
    return head, sections


def _read_strings(section):
    reader = _Reader(section)
    sizes = [reader.varint() for _ in range(reader.varint())][::-1]
    return [reader.take(size)[:-1].decode() for size in sizes]


def _read_keys(section, strings):
    """The dialect that has the resources, and the number of each key."""
    reader = _Reader(section)
    if reader.varint():
        raise ValueError("the program has resources of no dialect")
    dialect, keys = reader.varint(), {}
    for _ in range(reader.varint()):
        key = reader.varint()
        reader.varint()
        reader.take(1)
        keys[strings[key]] = key
    if reader.at != len(section):
        raise ValueError("the program has resources of several dialects")
    return dialect, keys


def placeholders(keys):
    """What stands behind a program's text in place of its constants."""
    entries = ",\n".join(f'      {key}: "0x{ALIGNMENT:02X}000000"' for key in keys)
    return ("\n{-#\n  dialect_resources: {\n    builtin: {\n" + entries +
            "\n    }\n  }\n#-}\n")


class Writer:
    """Takes the constants of a program, then the program."""

    def __init__(self, file, program):
        self._file = file
        head, self._sections = _read_sections(program)
        found = dict(self._sections)
        self._dialect, self._keys = _read_keys(
            found[_RESOURCE_OFFSET], _read_strings(found[_STRING]))
        self._entries = []
        # The size comes last: nine bytes hold any.
        file.write(head + bytes([_RESOURCE | 128]))
        self._size_at = file.tell()
        file.write(b"\0" + bytes(8) + _varint(ALIGNMENT))
        self._pad()
        self._begin = file.tell()

    def _pad(self):
        self._file.write(b"\xcb" * (-self._file.tell() % ALIGNMENT))

    @contextlib.contextmanager
    def blob(self, resource):
        """Gives a function that takes the data of `resource` in pieces."""
        file, begin, left = self._file, self._file.tell(), resource.nbytes
        file.write(_varint(ALIGNMENT) + _varint(left))
        self._pad()

        def write(data):
            nonlocal left
            view = memoryview(np.ascontiguousarray(data).reshape(-1)).cast("B") \
                if isinstance(data, np.ndarray) else data
            left -= len(view)
            file.write(view)

        yield write
        if left:
            raise AssertionError(f"{resource.key}: {left} bytes are left")
        self._entries.append((resource.key, file.tell() - begin))

    def finish(self):
        file, end = self._file, self._file.tell()
        offsets = _varint(0) + _varint(self._dialect) + _varint(len(self._entries))
        for key, size in self._entries:
            offsets += _varint(self._keys.pop(key)) + _varint(size) + bytes([_BLOB])
        if self._keys:
            raise AssertionError(f"no data of {', '.join(self._keys)}")
        for number, data in self._sections:
            if number == _RESOURCE:
                continue
            data = offsets if number == _RESOURCE_OFFSET else data
            file.write(bytes([number]) + _varint(len(data)) + data)
        file.seek(self._size_at + 1)
        file.write(struct.pack("<Q", end - self._begin))


def write_file(path, program, constants):
    """Bytecode of a program at `path`: all of it, or no file.

    Args:
        program: bytecode with `placeholders`.
        constants: objects that `write(writer)` themselves.
    """
    path = os.fspath(path)
    name = None
    try:
        with tempfile.NamedTemporaryFile(dir=os.path.dirname(path) or ".",
                                         delete=False) as file:
            name = file.name
            writer = Writer(file, program)
            for constant in constants:
                constant.write(writer)
            writer.finish()
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        os.replace(name, path)
    except BaseException as error:
        if name and os.path.exists(name):
            os.unlink(name)
        if isinstance(error, OSError) and not isinstance(error, FileError):
            raise FileError(f"{path}: {error.strerror or error}") from None
        raise
