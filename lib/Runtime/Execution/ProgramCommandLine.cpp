//===- ProgramCommandLine.cpp - options of every tool ---------------------===//

#include "quant/Runtime/Execution/ProgramCommandLine.h"

using namespace quantmlir;
namespace cl = llvm::cl;

/// Takes away options of LLVM's libraries before ours of these names are
/// added; returns the first argument.
static llvm::StringRef
removeForeignOptions(llvm::StringRef category,
                     llvm::ArrayRef<llvm::StringRef> names) {
  auto &options = cl::getRegisteredOptions();
  for (llvm::StringRef name : names)
    if (auto found = options.find(name); found != options.end())
      found->second->removeArgument();
  return category;
}

ProgramCommandLine::ProgramCommandLine(llvm::StringRef name,
                                       llvm::ArrayRef<llvm::StringRef> names)
    : category(removeForeignOptions(name, names)),
      model(cl::Positional, cl::Required,
            cl::desc("MODEL.mlir or MODEL.mlirbc"), cl::cat(category)),
      entry("entry", cl::value_desc("name"), cl::cat(category),
            cl::desc("The program's function (default: main, or the only "
                     "public one)")),
      quantize("quantize", cl::value_desc("options"), cl::ValueOptional,
               cl::cat(category),
               cl::desc("Quantize float matmuls first, with these options of "
                        "quant-quantize-matmul")),
      features("features", cl::value_desc("+x,-y"), cl::CommaSeparated,
               cl::cat(category),
               cl::desc("x86, arm: LLVM features to add (+x) or remove (-x)")),
      threads("threads", cl::value_desc("n"), cl::init(1), cl::cat(category),
              cl::desc("x86, arm: threads that large matmuls are divided over "
                       "(default 1)")),
      optLevel("O", cl::Prefix, cl::value_desc("level"), cl::init("2"),
               cl::cat(category), cl::desc(kOptimizationHelp)),
      schedules("schedules", cl::value_desc("file.json"), cl::cat(category),
                cl::desc("x86: tiles and blocks of matmuls that quant-run "
                         "--tune measured")),
      shardAlong("shard-along", cl::init(Parallelism::Auto), cl::cat(category),
                 cl::desc("--shard: what is cut"), listParallelism()),
      strict("strict", cl::cat(category),
             cl::desc("Fail where a product stays in float, a weight is "
                      "quantized in every call, or a scheme cannot be "
                      "honoured")),
      progress("progress", cl::cat(category),
               cl::desc("Name every stage on stderr, not only those that take "
                        "long")),
      verbose("verbose", cl::cat(category),
              cl::desc("Show the compiler's remarks")) {}

void ProgramCommandLine::parse(int argc, char **argv,
                               llvm::StringRef overview) {
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, overview);
}

llvm::Error ProgramCommandLine::fill(RunOptions &options) const {
  options.model = model;
  options.entry = entry;
  if (quantize.getNumOccurrences()) {
    auto request = parseQuantizeOption(quantize);
    if (!request)
      return request.takeError();
    options.quantize = std::move(*request);
  }
  options.features.assign(features.begin(), features.end());
  options.threads = threads;
  auto level = parseOptimizationLevel("-O", optLevel);
  if (!level)
    return level.takeError();
  options.optLevel = *level;
  options.schedules = schedules;
  options.shardAlong = shardAlong;
  options.strict = strict;
  options.progress = progress;
  options.verbose = verbose;
  return llvm::Error::success();
}
