//===- Passes.td - vectors and threads for any CPU ---------*- tablegen -*-===//

#ifndef QUANT_TARGET_CPU_PASSES_TD
#define QUANT_TARGET_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def QuantLowerPackPass : Pass<"quant-lower-pack", "::mlir::ModuleOp"> {
  let summary = "Lower linalg.pack of run-time operands to vector copies";
  let description = [{
    What is still packed at run time are activations, and weights that are not
    constant. `[rows, K]` packed to `[rows/R][K/KR][R][KR]` is a loop over rows
    that copies KR elements at a time as one vector, on a destination that is
    zeroed first where a size does not divide. `[K, N]` packed to
    `[N/NR][K/KR][NR][KR]` loads blocks of columns of KR rows and interleaves
    them in registers. Every other `linalg.pack` and `linalg.unpack` is lowered by
    upstream's `linalg::lowerPack` and `linalg::lowerUnPack`.

    Example:

    ```mlir
    %p = linalg.pack %q inner_dims_pos = [0, 1] inner_tiles = [8, 4] into %d
           : tensor<128x4096xi8> -> tensor<16x1024x8x4xi8>
    // becomes
    scf.for %row = ... { scf.for %step = ... {
      %v = vector.transfer_read %q[%row, %k], %zero : tensor<128x4096xi8>, vector<4xi8>
      vector.transfer_write %v, %dest[%panel, %step, %lane, %c0] : vector<4xi8>, ...
    } }
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
    "::mlir::vector::VectorDialect"];
}

def QuantVectorizeRowsPass : Pass<"quant-vectorize-rows", "::mlir::ModuleOp"> {
  let summary = "Elementwise linalg ops and row reductions as vectors";
  let description = [{
    Rewrites linalg ops on memrefs whose innermost loop runs over neighbouring
    elements, and whose body is elementwise, to loops over vectors. An innermost
    reduction is split over lanes where its order does not matter (maximum,
    minimum, integer sums). The last columns are a shorter vector where their
    number is known, else a mask. Sums of floats are left to `quant-sum-rows`.
    `math.exp`, `erf`, `tanh` and `log` of f32 stay as ops on vectors, for
    `quant-approximate-math`. `quant.quantize_rows` of plain rows becomes two
    loops for each row, and `quant.cached_attention` and
    `quant.float_attention` two passes of new tokens over those that they see.
    Other ops are left alone.

    Example:

    ```mlir
    linalg.generic {iterator_types = ["parallel", "reduction"], ...}
        ins(%x : memref<8x384xf32>) outs(%max : memref<8xf32>) { ... }
    // becomes
    scf.for %row = ... {
      %acc = scf.for %column = %c0 to %c384 step %c32 iter_args(...) {
        %v = vector.load %x[%row, %column] : memref<8x384xf32>, vector<32xf32>
        ...
      }
      %m = vector.reduction <maximumf>, %acc : vector<32xf32> into f32
      memref.store %m, %max[%row]
    }
    ```
  }];
  let statistics = [
    Statistic<"numVectorized", "num-vectorized", "Ops rewritten to vectors">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"];
}

def QuantSumRowsPass : Pass<"quant-sum-rows", "::mlir::ModuleOp"> {
  let summary = "Sums of floats along rows in 16 lanes";
  let description = [{
    Rewrites linalg ops on memrefs that add floats along their innermost loop
    (the only reduction), with an elementwise body. A sum over K elements has 16
    lanes, lane l taking the elements l, l + 16, ... in order, from 0; then lanes
    l and l + 8 are added, l and l + 4, l and l + 2, l and l + 1, and last what
    the result held before. Rows of fewer than 16 elements, as far as the program
    knows, and bodies that vectors cannot compute keep the order of the loop.

    Every pipeline runs this pass, so that results are the same to the bit on all
    targets: what is rewritten depends on the op alone, not on a machine or a
    layout in memory.

    Example:

    ```mlir
    linalg.generic {iterator_types = ["parallel", "reduction"], ...}
        ins(%x : memref<8x384xf32>) outs(%sum : memref<8xf32>) { ... }
    // becomes
    scf.for %row = ... {
      %lanes = scf.for %column = %c0 to %c384 step %c16 iter_args(...) {
        %v = vector.load %x[%row, %column] : memref<8x384xf32>, vector<16xf32>
        %next = arith.addf %acc, %v : vector<16xf32>
        ...
      }
      ... // halves of %lanes
      memref.store %s, %sum[%row]
    }
    ```
  }];
  let statistics = [
    Statistic<"numSums", "num-sums", "Sums taken in lanes">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"];
}

def QuantVectorizeContractionsPass
    : Pass<"quant-vectorize-contractions", "::mlir::ModuleOp"> {
  let summary = "Float contractions with tiles of the result in registers";
  let description = [{
    Rewrites contractions of f32 on memrefs (named or generic, with batch
    dimensions and several reductions) whose right operand and result have
    neighbouring columns. Each element of the result takes its products in the
    order of the scalar loop, each rounded on its own, so that results are the
    same to the bit.

    Example:

    ```mlir
    linalg.matmul ins(%a, %b : memref<64x48xf32>, memref<48x96xf32>)
      outs(%c : memref<64x96xf32>)
    // becomes, with AVX-512
    scf.for %column = %c0 to %c96 step %c32 {
      scf.for %row = %c0 to %c64 step %c8 {
        // 8 rows of %c[%row, %column] as vector<32xf32>
        %sums:8 = scf.for %k = %c0 to %c48 step %c1 iter_args(...) {
          %columns = vector.load %b[%k, %column] : memref<48x96xf32>, vector<32xf32>
          ...
        }
      }
    }
    ```
  }];
  let statistics = [
    Statistic<"numVectorized", "num-vectorized",
              "Contractions rewritten to vectors">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"];
}

def QuantParallelizeMatmulsPass
    : Pass<"quant-parallelize-matmuls", "::mlir::ModuleOp"> {
  let summary = "Divide the columns of packed matmuls over threads";
  let description = [{
    Replaces each bufferized `qtarget.packed_matmul` of at least `min-macs`
    multiply-adds (four times as many with AMX), or whose weight has at least
    `min-bytes`, by an `scf.forall` over `threads` shares of its panels of
    columns, whose body is the same op on views. The first is what many rows
    take, the second what one row takes, which waits for the weight. Where the
    weight is smaller and the number of rows is not known, the run decides
    between both forms. With one thread nothing changes.

    Example:

    ```mlir
    qtarget.packed_matmul #qtarget.x86<amx_tdpbssd> ins(%a, %w : ..., memref<256x1024x16x4xi8>)
      outs(%y : memref<512x4096xf32>)
    // becomes, for threads=2
    scf.forall (%thread) in (2) {
      %part = memref.subview %w[%panel, 0, 0, 0] [128, 1024, 16, 4] ...
      %columns = memref.subview %y[0, %column] [512, 2048] [1, 1] ...
      qtarget.packed_matmul #qtarget.x86<amx_tdpbssd> ins(%a, %part) outs(%columns)
    }
    ```
  }];
  let options = [
    Option<"threads", "threads", "int64_t", "1", "Number of threads">,
    Option<"minMacs", "min-macs", "int64_t", "16777216",
           "Fewest multiply-adds that are worth waking threads; four times as "
           "many on tile registers, which take that much less time">,
    Option<"minBytes", "min-bytes", "int64_t", "131072",
           "Fewest bytes of a packed weight that are worth waking threads, "
           "however few rows are multiplied by it">
  ];
  let statistics = [
    Statistic<"numDivided", "num-divided", "Matmuls divided over threads">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def QuantParallelizeLoopsPass
    : Pass<"quant-parallelize-loops", "::mlir::ModuleOp"> {
  let summary = "Divide independent iterations over threads";
  let description = [{
    Turns the outermost `scf.for` that carry `quant.independent` and compute at
    least `min-elements` elements into `scf.forall`; the attribute says how many
    an iteration computes. Where the number of iterations is not known, the run
    decides between both forms. The attribute is removed from all loops; with
    one thread nothing else changes.

    Example:

    ```mlir
    scf.for %row = %c0 to %c1024 step %c1 { ... } {quant.independent = 4096 : i64}
    // becomes, for threads=2
    scf.forall (%row) in (1024) { ... }
    ```
  }];
  let options = [
    Option<"threads", "threads", "int64_t", "1", "Number of threads">,
    Option<"minElements", "min-elements", "int64_t", "65536",
           "Fewest elements that are worth waking threads">
  ];
  let statistics = [
    Statistic<"numDivided", "num-divided", "Loops divided over threads">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::scf::SCFDialect"];
}

def QuantSerializeReductionsPass
    : Pass<"quant-serialize-reductions", "::mlir::ModuleOp"> {
  let summary = "Keep loops that reduce on one thread";
  let description = [{
    Turns each `scf.parallel` with results into `scf.for` that carry them, in the
    order in which one thread computes. A sum that threads divide rounds
    otherwise, and depends on how many there are.

    Example:

    ```mlir
    %s = scf.parallel (%i) = (%c0) to (%n) step (%c1) init (%zero) -> f32 {
      %v = memref.load %x[%i] : memref<?xf32>
      scf.reduce(%v : f32) {
      ^bb0(%a: f32, %b: f32):
        %t = arith.addf %a, %b : f32
        scf.reduce.return %t : f32
      }
    }
    // becomes
    %s = scf.for %i = %c0 to %n step %c1 iter_args(%a = %zero) -> (f32) {
      %v = memref.load %x[%i] : memref<?xf32>
      %t = arith.addf %a, %v : f32
      scf.yield %t : f32
    }
    ```
  }];
  let dependentDialects = ["::mlir::scf::SCFDialect"];
}

def ConvertQuantToCPUPass : Pass<"convert-quant-to-cpu", "::mlir::ModuleOp"> {
  let summary = "Emit packed matmuls on memrefs as their kernels";
  let description = [{
    Each bufferized `qtarget.packed_matmul` and `qtarget.packed_matmul` is
    emitted by the kernel that it carries. One of vectors becomes loops over
    register tiles around a loop over K whose accumulators are vectors carried
    in `iter_args`, with the kernel's multiply-accumulate, and the fused
    corrections and rescaling while the tile is in registers. Stores are masked
    at the edges.

    A kernel of tile registers (AMX) becomes a call of a private function, one
    for all matmuls of the same types: tiles are configured once in a function,
    and two matmuls may need different configurations.

    Example:

    ```mlir
    qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> ins(%a, %w : ...) outs(%y : memref<8x48xi32>)
    // becomes
    scf.for %panel = ... {
      %sums:24 = scf.for %step = ... iter_args(...) -> (vector<16xi32>, ...) {
        %next = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%acc, %x, %w) ...
      }
      vector.store ...
    }
    ```
  }];
  let dependentDialects = ["::mlir::func::FuncDialect",
    "::mlir::arith::ArithDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"];
}

#endif // QUANT_TARGET_CPU_PASSES_TD
