// The program of a rank by upstream's passes, from this project's models: what
// is sent, and what each rank computes.
//
// RUN: quant-opt %s --split-input-file --verify-diagnostics \
// RUN:   --pass-pipeline="builtin.module(quant-verify-shardings,func.func(sharding-propagation,shard-partition),canonicalize)" \
// RUN: | FileCheck %s

// Columns: the weight, its scales and its bias are parts; nothing is sent.
// CHECK-LABEL: func @columns
// CHECK-SAME: (%[[X:.*]]: tensor<4x8xi8>, %[[W:.*]]: tensor<3x8xi8>, %[[S:.*]]: tensor<3xf32>, %[[B:.*]]: tensor<3xf32>, %[[SX:.*]]: tensor<4xf32>, %[[I:.*]]: tensor<4x3xi32>) -> tensor<4x3xf32>
// CHECK-NEXT: %[[A:.*]] = quant.matmul ins(%[[X]], %[[W]] : tensor<4x8xi8>, tensor<3x8xi8>) outs(%[[I]] : tensor<4x3xi32>) {transpose_rhs} -> tensor<4x3xi32>
// CHECK-NEXT: %[[Y:.*]] = quant.rescale %[[A]] row_scale(%[[SX]] : tensor<4xf32>) channel_scale(%[[S]] : tensor<3xf32>) bias(%[[B]] : tensor<3xf32>) : tensor<4x3xi32> -> tensor<4x3xf32>
// CHECK-NEXT: return %[[Y]]
shard.grid @ranks(shape = 2)
func.func @columns(%x: tensor<4x8xi8>, %w: tensor<6x8xi8>, %s: tensor<6xf32>, %b: tensor<6xf32>, %sx: tensor<4xf32>, %i: tensor<4x6xi32>) -> tensor<4x6xf32> {
  %c = shard.sharding @ranks split_axes = [[], [0]] : !shard.sharding
  %a = quant.matmul ins(%x, %w : tensor<4x8xi8>, tensor<6x8xi8>) outs(%i : tensor<4x6xi32>) {transpose_rhs} -> tensor<4x6xi32>
  %as = shard.shard %a to %c : tensor<4x6xi32>
  %y = quant.rescale %as row_scale(%sx : tensor<4xf32>) channel_scale(%s : tensor<6xf32>) bias(%b : tensor<6xf32>) : tensor<4x6xi32> -> tensor<4x6xf32>
  return %y : tensor<4x6xf32>
}

// -----

// Rows: one all-reduce of i32, before anything is rounded.
// CHECK-LABEL: func @rows
// CHECK-SAME: (%[[X:.*]]: tensor<4x4xi8>, %[[W:.*]]: tensor<4x6xi8>, %[[S:.*]]: tensor<6xf32>) -> tensor<4x6xf32>
// CHECK: %[[A:.*]] = quant.matmul ins(%[[X]], %[[W]] : tensor<4x4xi8>, tensor<4x6xi8>)
// CHECK-NEXT: %[[R:.*]] = shard.all_reduce %[[A]] on @ranks grid_axes = [0] : tensor<4x6xi32> -> tensor<4x6xi32>
// CHECK-NEXT: quant.rescale %[[R]] channel_scale(%[[S]] : tensor<6xf32>) : tensor<4x6xi32> -> tensor<4x6xf32>
shard.grid @ranks(shape = 2)
func.func @rows(%x: tensor<4x8xi8>, %w: tensor<8x6xi8>, %s: tensor<6xf32>) -> tensor<4x6xf32> {
  %c = shard.sharding @ranks split_axes = [[], [0]] : !shard.sharding
  %xs = shard.shard %x to %c annotate_for_users : tensor<4x8xi8>
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<4x6xi32>
  %i = linalg.fill ins(%zero : i32) outs(%e : tensor<4x6xi32>) -> tensor<4x6xi32>
  %a = quant.matmul ins(%xs, %w : tensor<4x8xi8>, tensor<8x6xi8>) outs(%i : tensor<4x6xi32>) -> tensor<4x6xi32>
  %y = quant.rescale %a channel_scale(%s : tensor<6xf32>) : tensor<4x6xi32> -> tensor<4x6xf32>
  return %y : tensor<4x6xf32>
}

// -----

// What the sum starts with counts once.
// CHECK-LABEL: func @init
// CHECK-SAME: %[[I:[a-z0-9]*]]: tensor<4x6xi32>)
// CHECK: %[[Z:.*]] = linalg.fill
// CHECK: %[[A:.*]] = quant.matmul {{.*}} outs(%[[Z]] : tensor<4x6xi32>)
// CHECK: %[[R:.*]] = shard.all_reduce %[[A]]
// CHECK: linalg.generic {{.*}} ins(%[[R]], %[[I]] : tensor<4x6xi32>, tensor<4x6xi32>)
// CHECK: arith.addi
shard.grid @ranks(shape = 2)
func.func @init(%x: tensor<4x8xi8>, %w: tensor<8x6xi8>, %i: tensor<4x6xi32>) -> tensor<4x6xi32> {
  %c = shard.sharding @ranks split_axes = [[], [0]] : !shard.sharding
  %xs = shard.shard %x to %c annotate_for_users : tensor<4x8xi8>
  %a = quant.matmul ins(%xs, %w : tensor<4x8xi8>, tensor<8x6xi8>) outs(%i : tensor<4x6xi32>) -> tensor<4x6xi32>
  return %a : tensor<4x6xi32>
}

// -----

// A scale of rows in parts: one all-reduce of maxima, here of both ends of the
// range, and the parameters are chosen from that.
// CHECK-LABEL: func @row_range
// CHECK-SAME: (%[[X:.*]]: tensor<4x4xf16>) -> tensor<4x4xi8>
// CHECK-COUNT-2: arith.maximumf
// CHECK: %[[R:.*]] = shard.all_reduce %{{.*}} on @ranks grid_axes = [0] reduction = max : tensor<4x2xf32> -> tensor<4x2xf32>
// CHECK: %[[G:.*]] = linalg.generic {{.*}} ins(%[[R]] : tensor<4x2xf32>)
// CHECK: %[[S:.*]], %[[Z:.*]] = quant.choose_qparams %[[G]] axes = [0] range = [-128, 127] : tensor<4x2xf32> -> tensor<4xf32>, tensor<4xi32>
// CHECK: quant.quantize %[[X]] scale(%[[S]] : tensor<4xf32>) zero_point(%[[Z]] : tensor<4xi32>) axes = [0]
// CHECK-SAME: tensor<4x4xf16> -> tensor<4x4xi8>
shard.grid @ranks(shape = 2)
func.func @row_range(%x: tensor<4x8xf16>) -> tensor<4x8xi8> {
  %c = shard.sharding @ranks split_axes = [[], [0]] : !shard.sharding
  %x0 = shard.shard %x to %c : tensor<4x8xf16>
  %x1 = shard.shard %x0 to %c annotate_for_users : tensor<4x8xf16>
  %x2 = shard.shard %x0 to %c annotate_for_users : tensor<4x8xf16>
  %s, %z = quant.choose_qparams %x1 axes = [0] range = [-128, 127] : tensor<4x8xf16> -> tensor<4xf32>, tensor<4xi32>
  %q = quant.quantize %x2 scale(%s : tensor<4xf32>) zero_point(%z : tensor<4xi32>) axes = [0] range = [-128, 127] : tensor<4x8xf16> -> tensor<4x8xi8>
  return %q : tensor<4x8xi8>
}

// -----

// Rows of activations: every op on fewer rows.
// CHECK-LABEL: func @batch
// CHECK-SAME: (%[[X:.*]]: tensor<2x32xf32>, %[[W:.*]]: tensor<6x32xi4>, %[[S:.*]]: tensor<6x2xf32>) -> tensor<2x6xf32>
// CHECK: quant.rotate %[[X]] size = 16 : tensor<2x32xf32> -> tensor<2x32xf32>
// CHECK-NOT: shard.
// CHECK: quant.scaled_matmul ins(%{{.*}}, %[[W]] : tensor<2x32xi8>, tensor<6x32xi4>)
shard.grid @ranks(shape = 2)
func.func @batch(%x: tensor<4x32xf32>, %w: tensor<6x32xi4>, %s: tensor<6x2xf32>) -> tensor<4x6xf32> {
  %c = shard.sharding @ranks split_axes = [[0]] : !shard.sharding
  %x0 = shard.shard %x to %c annotate_for_users : tensor<4x32xf32>
  %r = quant.rotate %x0 size = 16 : tensor<4x32xf32> -> tensor<4x32xf32>
  %sx = quant.choose_qparams %r axes = [0] range = [-127, 127] : tensor<4x32xf32> -> tensor<4xf32>
  %q = quant.quantize %r scale(%sx : tensor<4xf32>) axes = [0] range = [-127, 127] : tensor<4x32xf32> -> tensor<4x32xi8>
  %y = quant.scaled_matmul ins(%q, %w : tensor<4x32xi8>, tensor<6x32xi4>) row_scale(%sx : tensor<4xf32>) rhs_scale(%s : tensor<6x2xf32>) {group_size = 16 : i64} -> tensor<4x6xf32>
  return %y : tensor<4x6xf32>
}

// -----

// Heads: a dimension of a collapsed tensor in parts is its outer one in parts.
// CHECK-LABEL: func @heads
// CHECK-SAME: (%[[X:.*]]: tensor<4x6xi8>) -> tensor<4x2x3xf32>
// CHECK: tensor.expand_shape %{{.*}} {{\[\[}}0], [1, 2]] output_shape [4, 2, 3] : tensor<4x6xf32> into tensor<4x2x3xf32>
shard.grid @ranks(shape = 2)
func.func @heads(%x: tensor<4x12xi8>) -> tensor<4x4x3xf32> {
  %c = shard.sharding @ranks split_axes = [[], [0]] : !shard.sharding
  %s = arith.constant dense<0.5> : tensor<f32>
  %x0 = shard.shard %x to %c annotate_for_users : tensor<4x12xi8>
  %f = quant.dequantize %x0 scale(%s : tensor<f32>) axes = [] : tensor<4x12xi8> -> tensor<4x12xf32>
  %h = tensor.expand_shape %f [[0], [1, 2]] output_shape [4, 4, 3] : tensor<4x12xf32> into tensor<4x4x3xf32>
  return %h : tensor<4x4x3xf32>
}

// -----

shard.grid @ranks(shape = 2)
func.func @groups(%x: tensor<4x32xi8>, %w: tensor<6x32xi8>, %s: tensor<6x2xf32>) -> tensor<4x6xf32> {
  %c = shard.sharding @ranks split_axes = [[], [0]] : !shard.sharding
  %x0 = shard.shard %x to %c annotate_for_users : tensor<4x32xi8>
  // expected-error @below {{cannot be cut into 2 parts along loop 2: its groups' sums are added as floats, one after the other, and parts of that sum round otherwise}}
  %y = quant.scaled_matmul ins(%x0, %w : tensor<4x32xi8>, tensor<6x32xi8>) rhs_scale(%s : tensor<6x2xf32>) {group_size = 16 : i64} -> tensor<4x6xf32>
  return %y : tensor<4x6xf32>
}

// -----

shard.grid @ranks(shape = 2)
func.func @parts_of_groups(%x: tensor<4x48xi8>, %w: tensor<6x48xi8>, %s: tensor<6x3xf32>) -> tensor<4x6xf32> {
  %c = shard.sharding @ranks split_axes = [[], [0]] : !shard.sharding
  %x0 = shard.shard %x to %c annotate_for_users : tensor<4x48xi8>
  // expected-error @below {{cannot be cut into 2 parts along loop 2: expected whole groups of 16 on each of the 2 ranks, found 48 elements}}
  %y = quant.scaled_matmul ins(%x0, %w : tensor<4x48xi8>, tensor<6x48xi8>) rhs_scale(%s : tensor<6x3xf32>) {group_size = 16 : i64} -> tensor<4x6xf32>
  return %y : tensor<4x6xf32>
}

// -----

shard.grid @ranks(shape = 2)
func.func @parts_of_blocks(%x: tensor<4x48xf32>) -> tensor<4x48xf32> {
  %c = shard.sharding @ranks split_axes = [[], [0]] : !shard.sharding
  %x0 = shard.shard %x to %c annotate_for_users : tensor<4x48xf32>
  // expected-error @below {{cannot be cut into 2 parts along loop 1: expected whole rotated blocks of 16 on each of the 2 ranks, found 48 elements}}
  %y = quant.rotate %x0 size = 16 : tensor<4x48xf32> -> tensor<4x48xf32>
  return %y : tensor<4x48xf32>
}

// -----

shard.grid @ranks(shape = 2)
func.func @uneven(%x: tensor<4x9xi8>, %w: tensor<9x6xi8>, %i: tensor<4x6xi32>) -> tensor<4x6xi32> {
  %c = shard.sharding @ranks split_axes = [[], [0]] : !shard.sharding
  %x0 = shard.shard %x to %c annotate_for_users : tensor<4x9xi8>
  // expected-error @below {{cannot be cut into 2 parts along loop 2: 9 elements are no 2 equal parts}}
  %y = quant.matmul ins(%x0, %w : tensor<4x9xi8>, tensor<9x6xi8>) outs(%i : tensor<4x6xi32>) -> tensor<4x6xi32>
  return %y : tensor<4x6xi32>
}

// -----

// Heads of floats are parts as well.
// CHECK-LABEL: func @float_attention
// CHECK-SAME: %[[Q:[a-z0-9]*]]: tensor<1x2x3x8xf32>, {{.*}}: tensor<1x8x5xf32>, {{.*}}: tensor<1x5x8xf32>
// CHECK-SAME: -> tensor<3x1x2x8xf32>
// CHECK-NOT: shard.
// CHECK: quant.float_attention query(%[[Q]] : tensor<1x2x3x8xf32>) past({{.*}} : tensor<1x8x5xf32>, tensor<1x5x8xf32>) {{.*}} -> tensor<3x1x2x8xf32>
shard.grid @ranks(shape = 2)
func.func @float_attention(%q: tensor<2x2x3x8xf32>, %k: tensor<2x8x5xf32>, %v: tensor<2x5x8xf32>, %nk: tensor<2x8x3xf32>, %nv: tensor<2x3x8xf32>, %o: tensor<3x2x2x8xf32>) -> tensor<3x2x2x8xf32> {
  %c = shard.sharding @ranks split_axes = [[0]] : !shard.sharding
  %q0 = shard.shard %q to %c annotate_for_users : tensor<2x2x3x8xf32>
  %y = quant.float_attention query(%q0 : tensor<2x2x3x8xf32>) past(%k, %v : tensor<2x8x5xf32>, tensor<2x5x8xf32>) new(%nk, %nv : tensor<2x8x3xf32>, tensor<2x3x8xf32>) outs(%o : tensor<3x2x2x8xf32>) scale = 1.0 -> tensor<3x2x2x8xf32>
  return %y : tensor<3x2x2x8xf32>
}

// -----

// Attention: heads of keys, of queries that share one, and of the cache are parts;
// nothing is sent.
// CHECK-LABEL: func @attention
// CHECK-SAME: %[[Q:[a-z0-9]*]]: tensor<1x2x3x32xi8>, {{.*}}: tensor<1x8x5xi32>, {{.*}}: tensor<1x5x8xi32>
// CHECK-SAME: -> tensor<3x1x2x32xf32>
// CHECK-NOT: shard.
// CHECK: quant.cached_attention query(%[[Q]], %{{.*}} : tensor<1x2x3x32xi8>, tensor<1x2x3xf32>) past({{.*}} : tensor<1x8x5xi32>, tensor<1x5xf32>, tensor<1x5x8xi32>, tensor<1x5xf32>) {{.*}} -> tensor<3x1x2x32xf32>
shard.grid @ranks(shape = 2)
func.func @attention(%q: tensor<2x2x3x32xi8>, %qs: tensor<2x2x3xf32>, %k: tensor<2x8x5xi32>, %ks: tensor<2x5xf32>, %v: tensor<2x5x8xi32>, %vs: tensor<2x5xf32>, %nk: tensor<2x8x3xi32>, %nks: tensor<2x3xf32>, %nv: tensor<2x3x8xi32>, %nvs: tensor<2x3xf32>, %o: tensor<3x2x2x32xf32>) -> tensor<3x2x2x32xf32> {
  %c = shard.sharding @ranks split_axes = [[0]] : !shard.sharding
  %q0 = shard.shard %q to %c annotate_for_users : tensor<2x2x3x32xi8>
  %y = quant.cached_attention query(%q0, %qs : tensor<2x2x3x32xi8>, tensor<2x2x3xf32>) past(%k, %ks, %v, %vs : tensor<2x8x5xi32>, tensor<2x5xf32>, tensor<2x5x8xi32>, tensor<2x5xf32>) new(%nk, %nks, %nv, %nvs : tensor<2x8x3xi32>, tensor<2x3xf32>, tensor<2x3x8xi32>, tensor<2x3xf32>) outs(%o : tensor<3x2x2x32xf32>) bits = 8 -> tensor<3x2x2x32xf32>
  return %y : tensor<3x2x2x32xf32>
}

// -----

shard.grid @ranks(shape = 2)
func.func @float_tokens(%q: tensor<2x2x4x8xf32>, %k: tensor<2x8x5xf32>, %v: tensor<2x5x8xf32>, %nk: tensor<2x8x4xf32>, %nv: tensor<2x4x8xf32>, %o: tensor<4x2x2x8xf32>) -> tensor<4x2x2x8xf32> {
  %c = shard.sharding @ranks split_axes = [[], [], [0]] : !shard.sharding
  %q0 = shard.shard %q to %c annotate_for_users : tensor<2x2x4x8xf32>
  // expected-error @below {{cannot be cut into 2 parts along loop 2: a token sees all tokens before it, and a product all elements of a head}}
  %y = quant.float_attention query(%q0 : tensor<2x2x4x8xf32>) past(%k, %v : tensor<2x8x5xf32>, tensor<2x5x8xf32>) new(%nk, %nv : tensor<2x8x4xf32>, tensor<2x4x8xf32>) outs(%o : tensor<4x2x2x8xf32>) scale = 1.0 -> tensor<4x2x2x8xf32>
  return %y : tensor<4x2x2x8xf32>
}

// -----

shard.grid @ranks(shape = 2)
func.func @tokens(%q: tensor<2x2x4x32xi8>, %qs: tensor<2x2x4xf32>, %k: tensor<2x8x5xi32>, %ks: tensor<2x5xf32>, %v: tensor<2x5x8xi32>, %vs: tensor<2x5xf32>, %nk: tensor<2x8x4xi32>, %nks: tensor<2x4xf32>, %nv: tensor<2x4x8xi32>, %nvs: tensor<2x4xf32>, %o: tensor<4x2x2x32xf32>) -> tensor<4x2x2x32xf32> {
  %c = shard.sharding @ranks split_axes = [[], [], [0]] : !shard.sharding
  %q0 = shard.shard %q to %c annotate_for_users : tensor<2x2x4x32xi8>
  // expected-error @below {{cannot be cut into 2 parts along loop 2: a token sees all tokens before it, and a product all elements of a head}}
  %y = quant.cached_attention query(%q0, %qs : tensor<2x2x4x32xi8>, tensor<2x2x4xf32>) past(%k, %ks, %v, %vs : tensor<2x8x5xi32>, tensor<2x5xf32>, tensor<2x5x8xi32>, tensor<2x5xf32>) new(%nk, %nks, %nv, %nvs : tensor<2x8x4xi32>, tensor<2x4xf32>, tensor<2x4x8xi32>, tensor<2x4xf32>) outs(%o : tensor<4x2x2x32xf32>) bits = 8 -> tensor<4x2x2x32xf32>
  return %y : tensor<4x2x2x32xf32>
}
