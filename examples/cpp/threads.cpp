// Ten threads call one model that was compiled ahead of time, each with its own
// input and its own buffer for the result.
//
//   c++ -std=c++17 threads.cpp -lquantmlir -pthread -o threads
//   ./threads model.so

#include "quant/CAPI/Runtime.h"

#include <atomic>
#include <cstdio>
#include <memory>
#include <thread>
#include <vector>

namespace {

struct DestroyModel {
  void operator()(QuantModel *model) const { quantModelDestroy(model); }
};
struct DestroyLog {
  void operator()(QuantLog *log) const { quantLogDestroy(log); }
};

/// A matrix in memory that this program owns.
struct Matrix {
  Matrix(int64_t rows, int64_t columns)
      : shape{rows, columns}, values(rows * columns) {}

  QuantTensor get() {
    QuantTensor tensor = {};
    tensor.data = values.data();
    tensor.size = values.size() * sizeof(float);
    tensor.element = QUANT_F32;
    tensor.rank = 2;
    tensor.shape = shape;
    return tensor;
  }

  int64_t shape[2];
  std::vector<float> values;
};

} // namespace

int main(int argc, char **argv) {
  constexpr int kThreads = 10, kCalls = 200;
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s MODEL.so\n", argv[0]);
    return 2;
  }
  std::unique_ptr<QuantLog, DestroyLog> log(quantLogCreate());
  QuantModel *loaded = nullptr;
  if (quantModelLoad(argv[1], nullptr, log.get(), &loaded) != QUANT_OK) {
    std::fputs(quantLogText(log.get()), stderr);
    return 1;
  }
  std::unique_ptr<QuantModel, DestroyModel> model(loaded);
  const QuantArtifact *facts = quantModelArtifact(model.get());
  int64_t columns = facts->inputs[0].shape[1];
  int64_t resultColumns = facts->results[0].shape[1];

  // Thread t has t + 1 rows. What it computes alone is what it has to compute
  // beside the others.
  std::atomic<int> failures(0);
  auto work = [&](int t) {
    Matrix x(t + 1, columns), alone(t + 1, resultColumns),
        together(t + 1, resultColumns);
    for (size_t i = 0; i < x.values.size(); ++i)
      x.values[i] = static_cast<float>((i * (t + 3)) % 17) - 8;
    for (int call = 0; call < kCalls; ++call) {
      Matrix &result = call == 0 ? alone : together;
      QuantTensor input = x.get(), output = result.get();
      char message[256];
      if (facts->run(&input, 1, &output, 1, message, sizeof(message)) ||
          (call > 0 && together.values != alone.values))
        ++failures;
    }
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back(work, t);
  for (std::thread &thread : threads)
    thread.join();
  std::printf("%d threads, %d calls, %d failures\n", kThreads,
              kThreads * kCalls, failures.load());
  return failures != 0;
}
