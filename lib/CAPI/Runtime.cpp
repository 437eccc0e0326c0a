//===- Runtime.cpp - quantize, compile and run models from C --------------===//
//
// Each program has a context of its own, so that programs are independent, and
// all memory of one goes with it.
//
//===----------------------------------------------------------------------===//

#include "Log.h"

#include "quant/Artifact/ArtifactFiles.h"
#include "quant/Artifact/CodeTarget.h"
#include "quant/Artifact/Compile.h"
#include "quant/Artifact/LoadedModel.h"
#include "quant/InitAll.h"
#include "quant/Runtime/Execution/Diagnostics.h"
#include "quant/Runtime/Execution/Program.h"
#include "quant/Runtime/Execution/Reported.h"
#include "quant/Runtime/Host/FileSet.h"
#include "quant/Support/Version.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Target/LLVMIR/Dialect/OpenMP/OpenMPToLLVMIRTranslation.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace quantmlir;

//===----------------------------------------------------------------------===//
// Objects
//===----------------------------------------------------------------------===//

struct QuantProgram {
  explicit QuantProgram(const DialectRegistry &registry)
      : context(registry, MLIRContext::Threading::DISABLED) {}

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  Signature signature;
  /// How it was quantized, if it was.
  std::optional<QuantizeRequest> request;
  /// Shapes as C has them, and what points to them.
  std::vector<std::vector<int64_t>> shapes;
  std::vector<QuantTensorType> inputs, results;
};

struct QuantModel {
  ModelFacts facts;
  /// Empty: the model was loaded from files.
  llvm::SmallVector<char, 0> object;
  /// Null: the code is for another machine.
  std::unique_ptr<LoadedModel> loaded;
  /// Of a model that is not loaded: the file of its weights.
  std::string weights;

  StringRef getWeights() const {
    return loaded ? loaded->getWeights() : StringRef(weights);
  }
};

//===----------------------------------------------------------------------===//
// Diagnostics
//===----------------------------------------------------------------------===//

static int32_t getSeverity(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Note:
    return QUANT_NOTE;
  case DiagnosticSeverity::Remark:
    return QUANT_REMARK;
  case DiagnosticSeverity::Warning:
    return QUANT_WARNING;
  case DiagnosticSeverity::Error:
    return QUANT_ERROR;
  }
  llvm_unreachable("unknown severity");
}

namespace {
/// While it lives, diagnostics of a context go to a log.
class Listener {
public:
  Listener(MLIRContext &context, QuantLog *log)
      : handler(&context, [log](Diagnostic &diagnostic) {
          visitDiagnostics(diagnostic, [&](const Diagnostic &part) {
            std::string text;
            llvm::raw_string_ostream os(text);
            printDiagnostic(part, os);
            addEntry(log, getSeverity(part.getSeverity()), std::move(text));
          });
        }) {}

private:
  ScopedDiagnosticHandler handler;
};
} // namespace

uint32_t quantRuntimeVersion(void) { return QUANT_RUNTIME_VERSION; }

const char *quantVersionText(void) {
  static const std::string text = getVersion();
  return text.c_str();
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

static const DialectRegistry &getRegistry() {
  static const DialectRegistry registry = [] {
    DialectRegistry all;
    mlir::registerAllDialects(all);
    mlir::registerAllExtensions(all);
    quantmlir::registerAllDialects(all);
    registerOpenMPDialectTranslation(all);
    initializeTargets();
    return all;
  }();
  return registry;
}

/// The types of a signature as C has them.
static void addTypes(QuantProgram &program, ArrayRef<HostTensorType> types,
                     std::vector<QuantTensorType> &to) {
  for (const HostTensorType &type : types) {
    std::vector<int64_t> &shape = program.shapes.emplace_back();
    for (int64_t size : type.shape)
      shape.push_back(ShapedType::isDynamic(size) ? -1 : size);
    to.push_back({static_cast<int32_t>(type.element),
                  static_cast<int32_t>(shape.size()), shape.data()});
  }
}

/// Reads the program that `parse` gives.
static int32_t
load(llvm::function_ref<OwningOpRef<ModuleOp>(MLIRContext *)> parse,
     const char *entry, QuantLog *log, QuantProgram **result) {
  auto program = std::make_unique<QuantProgram>(getRegistry());
  Listener listener(program->context, log);
  program->module = parse(&program->context);
  if (!program->module)
    return QUANT_FILE;
  auto signature = findEntry(*program->module, entry ? entry : "");
  if (!signature)
    return fail(log, QUANT_INVALID, signature.takeError());
  program->signature = std::move(*signature);
  if (failed(keepOnly(*program->module, program->signature.name)))
    return QUANT_NOT_COMPILED;
  // Pointers into it are given away.
  program->shapes.reserve(program->signature.arguments.size() +
                          program->signature.results.size());
  addTypes(*program, program->signature.arguments, program->inputs);
  addTypes(*program, program->signature.results, program->results);
  *result = program.release();
  return QUANT_OK;
}

int32_t quantProgramLoadFile(const char *path, const char *entry, QuantLog *log,
                             QuantProgram **program) {
  if (!path || !program)
    return fail(log, QUANT_INVALID,
                "expected a path and where to put the program");
  return load([&](MLIRContext *context) { return loadProgram(path, context); },
              entry, log, program);
}

int32_t quantProgramLoadMemory(const void *bytes, size_t size, const char *name,
                               const char *entry, QuantLog *log,
                               QuantProgram **program) {
  if (!bytes || !program)
    return fail(log, QUANT_INVALID,
                "expected bytes and where to put the program");
  auto parse = [&](MLIRContext *context) {
    return loadProgram(llvm::MemoryBuffer::getMemBufferCopy(
                           StringRef(static_cast<const char *>(bytes), size),
                           name ? name : "program"),
                       context);
  };
  return load(parse, entry, log, program);
}

void quantProgramDestroy(QuantProgram *program) { delete program; }

int32_t quantProgramWriteBytecode(const void *bytes, size_t size,
                                  const char *name, const char *path,
                                  QuantLog *log) {
  if (!bytes || !path)
    return fail(log, QUANT_INVALID, "expected bytes and a path");
  MLIRContext context(getRegistry(), MLIRContext::Threading::DISABLED);
  Listener listener(context, log);
  llvm::SourceMgr manager;
  manager.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBufferCopy(
          StringRef(static_cast<const char *>(bytes), size),
          name ? name : "program"),
      llvm::SMLoc());
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(manager, &context);
  if (!module)
    return QUANT_FILE;
  FileSet files;
  bool isWritten = false;
  auto write = [&](llvm::raw_ostream &os) {
    isWritten = succeeded(writeBytecodeToFile(*module, os));
  };
  llvm::Error error = files.add(path, write, /*folder=*/false);
  if (!error && !isWritten)
    return QUANT_FILE;
  if (!error)
    error = files.keep();
  return error ? fail(log, QUANT_FILE, std::move(error)) : QUANT_OK;
}

int32_t quantProgramQuantize(QuantProgram *program, const char *options,
                             int32_t strict, QuantLog *log) {
  if (!program)
    return fail(log, QUANT_INVALID, "expected a program");
  if (program->request)
    return fail(log, QUANT_INVALID, "the program has been quantized");
  auto request = parseQuantizeOption(options ? options : "");
  if (!request)
    return fail(log, QUANT_INVALID, request.takeError());
  Listener listener(program->context, log);
  RunOptions run;
  run.quantize = std::move(*request);
  // What it fails at must not be left half done.
  OwningOpRef<ModuleOp> module(program->module->clone());
  if (failed(runQuantStage(*module, run, strict != 0)))
    return QUANT_NOT_COMPILED;
  program->module = std::move(module);
  program->request = std::move(run.quantize);
  return QUANT_OK;
}

uint32_t quantProgramNumInputs(const QuantProgram *program) {
  return program ? program->inputs.size() : 0;
}

uint32_t quantProgramNumResults(const QuantProgram *program) {
  return program ? program->results.size() : 0;
}

const QuantTensorType *quantProgramInput(const QuantProgram *program,
                                         uint32_t i) {
  return i < quantProgramNumInputs(program) ? &program->inputs[i] : nullptr;
}

const QuantTensorType *quantProgramResult(const QuantProgram *program,
                                          uint32_t i) {
  return i < quantProgramNumResults(program) ? &program->results[i] : nullptr;
}

//===----------------------------------------------------------------------===//
// Compiling
//===----------------------------------------------------------------------===//

/// A copy in which what the caller's version did not have is zero. Who gives no
/// size has the first version's fields.
static QuantCompileOptions complete(const QuantCompileOptions *options) {
  constexpr size_t first = offsetof(QuantCompileOptions, optimize);
  QuantCompileOptions all = {};
  if (options) {
    bool hasAll = options->size >= sizeof(all);
    std::memcpy(&all, options, hasAll ? sizeof(all) : first);
  }
  return all;
}

static llvm::Expected<std::pair<RunOptions, CompileOptions>>
readOptions(const QuantCompileOptions &given) {
  RunOptions run;
  CompileOptions compile;
  StringRef target = given.target ? given.target : "generic";
  if (target == "x86")
    run.target = RunTarget::X86;
  else if (target == "arm")
    run.target = RunTarget::Arm;
  else if (target != "generic")
    return llvm::createStringError("target: expected generic, x86 or arm, "
                                   "found '" +
                                   target + "'");
  if (given.cpu && *given.cpu)
    run.cpu = given.cpu;
  SmallVector<StringRef> features;
  StringRef(given.features ? given.features : "")
      .split(features, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef feature : features)
    run.features.push_back(feature.trim().str());
  run.threads = given.threads ? given.threads : 1;
  if (given.optimize) {
    auto level = parseOptimizationLevel("optimize", given.optimize);
    if (!level)
      return level.takeError();
    run.optLevel = *level;
  }
  run.schedules = given.schedules ? given.schedules : "";
  run.strict = given.strict != 0;
  compile.triple = given.triple ? given.triple : "";
  run.forThisMachine = compile.triple.empty();
  if (given.name)
    compile.name = given.name;
  if (llvm::Error error = verifyTargetOptions(run))
    return std::move(error);
  if (run.forThisMachine && run.target == RunTarget::X86)
    if (llvm::Error error = verifyHostCanRun(run.cpu, run.features))
      return std::move(error);
  if (run.forThisMachine && run.target == RunTarget::Arm)
    if (llvm::Error error = verifyHostIsArm())
      return std::move(error);
  return std::make_pair(std::move(run), std::move(compile));
}

int32_t quantProgramCompile(QuantProgram *program,
                            const QuantCompileOptions *given, QuantLog *log,
                            QuantModel **result) {
  if (!program || !result)
    return fail(log, QUANT_INVALID,
                "expected a program and where to put the model");
  auto options = readOptions(complete(given));
  if (!options)
    return fail(log, QUANT_INVALID, options.takeError());
  auto &[run, compile] = *options;
  run.quantize = program->request;
  Listener listener(program->context, log);
  OwningOpRef<ModuleOp> module(program->module->clone());
  // A program that is not quantized may hold integers of its own.
  if (!program->request && failed(runQuantStage(*module, run, run.strict)))
    return QUANT_NOT_COMPILED;
  auto compiled = compileModel(*module, program->signature, run, compile);
  if (!compiled)
    return fail(log, QUANT_NOT_COMPILED, compiled.takeError());
  module = nullptr;
  auto model = std::make_unique<QuantModel>();
  model->facts = std::move(compiled->facts);
  model->object = std::move(compiled->object);
  if (run.forThisMachine) {
    auto loaded =
        LoadedModel::link(model->object, model->facts.name,
                          std::move(compiled->weights), *program->module);
    if (!loaded)
      return fail(log, QUANT_NOT_COMPILED, loaded.takeError());
    model->loaded = std::move(*loaded);
  } else if (!compiled->weights.isEmpty()) {
    llvm::raw_string_ostream os(model->weights);
    compiled->weights.print(os);
  }
  *result = model.release();
  return QUANT_OK;
}

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

int32_t quantModelLoad(const char *path, const char *weights, QuantLog *log,
                       QuantModel **result) {
  if (!path || !result)
    return fail(log, QUANT_INVALID,
                "expected a path and where to put the model");
  auto loaded = LoadedModel::open(path, weights ? weights : "");
  if (!loaded)
    return fail(log, QUANT_FILE, loaded.takeError());
  auto model = std::make_unique<QuantModel>();
  model->loaded = std::move(*loaded);
  *result = model.release();
  return QUANT_OK;
}

void quantModelDestroy(QuantModel *model) { delete model; }

const QuantArtifact *quantModelArtifact(const QuantModel *model) {
  return model && model->loaded ? &model->loaded->getArtifact() : nullptr;
}

int32_t quantModelRun(QuantModel *model, const QuantTensor *inputs,
                      size_t numInputs, QuantTensor *results, size_t numResults,
                      QuantLog *log) {
  if (!model || !model->loaded)
    return fail(log, QUANT_INVALID,
                "expected a model that was compiled for this machine");
  char message[1024];
  int32_t status = model->loaded->run(ArrayRef(inputs, numInputs),
                                      MutableArrayRef(results, numResults),
                                      message, sizeof(message));
  return status == QUANT_OK ? status : fail(log, status, message);
}

void quantRelease(void *data) { std::free(data); }

int32_t quantModelSave(const QuantModel *model, const char *path,
                       const char *linker, QuantLog *log) {
  if (!model || !path)
    return fail(log, QUANT_INVALID, "expected a model and a path");
  if (model->object.empty())
    return fail(log, QUANT_INVALID,
                "the model was loaded from files: copy those");
  auto paths = ArtifactPaths::of(path);
  if (!paths)
    return fail(log, QUANT_INVALID, paths.takeError());
  if (llvm::Error error = writeArtifact(
          *paths, model->facts, model->object,
          [&](llvm::raw_ostream &os) { os << model->getWeights(); },
          linker ? linker : ""))
    return fail(log, QUANT_FILE, std::move(error));
  return QUANT_OK;
}
