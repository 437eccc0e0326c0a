//===- Provenance.cpp - what made a report --------------------------------===//

#include "quant/Runtime/Execution/Provenance.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Threading.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;
using namespace quantmlir;

/// The model name that the kernel knows, or LLVM's name.
static std::string getProcessor() {
  auto file = llvm::MemoryBuffer::getFileAsStream("/proc/cpuinfo");
  if (file)
    for (StringRef rest = (*file)->getBuffer(); !rest.empty();) {
      auto [line, next] = rest.split('\n');
      rest = next;
      if (line.starts_with("model name"))
        return line.split(':').second.trim().str();
    }
  return llvm::sys::getHostCPUName().str();
}

std::string quantmlir::getMachine() {
  return getProcessor() + ", " +
         std::to_string(llvm::hardware_concurrency().compute_thread_count()) +
         " threads";
}

std::string quantmlir::quoteCommand(ArrayRef<const char *> arguments) {
  std::string command;
  for (StringRef argument : arguments) {
    bool isPlain = !argument.empty() && llvm::all_of(argument, [](char c) {
      return llvm::isAlnum(c) || StringRef("-_=./,:+@%").contains(c);
    });
    command += command.empty() ? "" : " ";
    if (isPlain) {
      command += argument;
      continue;
    }
    command += "'";
    for (char c : argument)
      command += c == '\'' ? std::string("'\\''") : std::string(1, c);
    command += "'";
  }
  return command;
}
