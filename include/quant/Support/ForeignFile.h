//===- ForeignFile.h - what a file is that is no program --------*- C++ -*-===//
//
// People come with what their framework writes. Where such a file cannot be
// read, a line says what it is and which command makes a program of it.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_SUPPORT_FOREIGNFILE_H
#define QUANT_SUPPORT_FOREIGNFILE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <string>

namespace quantmlir {

/// What the file at `path` with these bytes is by its first bytes or its name,
/// and what to do: newer bytecode, a model or weights of others, an archive.
/// Empty where it may be a program.
std::string explainForeignBytes(llvm::StringRef path, llvm::StringRef bytes);

/// The same for a file that is none MLIR reads: also text in a dialect that it
/// does not have.
std::string explainForeignFile(llvm::StringRef path, llvm::StringRef bytes);

/// Whether there is no file at `path` but a device, which may have no end.
bool isDevice(llvm::StringRef path);

/// The bytes of the file at `path`; an error names it.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
openBytes(llvm::StringRef path);

} // namespace quantmlir

#endif // QUANT_SUPPORT_FOREIGNFILE_H
