"""What AMX can do at most, timed in the same rounds as everyone else.

`phys.amx`: products of tiles in registers. `phys.amx_block`: the inner loop of any
matmul of 2 x 2 accumulators, the most that eight registers hold: four products and
the loads of their four operands, always the same 4 KiB, so that they come from L1
and nothing else is done. No matmul on tiles can be faster than this one.
"""

import ctypes
import os
import platform
import subprocess
import tempfile

SOURCE = """
.text
.globl amx_products, amx_block
# rdi: rounds, rsi: tile configuration, rdx: 4 KiB
amx_products:
  ldtilecfg (%rsi)
{zero}
1:
{products}
  decq %rdi
  jnz 1b
  tilerelease
  ret
amx_block:
  ldtilecfg (%rsi)
{zero}
  movq $64, %rax
1:
  tileloadd (%rdx,%rax), %tmm6
  tileloadd 1024(%rdx,%rax), %tmm4
  tileloadd 2048(%rdx,%rax), %tmm7
  tdpbusd %tmm6, %tmm4, %tmm0
  tileloadd 3072(%rdx,%rax), %tmm5
  tdpbusd %tmm7, %tmm4, %tmm1
  tdpbusd %tmm6, %tmm5, %tmm2
  tdpbusd %tmm7, %tmm5, %tmm3
  decq %rdi
  jnz 1b
  tilerelease
  ret
.section .note.GNU-stack,"",@progbits
""".format(zero="\n".join(f"  tilezero %tmm{i}" for i in range(8)),
           products="\n".join(f"  tdpbusd %tmm7, %tmm6, %tmm{i}" for i in range(6)))
TILE_MACS = 16 * 16 * 64


def has_tiles():
    if platform.machine() != "x86_64":
        return False
    with open("/proc/cpuinfo") as file:
        return "amx_int8" in file.read().split()


class TileLimit:
    """`rounds` of a loop of `products` products."""
    dtype, check, rounds = "int8", None, 20000

    def prepare(self, B, N, D, Xq, Wq, **_):
        ctypes.CDLL(None).syscall(158, 0x1023, 18)  # ARCH_REQ_XCOMP_PERM
        with tempfile.TemporaryDirectory() as folder:
            stem = os.path.join(folder, "limits")
            with open(stem + ".s", "w") as file:
                file.write(SOURCE)
            subprocess.run(["cc", "-shared", stem + ".s", "-o", stem + ".so"], check=True)
            self.function = getattr(ctypes.CDLL(stem + ".so"), self.symbol)
        self.function.argtypes = [ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p]
        # Palette 1: eight tiles of 16 rows of 64 bytes.
        config = bytes([1] + [0] * 15 + [64, 0] * 8 + [0] * 16 + [16] * 8 + [0] * 8)
        self.config = ctypes.create_string_buffer(config, 64)
        raw = ctypes.create_string_buffer(4096 + 64)
        self.raw, self.data = raw, ctypes.addressof(raw) + -ctypes.addressof(raw) % 64
        # The first load is `stride` bytes past the address.
        self.data -= 64
        self.work = self.rounds * self.products * TILE_MACS

    def run(self):
        self.function(self.rounds, ctypes.addressof(self.config), self.data)

    def result(self):
        return None


class TileProducts(TileLimit):
    name, io, symbol, products = "phys.amx", "tdpbusd on registers", "amx_products", 6


class TileBlock(TileLimit):
    name, io, symbol, products = "phys.amx_block", "2 x 2 tdpbusd, operands from L1", "amx_block", 4


CONTENDERS = [TileProducts, TileBlock] if has_tiles() else []
