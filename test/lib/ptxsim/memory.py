"""Global and shared memory with bounds, and the banks of the latter."""

import functools

import numpy as np

GUARD = 4096


class MemoryError_(Exception):
    pass


class Memory:
    """Bytes at addresses; only what is allocated may be touched."""

    def __init__(self, base):
        self.base = base
        self.bytes = np.zeros(0, np.uint8)
        self.valid = np.zeros(0, bool)

    def allocate(self, size):
        """The address of `size` bytes, aligned to 256, with a gap after."""
        start = len(self.bytes)
        padded = (size + GUARD + 255) // 256 * 256
        self.bytes = np.concatenate([self.bytes, np.zeros(padded, np.uint8)])
        self.valid = np.concatenate([self.valid, np.zeros(padded, bool)])
        self.valid[start:start + size] = True
        return self.base + start

    def _index(self, addresses, size, alignment):
        addresses = addresses.astype(np.int64)
        if np.any(addresses % alignment):
            raise MemoryError_(f"address not aligned to {alignment}")
        index = (addresses - self.base)[:, None] + np.arange(size)
        if index.size and (index.min() < 0 or index.max() >= len(self.valid)):
            raise MemoryError_("address outside of memory")
        if not self.valid[index].all():
            bad = addresses[~self.valid[index].all(axis=1)][0]
            raise MemoryError_(f"address {bad:#x} is in no allocation")
        return index

    def read(self, addresses, size):
        return self.bytes[self._index(addresses, size, size)]

    def write(self, addresses, data):
        self.bytes[self._index(addresses, data.shape[1], data.shape[1])] = data


class SharedMemory(Memory):
    """A block's, with the number of passes that its 32 banks of 4 bytes took
    and the number that they must take at least."""

    def __init__(self, size):
        super().__init__(0)
        self.bytes = np.full(size, 0xCD, np.uint8)
        self.valid = np.ones(size, bool)
        # Bytes that a cp.async has been told to write and may not have yet.
        self.pending = np.zeros(size, bool)
        # Who wrote a byte that wgmma must not read before its fence; -1: nobody.
        self.unfenced = np.full(size, -1, np.int32)
        self.passes = self.least_passes = 0

    def read(self, addresses, size):
        index = self._index(addresses, size, size)
        if self.pending[index].any():
            raise MemoryError_("read of what a cp.async has not finished")
        return self.bytes[index]

    def read_async(self, index):
        """As another proxy reads, after a fence of whoever wrote."""
        if index.min() < 0 or index.max() >= len(self.bytes):
            raise MemoryError_("address outside of memory")
        if self.pending[index].any():
            raise MemoryError_("read of what a cp.async has not finished")
        if (self.unfenced[index] >= 0).any():
            raise MemoryError_("read of what no fence.proxy.async follows")
        return self.bytes[index]

    def fence(self, threads):
        self.unfenced[np.isin(self.unfenced, threads)] = -1

    def count(self, addresses, threads, size):
        """Accesses of 16 (8, 4) bytes go by quarters (halves, wholes) of a
        warp; each takes as many passes as the busiest bank has rows."""
        passes, least = _count(addresses.astype(np.int64).tobytes(),
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
