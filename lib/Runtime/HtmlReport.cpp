//===- HtmlReport.cpp - a comparison as a page ----------------------------===//
//
// One file that needs nothing else: style and plots are inside.
//
//===----------------------------------------------------------------------===//

#include "quant/Runtime/Report.h"

#include "SvgPlot.h"

#include "llvm/Support/Format.h"

#include <cmath>

using namespace mlir;
using namespace quantmlir;

static constexpr llvm::StringLiteral kStyle = R"(
body { font: 14px system-ui, sans-serif; margin: 2em auto; max-width: 70em;
       color: #1c2733; padding: 0 1em; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2em .6em; text-align: right; border-bottom: 1px solid #dde3ea; }
th:first-child, td:first-child, .left { text-align: left; }
tr.worst td { background: #fdeceb; }
tr.float td { color: #7b8794; }
section { margin: 1.5em 0; border-top: 1px solid #dde3ea; }
figure { display: inline-block; margin: .5em 1em .5em 0; vertical-align: top; }
figure.errors { margin-left: 4em; }
figcaption { font-size: 12px; color: #52606d; max-width: 420px; }
svg { overflow: visible; background: #f7f9fb; }
svg text { font-size: 10px; fill: #52606d; }
.bars { fill: #7aa6d6; } .bar { fill: #7aa6d6; } a:hover .bar { fill: #38659b; }
.grid { stroke: #c3ccd6; stroke-width: .5; } .edge { stroke: #d64545; }
.clip { fill: #d64545; opacity: .15; }
.line { fill: none; stroke: #d64545; stroke-width: 1.5; }
)";

static std::string printDb(const std::optional<Metrics> &metrics) {
  if (!metrics)
    return "–";
  if (std::isinf(metrics->sqnrDb))
    return "exact";
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.2f", metrics->sqnrDb);
  return text;
}

static std::string printShape(const MatmulShape &shape) {
  std::string text;
  for (std::optional<int64_t> size : {shape.m, shape.k, shape.n})
    text += (text.empty() ? "" : " × ") +
            (size ? std::to_string(*size) : std::string("?"));
  return text;
}

static void printRow(const MatmulFindings &matmul, size_t index, bool isWorst,
                     llvm::raw_ostream &os) {
  os << "<tr"
     << (isWorst               ? " class=\"worst\""
         : !matmul.isQuantized ? " class=\"float\""
                               : "")
     << "><td><a href=\"#m" << index << "\">" << escapeHtml(matmul.shape.name)
     << "</a></td><td>" << printShape(matmul.shape) << "</td><td>"
     << printDb(matmul.local) << "</td><td>";
  if (matmul.local)
    os << llvm::format("%.6f</td><td>%.3g", matmul.local->cosine,
                       matmul.local->maxAbsError);
  else
    os << "–</td><td>–";
  os << "</td><td>" << printDb(matmul.cumulative) << "</td><td>"
     << printDb(matmul.weightError)
     << llvm::format("</td><td>%.3f %%</td><td>",
                     100 * matmul.clippedActivations)
     << matmul.weightBytesBefore << "</td><td>" << matmul.weightBytesAfter
     << "</td><td class=\"left\">" << escapeHtml(matmul.scheme)
     << "</td></tr>\n";
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
     << " values (logarithmic). ";
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
  os << "<figcaption>Weight in steps of its scales (logarithmic), error "
     << printDb(matmul.weightError) << " dB; "
     << llvm::format("%.4f %% clipped.", 100 * matmul.clippedWeights)
     << "</figcaption></figure></section>\n";
}

static void printSummary(const RunReport &report, const RunOptions &options,
                         llvm::raw_ostream &os) {
  os << "<p>Entry <b>" << escapeHtml(report.entry) << "</b>, target <b>"
     << report.target << "</b>, quantized with <code>"
     << escapeHtml(options.quantize->empty() ? "(defaults)" : *options.quantize)
     << "</code></p>\n<table><tr><th>result</th><th>SQNR dB</th><th>cosine</th>"
        "<th>max error</th></tr>\n";
  if (report.reference)
    for (auto [i, metrics] : llvm::enumerate(report.reference->metrics))
      os << "<tr><td>" << i << "</td><td>" << printDb(metrics)
         << llvm::format("</td><td>%.6f</td><td>%.4g</td></tr>\n",
                         metrics.cosine, metrics.maxAbsError);
  os << "</table>\n";
  if (report.reference && report.reference->name == "float")
    os << "<p>Weights of matmuls: " << report.reference->facts.matmulWeightBytes
       << " bytes before, " << report.facts.matmulWeightBytes
       << " after.</p>\n";
}

void quantmlir::printHtmlReport(const RunReport &report,
                                const RunOptions &options,
                                llvm::raw_ostream &os) {
  os << "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<title>"
     << escapeHtml(report.model) << "</title><style>" << kStyle
     << "</style></head><body>\n<h1>" << escapeHtml(report.model) << "</h1>\n";
  printSummary(report, options, os);
  if (report.matmuls.empty()) {
    os << "<p>The program has no float matmul.</p></body></html>\n";
    return;
  }
  os << "<h2>Error by matmul</h2>\n<figure class=\"errors\">";
  plotErrors(report.matmuls, os);
  os << "<figcaption>Bars: a matmul's own error (the same float activations "
        "for both). Line: the error of its result in the quantized program. "
        "Lower is worse; a click leads to the matmul.</figcaption></figure>\n";
  const MatmulFindings *worst = nullptr;
  for (const MatmulFindings &matmul : report.matmuls)
    if (matmul.local && (!worst || matmul.local->sqnrDb < worst->local->sqnrDb))
      worst = &matmul;
  os << "<table><tr><th>matmul</th><th>m × k × n</th><th>SQNR dB</th>"
        "<th>cosine</th><th>max error</th><th>cumulative dB</th>"
        "<th>weight dB</th><th>clipped</th><th>bytes</th><th>after</th>"
        "<th class=\"left\">scheme</th></tr>\n";
  for (auto [i, matmul] : llvm::enumerate(report.matmuls))
    printRow(matmul, i, &matmul == worst, os);
  os << "</table>\n";
  for (auto [i, matmul] : llvm::enumerate(report.matmuls))
    printDetails(matmul, i, os);
  os << "</body></html>\n";
}
