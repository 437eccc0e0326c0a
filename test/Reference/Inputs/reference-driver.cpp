//===- reference-driver.cpp - call the scalar oracle from tests -----------===//
//
// reference-driver multiplier M...          quantizeMultiplier of each M
// reference-driver dot ZX ZW ACC X,W...     dotProduct of pairs
// reference-driver runs SHAPE AXES          forEachRun, both as 2,3,4 or -
//
//===----------------------------------------------------------------------===//

#include "quant/Reference/Reference.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>

using namespace quantmlir;

static void printMultiplier(llvm::StringRef text) {
  double m = std::strtod(text.data(), nullptr);
  auto fixed = reference::quantizeMultiplier(m);
  llvm::outs() << text << ": ";
  if (fixed)
    llvm::outs() << fixed->multiplier << " >> " << fixed->shift << "\n";
  else
    llvm::outs() << "none\n";
}

static llvm::SmallVector<int64_t> parseInts(llvm::StringRef text) {
  llvm::SmallVector<int64_t> values;
  llvm::SmallVector<llvm::StringRef> parts;
  if (text != "-")
    text.split(parts, ',');
  for (llvm::StringRef part : parts) {
    int64_t value = 0;
    if (!part.getAsInteger(10, value))
      values.push_back(value);
  }
  return values;
}

int main(int argc, char **argv) {
  llvm::SmallVector<llvm::StringRef> args(argv + 1, argv + argc);
  if (args.empty())
    return 1;
  llvm::StringRef command = args.front();
  args.erase(args.begin());
  if (command == "multiplier") {
    for (llvm::StringRef arg : args)
      printMultiplier(arg);
  } else if (command == "dot" && args.size() >= 3) {
    llvm::SmallVector<int32_t> lhs, rhs;
    for (llvm::StringRef arg : llvm::ArrayRef(args).drop_front(3)) {
      llvm::SmallVector<int64_t> pair = parseInts(arg);
      lhs.push_back(pair[0]);
      rhs.push_back(pair[1]);
    }
    llvm::outs() << reference::dotProduct(
                        parseInts(args[2])[0], lhs, rhs.data(), /*rhsStride=*/1,
                        parseInts(args[0])[0], parseInts(args[1])[0])
                 << "\n";
  } else if (command == "runs" && args.size() == 2) {
    reference::forEachRun(parseInts(args[0]), parseInts(args[1]),
                          [](int64_t begin, int64_t end, int64_t index) {
                            llvm::outs() << "[" << begin << ", " << end
                                         << ") -> " << index << "\n";
                          });
  } else {
    return 1;
  }
  return 0;
}
