"""Bytes of a file, read where they lie, and never past its end."""

import mmap
import os
import struct

from ..errors import FileError


class Container:
    """A file that is mapped read-only; every fault names it."""

    def __init__(self, path):
        self.path = os.fspath(path)
        try:
            with open(self.path, "rb") as f:
                self.size = os.fstat(f.fileno()).st_size
                self.bytes = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) \
                    if self.size else b""
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise FileError(f"{self.path}: {reason}") from None

    def fail(self, text):
        raise FileError(f"{self.path}: {text}")

    def check(self, begin, size, what):
        """`size` bytes from `begin` are in the file."""
        if begin + size > self.size:
            self.fail(f"{what} takes the bytes up to {begin + size}, but the "
                      f"file has {self.size}: it is not complete")

    def release(self, begin, size):
        """Gives back the memory of pages that were read."""
        begin -= begin % mmap.PAGESIZE
        if size and hasattr(mmap, "MADV_DONTNEED"):
            self.bytes.madvise(mmap.MADV_DONTNEED, begin, size)

    def text(self, begin, end):
        # Tokens of some vocabularies are no UTF-8.
        return str(self.bytes[begin:end], "utf-8", "replace")


class Checkpoint:
    """What every kind of checkpoint has: `tensors`, a dict by name, and `fail`."""

    def tensor(self, name):
        if name not in self.tensors:
            some = ", ".join(sorted(self.tensors)[:8])
            self.fail(f"has no tensor {name}; it has {some}"
                      + (", ..." if len(self.tensors) > 8 else ""))
        return self.tensors[name]


class Cursor:
    """Little-endian numbers and strings, one after the other."""

    def __init__(self, container, what, at=0):
        self.container, self.what, self.at = container, what, at

    def take(self, form):
        form = "<" + form
        size = struct.calcsize(form)
        self.container.check(self.at, size, self.what)
        values = struct.unpack_from(form, self.container.bytes, self.at)
        self.at += size
        return values[0] if len(values) == 1 else values

    def skip(self, size):
        self.container.check(self.at, size, self.what)
        self.at += size

    def strings(self, count):
        """Where each of `count` strings lies: [(begin, end)]. Vocabularies have a
        hundred thousand: nothing is called for one."""
        unpack, data = struct.Struct("<Q").unpack_from, self.container.bytes
        at, places = self.at, []
        try:
            for _ in range(count):
                begin = at + 8
                at = begin + unpack(data, at)[0]
                places.append((begin, at))
        except (struct.error, OverflowError):
            at = self.container.size + 8
        self.skip(at - self.at)
        return places

    def string(self):
        (begin, end), = self.strings(1)
        return self.container.text(begin, end)
