//===- HtmlRow.h - cells of the page's tables -------------------*- C++ -*-===//

#ifndef QUANT_LIB_RUNTIME_REPORT_HTMLROW_H
#define QUANT_LIB_RUNTIME_REPORT_HTMLROW_H

#include "SvgPlot.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

namespace quantmlir {

struct Profile;

/// `value` by one conversion of printf.
std::string formatNumber(const char *form, double value);

/// Cells of a row; a number carries what it is sorted by.
class RowPrinter {
public:
  explicit RowPrinter(llvm::raw_ostream &os) : os(os) {}

  void number(const std::string &text, double value) {
    os << "<td data-value=\"" << llvm::format("%.17g", value) << "\">" << text
       << "</td>";
  }
  void text(llvm::StringRef text) {
    os << "<td class=\"left\">" << escapeHtml(text) << "</td>";
  }
  void absent() { os << "<td>–</td>"; }

private:
  llvm::raw_ostream &os;
};

/// Where the time went: kinds of ops, and all ops.
void printHtmlProfile(const Profile &profile, llvm::raw_ostream &os);

} // namespace quantmlir

#endif // QUANT_LIB_RUNTIME_REPORT_HTMLROW_H
