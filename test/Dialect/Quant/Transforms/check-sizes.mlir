// Sizes that the run alone can compare; those that have one origin are not.
// RUN: quant-opt %s -quant-check-sizes -split-input-file | FileCheck %s

// CHECK: llvm.mlir.global internal constant @[[TEXT:.*]]("{{.*}}check-sizes.mlir:[[#]]:[[#]]: 'quant.matmul' op expected equal sizes, but dimension 1 of lhs is %ld and dimension 0 of rhs is %ld\0A\00")
// CHECK: llvm.func internal @[[STOP:.*]](%[[T:.*]]: !llvm.ptr, %[[A:.*]]: i64, %[[B:.*]]: i64)
// CHECK: %[[FD:.*]] = llvm.mlir.constant(2 : i32)
// CHECK: llvm.call @dprintf(%[[FD]], %[[T]], %[[A]], %[[B]]) vararg
// CHECK: llvm.intr.trap
// CHECK: llvm.func @dprintf(i32, !llvm.ptr, ...) -> i32
// CHECK-LABEL: func.func @arguments
// CHECK-SAME: (%[[LHS:.*]]: tensor<?x?xi8>,
// Where the function begins, although the op comes later.
func.func @arguments(%a: tensor<?x?xi8>, %b: tensor<8x4xi8>) -> tensor<?x4xi32> {
  // CHECK-NOT: tensor.empty
  // CHECK: %[[FOUND:.*]] = tensor.dim %[[LHS]]
  // CHECK: %[[K:.*]] = arith.constant 8 : index
  // CHECK: %[[DIFFER:.*]] = arith.cmpi ne, %[[FOUND]], %[[K]] : index
  // CHECK: scf.if %[[DIFFER]] {
  // CHECK: llvm.mlir.addressof @[[TEXT]]
  // CHECK: llvm.call @[[STOP]](
  // CHECK: tensor.empty
  // CHECK-NOT: scf.if
  // CHECK: return
  %c0 = arith.constant 0 : index
  %z = arith.constant 0 : i32
  %m = tensor.dim %a, %c0 : tensor<?x?xi8>
  %e = tensor.empty(%m) : tensor<?x4xi32>
  %i = linalg.fill ins(%z : i32) outs(%e : tensor<?x4xi32>) -> tensor<?x4xi32>
  %y = quant.matmul ins(%a, %b : tensor<?x?xi8>, tensor<8x4xi8>) outs(%i : tensor<?x4xi32>) -> tensor<?x4xi32>
  return %y : tensor<?x4xi32>
}

// -----

// One origin: a batch that is merged and split, scales chosen from rows.
// CHECK-NOT: llvm.func
// CHECK-LABEL: func.func @proven
// CHECK-NOT: scf.if
func.func @proven(%x: tensor<?x?x8xf32>, %w: tensor<4x8xi8>, %s: tensor<4x2xf32>) -> tensor<?x?x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = tensor.dim %x, %c0 : tensor<?x?x8xf32>
  %m = tensor.dim %x, %c1 : tensor<?x?x8xf32>
  %rows = tensor.collapse_shape %x [[0, 1], [2]] : tensor<?x?x8xf32> into tensor<?x8xf32>
  %sx = quant.choose_qparams %rows axes = [0] range = [-128, 127] : tensor<?x8xf32> -> tensor<?xf32>
  %q = quant.quantize %rows scale(%sx : tensor<?xf32>) axes = [0] range = [-128, 127] : tensor<?x8xf32> -> tensor<?x8xi8>
  %y = quant.scaled_matmul ins(%q, %w : tensor<?x8xi8>, tensor<4x8xi8>) row_scale(%sx : tensor<?xf32>) rhs_scale(%s : tensor<4x2xf32>) {group_size = 4 : i64} -> tensor<?x4xf32>
  %r = tensor.expand_shape %y [[0, 1], [2]] output_shape [%b, %m, 4] : tensor<?x4xf32> into tensor<?x?x4xf32>
  return %r : tensor<?x?x4xf32>
}

// -----

// CHECK-DAG: 'quant.rescale' op expected equal sizes, but dimension 0 of row_scale is %ld and dimension 0 of acc is %ld
// CHECK-DAG: 'quant.rescale' op expected equal sizes, but dimension 0 of channel_scale is %ld and dimension 1 of acc is %ld
// CHECK-DAG: 'quant.rescale' op expected equal sizes, but dimension 0 of acc is %ld and dimension 0 of the result is %ld
// CHECK-LABEL: func.func @parameters
// CHECK-COUNT-3: scf.if
func.func @parameters(%acc: tensor<?x7xi32>, %s: tensor<?xf32>, %c: tensor<?xf32>) -> (tensor<?x7xf32>, tensor<5x7xf32>) {
  %y = quant.rescale %acc row_scale(%s : tensor<?xf32>) channel_scale(%c : tensor<?xf32>) : tensor<?x7xi32> -> tensor<?x7xf32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %z = quant.rescale %acc row_scale(%one : tensor<f32>) : tensor<?x7xi32> -> tensor<5x7xf32>
  return %y, %z : tensor<?x7xf32>, tensor<5x7xf32>
}

// -----

// The groups of a K that only the run knows.
// CHECK-DAG: 'quant.scaled_matmul' op expected equal sizes, but dimension 1 of rhs is %ld and dimension 1 of lhs is %ld
// CHECK-DAG: 'quant.scaled_matmul' op expected equal sizes, but the groups of rhs is %ld and dimension 1 of rhs_scale is %ld
// CHECK-LABEL: func.func @groups
// CHECK: arith.ceildivui
func.func @groups(%x: tensor<2x?xf32>, %w: tensor<4x?xi8>, %s: tensor<4x3xf32>) -> tensor<2x4xf32> {
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x?xf32>, tensor<4x?xi8>) rhs_scale(%s : tensor<4x3xf32>) {group_size = 32 : i64} -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

// Blocks of activations.
// CHECK-DAG: 'quant.scaled_matmul' op expected equal sizes, but dimension 0 of lhs_scale is %ld and dimension 0 of lhs is %ld
// CHECK-DAG: 'quant.scaled_matmul' op expected equal sizes, but the blocks of lhs is %ld and dimension 1 of lhs_scale is %ld
// CHECK-LABEL: func.func @blocks
// CHECK: arith.ceildivui
func.func @blocks(%x: tensor<?x?xi8>, %w: tensor<4x?xi8>, %s: tensor<4x?xf32>, %sx: tensor<?x6xf32>) -> tensor<?x4xf32> {
  %y = quant.scaled_matmul ins(%x, %w : tensor<?x?xi8>, tensor<4x?xi8>) rhs_scale(%s : tensor<4x?xf32>) lhs_scale(%sx : tensor<?x6xf32>) {group_size = 64 : i64, lhs_group_size = 32 : i64} -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// Destinations, and the parts of a row of known length.
// CHECK-DAG: 'quant.quantize_blocks' op expected equal sizes, but dimension 0 of ints is %ld and dimension 0 of input is %ld
// CHECK-DAG: 'quant.quantize_blocks' op expected equal sizes, but dimension 0 of scale is %ld and dimension 0 of input is %ld
// CHECK-DAG: 'quant.quantize_blocks' op expected equal sizes, but dimension 1 of scale is %ld and the blocks of input is %ld
// CHECK-DAG: 'quant.quantize_blocks' op expected equal sizes, but dimension 0 of sums is %ld and dimension 0 of input is %ld
// CHECK-DAG: 'quant.quantize_blocks' op expected equal sizes, but dimension 1 of sums is %ld and the blocks of input is %ld
// CHECK-LABEL: func.func @block_destinations
// CHECK-COUNT-5: scf.if
// CHECK-NOT: scf.if
func.func @block_destinations(%x: tensor<?x70xf32>, %a: tensor<?x70xi8>, %s: tensor<?x?xf32>, %u: tensor<?x?xi32>) -> (tensor<?x70xi8>, tensor<?x?xf32>, tensor<?x?xi32>) {
  %r:3 = quant.quantize_blocks ins(%x : tensor<?x70xf32>) outs(%a, %s, %u : tensor<?x70xi8>, tensor<?x?xf32>, tensor<?x?xi32>) block = 32 range = [-127, 127] -> tensor<?x70xi8>, tensor<?x?xf32>, tensor<?x?xi32>
  return %r#0, %r#1, %r#2 : tensor<?x70xi8>, tensor<?x?xf32>, tensor<?x?xi32>
}

// -----

// What a cache's arrays, queries and the result have in common.
// CHECK-DAG: 'quant.cached_attention' op expected equal sizes, but dimension 1 of past_key_scale is %ld and dimension 2 of past_keys is %ld
// CHECK-DAG: 'quant.cached_attention' op expected equal sizes, but dimension 1 of past_values is %ld and dimension 2 of past_keys is %ld
// CHECK-DAG: 'quant.cached_attention' op expected equal sizes, but dimension 2 of new_keys is %ld and dimension 2 of query is %ld
// CHECK-DAG: 'quant.cached_attention' op expected equal sizes, but dimension 0 of init is %ld and dimension 2 of query is %ld
// CHECK-LABEL: func.func @attention
func.func @attention(%q: tensor<1x1x?x32xi8>, %qs: tensor<1x1x?xf32>, %pk: tensor<1x8x?xi32>, %ps: tensor<1x?xf32>, %pv: tensor<1x?x8xi32>, %nk: tensor<1x8x?xi32>, %ns: tensor<1x?xf32>, %nv: tensor<1x?x8xi32>, %y: tensor<?x1x1x32xf32>) -> tensor<?x1x1x32xf32> {
  %0 = quant.cached_attention query(%q, %qs : tensor<1x1x?x32xi8>, tensor<1x1x?xf32>) past(%pk, %ps, %pv, %ps : tensor<1x8x?xi32>, tensor<1x?xf32>, tensor<1x?x8xi32>, tensor<1x?xf32>) new(%nk, %ns, %nv, %ns : tensor<1x8x?xi32>, tensor<1x?xf32>, tensor<1x?x8xi32>, tensor<1x?xf32>) outs(%y : tensor<?x1x1x32xf32>) bits = 8 -> tensor<?x1x1x32xf32>
  return %0 : tensor<?x1x1x32xf32>
}

// -----

// CHECK-DAG: 'quant.float_attention' op expected equal sizes, but dimension 1 of past_values is %ld and dimension 2 of past_keys is %ld
// CHECK-DAG: 'quant.float_attention' op expected equal sizes, but dimension 2 of new_keys is %ld and dimension 2 of query is %ld
// CHECK-DAG: 'quant.float_attention' op expected equal sizes, but dimension 1 of new_values is %ld and dimension 2 of query is %ld
// CHECK-DAG: 'quant.float_attention' op expected equal sizes, but dimension 0 of init is %ld and dimension 2 of query is %ld
// CHECK-LABEL: func.func @float_attention
func.func @float_attention(%q: tensor<1x1x?x8xf32>, %pk: tensor<1x8x?xf32>, %pv: tensor<1x?x8xf32>, %nk: tensor<1x8x?xf32>, %nv: tensor<1x?x8xf32>, %y: tensor<?x1x1x8xf32>) -> tensor<?x1x1x8xf32> {
  %0 = quant.float_attention query(%q : tensor<1x1x?x8xf32>) past(%pk, %pv : tensor<1x8x?xf32>, tensor<1x?x8xf32>) new(%nk, %nv : tensor<1x8x?xf32>, tensor<1x?x8xf32>) outs(%y : tensor<?x1x1x8xf32>) scale = 1.0 -> tensor<?x1x1x8xf32>
  return %0 : tensor<?x1x1x8xf32>
}

// -----

// CHECK-DAG: 'quant.quantize_rows' op expected equal sizes, but dimension 0 of scale is %ld and dimension 0 of input is %ld
// CHECK-DAG: 'quant.quantize_rows' op expected equal sizes, but dimension 0 of packed is %ld and dimension 0 of input is %ld
// CHECK-DAG: 'quant.quantize_rows' op expected equal sizes, but dimension 1 of packed is %ld and the tiles of input is %ld
// CHECK-DAG: 'quant.quantize_rows' op expected equal sizes, but dimension 2 of packed is %ld and the rows of a tile is %ld
// CHECK-LABEL: func.func @tile_destinations
// CHECK-COUNT-4: scf.if
// CHECK-NOT: scf.if
func.func @tile_destinations(%x: tensor<?x70xf32>, %a: tensor<?x?x?x32xi8>, %s: tensor<?xf32>) -> (tensor<?x?x?x32xi8>, tensor<?xf32>) {
  %r:2 = quant.quantize_rows ins(%x : tensor<?x70xf32>) outs(%a, %s : tensor<?x?x?x32xi8>, tensor<?xf32>) range = [-127, 127] -> tensor<?x?x?x32xi8>, tensor<?xf32>
  return %r#0, %r#1 : tensor<?x?x?x32xi8>, tensor<?xf32>
}

// -----

// CHECK-DAG: 'quant.rotate_rows' op expected equal sizes, but dimension 0 of rotated is %ld and dimension 0 of input is %ld
// CHECK-DAG: 'quant.rotate' op expected equal sizes, but dimension 0 of input is %ld and dimension 0 of the result is %ld
// CHECK-LABEL: func.func @rotations
// CHECK-COUNT-2: scf.if
// CHECK-NOT: scf.if
func.func @rotations(%x: tensor<?x64xf32>, %a: tensor<?x64xf32>) -> (tensor<?x64xf32>, tensor<5x64xf32>) {
  %r = quant.rotate_rows ins(%x : tensor<?x64xf32>) outs(%a : tensor<?x64xf32>) size = 32 -> tensor<?x64xf32>
  %y = quant.rotate %x size = 32 : tensor<?x64xf32> -> tensor<5x64xf32>
  return %r, %y : tensor<?x64xf32>, tensor<5x64xf32>
}

// -----

// One origin: rows that are rotated, and destinations made for them. Buffers
// are no concern of the pass.
// CHECK-NOT: llvm.func
// CHECK-LABEL: func.func @destinations_of_input
// CHECK-NOT: scf.if
func.func @destinations_of_input(%x: tensor<?x64xf32>, %bx: memref<?x64xf32>, %ba: memref<?x64xf32>) -> (tensor<?x64xi8>, tensor<?xf32>) {
  %c0 = arith.constant 0 : index
  %y = quant.rotate %x size = 32 : tensor<?x64xf32> -> tensor<?x64xf32>
  %m = tensor.dim %x, %c0 : tensor<?x64xf32>
  %a = tensor.empty(%m) : tensor<?x64xi8>
  %s = tensor.empty(%m) : tensor<?xf32>
  %r:2 = quant.quantize_rows ins(%y : tensor<?x64xf32>) outs(%a, %s : tensor<?x64xi8>, tensor<?xf32>) range = [-127, 127] -> tensor<?x64xi8>, tensor<?xf32>
  quant.rotate_rows ins(%bx : memref<?x64xf32>) outs(%ba : memref<?x64xf32>) size = 32
  return %r#0, %r#1 : tensor<?x64xi8>, tensor<?xf32>
}

// -----

// Ops of upstream that this project's stand beside.
// CHECK-DAG: 'linalg.matmul' op expected equal sizes, but dimension 0 of operand 1 is %ld and dimension 1 of operand 0 is %ld
// CHECK-DAG: 'linalg.add' op expected equal sizes, but dimension 0 of operand 1 is %ld and dimension 0 of operand 0 is %ld
// CHECK-DAG: 'tensor.cast' op expected equal sizes, but dimension 0 of the source is %ld and the result is %ld
// CHECK-DAG: 'tensor.expand_shape' op expected equal sizes, but its parts is %ld and dimension 0 of the source is %ld
// CHECK-LABEL: func.func @upstream
func.func @upstream(%a: tensor<?x?xf32>, %b: tensor<?x4xf32>, %c: tensor<?x4xf32>, %v: tensor<?xf32>, %n: index) -> (tensor<?x4xf32>, tensor<5xf32>, tensor<?x4xf32>) {
  %y = linalg.matmul ins(%a, %b : tensor<?x?xf32>, tensor<?x4xf32>) outs(%c : tensor<?x4xf32>) -> tensor<?x4xf32>
  %s = linalg.add ins(%y, %b : tensor<?x4xf32>, tensor<?x4xf32>) outs(%c : tensor<?x4xf32>) -> tensor<?x4xf32>
  %5 = tensor.cast %v : tensor<?xf32> to tensor<5xf32>
  %e = tensor.expand_shape %v [[0, 1]] output_shape [%n, 4] : tensor<?xf32> into tensor<?x4xf32>
  return %s, %5, %e : tensor<?x4xf32>, tensor<5xf32>, tensor<?x4xf32>
}

// -----

// Within a region a check stays at its op.
// CHECK-LABEL: func.func @conditional
// CHECK: scf.if %{{.*}} -> (tensor<?xf32>) {
// CHECK: arith.cmpi ne
// CHECK: scf.if
// CHECK: linalg.add
func.func @conditional(%p: i1, %a: tensor<?xf32>, %b: tensor<?xf32>) -> tensor<?xf32> {
  %r = scf.if %p -> (tensor<?xf32>) {
    %s = linalg.add ins(%a, %b : tensor<?xf32>, tensor<?xf32>) outs(%a : tensor<?xf32>) -> tensor<?xf32>
    scf.yield %s : tensor<?xf32>
  } else {
    scf.yield %a : tensor<?xf32>
  }
  return %r : tensor<?xf32>
}

// -----

// Dimensions that are none, which upstream's verifier reads as 0 and 1.
// CHECK-LABEL: func.func @no_dimensions
// CHECK-NOT: arith.cmpi
// CHECK: tensor.expand_shape
func.func @no_dimensions(%v: tensor<?xf32>, %n: index) -> tensor<?x4xf32> {
  %e = tensor.expand_shape %v [[4294967296, 1]] output_shape [%n, 4] : tensor<?xf32> into tensor<?x4xf32>
  return %e : tensor<?x4xf32>
}
