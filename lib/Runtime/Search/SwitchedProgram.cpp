//===- SwitchedProgram.cpp - every form of every matmul -------------------===//

#include "quant/Runtime/Search/SwitchedProgram.h"

#include "quant/Runtime/Execution/Program.h"
#include "quant/Runtime/Execution/Reported.h"

#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace quantmlir;

/// Brings one variant to the quant stage and notes what became of each matmul.
static LogicalResult addVariant(ModuleOp module,
                                ArrayRef<OutlinedMatmul> outlined,
                                std::vector<SwitchedMatmul> &matmuls,
                                RunOptions options, unsigned number) {
  OwningOpRef<ModuleOp> copy = copyOutlined(outlined);
  FailureOr<QuantStageResults> results;
  {
    // Remarks have been made about the program itself.
    ScopedDiagnosticHandler handler(
        module.getContext(), [&](Diagnostic &diagnostic) {
          return success(diagnostic.getSeverity() ==
                         DiagnosticSeverity::Remark);
        });
    results = runQuantStage(*copy, options);
    if (failed(results))
      return failure();
  }
  for (auto [matmul, entry] : llvm::zip_equal(outlined, matmuls)) {
    func::FuncOp outlinedFunction = matmul.function;
    auto function =
        copy->lookupSymbol<func::FuncOp>(outlinedFunction.getSymName());
    MatmulForm form = getMatmulForm(function);
    // What the program itself gives in integers, the form says.
    const MatmulOutcome *outcome = results->find(entry.shape.name);
    if (outcome && !form.isQuantized)
      form.scheme = "float: " + outcome->reason;
    else if (outcome && outcome->kind == MatmulOutcome::Kind::Quantized)
      form.scheme =
          outcome->scheme.describe() +
          (outcome->missing.empty() ? "" : " (" + outcome->missing + ")");
    entry.forms.push_back(std::move(form));
  }
  adoptVariant(module, *copy, outlined, number);
  return success();
}

llvm::Expected<std::unique_ptr<SwitchedProgram>> SwitchedProgram::create(
    OwningOpRef<ModuleOp> module, const Signature &signature,
    ArrayRef<QuantizeRequest> variants, const RunOptions &options) {
  auto program = std::make_unique<SwitchedProgram>();
  program->numVariants = variants.size();
  std::vector<OutlinedMatmul> outlined = outlineMatmuls(*module);
  for (OutlinedMatmul &matmul : outlined) {
    SwitchedMatmul entry;
    entry.shape = matmul.shape;
    entry.location = matmul.location;
    entry.hasConstantWeight = matmul.hasConstantWeight;
    entry.weight = getFloatWeight(matmul.function);
    entry.forms.push_back(getMatmulForm(matmul.function));
    program->matmuls.push_back(std::move(entry));
  }
  for (auto [i, variant] : llvm::enumerate(variants)) {
    RunOptions quantize = options;
    quantize.quantize = variant;
    if (!outlined.empty() &&
        failed(
            addVariant(*module, outlined, program->matmuls, quantize, i + 1)))
      return reported();
  }
  if (!outlined.empty())
    insertSwitches(*module, outlined, program->numVariants);
  if (failed(lowerToLLVM(*module, options.target, options)))
    return reported();
  auto runner =
      JitRunner::create(std::move(module), signature, options.optLevel);
  if (!runner)
    return runner.takeError();
  program->runner = std::move(*runner);
  return std::move(program);
}

llvm::Expected<RunResult> SwitchedProgram::run(ArrayRef<HostTensor> inputs,
                                               ArrayRef<unsigned> forms,
                                               Sink sink) const {
  auto show = [&](int64_t id, ArrayRef<int64_t> shape, ArrayRef<float> values) {
    if (sink)
      sink(SwitchObservation::fromId(id, numVariants), shape, values);
  };
  return runner->run(inputs, show,
                     [&](int64_t matmul) -> int64_t { return forms[matmul]; });
}
