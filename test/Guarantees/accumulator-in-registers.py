# RUN: %python %s | FileCheck %s
"""On x86 the i32 accumulator of a matmul never goes to memory: no buffer has
its size, and no vector of i32 is stored, between matmul and rescale."""

import re

from Guarantees.Inputs import compiled


def check(what, text, options, cpu, expected_stores):
    options = f"{cpu} {options}"
    buffers = compiled.compile_to(text, "x86", options, "target").decode()
    llvm = compiled.compile_to(text, "x86", options).decode()
    largest = max(compiled.sizes(buffers, "memref.alloc.*memref", "i32"),
                  default=0)
    stores = len(re.findall(
        r"llvm\.(?:store|intr\.masked\.store) .*vector<\d+xi32>", llvm))
    good = largest < compiled.M * compiled.N and not stores
    print(f"{cpu} {what}: {'in registers' if good else 'IN MEMORY'}, "
          f"{stores} stores of i32 vectors")


I32_RESULT = f"""func.func @main(%x: tensor<{compiled.M}x{compiled.K}xi8>, %w: tensor<{compiled.K}x{compiled.N}xi8>) -> tensor<{compiled.M}x{compiled.N}xi32> {{
  %init = arith.constant dense<0> : tensor<{compiled.M}x{compiled.N}xi32>
  %y = quant.matmul ins(%x, %w : tensor<{compiled.M}x{compiled.K}xi8>, tensor<{compiled.K}x{compiled.N}xi8>) outs(%init : tensor<{compiled.M}x{compiled.N}xi32>) -> tensor<{compiled.M}x{compiled.N}xi32>
  return %y : tensor<{compiled.M}x{compiled.N}xi32>
}}
"""
# The checker sees an accumulator: one that is itself the result.
# CHECK: cpu=icelake-server i32 result: IN MEMORY
check("i32 result", I32_RESULT, "", "cpu=icelake-server", True)
# CHECK-NOT: IN MEMORY
# CHECK-COUNT-55: in registers, 0 stores of i32 vectors
# CHECK-NOT: {{.}}
for target, cpu in compiled.TARGETS[1:]:
    for form in (("i8", True, "DOUBLE"), ("i8", False, "SINGLE"),
                 ("i16", True, "SINGLE")):
        check(f"fixed point {form}", compiled.fixed_point_program(*form), "", cpu,
              False)
    for what, text, options in compiled.programs():
        if "f" not in what.split(",")[-1] or "weights" in what:
            check(what, text, options, cpu, False)
