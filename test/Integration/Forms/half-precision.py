# RUN: %python %s %build | FileCheck %s
"""float16 and bfloat16 programs under every kind of scheme, on both targets:
the forms of the random programs, integers and roundings exact, sums of floats
within their bound. One scheme in four is optimized as it is for users."""

import sys

from quantcheck import fuzz_forms, module
from quantcheck.draw import Draw

SCHEMES = ["weights=channel activations=dynamic-token",
           "weights=channel activations=dynamic-token symmetric=false",
           "weights=channel activations=dynamic-token weight-bits=4",
           "weights=channel weight-bits=4 activation-bits=4",
           "weights=channel activations=float",
           "weights=channel weight-symmetric=false",
           "weights=tensor activations=dynamic-tensor",
           "weights=tensor activations=float weight-bits=4",
           "weights=group group-size=32 weight-bits=4",
           "weights=group group-size=32 weight-symmetric=false",
           "weights=group group-size=64 activations=float weight-bits=4",
           "weights=group group-size=32 activations=float "
           "weight-symmetric=false"]

QUANT_RUN = f"{sys.argv[1]}/bin/quant-run"
wrong = 0
for number, scheme in enumerate(SCHEMES):
    cases = [fuzz_forms.program(Draw(number, i), scheme, element)
             for i, element in enumerate(["f16", "bf16"] * 4)]
    for target in ("generic", "x86"):
        level = [] if number % 4 == 0 else [module.QUICK]
        found = module.check(cases, [f"--target={target}", f"--quantize={scheme}",
                                     *level], QUANT_RUN)
        wrong += len(found)
        for i, text in found.items():
            print(f"program {i}, {target}: {cases[i].name}: {text}")
    print(f"{len(cases)} programs: {scheme}")
# CHECK-NOT: {{^}}program
# CHECK-COUNT-12: {{^}}8 programs: weights=
# CHECK: 0 wrong
print(wrong, "wrong")
