// The study on what people have: a product of which slices go on, products that
// are fed by generics which use values from outside (a batch's size), TOSA.
// DEFINE: %{target} = generic
// DEFINE: %{run} = quant-run %s --random-inputs=1 --dims=3 --print=false --target=%{target}
// DEFINE: %{study} = rm -f %t && %{run} --entry=fused_qkv --quantize --compare --report >> %t \
// DEFINE:   && %{run} --entry=fused_qkv --quantize --sensitivity >> %t \
// DEFINE:   && %{run} --entry=captured --quantize --compare --report >> %t \
// DEFINE:   && %{run} --entry=captured --auto --min-sqnr=20 >> %t \
// DEFINE:   && %{run} --entry=tosa --quantize --compare --report >> %t \
// DEFINE:   && %{run} --entry=tosa --quantize --sensitivity >> %t \
// DEFINE:   && %{run} --entry=tosa --auto --min-sqnr=20 >> %t
// RUN: %{study}
// RUN: FileCheck %s --input-file=%t
// REDEFINE: %{target} = x86
// RUN: %{study}
// RUN: FileCheck %s --input-file=%t

// CHECK: model.layers.0.self_attn.qkv 5x16x48
// CHECK: fused_qkv#1 {{.*}} float: both operands are activations with batch dimensions
// CHECK: the matmul that hurts most by itself: model.layers.0.self_attn.qkv
// CHECK: model.layers.0.self_attn.qkv {{.*}} W8 channel, A8 dynamic token
// CHECK: 2 matmuls stay in float
// CHECK: products: 1 in integers + 2 left with reason = 3
func.func @fused_qkv(%x: tensor<5x16xf32>) -> tensor<1x5x16xf32> {
  %w = arith.constant dense<0.5> : tensor<16x48xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<5x48xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<5x48xf32>) -> tensor<5x48xf32>
  %y = linalg.matmul ins(%x, %w : tensor<5x16xf32>, tensor<16x48xf32>) outs(%z : tensor<5x48xf32>) -> tensor<5x48xf32> loc("model.layers.0.self_attn.qkv")
  %y3 = tensor.expand_shape %y [[0, 1], [2]] output_shape [1, 5, 48] : tensor<5x48xf32> into tensor<1x5x48xf32>
  %q = tensor.extract_slice %y3[0, 0, 0] [1, 5, 16] [1, 1, 1] : tensor<1x5x48xf32> to tensor<1x5x16xf32>
  %k = tensor.extract_slice %y3[0, 0, 16] [1, 5, 16] [1, 1, 1] : tensor<1x5x48xf32> to tensor<1x5x16xf32>
  %v = tensor.extract_slice %y3[0, 0, 32] [1, 5, 16] [1, 1, 1] : tensor<1x5x48xf32> to tensor<1x5x16xf32>
  %te = tensor.empty() : tensor<1x16x5xf32>
  %kt = linalg.transpose ins(%k : tensor<1x5x16xf32>) outs(%te : tensor<1x16x5xf32>) permutation = [0, 2, 1]
  %e1 = tensor.empty() : tensor<1x5x5xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1x5x5xf32>) -> tensor<1x5x5xf32>
  %s = linalg.batch_matmul ins(%q, %kt : tensor<1x5x16xf32>, tensor<1x16x5xf32>) outs(%z1 : tensor<1x5x5xf32>) -> tensor<1x5x5xf32>
  %e2 = tensor.empty() : tensor<1x5x16xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<1x5x16xf32>) -> tensor<1x5x16xf32>
  %o = linalg.batch_matmul ins(%s, %v : tensor<1x5x5xf32>, tensor<1x5x16xf32>) outs(%z2 : tensor<1x5x16xf32>) -> tensor<1x5x16xf32>
  return %o : tensor<1x5x16xf32>
}

// CHECK: captured#0 {{.*}} float: both operands
// CHECK: captured#1 {{.*}} W8 channel, A8 dynamic token
// CHECK: chosen: 1 in 4 bits, 0 in 8 bits, 1 in float
// CHECK: products: 1 in integers + 1 left with reason = 2
func.func @captured(%x: tensor<?x4x8xf32>) -> tensor<?x4x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %b = tensor.dim %x, %c0 : tensor<?x4x8xf32>
  %isone = arith.cmpi eq, %b, %c1 : index
  %e = tensor.empty(%b) : tensor<?x4x4xf32>
  %mask = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, j, k)>], iterator_types = ["parallel", "parallel", "parallel"]}
      outs(%e : tensor<?x4x4xf32>) {
    ^bb0(%o: f32):
      %i = linalg.index 0 : index
      %last = arith.subi %b, %c1 : index
      %c = arith.cmpi sle, %i, %last : index
      %v = arith.select %c, %one, %zero : f32
      linalg.yield %v : f32
  } -> tensor<?x4x4xf32>
  %e1 = tensor.empty(%b) : tensor<?x4x8xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<?x4x8xf32>) -> tensor<?x4x8xf32>
  %y = linalg.batch_matmul ins(%mask, %x : tensor<?x4x4xf32>, tensor<?x4x8xf32>) outs(%z1 : tensor<?x4x8xf32>) -> tensor<?x4x8xf32>
  %w = arith.constant dense<0.5> : tensor<8x8xf32>
  %e2 = tensor.empty(%b) : tensor<?x8x8xf32>
  %wb = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (j, k)>, affine_map<(i, j, k) -> (i, j, k)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%w : tensor<8x8xf32>) outs(%e2 : tensor<?x8x8xf32>) {
    ^bb0(%in: f32, %o: f32):
      linalg.yield %in : f32
  } -> tensor<?x8x8xf32>
  %y2 = linalg.batch_matmul ins(%y, %wb : tensor<?x4x8xf32>, tensor<?x8x8xf32>) outs(%z1 : tensor<?x4x8xf32>) -> tensor<?x4x8xf32>
  return %y2 : tensor<?x4x8xf32>
}

// CHECK: products: 1 in integers + 0 left with reason = 1
// CHECK: tosa#0 {{.*}} W8 channel, A8 dynamic token
// CHECK: tosa#0 {{.*}} W8 channel, A8 dynamic token
// CHECK: chosen: 1 in 4 bits, 0 in 8 bits, 0 in float
func.func @tosa(%a: tensor<1x3x8xf32>) -> tensor<1x3x2xf32> {
  %f = "tosa.const"() {values = dense<0.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %w = "tosa.const"() {values = dense<[[[0.5, 1.0], [0.25, -0.5], [0.125, 2.0], [1.5, 0.75], [0.5, 1.0], [0.25, -0.5], [0.125, 2.0], [1.5, 0.75]]]> : tensor<1x8x2xf32>} : () -> tensor<1x8x2xf32>
  %u = tosa.matmul %a, %w, %f, %f : (tensor<1x3x8xf32>, tensor<1x8x2xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x3x2xf32>
  %t = tosa.tanh %u : (tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  return %t : tensor<1x3x2xf32>
}
