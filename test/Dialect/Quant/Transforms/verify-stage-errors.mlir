// RUN: split-file %s %t
// RUN: quant-opt %t/quant.mlir -quant-verify-stage=stage=quant -split-input-file -verify-diagnostics
// RUN: quant-opt %t/packed.mlir -quant-verify-stage=stage=packed -split-input-file -verify-diagnostics
// RUN: quant-opt %t/target.mlir -quant-verify-stage=stage=target -split-input-file -verify-diagnostics
// RUN: quant-opt %t/llvm.mlir -quant-verify-stage=stage=llvm -split-input-file -verify-diagnostics

//--- quant.mlir

// One more than the largest safe K of u8 * s8, of which the verifier of the op
// knows less: it takes zero points for 0.
func.func @unknown_zero_point(%a: tensor<1x65794xi8>, %b: tensor<65794x1xi8>, %z: tensor<i32>, %c: tensor<1x1xi32>) -> tensor<1x1xi32> {
  // expected-error@+1 {{'quant.matmul' op sum over K = 65794 may reach 2147516160, past 2147483647; split K or narrow the operands}}
  %0 = quant.matmul ins(%a, %b : tensor<1x65794xi8>, tensor<65794x1xi8>) lhs_zero_point(%z : tensor<i32>) outs(%c : tensor<1x1xi32>) -> tensor<1x1xi32>
  return %0 : tensor<1x1xi32>
}

// -----

func.func @both_zero_points(%a: tensor<1x33026xi8>, %b: tensor<33026x1xi8>, %za: tensor<i32>, %zb: tensor<i32>, %c: tensor<1x1xi32>) -> tensor<1x1xi32> {
  // expected-error@+1 {{'quant.matmul' op sum over K = 33026 may reach 2147515650, past 2147483647; split K or narrow the operands}}
  %0 = quant.matmul ins(%a, %b : tensor<1x33026xi8>, tensor<33026x1xi8>) lhs_zero_point(%za : tensor<i32>) rhs_zero_point(%zb : tensor<i32>) outs(%c : tensor<1x1xi32>) -> tensor<1x1xi32>
  return %0 : tensor<1x1xi32>
}

// -----

func.func @dynamic_k(%a: tensor<1x?xi8>, %b: tensor<?x1xi8>, %c: tensor<1x1xi32>) -> tensor<1x1xi32> {
  // expected-error@+1 {{'quant.matmul' op sum over a dynamic K is not known to fit in i32; it is safe up to K = 131071}}
  %0 = quant.matmul ins(%a, %b : tensor<1x?xi8>, tensor<?x1xi8>) outs(%c : tensor<1x1xi32>) -> tensor<1x1xi32>
  return %0 : tensor<1x1xi32>
}

// -----

// Two halves that fit are one sum that does not.
func.func @chain(%a: tensor<1x70000xi8>, %b: tensor<70000x1xi8>, %c: tensor<1x1xi32>) -> tensor<1x1xi32> {
  %0 = quant.matmul ins(%a, %b : tensor<1x70000xi8>, tensor<70000x1xi8>) outs(%c : tensor<1x1xi32>) -> tensor<1x1xi32>
  // expected-error@+1 {{'quant.matmul' op sum over K = 70000 may reach 2293760000, past 2147483647; split K or narrow the operands}}
  %1 = quant.matmul ins(%a, %b : tensor<1x70000xi8>, tensor<70000x1xi8>) outs(%0 : tensor<1x1xi32>) -> tensor<1x1xi32>
  return %1 : tensor<1x1xi32>
}

// -----

func.func @init(%a: tensor<1x8xi8>, %b: tensor<8x1xi8>) -> tensor<1x1xi32> {
  %c = arith.constant dense<-2147450000> : tensor<1x1xi32>
  // expected-error@+1 {{'quant.matmul' op sum over K = 8 may reach 2147581072, past 2147483647; split K or narrow the operands}}
  %0 = quant.matmul ins(%a, %b : tensor<1x8xi8>, tensor<8x1xi8>) outs(%c : tensor<1x1xi32>) -> tensor<1x1xi32>
  return %0 : tensor<1x1xi32>
}

// -----

// The stored types' own bound holds (C9), but not around this zero point.
func.func @scaled_zero_points(%x: tensor<2x66000xi8>, %w: tensor<5x66000xi8>, %sw: tensor<5x1xf32>, %zx: tensor<i32>) -> tensor<2x5xf32> {
  // expected-error@+1 {{'quant.scaled_matmul' op sum over a group of 66000 may reach 2154240000, past 2147483647; it is safe up to a group of 65793}}
  %0 = quant.scaled_matmul ins(%x, %w : tensor<2x66000xi8>, tensor<5x66000xi8>) lhs_zero_point(%zx : tensor<i32>) rhs_scale(%sw : tensor<5x1xf32>) {group_size = 66000 : i64} -> tensor<2x5xf32>
  return %0 : tensor<2x5xf32>
}

// -----

func.func @discardable_attribute(%a: tensor<1x8xi8>, %b: tensor<8x1xi8>, %c: tensor<1x1xi32>) -> tensor<1x1xi32> {
  // expected-error@+1 {{expected a string as quant.name, found unit}}
  %0 = quant.matmul ins(%a, %b : tensor<1x8xi8>, tensor<8x1xi8>) outs(%c : tensor<1x1xi32>) {quant.name} -> tensor<1x1xi32>
  return %0 : tensor<1x1xi32>
}

//--- packed.mlir

func.func @matmul(%a: tensor<1x8xi8>, %b: tensor<8x1xi8>, %c: tensor<1x1xi32>) -> tensor<1x1xi32> {
  // expected-error@+1 {{'quant.matmul' op expected no quant.matmul after packing}}
  %0 = quant.matmul ins(%a, %b : tensor<1x8xi8>, tensor<8x1xi8>) outs(%c : tensor<1x1xi32>) -> tensor<1x1xi32>
  return %0 : tensor<1x1xi32>
}

// -----

func.func @no_target(%a: tensor<1x4xi8>, %b: tensor<1x1x16x4xi8>, %c: tensor<1x16xi32>) -> tensor<1x16xi32> {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected a module with the attribute qtarget.target}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<1x4xi8>, tensor<1x1x16x4xi8>) outs(%c : tensor<1x16xi32>) -> tensor<1x16xi32>
  return %0 : tensor<1x16xi32>
}

// -----

module attributes {qtarget.target = #qtarget.target<arch = "x86_64", cpu = "haswell", features = ["avx2"], l1d = 32768, l2 = 262144, cores = 1>} {
  func.func @other_target(%a: tensor<1x4xi8>, %b: tensor<1x1x16x4xi8>, %c: tensor<1x16xi32>) -> tensor<1x16xi32> {
    // expected-error@+1 {{'qtarget.packed_matmul' op expected a kernel that the target "haswell" offers, but vpdpbusd_512 needs x86_64 with avx512vnni+avx512f}}
    %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<1x4xi8>, tensor<1x1x16x4xi8>) outs(%c : tensor<1x16xi32>) -> tensor<1x16xi32>
    return %0 : tensor<1x16xi32>
  }
}

// -----

module attributes {qtarget.target = #qtarget.target<arch = "x86_64", cpu = "haswell", features = ["avx2"], l1d = 32768, l2 = 262144, cores = 1>} {
  func.func @groups_of_other_target(%x: tensor<3x16xi8>, %w: tensor<1x2x1x16x4xi8>, %s: tensor<1x2x16xf32>, %y: tensor<3x2xf32>) -> tensor<3x2xf32> {
    // expected-error@+1 {{'qtarget.packed_matmul' op expected a kernel that the target "haswell" offers, but vpdpbusd_512 needs x86_64 with avx512vnni+avx512f}}
    %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%x, %w : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%s : tensor<1x2x16xf32>) outs(%y : tensor<3x2xf32>) -> tensor<3x2xf32>
    return %0 : tensor<3x2xf32>
  }
}

//--- target.mlir

// expected-error@+1 {{'func.func' op expected no tensors after the target stage, but its type has 'tensor<4xf32>'}}
func.func private @external(tensor<4xf32>)

// -----

func.func @value() {
  // expected-error@+1 {{'tensor.empty' op expected no tensors after the target stage, but it makes 'tensor<4xf32>'}}
  %0 = tensor.empty() : tensor<4xf32>
  return
}

// -----

func.func @quant_op(%a: memref<1x4xi8>, %b: memref<1x1x16x4xi8>, %c: memref<1x16xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected no quant op after the target stage}}
  qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : memref<1x4xi8>, memref<1x1x16x4xi8>) outs(%c : memref<1x16xi32>)
  return
}

//--- llvm.mlir

llvm.func @f(%x: i32) -> i32 {
  // expected-error@+1 {{'arith.addi' op expected only ops of the llvm dialect after the llvm stage}}
  %0 = arith.addi %x, %x : i32
  llvm.return %0 : i32
}
