// The integers that ONNX Runtime 1.32 made of this block (MatMulNBits of K = 32 with
// accuracy_level 4, whose weight picks one element each): the one 27 is 28 where the
// data is divided by the scale.
// RUN: quant-run %s -O0 --target=generic | FileCheck %s
// RUN: quant-run %s -O0 --target=x86 | FileCheck %s
// CHECK: result0: tensor<1x32xi8> = {{\[\[}}127, -96, 16, 31, -48, 5, 2, -92, 80, -6, 6, 37, -64, 87, -73, 27, -13, -54, 28, 39, -56, -32, -74, 27, 36, -36, 89, 19, 26, 63, -44, 21]]
// CHECK: result1: tensor<1x32xi8> = {{.*}}, -73, 28, -13,
func.func @main() -> (tensor<1x32xi8>, tensor<1x32xi8>) {
  %x = arith.constant dense<"0x9D0F354094CD08C0F1FAB73EA8D82F3F478287BFCBCCE73DA4F0543D73FC02C03DDBE23F2ECF0EBE67DA023EFE06513F36B5B5BFE826F93F48DBCFBF11D31C3F65A48FBEA30D9ABFC56A213F40BC603FE593A0BF8A3A34BF4280D2BFBD1D193F29D94B3FC27C4CBFD8EBFD3F94CAD33EAAEB143F538EB23F1E7E7ABFA756EC3E"> : tensor<1x32xf32>
  %q = tensor.empty() : tensor<1x32xi8>
  %s = tensor.empty() : tensor<1x1xf32>
  %0:2 = quant.quantize_blocks ins(%x : tensor<1x32xf32>) outs(%q, %s : tensor<1x32xi8>, tensor<1x1xf32>)
    block = 32 range = [-127, 127] scales = mlas -> tensor<1x32xi8>, tensor<1x1xf32>
  %1:2 = quant.quantize_blocks ins(%x : tensor<1x32xf32>) outs(%q, %s : tensor<1x32xi8>, tensor<1x1xf32>)
    block = 32 range = [-127, 127] -> tensor<1x32xi8>, tensor<1x1xf32>
  return %0#0, %1#0 : tensor<1x32xi8>, tensor<1x32xi8>
}
