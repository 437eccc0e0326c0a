"""Global and shared memory with bounds, and the banks of the latter."""

import functools

import numpy as np

GUARD = 4096


class MemoryError_(Exception):
    pass


@functools.cache
def _word(size):
    """The type of the elements that `size` bytes are read and written as."""
    return np.dtype(f"u{min(size, 8)}")


def _words(array, size):
    """`array`, of single bytes, as rows of `size` of them."""
    whole = len(array) // size * size
    return array[:whole].view(_word(size)).reshape(-1, size // min(size, 8))


class Memory:
    """Bytes at addresses; only what is allocated may be touched."""

    # Whether all bytes are valid.
    is_whole = False

    def __init__(self, base):
        self.base = base
        self.bytes = np.zeros(0, np.uint8)
        self.valid = np.zeros(0, bool)

    def allocate(self, size):
        """The address of `size` bytes, aligned to 256, with a gap after that is
        longer than an access."""
        start = len(self.bytes)
        padded = (size + GUARD + 255) // 256 * 256
        self.bytes = np.concatenate([self.bytes, np.zeros(padded, np.uint8)])
        self.valid = np.concatenate([self.valid, np.zeros(padded, bool)])
        self.valid[start:start + size] = True
        return self.base + start

    def get_rows(self, addresses, size):
        """Numbers of the rows of `size` bytes that are at `addresses`."""
        if size not in (1, 2, 4, 8, 16, 32):
            raise MemoryError_(f"an access of {size} bytes")
        if (addresses & size - 1).any():
            raise MemoryError_(f"address not aligned to {size}")
        start = addresses - self.base
        # Those before the first byte are large ones as well.
        if start.size and start.view(np.uint64).max() > len(self.valid) - size:
            raise MemoryError_("address outside of memory")
        if self.is_whole:
            return start // size
        valid = self.valid[start] & self.valid[start + (size - 1)]
        if not valid.all():
            bad = addresses[~valid][0]
            raise MemoryError_(f"address {bad:#x} is in no allocation")
        return start // size

    def read(self, addresses, size):
        """[addresses, size] bytes."""
        rows = _words(self.bytes, size)[self.get_rows(addresses, size)]
        return rows.view(np.uint8)

    def write(self, addresses, data):
        size = data.shape[1]
        rows = self.get_rows(addresses, size)
        _words(self.bytes, size)[rows] = data.view(_word(size))


class SharedMemory(Memory):
    """A block's, with the number of passes that its 32 banks of 4 bytes took
    and the number that they must take at least."""

    is_whole = True

    def __init__(self, size):
        super().__init__(0)
        padded = (size + 31) // 32 * 32
        self.bytes = np.full(padded, 0xCD, np.uint8)
        self.valid = np.ones(size, bool)
        # Bytes that a cp.async has been told to write and may not have yet.
        self.pending = np.zeros(padded, bool)
        # Who wrote a byte that wgmma must not read before its fence; -1: nobody.
        self.unfenced = np.full(padded, -1, np.int32)
        self.passes = self.least_passes = 0

    def read(self, addresses, size):
        rows = self.get_rows(addresses, size)
        if _words(self.pending, size)[rows].any():
            raise MemoryError_("read of what a cp.async has not finished")
        return _words(self.bytes, size)[rows].view(np.uint8)

    def expect(self, addresses, size):
        """Copies are on their way to there."""
        rows, pending = self.get_rows(addresses, size), _words(self.pending, size)
        if pending[rows].any() or len(np.unique(rows)) != len(rows):
            raise MemoryError_("a copy to where another copy is on its way to")
        pending[rows] = np.ones(size, bool).view(_word(size))

    def land(self, addresses, data):
        """What `expect` has announced."""
        size = data.shape[1]
        rows = addresses // size
        _words(self.bytes, size)[rows] = data.view(_word(size))
        _words(self.pending, size)[rows] = 0

    def note_writer(self, addresses, size, threads):
        self.unfenced[addresses[:, None] + np.arange(size)] = threads[:, None]

    def read_async(self, index):
        """As another proxy reads, after a fence of whoever wrote."""
        if index.min() < 0 or index.max() >= len(self.valid):
            raise MemoryError_("address outside of memory")
        if self.pending[index].any():
            raise MemoryError_("read of what a cp.async has not finished")
        if (self.unfenced[index] >= 0).any():
            raise MemoryError_("read of what no fence.proxy.async follows")
        return self.bytes[index]

    def fence(self, threads, is_everyone):
        if is_everyone:
            self.unfenced.fill(-1)
        else:
            self.unfenced[np.isin(self.unfenced, threads)] = -1

    def count(self, addresses, threads, size):
        """Accesses of 16 (8, 4) bytes go by quarters (halves, wholes) of a
        warp; each takes as many passes as the busiest bank has rows."""
        if not len(addresses):
            return
        # From the first one's row of all banks on.
        passes, least = _count((addresses - (addresses[0] & ~127)).tobytes(),
                               threads.astype(np.int64).tobytes(), size)
        self.passes += passes
        self.least_passes += least


@functools.lru_cache(maxsize=1 << 14)
def _count(addresses, threads, size):
    """(passes, least passes); loops and blocks ask the same again and again."""
    addresses = np.frombuffer(addresses, np.int64)
    threads = np.frombuffer(threads, np.int64)
    lanes = max(1, 32 * 4 // size) if size >= 4 else 32
    passes = least = 0
    for phase in np.unique(threads // lanes):
        words = addresses[threads // lanes == phase] // 4
        words = np.unique(words[:, None] + np.arange(max(1, size // 4)))
        passes += int(np.bincount(words % 32).max())
        least += -(-len(words) // 32)
    return passes, least
