//===- ManyRuns.cpp - one program run many times --------------------------===//

#include "ModelDriver.h"

#include "quant/Runtime/Driver/Calibrate.h"
#include "quant/Runtime/Driver/Evaluate.h"
#include "quant/Runtime/Execution/Reported.h"
#include "quant/Runtime/Host/Npy.h"
#include "quant/Runtime/Search/AutoScheme.h"
#include "quant/Runtime/Search/Tune.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace quantmlir;

llvm::Error ModelDriver::runCalibration() {
  auto set = InputSet::open(options.calibrate, signature);
  if (!set)
    return set.takeError();
  auto statistics = calibrate(std::move(module), signature, *set, options);
  if (!statistics)
    return statistics.takeError();
  llvm::outs() << "calibrated " << statistics->matmuls.size()
               << " matmuls over " << statistics->numInputs
               << " inputs: " << options.statsOutput << "\n";
  return llvm::Error::success();
}

/// --evaluate: the program, quantized if asked for, over many inputs.
llvm::Error ModelDriver::runEvaluation() {
  auto set = InputSet::open(options.evaluate, signature);
  if (!set)
    return set.takeError();
  if (llvm::Error error = quantize())
    return error;
  auto runner = compile(std::move(module), report.target,
                        [&](ModuleOp program) { return lower(program); });
  if (!runner)
    return runner.takeError();
  auto results = evaluate(**runner, *set, options.progress);
  if (!results)
    return results.takeError();
  if (llvm::Error error = writeNpyFiles(options.outputs, *results))
    return error;
  llvm::outs() << "evaluated " << set->size() << " inputs: " << options.outputs
               << "\n";
  printProducts(report.products, llvm::outs());
  return llvm::Error::success();
}

/// What becomes of the products of `program` as `request` asks.
llvm::Error ModelDriver::printAccount(ModuleOp program,
                                      QuantizeRequest request) {
  RunOptions with = options;
  with.quantize = std::move(request);
  auto results = runQuantStage(program, with, options.strict);
  if (failed(results))
    return reported();
  printProducts(ProductSummary::of(results->products), llvm::outs());
  return llvm::Error::success();
}

/// --sensitivity and --auto: many runs of one program.
llvm::Error ModelDriver::runSearch() {
  QuantizeRequest asked = options.quantize.value_or(QuantizeRequest());
  OwningOpRef<ModuleOp> whole(module->clone());
  if (options.randomSeed)
    if (llvm::Error error = makeInputs())
      return error;
  auto set = options.randomSeed
                 ? llvm::Expected<InputSet>(InputSet::of(std::move(inputs)))
                 : InputSet::open(options.inputs, signature);
  if (!set)
    return set.takeError();
  if (options.sensitivity) {
    auto ranked =
        measureSensitivity(std::move(module), signature, *set, options);
    if (!ranked)
      return ranked.takeError();
    if (llvm::Error error =
            write(options.sensitivityOutput, [&](llvm::raw_ostream &os) {
              printSensitivityJson(*ranked, options, os);
            }))
      return error;
    printSensitivity(*ranked, llvm::outs());
    return printAccount(*whole, std::move(asked));
  }
  auto chosen = chooseSchemes(std::move(module), signature, *set, options);
  if (!chosen)
    return chosen.takeError();
  if (llvm::Error error =
          write(options.recipeOutput,
                [&](llvm::raw_ostream &os) { printRecipe(*chosen, os); }))
    return error;
  printAuto(*chosen, llvm::outs());
  // As it is read by whoever uses the recipe.
  SmallString<128> path;
  llvm::sys::path::system_temp_directory(/*ErasedOnReboot=*/true, path);
  llvm::sys::path::append(path, "quant-recipe-%%%%%%.json");
  auto recipe = llvm::sys::fs::TempFile::create(path);
  if (!recipe)
    return recipe.takeError();
  llvm::raw_fd_ostream os(recipe->FD, /*shouldClose=*/false);
  printRecipe(*chosen, os);
  os.flush();
  asked.recipe = recipe->TmpName;
  llvm::Error error = printAccount(*whole, std::move(asked));
  return llvm::joinErrors(std::move(error), recipe->discard());
}

llvm::Error ModelDriver::runTuner() {
  auto tuned = tuneMatmuls(std::move(module), options);
  if (!tuned)
    return tuned.takeError();
  if (llvm::Error error = write(options.tune, [&](llvm::raw_ostream &os) {
        makeScheduleFile(*tuned, options).print(os);
      }))
    return error;
  printTuned(*tuned, llvm::outs());
  return llvm::Error::success();
}
