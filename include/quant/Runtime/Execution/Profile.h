//===- Profile.h - how long each op of a program took -----------*- C++ -*-===//

#ifndef QUANT_RUNTIME_EXECUTION_PROFILE_H
#define QUANT_RUNTIME_EXECUTION_PROFILE_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace quantmlir {

/// What an op of the program (quant-profile-ops), or a kind of them, took.
struct ProfileLine {
  std::string kind, name, types, location;
  int64_t calls = 0;
  double milliseconds = 0;
};

/// The ops of some runs of one program, the longest first; times and calls are
/// those of one run.
struct Profile {
  std::vector<ProfileLine> ops;
  /// Of a whole run, the ops and what is between them.
  double milliseconds = 0;

  /// The kinds, the longest first.
  std::vector<ProfileLine> getKinds() const;
};

/// Forgets what this thread's programs took until now.
void resetProfile();
/// What they took since then, in `runs` runs of `milliseconds` together.
Profile takeProfile(unsigned runs, double milliseconds);

/// What profiled code calls: names and addresses.
llvm::SmallVector<std::pair<llvm::StringRef, const void *>>
getProfileFunctions();

} // namespace quantmlir

#endif // QUANT_RUNTIME_EXECUTION_PROFILE_H
