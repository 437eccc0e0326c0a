// The machine code of float activations by 4-bit weights, one row: nibbles are
// looked up where there is vpermps of 512 bits, two at once where bf16 are
// multiplied, else put into mantissas; nothing is converted, nothing spilled.

// RUN: quant-opt --quant-to-x86="cpu=icelake-server" %s | mlir-translate --mlir-to-llvmir \
// RUN:   | opt -O3 -mcpu=icelake-server | llc -O3 -mcpu=icelake-server | FileCheck %s --check-prefix=TABLE
// RUN: quant-opt --quant-to-x86="cpu=haswell" %s | mlir-translate --mlir-to-llvmir \
// RUN:   | opt -O3 -mcpu=haswell | llc -O3 -mcpu=haswell | FileCheck %s --check-prefix=MANTISSA

// RUN: quant-opt --quant-to-x86="cpu=znver4" %s | mlir-translate --mlir-to-llvmir \
// RUN:   | opt -O3 -mcpu=znver4 | llc -O3 -mcpu=znver4 | FileCheck %s --check-prefix=PAIRS

// Each of 16 pairs of weights takes two, for the two parts of the activations.
// PAIRS-LABEL: row:
// PAIRS-NOT: {{vcvt|Spill|Reload|vfmadd}}
// PAIRS-COUNT-32: vdpbf16ps {{.*}}%zmm
// PAIRS-NOT: {{vdpbf16ps|Spill|Reload}}
// PAIRS: retq

// TABLE-LABEL: row:
// TABLE-NOT: {{vcvt|vpternlog|Spill|Reload}}
// TABLE-COUNT-32: vperm{{d|ps}} {{.*}}%zmm
// TABLE-NOT: {{vcvt|vpternlog|vperm|Spill|Reload}}
// TABLE: retq

// MANTISSA-LABEL: row:
// MANTISSA-NOT: {{vcvt|vperm|Spill|Reload}}
// MANTISSA-COUNT-64: vfmadd{{.*}}%ymm
// MANTISSA-NOT: {{vcvt|vperm|Spill|Reload}}
// MANTISSA: retq
func.func @row(%x: tensor<1x32xf32>) -> tensor<1x16xf32> {
  %p = arith.constant dense<"0x7942BDF22106F0847762F0F3CB4D764DC7072051159A0F89F2C6DACAE344BB311245FD6F84DF9AD7C5B3D076AC0E8F53A7356C88913F20F6F72DB022D24D0A96DAD43C1617C1A98E78129E0327371065D095864F15ADA0B846C1C0EBC5348ADC799ADF849BAD05D4A10AC0441EAAEEB4B48EFA0B1F0ABD80E998A35ABA5EA0BD8799C1350D439E71897AA75FDE3134A4AA72E05628AC6FE68A733D1161A15D8EAE2BB042D7958AEDB1D594D6D112D34F6602F4DE7110E993AE7422923D7D171165DC1906F63D57997A0AD31B3AAE4081F41FB471653E3D577A8C4103F9CC198A7F89D81AF2A5001C40173F1923F7102CFAA150A124B3C5C79BB88761A8DB3F41"> : tensor<16x16xi8>
  %w = quant.unpack_int4 %p : tensor<16x16xi8> -> tensor<16x32xi4>
  %s = arith.constant dense<0.5> : tensor<16x1xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<1x32xf32>, tensor<16x32xi4>)
    rhs_scale(%s : tensor<16x1xf32>) {group_size = 32 : i64} -> tensor<1x16xf32>
  return %y : tensor<1x16xf32>
}
