// The tile of rows by what a CPU's ports are: as many rows as share what
// unpacking costs the dot products', or as leave the f32 sums their registers.
// RUN: quant-opt %s --quant-to-x86="cpu=icelake-server stop-after=target" | FileCheck %s --check-prefix=SHARED
// RUN: quant-opt %s --quant-to-x86="cpu=znver5 stop-after=target" | FileCheck %s --check-prefix=OWN
// RUN: quant-opt %s --quant-to-x86="cpu=icelake-server features=+sse4a stop-after=target" | FileCheck %s --check-prefix=OWN
// RUN: quant-opt %s --quant-to-x86="cpu=znver5 stop-after=packed" | FileCheck %s --check-prefix=TARGET

// TARGET: qtarget.target = #qtarget.target<arch = "x86_64", cpu = "znver5", {{.*}}"sse4a"
module {
  // SHARED-LABEL: func.func @groups_of_32
  // SHARED: scf.for %{{.*}} = %{{.*}} to %{{.*}} step %c12
  // OWN-LABEL: func.func @groups_of_32
  // OWN: scf.for %{{.*}} = %{{.*}} to %{{.*}} step %c6
  func.func @groups_of_32(%x: tensor<24x64xi8>, %rs: tensor<24xf32>) -> tensor<24x32xf32> {
    %w = arith.constant dense<3> : tensor<32x64xi4>
    %s = arith.constant dense<0.5> : tensor<32x2xf32>
    %y = quant.scaled_matmul ins(%x, %w : tensor<24x64xi8>, tensor<32x64xi4>)
      row_scale(%rs : tensor<24xf32>) rhs_scale(%s : tensor<32x2xf32>)
      {group_size = 32 : i64} -> tensor<24x32xf32>
    return %y : tensor<24x32xf32>
  }
  // Both sides scaled: one more product a vector. High nibbles are shifted as
  // bytes, or, by AMD's, as words.
  // SHARED-LABEL: func.func @blocks
  // SHARED: arith.shrui %{{.*}} : vector<64xi8>
  // SHARED: arith.mulf %{{.*}} : vector<16xf32>
  // SHARED: math.fma
  // OWN-LABEL: func.func @blocks
  // OWN: arith.shrui %{{.*}} : vector<32xi16>
  // OWN: arith.mulf %{{.*}} : vector<16xf32>
  // OWN: math.fma
  func.func @blocks(%x: tensor<24x64xi8>, %sx: tensor<24x2xf32>) -> tensor<24x32xf32> {
    %w = arith.constant dense<3> : tensor<32x64xi4>
    %s = arith.constant dense<0.5> : tensor<32x2xf32>
    %y = quant.scaled_matmul ins(%x, %w : tensor<24x64xi8>, tensor<32x64xi4>)
      rhs_scale(%s : tensor<32x2xf32>) lhs_scale(%sx : tensor<24x2xf32>)
      {group_size = 32 : i64, lhs_group_size = 32 : i64} -> tensor<24x32xf32>
    return %y : tensor<24x32xf32>
  }
  // SHARED-LABEL: func.func @groups_of_128
  // SHARED: scf.for %{{.*}} = %{{.*}} to %{{.*}} step %c12
  // OWN-LABEL: func.func @groups_of_128
  // OWN: scf.for %{{.*}} = %{{.*}} to %{{.*}} step %c8
  func.func @groups_of_128(%x: tensor<24x256xi8>, %rs: tensor<24xf32>) -> tensor<24x32xf32> {
    %w = arith.constant dense<3> : tensor<32x256xi4>
    %s = arith.constant dense<0.5> : tensor<32x2xf32>
    %y = quant.scaled_matmul ins(%x, %w : tensor<24x256xi8>, tensor<32x256xi4>)
      row_scale(%rs : tensor<24xf32>) rhs_scale(%s : tensor<32x2xf32>)
      {group_size = 128 : i64} -> tensor<24x32xf32>
    return %y : tensor<24x32xf32>
  }
}
