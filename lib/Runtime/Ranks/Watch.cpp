//===- Watch.cpp - an end for a process that waits ------------------------===//

#include "quant/Runtime/Ranks/Watch.h"

#include "llvm/Support/raw_ostream.h"

#include <unistd.h>

using namespace quantmlir;

RankTeam::Watch::Watch(unsigned seconds, std::string message)
    : thread([this, seconds, text = std::move(message)] {
        wait(seconds, text);
      }) {}

RankTeam::Watch::~Watch() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    isOver = true;
  }
  changed.notify_all();
  thread.join();
}

void RankTeam::Watch::wait(unsigned seconds, const std::string &message) {
  std::unique_lock<std::mutex> lock(mutex);
  if (changed.wait_for(lock, std::chrono::seconds(seconds),
                       [this] { return isOver; }))
    return;
  // At once: other ranks write to the same place.
  llvm::errs() << "error: " + message + "\n";
  // Nothing that would wait for MPI.
  _exit(1);
}
