//===- DropUnitLoops.cpp - loops of one step ------------------------------===//

#include "quant/Import/Contraction/DropUnitLoops.h"

#include "quant/Import/Contraction/ContractionMatcher.h"

#include "mlir/Dialect/Linalg/Transforms/Transforms.h"

using namespace mlir;
using namespace quantmlir;

void quantmlir::dropLoops(RewriterBase &rewriter, Operation *product,
                          ArrayRef<int64_t> loops) {
  auto generic = dyn_cast<linalg::GenericOp>(product);
  if (!generic)
    return;
  linalg::ControlDropUnitDims options;
  options.controlFn = [&](Operation *) {
    return SmallVector<unsigned>(loops.begin(), loops.end());
  };
  DictionaryAttr attributes = generic->getDiscardableAttrDictionary();
  rewriter.setInsertionPoint(generic);
  FailureOr<linalg::DropUnitDimsResult> dropped =
      linalg::dropUnitDims(rewriter, generic, options);
  if (failed(dropped))
    return;
  dropped->resultOp->setDiscardableAttrs(attributes);
  rewriter.replaceOp(generic, dropped->replacements);
}

/// Whether every tensor that `loop` walks is known to have one step of it.
static bool isUnitEverywhere(const Contraction &c, int64_t loop) {
  for (const LoopTensor *tensor : {&c.lhs, &c.rhs, &c.init})
    for (auto [dim, walked] : llvm::enumerate(tensor->loops))
      if (walked == loop && tensor->getType().getDimSize(dim) != 1)
        return false;
  return true;
}

void quantmlir::dropUnitLoops(Operation *root) {
  SmallVector<linalg::GenericOp> products;
  root->walk([&](linalg::GenericOp op) {
    if (op.getNumReductionLoops() != 0)
      products.push_back(op);
  });
  IRRewriter rewriter(root->getContext());
  for (linalg::GenericOp op : products) {
    std::string reason;
    FailureOr<Contraction> c = matchContraction(op, reason);
    if (failed(c))
      continue;
    SmallVector<int64_t> sizes = op.getStaticLoopRanges(), dropped;
    for (const auto &[own, tensor] :
         {std::pair(&c->m, &c->lhs), std::pair(&c->n, &c->rhs)}) {
      auto isLong = [&](int64_t loop) { return sizes[loop] != 1; };
      if (!llvm::any_of(*own, isLong))
        continue;
      // One that the stored tensor has is merged with the others later.
      LoopTensor stored = traceMovement(*tensor);
      llvm::copy_if(*own, std::back_inserter(dropped), [&](int64_t loop) {
        return !llvm::is_contained(stored.loops, loop) &&
               isUnitEverywhere(*c, loop);
      });
    }
    if (!dropped.empty())
      dropLoops(rewriter, op, dropped);
  }
}
