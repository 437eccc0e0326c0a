//===- FileSet.h - files that appear together -------------------*- C++ -*-===//

#ifndef QUANT_RUNTIME_HOST_FILESET_H
#define QUANT_RUNTIME_HOST_FILESET_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"

#include <vector>

namespace quantmlir {

/// Writes files under temporary names and renames all of them at the end, in
/// the order in which they were added: what appears is complete. Files that
/// were not kept are removed.
class FileSet {
public:
  FileSet() = default;
  ~FileSet();

  /// Makes the folder of `path` too, where `folder` says so. What is no regular
  /// file (/dev/stdout, a pipe) is written at once.
  llvm::Error add(llvm::StringRef path,
                  llvm::function_ref<void(llvm::raw_ostream &)> print,
                  bool folder = true);
  llvm::Error keep();

private:
  std::vector<std::pair<llvm::sys::fs::TempFile, std::string>> files;
};

} // namespace quantmlir

#endif // QUANT_RUNTIME_HOST_FILESET_H
