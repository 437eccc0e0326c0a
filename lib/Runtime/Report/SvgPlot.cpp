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

static std::string print(const char *form, double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format(form, value);
  return text;
}

/// Where ticks of an axis from `low` to `high` are: at most `most` round
/// numbers.
static std::vector<double> chooseTicks(double low, double high, int most) {
  double step = std::pow(10, std::floor(std::log10((high - low) / most)));
  for (double factor : {1.0, 2.0, 5.0, 10.0})
    if ((high - low) / (step * factor) <= most) {
      step *= factor;
      break;
    }
  std::vector<double> ticks;
  for (double i = std::ceil(low / step); i * step <= high; ++i)
    ticks.push_back(i == 0 ? 0 : i * step);
  return ticks;
}

//===----------------------------------------------------------------------===//
// Histograms
//===----------------------------------------------------------------------===//

namespace {

/// Bars over an axis of values, with an axis of counts.
class HistogramPlot {
public:
  HistogramPlot(double low, double high, llvm::ArrayRef<int64_t> bars,
                bool isLogarithmic, llvm::raw_ostream &os)
      : low(low), high(high), bars(bars), isLogarithmic(isLogarithmic),
        most(std::max<int64_t>(1, bars.empty() ? 0 : *llvm::max_element(bars))),
        os(os) {}

  void begin();
  void end(llvm::StringRef unit);
  void line(const char *kind, double at) const {
    os << llvm::format("<line class=\"%s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" "
                       "y2=\"%.1f\"/>",
                       kind, x(at), x(at), kTop, kTop + kHeight);
  }
  void shade(double from, double to) const {
    if (x(to) > x(from))
      os << llvm::format("<rect class=\"clip\" x=\"%.1f\" y=\"%.1f\" "
                         "width=\"%.1f\" height=\"%.1f\"/>",
                         x(from), kTop, x(to) - x(from), kHeight);
  }
  double getPixels(double values) const {
    return values / (high - low) * kWidth;
  }

private:
  static constexpr double kLeft = 64, kTop = 8, kWidth = 400, kHeight = 120,
                          kBottom = 36, kRight = 16;

  double x(double value) const {
    return kLeft + std::clamp((value - low) / (high - low), 0.0, 1.0) * kWidth;
  }
  double y(double count) const {
    double share =
        isLogarithmic ? std::log1p(count) / std::log1p(most) : count / most;
    return kTop + kHeight * (1 - share);
  }
  void countTick(double count);

  double low, high;
  llvm::ArrayRef<int64_t> bars;
  bool isLogarithmic;
  int64_t most;
  llvm::raw_ostream &os;
};

} // namespace

void HistogramPlot::countTick(double count) {
  os << llvm::format("<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" "
                     "y1=\"%.1f\" y2=\"%.1f\"/><text class=\"tick\" "
                     "x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.6g</text>",
                     kLeft, kLeft + kWidth, y(count), y(count), kLeft - 5,
                     y(count) + 4, count);
}

void HistogramPlot::begin() {
  double width = kLeft + kWidth + kRight, height = kTop + kHeight + kBottom;
  os << llvm::format("<svg class=\"histogram\" viewBox=\"0 0 %.0f %.0f\" "
                     "width=\"%.0f\" height=\"%.0f\"><rect class=\"plot\" "
                     "x=\"%.0f\" y=\"%.0f\" width=\"%.0f\" height=\"%.0f\"/>",
                     width, height, width, height, kLeft, kTop, kWidth,
                     kHeight);
  if (isLogarithmic) {
    countTick(0);
    // Every so many powers of ten that their labels do not touch.
    double decades = std::log10(most), every = std::ceil(decades / 6);
    for (double power = 0; power <= decades; power += std::max(every, 1.0))
      if (power > 0 || decades < 2)
        countTick(std::pow(10, power));
  } else {
    for (double count : chooseTicks(0, most, 4))
      countTick(count);
  }
  // Gaps between bars, where there is room for them.
  double step = kWidth / bars.size(), gap = step > 4 ? 1 : step > 2 ? 0.4 : 0;
  os << "<path class=\"bars\" d=\"";
  for (auto [i, count] : llvm::enumerate(bars))
    if (count)
      os << llvm::format("M%.2f %.1fV%.1fh%.2fV%.1fZ",
                         kLeft + i * step + gap / 2, kTop + kHeight, y(count),
                         step - gap, kTop + kHeight);
  os << "\"/>";
}

void HistogramPlot::end(llvm::StringRef unit) {
  os << llvm::format(
      "<path class=\"axis\" fill=\"none\" d=\"M%.1f %.1fV%.1fH%.1f\"/>", kLeft,
      kTop, kTop + kHeight, kLeft + kWidth);
  for (double at : chooseTicks(low, high, 8))
    os << llvm::format(
        "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" "
        "y1=\"%.1f\" y2=\"%.1f\"/><text class=\"tick\" "
        "x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%.4g</text>",
        x(at), x(at), kTop + kHeight, kTop + kHeight + 4, x(at),
        kTop + kHeight + 16, at);
  os << llvm::format("<text class=\"label\" x=\"%.1f\" y=\"%.1f\" "
                     "text-anchor=\"middle\">",
                     kLeft + kWidth / 2, kTop + kHeight + 31)
     << unit
     << llvm::format("</text><text class=\"label\" transform=\"rotate(-90)\" "
                     "x=\"%.1f\" y=\"12\" text-anchor=\"middle\">",
                     -(kTop + kHeight / 2))
     << (isLogarithmic ? "count (log)" : "count") << "</text></svg>";
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
  constexpr int64_t kBars = 100;
  std::vector<int64_t> bars(kBars, 0);
  auto add = [&](double value, int64_t count) {
    auto bar = static_cast<int64_t>((value - low) / (high - low) * kBars);
    bars[std::clamp<int64_t>(bar, 0, kBars - 1)] += count;
  };
  for (auto [i, count] : llvm::enumerate(histogram.counts))
    if (count)
      add(histogram.getMiddle(i), count);
  add(0, histogram.zeros);
  HistogramPlot plot(low, high, bars, /*isLogarithmic=*/true, os);
  plot.begin();
  if (matmul.grid) {
    const StaticGrid &grid = *matmul.grid;
    plot.shade(low, grid.getLeast());
    plot.shade(grid.getMost(), high);
    for (int64_t q = grid.min; plot.getPixels(grid.scale) > 3 && q <= grid.max;
         ++q)
      plot.line("grid", (q - grid.zeroPoint) * grid.scale);
    plot.line("edge", grid.getLeast());
    plot.line("edge", grid.getMost());
  }
  plot.end("value");
}

void quantmlir::plotWeights(const MatmulFindings &matmul,
                            llvm::raw_ostream &os) {
  const WeightHistogram &histogram = matmul.weights;
  if (histogram.counts.empty())
    return;
  double low = histogram.min - 1, high = histogram.max + 1;
  // Few steps are shown with what lies between them; of many, some make a bar.
  constexpr int64_t kMostBars = 128;
  int64_t numBins = histogram.counts.size();
  int64_t perBar = (numBins + kMostBars - 1) / kMostBars;
  std::vector<int64_t> bars((numBins + perBar - 1) / perBar, 0);
  for (auto [i, count] : llvm::enumerate(histogram.counts))
    bars[i / perBar] += count;
  // Bars may reach past the last bin.
  high = low + double(bars.size() * perBar) / WeightHistogram::kBinsPerStep;
  HistogramPlot plot(low, high, bars, /*isLogarithmic=*/false, os);
  plot.begin();
  plot.shade(low, histogram.min - 0.5);
  plot.shade(histogram.max + 0.5, high);
  plot.line("edge", histogram.min - 0.5);
  plot.line("edge", histogram.max + 0.5);
  plot.end("stored integer");
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

void quantmlir::plotErrors(llvm::ArrayRef<MatmulFindings> matmuls,
                           llvm::raw_ostream &os) {
  constexpr double kRow = 20, kWidth = 520, kTop = 22, kChar = 7.2;
  auto isPlotted = [](const std::optional<Metrics> &metrics) {
    return metrics && std::isfinite(metrics->sqnrDb);
  };
  double most = 10;
  size_t longest = 0;
  for (const MatmulFindings &matmul : matmuls) {
    longest = std::max(longest, matmul.shape.name.size());
    for (const auto &metrics : {matmul.local, matmul.cumulative})
      if (isPlotted(metrics))
        most = std::max(most, metrics->sqnrDb);
  }
  double left = longest * kChar + 12, height = kRow * matmuls.size();
  auto x = [&](double db) {
    return left + kWidth * std::clamp(db / most, 0.0, 1.0);
  };
  double width = left + kWidth + 150, full = kTop + height + 4;
  os << llvm::format("<svg class=\"errors\" viewBox=\"0 0 %.0f %.0f\" "
                     "width=\"%.0f\" height=\"%.0f\">",
                     width, full, width, full);
  for (double db : chooseTicks(0, most, 8))
    os << llvm::format("<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" "
                       "y1=\"%.0f\" y2=\"%.0f\"/><text class=\"tick\" "
                       "x=\"%.1f\" y=\"12\" text-anchor=\"middle\">%.4g dB"
                       "</text>",
                       x(db), x(db), kTop - 4, kTop + height, x(db), db);
  for (auto [i, matmul] : llvm::enumerate(matmuls)) {
    double top = kTop + i * kRow;
    os << llvm::format("<a href=\"#m%zu\"><text class=\"name\" x=\"%.1f\" "
                       "y=\"%.1f\" text-anchor=\"end\">",
                       i, left - 6, top + 14)
       << escapeHtml(matmul.shape.name) << "</text>";
    std::string value = "float";
    double end = left;
    if (matmul.local) {
      bool isFinite = isPlotted(matmul.local);
      end = isFinite ? x(matmul.local->sqnrDb) : x(most);
      value = isFinite ? print("%.2f dB", matmul.local->sqnrDb)
              : std::isinf(matmul.local->sqnrDb) ? "exact"
                                                 : "not a number";
      os << llvm::format("<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" "
                         "width=\"%.1f\" height=\"%.0f\"/>",
                         left, top + 3, std::max(end - left, 0.5), kRow - 6);
    }
    os << "</a>";
    if (isPlotted(matmul.cumulative)) {
      double at = x(matmul.cumulative->sqnrDb);
      os << llvm::format("<line class=\"mark\" x1=\"%.1f\" x2=\"%.1f\" "
                         "y1=\"%.1f\" y2=\"%.1f\"/>",
                         at, at, top + 1, top + kRow - 1);
      end = std::max(end, at);
    }
    os << llvm::format("<text class=\"value\" x=\"%.1f\" y=\"%.1f\">", end + 6,
                       top + 14)
       << value << "</text>";
  }
  os << "</svg>";
}
