//===- HtmlReport.cpp - a comparison as a page ----------------------------===//
//
// One file that needs nothing else: style, script and plots are inside.
//
//===----------------------------------------------------------------------===//

#include "quant/Runtime/Execution/Provenance.h"
#include "quant/Runtime/Report/Report.h"
#include "quant/Support/Version.h"

#include "HtmlRow.h"
#include "HtmlStyle.h"
#include "SvgPlot.h"

#include <cmath>

using namespace mlir;
using namespace quantmlir;

std::string quantmlir::formatNumber(const char *form, double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format(form, value);
  return text;
}

static std::string printDb(const std::optional<Metrics> &metrics) {
  if (!metrics)
    return "–";
  return std::isinf(metrics->sqnrDb) ? "exact"
                                     : formatNumber("%.2f", metrics->sqnrDb);
}

static std::string printShape(const MatmulShape &shape) {
  std::string text;
  for (std::optional<int64_t> size : {shape.m, shape.k, shape.n})
    text += (text.empty() ? "" : " × ") +
            (size ? std::to_string(*size) : std::string("?"));
  return text;
}

//===----------------------------------------------------------------------===//
// What was done
//===----------------------------------------------------------------------===//

static void printFact(StringRef name, StringRef value, llvm::raw_ostream &os) {
  os << "<tr><th>" << name << "</th><td>" << value << "</td></tr>\n";
}

/// `1,234 bytes before, 309 after: 3.99 × smaller`
static std::string printSizes(const RunReport &report) {
  int64_t before = report.reference->facts.matmulWeightBytes,
          after = report.facts.matmulWeightBytes;
  std::string text = std::to_string(before) + " bytes before, " +
                     std::to_string(after) + " after";
  if (after > 0)
    text += ": " + formatNumber("%.2f", double(before) / after) + " × smaller";
  return text;
}

static std::string printSpeed(const RunReport &report) {
  const std::optional<Timing> &reference = report.reference->timing;
  if (!report.timing || !reference)
    return "not measured (<code>--repeat=N</code>)";
  std::string text =
      "median " + formatNumber("%.4g ms", report.timing->median) + ", " +
      report.reference->name + " " + formatNumber("%.4g ms", reference->median);
  if (report.timing->median > 0)
    text += ": " +
            formatNumber("%.2f", reference->median / report.timing->median) +
            " × as fast";
  return text + " (" + std::to_string(report.timing->repeats) + " runs)";
}

static void printScheme(const QuantizeRequest &scheme, llvm::raw_ostream &os) {
  printFact("quantized with",
            "<code>" +
                escapeHtml(scheme.text.empty() ? "(defaults)" : scheme.text) +
                "</code>",
            os);
  printFact("that is",
            "<code id=\"scheme\">" + escapeHtml(scheme.getFullText()) +
                "</code>",
            os);
}

static void printFacts(const RunReport &report, const RunOptions &options,
                       llvm::raw_ostream &os) {
  os << "<div class=\"scroll\"><table class=\"facts\"><tbody>\n";
  printFact("command", "<code>" + escapeHtml(options.command) + "</code>", os);
  printFact("version", escapeHtml(getVersion()), os);
  printFact("machine", escapeHtml(getMachine()), os);
  printFact("entry, target",
            escapeHtml(report.entry + ", " + report.target +
                       (options.target == RunTarget::X86
                            ? " (cpu " + options.cpu + ")"
                            : "")),
            os);
  if (options.quantize)
    printScheme(*options.quantize, os);
  if (report.reference && report.reference->name == "float")
    printFact("weights of matmuls", printSizes(report), os);
  if (report.reference)
    printFact("time", printSpeed(report), os);
  const ProductSummary &products = report.products;
  printFact("products",
            std::to_string(products.numInteger) + " in integers + " +
                std::to_string(products.numLeft) + " left with reason = " +
                std::to_string(products.numInteger + products.numLeft),
            os);
  for (const ProductSummary::Line &line : products.lines)
    printFact("",
              escapeHtml(std::to_string(line.count) + " × " +
                         line.getText().str() + ": " + line.reason),
              os);
  os << "</tbody></table></div>\n";
}

static void printResults(const RunReport &report, llvm::raw_ostream &os) {
  if (!report.reference)
    return;
  os << "<h2>Results</h2>\n<table><thead><tr><th>result</th><th>SQNR dB</th>"
        "<th>cosine</th><th>max error</th></tr></thead><tbody>\n";
  for (auto [i, metrics] : llvm::enumerate(report.reference->metrics))
    os << "<tr><td>" << i << "</td><td>" << printDb(metrics)
       << llvm::format("</td><td>%.6f</td><td>%.4g</td></tr>\n", metrics.cosine,
                       metrics.maxAbsError);
  os << "</tbody></table>\n";
}

//===----------------------------------------------------------------------===//
// Matmuls
//===----------------------------------------------------------------------===//

static void printDbCell(const std::optional<Metrics> &metrics,
                        RowPrinter &row) {
  if (!metrics || std::isnan(metrics->sqnrDb))
    return row.absent();
  row.number(printDb(metrics),
             std::isinf(metrics->sqnrDb) ? 1e9 : metrics->sqnrDb);
}

static void printRow(const MatmulFindings &matmul, size_t index, bool isWorst,
                     llvm::raw_ostream &os) {
  RowPrinter row(os);
  os << "<tr"
     << (isWorst               ? " class=\"worst\""
         : !matmul.isQuantized ? " class=\"float\""
                               : "")
     << ">";
  os << "<td data-value=\"" << index << "\"><a href=\"#m" << index << "\">"
     << escapeHtml(matmul.shape.name) << "</a></td><td data-value=\""
     << matmul.shape.m.value_or(1) * matmul.shape.k.value_or(1) *
            matmul.shape.n.value_or(1)
     << "\">" << printShape(matmul.shape) << "</td>";
  printDbCell(matmul.local, row);
  if (matmul.local) {
    row.number(formatNumber("%.6f", matmul.local->cosine),
               matmul.local->cosine);
    row.number(formatNumber("%.3g", matmul.local->maxAbsError),
               matmul.local->maxAbsError);
  } else {
    row.absent();
    row.absent();
  }
  printDbCell(matmul.cumulative, row);
  printDbCell(matmul.weightError, row);
  row.number(formatNumber("%.3f %%", 100 * matmul.clippedActivations),
             matmul.clippedActivations);
  row.number(std::to_string(matmul.weightBytesBefore),
             matmul.weightBytesBefore);
  row.number(std::to_string(matmul.weightBytesAfter), matmul.weightBytesAfter);
  row.text(matmul.scheme);
  os << "</tr>\n";
}

static void printTable(llvm::ArrayRef<MatmulFindings> matmuls,
                       llvm::raw_ostream &os) {
  const MatmulFindings *worst = nullptr;
  for (const MatmulFindings &matmul : matmuls)
    if (matmul.local && (!worst || matmul.local->sqnrDb < worst->local->sqnrDb))
      worst = &matmul;
  os << "<div class=\"scroll\"><table id=\"matmuls\"><thead><tr>";
  for (StringRef name :
       {"matmul", "m × k × n", "SQNR dB", "cosine", "max error",
        "cumulative dB", "weight dB", "clipped", "bytes", "after"})
    os << "<th data-sort=\"number\">" << name << "</th>";
  os << "<th class=\"left\" data-sort=\"text\">scheme</th></tr></thead>"
        "<tbody>\n";
  for (auto [i, matmul] : llvm::enumerate(matmuls))
    printRow(matmul, i, &matmul == worst, os);
  os << "</tbody></table></div>\n";
}

static void printDetails(const MatmulFindings &matmul, size_t index,
                         llvm::raw_ostream &os) {
  os << "<section id=\"m" << index << "\"><h3>" << escapeHtml(matmul.shape.name)
     << "</h3><p>" << printShape(matmul.shape) << ", "
     << escapeHtml(matmul.scheme);
  if (!matmul.location.empty())
    os << ", " << escapeHtml(matmul.location);
  os << "; by itself " << printDb(matmul.local) << " dB, cumulative "
     << printDb(matmul.cumulative) << " dB</p>\n";
  os << "<figure>";
  plotActivations(matmul, os);
  os << "<figcaption>Activations, " << matmul.activations.getTotal()
     << " values. ";
  if (matmul.grid)
    os << llvm::format("Step %.4g; %.4f %% lie outside of the grid (red).",
                       matmul.grid->scale, 100 * matmul.clippedActivations);
  else if (matmul.isQuantized)
    os << "The grid follows the data of each input.";
  os << "</figcaption></figure>\n";
  if (matmul.weights.counts.empty()) {
    os << "</section>\n";
    return;
  }
  os << "<figure>";
  plotWeights(matmul, os);
  os << "<figcaption>Weight in steps of its scales, error "
     << printDb(matmul.weightError) << " dB; "
     << llvm::format("%.4f %% clipped.", 100 * matmul.clippedWeights)
     << "</figcaption></figure></section>\n";
}

static void printMatmuls(llvm::ArrayRef<MatmulFindings> matmuls,
                         llvm::raw_ostream &os) {
  if (matmuls.empty()) {
    os << "<p>The program has no float matmul.</p>\n";
    return;
  }
  os << "<h2>Matmuls</h2>\n<p>A click on a heading sorts.</p>\n";
  printTable(matmuls, os);
  os << "<h2>Error by matmul</h2>\n<figure class=\"errors\">";
  plotErrors(matmuls, os);
  os << "<figcaption>Bars: a matmul's own error (the same float activations "
        "for both). Red marks: the error of its result in the quantized "
        "program. Shorter is worse; a click leads to the "
        "matmul.</figcaption></figure>\n";
}

void quantmlir::printHtmlReport(const RunReport &report,
                                const RunOptions &options,
                                llvm::raw_ostream &os) {
  os << "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<title>"
     << escapeHtml(report.model) << "</title><style>" << kPageStyle
     << "</style></head><body>\n<h1>" << escapeHtml(report.model) << "</h1>\n";
  printFacts(report, options, os);
  printResults(report, os);
  if (options.compare)
    printMatmuls(report.matmuls, os);
  if (report.profile)
    printHtmlProfile(*report.profile, os);
  for (auto [i, matmul] : llvm::enumerate(report.matmuls))
    printDetails(matmul, i, os);
  os << "<script>" << kPageScript << "</script></body></html>\n";
}
