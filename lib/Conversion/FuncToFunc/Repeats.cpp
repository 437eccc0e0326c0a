//===- Repeats.cpp - what follows itself in a sequence --------------------===//

#include "Repeats.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace quantmlir;

/// Distances tried: those that most elements have to the next of their class.
constexpr unsigned kMaxSizes = 32;

/// How far elements are from the next of their class, the most frequent first:
/// an op that stands in a layer once is a layer away from the next.
static SmallVector<unsigned> listSizes(ArrayRef<int> classes,
                                       unsigned minSize) {
  DenseMap<int, unsigned> last;
  DenseMap<unsigned, unsigned> votes;
  for (auto [i, element] : llvm::enumerate(classes)) {
    if (element < 0)
      continue;
    auto [it, first] = last.try_emplace(element, i);
    if (!first && i - it->second >= minSize)
      ++votes[i - it->second];
    it->second = i;
  }
  SmallVector<std::pair<unsigned, unsigned>> ranked(votes.begin(), votes.end());
  llvm::sort(ranked, [](auto a, auto b) {
    return std::pair(b.second, a.first) < std::pair(a.second, b.first);
  });
  SmallVector<unsigned> sizes;
  for (auto [size, count] : ArrayRef(ranked).take_front(kMaxSizes))
    sizes.push_back(size);
  return sizes;
}

/// The windows of `size` in [begin, end), in which every element equals the one
/// `size` before it, that begin at the cheapest element.
static Repeat alignWindows(ArrayRef<unsigned> cost, unsigned size,
                           unsigned begin, unsigned end) {
  unsigned most = (end - begin) / size;
  Repeat best;
  for (unsigned start = begin; start != begin + size; ++start) {
    unsigned count = (end - start) / size;
    if (count + 1 < most || (best.count && cost[start] >= cost[best.start]))
      continue;
    best = {start, size, count};
  }
  return best;
}

Repeat quantmlir::findRepeat(ArrayRef<int> classes, ArrayRef<unsigned> cost,
                             unsigned minSize, unsigned minCount) {
  Repeat best;
  for (unsigned size : listSizes(classes, minSize)) {
    for (unsigned i = 0; i + size < classes.size();) {
      unsigned begin = i;
      while (i + size < classes.size() && classes[i] >= 0 &&
             classes[i] == classes[i + size])
        ++i;
      if (i != begin) {
        Repeat found = alignWindows(cost, size, begin, i + size);
        if (found.count >= minCount && found.getSaved() > best.getSaved())
          best = found;
      } else {
        ++i;
      }
    }
  }
  return best;
}
