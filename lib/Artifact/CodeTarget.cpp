//===- CodeTarget.cpp - the machine that code is generated for ------------===//

#include "quant/Artifact/CodeTarget.h"

#include "quant/Runtime/Execution/OptimizationLevel.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"

#include <mutex>

using namespace quantmlir;
using llvm::StringRef;

void quantmlir::initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
  });
}

static llvm::Expected<const llvm::Target *> lookUp(const llvm::Triple &triple) {
  initializeTargets();
  std::string message;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return llvm::createStringError("--triple: " + message);
  if (!triple.isArch64Bit() || !triple.isLittleEndian() || !triple.isOSLinux())
    return llvm::createStringError("--triple: expected a little-endian 64-bit "
                                   "machine with Linux, found '" +
                                   triple.str() + "'");
  return target;
}

/// Checks names: LLVM itself only prints to stderr about those it does not
/// know.
static llvm::Error verifyNames(const llvm::Target &target,
                               const llvm::Triple &triple, StringRef cpu,
                               llvm::ArrayRef<std::string> features) {
  std::unique_ptr<llvm::MCSubtargetInfo> info(
      target.createMCSubtargetInfo(triple, "", ""));
  if (!cpu.empty() && !info->isCPUStringValid(cpu))
    return llvm::createStringError(
        "--cpu: expected host or LLVM's name of a CPU of " +
        triple.getArchName() + ", found '" + cpu + "'");
  for (StringRef feature : features)
    if (llvm::none_of(info->getAllProcessorFeatures(), [&](const auto &known) {
          return feature.drop_front() == known.Key;
        }))
      return llvm::createStringError(
          "--features: expected names of LLVM's features of " +
          triple.getArchName() + ", found '" + feature + "'");
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
quantmlir::createTargetMachine(StringRef tripleText, StringRef cpu,
                               llvm::ArrayRef<std::string> features,
                               unsigned optLevel) {
  llvm::Triple host(llvm::sys::getProcessTriple());
  llvm::Triple triple(tripleText.empty()
                          ? host
                          : llvm::Triple(llvm::Triple::normalize(tripleText)));
  auto target = lookUp(triple);
  if (!target)
    return target.takeError();
  bool isNative = triple.getArch() == host.getArch();
  bool isHost = cpu == "host" && isNative;
  llvm::SubtargetFeatures all;
  if (isHost)
    for (const auto &feature : llvm::sys::getHostCPUFeatures())
      all.AddFeature(feature.first(), feature.second);
  std::string name = isHost          ? llvm::sys::getHostCPUName().str()
                     : cpu == "host" ? std::string()
                                     : cpu.str();
  // The name of this machine is LLVM's own, and so are its features.
  if (llvm::Error error = verifyNames(**target, triple, name, features))
    return std::move(error);
  for (const std::string &feature : features)
    all.AddFeature(feature);
  // Code uses tiles only where it was lowered for a CPU that has them.
  if (triple.getArch() == llvm::Triple::x86_64) {
    all.AddFeature("+amx-tile");
    all.AddFeature("+amx-int8");
  }
  std::unique_ptr<llvm::TargetMachine> machine((*target)->createTargetMachine(
      triple, name, all.getString(), llvm::TargetOptions(), llvm::Reloc::PIC_,
      std::nullopt, getCodeGenLevel(optLevel)));
  if (!machine)
    return llvm::createStringError("--triple: LLVM generates no code for '" +
                                   triple.str() + "'");
  return machine;
}

llvm::Error quantmlir::verifyHostRunsCode(StringRef tripleText, StringRef cpu,
                                          StringRef features) {
  llvm::Triple triple(tripleText), host(llvm::sys::getProcessTriple());
  if (triple.getArch() != host.getArch() || triple.getOS() != host.getOS())
    return llvm::createStringError("the code is for '" + tripleText +
                                   "', this machine is '" + host.str() + "'");
  auto target = lookUp(triple);
  if (!target)
    return target.takeError();
  std::unique_ptr<llvm::MCSubtargetInfo> info(
      (*target)->createMCSubtargetInfo(triple, cpu, features));
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    if (!feature.second && !feature.first().starts_with("amx-") &&
        info->checkFeatures("+" + feature.first().str()))
      return llvm::createStringError("the code for '" + cpu + "' needs '" +
                                     feature.first() +
                                     "', which this machine does not have");
  return llvm::Error::success();
}
