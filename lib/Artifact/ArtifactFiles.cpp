//===- ArtifactFiles.cpp - the files of a compiled model ------------------===//

#include "quant/Artifact/ArtifactFiles.h"

#include "quant/Runtime/Host/FileSet.h"

#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace quantmlir;
using llvm::StringRef;

llvm::Expected<ArtifactPaths> ArtifactPaths::of(StringRef path) {
  StringRef extension = llvm::sys::path::extension(path);
  if ((extension != ".so" && extension != ".o") ||
      llvm::sys::path::stem(path).empty())
    return llvm::createStringError(
        "expected a file NAME.so or NAME.o, found '" + path + "'");
  ArtifactPaths paths;
  paths.isShared = extension == ".so";
  paths.code = path.str();
  std::string base = path.drop_back(extension.size()).str();
  paths.header = base + ".h";
  return paths;
}

std::string ArtifactPaths::getWeights(const ModelFacts &facts) const {
  llvm::SmallString<128> path(code);
  if (isShared) {
    llvm::sys::path::replace_extension(path, ".weights");
  } else {
    llvm::sys::path::remove_filename(path);
    llvm::sys::path::append(path, facts.weightsFile);
  }
  return path.str().str();
}

std::string ArtifactPaths::getStem() const {
  return llvm::sys::path::stem(code).str();
}

llvm::Error quantmlir::writeArtifact(
    const ArtifactPaths &paths, const ModelFacts &facts,
    llvm::ArrayRef<char> object,
    llvm::function_ref<void(llvm::raw_ostream &)> printWeights,
    StringRef linker) {
  llvm::SmallVector<char, 0> linked;
  if (paths.isShared) {
    auto library = linkSharedLibrary(object, facts, linker);
    if (!library)
      return library.takeError();
    linked = std::move(*library);
    object = linked;
  }
  // The code comes last: who finds it finds the rest.
  FileSet files;
  if (!facts.weightsFile.empty())
    if (llvm::Error error = files.add(paths.getWeights(facts), printWeights))
      return error;
  if (llvm::Error error = files.add(
          paths.header, [&](llvm::raw_ostream &os) { printHeader(facts, os); }))
    return error;
  if (llvm::Error error = files.add(paths.code, [&](llvm::raw_ostream &os) {
        os.write(object.data(), object.size());
      }))
    return error;
  return files.keep();
}
