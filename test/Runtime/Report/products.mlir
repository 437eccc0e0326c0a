// The account of all products: counts by reason that add up, always printed;
// in the report; and errors with --strict.
// RUN: rm -rf %t && mkdir %t
// RUN: quant-run %s --entry=float --random-inputs=1 --print=false | FileCheck %s --check-prefix=FLOAT
// RUN: quant-run %s --entry=float --random-inputs=1 --print=false --strict | FileCheck %s --check-prefix=FLOAT
// RUN: quant-run %s --entry=float --random-inputs=1 --print=false --quantize --strict --target=x86 | FileCheck %s --check-prefix=SCHEME
// RUN: not quant-run %s --entry=mixed --random-inputs=1 --quantize --strict 2>&1 | FileCheck %s --check-prefix=STRICT
// RUN: quant-run %s --entry=mixed --random-inputs=1 --quantize --print=false --report=%t/r.json 2>&1 | FileCheck %s --check-prefix=MIXED
// RUN: FileCheck %s --check-prefix=JSON --input-file=%t/r.json
// RUN: quant-run %s --entry=mixed --random-inputs=1 --quantize="exclude=linalg.batch_matmul exclude=linalg.matmul" --print=false --strict | FileCheck %s --check-prefix=ASKED
// RUN: quant-run %s --entry=qdq --random-inputs=1 --print=false | FileCheck %s --check-prefix=QDQ
// RUN: not quant-run %s --entry=qdq --random-inputs=1 --strict 2>&1 | FileCheck %s --check-prefix=QDQSTRICT
// RUN: quant-run %s --entry=integers --random-inputs=1 --print=false | FileCheck %s --check-prefix=INTS
// RUN: quant-run %s --entry=tosa --random-inputs=1 --print=false | FileCheck %s --check-prefix=TOSA
// RUN: quant-run %s --entry=control_flow --random-inputs=1 --print=false --quantize | FileCheck %s --check-prefix=FLOW
// RUN: quant-run %s --entry=convolutions --random-inputs=1 --print=false | FileCheck %s --check-prefix=CONV
// RUN: quant-run %s --entry=convolutions --random-inputs=1 --print=false --quantize | FileCheck %s --check-prefix=QCONV
// RUN: quant-run %s --entry=float --random-inputs=1 --print=false --quantize="activations=static" | FileCheck %s --check-prefix=STATIC
// RUN: quant-run %s --entry=float --random-inputs=1 --print=false --quantize=rotation=hadamard32 --verbose --report=%t/p.json 2>%t/said | FileCheck %s --check-prefix=PARTLY
// RUN: FileCheck %s --check-prefix=PARTLYJSON --input-file=%t/p.json
// RUN: FileCheck %s --check-prefix=PARTLYSAID --implicit-check-not="has no whole block" --input-file=%t/said
// RUN: not quant-run %s --entry=float --random-inputs=1 --quantize=rotation=hadamard32 --strict 2>&1 | FileCheck %s --check-prefix=PARTLYSTRICT
// RUN: quant-run %s --entry=mixed --random-inputs=1 --print=false --quantize="q8_0 attention=true" | FileCheck %s --check-prefix=ATTENTION
// RUN: not quant-run %s --entry=mixed --random-inputs=1 --quantize="q8_0 attention=true" --strict 2>&1 | FileCheck %s --check-prefix=ATTENTIONSTRICT
// RUN: quant-run %s --entry=mixed --random-inputs=1 --print=false --quantize="activations=float attention=true" | FileCheck %s --check-prefix=KEPT
// RUN: not quant-run %s --entry=mixed --random-inputs=1 --quantize="activations=float attention=true" --strict 2>&1 | FileCheck %s --check-prefix=KEPTSTRICT
// RUN: quant-run %s --entry=float --random-inputs=1 --print=false --target=x86 --quantize="activations=float" | FileCheck %s --check-prefix=WEIGHTONLY
// RUN: quant-run %s --entry=float --random-inputs=1 --print=false --target=x86 --cpu=x86-64 --quantize="activations=float" | FileCheck %s --check-prefix=PORTABLE
// RUN: not quant-run %s --entry=float --random-inputs=1 --target=x86 --cpu=x86-64 --quantize="activations=float" --strict 2>&1 | FileCheck %s --check-prefix=PORTABLESTRICT

// Without a scheme floats are as asked.
// FLOAT: matmuls: 0 of 2 with a weight in integers
// FLOAT-NEXT: 2 x stays in float: no scheme was asked for
// FLOAT-NEXT: products: 0 in integers + 2 left with reason = 2
// SCHEME-NOT: stays
// SCHEME: products: 2 in integers + 0 left with reason = 2
// STATIC: 2 x stays in float: no static scale given for the activations
// STATIC-NEXT: products: 0 in integers + 2 left with reason = 2
// PARTLY: matmuls: 2 of 2 with a weight in integers
// PARTLY-NEXT: 2 x is quantized by a part of the scheme: not rotated: K = 4 has no whole block of 32
// PARTLY-NEXT: products: 2 in integers + 0 left with reason = 2
// PARTLYJSON: "outcome": "scheme-partly",
// PARTLYJSON-NEXT: "reason": "not rotated: K = 4 has no whole block of 32"
// Once for each.
// PARTLYSAID: products.mlir:[[@LINE+14]]:{{[0-9]+}}: remark: not rotated: K = 4 has no whole block of 32
// PARTLYSAID: products.mlir:[[@LINE+14]]:{{[0-9]+}}: remark: not rotated: K = 4 has no whole block of 32
// PARTLYSTRICT: products.mlir:[[@LINE+12]]:{{[0-9]+}}: error: quantized by a part of the scheme: not rotated: K = 4 has no whole block of 32
// WEIGHTONLY-NOT: portable
// WEIGHTONLY: products: 2 in integers + 0 left with reason = 2
// PORTABLE: 2 x takes the slow portable lowering: its activations are float, and there is no fused multiply-add on x86-64
// PORTABLE-NEXT: products: 2 in integers + 0 left with reason = 2
// PORTABLESTRICT: products.mlir:[[@LINE+7]]:{{[0-9]+}}: error: not packed: its activations are float, and there is no fused multiply-add on x86-64; the portable lowering is slow
func.func @float(%x: tensor<3x4xf32>) -> (tensor<3x2xf32>, tensor<3x2xf32>) {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 3.5], [2.0, 1.0], [0.5, 8.0]]> : tensor<4x2xf32>
  %v = arith.constant dense<[[1.0, 2.0], [3.0, 3.5], [2.0, 1.0], [0.5, 9.0]]> : tensor<4x2xf32>
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<3x2xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<3x2xf32>) -> tensor<3x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<3x4xf32>, tensor<4x2xf32>) outs(%z : tensor<3x2xf32>) -> tensor<3x2xf32>
  %u = linalg.matmul ins(%x, %v : tensor<3x4xf32>, tensor<4x2xf32>) outs(%z : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y, %u : tensor<3x2xf32>, tensor<3x2xf32>
}

// A function argument is taken as a weight, and two activations are left.
// MIXED: matmuls: 1 of 1 with a weight in integers; 1 products of activations in float
// MIXED-NEXT: 1 x is quantized in every call: the weight is a function argument
// MIXED-NEXT: 1 x stays in float: both operands are activations with batch dimensions, none is a weight
// MIXED-NEXT: products: 1 in integers + 1 left with reason = 2
// ATTENTION: 1 x is quantized by a part of the scheme: not in blocks, no groups: both operands are activations
// ATTENTIONSTRICT: error: quantized by a part of the scheme: not in blocks, no groups: both operands are activations
// KEPT: 1 x stays in float: both operands are activations, which the scheme leaves in float
// KEPTSTRICT: error: matmul stays in float: both operands are activations, which the scheme leaves in float
// ASKED: 2 x stays in float: include and exclude leave it out
// ASKED-NEXT: products: 0 in integers + 2 left with reason = 2
// STRICT: products.mlir:[[@LINE+22]]:{{[0-9]+}}: error: quantized in every call: the weight is a function argument
// STRICT: products.mlir:[[@LINE+22]]:{{[0-9]+}}: error: matmul stays in float: both operands are activations with batch dimensions, none is a weight
// JSON: "products": {
// JSON-NEXT: "all": 2,
// JSON-NEXT: "integer": 1,
// JSON-NEXT: "left": 1,
// JSON-NEXT: "reasons": [
// JSON: "as_asked": false,
// JSON-NEXT: "count": 1,
// JSON-NEXT: "locations": [
// JSON-NEXT: products.mlir:[[@LINE+12]]:
// JSON-NEXT: ],
// JSON-NEXT: "outcome": "every-call",
// JSON-NEXT: "reason": "the weight is a function argument"
// JSON: products.mlir:[[@LINE+9]]:
// JSON: "outcome": "float"
func.func @mixed(%x: tensor<3x4xf32>, %w: tensor<4x2xf32>, %q: tensor<2x3x4xf32>, %k: tensor<2x4x3xf32>) -> (tensor<3x2xf32>, tensor<2x3x3xf32>) {
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<3x2xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<3x2xf32>) -> tensor<3x2xf32>
  %e1 = tensor.empty() : tensor<2x3x3xf32>
  %z1 = linalg.fill ins(%c : f32) outs(%e1 : tensor<2x3x3xf32>) -> tensor<2x3x3xf32>
  %y = linalg.matmul ins(%x, %w : tensor<3x4xf32>, tensor<4x2xf32>) outs(%z : tensor<3x2xf32>) -> tensor<3x2xf32>
  %u = linalg.batch_matmul ins(%q, %k : tensor<2x3x4xf32>, tensor<2x4x3xf32>) outs(%z1 : tensor<2x3x3xf32>) -> tensor<2x3x3xf32>
  return %y, %u : tensor<3x2xf32>, tensor<2x3x3xf32>
}

// One product is read, one has integers that are dequantized by a sine.
// QDQ: matmuls: 1 of 2 with a weight in integers
// QDQ-NEXT: 1 x stays in float: it multiplies integers of i8 that are dequantized in a form that is not recognized
// QDQ-NEXT: products: 1 in integers + 1 left with reason = 2
// QDQSTRICT: products.mlir:[[@LINE+19]]:{{[0-9]+}}: error: matmul stays in float: it multiplies integers of i8
#id = affine_map<(i, j) -> (i, j)>
func.func @qdq(%q: tensor<3x4xi8>) -> (tensor<3x2xf32>, tensor<3x2xf32>) {
  %s = arith.constant dense<0.5> : tensor<f32>
  %w = arith.constant dense<[[1, 2], [3, 3], [2, 1], [0, 8]]> : tensor<4x2xi8>
  %dx = quant.dequantize %q scale(%s : tensor<f32>) axes = [] : tensor<3x4xi8> -> tensor<3x4xf32>
  %dw = quant.dequantize %w scale(%s : tensor<f32>) axes = [] : tensor<4x2xi8> -> tensor<4x2xf32>
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<3x2xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<3x2xf32>) -> tensor<3x2xf32>
  %y = linalg.matmul ins(%dx, %dw : tensor<3x4xf32>, tensor<4x2xf32>) outs(%z : tensor<3x2xf32>) -> tensor<3x2xf32>
  %e1 = tensor.empty() : tensor<4x2xf32>
  %odd = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<4x2xi8>) outs(%e1 : tensor<4x2xf32>) {
    ^bb0(%i: i8, %o: f32):
      %f = arith.sitofp %i : i8 to f32
      %t = math.sin %f : f32
      linalg.yield %t : f32
    } -> tensor<4x2xf32>
  %u = linalg.matmul ins(%dx, %odd : tensor<3x4xf32>, tensor<4x2xf32>) outs(%z : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y, %u : tensor<3x2xf32>, tensor<3x2xf32>
}

// INTS: matmuls: 1 of 1 with a weight in integers
// INTS-NEXT: 1 x stays as it is, in integers: expected operands of i8 or i4, found i32 and i32
// INTS-NEXT: products: 1 in integers + 1 left with reason = 2
func.func @integers(%x: tensor<3x4xi8>, %w: tensor<4x2xi8>, %a: tensor<3x4xi32>, %b: tensor<4x2xi32>) -> (tensor<3x2xi32>, tensor<3x2xi32>) {
  %z = arith.constant dense<0> : tensor<3x2xi32>
  %y = linalg.matmul ins(%x, %w : tensor<3x4xi8>, tensor<4x2xi8>) outs(%z : tensor<3x2xi32>) -> tensor<3x2xi32>
  %u = linalg.matmul ins(%a, %b : tensor<3x4xi32>, tensor<4x2xi32>) outs(%z : tensor<3x2xi32>) -> tensor<3x2xi32>
  return %y, %u : tensor<3x2xi32>, tensor<3x2xi32>
}

// TOSA: 1 x stays in float: no scheme was asked for
// TOSA-NEXT: products: 1 in integers + 1 left with reason = 2
func.func @tosa(%q: tensor<1x3x4xi8>, %k: tensor<1x4x2xi8>, %a: tensor<1x3x4xf32>, %b: tensor<1x4x2xf32>) -> (tensor<1x3x2xi32>, tensor<1x3x2xf32>) {
  %z = "tosa.const"() {values = dense<0> : tensor<1xi8>} : () -> tensor<1xi8>
  %f = "tosa.const"() {values = dense<0.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %y = tosa.matmul %q, %k, %z, %z : (tensor<1x3x4xi8>, tensor<1x4x2xi8>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x3x2xi32>
  %u = tosa.matmul %a, %b, %f, %f : (tensor<1x3x4xf32>, tensor<1x4x2xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x3x2xf32>
  return %y, %u : tensor<1x3x2xi32>, tensor<1x3x2xf32>
}

// A product in a branch counts where it stands.
// FLOW: 1 x stays in float: the weight holds NaN or infinity
// FLOW-NEXT: products: 1 in integers + 1 left with reason = 2
func.func @control_flow(%x: tensor<3x4xf32>) -> tensor<3x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 3.5], [2.0, 1.0], [0.5, 8.0]]> : tensor<4x2xf32>
  %v = arith.constant dense<[[1.0, 2.0], [3.0, 3.5], [2.0, 1.0], [0.5, 0x7F800000]]> : tensor<4x2xf32>
  %c = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %e = tensor.empty() : tensor<3x2xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<3x2xf32>) -> tensor<3x2xf32>
  %first = tensor.extract %x[%c0, %c0] : tensor<3x4xf32>
  %cond = arith.cmpf ogt, %first, %c : f32
  %r = scf.if %cond -> tensor<3x2xf32> {
    %y = linalg.matmul ins(%x, %w : tensor<3x4xf32>, tensor<4x2xf32>) outs(%z : tensor<3x2xf32>) -> tensor<3x2xf32>
    scf.yield %y : tensor<3x2xf32>
  } else {
    %u = linalg.matmul ins(%x, %v : tensor<3x4xf32>, tensor<4x2xf32>) outs(%z : tensor<3x2xf32>) -> tensor<3x2xf32>
    scf.yield %u : tensor<3x2xf32>
  }
  return %r : tensor<3x2xf32>
}

// Three convolutions: plain, grouped and depthwise.
// CONV: matmuls: 0 of 0 with a weight in integers; 3 convolutions as they are
// CONV-NEXT: 3 x stays in float: no scheme was asked for
// CONV-NEXT: products: 0 in integers + 3 left with reason = 3
// QCONV: matmuls: 1 of 1 with a weight in integers; 2 convolutions as they are
// QCONV-NEXT: 2 x stays in float: each group of channels has a filter of its own (depthwise or grouped)
// QCONV-NEXT: products: 1 in integers + 2 left with reason = 3
func.func @convolutions(%x: tensor<1x5x5x4xf32>, %g: tensor<1x2x2x5x5xf32>) -> (tensor<1x4x4x3xf32>, tensor<1x4x4x4xf32>, tensor<1x2x3x4x4xf32>) {
  %f = arith.constant dense<0.5> : tensor<2x2x4x3xf32>
  %d = arith.constant dense<0.25> : tensor<2x2x4xf32>
  %h = arith.constant dense<0.125> : tensor<2x3x2x2x2xf32>
  %z0 = arith.constant dense<0.0> : tensor<1x4x4x3xf32>
  %z1 = arith.constant dense<0.0> : tensor<1x4x4x4xf32>
  %z2 = arith.constant dense<0.0> : tensor<1x2x3x4x4xf32>
  %a = linalg.conv_2d_nhwc_hwcf ins(%x, %f : tensor<1x5x5x4xf32>, tensor<2x2x4x3xf32>) outs(%z0 : tensor<1x4x4x3xf32>) -> tensor<1x4x4x3xf32>
  %b = linalg.depthwise_conv_2d_nhwc_hwc ins(%x, %d : tensor<1x5x5x4xf32>, tensor<2x2x4xf32>) outs(%z1 : tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  %c = linalg.conv_2d_ngchw_gfchw ins(%g, %h : tensor<1x2x2x5x5xf32>, tensor<2x3x2x2x2xf32>) outs(%z2 : tensor<1x2x3x4x4xf32>) -> tensor<1x2x3x4x4xf32>
  return %a, %b, %c : tensor<1x4x4x3xf32>, tensor<1x4x4x4xf32>, tensor<1x2x3x4x4xf32>
}
