//===- OptimizationLevel.h - how much LLVM does -----------------*- C++ -*-===//

#ifndef QUANT_RUNTIME_EXECUTION_OPTIMIZATIONLEVEL_H
#define QUANT_RUNTIME_EXECUTION_OPTIMIZATIONLEVEL_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/CodeGen.h"
#include "llvm/Support/Error.h"

namespace quantmlir {

/// LLVM's -O level where none is asked for. Kernels are unrolled and vectorized
/// before LLVM sees them and are the same at 3, which unrolls the loops between
/// them up to thousands of instructions: twice the compile time, no faster.
inline constexpr unsigned kOptimizationLevel = 2;

/// What the option is, in every tool that has it.
inline constexpr llvm::StringLiteral kOptimizationHelp =
    "LLVM's optimization, 0 to 3 (default 2): with -O0 code is made up to ten "
    "times faster and runs slower, for one look at the numbers; integers are "
    "the same, last bits of floats may differ";

/// A level of 0 to 3 as `option` gives it.
llvm::Expected<unsigned> parseOptimizationLevel(llvm::StringRef option,
                                                llvm::StringRef text);

/// What code generation does at a level: registers and order of kernels want
/// all of it from 2 on.
llvm::CodeGenOptLevel getCodeGenLevel(unsigned optLevel);

} // namespace quantmlir

#endif // QUANT_RUNTIME_EXECUTION_OPTIMIZATIONLEVEL_H
