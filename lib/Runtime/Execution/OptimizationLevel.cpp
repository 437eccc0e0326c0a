//===- OptimizationLevel.cpp - how much LLVM does -------------------------===//

#include "quant/Runtime/Execution/OptimizationLevel.h"

using namespace quantmlir;

llvm::Expected<unsigned>
quantmlir::parseOptimizationLevel(llvm::StringRef option,
                                  llvm::StringRef text) {
  // One digit: LLVM's integers may have signs, bases and zeros before them.
  if (text.size() != 1 || text[0] < '0' || text[0] > '3')
    return llvm::createStringError(option + ": expected 0 to 3, found '" +
                                   text + "'");
  return text[0] - '0';
}

llvm::CodeGenOptLevel quantmlir::getCodeGenLevel(unsigned optLevel) {
  return optLevel == 0   ? llvm::CodeGenOptLevel::None
         : optLevel == 1 ? llvm::CodeGenOptLevel::Less
                         : llvm::CodeGenOptLevel::Aggressive;
}
