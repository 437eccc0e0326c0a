# RUN: %python %s | FileCheck %s
"""No float copy of a quantized weight exists after compilation: not as a
constant, not as a buffer, in no scheme and on no target."""

from Guarantees.Inputs import compiled

FLOATS = "f64|f32|f16|bf16"


def check(what, text, options, target, cpu):
    options = f"{cpu} {options}"
    limit = compiled.N * compiled.K
    buffers = compiled.compile_to(text, target, options, "target").decode()
    llvm = compiled.compile_to(text, target, options).decode()
    found = (compiled.sizes(buffers, "memref", FLOATS)
             + compiled.sizes(llvm, "dense_resource<[^>]*> : tensor", FLOATS)
             + compiled.sizes(llvm, "tensor", FLOATS)
             + compiled.arrays(llvm, FLOATS))
    assert compiled.sizes(buffers, "memref", FLOATS), "no float buffer at all?"
    verdict = "clean" if max(found) < limit else "FLOAT COPY"
    print(f"{target} {cpu} {what}: {verdict}, largest float array "
          f"{max(found)} of {limit}")


# The checker sees a float weight: the float program, not quantized.
# CHECK: generic  float: FLOAT COPY
check("float", compiled.float_program(), "", "generic", "")
# CHECK-NOT: FLOAT COPY
# CHECK-COUNT-84: clean, largest float array {{.*}}
# CHECK-NOT: {{.}}
for target, cpu in compiled.TARGETS:
    for what, text, options in compiled.programs():
        check(what, text, options, target, cpu)
