// RUN: quant-opt %s --quant-import --split-input-file | FileCheck %s

// TOSA has no rounding to even: exporters choose between the whole numbers.
// CHECK-LABEL: func.func @spelled_out(
// CHECK: quant.quantize %arg0 scale({{.*}}) axes = [] range = [-128, 127]
func.func @spelled_out(%x: tensor<4xf32>) -> tensor<4xi8> {
  %scale = arith.constant 0.5 : f32
  %half = arith.constant 0.5 : f32
  %two = arith.constant 2.0 : f32
  %min = arith.constant -128.0 : f32
  %max = arith.constant 127.0 : f32
  %e = tensor.empty() : tensor<4xi8>
  %q = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%e : tensor<4xi8>) {
  ^bb0(%a: f32, %b: i8):
    %v = arith.divf %a, %scale : f32
    %floor = math.floor %v : f32
    %fraction = arith.subf %v, %floor : f32
    %ceil = math.ceil %v : f32
    %h = arith.mulf %floor, %half : f32
    %hf = math.floor %h : f32
    %back = arith.mulf %hf, %two : f32
    %even = arith.cmpf oeq, %floor, %back : f32
    %tie = arith.cmpf oeq, %fraction, %half : f32
    %below = arith.cmpf olt, %fraction, %half : f32
    %down = arith.andi %tie, %even : i1
    %lower = arith.ori %below, %down : i1
    %r = arith.select %lower, %floor, %ceil : f32
    %low = arith.maximumf %r, %min : f32
    %high = arith.minimumf %low, %max : f32
    %i = arith.fptosi %high : f32 to i8
    linalg.yield %i : i8
  } -> tensor<4xi8>
  return %q : tensor<4xi8>
}

// -----

// Ties go down always: that is another rounding.
// CHECK-LABEL: func.func @ties_down(
// CHECK-NOT: quant.quantize
// CHECK: return
func.func @ties_down(%x: tensor<4xf32>) -> tensor<4xi8> {
  %scale = arith.constant 0.5 : f32
  %half = arith.constant 0.5 : f32
  %min = arith.constant -128.0 : f32
  %max = arith.constant 127.0 : f32
  %e = tensor.empty() : tensor<4xi8>
  %q = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%e : tensor<4xi8>) {
  ^bb0(%a: f32, %b: i8):
    %v = arith.divf %a, %scale : f32
    %floor = math.floor %v : f32
    %fraction = arith.subf %v, %floor : f32
    %ceil = math.ceil %v : f32
    %tie = arith.cmpf oeq, %fraction, %half : f32
    %below = arith.cmpf olt, %fraction, %half : f32
    %lower = arith.ori %below, %tie : i1
    %r = arith.select %lower, %floor, %ceil : f32
    %low = arith.maximumf %r, %min : f32
    %high = arith.minimumf %low, %max : f32
    %i = arith.fptosi %high : f32 to i8
    linalg.yield %i : i8
  } -> tensor<4xi8>
  return %q : tensor<4xi8>
}
