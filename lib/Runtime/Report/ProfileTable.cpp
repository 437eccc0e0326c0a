//===- ProfileTable.cpp - how long each op of a program took --------------===//

#include "quant/Runtime/Report/Report.h"

#include "llvm/Support/FormatVariadic.h"

using namespace quantmlir;

/// Ops that the table lists; the JSON report has all.
constexpr size_t kMaxListed = 24;

static void printLine(const ProfileLine &line, double whole,
                      const std::string &what, llvm::raw_ostream &os) {
  double share = whole > 0 ? line.milliseconds / whole : 0;
  os << llvm::formatv("{0,10:f3} {1,6:p1} {2,7}  {3}\n", line.milliseconds,
                      share, line.calls, what);
}

void quantmlir::printProfileTable(const Profile &profile,
                                  llvm::raw_ostream &os) {
  double inside = 0;
  for (const ProfileLine &op : profile.ops)
    inside += op.milliseconds;
  os << llvm::formatv("profile: {0:f3} ms a run, {1:f3} of them in ops\n",
                      profile.milliseconds, inside)
     << "        ms  share   calls  kind\n";
  for (const ProfileLine &kind : profile.getKinds())
    printLine(kind, profile.milliseconds, kind.kind, os);
  os << "        ms  share   calls  op\n";
  for (const ProfileLine &op :
       llvm::ArrayRef(profile.ops).take_front(kMaxListed))
    printLine(op, profile.milliseconds,
              op.kind + (op.name.empty() ? "" : " " + op.name) + " (" +
                  op.types + ") " + op.location,
              os);
  if (profile.ops.size() > kMaxListed)
    os << "  ... and " << profile.ops.size() - kMaxListed
       << " more (all of them with --report=FILE.json)\n";
}
