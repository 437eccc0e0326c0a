//===- ProgramFacts.cpp - what a program holds and does -------------------===//

#include "quant/Runtime/Report/ProgramFacts.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/MathExtras.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Import/Contraction/ContractionMatcher.h"

using namespace mlir;
using namespace quantmlir;

/// Smaller constants are parameters (scales, biases of small layers) and do not
/// count among all constants, unless a matmul says that they are its weight.
static constexpr int64_t kMinConstantElements = 257;

/// Stored bytes of a tensor. 4-bit elements count as packed, as they are stored
/// before anything unpacks them.
static int64_t getStoredBytes(ElementsAttr constant) {
  ShapedType type = constant.getShapedType();
  if (!type.hasStaticShape() || !type.getElementType().isIntOrFloat())
    return 0;
  return llvm::divideCeil(type.getNumElements() * type.getElementTypeBitWidth(),
                          8);
}

/// Whether a constant counts among all constants: fills and parameters do not.
static bool isLargeConstant(ElementsAttr constant) {
  auto dense = dyn_cast<DenseElementsAttr>(constant);
  return constant.getNumElements() >= kMinConstantElements &&
         !(dense && dense.isSplat());
}

namespace {

/// Sums while it walks.
class FactsCollector {
public:
  ProgramFacts facts;

  void visit(Operation *op) {
    ElementsAttr constant;
    if (matchPattern(op, m_Constant(&constant)) && !op->use_empty() &&
        isLargeConstant(constant) && constants.insert(constant).second)
      facts.constantBytes += getStoredBytes(constant);
    if (auto matmul = dyn_cast<MatmulOp>(op))
      return visitMatmul(matmul);
    if (auto matmul = dyn_cast<ScaledMatmulOp>(op))
      return visitMatmul(matmul);
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
      visitLinalg(linalgOp);
  }

private:
  template <typename OpT>
  void visitMatmul(OpT op) {
    ++facts.numIntegerMatmuls;
    addMacs({op.getResult().getType().getShape(), op.getK()});
    addWeight(op.getLhs());
    addWeight(op.getRhs());
  }

  void visitLinalg(linalg::LinalgOp op) {
    if (op.getNumReductionLoops() == 0)
      return;
    std::string reason;
    FailureOr<Contraction> contraction = matchContraction(op, reason);
    bool isConvolution = failed(contraction) &&
                         linalg::isaConvolutionOpInterface(op) &&
                         op.getNumDpsInputs() >= 2;
    if (failed(contraction) && !isConvolution)
      return;
    bool isFloat = isa<FloatType>(
        getElementTypeOrSelf(op.getDpsInits().front().getType()));
    ++(isConvolution ? facts.numConvolutions
       : isFloat     ? facts.numFloatMatmuls
                     : facts.numIntegerMatmuls);
    addMacs({op.getStaticLoopRanges(), 1});
    if (isConvolution)
      return addWeight(op.getDpsInputs()[1]);
    addWeight(traceMovement(contraction->lhs).value);
    addWeight(traceMovement(contraction->rhs).value);
  }

  /// Sizes of a loop nest, and one more.
  struct Sizes {
    SmallVector<int64_t> loops;
    int64_t inner;
    Sizes(ArrayRef<int64_t> loops, int64_t inner)
        : loops(loops), inner(inner) {}
  };

  void addMacs(Sizes sizes) {
    sizes.loops.push_back(sizes.inner);
    int64_t product = 1;
    for (int64_t size : sizes.loops)
      if (ShapedType::isDynamic(size) ||
          llvm::MulOverflow(product, size, product)) {
        facts.macs.reset();
        return;
      }
    if (facts.macs)
      *facts.macs += product;
  }

  /// Looks through what unpacks or moves a constant.
  void addWeight(Value value) {
    while (Operation *op = value.getDefiningOp()) {
      ElementsAttr constant;
      if (matchPattern(op, m_Constant(&constant))) {
        if (weights.insert(constant).second)
          facts.matmulWeightBytes += getStoredBytes(constant);
        return;
      }
      if (!isa<UnpackInt4Op, UnpackInt2Op, QuantizeOp, DequantizeOp>(op) &&
          !isa<linalg::TransposeOp>(op) &&
          op->getName().getDialectNamespace() != "tensor")
        return;
      if (op->getNumOperands() == 0)
        return;
      value = op->getOperand(0);
    }
  }

  llvm::DenseSet<Attribute> constants, weights;
};

} // namespace

ProgramFacts quantmlir::getProgramFacts(ModuleOp module) {
  FactsCollector collector;
  module.walk([&](Operation *op) { collector.visit(op); });
  return collector.facts;
}
