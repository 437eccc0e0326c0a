// Gathers and sums that are divided, of which upstream has no lowering, and sums of
// sizes that the run knows.
//
// RUN: quant-opt %s --split-input-file --quant-lower-collectives=all=true --canonicalize | FileCheck %s
// RUN: quant-opt %s --split-input-file --quant-lower-collectives --canonicalize | FileCheck %s --check-prefix=GATHERS

// Parts one after the other are a gather of the first dimension; the bytes of i4
// are those of memory.
// CHECK-LABEL: func @first
// CHECK: %[[F:.*]] = bufferization.to_buffer %{{.*}} read_only : tensor<4x?xi4> to memref<4x?xi4>
// CHECK: %[[T:.*]] = memref.alloc(%{{.*}}) : memref<3x4x?xi4>
// CHECK: call @[[G:quant_all_gather[_0-9]*]](%[[F]], %[[T]]) : (memref<4x?xi4>, memref<3x4x?xi4>) -> ()
// CHECK: %[[A:.*]] = bufferization.to_tensor %[[T]] restrict writable
// CHECK: tensor.collapse_shape %[[A]] {{\[\[}}0, 1], [2]] : tensor<3x4x?xi4> into tensor<12x?xi4>
// CHECK: func.func private @[[G]](%[[P:.*]]: memref<4x?xi4>, %{{.*}}: memref<3x4x?xi4>)
// CHECK: memref.dim %[[P]]
// CHECK: llvm.call @MPI_Allgather(%{{.*}}) : (!llvm.ptr, i32, i32, !llvm.ptr, i32, i32, i32) -> i32
shard.grid @ranks(shape = 3)
func.func @first(%x: tensor<4x?xi4>) -> tensor<12x?xi4> {
  %0 = shard.all_gather %x on @ranks grid_axes = [0] gather_axis = 0 : tensor<4x?xi4> -> tensor<12x?xi4>
  return %0 : tensor<12x?xi4>
}

// -----

// Another dimension: parts are transposed behind.
// CHECK-DAG: llvm.mlir.global external @ompi_mpi_byte()
// CHECK-DAG: llvm.mlir.global external @ompi_mpi_comm_world()
// CHECK-LABEL: func @last
// CHECK: memref.alloc() : memref<2x4x3xf32>
// CHECK: %[[T:.*]] = linalg.transpose ins(%{{.*}} : tensor<2x4x3xf32>) outs(%{{.*}} : tensor<4x2x3xf32>) permutation = [1, 0, 2]
// CHECK: tensor.collapse_shape %[[T]] {{\[\[}}0], [1, 2]] : tensor<4x2x3xf32> into tensor<4x6xf32>
// CHECK: llvm.call @MPI_Allgather(%{{.*}}) : (!llvm.ptr, i32, !llvm.ptr, !llvm.ptr, i32, !llvm.ptr, !llvm.ptr) -> i32
module attributes {dlti.map = #dlti.map<"MPI:Implementation" = "OpenMPI">} {
shard.grid @ranks(shape = 2)
func.func @last(%x: tensor<4x3xf32>) -> tensor<4x6xf32> {
  %0 = shard.all_gather %x on @ranks grid_axes = [0] gather_axis = 1 : tensor<4x3xf32> -> tensor<4x6xf32>
  return %0 : tensor<4x6xf32>
}
}

// -----

// CHECK-LABEL: func @sum
// CHECK: %[[C:.*]] = tensor.collapse_shape %{{.*}} {{\[\[}}0, 1]] : tensor<?x6xi32> into tensor<?xi32>
// CHECK: %[[S:.*]] = bufferization.to_buffer %[[C]] : tensor<?xi32> to memref<?xi32>
// CHECK: mpi.allreduce(%[[S]], %[[S]], MPI_SUM, %{{.*}}) : memref<?xi32>, memref<?xi32>
// CHECK: tensor.expand_shape
// Upstream's, otherwise.
// GATHERS-LABEL: func @sum
// GATHERS: shard.all_reduce
shard.grid @ranks(shape = 2)
func.func @sum(%x: tensor<?x6xi32>) -> tensor<?x6xi32> {
  %0 = shard.all_reduce %x on @ranks grid_axes = [0] : tensor<?x6xi32> -> tensor<?x6xi32>
  return %0 : tensor<?x6xi32>
}

// -----

// CHECK-LABEL: func @scalar
// CHECK: mpi.allreduce(%{{.*}}, MPI_MAX, %{{.*}}) : memref<1xf32>, memref<1xf32>
// CHECK: tensor.collapse_shape %{{.*}} [] : tensor<1xf32> into tensor<f32>
shard.grid @ranks(shape = 2)
func.func @scalar(%x: tensor<f32>) -> tensor<f32> {
  %0 = shard.all_reduce %x on @ranks grid_axes = [0] reduction = max : tensor<f32> -> tensor<f32>
  return %0 : tensor<f32>
}

// -----

// A rank gets what the others have of its part, and combines that with its own: for two
// ranks without a loop, in place.
// CHECK-LABEL: func @divided
// CHECK-DAG: %[[TWO:.*]] = arith.constant 2 : index
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0 : index
// CHECK: %[[REST:.*]] = arith.remui %{{.*}}, %[[TWO]] : index
// CHECK: %[[WHOLE:.*]] = arith.cmpi eq, %[[REST]], %[[ZERO]] : index
// CHECK: cf.assert %[[WHOLE]], "shard.reduce_scatter: expected a size that is a multiple of the ranks"
// CHECK: %[[X:.*]] = tensor.expand_shape %{{.*}} {{\[\[}}0, 1], [2]] output_shape [2, %{{.*}}, 6] : tensor<?x6xi32> into tensor<2x?x6xi32>
// CHECK: %[[F:.*]] = bufferization.to_buffer %[[X]] read_only
// CHECK: %[[T:.*]] = memref.alloc(%{{.*}}) : memref<1x?x6xi32>
// CHECK: %[[RANK:.*]] = call @[[E:quant_exchange[_0-9]*]](%[[F]], %[[T]]) : (memref<2x?x6xi32>, memref<1x?x6xi32>) -> index
// CHECK: %[[OWN:.*]] = tensor.extract_slice %[[X]][%[[RANK]], 0, 0]
// CHECK: %[[G:.*]] = bufferization.to_tensor %[[T]] restrict writable
// CHECK: %[[OTHER:.*]] = tensor.extract_slice %[[G]][0, 0, 0]
// CHECK: linalg.generic {{.*}} ins(%[[OWN]], %[[OTHER]] : {{.*}}) outs(%[[OWN]] :
// CHECK: arith.addi
// CHECK: func.func private @[[E]](%[[P:.*]]: memref<2x?x6xi32>, %{{.*}}: memref<1x?x6xi32>) -> index
// CHECK: llvm.call @MPI_Comm_rank
// CHECK: memref.dim %[[P]], %{{.*}} : memref<2x?x6xi32>
// CHECK-COUNT-3: memref.alloc() : memref<2xi32>
// CHECK: llvm.call @MPI_Alltoallv(%{{.*}}) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, i32, !llvm.ptr, !llvm.ptr, !llvm.ptr, i32, i32) -> i32
// GATHERS-LABEL: func @divided
// GATHERS: call @quant_exchange
shard.grid @ranks(shape = 2)
func.func @divided(%x: tensor<?x6xi32>) -> tensor<?x6xi32> {
  %0 = shard.reduce_scatter %x on @ranks grid_axes = [0] scatter_axis = 0 : tensor<?x6xi32> -> tensor<?x6xi32>
  return %0 : tensor<?x6xi32>
}

// -----

// Another dimension: ranks come first on the way. More ranks: a loop.
// CHECK-LABEL: func @divided_columns
// CHECK: linalg.transpose ins(%{{.*}} : tensor<?x3x2xf32>) outs(%{{.*}} : tensor<3x?x2xf32>) permutation = [1, 0, 2]
// CHECK: call @quant_exchange{{.*}} : (memref<3x?x2xf32>, memref<2x?x2xf32>) -> index
// CHECK: scf.for
// CHECK: linalg.generic
// CHECK: arith.maximumf
shard.grid @ranks(shape = 3)
func.func @divided_columns(%x: tensor<?x6xf32>) -> tensor<?x2xf32> {
  %0 = shard.reduce_scatter %x on @ranks grid_axes = [0] reduction = max scatter_axis = 1 : tensor<?x6xf32> -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

// -----

// Of nothing, nothing is sent.
// CHECK-LABEL: func @nothing
// CHECK-NOT: call
// CHECK: tensor.empty(%{{.*}}) : tensor<0x?xf32>
// CHECK-NEXT: return
shard.grid @ranks(shape = 2)
func.func @nothing(%x: tensor<0x?xf32>) -> tensor<0x?xf32> {
  %0 = shard.reduce_scatter %x on @ranks grid_axes = [0] scatter_axis = 0 : tensor<0x?xf32> -> tensor<0x?xf32>
  return %0 : tensor<0x?xf32>
}

// -----

// MPI counts in i32: who sends more stops before.
// CHECK-LABEL: func @counted
// CHECK-DAG: %[[MOST:.*]] = arith.constant 2147483648 : index
// CHECK-DAG: %[[WIDTH:.*]] = arith.constant 24 : index
// CHECK: %[[BYTES:.*]] = arith.muli %{{.*}}, %[[WIDTH]] : index
// CHECK: %[[FITS:.*]] = arith.cmpi ult, %[[BYTES]], %[[MOST]] : index
// CHECK: cf.assert %[[FITS]], "shard.all_gather: expected a part of less than 2^31 bytes"
// CHECK: memref.alloc
// CHECK: call @quant_all_gather
shard.grid @ranks(shape = 3)
func.func @counted(%x: tensor<?x6xf32>) -> tensor<?x6xf32> {
  %0 = shard.all_gather %x on @ranks grid_axes = [0] gather_axis = 0 : tensor<?x6xf32> -> tensor<?x6xf32>
  return %0 : tensor<?x6xf32>
}

// -----

// A program that says whose it is asks, and all ranks stop where one has another.
// CHECK-LABEL: func @asks
// CHECK-NEXT: %[[OK:.*]] = call @quant_check_rank() : () -> i1
// CHECK-NEXT: cf.assert %[[OK]], "expected to run as rank 1 of 3 of MPI, found another number or count, on this rank or another"
// CHECK: func.func private @quant_check_rank() -> i1
// CHECK: llvm.call @MPI_Comm_rank
// CHECK: llvm.call @MPI_Comm_size
// CHECK: mpi.allreduce(%{{.*}}, MPI_BOR, %{{.*}}) : memref<1xi32>, memref<1xi32>
module attributes {quant.rank = 1 : i64} {
shard.grid @ranks(shape = 3)
func.func @asks(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
}
