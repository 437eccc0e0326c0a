//===- Json.cpp - JSON that was written by others -------------------------===//

#include "quant/Support/Json.h"

#include "quant/Support/ForeignFile.h"

using namespace quantmlir;

/// No file of this project has more than five.
static constexpr int kMostNested = 64;

/// How many arrays and objects are open at most.
static int countNested(llvm::StringRef text) {
  int open = 0, most = 0;
  bool isString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (isString && c == '\\')
      ++i;
    else if (c == '"')
      isString = !isString;
    else if (!isString && (c == '[' || c == '{'))
      most = std::max(most, ++open);
    else if (!isString && (c == ']' || c == '}'))
      --open;
  }
  return most;
}

llvm::Expected<llvm::json::Value> quantmlir::parseJson(llvm::StringRef text) {
  if (int nested = countNested(text); nested > kMostNested)
    return llvm::createStringError(
        "expected at most %d arrays and objects in each other, found %d",
        kMostNested, nested);
  return llvm::json::parse(text);
}

llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
quantmlir::openJson(llvm::StringRef path) {
  if (isDevice(path))
    return llvm::createStringError("expected a file, found a device");
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!file)
    return llvm::errorCodeToError(file.getError());
  return std::move(*file);
}
