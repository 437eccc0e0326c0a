//===- RandomInputs.h - reproducible inputs ---------------------*- C++ -*-===//

#ifndef QUANT_RUNTIME_HOST_RANDOMINPUTS_H
#define QUANT_RUNTIME_HOST_RANDOMINPUTS_H

#include "quant/Runtime/Host/HostTensor.h"

#include <vector>

namespace quantmlir {

/// Normally distributed floats and integers over their whole range. The same
/// seed gives the same numbers on every machine, and an argument's numbers do
/// not depend on the arguments before it. Dynamic sizes become `dynamicSize`.
llvm::Expected<std::vector<HostTensor>>
makeRandomInputs(llvm::ArrayRef<HostTensorType> types, uint64_t seed,
                 int64_t dynamicSize);

} // namespace quantmlir

#endif // QUANT_RUNTIME_HOST_RANDOMINPUTS_H
