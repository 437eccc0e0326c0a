//===- HostFeatures.cpp - can this machine run code for that CPU ----------===//

#include "quant/Runtime/Execution/Program.h"

#include "quant/CAPI/AMX.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;
using namespace quantmlir;

/// What the instructions need that kernels are made of: of the features that
/// describe a machine (x86::getRelevantFeatures), those but tiles and what only
/// tells vendors apart. The code generator itself always generates for the
/// host.
static constexpr StringLiteral kRelevantFeatures[] = {
    "sse4.1",   "fma",         "avx2",       "avx512f",
    "avx512bw", "avx512vl",    "avx512vbmi", "avx512vnni",
    "avxvnni",  "avxvnniint8", "avx10.2"};

/// LLVM's description of `cpu` with `features`, both of which are known names.
static std::unique_ptr<llvm::MCSubtargetInfo>
describeTarget(StringRef cpu, ArrayRef<std::string> features) {
  llvm::Triple triple("x86_64-unknown-linux-gnu");
  std::string message;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return nullptr;
  return std::unique_ptr<llvm::MCSubtargetInfo>(target->createMCSubtargetInfo(
      triple, cpu == "host" ? llvm::sys::getHostCPUName() : cpu,
      llvm::join(features, ",")));
}

/// Whether code for `cpu` and `features` uses tiles. The host's features are
/// asked of the host: what a CPU of its name has may be switched off.
static bool hasTiles(StringRef cpu, ArrayRef<std::string> features) {
  auto info = describeTarget(cpu, features);
  if (!info)
    return false;
  if (cpu != "host" || llvm::is_contained(features, "+amx-int8"))
    return info->checkFeatures("+amx-int8");
  return !llvm::is_contained(features, "-amx-int8") &&
         llvm::sys::getHostCPUFeatures().lookup("amx-int8");
}

bool quantmlir::canUseTiles(StringRef cpu, ArrayRef<std::string> features) {
  return hasTiles(cpu, features) && quantRequestAMXPermission();
}

std::vector<std::string>
quantmlir::getTargetFeatures(StringRef cpu, ArrayRef<std::string> features) {
  std::vector<std::string> all(features);
  if (cpu == "host" || !hasTiles(cpu, features))
    return all;
  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  auto info = describeTarget(cpu, features);
  for (StringRef feature : kRelevantFeatures)
    if (info->checkFeatures("+" + feature.str()) && !host.lookup(feature))
      all.push_back("-" + feature.str());
  return all;
}

llvm::Error quantmlir::verifyHostIsArm() {
  llvm::Triple host(llvm::sys::getProcessTriple());
  if (host.isAArch64())
    return llvm::Error::success();
  return llvm::createStringError(
      "--target=arm: expected an AArch64 host, found " + host.getArchName() +
      "; quant-opt --quant-to-arm compiles for another machine");
}

llvm::Error quantmlir::verifyHostCanRun(StringRef cpu,
                                        ArrayRef<std::string> features) {
  llvm::Triple triple("x86_64-unknown-linux-gnu");
  if (llvm::Triple(llvm::sys::getProcessTriple()).getArch() !=
      llvm::Triple::x86_64)
    return llvm::createStringError("--target=x86: the host is no x86 machine");
  std::string message;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return llvm::createStringError(message);
  // The empty CPU first: LLVM prints to stderr about names it does not know.
  std::unique_ptr<llvm::MCSubtargetInfo> info(
      target->createMCSubtargetInfo(triple, "", ""));
  bool isHost = cpu == "host";
  if (!isHost && !info->isCPUStringValid(cpu))
    return llvm::createStringError(
        "--cpu: expected host or LLVM's name of an x86 CPU, found '" + cpu +
        "'");
  for (StringRef feature : features)
    if (llvm::none_of(info->getAllProcessorFeatures(), [&](const auto &known) {
          return feature.drop_front() == known.Key;
        }))
      return llvm::createStringError(
          "--features: expected names of LLVM's x86 features, found '" +
          feature + "'");

  if (!isHost && hasTiles(cpu, features))
    return llvm::Error::success();
  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  std::string all = llvm::join(features, ",");
  info.reset(target->createMCSubtargetInfo(triple, isHost ? "" : cpu, all));
  for (StringRef feature : kRelevantFeatures)
    if (info->checkFeatures("+" + feature.str()) && !host.lookup(feature))
      return llvm::createStringError("the code for '" + cpu + "' would need '" +
                                     feature +
                                     "', which this machine does not have");
  return llvm::Error::success();
}
