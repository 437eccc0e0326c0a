//===- SvgPlot.cpp - small plots inside a page ----------------------------===//

#include "SvgPlot.h"

#include "llvm/Support/Format.h"

#include <algorithm>
#include <cmath>

using namespace quantmlir;

std::string quantmlir::escapeHtml(llvm::StringRef text) {
  std::string escaped;
  llvm::raw_string_ostream os(escaped);
  llvm::printHTMLEscaped(text, os);
  return escaped;
}

namespace {

/// The rectangle in which values are drawn, and the axis below it.
struct Frame {
  double width, height;
  double low, high; // of x
  static constexpr double kMargin = 18;

  double x(double value) const {
    return std::clamp((value - low) / (high - low), 0.0, 1.0) * width;
  }
  void begin(llvm::raw_ostream &os) const {
    os << llvm::format("<svg viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
                       "height=\"%.0f\">",
                       width, height + kMargin, width, height + kMargin);
  }
  void line(const char *kind, double at, llvm::raw_ostream &os) const {
    os << llvm::format("<line class=\"%s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" "
                       "y2=\"%.0f\"/>",
                       kind, x(at), x(at), height);
  }
  void shade(double from, double to, llvm::raw_ostream &os) const {
    if (x(to) > x(from))
      os << llvm::format("<rect class=\"clip\" x=\"%.1f\" y=\"0\" "
                         "width=\"%.1f\" height=\"%.0f\"/>",
                         x(from), x(to) - x(from), height);
  }
  void label(double at, llvm::StringRef text, llvm::raw_ostream &os) const {
    const char *anchor = x(at) < 20           ? "start"
                         : x(at) > width - 20 ? "end"
                                              : "middle";
    os << llvm::format("<text x=\"%.1f\" y=\"%.0f\" text-anchor=\"%s\">", x(at),
                       height + 13, anchor)
       << escapeHtml(text) << "</text>";
  }
};

} // namespace

static std::string print(const char *form, double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format(form, value);
  return text;
}

/// Counts as steps, their heights logarithmic.
static void drawCounts(const Frame &frame, llvm::ArrayRef<int64_t> counts,
                       llvm::raw_ostream &os) {
  int64_t most = counts.empty() ? 0 : *llvm::max_element(counts);
  if (most == 0)
    return;
  double full = std::log1p(most), step = frame.width / counts.size();
  os << llvm::format("<path class=\"bars\" d=\"M0 %.0f", frame.height);
  for (auto [i, count] : llvm::enumerate(counts))
    os << llvm::format("V%.1fH%.1f",
                       frame.height * (1 - std::log1p(count) / full),
                       (i + 1) * step);
  os << llvm::format("V%.0fZ\"/>", frame.height);
}

void quantmlir::plotActivations(const MatmulFindings &matmul,
                                llvm::raw_ostream &os) {
  const Histogram &histogram = matmul.activations;
  double low = std::min(matmul.activationMin, 0.0);
  double high = std::max(matmul.activationMax, 0.0);
  if (matmul.grid) {
    low = std::min<double>(low, matmul.grid->getLeast());
    high = std::max<double>(high, matmul.grid->getMost());
  }
  if (low == high)
    return;
  Frame frame{420, 110, low, high};
  constexpr int64_t kBars = 140;
  std::vector<int64_t> bars(kBars, 0);
  auto add = [&](double value, int64_t count) {
    auto bar = static_cast<int64_t>((value - low) / (high - low) * kBars);
    bars[std::clamp<int64_t>(bar, 0, kBars - 1)] += count;
  };
  for (auto [i, count] : llvm::enumerate(histogram.counts))
    if (count)
      add(histogram.getMiddle(i), count);
  add(0, histogram.zeros);
  frame.begin(os);
  drawCounts(frame, bars, os);
  if (matmul.grid) {
    const StaticGrid &grid = *matmul.grid;
    frame.shade(low, grid.getLeast(), os);
    frame.shade(grid.getMost(), high, os);
    double perStep = grid.scale / (high - low) * frame.width;
    for (int64_t q = grid.min; perStep > 3 && q <= grid.max; ++q)
      frame.line("grid", (q - grid.zeroPoint) * grid.scale, os);
    frame.line("edge", grid.getLeast(), os);
    frame.line("edge", grid.getMost(), os);
  }
  frame.label(low, print("%.3g", low), os);
  if (frame.x(0) > 40 && frame.x(0) < frame.width - 40)
    frame.label(0, "0", os);
  frame.label(high, print("%.3g", high), os);
  os << "</svg>";
}

void quantmlir::plotWeights(const MatmulFindings &matmul,
                            llvm::raw_ostream &os) {
  const WeightHistogram &histogram = matmul.weights;
  if (histogram.counts.empty())
    return;
  Frame frame{420, 110, double(histogram.min - 1), double(histogram.max + 1)};
  frame.begin(os);
  drawCounts(frame, histogram.counts, os);
  frame.shade(frame.low, histogram.min - 0.5, os);
  frame.shade(histogram.max + 0.5, frame.high, os);
  if (histogram.max - histogram.min < 64)
    for (int64_t q = histogram.min; q <= histogram.max; ++q)
      frame.line("grid", q, os);
  for (int64_t q : {histogram.min, int64_t(0), histogram.max})
    frame.label(q, std::to_string(q), os);
  os << "</svg>";
}

void quantmlir::plotErrors(llvm::ArrayRef<MatmulFindings> matmuls,
                           llvm::raw_ostream &os) {
  double most = 10;
  auto isPlotted = [](const std::optional<Metrics> &metrics) {
    return metrics && std::isfinite(metrics->sqnrDb);
  };
  for (const MatmulFindings &matmul : matmuls)
    for (const auto &metrics : {matmul.local, matmul.cumulative})
      if (isPlotted(metrics))
        most = std::max(most, std::ceil(metrics->sqnrDb / 10) * 10);
  double step = std::clamp(900.0 / matmuls.size(), 6.0, 60.0);
  Frame frame{step * matmuls.size(), 180, 0, double(matmuls.size())};
  auto y = [&](double db) {
    return frame.height * (1 - std::clamp(db / most, 0.0, 1.0));
  };
  frame.begin(os);
  for (double db = 0; db <= most; db += 10)
    os << llvm::format("<line class=\"grid\" x1=\"0\" x2=\"%.0f\" y1=\"%.1f\" "
                       "y2=\"%.1f\"/><text x=\"-4\" y=\"%.1f\" "
                       "text-anchor=\"end\">%.0f dB</text>",
                       frame.width, y(db), y(db), y(db) + 3, db);
  std::string path;
  llvm::raw_string_ostream line(path);
  for (auto [i, matmul] : llvm::enumerate(matmuls)) {
    if (isPlotted(matmul.local))
      os << llvm::format("<a href=\"#m%zu\"><rect class=\"bar\" x=\"%.1f\" "
                         "y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>",
                         i, i * step + 1, y(matmul.local->sqnrDb), step - 2,
                         frame.height - y(matmul.local->sqnrDb))
         << escapeHtml(matmul.shape.name)
         << llvm::format(": %.2f dB by itself</title></rect></a>",
                         matmul.local->sqnrDb);
    if (isPlotted(matmul.cumulative))
      line << (path.empty() ? "M" : "L")
           << llvm::format("%.1f %.1f", (i + 0.5) * step,
                           y(matmul.cumulative->sqnrDb));
  }
  os << "<path class=\"line\" d=\"" << path << "\"/>";
  frame.label(0.5, matmuls.front().shape.name, os);
  if (matmuls.size() > 1)
    frame.label(matmuls.size() - 0.5, matmuls.back().shape.name, os);
  os << "</svg>";
}
