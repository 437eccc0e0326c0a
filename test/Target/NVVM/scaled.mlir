// A weight whose scales differ along K is packed for dp4a, in nibbles, and its
// kernel makes bytes of them by a mask, and a shift for one of two. Activations
// are quantized by a kernel and stay on the GPU.
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_80 stop-after=packed" --verify-diagnostics | FileCheck %s --check-prefix=PACKED
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_80 stop-after=target" 2>/dev/null | FileCheck %s --check-prefix=TARGET
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_61 stop-after=target" 2>/dev/null | FileCheck %s --check-prefix=OLD
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_90a format=isa" 2>/dev/null | FileCheck %s --check-prefix=PTX

// Whole programs, on an emulated GPU and on the CPU: the same bits.
// RUN: env QUANT_CUDA_DRIVER=%shlib_dir/libemulated-cuda.so QUANT_PTXSIM_PYTHON=%python quant-run %s --entry=grouped --target=nvvm --chip=sm_80 --random-inputs=1 --dims=7 --outputs=%t.gpu > /dev/null 2>&1
// RUN: quant-run %s --entry=grouped --random-inputs=1 --dims=7 --outputs=%t.cpu > /dev/null
// RUN: cmp %t.gpu/out0.npy %t.cpu/out0.npy
// RUN: env QUANT_CUDA_DRIVER=%shlib_dir/libemulated-cuda.so QUANT_PTXSIM_PYTHON=%python quant-run %s --entry=matmulnbits --target=nvvm --chip=sm_61 --random-inputs=1 --dims=3 --outputs=%t.gpu > /dev/null 2>&1
// RUN: quant-run %s --entry=matmulnbits --random-inputs=1 --dims=3 --outputs=%t.cpu > /dev/null
// RUN: cmp %t.gpu/out0.npy %t.cpu/out0.npy
// RUN: env QUANT_CUDA_DRIVER=%shlib_dir/libemulated-cuda.so QUANT_PTXSIM_PYTHON=%python quant-run %s --entry=unsigned_activations --target=nvvm --chip=sm_86 --random-inputs=1 --dims=19 --outputs=%t.gpu > /dev/null 2>&1
// RUN: quant-run %s --entry=unsigned_activations --random-inputs=1 --dims=19 --outputs=%t.cpu > /dev/null
// RUN: cmp %t.gpu/out0.npy %t.cpu/out0.npy
// RUN: env QUANT_CUDA_DRIVER=%shlib_dir/libemulated-cuda.so QUANT_PTXSIM_PYTHON=%python quant-run %s --entry=asymmetric --quantize="weights=group group-size=32 weight-bits=4 weight-symmetric=false symmetric=false" --target=nvvm --chip=sm_80 --random-inputs=1 --dims=9 --outputs=%t.gpu > /dev/null 2>&1
// RUN: quant-run %s --entry=asymmetric --quantize="weights=group group-size=32 weight-bits=4 weight-symmetric=false symmetric=false" --random-inputs=1 --dims=9 --outputs=%t.cpu > /dev/null
// RUN: cmp %t.gpu/out0.npy %t.cpu/out0.npy

// PACKED-LABEL: func @grouped(
// PACKED: %[[Q:.*]]:2 = quant.quantize_rows {{.*}} -> tensor<?x2x1x64xi8>
// PACKED: qtarget.packed_matmul #qtarget.nvvm<grouped_s8> layout<lhs = s8 1x64, rhs = s4 8x8, group = 32> ins(%[[Q]]#0, %{{.*}} : tensor<?x2x1x64xi8>, tensor<2x3x4x8x4xi8>)
// PACKED-SAME: rhs_scale(%{{.*}} : tensor<2x3x8xf32>) row_scale(%[[Q]]#1 : tensor<?xf32>)
// TARGET-LABEL: func.func @grouped(
// TARGET: gpu.launch_func @quant_kernels::@quantize_rows
// TARGET-NOT: memref<?x2x1x64xi8>
// Few rows and many, whose number is known only now, read the same weight.
// TARGET: gpu.launch_func @quant_kernels::@scaled_{{[0-9]}}
// TARGET: else
// TARGET: gpu.launch_func @quant_kernels::@scaled_mma_{{[0-9]}}
// OLD-LABEL: func.func @grouped(
// OLD: gpu.launch_func @quant_kernels::@scaled_{{[0-9]}}
// OLD-NOT: scaled_mma
// PTX: .entry scaled
// PTX: ld.global{{[a-z.]*}}.v4
// PTX: shl.b32 {{[^;]*}}, 4;
// PTX: and.b32 {{[^;]*}}, -252645136;
// PTX: dp4a.s32.s32
// PTX: shfl.sync.bfly.b32
// PTX: fma.rn.f32
func.func @grouped(%x: tensor<?x96xf32>) -> tensor<?x10xf32> {
  %w = arith.constant dense<"0xFFE42279F3BD068366A852C1BB9651F3CD18EC08F6A4E724D26FACD2AEB0DAF2A972CD3FA02FD44F487078DE451F5F6C246DEE453351E4D3CA3ACA414C46C1682AFAD1A4022CB28C6202F315321D0E07353297DD2E3CE6C0A49C7FD69AC2C38948994AD13A4C69540AD5E273A876D6C94519B91F242D9E4D2E0CDA1F0C7018740B8216FA818E50225DB52062A5693267552564E784A41534ECFD938092F72643F316130531E617C04597E00F4DDEC84776FC8C7FC779357C4DA6EF1DD79711FB0035C5BF742A2FF6DE23941764D58BB90AA10B4BDCD78D8AB947C8EC8957E24619F2D2B9737D20290250945229084DF82E59CE6B21121D84D8FCFF4A685EA91D448FB26C4D069D9FA11DA2745FB4D4C6D6D0E35CCAC8ED9CB38CD5C5BA05D4EAC762646D3EC2220AD56DF1B73EA05187E3A541DF5209977503723A5E5B24F60F213C097538152EA47A6723C54C2546DA2A03003789FBCA9727FDEFCD0FBF95425F213A58B17902D75C05E29474526E82406A76AC2A9DC98276F81EFB7296C6C0F27FDB0DF237DE253CE4898B810ED3D1B302AB1103E4EBAE3E366EC2662F7FC9809993DF5DC30D319EE0268ED7BC67CD2DB9A55BD59AFA3064C8BF7AE0A1E01459E15138AD27F0DA379AE9AA40137DDC8E0D0BD732BC64E08BB37F4F4B13CF78"> : tensor<10x48xi8>
  %s = arith.constant dense<[[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9], [1.0, 1.1, 1.2], [1.3, 1.4, 1.5],
                             [0.1, 0.3, 0.3], [0.4, 0.3, 0.6], [0.7, 0.3, 0.9], [1.0, 0.3, 1.2], [1.3, 0.3, 1.5]]> : tensor<10x3xf32>
  %q4 = quant.unpack_int4 %w : tensor<10x48xi8> -> tensor<10x96xi4>
  %sx = quant.choose_qparams %x axes = [0] range = [-127, 127] : tensor<?x96xf32> -> tensor<?xf32>
  %q = quant.quantize %x scale(%sx : tensor<?xf32>) axes = [0] range = [-127, 127] : tensor<?x96xf32> -> tensor<?x96xi8>
  %y = quant.scaled_matmul ins(%q, %q4 : tensor<?x96xi8>, tensor<10x96xi4>) row_scale(%sx : tensor<?xf32>)
    rhs_scale(%s : tensor<10x3xf32>) {group_size = 32 : i64} -> tensor<?x10xf32>
  return %y : tensor<?x10xf32>
}

// Unsigned nibbles whose zero point is 8 everywhere are signed ones without.
// PACKED-LABEL: func @matmulnbits(
// PACKED: qtarget.packed_matmul #qtarget.nvvm<grouped_s8> layout<lhs = s8 1x64, rhs = s4 8x8,
func.func @matmulnbits(%x: tensor<?x16xi8>) -> tensor<?x2xf32> {
  %w = arith.constant dense<[[0, 17, 34, 51, 68, 85, 102, 119], [-1, -18, -35, -52, -69, -86, -103, -120]]> : tensor<2x8xi8>
  %s = arith.constant dense<[[0.5, 0.25], [0.3, 0.7]]> : tensor<2x2xf32>
  %z = arith.constant dense<8> : tensor<2x2xi32>
  %q4 = quant.unpack_int4 %w : tensor<2x8xi8> -> tensor<2x16xi4>
  %y = quant.scaled_matmul ins(%x, %q4 : tensor<?x16xi8>, tensor<2x16xi4>) rhs_scale(%s : tensor<2x2xf32>)
    rhs_zero_point(%z : tensor<2x2xi32>) {group_size = 8 : i64, rhs_unsigned} -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// Zero points 0 and -1 mirror each other: those groups need none.
// PACKED-LABEL: func @mirrored_groups(
// PACKED: qtarget.packed_matmul #qtarget.nvvm<grouped_s8> layout<lhs = s8 1x64, rhs = s4 8x8,
func.func @mirrored_groups(%x: tensor<?x16xi8>) -> tensor<?x2xf32> {
  %w = arith.constant dense<[[0, 17, 34, 51, 68, 85, 102, 119], [-1, -18, -35, -52, -69, -86, -103, -120]]> : tensor<2x8xi8>
  %s = arith.constant dense<[[0.5, 0.25], [0.3, 0.7]]> : tensor<2x2xf32>
  %z = arith.constant dense<[[0, -1], [-1, 0]]> : tensor<2x2xi32>
  %q4 = quant.unpack_int4 %w : tensor<2x8xi8> -> tensor<2x16xi4>
  %y = quant.scaled_matmul ins(%x, %q4 : tensor<?x16xi8>, tensor<2x16xi4>) rhs_scale(%s : tensor<2x2xf32>)
    rhs_zero_point(%z : tensor<2x2xi32>) {group_size = 8 : i64} -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// Zero points that differ are corrected by the kernel, which sums the
// activations of each group as well; what rows' zero points are multiplied by is
// a constant: sums of the weight less its zero points, 8 * (3 - z).
// PACKED-LABEL: func @zero_points(
// PACKED-DAG: %[[Z:.*]] = arith.constant dense<{{\[\[\[}}0, 2, 0, 0, 0, 0, 0, 0], [1, 3, 0, 0, 0, 0, 0, 0]]]> : tensor<1x2x8xi32>
// PACKED-DAG: %[[SUMS:.*]] = arith.constant dense<{{\[\[\[}}24, 8, 0, 0, 0, 0, 0, 0], [16, 0, 0, 0, 0, 0, 0, 0]]]> : tensor<1x2x8xi32>
// PACKED: qtarget.packed_matmul #qtarget.nvvm<grouped_s8> layout<lhs = s8 1x64, rhs = s4 8x8, {{.*}} rhs_zero_point(%[[Z]] : tensor<1x2x8xi32>) lhs_zero_point(%{{.*}} : tensor<?xi32>) rhs_sums(%[[SUMS]] : tensor<1x2x8xi32>)
func.func @zero_points(%x: tensor<?x16xi8>, %zx: tensor<?xi32>) -> tensor<?x2xf32> {
  %w = arith.constant dense<3> : tensor<2x16xi4>
  %s = arith.constant dense<0.5> : tensor<2x2xf32>
  %z = arith.constant dense<[[0, 1], [2, 3]]> : tensor<2x2xi32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<?x16xi8>, tensor<2x16xi4>) lhs_zero_point(%zx : tensor<?xi32>)
    rhs_scale(%s : tensor<2x2xf32>) rhs_zero_point(%z : tensor<2x2xi32>) {group_size = 8 : i64} -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// Unsigned activations become signed ones, whose zero point is 128 less; one
// for all of them is a number.
// PACKED-LABEL: func @unsigned_activations(
// PACKED-DAG: %[[ZX:.*]] = arith.constant dense<-11> : tensor<i32>
// PACKED: qtarget.packed_matmul #qtarget.nvvm<grouped_s8> layout{{.*}} lhs_zero_point(%[[ZX]] : tensor<i32>) rhs_sums(
func.func @unsigned_activations(%x: tensor<?x96xi8>) -> tensor<?x10xf32> {
  %w = arith.constant dense<"0x789B34CAF54F2E220ACD941E71B88D5836866D0D858B63549E94BE2CACC67F5B7EF28F2D9903959F63D3D893DCE752779C84162917EC8FF1AF4A6422D367E18D5EB6DFA465A5331F758E793EA95A94EB0D15B62A92A709A593A44ED2279662E3954580C351A904BA16E856BAB99431E06AD96A3A1E1F1C564C14FB7FA4123E95D166F4677BE0D2FB1270D7E37FDB6EFF60101282817C6A76D58548A61AA13BCE14FDC62FDC6B54AC97F1A1D76E89ADC8FE268F6116CA41891E55EDF1CEC76F016C5006833BCAC3711B6752A9F1E10D281139FA834715B9280598B1262BE8C3699FC677F9CC30273ABBDED4E322649AF5D83C55BE535A4CA7FDAD840256029F3D38F9F7267DD296B6755C001BA0EF9CE1E2C84880B9AE44DD2A495A92BE65B32F27CE5BA8BEA759990B0A2DB732515DFD273B58F5719BCF79FA719EBC75A7E7CCCDA091E0D206805EEABACEC60E4F22EAB19F2E84F771F4214C7A2399431853CB86097D50316910A2293E8A1F93584CD44229BA014FD24E6E98F722C0565383C89BCDA857C61FD80E8E099B4E2B503B07767604F45EE7C2AC586036F3B69CD3136C829DF4AD2A78A13513A5F3B4295A16FF7F136624AC469D3B0024738C091105F44A6DB87FB098C6CE1158D3FC2098906ADFA4596D09F5DF8DA9D0D1A46B838F2C0FCE869343A02C542F6C816EFF3AAE04E968552F7D303AA1974D265B0D5C698611A6A8BA53576E191B521D86FC356646C8F5FDA5B9DCCF12135C4EB7709779BA63B0C4BA397261B25E6C0A0D3C6197A4FE159CC95347C0EDB3B602E445E50FD66C3AA9971B28F6521F5C7BAA0A0BC3DF764615445D9277DEA0BE57B0B084AB104DBB64FDF13D25645149471AB129184C5A861D97F38F6BF1901F4793D51701B1B82466DD28D9109165645867292F050195D9212FAD56661F1F2147DF4535A6AD8D443C240250168BD99BB74EB9E97EE757F70D6385E7AA529B52A199A16BF79589BC54A13177A8635AE1319E100217015B727DBEC9C57BE2DD942DAF16315E1CD002C853DE1671BFAFB24300B1BA31C16DFAB4DD2EC8502CE5C66B0D2F92334041E9E0B2D0A2CD9ECA34AEC027F9DEBC7453DB913FAB12795EF576B5D8E1D53FFD06DCB7F08F6448AAB84E87F745FAC5F4B210DE825F5A09EB9C43170177AE4FA1A7E6768C1C2012E1387C73F2205359640263617007F7A7B287CF43AD3C8087311DAC1CC423697F19FAC6BB232B4BE4DBC03757491156E9F1E1BBDD7E808A0388CBAA923D506052C7425E6024249C0F29EB30038E8764603B82CC8A8B0334CCB953FBAF61FB7D5456AA106B60EEA54157BADCE6BAA727EBF88B854E3982E0"> : tensor<10x96xi8>
  %s = arith.constant dense<0.0123> : tensor<10x3xf32>
  %zx = arith.constant dense<117> : tensor<i32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<?x96xi8>, tensor<10x96xi8>) lhs_zero_point(%zx : tensor<i32>)
    rhs_scale(%s : tensor<10x3xf32>) {group_size = 32 : i64, lhs_unsigned} -> tensor<?x10xf32>
  return %y : tensor<?x10xf32>
}

// From floats: zero points of groups and, known only now, of rows.
// PACKED-LABEL: func @asymmetric(
func.func @asymmetric(%x: tensor<?x40xf32>) -> tensor<?x5xf32> {
  %w = arith.constant dense<"0x3EA2BDBE586A583E442A3F3F03095E3F4ACA303F16BBFD3D0A8F873EB6ABB7BC3D720DBF0FB506BE9A72123FF86A653ECDAA6DBDE0ADD9BE83BD5E3D215541BE922BF23D3900AF3E055284BFF695623D868720BF6573BABE543204BF2F16273FD6B4DD3E76D5B13EE17E89BE1E641DBF2201B6BD6BF64D3EBF08833DBAF3E13E4A3F9EBDD13C7E3F1BD8D93EED9D8B3FD83A633EB8067CBC4461A4BE3557003F49BD1E3FB98D353E660A9B3EC14210BD445BDEBDC29639BD0AC255BF7AE8CEBEE81FF33D9D77253E639D233FB1F5D23EDF589E3E5305FC3D0A5883BFEB05FC3DA8F1AEBE3353AF3EA82C2EBD4C4C8EBDDFF02DBEC74544BDDA7860BF375A32BF3627333F5CF79F3E2938FCBD33189CBD5206B1BD4E4FDB3F0E66B53E6323C63DD1C674BE1D3B8ABFFDC1203E2FEB483F51590F3F87F0683EE87353BE94A4FCBE0203083EE633E2BD3C11F2BEFE146B3F86FDBEBE268A34BE28108CBF5F6A713F3F70663C0DD2673D7BEF713E9373A6BE94EB5DBE8E36763E0CC2A1BED15C813EE39C323F963BF23E62584C3FF8CE203FFCC0753F4818743ED56B9D3EF2A3E5BEFD0C9D3BB0F487BE0721723DEA4ED9BE0308823E4DB1B03F6FBA95BE4272C33E02C6CF3EB14D8ABE2EEA53BD7A072ABEACCEA03E15D063BEDD30B23F783C063F641C2A3FAECC953FF2C5473F5DC2263DD8B48D3E84DCE73D8715693EA55B143FF54865BF88783DBF76718BBD92D3A23E950F1BBE92D34ABB4D27253F9D0BDC3E65761E3D06E596BD12D924BFFE43AB3EB923133E7662C7BE7A79A93ED6EDC8BDB91AAEBD023F3DBFD8BE063F3C2199BEE06A693ECA9E443EDF5550BE00E4353DB4EA33BD50AD57BDA4C82A3EDA437EBE55E2D13ED068003E333804BF18438B3E879C0ABE6A19993E2A108DBFC7B9713E61D687BFD8C426BEED91D33F1B87C43E3F9C143F75F59ABED98B03BF45CA0E3CA2A9823E9BBE633AC66294BE14ECC6BE355E19BE16105D3FBE776A3D9B8904BEED4A92BDD931D8BE7F381CBFCE2A133E8A073E3F34D4A43E6B231EBF6DAD553F3946573E5516833F470C2B3C433318BF12F5483E82739C3B0C32EEBE9CB996BE4B39FCBD331AB8BE1CA1C93E1A97713E"> : tensor<40x5xf32>
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %m = tensor.dim %x, %c0 : tensor<?x40xf32>
  %e = tensor.empty(%m) : tensor<?x5xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<?x5xf32>) -> tensor<?x5xf32>
  // expected-remark@+1 {{matmul stays in float: no scheme was asked for}}
  %y = linalg.matmul ins(%x, %w : tensor<?x40xf32>, tensor<40x5xf32>) outs(%init : tensor<?x5xf32>) -> tensor<?x5xf32>
  return %y : tensor<?x5xf32>
}

// PACKED-LABEL: func @offsets(
// PACKED-NOT: qtarget.packed_matmul
func.func @offsets(%x: tensor<?x16xi8>) -> tensor<?x2xf32> {
  %w = arith.constant dense<3> : tensor<2x16xi4>
  %s = arith.constant dense<0.5> : tensor<2x2xf32>
  // expected-remark@+1 {{not packed: its weight has an offset; the portable lowering is used}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<?x16xi8>, tensor<2x16xi4>) rhs_scale(%s : tensor<2x2xf32>)
    rhs_offset(%s : tensor<2x2xf32>) {group_size = 8 : i64} -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// Sums with zero points reach further: 255 * 15 * 16 for each element.
// PACKED-LABEL: func @long_groups(
// PACKED-NOT: qtarget.packed_matmul
func.func @long_groups(%x: tensor<?x40000xi8>, %zx: tensor<?xi32>) -> tensor<?x1xf32> {
  %w = arith.constant dense<3> : tensor<1x40000xi4>
  %s = arith.constant dense<0.5> : tensor<1x1xf32>
  %z = arith.constant dense<5> : tensor<1x1xi32>
  // expected-remark@+1 {{not packed: groups of more than 35089 elements; the portable lowering is used}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<?x40000xi8>, tensor<1x40000xi4>) lhs_zero_point(%zx : tensor<?xi32>)
    rhs_scale(%s : tensor<1x1xf32>) rhs_zero_point(%z : tensor<1x1xi32>) {group_size = 40000 : i64} -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}
