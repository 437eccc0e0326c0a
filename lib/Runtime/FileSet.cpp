//===- FileSet.cpp - files that appear together ---------------------------===//

#include "quant/Runtime/FileSet.h"

#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace quantmlir;

FileSet::~FileSet() {
  for (auto &[temp, path] : files)
    llvm::consumeError(temp.discard());
}

llvm::Error FileSet::add(llvm::StringRef path,
                         llvm::function_ref<void(llvm::raw_ostream &)> print) {
  llvm::StringRef folder = llvm::sys::path::parent_path(path);
  if (!folder.empty())
    if (std::error_code code = llvm::sys::fs::create_directories(folder))
      return llvm::createFileError(path, code);
  auto temp = llvm::sys::fs::TempFile::create(path + ".%%%%%%.tmp");
  if (!temp)
    return llvm::createFileError(path, temp.takeError());
  llvm::raw_fd_ostream os(temp->FD, /*shouldClose=*/false);
  print(os);
  os.flush();
  std::error_code code = os.error();
  os.clear_error();
  files.emplace_back(std::move(*temp), path.str());
  if (code)
    return llvm::createFileError(path, code);
  return llvm::Error::success();
}

llvm::Error FileSet::keep() {
  for (auto &[temp, path] : files)
    if (llvm::Error error = temp.keep(path))
      return llvm::createFileError(path, std::move(error));
  files.clear();
  return llvm::Error::success();
}
