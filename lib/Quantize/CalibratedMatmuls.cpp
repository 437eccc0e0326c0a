//===- CalibratedMatmuls.cpp - statistics of a program's matmuls ----------===//

#include "quant/Quantize/CalibratedMatmuls.h"

#include "quant/Import/Contraction/NamedMatmuls.h"
#include "quant/Import/MatmulNames.h"

using namespace mlir;
using namespace quantmlir;

FailureOr<CalibratedMatmuls> CalibratedMatmuls::load(ModuleOp module,
                                                     StringRef path) {
  auto fail = [&](llvm::Error error) {
    // Not on the op, which would be printed, weights and all.
    emitError(module.getLoc()) << llvm::toString(std::move(error));
    return failure();
  };
  CalibratedMatmuls result;
  nameMatmuls(module);
  llvm::Expected<Statistics> statistics = readStatistics(path);
  if (!statistics)
    return fail(statistics.takeError());
  if (llvm::Error error = statistics->verifyModel(path, getModelHash(module)))
    return fail(std::move(error));
  result.statistics = std::move(*statistics);
  return result;
}

const MatmulStatistics *CalibratedMatmuls::find(Operation *op) const {
  StringRef name = getMatmulName(op);
  return name.empty() ? nullptr : statistics.find(name);
}
