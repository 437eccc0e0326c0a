//===- SetArmTarget.cpp - describe the AArch64 machine to compile for -----===//
//
// `quant-set-arm-target`: names come from LLVM's table of AArch64 processors,
// the host's from the kernel. Only the features that a decision of ours depends
// on are written down.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/Arm/ArmKernels.h"
#include "quant/Target/Arm/Passes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/TargetParser/AArch64TargetParser.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

#include <thread>

namespace quantmlir {
#define GEN_PASS_DEF_QUANTSETARMTARGETPASS
#include "quant/Target/Arm/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::qtarget;

namespace {

/// Cache sizes in bytes, for one core: L1D and L2 of the processors' technical
/// reference manuals (the largest option of L2), and of Apple's cores as
/// `sysctl hw.perflevel0` says (L2 is shared by a cluster; a core's part of
/// it).
struct CoreCaches {
  StringLiteral cpu;
  int64_t l1d, l2;
};

constexpr int64_t kKiB = 1024;
constexpr CoreCaches kCoreCaches[] = {
    {"cortex-a76", 64 * kKiB, 512 * kKiB},
    {"cortex-x2", 64 * kKiB, 1024 * kKiB},
    {"neoverse-n1", 64 * kKiB, 1024 * kKiB},
    {"neoverse-n2", 64 * kKiB, 1024 * kKiB},
    {"neoverse-v1", 64 * kKiB, 1024 * kKiB},
    {"neoverse-v2", 64 * kKiB, 2048 * kKiB},
    {"apple-m1", 128 * kKiB, 3072 * kKiB},
    {"apple-m2", 128 * kKiB, 4096 * kKiB},
    {"apple-m3", 128 * kKiB, 4096 * kKiB},
    {"apple-m4", 128 * kKiB, 4096 * kKiB},
};
/// Of any other: what every core of the last ten years has.
constexpr int64_t kTypicalL1D = 32 * kKiB, kTypicalL2 = 512 * kKiB;

struct QuantSetArmTargetPass
    : quantmlir::impl::QuantSetArmTargetPassBase<QuantSetArmTargetPass> {
  using Base::Base;

  void runOnOperation() override {
    std::string name = cpu;
    llvm::StringSet<> available;
    int64_t cores = 1;
    llvm::Triple host(llvm::sys::getProcessTriple());
    if (cpu == "host" && !host.isAArch64()) {
      error() << "expected `generic` or LLVM's name of an AArch64 processor: "
                 "the host is one of "
              << host.getArchName();
      return signalPassFailure();
    }
    if (cpu == "host") {
      name = llvm::sys::getHostCPUName().str();
      for (const auto &feature : llvm::sys::getHostCPUFeatures())
        if (feature.getValue())
          available.insert(feature.getKey());
      cores = std::max(1u, std::thread::hardware_concurrency());
    } else if (failed(lookUp(available))) {
      return signalPassFailure();
    }
    if (failed(applyFeatureOptions(available)))
      return signalPassFailure();
    attach(name, available, cores);
  }

private:
  /// An error at the module's location, without printing the module.
  InFlightDiagnostic error() { return emitError(getOperation().getLoc()); }

  static void addExtensions(llvm::StringSet<> &available,
                            const llvm::AArch64::ExtensionSet &set) {
    std::vector<StringRef> features;
    set.toLLVMFeatureList(features);
    for (StringRef feature : features)
      if (feature.consume_front("+"))
        available.insert(feature);
  }

  /// The features of a processor that is named.
  LogicalResult lookUp(llvm::StringSet<> &available) {
    llvm::AArch64::ExtensionSet set;
    if (cpu == "generic") {
      set.addArchDefaults(llvm::AArch64::ARMV8A);
    } else if (auto info = llvm::AArch64::parseCpu(cpu)) {
      set.addCPUDefaults(*info);
    } else {
      return error() << "expected `host`, `generic` or LLVM's name of an "
                        "AArch64 processor, found cpu `"
                     << cpu << "`";
    }
    addExtensions(available, set);
    return success();
  }

  LogicalResult applyFeatureOptions(llvm::StringSet<> &available) {
    for (StringRef option : features) {
      StringRef name = option;
      bool enable = name.consume_front("+");
      if (!enable && !name.consume_front("-"))
        return error() << "expected an extension as +name or -name, found `"
                       << option << "`";
      if (!llvm::AArch64::parseArchExtension(name))
        return error()
               << "expected LLVM's name of an AArch64 extension, found `"
               << name << "`";
      if (enable)
        available.insert(name);
      else
        available.erase(name);
    }
    return success();
  }

  void attach(StringRef name, const llvm::StringSet<> &available,
              int64_t cores) {
    Builder builder(&getContext());
    SmallVector<StringRef> names;
    for (StringRef feature : quantmlir::arm::getRelevantFeatures())
      if (available.contains(feature))
        names.push_back(feature);
    // Every AArch64 with vectors has fused multiply-adds.
    names.push_back("fma");
    llvm::sort(names);
    const CoreCaches *known = llvm::find_if(
        kCoreCaches, [&](const CoreCaches &row) { return row.cpu == name; });
    bool isKnown = known != std::end(kCoreCaches);
    getOperation()->setAttr(
        TargetAttr::kModuleAttrName,
        TargetAttr::get(&getContext(), builder.getStringAttr("aarch64"),
                        builder.getStringAttr(name),
                        builder.getStrArrayAttr(names),
                        isKnown ? known->l1d : kTypicalL1D,
                        isKnown ? known->l2 : kTypicalL2, cores));
  }
};

} // namespace
