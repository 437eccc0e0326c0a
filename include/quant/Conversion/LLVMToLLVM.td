//===- LLVMToLLVM.td - finished code -----------------------*- tablegen -*-===//

#ifndef QUANT_CONVERSION_LLVMTOLLVM_TD
#define QUANT_CONVERSION_LLVMTOLLVM_TD

include "mlir/Pass/PassBase.td"

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

#endif // QUANT_CONVERSION_LLVMTOLLVM_TD
