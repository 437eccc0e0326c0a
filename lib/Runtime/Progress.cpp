//===- Progress.cpp - say what takes long ---------------------------------===//

#include "quant/Runtime/Progress.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace quantmlir;

static constexpr std::chrono::seconds kPatience{2};

ProgressStage::ProgressStage(std::string name, bool atOnce)
    : name(std::move(name)), begin(std::chrono::steady_clock::now()) {
  if (atOnce) {
    isNamed = true;
    llvm::errs() << "quant-run: " << this->name << " ...\n";
  } else {
    watcher = std::thread([this] { watch(); });
  }
}

void ProgressStage::watch() {
  std::unique_lock<std::mutex> lock(mutex);
  if (finished.wait_for(lock, kPatience, [this] { return isFinished; }))
    return;
  isNamed = true;
  llvm::errs() << "quant-run: " << name << " ...\n";
}

ProgressStage::~ProgressStage() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    isFinished = true;
  }
  finished.notify_one();
  if (watcher.joinable())
    watcher.join();
  std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
  if (isNamed)
    llvm::errs() << "quant-run: " << name << ": "
                 << llvm::format("%.1f s\n", time.count());
}
