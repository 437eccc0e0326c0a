//===- ProductSummary.cpp - what became of products, counted --------------===//

#include "quant/Runtime/Report/ProductSummary.h"

#include "quant/Dialect/Quant/Utils/LeftReason.h"
#include "quant/Import/Contraction/NamedMatmuls.h"
#include "quant/Import/ProductAccount.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace quantmlir;

static const char *getOutcome(AccountKind kind) {
  switch (kind) {
  case AccountKind::LeftFloat:
    return "float";
  case AccountKind::LeftInteger:
    return "integer";
  case AccountKind::SchemeDropped:
    return "activations-float";
  case AccountKind::SchemePartly:
    return "scheme-partly";
  case AccountKind::EveryCall:
    return "every-call";
  }
  llvm_unreachable("all kinds are listed");
}

StringRef ProductSummary::Line::getText() const {
  if (outcome == "float")
    return "stays in float";
  if (outcome == "integer")
    return "stays as it is, in integers";
  if (outcome == "activations-float")
    return "has float activations";
  if (outcome == "scheme-partly")
    return "is quantized by a part of the scheme";
  if (outcome == "every-call")
    return "is quantized in every call";
  return "takes the slow portable lowering";
}

static ProductSummary::Line &findLine(std::vector<ProductSummary::Line> &lines,
                                      StringRef outcome, StringRef reason,
                                      bool asAsked) {
  for (ProductSummary::Line &line : lines)
    if (line.outcome == outcome && line.reason == reason &&
        line.asAsked == asAsked)
      return line;
  ProductSummary::Line line;
  line.outcome = outcome.str();
  line.reason = reason.str();
  line.asAsked = asAsked;
  lines.push_back(std::move(line));
  return lines.back();
}

ProductSummary ProductSummary::of(const ProductAccount &account) {
  ProductSummary summary;
  summary.numInteger = account.numInteger;
  summary.numLeft = account.getNumLeft();
  for (const AccountEntry &entry : account.entries) {
    Line &line = findLine(summary.lines, getOutcome(entry.kind), entry.reason,
                          entry.asAsked);
    ++line.count;
    line.locations.push_back(printLocation(entry.location));
    summary.numConvolutions += entry.isConvolution;
    if (entry.kind == AccountKind::LeftFloat && !entry.isConvolution)
      ++(entry.hasWeight ? summary.numFloatWithWeight
                         : summary.numFloatActivations);
  }
  return summary;
}

void ProductSummary::addPortable(ModuleOp module) {
  auto counts = dyn_cast_or_null<DictionaryAttr>(
      module->getDiscardableAttr(kPortableAttr));
  if (!counts)
    return;
  for (NamedAttribute entry : counts) {
    auto count = dyn_cast<IntegerAttr>(entry.getValue());
    if (!count)
      continue;
    findLine(lines, "portable", entry.getName(), /*asAsked=*/false).count +=
        count.getInt();
  }
}

void quantmlir::printProducts(const ProductSummary &summary,
                              llvm::raw_ostream &os) {
  for (const ProductSummary::Line &line : summary.lines)
    os << "  " << line.count << " x " << line.getText() << ": " << line.reason
       << "\n";
  os << "products: " << summary.numInteger << " in integers + "
     << summary.numLeft
     << " left with reason = " << summary.numInteger + summary.numLeft << "\n";
}
