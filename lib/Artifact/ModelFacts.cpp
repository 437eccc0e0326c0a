//===- ModelFacts.cpp - what a compiled model says of itself --------------===//

#include "quant/Artifact/ModelFacts.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace quantmlir;
using llvm::StringRef;

bool quantmlir::isModelName(StringRef name) {
  return !name.empty() && !llvm::isDigit(name.front()) &&
         llvm::all_of(name,
                      [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

std::string quantmlir::makeModelName(StringRef text) {
  std::string name;
  for (char c : text)
    name += llvm::isAlnum(c) ? c : '_';
  if (StringRef(name).trim('_').empty())
    return "model";
  return llvm::isDigit(name.front()) ? "m" + name : name;
}
