//===- FileSet.cpp - files that appear together ---------------------------===//

#include "quant/Runtime/Host/FileSet.h"

#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace quantmlir;

FileSet::~FileSet() {
  for (auto &[temp, path] : files)
    llvm::consumeError(temp.discard());
}

/// Prints to `os`; an error is reported here, not when `os` goes away.
static llvm::Error
printTo(llvm::raw_fd_ostream &os, llvm::StringRef path,
        llvm::function_ref<void(llvm::raw_ostream &)> print) {
  print(os);
  os.flush();
  std::error_code code = os.error();
  os.clear_error();
  if (code)
    return llvm::createFileError(path, code);
  return llvm::Error::success();
}

llvm::Error FileSet::add(llvm::StringRef path,
                         llvm::function_ref<void(llvm::raw_ostream &)> print,
                         bool folder) {
  if (llvm::sys::fs::exists(path) && !llvm::sys::fs::is_regular_file(path)) {
    std::error_code code;
    llvm::raw_fd_ostream os(path, code);
    if (code)
      return llvm::createFileError(path, code);
    return printTo(os, path, print);
  }
  llvm::StringRef parent = llvm::sys::path::parent_path(path);
  if (folder && !parent.empty())
    if (std::error_code code = llvm::sys::fs::create_directories(parent))
      return llvm::createFileError(path, code);
  auto temp = llvm::sys::fs::TempFile::create(path + ".%%%%%%.tmp");
  if (!temp)
    return llvm::createFileError(path, temp.takeError());
  llvm::raw_fd_ostream os(temp->FD, /*shouldClose=*/false);
  files.emplace_back(std::move(*temp), path.str());
  return printTo(os, path, print);
}

llvm::Error FileSet::keep() {
  for (auto &[temp, path] : files)
    if (llvm::Error error = temp.keep(path))
      return llvm::createFileError(path, std::move(error));
  files.clear();
  return llvm::Error::success();
}
