//===- LibraryCalls.cpp - functions that are answered for programs --------===//

#include "quant/Runtime/Execution/LibraryCalls.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace quantmlir;

namespace {
struct LibraryFunction {
  StringLiteral name, type;
};
} // namespace

static constexpr LibraryFunction kFunctions[] = {
    {"malloc", "!llvm.func<ptr (i64)>"},
    {"free", "!llvm.func<void (ptr)>"},
    {"abort", "!llvm.func<void ()>"},
    // As assertions are lowered, which do not ask for the result.
    {"puts", "!llvm.func<void (ptr)>"},
    {"puts", "!llvm.func<i32 (ptr)>"},
    {"dprintf", "!llvm.func<i32 (i32, ptr, ...)>"},
};

LogicalResult quantmlir::verifyLibraryCalls(ModuleOp program) {
  for (auto function : program.getOps<LLVM::LLVMFuncOp>()) {
    if (!function.isExternal())
      continue;
    StringRef expected;
    bool matches = false;
    for (const LibraryFunction &known : kFunctions)
      if (known.name == function.getSymName()) {
        expected = known.type;
        matches |= parseType(known.type, program.getContext()) ==
                   function.getFunctionType();
      }
    if (!expected.empty() && !matches)
      return function.emitError("expected '")
             << function.getSymName() << "' of the C library, '" << expected
             << "', found " << function.getFunctionType();
  }
  return success();
}
