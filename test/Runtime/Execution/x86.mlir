// REQUIRES: cpu-avx2
// The int8 worked example through the instructions of this machine, of a
// machine without VNNI, and from bytecode; and a peak that was measured.
// RUN: rm -rf %t && mkdir %t
// RUN: %make-npy %t/x.npy "np.float32([[0.3, -0.2, 0.1], [-0.5, 0.4, 0.2]])"
// RUN: quant-run %s --inputs=%t/x.npy --target=x86 | FileCheck %s
// RUN: quant-run %s --inputs=%t/x.npy --target=x86 --cpu=haswell | FileCheck %s
// RUN: quant-run %s --inputs=%t/x.npy --target=x86 --features=-avx512vnni,-avxvnni | FileCheck %s
// RUN: quant-opt %s --emit-bytecode -o %t/model.mlirbc
// RUN: quant-run %t/model.mlirbc --inputs=%t/x.npy --target=x86 | FileCheck %s
// RUN: quant-run %s --inputs=%t/x.npy --target=x86 --compare | FileCheck %s --check-prefixes=CHECK,SAME
// RUN: quant-run %s --inputs=%t/x.npy --target=x86 --repeat=3 --report=%t/r.json | FileCheck %s --check-prefixes=CHECK,PEAK
// RUN: %python -c "import json; r = json.load(open('%t/r.json')); p = r['peak']; assert p['gmac_per_s'] > 1 and p['ratio'] == r['timing']['gmac_per_s'] / p['gmac_per_s']; print(r['target'], r['cpu'])" | FileCheck %s --check-prefix=JSON

// CHECK: result0: tensor<2x2xi32> = {{\[\[}}23, -28], [-28, 44]]
// CHECK: result1: tensor<2x2xf32> = {{\[\[}}0.23, -0.28], [-0.28, 0.44]]
// SAME: compare result0 with generic: {{.*}} bit-identical
// SAME: compare result1 with generic: {{.*}} bit-identical
// PEAK: time x86: median {{.*}} ms, min {{.*}} ms of 3 runs, {{.*}} GMAC/s
// PEAK: peak of one core: {{[0-9.]+}} GMAC/s ({{avx512.vpdpbusd.*|avx2.pmadd.wd|tdpbusd}}); the program reaches {{[0-9.]+}} of it
// JSON: x86 host
func.func @main(%x: tensor<2x3xf32>) -> (tensor<2x2xi32>, tensor<2x2xf32>) {
  %w = arith.constant dense<[[0.6, -0.1, 0.3], [-0.4, 0.7, -0.2]]> : tensor<2x3xf32>
  %s = arith.constant dense<0.1> : tensor<f32>
  %init = arith.constant dense<0> : tensor<2x2xi32>
  %qx = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-128, 127] : tensor<2x3xf32> -> tensor<2x3xi8>
  %qw = quant.quantize %w scale(%s : tensor<f32>) axes = [] range = [-128, 127] : tensor<2x3xf32> -> tensor<2x3xi8>
  %acc = quant.matmul ins(%qx, %qw : tensor<2x3xi8>, tensor<2x3xi8>) outs(%init : tensor<2x2xi32>) {transpose_rhs} -> tensor<2x2xi32>
  %y = quant.rescale %acc row_scale(%s : tensor<f32>) channel_scale(%s : tensor<f32>) : tensor<2x2xi32> -> tensor<2x2xf32>
  return %acc, %y : tensor<2x2xi32>, tensor<2x2xf32>
}
