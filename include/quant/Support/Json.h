//===- Json.h - JSON that was written by others -----------------*- C++ -*-===//

#ifndef QUANT_SUPPORT_JSON_H
#define QUANT_SUPPORT_JSON_H

#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

namespace quantmlir {

/// The text of the file at `path`, which must not be a device: some have no end.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
openJson(llvm::StringRef path);

/// `llvm::json::parse`, which calls itself for each bracket, of text that may
/// have a million of them.
llvm::Expected<llvm::json::Value> parseJson(llvm::StringRef text);

} // namespace quantmlir

#endif // QUANT_SUPPORT_JSON_H
