//===- Passes.td - programs cut over ranks -----------------*- tablegen -*-===//

#ifndef QUANT_SHARD_PASSES_TD
#define QUANT_SHARD_PASSES_TD

include "mlir/Pass/PassBase.td"

def QuantProposeShardingPass
    : Pass<"quant-propose-sharding", "::mlir::ModuleOp"> {
  let summary = "Annotate how a quantized program is cut over ranks";
  let description = [{
    Chooses, for each op of the quant stage, the loop that it is cut along, and
    says so by upstream's `shard.shard`, on every operand and result, so that
    upstream's `shard-partition` makes the program of a rank.

    Loops of neighbouring ops that run over the same dimension are one class,
    and are cut together or not at all. A class that holds the columns of some
    constant weights and the rows of others is a pair as in Megatron-LM: the
    weights of q, k, v, gate and up by columns, those of o and down by rows, the
    attention's heads between them; all that is sent is one sum of i32 (and the
    maxima of rows whose scales are chosen at run time). A weight in no pair is
    cut by columns and its result gathered.

    Only cuts that keep the results' bits are proposed: no sum of floats is taken
    in parts. So groups of `quant.scaled_matmul` are cut by columns, and its
    activations gathered as integers.

    A program that holds a `shard.shard` of its own is not proposed anything:
    `sharding-propagation` comes before, and this pass only says of what is left
    that all ranks compute it.

    Sizes are static. A class whose size is no multiple of `ranks` is padded,
    where that changes no result: weights and biases with 0, scales with 1. A
    matmul that stays whole has a remark that says why.

    Example, with `ranks=2` (annotations of constants left out):

    ```mlir
    %h = quant.matmul ins(%x, %w1 : tensor<8x64xi8>, tensor<256x64xi8>)
           outs(%0 : tensor<8x256xi32>) {transpose_rhs} -> tensor<8x256xi32>
    %y = quant.matmul ins(%q, %w2 : tensor<8x256xi8>, tensor<64x256xi8>) ...
    // becomes
    %c = shard.sharding @ranks split_axes = [[], [0]] : !shard.sharding
    %h = quant.matmul ...
    %hs = shard.shard %h to %c : tensor<8x256xi32>
    ...
    %qs = shard.shard %q to %c annotate_for_users : tensor<8x256xi8>
    %y = quant.matmul ins(%qs, %w2s : ...) ...
    %ys = shard.shard %y to %whole : tensor<8x64xi32>
    ```
  }];
  let options = [
    Option<"ranks", "ranks", "int64_t", "2", "Ranks that the program is cut over">,
    Option<"parallel", "parallel", "Parallelism", "Parallelism::Auto",
           "What is cut", [{::quantmlir::listParallelism()}]>
  ];
  let statistics = [
    Statistic<"numColumns", "columns", "Matmuls cut along the columns of their weight">,
    Statistic<"numRows", "rows", "Matmuls cut along the rows of their weight">,
    Statistic<"numBatches", "batches", "Matmuls cut along the rows of activations">,
    Statistic<"numWhole", "whole", "Matmuls with a constant weight that is whole on each rank">
  ];
  let dependentDialects = ["::mlir::shard::ShardDialect"];
}

def QuantVerifyShardingsPass : Pass<"quant-verify-shardings", "::mlir::ModuleOp"> {
  let summary = "Refuse annotations that upstream's passes cannot follow";
  let description = [{
    Before `sharding-propagation`. Errors: a `shard.sharding` with halos or offsets
    of parts, of axes that its grid does not have, or of no grid; a `shard.shard` of
    a tensor with fewer dimensions than its sharding cuts. Upstream (MLIR 22) reads
    memory behind its arrays there.
  }];
  let dependentDialects = ["::mlir::shard::ShardDialect"];
}

def QuantCutToRankPass : Pass<"quant-cut-to-rank", "::mlir::ModuleOp"> {
  let summary = "Make a partitioned program that of one rank";
  let description = [{
    After `shard-partition`, every rank has the same program, which asks for its
    rank's number. This pass puts the number in:

    * a `shard.all_slice` of a constant becomes the part of the constant, so
      that a rank has no more of a weight than it needs, and packs that;
    * other slices become `tensor.extract_slice`;
    * a `shard.all_to_all`, which upstream does not lower either (MLIR 22), becomes
      a gather and a slice of it;
    * `shard.process_multi_index` becomes a constant.

    What is left are `shard.all_gather`, for `quant-lower-collectives`, and
    `shard.all_reduce`, which `convert-shard-to-mpi` lowers, for the MPI library
    that `mpi` names: upstream reads it from the module's `dlti.map`, where this
    pass writes it.

    Example, with `rank=1`:

    ```mlir
    %w = arith.constant dense_resource<weight> : tensor<256x64xi8>
    %s = shard.all_slice %w on @ranks grid_axes = [0] slice_axis = 0
           : tensor<256x64xi8> -> tensor<128x64xi8>
    // becomes the last 128 rows
    %s = arith.constant dense_resource<quant_part> : tensor<128x64xi8>
    ```
  }];
  let options = [
    Option<"rank", "rank", "int64_t", "0", "The rank that the program is for">,
    Option<"mpi", "mpi", "std::string", [{"OpenMPI"}],
           "The MPI library that is called: OpenMPI or MPICH">
  ];
  let statistics = [
    Statistic<"numParts", "parts", "Constants of which this rank has a part">,
    Statistic<"numGathers", "gathers", "Tensors gathered from all ranks">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::DLTIDialect", "::mlir::shard::ShardDialect",
    "::mlir::tensor::TensorDialect"];
}

def QuantLowerCollectivesPass
    : Pass<"quant-lower-collectives", "::mlir::ModuleOp"> {
  let summary = "Lower collectives that upstream does not lower";
  let description = [{
    A `shard.all_gather`, of which neither `convert-shard-to-mpi` nor the dialect
    `mpi` (MLIR 22) has anything, becomes one call of `MPI_Allgather`: the parts of
    all ranks, one after the other, which a transposition then brings to the
    dimension that is gathered. The call is in a private function, on buffers.

    A `shard.reduce_scatter` becomes one call of `MPI_Alltoallv`, which brings a rank
    its part of all others', and a loop that combines its own, which is not moved, with
    these, in the order of ranks. (`MPI_Reduce_scatter_block` of Open MPI 4 takes
    several times as long.) Where the run knows the size, every rank stops unless that
    is a multiple of the ranks.

    With `all`, each `shard.all_reduce` becomes an `mpi.allreduce` of one
    dimension, whose size the run knows: upstream wants static ones. It is in place
    where nothing else reads its operand (bufferization copies it else). This is what
    programs have that are written for a rank, rather than cut.

    Only collectives of all ranks, of a grid of one dimension, are lowered. MPI
    counts in i32: parts of 2^31 bytes (of elements, where they are summed) are
    errors, and where the run knows their size, every rank stops before it sends.

    A module that says which rank it is for (`quant.rank`, an integer) has its
    public functions ask MPI first. All ranks stop where one is another, or counts
    others. That costs a message of 4 bytes in each call.

    Example, on two ranks:

    ```mlir
    %y = shard.all_gather %x on @ranks grid_axes = [0] gather_axis = 0
           : tensor<4x?xi8> -> tensor<8x?xi8>
    // becomes
    %b = bufferization.to_buffer %x read_only : tensor<4x?xi8> to memref<4x?xi8>
    %a = memref.alloc(%size) : memref<2x4x?xi8>
    func.call @quant_all_gather(%b, %a) : (memref<4x?xi8>, memref<2x4x?xi8>) -> ()
    %t = bufferization.to_tensor %a restrict writable
    %y = tensor.collapse_shape %t [[0, 1], [2]]
           : tensor<2x4x?xi8> into tensor<8x?xi8>
    ```
  }];
  let options = [
    Option<"all", "all", "bool", "false", "Also sums, maxima and ors of bits">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::bufferization::BufferizationDialect",
    "::mlir::cf::ControlFlowDialect", "::mlir::func::FuncDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::memref::MemRefDialect", "::mlir::mpi::MPIDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def QuantUseWorldPass : Pass<"quant-use-world", "::mlir::ModuleOp"> {
  let summary = "Take the world's communicator where all ranks take part";
  let description = [{
    `convert-shard-to-mpi` splits the world for each collective, whenever it runs,
    also where all ranks of a grid of one dimension take part. A split of the
    world with one constant color is the world, and becomes it.

    Example:

    ```mlir
    %c = mpi.comm_split(%world, %c0_i32, %rank) : !mpi.comm
    mpi.allreduce(%b, %b, MPI_SUM, %c) : memref<16xi32>, memref<16xi32>
    // becomes
    mpi.allreduce(%b, %b, MPI_SUM, %world) : memref<16xi32>, memref<16xi32>
    ```
  }];
  let statistics = [
    Statistic<"numWorlds", "worlds", "Splits that are the world">
  ];
}

def QuantConvertMPIToLLVMPass
    : Pass<"quant-convert-mpi-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Lower mpi ops by upstream's patterns, with Open MPI's names";
  let description = [{
    Upstream's patterns of `convert-to-llvm` for the dialect `mpi`, and what Open
    MPI needs beside them:

    * Reductions are declared as `ompi_mpi_sum`; the library has
      `ompi_mpi_op_sum`.
    * `mpi.comm_split` is an error: its lowering reads four of the eight bytes of
      a communicator.

    The grids of `shard`, which no op refers to any more, are erased.

    Example:

    ```mlir
    mpi.allreduce(%b, %b, MPI_SUM, %world) : memref<16xi32>, memref<16xi32>
    // becomes
    llvm.call @MPI_Allreduce(...) // @ompi_mpi_op_sum, @ompi_mpi_comm_world
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // QUANT_SHARD_PASSES_TD
