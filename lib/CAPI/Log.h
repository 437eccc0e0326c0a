//===- Log.h - what functions of the C interface say ------------*- C++ -*-===//

#ifndef QUANT_LIB_CAPI_LOG_H
#define QUANT_LIB_CAPI_LOG_H

#include "quant/CAPI/Runtime.h"

#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

struct QuantLog {
  struct Entry {
    int32_t severity;
    std::string text;
  };
  std::vector<Entry> entries;
  mutable std::string all;
};

namespace quantmlir {

/// Adds to a log, which may be null.
void addEntry(QuantLog *log, int32_t severity, std::string text);

/// Adds an error; returns `status`.
int32_t fail(QuantLog *log, int32_t status, const llvm::Twine &text);

/// Adds an error, unless its diagnostics have been; returns `status`.
int32_t fail(QuantLog *log, int32_t status, llvm::Error error);

} // namespace quantmlir

#endif // QUANT_LIB_CAPI_LOG_H
