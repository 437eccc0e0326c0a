//===- Progress.h - say what takes long -------------------------*- C++ -*-===//

#ifndef QUANT_RUNTIME_EXECUTION_PROGRESS_H
#define QUANT_RUNTIME_EXECUTION_PROGRESS_H

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace quantmlir {

/// Names a stage on stderr once it has taken two seconds (or at once, if
/// asked), and at its end says how long it took. Lives as long as the stage.
class ProgressStage {
public:
  ProgressStage(std::string name, bool atOnce);
  ~ProgressStage();

  /// Says, not more often than every few seconds, that `done` of `total` steps
  /// are done.
  void update(int64_t done, int64_t total);

private:
  void watch();

  std::string name;
  std::chrono::steady_clock::time_point begin, lastUpdate;
  std::mutex mutex;
  std::condition_variable finished;
  bool isFinished = false;
  bool isNamed = false;
  std::thread watcher;
};

} // namespace quantmlir

#endif // QUANT_RUNTIME_EXECUTION_PROGRESS_H
