# RUN: %python %s | FileCheck %s
"""A 4-bit weight takes an eighth of its float32 size in the emitted module,
and an 8-bit one a quarter; scales and code come on top."""

from Guarantees.Inputs import compiled

N = K = 1024
CODE = 48 * 1024  # of the emitted functions, as bytecode


def emitted(options):
    return len(compiled.compile_to(compiled.float_program(N, K), "generic",
                                   options, "llvm", "--emit-bytecode"))


whole = 4 * N * K
assert whole < emitted("") < whole + CODE, "float"
for bits in (8, 4):
    stored, scales = N * K * bits // 8, 4 * N
    size = emitted(f"quantize={{weights=channel weight-bits={bits}}}")
    fits = stored + scales <= size <= stored + scales + CODE
    print(f"W{bits}: 1/{whole // stored} of float32 and scales "
          f"{'and code' if fits else f'but {size} bytes'}")
# CHECK: W8: 1/4 of float32 and scales and code
# CHECK: W4: 1/8 of float32 and scales and code
