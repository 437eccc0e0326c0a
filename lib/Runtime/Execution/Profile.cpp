//===- Profile.cpp - how long each op of a program took -------------------===//

#include "quant/Runtime/Execution/Profile.h"

#include "quant/Instrument/ProfileOps.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"

#include <chrono>

using namespace quantmlir;
using Clock = std::chrono::steady_clock;

namespace {
struct OpTime {
  int64_t calls = 0;
  Clock::duration time{0};
};
struct Counters {
  /// By the string that describes the op, which is one for each.
  llvm::MapVector<const char *, OpTime> ops;
  Clock::time_point begin;
};
} // namespace

/// A program runs in the thread that called it; only loops inside of its ops
/// are divided.
static thread_local Counters counters;

static void begin() { counters.begin = Clock::now(); }

static void end(const char *op) {
  Clock::time_point now = Clock::now();
  OpTime &found = counters.ops[op];
  found.time += now - counters.begin;
  ++found.calls;
}

llvm::SmallVector<std::pair<llvm::StringRef, const void *>>
quantmlir::getProfileFunctions() {
  return {{kProfileBegin, reinterpret_cast<const void *>(&begin)},
          {kProfileEnd, reinterpret_cast<const void *>(&end)}};
}

void quantmlir::resetProfile() { counters.ops.clear(); }

static void sortByTime(std::vector<ProfileLine> &lines) {
  llvm::stable_sort(lines, [](const ProfileLine &a, const ProfileLine &b) {
    return a.milliseconds > b.milliseconds;
  });
}

Profile quantmlir::takeProfile(unsigned runs, double milliseconds) {
  Profile profile;
  profile.milliseconds = milliseconds / runs;
  for (auto &[op, time] : counters.ops) {
    llvm::SmallVector<llvm::StringRef> lines;
    llvm::StringRef(op).split(lines, '\n', 3);
    lines.resize(4);
    std::chrono::duration<double, std::milli> spent = time.time;
    profile.ops.push_back({lines[0].str(), lines[1].str(), lines[2].str(),
                           lines[3].str(), time.calls / runs,
                           spent.count() / runs});
  }
  sortByTime(profile.ops);
  return profile;
}

std::vector<ProfileLine> Profile::getKinds() const {
  llvm::MapVector<llvm::StringRef, ProfileLine> kinds;
  for (const ProfileLine &op : ops) {
    ProfileLine &kind = kinds[op.kind];
    kind.kind = op.kind;
    kind.calls += op.calls;
    kind.milliseconds += op.milliseconds;
  }
  std::vector<ProfileLine> lines;
  for (auto &entry : kinds)
    lines.push_back(std::move(entry.second));
  sortByTime(lines);
  return lines;
}
