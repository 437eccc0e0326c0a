//===- PeakProbe.cpp - what this core can multiply at most ----------------===//
//
// vpdpbusd: Intel SDM volume 2, "Multiply and Add Unsigned and Signed Bytes".
// Its latency is about five cycles and two can start in each, so ten
// accumulators or more keep the ports busy; 24 leave registers for operands.
// tdpbusd is the same product on AMX tiles.
//
//===----------------------------------------------------------------------===//

#include "quant/Runtime/Execution/PeakProbe.h"

#include "quant/Runtime/Execution/JitRunner.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Host.h"

#include <algorithm>
#include <chrono>

using namespace mlir;
using namespace quantmlir;

namespace {

/// One instruction: its vectors and the multiply-adds that it does.
struct Instruction {
  StringRef name, accumulator, operand;
  int64_t bytes, macs;
  /// vpmaddwd does not add to an accumulator itself.
  bool needsAdd;
};

} // namespace

static constexpr int64_t kNumAccumulators512 = 24;
/// Without AVX-512 there are 16 registers, two of which hold the operands.
static constexpr int64_t kNumAccumulators256 = 12;

static Instruction chooseInstruction() {
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  if (features.lookup("avx512vnni"))
    return {"avx512.vpdpbusd.512",
            "vector<16xi32>",
            "vector<64xi8>",
            64,
            64,
            false};
  if (features.lookup("avxvnni"))
    return {
        "avx512.vpdpbusd.256", "vector<8xi32>", "vector<32xi8>", 32, 32, false};
  return {"avx2.pmadd.wd", "vector<8xi32>", "vector<16xi16>", 32, 16, true};
}

/// A function of a count and a buffer: operands and first accumulators are
/// loaded from the buffer and the last accumulators stored to it, so that no
/// part of the loop is known to the compiler or unused.
static std::string makeProgram(const Instruction &inst, int64_t numAcc) {
  std::string text;
  llvm::raw_string_ostream os(text);
  auto list = [&](StringRef prefix, StringRef suffix = "") {
    for (int64_t i = 0; i < numAcc; ++i)
      os << (i ? ", " : "") << prefix << i << suffix;
  };
  auto types = [&] {
    for (int64_t i = 0; i < numAcc; ++i)
      os << ", " << inst.accumulator;
  };
  std::string typed = (": " + inst.accumulator).str();
  os << "llvm.func @probe(%n: i64, %p: !llvm.ptr) "
        "attributes {llvm.emit_c_interface} {\n"
        "  %zero = llvm.mlir.constant(0 : i64) : i64\n"
        "  %one = llvm.mlir.constant(1 : i64) : i64\n"
     << "  %a = llvm.load %p {alignment = 1 : i64} : !llvm.ptr -> "
     << inst.operand << "\n  %q = llvm.getelementptr %p[" << inst.bytes
     << "] : (!llvm.ptr) -> !llvm.ptr, i8\n"
     << "  %b = llvm.load %q {alignment = 1 : i64} : !llvm.ptr -> "
     << inst.operand << "\n";
  for (int64_t i = 0; i < numAcc; ++i)
    os << "  %p" << i << " = llvm.getelementptr %p[" << i * inst.bytes
       << "] : (!llvm.ptr) -> !llvm.ptr, i8\n  %i" << i << " = llvm.load %p"
       << i << " {alignment = 1 : i64} : !llvm.ptr -> " << inst.accumulator
       << "\n";
  os << "  llvm.br ^loop(%zero, ";
  list("%i");
  os << " : i64";
  types();
  os << ")\n^loop(%c: i64, ";
  list("%x", typed);
  os << "):\n";
  for (int64_t i = 0; i < numAcc; ++i) {
    if (inst.needsAdd)
      // The operand depends on the accumulator, or the product would be
      // computed once before the loop.
      os << "  %o" << i << " = llvm.bitcast %x" << i << " : "
         << inst.accumulator << " to " << inst.operand << "\n  %m" << i
         << " = llvm.call_intrinsic \"llvm.x86." << inst.name << "\"(%o" << i
         << ", %b) : (" << inst.operand << ", " << inst.operand << ") -> "
         << inst.accumulator << "\n  %y" << i << " = llvm.add %x" << i << ", %m"
         << i << " : " << inst.accumulator << "\n";
    else
      os << "  %y" << i << " = llvm.call_intrinsic \"llvm.x86." << inst.name
         << "\"(%x" << i << ", %a, %b) : (" << inst.accumulator << ", "
         << inst.operand << ", " << inst.operand << ") -> " << inst.accumulator
         << "\n";
  }
  os << "  %d = llvm.add %c, %one : i64\n"
        "  %more = llvm.icmp \"ult\" %d, %n : i64\n"
        "  llvm.cond_br %more, ^loop(%d, ";
  list("%y");
  os << " : i64";
  types();
  os << "), ^end\n^end:\n";
  for (int64_t i = 0; i < numAcc; ++i)
    os << "  llvm.store %y" << i << ", %p" << i
       << " {alignment = 1 : i64} : " << inst.accumulator << ", !llvm.ptr\n";
  os << "  llvm.return\n}\n";
  return text;
}

/// Rounds of the loop of `program` in a second: the best of several short runs.
static llvm::Expected<double> measureRounds(StringRef program,
                                            size_t bufferBytes) {
  DialectRegistry registry;
  initializeJit(registry);
  registry.insert<LLVM::LLVMDialect>();
  MLIRContext context(registry);
  auto module = parseSourceString<ModuleOp>(program, &context);
  if (!module)
    return llvm::createStringError("the probe's program does not parse");
  auto engine = createHostEngine(*module);
  if (!engine)
    return engine.takeError();
  auto found = (*engine)->lookup("probe");
  if (!found)
    return found.takeError();
  auto probe = reinterpret_cast<void (*)(int64_t, char *)>(*found);

  std::vector<char> buffer(bufferBytes, 3);
  auto measure = [&](int64_t count) {
    auto begin = std::chrono::steady_clock::now();
    probe(count, buffer.data());
    std::chrono::duration<double> time =
        std::chrono::steady_clock::now() - begin;
    return time.count();
  };
  // Find how many rounds fill 20 ms, which also brings the core to speed.
  int64_t count = 100000;
  double seconds = measure(count);
  while (seconds < 0.02) {
    count = static_cast<int64_t>(
        count * std::min(10.0, 0.025 / std::max(seconds, 1e-6)));
    seconds = measure(count);
  }
  for (int i = 0; i < 8; ++i)
    seconds = std::min(seconds, measure(count));
  return static_cast<double>(count) / seconds;
}

/// tdpbusd on full tiles: it starts every 16 cycles and takes about 52, so that
/// four accumulators would do; six leave two tiles for the operands.
static std::string makeTileProgram(int64_t numAcc) {
  std::string text;
  llvm::raw_string_ostream os(text);
  constexpr StringLiteral amx = "!llvm.x86_amx";
  auto list = [&](StringRef prefix, StringRef suffix = "") {
    for (int64_t i = 0; i < numAcc; ++i)
      os << ", " << prefix << i << suffix;
  };
  auto types = [&] {
    for (int64_t i = 0; i < numAcc; ++i)
      os << ", " << amx;
  };
  std::string typed = (": " + amx).str();
  auto load = [&](const std::string &name) {
    os << "  %" << name
       << " = llvm.call_intrinsic \"llvm.x86.tileloadd64.internal\"(%rows, "
          "%bytes, %p, %stride) : (i16, i16, !llvm.ptr, i64) -> "
       << amx << "\n";
  };
  os << "llvm.func @probe(%n: i64, %p: !llvm.ptr) "
        "attributes {llvm.emit_c_interface} {\n"
        "  %zero = llvm.mlir.constant(0 : i64) : i64\n"
        "  %one = llvm.mlir.constant(1 : i64) : i64\n"
        "  %stride = llvm.mlir.constant(64 : i64) : i64\n"
        "  %rows = llvm.mlir.constant(16 : i16) : i16\n"
        "  %bytes = llvm.mlir.constant(64 : i16) : i16\n";
  load("a");
  load("b");
  for (int64_t i = 0; i < numAcc; ++i)
    load("i" + std::to_string(i));
  os << "  llvm.br ^loop(%zero";
  list("%i");
  os << " : i64";
  types();
  os << ")\n^loop(%c: i64";
  list("%x", typed);
  os << "):\n";
  for (int64_t i = 0; i < numAcc; ++i)
    os << "  %y" << i
       << " = llvm.call_intrinsic \"llvm.x86.tdpbusd.internal\"(%rows, %bytes, "
          "%bytes, %x"
       << i << ", %a, %b) : (i16, i16, i16, " << amx << ", " << amx << ", "
       << amx << ") -> " << amx << "\n";
  os << "  %d = llvm.add %c, %one : i64\n"
        "  %more = llvm.icmp \"ult\" %d, %n : i64\n"
        "  llvm.cond_br %more, ^loop(%d";
  list("%y");
  os << " : i64";
  types();
  os << "), ^end\n^end:\n";
  for (int64_t i = 0; i < numAcc; ++i)
    os << "  llvm.call_intrinsic \"llvm.x86.tilestored64.internal\"(%rows, "
          "%bytes, %p, %stride, %y"
       << i << ") : (i16, i16, !llvm.ptr, i64, " << amx << ") -> ()\n";
  os << "  llvm.return\n}\n";
  return text;
}

llvm::Expected<Peak> quantmlir::measurePeak(bool withTiles) {
  Instruction inst = chooseInstruction();
  int64_t numAcc = inst.bytes == 64 ? kNumAccumulators512 : kNumAccumulators256;
  std::string program;
  if (withTiles) {
    numAcc = 6;
    inst = {"tdpbusd", {}, {}, 1024, 16 * 16 * 64, false};
    program = makeTileProgram(numAcc);
  } else {
    program = makeProgram(inst, numAcc);
  }
  auto rounds = measureRounds(program, numAcc * inst.bytes);
  if (!rounds)
    return rounds.takeError();
  Peak peak;
  peak.instruction = inst.name.str();
  peak.gmacPerSecond = *rounds * static_cast<double>(numAcc * inst.macs) * 1e-9;
  return peak;
}
