//===- SvgPlot.h - small plots inside a page --------------------*- C++ -*-===//
//
// Plots as inline SVG, styled by the classes of the page that holds them.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_LIB_RUNTIME_REPORT_SVGPLOT_H
#define QUANT_LIB_RUNTIME_REPORT_SVGPLOT_H

#include "quant/Runtime/Search/MatmulStudy.h"

#include "llvm/Support/raw_ostream.h"

namespace quantmlir {

/// `text` with the characters that HTML gives a meaning replaced.
std::string escapeHtml(llvm::StringRef text);

/// A bar for each matmul's own error, with its name and its value, and a mark
/// for the cumulative one, in dB. Bars link to `#mI`.
void plotErrors(llvm::ArrayRef<MatmulFindings> matmuls, llvm::raw_ostream &os);

/// Activations, counts on a logarithmic axis; clipped ranges shaded, grid lines
/// where they are far enough apart.
void plotActivations(const MatmulFindings &matmul, llvm::raw_ostream &os);

/// The weight in steps of its scale, over its stored range.
void plotWeights(const MatmulFindings &matmul, llvm::raw_ostream &os);

} // namespace quantmlir

#endif // QUANT_LIB_RUNTIME_REPORT_SVGPLOT_H
