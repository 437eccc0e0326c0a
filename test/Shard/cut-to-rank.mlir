// RUN: quant-opt %s --split-input-file --quant-cut-to-rank=rank=1 --canonicalize --cse | FileCheck %s
// RUN: not quant-opt %s --split-input-file --quant-cut-to-rank=rank=2 2>&1 | FileCheck %s --check-prefix=RANK
// RUN: not quant-opt %s --split-input-file --quant-cut-to-rank=mpi=LAM 2>&1 | FileCheck %s --check-prefix=LIBRARY
// RANK: error: 'shard.grid' op has 2 ranks, and there is no rank 2
// LIBRARY: error: mpi: expected OpenMPI or MPICH, found 'LAM'

// CHECK: module attributes {dlti.map = #dlti.map<"MPI:Implementation" = "OpenMPI">}
shard.grid @ranks(shape = 2)

// The parts of constants, along any dimension.
// CHECK-LABEL: func @constants
// CHECK-DAG: arith.constant dense<{{\[\[}}5, 6], [7, 8]]> : tensor<2x2xi8>
// CHECK-DAG: arith.constant dense<{{\[\[}}2], [4], [6], [8]]> : tensor<4x1xi8>
// CHECK-DAG: arith.constant dense<[-3, 4]> : tensor<2xi4>
// CHECK-DAG: arith.constant dense<5.000000e-01> : tensor<2xf32>
// CHECK-NOT: all_slice
func.func @constants() -> (tensor<2x2xi8>, tensor<4x1xi8>, tensor<2xi4>, tensor<2xf32>) {
  %w = arith.constant dense<[[1, 2], [3, 4], [5, 6], [7, 8]]> : tensor<4x2xi8>
  %q = arith.constant dense<[1, -2, -3, 4]> : tensor<4xi4>
  %s = arith.constant dense<0.5> : tensor<4xf32>
  %0 = shard.all_slice %w on @ranks grid_axes = [0] slice_axis = 0 : tensor<4x2xi8> -> tensor<2x2xi8>
  %1 = shard.all_slice %w on @ranks grid_axes = [0] slice_axis = 1 : tensor<4x2xi8> -> tensor<4x1xi8>
  %2 = shard.all_slice %q on @ranks grid_axes = [0] slice_axis = 0 : tensor<4xi4> -> tensor<2xi4>
  %3 = shard.all_slice %s on @ranks grid_axes = [0] slice_axis = 0 : tensor<4xf32> -> tensor<2xf32>
  return %0, %1, %2, %3 : tensor<2x2xi8>, tensor<4x1xi8>, tensor<2xi4>, tensor<2xf32>
}

// What is no constant is cut when the program runs.
// CHECK-LABEL: func @values
// CHECK: tensor.extract_slice %{{.*}}[0, 3] [4, 3] [1, 1] : tensor<4x6xf32> to tensor<4x3xf32>
func.func @values(%x: tensor<4x6xf32>) -> (tensor<4x3xf32>, index) {
  %0 = shard.all_slice %x on @ranks grid_axes = [0] slice_axis = 1 : tensor<4x6xf32> -> tensor<4x3xf32>
  %1 = shard.process_multi_index on @ranks axes = [0] : index
  // CHECK: return %{{.*}}, %c1
  return %0, %1 : tensor<4x3xf32>, index
}

// Rows become columns: all are gathered, and the own ones kept.
// CHECK-LABEL: func @exchanged
// CHECK: %[[A:.*]] = shard.all_gather %{{.*}} on @ranks grid_axes = [0] gather_axis = 0 : tensor<2x6xf32> -> tensor<4x6xf32>
// CHECK: tensor.extract_slice %[[A]][0, 3] [4, 3] [1, 1] : tensor<4x6xf32> to tensor<4x3xf32>
func.func @exchanged(%x: tensor<2x6xf32>) -> tensor<4x3xf32> {
  %0 = shard.all_to_all %x on @ranks grid_axes = [0] split_axis = 1 concat_axis = 0 : tensor<2x6xf32> -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}
