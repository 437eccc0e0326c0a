//===- SetX86Target.cpp - describe the machine to compile for -------------===//
//
// `quant-set-target`: names come from LLVM's table of x86 processors, the
// host's from cpuid. Only the features that a decision of ours depends on are
// written down, so that the attribute is short and equal machines look equal.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/X86/Passes.h"
#include "quant/Target/X86/X86Kernels.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/X86TargetParser.h"

#include <thread>
#include <unistd.h>

namespace quantmlir {
#define GEN_PASS_DEF_QUANTSETTARGETPASS
#include "quant/Target/X86/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::qtarget;

namespace {

/// Names that LLVM accepts as x86 features, those of the table included.
const llvm::StringSet<> &getKnownFeatures() {
  static const llvm::StringSet<> known = [] {
    llvm::StringSet<> names;
#define X86_FEATURE(ENUM, STRING) names.insert(STRING);
#include "llvm/TargetParser/X86TargetParser.def"
    return names;
  }();
  return known;
}

/// Cache sizes in bytes, for one core.
struct Caches {
  int64_t l1d = 48 * 1024;
  int64_t l2 = 2 * 1024 * 1024;
};

int64_t askSystem(int name, int64_t otherwise) {
  long value = sysconf(name);
  return value > 0 ? value : otherwise;
}

Caches getHostCaches() {
  Caches caches;
#ifdef _SC_LEVEL1_DCACHE_SIZE
  caches.l1d = askSystem(_SC_LEVEL1_DCACHE_SIZE, caches.l1d);
  caches.l2 = askSystem(_SC_LEVEL2_CACHE_SIZE, caches.l2);
#endif
  return caches;
}

/// Caches of processors that are named and not asked: those with AMX have 48
/// KiB and 2 MiB; those with AVX-512 or AVX-VNNI have 48 KiB and at least 1.25
/// MiB; older ones 32 KiB and 256 KiB.
Caches getTypicalCaches(const llvm::StringMap<bool> &features) {
  if (features.lookup("amx-int8"))
    return {48 * 1024, 2 * 1024 * 1024};
  if (features.lookup("avx512vnni") || features.lookup("avxvnni"))
    return {48 * 1024, 1280 * 1024};
  if (features.lookup("avx512f"))
    return {32 * 1024, 1024 * 1024};
  return {32 * 1024, 256 * 1024};
}

struct QuantSetTargetPass
    : quantmlir::impl::QuantSetTargetPassBase<QuantSetTargetPass> {
  using Base::Base;

  void runOnOperation() override {
    std::string name = cpu;
    llvm::StringMap<bool> available;
    Caches caches;
    int64_t cores = 1;
    if (cpu == "host") {
      name = llvm::sys::getHostCPUName().str();
      for (const auto &feature : llvm::sys::getHostCPUFeatures())
        available[feature.getKey()] = feature.getValue();
      caches = getHostCaches();
      cores = std::max(1u, std::thread::hardware_concurrency());
    } else if (failed(lookUp(available))) {
      return signalPassFailure();
    } else {
      caches = getTypicalCaches(available);
    }
    if (failed(applyFeatureOptions(available)))
      return signalPassFailure();
    attach(name, available, caches, cores);
  }

private:
  /// An error at the module's location, without printing the module.
  InFlightDiagnostic error() { return emitError(getOperation().getLoc()); }

  /// The features of a processor that is named.
  LogicalResult lookUp(llvm::StringMap<bool> &available) {
    namespace x86 = llvm::X86;
    if (x86::parseArchX86(cpu, /*Only64Bit=*/true) == x86::CK_None)
      return error()
             << "expected `host` or LLVM's name of a 64-bit x86 processor, "
                "found cpu `"
             << cpu << "`";
    SmallVector<StringRef> features;
    x86::getFeaturesForCPU(cpu, features);
    for (StringRef feature : features) {
      available[feature] = true;
      llvm::X86::updateImpliedFeatures(feature, true, available);
    }
    return success();
  }

  LogicalResult applyFeatureOptions(llvm::StringMap<bool> &available) {
    for (StringRef option : features) {
      StringRef name = option;
      bool enable = name.consume_front("+");
      if (!enable && !name.consume_front("-"))
        return error() << "expected a feature as +name or -name, found `"
                       << option << "`";
      if (!getKnownFeatures().contains(name))
        return error() << "expected LLVM's name of an x86 feature, found `"
                       << name << "`";
      available[name] = enable;
      // What a feature needs comes with it, what needs it goes with it.
      llvm::X86::updateImpliedFeatures(name, enable, available);
    }
    return success();
  }

  void attach(StringRef name, const llvm::StringMap<bool> &available,
              Caches caches, int64_t cores) {
    Builder builder(&getContext());
    SmallVector<Attribute> names;
    for (StringRef feature : quantmlir::x86::getRelevantFeatures())
      if (available.lookup(feature))
        names.push_back(builder.getStringAttr(feature));
    getOperation()->setAttr(TargetAttr::kModuleAttrName,
                            TargetAttr::get(&getContext(),
                                            builder.getStringAttr("x86_64"),
                                            builder.getStringAttr(name),
                                            builder.getArrayAttr(names),
                                            caches.l1d, caches.l2, cores));
  }
};

} // namespace
