"""Executes the PTX that this project emits with NumPy: all threads of a block
advance together, blocks in a random order, taking turns at barriers. It exists so that kernels are
run, and their answers compared, on machines without a GPU. It knows the
instructions that the kernels use and refuses every other.

It checks more than a GPU does: every access to global memory must lie in an
allocation, every access to shared memory in the block's, data of an unfinished
cp.async must not be read, warps must be whole at mma.sync and shfl.sync; and it
counts how many passes the banks of shared memory need.
"""

from .machine import Machine, PtxError
from .parser import parse

__all__ = ["Machine", "PtxError", "parse"]
