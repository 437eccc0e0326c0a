//===- CodeTarget.h - the machine that code is generated for ----*- C++ -*-===//

#ifndef QUANT_ARTIFACT_CODETARGET_H
#define QUANT_ARTIFACT_CODETARGET_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"

#include <memory>
#include <string>

namespace quantmlir {

/// Makes LLVM's targets known; once is enough.
void initializeTargets();

/// Code generation for `triple` (empty: this machine's), `cpu` (`host`: this
/// one) and `features` (+x, -x), at LLVM's level `optLevel`. Position
/// independent. Fails for what LLVM does not know, and for machines whose words
/// are not little-endian ones of 64 bits.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(llvm::StringRef triple, llvm::StringRef cpu,
                    llvm::ArrayRef<std::string> features, unsigned optLevel);

/// Whether code for these runs on this machine, by what LLVM can find out of
/// it; the error says what is missing. AMX is not looked for: tests emulate it.
llvm::Error verifyHostRunsCode(llvm::StringRef triple, llvm::StringRef cpu,
                               llvm::StringRef features);

} // namespace quantmlir

#endif // QUANT_ARTIFACT_CODETARGET_H
