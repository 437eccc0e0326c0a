//===- FoldConstants.cpp - weights that are computed from constants -------===//
//
// A slice, a concatenation, a scaled or a gathered piece of constants is one
// itself. What stands between a constant and a product is evaluated once, when
// the program is compiled; mere movement is left to those who look through it.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/QDQ/ConvertQDQ.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Import/Contraction/ContractionMatcher.h"
#include "quant/Import/Contraction/MatmulEmitter.h"
#include "quant/Import/Elements/Evaluate.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mlir;
using namespace quantmlir;

/// Whether constants of `type` can be made.
static bool isFoldable(RankedTensorType type) {
  Type element = type.getElementType();
  bool isNumber = isa<Float32Type, Float16Type, BFloat16Type>(element) ||
                  element.isInteger(4) || element.isInteger(8) ||
                  element.isInteger(16) || element.isInteger(32) ||
                  element.isInteger(64);
  return isNumber && type.hasStaticShape() && type.getNumElements() > 0 &&
         type.getNumElements() <= kMaxSplatElements;
}

/// The integers of `root` as a constant of `type`.
static ElementsAttr evaluateInts(Elements &elements, const Element *root,
                                 RankedTensorType type) {
  unsigned bits = type.getElementTypeBitWidth();
  int64_t width = llvm::divideCeil(bits, 8);
  return makeTensorAttr(type, "quant_const", [&](MutableArrayRef<char> out) {
    evaluateIntegers(elements, root, ElementGrid::all(type.getShape()),
                     [&](int64_t first, ArrayRef<int64_t> block) {
                       for (auto [i, number] : llvm::enumerate(block)) {
                         uint64_t word = static_cast<uint64_t>(number) &
                                         llvm::maskTrailingOnes<uint64_t>(bits);
                         std::memcpy(out.data() + (first + i) * width, &word,
                                     width);
                       }
                     });
  });
}

void quantmlir::foldConstant(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  Operation *op = value.getDefiningOp();
  if (!type || !op || !isFoldable(type))
    return;
  LoopTensor traced{value,
                    llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()))};
  traced = traceMovement(traced);
  if (traced.isConstant() || traced.value.getDefiningOp<DequantizeOp>() ||
      !traced.value.getDefiningOp())
    return;
  value = traced.value;
  type = traced.getType();
  op = value.getDefiningOp();
  Elements elements(value.getContext(), type.getShape());
  const Element *root = elements.getRoot(value);
  if (!isFoldable(type) || !isConstantElement(elements, root))
    return;
  ElementsAttr attr;
  if (isa<FloatType>(type.getElementType())) {
    std::vector<float> values(type.getNumElements());
    evaluateFloats(elements, root, ElementGrid::all(type.getShape()),
                   [&](int64_t first, ArrayRef<double> block) {
                     llvm::copy(block, values.begin() + first);
                   });
    attr = makeFloatTensorAttr(type, values);
  } else {
    attr = evaluateInts(elements, root, type);
  }
  OpBuilder builder(op);
  value.replaceAllUsesWith(
      arith::ConstantOp::create(builder, op->getLoc(), attr));
  eraseDeadChain(op);
}

/// The same for the operand of a product.
static void foldOperand(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type)
    return;
  // Widened integers are read by what they were widened from.
  auto integer = dyn_cast<IntegerType>(type.getElementType());
  if (isa<FloatType>(type.getElementType()) ||
      (integer && integer.getWidth() <= 8))
    foldConstant(value);
}

void quantmlir::foldConstantOperands(Operation *root) {
  SmallVector<OpOperand *> operands;
  root->walk([&](Operation *op) {
    auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
    if ((linalgOp && linalgOp.getNumReductionLoops() != 0) ||
        isa<QuantizeOp, ChooseQParamsOp>(op))
      for (OpOperand &operand : op->getOpOperands())
        if (!linalgOp || linalgOp.isDpsInput(&operand))
          operands.push_back(&operand);
  });
  for (OpOperand *operand : operands)
    foldOperand(operand->get());
}
