// RUN: quant-opt %s --split-input-file --quant-fuse-attention="min-bytes=0" --canonicalize --cse | FileCheck %s
// RUN: quant-opt %s --split-input-file --quant-fuse-attention --canonicalize --cse | FileCheck %s --check-prefix=SMALL

// As torch-mlir writes it: heads merged around the products, maxima that are
// expanded, sums that keep a dimension of size 1. All scores are never stored.

#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#mask = affine_map<(d0, d1, d2, d3) -> (d0, 0, 0, d3)>
#row = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#keep = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>

// CHECK-LABEL: @merged_heads
// CHECK-NOT: tensor<2x3x48x40xf32>
// CHECK: scf.forall ({{.*}}) in (2, 3)
// CHECK: linalg.generic {{.*}}"reduction"]} {{.*}} attrs = {quant.name = "scores"}
// CHECK: arith.mulf
// CHECK: arith.maximumf
// CHECK: math.exp
// CHECK: arith.divf
// CHECK: linalg.generic {{.*}}"reduction"]} {{.*}} attrs = {quant.name = "values"}
// CHECK-NOT: linalg.generic
// CHECK: tensor.parallel_insert_slice
// CHECK-NOT: linalg.generic
// SMALL-LABEL: @merged_heads
// SMALL: linalg.batch_matmul
// SMALL-NOT: scf.forall
// SMALL: linalg.batch_matmul
func.func @merged_heads(%q: tensor<6x48x8xf32>, %k: tensor<6x8x40xf32>, %v: tensor<6x40x8xf32>, %m: tensor<2x1x1x40xf32>) -> tensor<6x48x8xf32> {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %e3 = tensor.empty() : tensor<6x48x40xf32>
  %f3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<6x48x40xf32>) -> tensor<6x48x40xf32>
  %s3 = linalg.batch_matmul {quant.name = "scores"} ins(%q, %k : tensor<6x48x8xf32>, tensor<6x8x40xf32>) outs(%f3 : tensor<6x48x40xf32>) -> tensor<6x48x40xf32>
  %s = tensor.expand_shape %s3 [[0, 1], [2], [3]] output_shape [2, 3, 48, 40] : tensor<6x48x40xf32> into tensor<2x3x48x40xf32>
  %e = tensor.empty() : tensor<2x3x48x40xf32>
  %a = linalg.generic {indexing_maps = [#id, #mask, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%s, %m : tensor<2x3x48x40xf32>, tensor<2x1x1x40xf32>) outs(%e : tensor<2x3x48x40xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %z = arith.addf %x, %y : f32
    linalg.yield %z : f32
  } -> tensor<2x3x48x40xf32>
  %er = tensor.empty() : tensor<2x3x48xf32>
  %fr = linalg.fill ins(%least : f32) outs(%er : tensor<2x3x48xf32>) -> tensor<2x3x48xf32>
  %mx = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%a : tensor<2x3x48x40xf32>) outs(%fr : tensor<2x3x48xf32>) {
  ^bb0(%x: f32, %o: f32):
    %z = arith.maximumf %x, %o : f32
    linalg.yield %z : f32
  } -> tensor<2x3x48xf32>
  %mk = tensor.expand_shape %mx [[0], [1], [2, 3]] output_shape [2, 3, 48, 1] : tensor<2x3x48xf32> into tensor<2x3x48x1xf32>
  %p = linalg.generic {indexing_maps = [#id, #keep, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%a, %mk : tensor<2x3x48x40xf32>, tensor<2x3x48x1xf32>) outs(%e : tensor<2x3x48x40xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %z = arith.subf %x, %y : f32
    %w = math.exp %z : f32
    linalg.yield %w : f32
  } -> tensor<2x3x48x40xf32>
  %ek = tensor.empty() : tensor<2x3x48x1xf32>
  %fk = linalg.fill ins(%zero : f32) outs(%ek : tensor<2x3x48x1xf32>) -> tensor<2x3x48x1xf32>
  %sum = linalg.generic {indexing_maps = [#id, #keep], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%p : tensor<2x3x48x40xf32>) outs(%fk : tensor<2x3x48x1xf32>) {
  ^bb0(%x: f32, %o: f32):
    %z = arith.addf %x, %o : f32
    linalg.yield %z : f32
  } -> tensor<2x3x48x1xf32>
  %w = linalg.generic {indexing_maps = [#id, #keep, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%p, %sum : tensor<2x3x48x40xf32>, tensor<2x3x48x1xf32>) outs(%e : tensor<2x3x48x40xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %z = arith.divf %x, %y : f32
    linalg.yield %z : f32
  } -> tensor<2x3x48x40xf32>
  %w3 = tensor.collapse_shape %w [[0, 1], [2], [3]] : tensor<2x3x48x40xf32> into tensor<6x48x40xf32>
  %ey = tensor.empty() : tensor<6x48x8xf32>
  %fy = linalg.fill ins(%zero : f32) outs(%ey : tensor<6x48x8xf32>) -> tensor<6x48x8xf32>
  %y = linalg.batch_matmul {quant.name = "values"} ins(%w3, %v : tensor<6x48x40xf32>, tensor<6x40x8xf32>) outs(%fy : tensor<6x48x8xf32>) -> tensor<6x48x8xf32>
  return %y : tensor<6x48x8xf32>
}

// -----

// Sizes that the run knows: tiles of 32 rows, of 8 where rows are long.

#id = affine_map<(d0, d1, d2) -> (d0, d1, d2)>

// CHECK-LABEL: @dynamic
// CHECK: scf.forall ({{.*}}) = (0, 0) to (%{{.*}}, %{{.*}}) step (1, 32)
// SMALL-LABEL: @dynamic
// SMALL: scf.forall
func.func @dynamic(%q: tensor<?x?x8xf32>, %k: tensor<?x8x?xf32>, %v: tensor<?x?x8xf32>, %init: tensor<?x?x?xf32>, %out: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  %s = linalg.batch_matmul ins(%q, %k : tensor<?x?x8xf32>, tensor<?x8x?xf32>) outs(%init : tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%s : tensor<?x?x?xf32>) outs(%init : tensor<?x?x?xf32>) {
  ^bb0(%x: f32, %o: f32):
    %z = math.tanh %x : f32
    linalg.yield %z : f32
  } -> tensor<?x?x?xf32>
  %y = linalg.batch_matmul ins(%t, %v : tensor<?x?x?xf32>, tensor<?x?x8xf32>) outs(%out : tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}

// CHECK-LABEL: @long_rows
// CHECK: scf.forall ({{.*}}) = (0, 0) to (2, 64) step (1, 8)
func.func @long_rows(%q: tensor<2x64x8xf32>, %k: tensor<2x8x9000xf32>, %v: tensor<2x9000x8xf32>, %init: tensor<2x64x9000xf32>, %out: tensor<2x64x8xf32>) -> tensor<2x64x8xf32> {
  %s = linalg.batch_matmul ins(%q, %k : tensor<2x64x8xf32>, tensor<2x8x9000xf32>) outs(%init : tensor<2x64x9000xf32>) -> tensor<2x64x9000xf32>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%s : tensor<2x64x9000xf32>) outs(%init : tensor<2x64x9000xf32>) {
  ^bb0(%x: f32, %o: f32):
    %z = math.tanh %x : f32
    linalg.yield %z : f32
  } -> tensor<2x64x9000xf32>
  %y = linalg.batch_matmul ins(%t, %v : tensor<2x64x9000xf32>, tensor<2x9000x8xf32>) outs(%out : tensor<2x64x8xf32>) -> tensor<2x64x8xf32>
  return %y : tensor<2x64x8xf32>
}

// -----

// Weights that the program returns are stored; layers have no heads.

#id = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#id2 = affine_map<(d0, d1) -> (d0, d1)>

// CHECK-LABEL: @returned
// CHECK-NOT: scf.forall
// CHECK-LABEL: @layers
// CHECK-NOT: scf.forall
// CHECK-LABEL: @one_row
// CHECK-NOT: scf.forall
// CHECK-LABEL: @no_token
// CHECK-NOT: scf.forall
// CHECK-NOT: quant.seen
func.func @returned(%q: tensor<2x64x8xf32>, %k: tensor<2x8x64xf32>, %v: tensor<2x64x8xf32>, %init: tensor<2x64x64xf32>, %out: tensor<2x64x8xf32>) -> (tensor<2x64x8xf32>, tensor<2x64x64xf32>) {
  %s = linalg.batch_matmul ins(%q, %k : tensor<2x64x8xf32>, tensor<2x8x64xf32>) outs(%init : tensor<2x64x64xf32>) -> tensor<2x64x64xf32>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%s : tensor<2x64x64xf32>) outs(%init : tensor<2x64x64xf32>) {
  ^bb0(%x: f32, %o: f32):
    %z = math.tanh %x : f32
    linalg.yield %z : f32
  } -> tensor<2x64x64xf32>
  %y = linalg.batch_matmul ins(%t, %v : tensor<2x64x64xf32>, tensor<2x64x8xf32>) outs(%out : tensor<2x64x8xf32>) -> tensor<2x64x8xf32>
  return %y, %t : tensor<2x64x8xf32>, tensor<2x64x64xf32>
}

func.func @layers(%x: tensor<64x8xf32>, %w: tensor<8x64xf32>, %u: tensor<64x8xf32>, %init: tensor<64x64xf32>, %out: tensor<64x8xf32>) -> tensor<64x8xf32> {
  %s = linalg.matmul ins(%x, %w : tensor<64x8xf32>, tensor<8x64xf32>) outs(%init : tensor<64x64xf32>) -> tensor<64x64xf32>
  %t = linalg.generic {indexing_maps = [#id2, #id2], iterator_types = ["parallel", "parallel"]} ins(%s : tensor<64x64xf32>) outs(%init : tensor<64x64xf32>) {
  ^bb0(%a: f32, %o: f32):
    %z = math.tanh %a : f32
    linalg.yield %z : f32
  } -> tensor<64x64xf32>
  %y = linalg.matmul ins(%t, %u : tensor<64x64xf32>, tensor<64x8xf32>) outs(%out : tensor<64x8xf32>) -> tensor<64x8xf32>
  return %y : tensor<64x8xf32>
}

func.func @one_row(%q: tensor<?x1x8xf32>, %k: tensor<?x8x?xf32>, %v: tensor<?x?x8xf32>, %init: tensor<?x1x?xf32>, %out: tensor<?x1x8xf32>) -> tensor<?x1x8xf32> {
  %s = linalg.batch_matmul ins(%q, %k : tensor<?x1x8xf32>, tensor<?x8x?xf32>) outs(%init : tensor<?x1x?xf32>) -> tensor<?x1x?xf32>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%s : tensor<?x1x?xf32>) outs(%init : tensor<?x1x?xf32>) {
  ^bb0(%x: f32, %o: f32):
    %z = math.tanh %x : f32
    linalg.yield %z : f32
  } -> tensor<?x1x?xf32>
  %y = linalg.batch_matmul ins(%t, %v : tensor<?x1x?xf32>, tensor<?x?x8xf32>) outs(%out : tensor<?x1x8xf32>) -> tensor<?x1x8xf32>
  return %y : tensor<?x1x8xf32>
}

func.func @no_token(%q: tensor<?x?x8xf32>, %k: tensor<?x8x0xf32>, %v: tensor<?x0x8xf32>, %init: tensor<?x?x0xf32>, %out: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  %s = linalg.batch_matmul ins(%q, %k : tensor<?x?x8xf32>, tensor<?x8x0xf32>) outs(%init : tensor<?x?x0xf32>) -> tensor<?x?x0xf32>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%s : tensor<?x?x0xf32>) outs(%init : tensor<?x?x0xf32>) {
  ^bb0(%x: f32, %o: f32):
    %z = math.tanh %x : f32
    linalg.yield %z : f32
  } -> tensor<?x?x0xf32>
  %y = linalg.batch_matmul ins(%t, %v : tensor<?x?x0xf32>, tensor<?x0x8xf32>) outs(%out : tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}
