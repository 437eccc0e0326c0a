// Products in bodies and types that no form of `quant` has: each is counted,
// with the reason.
// RUN: quant-opt %s --quant-import --quant-account-products=asked --split-input-file --verify-diagnostics

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (k, n)>
#out = affine_map<(m, n, k) -> (m, n)>
func.func @masked(%x: tensor<3x4xf32>, %w: tensor<4x2xf32>, %z: tensor<3x2xf32>) -> tensor<3x2xf32> {
  // expected-remark@below {{matmul stays in float: its body is no sum of products, or narrows its operands}}
  %y = linalg.generic {indexing_maps = [#lhs, #rhs, #out], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<3x4xf32>, tensor<4x2xf32>) outs(%z : tensor<3x2xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %zero = arith.constant 0.0 : f32
      %k = linalg.index 2 : index
      %m = linalg.index 0 : index
      %causal = arith.cmpi ule, %k, %m : index
      %p = arith.mulf %a, %b : f32
      %kept = arith.select %causal, %p, %zero : f32
      %s = arith.addf %c, %kept : f32
      linalg.yield %s : f32
    } -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (k, n)>
#out = affine_map<(m, n, k) -> (m, n)>
func.func @subtracted(%x: tensor<3x4xf32>, %w: tensor<4x2xf32>, %z: tensor<3x2xf32>) -> tensor<3x2xf32> {
  // expected-remark@below {{matmul stays in float: its body is no sum of products}}
  %y = linalg.generic {indexing_maps = [#lhs, #rhs, #out], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<3x4xf32>, tensor<4x2xf32>) outs(%z : tensor<3x2xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.subf %c, %p : f32
      linalg.yield %s : f32
    } -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (k, n)>
#out = affine_map<(m, n, k) -> (m, n)>
func.func @two_results(%x: tensor<3x4xf32>, %w: tensor<4x2xf32>, %v: tensor<4x2xf32>, %z: tensor<3x2xf32>) -> (tensor<3x2xf32>, tensor<3x2xf32>) {
  // expected-remark@below {{matmul stays in float: it has several results}}
  %y:2 = linalg.generic {indexing_maps = [#lhs, #rhs, #rhs, #out, #out], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w, %v : tensor<3x4xf32>, tensor<4x2xf32>, tensor<4x2xf32>) outs(%z, %z : tensor<3x2xf32>, tensor<3x2xf32>) {
    ^bb0(%a: f32, %b: f32, %b1: f32, %c: f32, %c1: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %c, %p : f32
      %p1 = arith.mulf %a, %b1 : f32
      %s1 = arith.addf %c1, %p1 : f32
      linalg.yield %s, %s1 : f32, f32
    } -> (tensor<3x2xf32>, tensor<3x2xf32>)
  return %y#0, %y#1 : tensor<3x2xf32>, tensor<3x2xf32>
}

// -----

// A sum of choices, with no product in it, is none.
#lhs = affine_map<(m, k) -> (m, k)>
#rhs = affine_map<(m, k) -> (k)>
#out = affine_map<(m, k) -> (m)>
func.func @chosen(%x: tensor<3x4xf32>, %w: tensor<4xf32>, %z: tensor<3xf32>) -> tensor<3xf32> {
  %y = linalg.generic {indexing_maps = [#lhs, #rhs, #out], iterator_types = ["parallel", "reduction"]}
      ins(%x, %w : tensor<3x4xf32>, tensor<4xf32>) outs(%z : tensor<3xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %m = linalg.index 0 : index
      %k = linalg.index 1 : index
      %causal = arith.cmpi ule, %k, %m : index
      %p = arith.select %causal, %a, %b : f32
      %s = arith.addf %c, %p : f32
      linalg.yield %s : f32
    } -> tensor<3xf32>
  return %y : tensor<3xf32>
}

// -----

func.func @widths(%x: tensor<3x4xi16>, %w: tensor<4x2xi16>, %z: tensor<3x2xi32>, %n: tensor<4x2xi2>) -> (tensor<3x2xi32>, tensor<3x2xi32>, tensor<3x2xi64>) {
  // expected-remark@below {{quantized matmul is not imported: expected operands of i8 or i4, found i16 and i16}}
  %y = linalg.matmul ins(%x, %w : tensor<3x4xi16>, tensor<4x2xi16>) outs(%z : tensor<3x2xi32>) -> tensor<3x2xi32>
  // expected-remark@below {{expected operands of i8 or i4, found i16 and i2}}
  %u = linalg.matmul ins(%x, %n : tensor<3x4xi16>, tensor<4x2xi2>) outs(%z : tensor<3x2xi32>) -> tensor<3x2xi32>
  %wx = arith.extsi %x : tensor<3x4xi16> to tensor<3x4xi64>
  %ww = arith.extsi %w : tensor<4x2xi16> to tensor<4x2xi64>
  %z64 = arith.constant dense<0> : tensor<3x2xi64>
  // expected-remark@below {{expected integers of i8 or i4, found i16, widened}}
  %v = linalg.matmul ins(%wx, %ww : tensor<3x4xi64>, tensor<4x2xi64>) outs(%z64 : tensor<3x2xi64>) -> tensor<3x2xi64>
  return %y, %u, %v : tensor<3x2xi32>, tensor<3x2xi32>, tensor<3x2xi64>
}

// -----

func.func @complex(%x: tensor<3x4xcomplex<f32>>, %z: tensor<3x2xcomplex<f32>>) -> tensor<3x2xcomplex<f32>> {
  %w = arith.constant dense<(1.0, 2.0)> : tensor<4x2xcomplex<f32>>
  // expected-remark@below {{matmul stays in float: its body is no sum of products}}
  %y = linalg.matmul ins(%x, %w : tensor<3x4xcomplex<f32>>, tensor<4x2xcomplex<f32>>) outs(%z : tensor<3x2xcomplex<f32>>) -> tensor<3x2xcomplex<f32>>
  return %y : tensor<3x2xcomplex<f32>>
}

// -----

// Division by scales, masked.
#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (k, n)>
#scale = affine_map<(m, n, k) -> (n)>
#out = affine_map<(m, n, k) -> (m, n)>
func.func @divided(%x: tensor<3x4xf32>, %w: tensor<4x2xf32>, %s: tensor<2xf32>, %z: tensor<3x2xf32>) -> tensor<3x2xf32> {
  // expected-remark@below {{matmul stays in float: its body is no sum of products}}
  %y = linalg.generic {indexing_maps = [#lhs, #rhs, #scale, #out], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w, %s : tensor<3x4xf32>, tensor<4x2xf32>, tensor<2xf32>) outs(%z : tensor<3x2xf32>) {
    ^bb0(%a: f32, %b: f32, %d: f32, %c: f32):
      %n = arith.negf %b : f32
      %q = arith.divf %n, %d : f32
      %p = arith.mulf %a, %q : f32
      %zero = arith.constant 0.0 : f32
      %k = linalg.index 2 : index
      %m = linalg.index 0 : index
      %causal = arith.cmpi ule, %k, %m : index
      %kept = arith.select %causal, %p, %zero : f32
      %s1 = arith.addf %c, %kept : f32
      linalg.yield %s1 : f32
    } -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

// A mean has one factor.
#in = affine_map<(m, k) -> (m, k)>
#count = affine_map<(m, k) -> (m)>
func.func @mean(%x: tensor<3x4xf32>, %n: tensor<3xf32>, %z: tensor<3xf32>) -> tensor<3xf32> {
  %y = linalg.generic {indexing_maps = [#in, #count, #count], iterator_types = ["parallel", "reduction"]}
      ins(%x, %n : tensor<3x4xf32>, tensor<3xf32>) outs(%z : tensor<3xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %two = arith.constant 2.0 : f32
      %p = arith.mulf %a, %two : f32
      %d = arith.divf %p, %b : f32
      %s = arith.addf %c, %d : f32
      linalg.yield %s : f32
    } -> tensor<3xf32>
  return %y : tensor<3xf32>
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (k, n)>
#out = affine_map<(m, n, k) -> (m, n)>
func.func @decaying(%x: tensor<3x4xf32>, %w: tensor<4x2xf32>, %z: tensor<3x2xf32>) -> tensor<3x2xf32> {
  // expected-remark@below {{matmul stays in float: its body is no sum of products}}
  %y = linalg.generic {indexing_maps = [#lhs, #rhs, #out], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<3x4xf32>, tensor<4x2xf32>) outs(%z : tensor<3x2xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %half = arith.constant 0.5 : f32
      %p = arith.mulf %a, %b : f32
      %q = arith.addf %p, %half : f32
      %d = arith.mulf %c, %half : f32
      %s = arith.addf %d, %q : f32
      linalg.yield %s : f32
    } -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}
