//===- Evaluate.cpp - one program over many inputs ------------------------===//

#include "quant/Runtime/Driver/Evaluate.h"

#include "quant/Runtime/Execution/Progress.h"

#include <cstring>

using namespace quantmlir;

/// Room for the results of `count` runs, one of which is `first`.
static llvm::Expected<HostTensor> makeStack(const HostTensor &first,
                                            int64_t count) {
  HostTensorType type = first.getType();
  type.shape.insert(type.shape.begin(), count);
  return HostTensor::create(std::move(type));
}

llvm::Expected<std::vector<HostTensor>>
quantmlir::evaluate(const JitRunner &runner, InputSet &inputs,
                    bool showsProgress) {
  ProgressStage progress("running over " + std::to_string(inputs.size()) +
                             " inputs",
                         showsProgress);
  std::vector<HostTensor> stacks;
  for (int64_t i = 0, e = inputs.size(); i < e; ++i) {
    auto input = inputs.get(i);
    if (!input)
      return input.takeError();
    auto run = runner.run(*input);
    if (!run)
      return run.takeError();
    for (auto [r, result] : llvm::enumerate(run->results)) {
      if (i == 0) {
        auto stack = makeStack(result, e);
        if (!stack)
          return stack.takeError();
        stacks.push_back(std::move(*stack));
      }
      HostTensor &stack = stacks[r];
      if (stack.getShape().drop_front() != result.getShape())
        return llvm::createStringError(
            "--evaluate: result " + llvm::Twine(r) + " is " +
            result.getType().str() + " for input " + llvm::Twine(i) +
            ", expected the sizes of the inputs before it");
      llvm::ArrayRef<char> bytes = result.getBytes();
      std::memcpy(stack.getData() + i * bytes.size(), bytes.data(),
                  bytes.size());
    }
    progress.update(i + 1, e);
  }
  return stacks;
}
