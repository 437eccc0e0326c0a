// Constants whose data is missing or of another size end in an error at the
// constant, before anything reads them.
// RUN: split-file %s %t
// RUN: not quant-run %t/missing.mlir 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not quant-run %t/short.mlir 2>&1 | FileCheck %s --check-prefix=SHORT
// RUN: quant-run %t/unused.mlir | FileCheck %s --check-prefix=UNUSED

// MISSING: missing.mlir:2:8: error: the constant has no data: the file does not hold the resource 'w'
// SHORT: short.mlir:2:8: error: resource 'w': expected 1024 bytes for 'tensor<16x16xf32>', found 8
// UNUSED: result0: tensor<1xf32> = [1]

//--- missing.mlir
func.func @main() -> tensor<16x16xf32> {
  %w = arith.constant dense_resource<w> : tensor<16x16xf32>
  return %w : tensor<16x16xf32>
}

//--- short.mlir
func.func @main() -> tensor<16x16xf32> {
  %w = arith.constant dense_resource<w> : tensor<16x16xf32>
  return %w : tensor<16x16xf32>
}
{-#
  dialect_resources: { builtin: { w: "0x040000000000803F00000040" } }
#-}

//--- unused.mlir
func.func @main() -> tensor<1xf32> {
  %w = arith.constant dense_resource<w> : tensor<16x16xf32>
  %y = arith.constant dense<1.0> : tensor<1xf32>
  return %y : tensor<1xf32>
}
