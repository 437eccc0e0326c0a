//===- ProgramCommandLine.h - options of every tool -------------*- C++ -*-===//

#ifndef QUANT_RUNTIME_EXECUTION_PROGRAMCOMMANDLINE_H
#define QUANT_RUNTIME_EXECUTION_PROGRAMCOMMANDLINE_H

#include "quant/Runtime/Execution/Options.h"

#include "llvm/Support/CommandLine.h"

namespace quantmlir {

/// The options that all tools have that compile a program, alive only while the
/// command line is read. A tool adds its own to `category`.
class ProgramCommandLine {
public:
  /// `category` names the tool's options; options that LLVM's libraries bring
  /// along under one of `names`, which are the tool's, are taken away.
  ProgramCommandLine(llvm::StringRef category,
                     llvm::ArrayRef<llvm::StringRef> names);

  /// Reads the command line; ends the process at --help, --version and at
  /// options that are not understood.
  void parse(int argc, char **argv, llvm::StringRef overview);

  /// Writes what was read to `options`, whose other members stay. An error
  /// says which value is not understood.
  llvm::Error fill(RunOptions &options) const;

  bool isShardAlongGiven() const { return shardAlong.getNumOccurrences(); }

protected:
  llvm::cl::OptionCategory category;

private:
  llvm::cl::opt<std::string> model;
  llvm::cl::opt<std::string> entry;
  llvm::cl::opt<std::string> quantize;
  llvm::cl::list<std::string> features;
  llvm::cl::opt<int64_t> threads;
  llvm::cl::opt<std::string> optLevel;
  llvm::cl::opt<std::string> schedules;
  llvm::cl::opt<Parallelism> shardAlong;
  llvm::cl::opt<bool> strict;
  llvm::cl::opt<bool> progress;
  llvm::cl::opt<bool> verbose;
};

} // namespace quantmlir

#endif // QUANT_RUNTIME_EXECUTION_PROGRAMCOMMANDLINE_H
