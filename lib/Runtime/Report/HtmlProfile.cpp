//===- HtmlProfile.cpp - the page's tables of where the time went ---------===//

#include "HtmlRow.h"

#include "quant/Runtime/Execution/Profile.h"

using namespace quantmlir;

static void printTimes(const ProfileLine &line, double whole, RowPrinter &row) {
  double share = whole > 0 ? 100 * line.milliseconds / whole : 0;
  row.number(formatNumber("%.3f", line.milliseconds), line.milliseconds);
  row.number(formatNumber("%.1f %%", share), share);
  row.number(std::to_string(line.calls), line.calls);
}

/// The heading of a table whose first columns are `texts`.
static void printHead(llvm::StringRef id, llvm::ArrayRef<llvm::StringRef> texts,
                      llvm::raw_ostream &os) {
  os << "<div class=\"scroll\"><table id=\"" << id << "\"><thead><tr>";
  for (llvm::StringRef name : texts)
    os << "<th class=\"left\" data-sort=\"text\">" << name << "</th>";
  for (llvm::StringRef name : {"ms", "share", "calls"})
    os << "<th data-sort=\"number\">" << name << "</th>";
  os << "</tr></thead><tbody>\n";
}

void quantmlir::printHtmlProfile(const Profile &profile,
                                 llvm::raw_ostream &os) {
  double inside = 0;
  for (const ProfileLine &op : profile.ops)
    inside += op.milliseconds;
  os << "<h2>Where the time goes</h2>\n<p>"
     << formatNumber("%.3f", profile.milliseconds) << " ms a run, "
     << formatNumber("%.3f", inside)
     << " of them in ops; times and calls are those of one run. A click on a "
        "heading sorts.</p>\n";
  RowPrinter row(os);
  printHead("profile-kinds", {"kind"}, os);
  for (const ProfileLine &kind : profile.getKinds()) {
    os << "<tr>";
    row.text(kind.kind);
    printTimes(kind, profile.milliseconds, row);
    os << "</tr>\n";
  }
  os << "</tbody></table></div>\n<h3>Ops</h3>\n";
  printHead("profile-ops", {"kind", "name", "operands", "where"}, os);
  for (const ProfileLine &op : profile.ops) {
    os << "<tr>";
    for (llvm::StringRef text : {op.kind, op.name, op.types, op.location})
      row.text(text);
    printTimes(op, profile.milliseconds, row);
    os << "</tr>\n";
  }
  os << "</tbody></table></div>\n";
}
