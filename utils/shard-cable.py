#!/usr/bin/env python3
"""A cable between two network namespaces, for kernels without netem.

    shard-cable.py A B DELAY_MS GBITS

Makes a device `cable` in each, and carries what is sent to one to the other: not
faster than GBITS, and DELAY_MS later. Prints `ready` when both are there.
"""

import collections
import ctypes
import fcntl
import os
import select
import struct
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 1, 0x1000
PACKET = 1 << 16


def open_end(namespace):
    """The file of a new device in a namespace, in which this process then is."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{namespace}") as where:
        if libc.setns(where.fileno(), 0):
            raise OSError(ctypes.get_errno(), f"setns {namespace}")
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH", b"cable", IFF_TUN | IFF_NO_PI))
    return end


class Direction:
    def __init__(self, to, delay, rate):
        self.to, self.delay, self.rate = to, delay, rate
        self.waiting, self.free = collections.deque(), 0.0

    def take(self, packet):
        """It leaves when those before have left, and arrives later."""
        now = time.monotonic()
        self.free = max(now, self.free) + len(packet) * 8 / self.rate
        self.waiting.append((self.free + self.delay, packet))

    def deliver(self):
        """Seconds until the next one arrives, or None."""
        while self.waiting:
            left = self.waiting[0][0] - time.monotonic()
            if left > 0:
                return left
            _, packet = self.waiting.popleft()
            try:
                os.write(self.to, packet)
            except OSError:
                pass  # As a wire loses it: the device is full or down.
        return None


def main():
    a, b, delay, rate = sys.argv[1:]
    ends = [open_end(a), open_end(b)]
    ways = {end: Direction(other, float(delay) / 1e3, float(rate) * 1e9)
            for end, other in zip(ends, reversed(ends))}
    print("ready", flush=True)
    while True:
        waits = [w for w in (way.deliver() for way in ways.values()) if w is not None]
        readable, _, _ = select.select(ends, [], [], min(waits, default=None))
        for end in readable:
            try:
                ways[end].take(os.read(end, PACKET))
            except BlockingIOError:
                pass


if __name__ == "__main__":
    main()
