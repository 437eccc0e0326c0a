//===- Passes.td - conversions out of the quant dialect ----*- tablegen -*-===//

#ifndef QUANT_CONVERSION_PASSES_TD
#define QUANT_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertQuantToLinalgPass : Pass<"convert-quant-to-linalg", "::mlir::ModuleOp"> {
  let summary = "The reference lowering of every op on tensors to linalg and arith";
  let description = [{
    Lowers each operation by the formula in its documentation to
    `linalg.generic` with `arith` and `math` bodies, one step a line: the
    oracle that every other lowering is compared with, and the `generic`
    target's lowering. `qtarget.packed_matmul` is lowered too, every form by
    its layout and not by its kernel, so that what is packed can be run on any
    machine.

    Example:

    ```mlir
    %q = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-128, 127]
           : tensor<4xf32> -> tensor<4xi8>
    // becomes a linalg.generic over
    %0 = arith.divf %x, %s : f32
    %1 = math.roundeven %0 : f32
    ...
    ```

    With `named-matmul`, `quant.matmul` becomes `linalg.matmul`,
    `linalg.batch_matmul` or `linalg.contract` of signed integers into i32, for
    which other compilers have kernels (docs/iree.md): zero points, and the
    shift that makes an unsigned operand signed, are subtracted after the
    product.

    With `qdq`, a `quant.matmul` whose result one `quant.rescale` takes becomes a
    float product of both operands dequantized (zero points subtracted, scaled),
    followed by what else the rescale does, for compilers that look for that
    form; quantizing stays as it is. Sums are of floats then, so that results
    differ by their rounding. Other products are as with `named-matmul`.
  }];
  let options = [
    Option<"namedMatmul", "named-matmul", "bool", "false",
           "Products without groups as linalg's named ops of signed integers">,
    Option<"qdq", "qdq", "bool", "false",
           "Products without groups as float products of dequantized operands">,
    Option<"packedMatmul", "packed-matmul", "bool", "true",
           "Lower qtarget.packed_matmul too; a target that emits it says false">,
    Option<"quantizeBlocks", "quantize-blocks", "bool", "true",
           "Lower quant.quantize_blocks too; a target that emits it says "
           "false">,
    Option<"attention", "attention", "bool", "true",
           "Lower quant.cached_attention and quant.float_attention too; a "
           "target that emits them says false">,
    Option<"reciprocal", "reciprocal", "bool", "false",
           "Quantize by the scale's reciprocal and two corrections of the "
           "quotient, which give the integers of the division, if the module's "
           "target has fused multiply-adds">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::quant::QuantDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"];
}

def QuantExpandBF16Pass : Pass<"quant-expand-bf16", "::mlir::ModuleOp"> {
  let summary = "bf16 to f32 and back by integer arithmetic";
  let description = [{
    Replaces `arith.truncf` from f32 to bf16 by upstream's integer form, which
    rounds to nearest, ties to even, denormals included, and keeps NaN a NaN;
    and `arith.extf` from bf16 to f32 by a shift. LLVM's own choice on x86
    processors with AVX512_BF16 or AVX-NE-CONVERT (`vcvtneps2bf16`) takes
    denormals for zero. Arithmetic on bf16 has to be on f32 already
    (`arith-emulate-unsupported-floats`).

    Example:

    ```mlir
    %y = arith.truncf %x : f32 to bf16
    // becomes
    %bits = arith.bitcast %x : f32 to i32
    %upper = arith.shrui ... : i32
    ...
    %y = arith.bitcast %rounded : i16 to bf16
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def QuantWidenFloatToIntPass
    : Pass<"quant-widen-float-to-int", "::mlir::ModuleOp"> {
  let summary = "Floats become narrow integers by way of i32";
  let description = [{
    Replaces `arith.fptosi` and `arith.fptoui` to integers of less than 32 bits
    by `arith.fptosi` to i32 and `arith.trunci`: a float that fits in i32 and
    not in the narrow type keeps its low bits, on every target, where the op
    itself is poison. A float that does not fit in i32 stays undefined.

    Example:

    ```mlir
    %z = arith.fptosi %x : f64 to i8 // of 146.0
    // becomes
    %i = arith.fptosi %x : f64 to i32
    %z = arith.trunci %i : i32 to i8 // -110
    ```
  }];
  let statistics = [
    Statistic<"numWidened", "num-widened", "Conversions replaced">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def QuantFillSplatsPass : Pass<"quant-fill-splats", "::mlir::ModuleOp"> {
  let summary = "Large constants of one value are computed";
  let description = [{
    Replaces an `arith.constant` of 2^20 equal elements or more by `linalg.fill`.
    LLVM IR lists the elements of a constant one by one, however equal they are;
    as a fill they stay one element until the program runs.

    Example:

    ```mlir
    %0 = arith.constant dense<0.5> : tensor<67108864xf32>
    // becomes
    %c = arith.constant 0.5 : f32
    %e = tensor.empty() : tensor<67108864xf32>
    %0 = linalg.fill ins(%c : f32) outs(%e : tensor<67108864xf32>) ...
    ```
  }];
  let statistics = [
    Statistic<"numFilled", "num-filled", "Constants replaced">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

def QuantDropForeignAttributesPass
    : Pass<"quant-drop-foreign-attributes", "::mlir::ModuleOp"> {
  let summary = "Drop attributes that stock translation cannot read";
  let description = [{
    Drops discardable attributes, also those of the arguments and results of
    functions, that hold an attribute or a type of a dialect which
    `mlir-translate --mlir-to-llvmir` does not know: text with them does not
    parse there. A constant that is a `dense_resource` of no elements becomes
    `dense<>`, as translation divides by its size. Errors: constants
    that translation would die on, or write as other numbers: of a shape that is not
    static, of other sizes, another number or another kind of elements than their
    type has; a vector of 2^32 elements or more.

    Example:

    ```mlir
    module attributes {qtarget.target = #qtarget.target<...>} { ... }
    // becomes
    module { ... }
    ```
  }];
  let statistics = [
    Statistic<"numOps", "num-ops", "Ops that an attribute was dropped from or replaced">
  ];
}

def QuantExternalizeConstantsPass
    : Pass<"quant-externalize-constants", "::mlir::ModuleOp"> {
  let summary = "Large constants move to a file that programs map";
  let description = [{
    The last step before translation to LLVM IR, for who compiles with LLVM's
    own tools; `quant-compile` does the same. Every constant of the LLVM dialect
    of at least `min-bytes` goes to `file`, behind a header of 64 bytes
    (docs/artifacts.md), at a multiple of 64 bytes. The code finds it at that
    distance from the address that the variable `symbol` holds, an external
    symbol that whoever maps the file defines and sets before the first call.
    Splats, and elements of less than a byte, stay in the code.

    Example:

    ```mlir
    llvm.mlir.global private constant @w(dense<...> : tensor<64x64xf32>) ...
    %w = llvm.mlir.addressof @w : !llvm.ptr
    // becomes
    llvm.mlir.global external @quantWeights() : !llvm.ptr
    %0 = llvm.mlir.addressof @quantWeights : !llvm.ptr
    %1 = llvm.load %0 invariant : !llvm.ptr -> !llvm.ptr
    %c64 = llvm.mlir.constant(64 : i64) : i64
    %w = llvm.getelementptr %1[%c64] : (!llvm.ptr, i64) -> !llvm.ptr, i8
    ```
  }];
  let options = [
    Option<"file", "file", "std::string", "", "Where the constants go">,
    Option<"symbol", "symbol", "std::string", "\"quantWeights\"",
           "The variable that holds the address of the mapped file">,
    Option<"minBytes", "min-bytes", "uint64_t", "4096",
           "Constants of fewer bytes stay in the code">
  ];
  let statistics = [Statistic<"numBytes", "bytes", "Bytes of the file">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def QuantApproximateMathPass
    : Pass<"quant-approximate-math", "::mlir::ModuleOp"> {
  let summary = "Exponential, error function, tanh and log as polynomials";
  let description = [{
    Replaces `math.exp`, `math.erf`, `math.tanh` and `math.log` of f32 by
    upstream's polynomial approximations, on scalars and on vectors alike. They
    are sums, products and `math.fma`, each rounded once: every target computes
    the same bits, whatever its libm, and many lanes at a time. Other types and
    functions are left to libm.

    Example:

    ```mlir
    %e = math.exp %x : vector<32xf32>
    // becomes
    %n = math.floor ... : vector<32xf32>
    %p = math.fma ... : vector<32xf32>
    ```
  }];
  let statistics = [
    Statistic<"numApproximated", "num-approximated", "Functions replaced">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::math::MathDialect", "::mlir::vector::VectorDialect"];
}

def QuantInlineCallsPass
    : Pass<"quant-inline-calls", "::mlir::ModuleOp"> {
  let summary = "Inline private functions, and nothing else";
  let description = [{
    Replaces calls of private functions by their bodies, so that a constant
    which is passed to one is a constant where it is used. Nothing is
    canonicalized on the way. Functions that call themselves, and those of which
    LLVM is told not to inline them (`passthrough = ["noinline"]`,
    `no_inline`), keep their calls.

    Example:

    ```mlir
    %y = call @layer(%x, %w) : (tensor<3x4xf32>, tensor<4x8xf32>) -> tensor<3x8xf32>
    // becomes the body of @layer
    %y = linalg.matmul ins(%x, %w : tensor<3x4xf32>, tensor<4x8xf32>) ...
    ```
  }];
}

def QuantOutlineRepeatsPass
    : Pass<"quant-outline-repeats", "::mlir::ModuleOp"> {
  let summary = "Equal layers become one function that is called for each";
  let description = [{
    Finds the ops that follow each other several times in a function, as the
    layers of a model do, and moves them to a private function that is called
    in their place. Layers are equal when their ops, attributes, types and
    connections are: what differs is what they use from outside, which become
    the function's arguments (weights, among them). The function has its own
    empty and filled tensors and small constants. Names of products (`quant.name`), which
    differ from layer to layer, are dropped.

    Layers are cut where the fewest values cross. Functions of several blocks
    are left alone. The work of what follows, code generation most of all, is
    divided by the number of layers; the function is marked `no_inline`, so that
    LLVM does not undo that.

    To be run where nothing asks any more whether a weight is a constant: after
    packing.

    Example, `min-ops=2 min-repeats=2`:

    ```mlir
    func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {
      %a = linalg.exp ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
      %b = linalg.add ins(%a, %w0 : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
      %c = linalg.exp ins(%b : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
      %d = linalg.add ins(%c, %w1 : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
      return %d : tensor<8xf32>
    }
    // becomes
    func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {
      %b = call @main_layer(%x, %w0) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
      %d = call @main_layer(%b, %w1) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
      return %d : tensor<8xf32>
    }
    ```
  }];
  let options = [
    Option<"minOps", "min-ops", "unsigned", "24",
           "Least number of ops of a layer, without constants and empty tensors">,
    Option<"minRepeats", "min-repeats", "unsigned", "3",
           "Least number of layers">
  ];
  let statistics = [
    Statistic<"numFunctions", "num-functions", "Functions that were made">,
    Statistic<"numLayers", "num-layers", "Layers that are calls">
  ];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
    "::mlir::func::FuncDialect", "::mlir::tensor::TensorDialect"];
}

def ConvertTMTensorToLinalgPass
    : Pass<"convert-tm-tensor-to-linalg", "::mlir::ModuleOp"> {
  let summary = "torch-mlir's ops beside linalg, to linalg and loops";
  let description = [{
    `tm_tensor.attention` becomes two `linalg.batch_matmul` with a softmax between
    them, which are imported and reported as any other products; `scan` and
    `scatter` become loops of `scf.for` over elements, in place where the tensors
    are.

    Example:

    ```mlir
    %y = tm_tensor.attention ins(%q, %k, %v : tensor<9x1x64xf32>, tensor<9x256x64xf32>, tensor<9x256x64xf32>)
           outs(%o : tensor<9x1x64xf32>) -> tensor<9x1x64xf32>
    // becomes
    %t = linalg.transpose ins(%k : tensor<9x256x64xf32>) outs(...) permutation = [0, 2, 1]
    %w = linalg.batch_matmul ins(%q, %t : tensor<9x1x64xf32>, tensor<9x64x256xf32>) ...
    ... // / 8, softmax
    %y = linalg.batch_matmul ins(%s, %v : tensor<9x1x256xf32>, tensor<9x256x64xf32>) ...
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def QuantFoldConstantGlobalsPass
    : Pass<"quant-fold-constant-globals", "::mlir::ModuleOp"> {
  let summary = "Loads of globals that nothing changes are constants";
  let description = [{
    Replaces `ml_program.global_load_const`, and `ml_program.global_load` of a
    global that is immutable, or that is private and never stored to, by an
    `arith.constant` of the global's value: the same attribute, once in each
    function. Private globals that are not used any more are erased. A global
    whose value is not in the program (`#ml_program.extern`) stays.

    Example:

    ```mlir
    ml_program.global private @w(dense<...> : tensor<12x7xf32>) : tensor<12x7xf32>
    %w = ml_program.global_load_const @w : tensor<12x7xf32>
    // becomes
    %w = arith.constant dense<...> : tensor<12x7xf32>
    ```
  }];
  let statistics = [
    Statistic<"numFolded", "num-folded", "Loads that are constants">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::ml_program::MLProgramDialect", "::mlir::tensor::TensorDialect"];
}

def QuantTensorGlobalsPass
    : Pass<"quant-tensor-globals", "::mlir::ModuleOp"> {
  let summary = "Globals of one number become tensors without dimensions";
  let description = [{
    Upstream lowers `ml_program` globals of tensors only. A global of an integer,
    index or float becomes one of a tensor that holds it, in memory the same, and
    what is loaded from it and stored to it goes through that tensor. Globals of
    other types, and of numbers without a value, are errors.

    Example:

    ```mlir
    %n = ml_program.global_load @step : i64
    // becomes
    %t = ml_program.global_load @step : tensor<i64>
    %n = tensor.extract %t[] : tensor<i64>
    ```
  }];
  let statistics = [
    Statistic<"numConverted", "num-converted", "Globals converted">
  ];
  let dependentDialects = ["::mlir::ml_program::MLProgramDialect",
    "::mlir::tensor::TensorDialect"];
}

def QuantKeepLoopTypesPass
    : Pass<"quant-keep-loop-types", "::mlir::ModuleOp"> {
  let summary = "A tensor that changes its sizes in a loop keeps its type";
  let description = [{
    Upstream's canonicalization of `scf.for` (22.1.8) takes the static type of
    what a loop starts with, if it is cast to dynamic sizes, for the type of
    what it carries. A tensor that grows in the loop would be cast back to the
    sizes of the start. What the loop starts with is copied instead, unless what
    it yields is cast from the same static type.

    Example:

    ```mlir
    %0 = tensor.cast %x : tensor<1x8xf32> to tensor<?x8xf32>
    scf.for ... iter_args(%c = %0) -> (tensor<?x8xf32>) { ... %c, with a row more }
    // becomes
    %0 = tensor.cast %x : tensor<1x8xf32> to tensor<?x8xf32>
    %1 = bufferization.alloc_tensor() copy(%0) : tensor<?x8xf32>
    scf.for ... iter_args(%c = %1) ...
    ```
  }];
  let statistics = [
    Statistic<"numKept", "num-kept", "Tensors whose type is kept">
  ];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect"];
}

def QuantCopyGlobalsPass
    : Pass<"quant-copy-globals", "::mlir::ModuleOp"> {
  let summary = "Copy what is loaded from and stored to globals";
  let description = [{
    A program with state reads its globals, and may write them before it has
    used what it read. Bufferization makes `ml_program.global_load` a view of
    the global's memory, so that a later `ml_program.global_store` would change
    it; and it takes the stored tensor for one that nobody reads, so that a
    slice would be stored uncomputed. Every stored tensor is copied first, and
    so is a load, at once, of a global that the program stores to anywhere.
    Other loads stay views.

    Example:

    ```mlir
    %0 = ml_program.global_load @state : tensor<1x4xi8>
    ml_program.global_store @state = %x : tensor<1x4xi8>
    // becomes
    %0 = ml_program.global_load @state : tensor<1x4xi8>
    %1 = bufferization.alloc_tensor() copy(%0) : tensor<1x4xi8> // for all uses
    %2 = bufferization.alloc_tensor() copy(%x) : tensor<1x4xi8>
    ml_program.global_store @state = %2 : tensor<1x4xi8>
    ```
  }];
  let statistics = [
    Statistic<"numCopied", "num-copied", "Tensors that are copied">
  ];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
    "::mlir::ml_program::MLProgramDialect", "::mlir::tensor::TensorDialect"];
}

def QuantExpandDynamicReshapesPass
    : Pass<"quant-expand-dynamic-reshapes", "::mlir::ModuleOp"> {
  let summary = "Lower memref.expand_shape with several dynamic sizes in a group";
  let description = [{
    Upstream's `expand-strided-metadata` (22.1.8) takes at most one dynamic
    size in a group of `memref.expand_shape` and crashes on a second one, as
    dynamic batch and sequence give it: `?x384` into `?x?x384`. The op names
    all its sizes, so that it is a `memref.reinterpret_cast` with the strides
    that these sizes give. Ops that upstream can lower are left to it.

    Example:

    ```mlir
    %e = memref.expand_shape %m [[0, 1], [2]] output_shape [%b, %s, 384]
           : memref<?x384xf32> into memref<?x?x384xf32>
    // becomes
    %base, %offset, %sizes:2, %strides:2 = memref.extract_strided_metadata %m
    %t = affine.apply ... // %s * 384
    %e = memref.reinterpret_cast %base to offset: [0],
           sizes: [%b, %s, 384], strides: [%t, 384, 1]
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
}

def QuantFuseElementwisePass
    : Pass<"quant-fuse-elementwise", "::mlir::ModuleOp"> {
  let summary = "Fuse elementwise ops where nothing is computed twice";
  let description = [{
    Fuses an elementwise `linalg.generic` into the one op that reads its
    result, if that op reads each element in one iteration only: another
    elementwise op, or a sum over its elements. Into a product of matrices,
    which reads an element once for every row or column, nothing is fused.

    Example: of `exp`, a row sum of it and a product with a matrix,

    ```mlir
    %e = linalg.generic ... math.exp ...       // reads %x
    %s = linalg.generic ... arith.addf ...     // sums %e over its rows
    %p = linalg.generic ... arith.divf ...     // scales another %f by %s
    %y = linalg.matmul ins(%p, %v : ...) ...
    ```

    the first two become one op, and `%p` stays an op of its own.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
    "::mlir::tensor::TensorDialect"];
}

def QuantOrderContractionLoopsPass
    : Pass<"quant-order-contraction-loops", "::mlir::ModuleOp"> {
  let summary = "Make a contiguous parallel loop the innermost one of a product";
  let description = [{
    Orders the loops of a contraction on memrefs: parallel loops, then the
    sums' loops, then the loop over the result's last dimension, where every
    operand that depends on it is contiguous. Each sum keeps its order, so the
    result is the same to the bit, and the innermost loop can be vectorized
    without reassociation. Other ops are left as they are.

    Example:

    ```mlir
    linalg.matmul ins(%a, %b : memref<4x8xf32>, memref<8x16xf32>)
      outs(%c : memref<4x16xf32>)                         // loops m, n, k
    // becomes
    linalg.generic {indexing_maps = [(m, k, n) -> (m, k), (m, k, n) -> (k, n),
      (m, k, n) -> (m, n)], iterator_types = ["parallel", "reduction",
      "parallel"]} ...
    ```
  }];
  let statistics = [
    Statistic<"numOrdered", "num-ordered", "Products whose loops changed order">
  ];
  let dependentDialects = ["::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
    "::mlir::tensor::TensorDialect"];
}

#endif // QUANT_CONVERSION_PASSES_TD
