//===- Progress.cpp - say what takes long ---------------------------------===//

#include "quant/Runtime/Execution/Progress.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cerrno>

using namespace quantmlir;

static constexpr std::chrono::seconds kPatience{2};
static constexpr std::chrono::seconds kUpdateEvery{5};

ProgressStage::ProgressStage(std::string name, bool atOnce)
    : name(std::move(name)), begin(std::chrono::steady_clock::now()),
      lastUpdate(begin) {
  if (atOnce) {
    isNamed = true;
    llvm::errs() << program_invocation_short_name << ": " << this->name
                 << " ...\n";
  } else {
    watcher = std::thread([this] { watch(); });
  }
}

void ProgressStage::watch() {
  std::unique_lock<std::mutex> lock(mutex);
  if (finished.wait_for(lock, kPatience, [this] { return isFinished; }))
    return;
  isNamed = true;
  llvm::errs() << program_invocation_short_name << ": " << name << " ...\n";
}

void ProgressStage::update(int64_t done, int64_t total) {
  auto now = std::chrono::steady_clock::now();
  if (now - lastUpdate < kUpdateEvery || done == total)
    return;
  lastUpdate = now;
  std::chrono::duration<double> spent = now - begin;
  llvm::errs() << program_invocation_short_name << ": " << name << ": " << done
               << " of " << total
               << llvm::format(", %.0f s left\n",
                               spent.count() * (total - done) / done);
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
    llvm::errs() << program_invocation_short_name << ": " << name << ": "
                 << llvm::format("%.1f s\n", time.count());
}
