//===- Log.cpp - what functions of the C interface say --------------------===//

#include "Log.h"

#include "quant/Runtime/Execution/Reported.h"

using namespace llvm;
using namespace quantmlir;

void quantmlir::addEntry(QuantLog *log, int32_t severity, std::string text) {
  if (log)
    log->entries.push_back({severity, std::move(text)});
}

int32_t quantmlir::fail(QuantLog *log, int32_t status, const Twine &text) {
  addEntry(log, QUANT_ERROR, ("error: " + text).str());
  return status;
}

int32_t quantmlir::fail(QuantLog *log, int32_t status, llvm::Error error) {
  llvm::handleAllErrors(
      std::move(error), [](const Reported &) {},
      [&](const llvm::ErrorInfoBase &info) {
        addEntry(log, QUANT_ERROR, "error: " + info.message());
      });
  return status;
}

QuantLog *quantLogCreate(void) { return new QuantLog(); }
void quantLogDestroy(QuantLog *log) { delete log; }

void quantLogClear(QuantLog *log) {
  if (log)
    log->entries.clear();
}

size_t quantLogSize(const QuantLog *log) {
  return log ? log->entries.size() : 0;
}

int32_t quantLogSeverity(const QuantLog *log, size_t i) {
  return i < quantLogSize(log) ? log->entries[i].severity : QUANT_NOTE;
}

const char *quantLogEntry(const QuantLog *log, size_t i) {
  return i < quantLogSize(log) ? log->entries[i].text.c_str() : "";
}

const char *quantLogText(const QuantLog *log) {
  if (!log)
    return "";
  log->all.clear();
  for (const QuantLog::Entry &entry : log->entries)
    log->all += entry.text + "\n";
  return log->all.c_str();
}
