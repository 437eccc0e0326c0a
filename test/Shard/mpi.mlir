// The LLVM dialect of a program cut over ranks, for both libraries.
//
// DEFINE: %{library} = OpenMPI
// DEFINE: %{lower} = quant-opt %s --pass-pipeline="builtin.module(quant-cut-to-rank{rank=1 mpi=%{library}},convert-shard-to-mpi,quant-use-world,canonicalize,cse,quant-to-generic{start-after=quant})"
// RUN: %{lower} | FileCheck %s
// REDEFINE: %{library} = MPICH
// RUN: %{lower} | FileCheck %s --check-prefix=MPICH

// CHECK-DAG: llvm.mlir.global external @ompi_mpi_op_max()
// CHECK-DAG: llvm.mlir.global external @ompi_mpi_op_sum()
// CHECK-DAG: llvm.mlir.global external @ompi_mpi_comm_world()
// CHECK-NOT: MPI_Comm_split
// CHECK-LABEL: llvm.func @main
// CHECK-COUNT-2: llvm.call @MPI_Allreduce(%{{.*}}) : (!llvm.ptr, !llvm.ptr, i32, !llvm.ptr, !llvm.ptr, !llvm.ptr) -> i32

// MPICH-NOT: ompi
// MPICH: llvm.call @MPI_Allreduce(%{{.*}}) : (!llvm.ptr, !llvm.ptr, i32, i32, i32, i32) -> i32
shard.grid @ranks(shape = 2)
func.func @main(%x: tensor<4x6xi32>, %m: tensor<4xf32>) -> (tensor<4x6xi32>, tensor<4xf32>) {
  %0 = shard.all_reduce %x on @ranks grid_axes = [0] : tensor<4x6xi32> -> tensor<4x6xi32>
  %1 = shard.all_reduce %m on @ranks grid_axes = [0] reduction = max : tensor<4xf32> -> tensor<4xf32>
  return %0, %1 : tensor<4x6xi32>, tensor<4xf32>
}
