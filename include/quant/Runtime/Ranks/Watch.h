//===- Watch.h - an end for a process that waits ----------------*- C++ -*-===//

#ifndef QUANT_RUNTIME_RANKS_WATCH_H
#define QUANT_RUNTIME_RANKS_WATCH_H

#include "quant/Runtime/Ranks/RankTeam.h"

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace quantmlir {

/// Ends the process with `message` after `seconds`, unless it is destroyed
/// before. A call of MPI that waits for a rank that does nothing returns never.
class RankTeam::Watch {
public:
  Watch(unsigned seconds, std::string message);
  ~Watch();

private:
  void wait(unsigned seconds, const std::string &message);

  std::mutex mutex;
  std::condition_variable changed;
  bool isOver = false;
  std::thread thread;
};

} // namespace quantmlir

#endif // QUANT_RUNTIME_RANKS_WATCH_H
