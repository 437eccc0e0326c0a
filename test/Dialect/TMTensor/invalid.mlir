// RUN: quant-opt %s -split-input-file -verify-diagnostics

func.func @scan_dimension(%x: tensor<2x3xi64>, %l: tensor<2xi64>) {
  // expected-error@+1 {{expected a dimension of 'tensor<2x3xi64>', found 2}}
  %r:2 = tm_tensor.scan dimension(2) inclusive(true) ins(%x : tensor<2x3xi64>) outs(%x, %l : tensor<2x3xi64>, tensor<2xi64>) {
  ^bb0(%p: i64, %q: i64):
    tm_tensor.yield %q : i64
  } -> tensor<2x3xi64>, tensor<2xi64>
  return
}

// -----

func.func @scan_last(%x: tensor<2x3xi64>, %l: tensor<2xi64>) {
  // expected-error@+1 {{expected the second output to be the first without dimension 0, found 'tensor<2xi64>'}}
  %r:2 = tm_tensor.scan dimension(0) inclusive(true) ins(%x : tensor<2x3xi64>) outs(%x, %l : tensor<2x3xi64>, tensor<2xi64>) {
  ^bb0(%p: i64, %q: i64):
    tm_tensor.yield %q : i64
  } -> tensor<2x3xi64>, tensor<2xi64>
  return
}

// -----

func.func @region(%x: tensor<2x3xi64>, %l: tensor<2xi64>) {
  // expected-error@+1 {{expected a region of two arguments of type 'i64'}}
  %r:2 = tm_tensor.scan dimension(1) inclusive(true) ins(%x : tensor<2x3xi64>) outs(%x, %l : tensor<2x3xi64>, tensor<2xi64>) {
  ^bb0(%p: i32, %q: i32):
    tm_tensor.yield %q : i32
  } -> tensor<2x3xi64>, tensor<2xi64>
  return
}

// -----

func.func @scatter_map(%u: tensor<2xf32>, %i: tensor<2x2xi64>, %o: tensor<4x5xf32>) {
  // expected-error@+1 {{expected the dimension map to name dimensions of 'tensor<4x5xf32>' once, found 1}}
  %r = tm_tensor.scatter {dimension_map = array<i64: 1, 1>} unique_indices(true) ins(%u, %i : tensor<2xf32>, tensor<2x2xi64>) outs(%o : tensor<4x5xf32>) {
  ^bb0(%n: f32, %old: f32):
    tm_tensor.yield %n : f32
  } -> tensor<4x5xf32>
  return
}

// -----

func.func @scatter_indices(%u: tensor<2xf32>, %i: tensor<2x?xi64>, %o: tensor<4x5xf32>) {
  // expected-error@+1 {{expected indices of integers, [n, 2] as the dimension map is, found 'tensor<2x?xi64>'}}
  %r = tm_tensor.scatter {dimension_map = array<i64: 0, 1>} unique_indices(true) ins(%u, %i : tensor<2xf32>, tensor<2x?xi64>) outs(%o : tensor<4x5xf32>) {
  ^bb0(%n: f32, %old: f32):
    tm_tensor.yield %n : f32
  } -> tensor<4x5xf32>
  return
}

// -----

func.func @scatter_count(%u: tensor<3xf32>, %i: tensor<2x2xi64>, %o: tensor<4x5xf32>) {
  // expected-error@+1 {{expected as many updates as indices, found 3 and 2}}
  %r = tm_tensor.scatter {dimension_map = array<i64: 0, 1>} unique_indices(true) ins(%u, %i : tensor<3xf32>, tensor<2x2xi64>) outs(%o : tensor<4x5xf32>) {
  ^bb0(%n: f32, %old: f32):
    tm_tensor.yield %n : f32
  } -> tensor<4x5xf32>
  return
}

// -----

func.func @attention_key(%q: tensor<9x1x64xf32>, %k: tensor<3x256x64xf32>) {
  // expected-error@+1 {{expected a key of the batch and columns of the query 'tensor<9x1x64xf32>', found 'tensor<3x256x64xf32>'}}
  %y = tm_tensor.attention ins(%q, %k, %k : tensor<9x1x64xf32>, tensor<3x256x64xf32>, tensor<3x256x64xf32>) outs(%q : tensor<9x1x64xf32>) -> tensor<9x1x64xf32>
  return
}

// -----

func.func @attention_mask(%q: tensor<9x1x64xf32>, %m: tensor<2x1xf32>) {
  // expected-error@+1 {{expected a mask of shape [9, 1, 1] or its last two sizes, or 1, found 'tensor<2x1xf32>'}}
  %y = tm_tensor.attention ins(%q, %q, %q, %m : tensor<9x1x64xf32>, tensor<9x1x64xf32>, tensor<9x1x64xf32>, tensor<2x1xf32>) outs(%q : tensor<9x1x64xf32>) -> tensor<9x1x64xf32>
  return
}

// -----

func.func @attention_inputs(%q: tensor<9x1x64xf32>) {
  // expected-error@+1 {{expected 3 or 4 inputs, found 2}}
  %y = tm_tensor.attention ins(%q, %q : tensor<9x1x64xf32>, tensor<9x1x64xf32>) outs(%q : tensor<9x1x64xf32>) -> tensor<9x1x64xf32>
  return
}

// -----

func.func @sort_shapes(%k: tensor<3xf32>, %v: tensor<4xi64>) {
  // expected-error@+1 {{expected outputs of one shape, found 'tensor<3xf32>' and 'tensor<4xi64>'}}
  %r:2 = tm_tensor.sort dimension(0) outs(%k, %v : tensor<3xf32>, tensor<4xi64>) {
  ^bb0(%a: f32, %b: f32, %c: i64, %d: i64):
    %s = arith.cmpf oge, %a, %b : f32
    tm_tensor.yield %s : i1
  } -> tensor<3xf32>, tensor<4xi64>
  return
}

// -----

func.func @sort_region(%k: tensor<3xf32>) {
  // expected-error@+1 {{expected a region of two arguments for each output}}
  %r = tm_tensor.sort dimension(0) outs(%k : tensor<3xf32>) {
  ^bb0(%a: f32):
    tm_tensor.yield %a : f32
  } -> tensor<3xf32>
  return
}

// -----

func.func @sort_yield(%k: tensor<3xf32>) {
  // expected-error@+1 {{expected the region to yield one i1}}
  %r = tm_tensor.sort dimension(0) outs(%k : tensor<3xf32>) {
  ^bb0(%a: f32, %b: f32):
    tm_tensor.yield %a : f32
  } -> tensor<3xf32>
  return
}
