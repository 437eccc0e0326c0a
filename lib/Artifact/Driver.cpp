//===- Driver.cpp - what quant-compile does -------------------------------===//

#include "quant/Artifact/Driver.h"

#include "quant/Dialect/Quant/Utils/DiscardableAttrs.h"
#include "quant/Runtime/Execution/Diagnostics.h"
#include "quant/Runtime/Execution/Program.h"
#include "quant/Runtime/Execution/ProgramCommandLine.h"
#include "quant/Runtime/Execution/Progress.h"
#include "quant/Runtime/Execution/Reported.h"
#include "quant/Runtime/Report/Report.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace quantmlir;
namespace cl = llvm::cl;

namespace {

/// The options, alive only while the command line is read.
struct CommandLine : public ProgramCommandLine {
  CommandLine()
      : ProgramCommandLine("quant-compile options",
                           {"threads", "emit", "name", "linker"}) {}

  cl::opt<std::string> emit{
      "emit", cl::value_desc("dir/name.so|.o"), cl::Required, cl::cat(category),
      cl::desc("Write a shared library or an object, and beside it name.h and "
               "name.weights")};
  cl::opt<std::string> name{
      "name", cl::value_desc("identifier"), cl::cat(category),
      cl::desc("What the symbol begins with: identifier_artifact (default: of "
               "the file's name)")};
  cl::opt<RunTarget> target{
      "target", cl::init(RunTarget::Generic), cl::cat(category),
      cl::desc("Pipeline that compiles the program"),
      cl::values(
          clEnumValN(RunTarget::Generic, "generic", "portable loops"),
          clEnumValN(RunTarget::X86, "x86", "integer dot-product instructions"),
          clEnumValN(RunTarget::Arm, "arm", "the same of AArch64"))};
  cl::opt<std::string> triple{
      "triple", cl::value_desc("arch-vendor-os"), cl::cat(category),
      cl::desc("Machine to compile for (default: this one)")};
  cl::opt<std::string> cpu{
      "cpu", cl::value_desc("name"), cl::init("host"), cl::cat(category),
      cl::desc("LLVM's name of the CPU to compile for (default: this one, or "
               "any of another triple)")};
  cl::opt<int64_t> shard{
      "shard", cl::value_desc("n"), cl::init(1), cl::cat(category),
      cl::desc("Cut the program, whose sizes are static, over n ranks; "
               "whoever calls it has initialized MPI")};
  cl::opt<int64_t> rank{"rank", cl::value_desc("i"), cl::init(0),
                        cl::cat(category),
                        cl::desc("--shard: the rank that this is for, from 0")};
  cl::opt<std::string> mpi{"mpi", cl::value_desc("OpenMPI|MPICH"),
                           cl::init("OpenMPI"), cl::cat(category),
                           cl::desc("--shard: the MPI library that is called")};
  cl::opt<std::string> linker{
      "linker", cl::value_desc("cc"), cl::cat(category),
      cl::desc("Compiler driver that links a shared library (default cc)")};
};

/// Carries one model through its stages.
class Emitter {
public:
  Emitter(const ArtifactOptions &options, MLIRContext &context)
      : options(options), context(context),
        diagnostics(&context, options.run.verbose) {}

  llvm::Error run();

private:
  llvm::Error load();
  llvm::Error quantize();
  llvm::Error cut();
  llvm::Error write(const CompiledModel &model);

  ProgressStage stage(const Twine &name) {
    return ProgressStage(name.str(), options.run.progress);
  }

  const ArtifactOptions &options;
  MLIRContext &context;
  DiagnosticCollector diagnostics;
  OwningOpRef<ModuleOp> module;
  Signature signature;
  ProductSummary products;
};

} // namespace

llvm::Expected<ArtifactOptions> quantmlir::parseArtifactOptions(int argc,
                                                                char **argv) {
  CommandLine line;
  line.parse(argc, argv,
             "quantize and compile an MLIR program for C and Python\n");
  ArtifactOptions options;
  auto paths = ArtifactPaths::of(line.emit);
  if (!paths)
    return llvm::createStringError("--emit: " +
                                   llvm::toString(paths.takeError()));
  options.paths = std::move(*paths);
  options.compile.name = line.name.empty()
                             ? makeModelName(options.paths.getStem())
                             : line.name.getValue();
  options.compile.triple = line.triple;
  options.compile.weightsFile = options.paths.getStem() + ".weights";
  options.linker = line.linker;
  RunOptions &run = options.run;
  if (llvm::Error error = line.fill(run))
    return std::move(error);
  run.shard = line.shard;
  options.rank = line.rank;
  options.mpi = line.mpi;
  if (run.shard < 1)
    return llvm::createStringError("--shard: expected 1 or more, found " +
                                   Twine(run.shard));
  bool isCut = line.shard.getNumOccurrences() != 0;
  if (isCut != (line.rank.getNumOccurrences() != 0))
    return llvm::createStringError("--shard and --rank: expected both or none");
  if (!isCut && (line.mpi.getNumOccurrences() || line.isShardAlongGiven()))
    return llvm::createStringError("--mpi and --shard-along need --shard");
  if (options.rank < 0 || options.rank >= run.shard)
    return llvm::createStringError(
        "--rank: expected 0 to one less than --shard=" + Twine(run.shard) +
        ", found " + Twine(options.rank));
  run.target = line.target;
  run.cpu = line.cpu;
  run.forThisMachine = false;
  if (llvm::Error error = verifyTargetOptions(run))
    return std::move(error);
  return options;
}

llvm::Error Emitter::load() {
  ProgressStage progress = stage("reading " + options.run.model);
  module = loadProgram(options.run.model, &context);
  if (!module)
    return reported();
  auto found = findEntry(*module, options.run.entry);
  if (!found)
    return llvm::createStringError(options.run.model + ": " +
                                   llvm::toString(found.takeError()));
  signature = std::move(*found);
  return failed(keepOnly(*module, signature.name)) ? reported()
                                                   : llvm::Error::success();
}

llvm::Error Emitter::quantize() {
  ProgressStage progress = stage("importing and quantizing");
  auto results = runQuantStage(*module, options.run, options.run.strict);
  if (failed(results))
    return reported();
  products = ProductSummary::of(results->products);
  return llvm::Error::success();
}

/// The quant stage's program becomes that of a rank.
llvm::Error Emitter::cut() {
  if (options.run.shard == 1)
    return llvm::Error::success();
  ProgressStage progress = stage("cutting the program over ranks");
  for (const HostTensorType &type : signature.arguments)
    if (ShapedType::isDynamicShape(type.shape))
      return llvm::createStringError(
          "--shard: expected arguments of static sizes, found " + type.str());
  ShardFacts facts;
  if (failed(cutToRank(*module, options.run, options.rank, options.mpi, facts)))
    return reported();
  (*module)->setAttr(
      kRankAttr, Builder(module->getContext()).getI64IntegerAttr(options.rank));
  printShard(facts, llvm::outs());
  return llvm::Error::success();
}

static void printFile(StringRef path) {
  uint64_t size = 0;
  if (!llvm::sys::fs::file_size(path, size))
    llvm::outs() << "wrote " << path << ": " << size << " bytes\n";
}

llvm::Error Emitter::write(const CompiledModel &model) {
  ProgressStage progress = stage("writing " + options.paths.code);
  if (llvm::Error error = writeArtifact(
          options.paths, model.facts, model.object,
          [&](llvm::raw_ostream &os) { model.weights.print(os); },
          options.linker))
    return error;
  printFile(options.paths.code);
  printFile(options.paths.header);
  if (!model.weights.isEmpty())
    printFile(options.paths.getWeights(model.facts));
  return llvm::Error::success();
}

llvm::Error Emitter::run() {
  if (llvm::Error error = load())
    return error;
  if (llvm::Error error = quantize())
    return error;
  if (llvm::Error error = cut())
    return error;
  llvm::Expected<CompiledModel> model = [&] {
    ProgressStage progress = stage("compiling");
    return compileModel(*module, signature, options.run, options.compile,
                        &products);
  }();
  if (!model)
    return model.takeError();
  printProducts(products, llvm::outs());
  return write(*model);
}

int quantmlir::emitModel(const ArtifactOptions &options,
                         DialectRegistry &registry) {
  initializeJit(registry);
  MLIRContext context(registry);
  int status = 0;
  llvm::handleAllErrors(
      Emitter(options, context).run(), [&](const Reported &) { status = 1; },
      [&](const llvm::ErrorInfoBase &error) {
        llvm::errs() << "error: " << error.message() << "\n";
        status = 1;
      });
  return status;
}
