// RUN: quant-opt %s --quant-drop-foreign-attributes | FileCheck %s
// What the pipelines make is read by stock tools.
// RUN: quant-opt %s --quant-to-generic | mlir-translate --mlir-to-llvmir | FileCheck %s --check-prefix=IR
// RUN: quant-opt %s --quant-to-x86=cpu=x86-64 | mlir-translate --mlir-to-llvmir | FileCheck %s --check-prefix=IR

// CHECK-NOT: {{qtarget|linalg|quant\.}}
// CHECK: module attributes {foreign.note = 1 : i64, llvm.data_layout = "e"}
// IR: define noundef i32 @outer(i32 %0)
module attributes {qtarget.target = #qtarget.target<arch = "x86_64", cpu = "x86-64", features = [], l1d = 32768, l2 = 262144, cores = 1>, foreign.note = 1 : i64, llvm.data_layout = "e"} {
  // CHECK-NEXT: module {
  module attributes {qtarget.target = #qtarget.target<arch = "x86_64", cpu = "sapphirerapids", features = ["avx2"], l1d = 32768, l2 = 262144, cores = 1>} {
    // CHECK-NEXT: llvm.func @inner(%arg0: i32 {llvm.noundef}) attributes {kept = "a"} {
    llvm.func @inner(%arg0: i32 {llvm.noundef, foreign.kind = #linalg.iterator_type<parallel>}) attributes {kept = "a", foreign.type = [!quant.uniform<i8:f32, 0.5>]} {
      llvm.return
    }
  }
  // CHECK: func.func @outer(%arg0: i32) -> (i32 {llvm.noundef})
  func.func @outer(%x: i32 {foreign.kind = #linalg.iterator_type<parallel>}) -> (i32 {foreign.kind = #linalg.iterator_type<parallel>, llvm.noundef}) {
    return %x : i32
  }
}
