//===- Provenance.cpp - what made a report --------------------------------===//

#include "quant/Runtime/Execution/Provenance.h"

#include "quant/Quantize/Passes.h"

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

std::string quantmlir::getFullScheme(StringRef text) {
  std::unique_ptr<Pass> pass = createQuantQuantizeMatmulPass();
  auto ignore = [](const Twine &) { return failure(); };
  if (failed(pass->initializeOptions(text, ignore)))
    return text.str();
  std::string printed;
  llvm::raw_string_ostream os(printed);
  pass->printAsTextualPipeline(os);
  StringRef options = StringRef(printed).split('{').second;
  options = options.rsplit('}').first.trim();
  // Lists and files that are not given say nothing.
  SmallVector<StringRef> parts, kept;
  options.split(parts, ' ', -1, /*KeepEmpty=*/false);
  for (StringRef part : parts)
    if (!part.ends_with("=") && !part.starts_with("report="))
      kept.push_back(part);
  return llvm::join(kept, " ");
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
