// What upstream's lowering of quant.qcast computes, beside what this project
// computes from the same program. docs/upstream-semantics.md tells the story.

// RUN: quant-opt %s --lower-quant-ops --canonicalize | FileCheck %s --check-prefix=UPSTREAM
// RUN: quant-opt %s --quant-import | FileCheck %s --check-prefix=HERE

// Run on the same numbers: upstream's form after its lowering, ours on each
// target.
// RUN: rm -rf %t && mkdir %t
// RUN: %make-npy %t/x.npy "np.float32([0.35, 0.26, -0.26, -0.35, 12.9, 50])"
// RUN: quant-opt %s --lower-quant-ops --canonicalize --convert-elementwise-to-linalg -o %t/upstream.mlir
// RUN: quant-run %t/upstream.mlir --entry=quantize --inputs=%t/x.npy | FileCheck %s --check-prefix=UPSTREAM-VALUES
// RUN: quant-run %s --entry=quantize --inputs=%t/x.npy | FileCheck %s --check-prefix=HERE-VALUES
// RUN: quant-run %s --entry=quantize --inputs=%t/x.npy --target=x86 | FileCheck %s --check-prefix=HERE-VALUES

!q = !quant.uniform<i8:f32, 0.1>
!narrow = !quant.uniform<i8<-127:127>:f32, 0.1>
!shifted = !quant.uniform<i8:f32, 0.1:3>

// Truncation: 3.5 becomes 3, 2.6 becomes 2, -2.6 becomes -2. Poison: 129 and
// 500 have no i8, and nothing stands before the conversion that would cut them
// off (what comes back for them is the machine's choice, and not checked).
// UPSTREAM-LABEL: @quantize
// UPSTREAM: %[[Q:.*]] = arith.divf
// UPSTREAM-NOT: roundeven
// UPSTREAM-NOT: minimumf
// UPSTREAM-NOT: maximumf
// UPSTREAM: arith.fptosi %[[Q]]
// UPSTREAM-VALUES: = [3, 2, -2, -3,
// HERE-LABEL: @quantize
// HERE: quant.quantize {{.*}} range = [-128, 127]
// HERE-VALUES: = [4, 3, -3, -4, 127, 127]
func.func @quantize(%x: tensor<6xf32>) -> tensor<6xi8> {
  %q = quant.qcast %x : tensor<6xf32> to tensor<6x!q>
  %s = quant.scast %q : tensor<6x!q> to tensor<6xi8>
  return %s : tensor<6xi8>
}

// Late clamp: a narrow range is cut off after the conversion to i8, so that it
// sees what is left of 500: nothing. Here the range is part of the op, which
// clamps before it converts.
// UPSTREAM-LABEL: @late_clamp
// UPSTREAM: %[[I:.*]] = arith.fptosi
// UPSTREAM: arith.maxsi %[[I]]
// HERE-LABEL: @late_clamp
// HERE: quant.quantize {{.*}} range = [-127, 127]
// HERE-NOT: arith.maxsi
func.func @late_clamp(%x: tensor<6xf32>) -> tensor<6xi8> {
  %q = quant.qcast %x : tensor<6xf32> to tensor<6x!narrow>
  %s = quant.scast %q : tensor<6x!narrow> to tensor<6xi8>
  return %s : tensor<6xi8>
}

// The zero point is added before the conversion, so that truncation goes
// towards it and not towards 0: -0.26 is 0.4 = 3 - 2.6, which becomes 0 and
// stands for -0.3, while 0.26 is 5.6, which becomes 5 and stands for 0.2. Here
// it is added after the rounding, as ONNX does it.
// UPSTREAM-LABEL: @zero_point
// UPSTREAM: %[[D:.*]] = arith.divf
// UPSTREAM: %[[Z:.*]] = arith.addf %[[D]]
// UPSTREAM: arith.fptosi %[[Z]]
// HERE-LABEL: @zero_point
// HERE: quant.quantize {{.*}} zero_point(
func.func @zero_point(%x: tensor<6xf32>) -> tensor<6xi8> {
  %q = quant.qcast %x : tensor<6xf32> to tensor<6x!shifted>
  %s = quant.scast %q : tensor<6x!shifted> to tensor<6xi8>
  return %s : tensor<6xi8>
}
