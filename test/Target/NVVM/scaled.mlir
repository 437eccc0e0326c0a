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

// PACKED-LABEL: func @grouped(
// PACKED: %[[Q:.*]]:2 = quant.quantize_rows {{.*}} -> tensor<?x2x1x64xi8>
// PACKED: quant.packed_scaled_matmul <dp4a> 4 ins(%[[Q]]#0, %{{.*}} : tensor<?x2x1x64xi8>, tensor<2x3x4x8x4xi8>)
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
// PACKED: quant.packed_scaled_matmul <dp4a> 4
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
// PACKED: quant.packed_scaled_matmul <dp4a> 4
func.func @mirrored_groups(%x: tensor<?x16xi8>) -> tensor<?x2xf32> {
  %w = arith.constant dense<[[0, 17, 34, 51, 68, 85, 102, 119], [-1, -18, -35, -52, -69, -86, -103, -120]]> : tensor<2x8xi8>
  %s = arith.constant dense<[[0.5, 0.25], [0.3, 0.7]]> : tensor<2x2xf32>
  %z = arith.constant dense<[[0, -1], [-1, 0]]> : tensor<2x2xi32>
  %q4 = quant.unpack_int4 %w : tensor<2x8xi8> -> tensor<2x16xi4>
  %y = quant.scaled_matmul ins(%x, %q4 : tensor<?x16xi8>, tensor<2x16xi4>) rhs_scale(%s : tensor<2x2xf32>)
    rhs_zero_point(%z : tensor<2x2xi32>) {group_size = 8 : i64} -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// PACKED-LABEL: func @zero_points(
// PACKED-NOT: quant.packed_scaled_matmul
func.func @zero_points(%x: tensor<?x16xi8>) -> tensor<?x2xf32> {
  %w = arith.constant dense<3> : tensor<2x16xi4>
  %s = arith.constant dense<0.5> : tensor<2x2xf32>
  %z = arith.constant dense<[[0, 1], [2, 3]]> : tensor<2x2xi32>
  // expected-remark@+1 {{not packed: its activations or its weight have a zero point; the portable lowering is used}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<?x16xi8>, tensor<2x16xi4>) rhs_scale(%s : tensor<2x2xf32>)
    rhs_zero_point(%z : tensor<2x2xi32>) {group_size = 8 : i64} -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}
