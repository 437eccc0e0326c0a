//===- SharedLibrary.cpp - from an object file to a shared library --------===//

#include "quant/Artifact/ArtifactFiles.h"
#include "quant/Support/MPILibrary.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace quantmlir;
using llvm::StringRef;

/// Whether a symbol of the object file begins with `prefix`.
static bool names(llvm::ArrayRef<char> object, StringRef prefix) {
  auto file = llvm::object::ObjectFile::createObjectFile(
      llvm::MemoryBufferRef(StringRef(object.data(), object.size()), "object"));
  if (!file) {
    llvm::consumeError(file.takeError());
    return false;
  }
  for (const llvm::object::SymbolRef &symbol : (*file)->symbols()) {
    auto name = symbol.getName();
    if (!name)
      llvm::consumeError(name.takeError());
    else if (name->starts_with(prefix))
      return true;
  }
  return false;
}

bool quantmlir::needsMPI(llvm::ArrayRef<char> object) {
  return names(object, "MPI_");
}

static llvm::Expected<std::string> findLinker(StringRef linker) {
  auto path = llvm::sys::findProgramByName(linker.empty() ? "cc" : linker);
  if (path)
    return *path;
  return llvm::createStringError(
      "no linker for shared libraries: '" +
      (linker.empty() ? StringRef("cc") : linker) +
      "' is not on PATH (Debian: gcc); an object (.o) needs none");
}

/// The error of a program that failed, with what it printed.
static llvm::Error explainFailure(StringRef program, StringRef message,
                                  StringRef log) {
  auto text = llvm::MemoryBuffer::getFile(log);
  std::string said = text ? (*text)->getBuffer().trim().str() : "";
  return llvm::createStringError(program + " did not link the model: " +
                                 (message.empty() ? StringRef(said) : message));
}

llvm::Expected<llvm::SmallVector<char, 0>>
quantmlir::linkSharedLibrary(llvm::ArrayRef<char> object,
                             const ModelFacts &facts, StringRef linker) {
  llvm::Triple triple(facts.triple), host(llvm::sys::getDefaultTargetTriple());
  if (linker.empty() && triple.getArch() != host.getArch())
    return llvm::createStringError(
        "a shared library for " + triple.getArchName() +
        " needs that machine's compiler driver, as in --linker=" +
        triple.getArchName() + "-linux-gnu-gcc; an object (.o) needs none");
  auto program = findLinker(linker);
  if (!program)
    return program.takeError();
  llvm::SmallString<128> folder;
  if (std::error_code code =
          llvm::sys::fs::createUniqueDirectory("quant-link", folder))
    return llvm::createFileError(folder, code);
  llvm::scope_exit clean(
      [&] { (void)llvm::sys::fs::remove_directories(folder); });
  std::string input = (folder + "/" + facts.name + ".o").str();
  std::string output = (folder + "/" + facts.name + ".so").str();
  std::string log = (folder + "/log").str();
  {
    std::error_code code;
    llvm::raw_fd_ostream os(input, code);
    os.write(object.data(), object.size());
    os.close();
    if (code || (code = os.error())) {
      os.clear_error();
      return llvm::createFileError(input, code);
    }
  }
  std::string soname = "-Wl,-soname," + facts.name + ".so";
  llvm::SmallVector<StringRef> arguments = {*program,
                                            "-shared",
                                            "-o",
                                            output,
                                            input,
                                            soname,
                                            "-Wl,--no-undefined",
                                            "-Wl,--build-id=none",
                                            "-Wl,-z,noexecstack",
                                            "-Wl,-z,relro"};
  std::string mpi;
  if (needsMPI(object)) {
    auto library = openMPILibrary();
    if (!library)
      return library.takeError();
    mpi = *library;
    arguments.push_back(mpi);
  }
  // Where they are parts of libc, nothing is left of the last two.
  arguments.append({"-lm", "-Wl,--as-needed", "-lpthread", "-ldl"});
  std::string message;
  StringRef logPath(log);
  int status = llvm::sys::ExecuteAndWait(
      *program, arguments, std::nullopt, {std::nullopt, logPath, logPath},
      /*SecondsToWait=*/0, /*MemoryLimit=*/0, &message);
  if (status != 0)
    return explainFailure(*program, message, log);
  auto linked = llvm::MemoryBuffer::getFile(output);
  if (!linked)
    return llvm::createFileError(output, linked.getError());
  StringRef bytes = (*linked)->getBuffer();
  return llvm::SmallVector<char, 0>(bytes.begin(), bytes.end());
}
