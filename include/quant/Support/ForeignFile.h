//===- ForeignFile.h - what a file is that is no program --------*- C++ -*-===//
//
// People come with what their framework writes. Where such a file cannot be
// read, a line says what it is and which command makes a program of it.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_SUPPORT_FOREIGNFILE_H
#define QUANT_SUPPORT_FOREIGNFILE_H

#include "llvm/ADT/StringRef.h"

#include <string>

namespace quantmlir {

/// What the file at `path` with these bytes is, and what to do: newer bytecode,
/// an ONNX or TFLite model, text in a dialect that MLIR does not have. Empty
/// where it is none of these.
std::string explainForeignFile(llvm::StringRef path, llvm::StringRef bytes);

} // namespace quantmlir

#endif // QUANT_SUPPORT_FOREIGNFILE_H
