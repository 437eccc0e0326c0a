//===- Evaluate.h - one program over many inputs ----------------*- C++ -*-===//

#ifndef QUANT_RUNTIME_DRIVER_EVALUATE_H
#define QUANT_RUNTIME_DRIVER_EVALUATE_H

#include "quant/Runtime/Execution/InputSet.h"

namespace quantmlir {

/// Runs the program on each of the inputs. A result of every run, in the order
/// of the inputs, is one tensor with one dimension more in front; it has the
/// same sizes in all of them. No inputs, no tensors.
llvm::Expected<std::vector<HostTensor>>
evaluate(const JitRunner &runner, InputSet &inputs, bool showsProgress);

} // namespace quantmlir

#endif // QUANT_RUNTIME_DRIVER_EVALUATE_H
