//===- LoadedModel.cpp - a compiled model that can be called --------------===//

#include "quant/Artifact/LoadedModel.h"

#include "quant/Artifact/ArtifactFiles.h"
#include "quant/Artifact/CodeTarget.h"
#include "quant/Support/ForeignFile.h"
#include "quant/Support/MPILibrary.h"

#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/DynamicLibrary.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace quantmlir;
using llvm::StringRef;

LoadedModel::LoadedModel() = default;

LoadedModel::~LoadedModel() {
  if (artifact)
    artifact->unload();
  if (handle)
    dlclose(handle);
  if (file >= 0)
    close(file);
  if (weights)
    munmap(weights, weightsSize);
}

StringRef LoadedModel::getWeights() const {
  return StringRef(weights, weightsSize);
}

int32_t LoadedModel::run(llvm::ArrayRef<QuantTensor> inputs,
                         llvm::MutableArrayRef<QuantTensor> results,
                         char *message, size_t messageSize) {
  std::unique_lock<std::mutex> lock(mutex, std::defer_lock);
  if (artifact->flags & QUANT_KEEPS_STATE)
    lock.lock();
  return artifact->run(inputs.data(), inputs.size(), results.data(),
                       results.size(), message, messageSize);
}

llvm::Error LoadedModel::takeArtifact(void *function) {
  using GetArtifact = const QuantArtifact *(*)();
  const QuantArtifact *found = reinterpret_cast<GetArtifact>(function)();
  if (found->abi != QUANT_ARTIFACT_ABI)
    return llvm::createStringError(
        "expected a model with interface " + llvm::Twine(QUANT_ARTIFACT_ABI) +
        ", found " + llvm::Twine(found->abi) + ": compile it again");
  artifact = found;
  return verifyHostRunsCode(found->triple, found->cpu, found->features);
}

//===----------------------------------------------------------------------===//
// Objects
//===----------------------------------------------------------------------===//

llvm::Error LoadedModel::linkObject(llvm::ArrayRef<char> object,
                                    StringRef symbol) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  if (needsMPI(object)) {
    auto mpi = openMPILibrary();
    if (!mpi)
      return mpi.takeError();
  }
  // A process need not have loaded it for all to see.
  std::string message;
  if (llvm::sys::DynamicLibrary::LoadLibraryPermanently("libm.so.6", &message))
    return llvm::createStringError(message);
  auto made = llvm::orc::LLJITBuilder().create();
  if (!made)
    return made.takeError();
  jit = std::move(*made);
  auto process = llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
      jit->getDataLayout().getGlobalPrefix());
  if (!process)
    return process.takeError();
  jit->getMainJITDylib().addGenerator(std::move(*process));
  if (llvm::Error error =
          jit->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(
              StringRef(object.data(), object.size()), symbol)))
    return error;
  auto function = jit->lookup(symbol);
  if (!function)
    return function.takeError();
  return takeArtifact(function->toPtr<void *>());
}

llvm::Expected<std::unique_ptr<LoadedModel>>
LoadedModel::link(llvm::ArrayRef<char> object, StringRef name,
                  WeightsImage &&image, mlir::ModuleOp module) {
  std::unique_ptr<LoadedModel> model(new LoadedModel());
  if (!image.isEmpty()) {
    model->weightsSize = image.getSize();
    void *pages = mmap(nullptr, model->weightsSize, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, /*fd=*/-1, /*offset=*/0);
    if (pages == MAP_FAILED)
      return llvm::createStringError("not enough memory for " +
                                     llvm::Twine(image.getSize()) +
                                     " bytes of weights");
    model->weights = static_cast<char *>(pages);
    std::move(image).moveTo(model->weights, module);
    mprotect(pages, model->weightsSize, PROT_READ);
  }
  if (llvm::Error error = model->linkObject(object, (name + "_artifact").str()))
    return std::move(error);
  char message[256];
  if (model->artifact->use(model->weights, model->weightsSize, message,
                           sizeof(message)))
    return llvm::createStringError(message);
  return model;
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

namespace {
/// What a file says of itself before any of it is run.
struct CodeFile {
  bool isShared = false;
  std::string symbol;
};
} // namespace

/// Checks that everything that would be loaded is in the file: the loader
/// itself ends the process where it is not.
static llvm::Error verifyComplete(const llvm::object::ELF64LEObjectFile &object,
                                  StringRef path) {
  auto headers = object.getELFFile().program_headers();
  if (!headers)
    return headers.takeError();
  uint64_t size = object.getData().size();
  for (const auto &header : *headers)
    if (header.p_offset > size || header.p_filesz > size - header.p_offset)
      return llvm::createStringError(path + ": the file is not complete");
  return llvm::Error::success();
}

static llvm::Expected<CodeFile> readCodeFile(llvm::MemoryBufferRef buffer,
                                             StringRef path) {
  auto fail = [&](const llvm::Twine &why) {
    return llvm::createStringError(path + ": expected a compiled model, " +
                                   why);
  };
  auto file = llvm::object::ObjectFile::createObjectFile(buffer);
  if (!file)
    return fail(llvm::toString(file.takeError()));
  auto *object = llvm::dyn_cast<llvm::object::ELF64LEObjectFile>(file->get());
  if (!object)
    return fail("found no 64-bit ELF file");
  CodeFile code;
  const llvm::object::ELFObjectFileBase &base = *object;
  code.isShared = base.getEType() == llvm::ELF::ET_DYN;
  if (!code.isShared && base.getEType() != llvm::ELF::ET_REL)
    return fail("found neither a shared library nor an object");
  if (llvm::Error error = verifyComplete(*object, path))
    return std::move(error);
  llvm::Triple host(llvm::sys::getProcessTriple());
  if (object->getArch() != host.getArch())
    return llvm::createStringError(
        path + ": the code is for " +
        llvm::Triple::getArchTypeName(object->getArch()) +
        ", this machine is " + host.getArchName());
  auto visit = [&](const llvm::object::ELFSymbolRef &symbol) {
    auto name = symbol.getName();
    auto flags = symbol.getFlags();
    if (!name || !flags) {
      llvm::consumeError(name.takeError());
      llvm::consumeError(flags.takeError());
      return;
    }
    if (name->ends_with("_artifact") &&
        (*flags & llvm::object::BasicSymbolRef::SF_Global) &&
        !(*flags & llvm::object::BasicSymbolRef::SF_Undefined))
      code.symbol = name->str();
  };
  if (code.isShared)
    for (const auto &symbol : object->getDynamicSymbolIterators())
      visit(symbol);
  else
    for (const auto &symbol : object->symbols())
      visit(symbol);
  if (code.symbol.empty())
    return fail("found no symbol NAME_artifact");
  return code;
}

/// A copy in memory has a name of its own, so that the loader takes neither two
/// models nor two versions of one file for the same library.
llvm::Error LoadedModel::openShared(llvm::ArrayRef<char> library,
                                    StringRef path, StringRef symbol) {
  file = memfd_create("quant-model", MFD_CLOEXEC);
  size_t written = 0;
  while (file >= 0 && written < library.size()) {
    ssize_t count =
        write(file, library.data() + written, library.size() - written);
    if (count <= 0)
      break;
    written += count;
  }
  if (written != library.size())
    return llvm::createStringError(path + ": not enough memory for the code");
  std::string name = "/proc/self/fd/" + std::to_string(file);
  handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    return llvm::createStringError(path + ": " + dlerror());
  void *function = dlsym(handle, symbol.str().c_str());
  if (!function)
    return llvm::createStringError(path + ": no symbol '" + symbol + "'");
  return takeArtifact(function);
}

llvm::Expected<std::unique_ptr<LoadedModel>>
LoadedModel::open(StringRef path, StringRef weightsPath) {
  if (isDevice(path))
    return llvm::createStringError(path + ": expected a file, found a device");
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return llvm::createFileError(path, buffer.getError());
  auto code = readCodeFile((*buffer)->getMemBufferRef(), path);
  if (!code)
    return code.takeError();
  std::unique_ptr<LoadedModel> model(new LoadedModel());
  llvm::ArrayRef<char> bytes((*buffer)->getBufferStart(),
                             (*buffer)->getBufferSize());
  if (llvm::Error error = code->isShared
                              ? model->openShared(bytes, path, code->symbol)
                              : model->linkObject(bytes, code->symbol))
    return std::move(error);
  llvm::SmallString<128> weights(weightsPath);
  if (weights.empty()) {
    weights = path;
    if (code->isShared) {
      llvm::sys::path::replace_extension(weights, ".weights");
    } else {
      llvm::sys::path::remove_filename(weights);
      llvm::sys::path::append(weights, model->artifact->weightsFile);
    }
  }
  char message[4096 + 256];
  if (model->artifact->load(weights.c_str(), message, sizeof(message)))
    return llvm::createStringError(message);
  return model;
}
