//===- TMTensor.cpp - torch-mlir's ops beside linalg ----------------------===//

#include "quant/Dialect/TMTensor/IR/TMTensor.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace quantmlir::tm_tensor;

#include "quant/Dialect/TMTensor/IR/TMTensorDialect.cpp.inc"

void TMTensorDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "quant/Dialect/TMTensor/IR/TMTensorOps.cpp.inc"
      >();
}

/// What all ops with `outs` have in common.
static LogicalResult verifyCounts(Operation *op, OperandRange inputs,
                                  OperandRange outputs, unsigned leastInputs,
                                  unsigned mostInputs, unsigned numOutputs) {
  if (inputs.size() < leastInputs || inputs.size() > mostInputs)
    return op->emitOpError("expected ")
           << leastInputs
           << (mostInputs > leastInputs ? " or " + Twine(mostInputs).str() : "")
           << " inputs, found " << inputs.size();
  if (outputs.size() != numOutputs)
    return op->emitOpError("expected ")
           << numOutputs << " outputs, found " << outputs.size();
  if (op->getResultTypes() != outputs.getTypes())
    return op->emitOpError("expected results of the types of the outputs");
  return success();
}

/// A function of two scalars of type `element`.
static LogicalResult verifyRegion(Operation *op, Region &region, Type element) {
  Block &block = region.front();
  if (block.getNumArguments() != 2 ||
      !llvm::all_of(block.getArgumentTypes(),
                    [&](Type type) { return type == element; }))
    return op->emitOpError("expected a region of two arguments of type ")
           << element;
  auto yield = dyn_cast_or_null<YieldOp>(
      block.mightHaveTerminator() ? block.getTerminator() : nullptr);
  if (!yield || yield.getNumOperands() != 1 ||
      yield.getOperand(0).getType() != element)
    return op->emitOpError("expected the region to yield one ") << element;
  return success();
}

static bool sizesDiffer(int64_t a, int64_t b) {
  return !ShapedType::isDynamic(a) && !ShapedType::isDynamic(b) && a != b;
}

static bool shapesDiffer(ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  return a.size() != b.size() || llvm::any_of(llvm::zip(a, b), [](auto sizes) {
           return sizesDiffer(std::get<0>(sizes), std::get<1>(sizes));
         });
}

LogicalResult ScanOp::verify() {
  if (failed(verifyCounts(*this, getInputs(), getOutputs(), 1, 1, 2)))
    return failure();
  auto input = cast<RankedTensorType>(getInputs()[0].getType());
  auto output = cast<RankedTensorType>(getOutputs()[0].getType());
  auto last = cast<RankedTensorType>(getOutputs()[1].getType());
  auto dimension = static_cast<int64_t>(getDimension());
  if (dimension < 0 || dimension >= input.getRank())
    return emitOpError("expected a dimension of ")
           << input << ", found " << dimension;
  auto shape = llvm::to_vector(input.getShape());
  if (shapesDiffer(shape, output.getShape()) ||
      input.getElementType() != output.getElementType())
    return emitOpError("expected an output like ")
           << input << ", found " << output;
  shape.erase(shape.begin() + dimension);
  if (shapesDiffer(shape, last.getShape()) ||
      input.getElementType() != last.getElementType())
    return emitOpError("expected the second output to be the first without "
                       "dimension ")
           << dimension << ", found " << last;
  return verifyRegion(*this, getRegion(), input.getElementType());
}

LogicalResult ScatterOp::verify() {
  if (failed(verifyCounts(*this, getInputs(), getOutputs(), 2, 2, 1)))
    return failure();
  auto updates = cast<RankedTensorType>(getInputs()[0].getType());
  auto indices = cast<RankedTensorType>(getInputs()[1].getType());
  auto original = cast<RankedTensorType>(getOutputs()[0].getType());
  ArrayRef<int64_t> dims = getDimensionMap();
  if (indices.getRank() != 2 || !indices.getElementType().isIntOrIndex() ||
      indices.getDimSize(1) != static_cast<int64_t>(dims.size()))
    return emitOpError("expected indices of integers, [n, ")
           << dims.size() << "] as the dimension map is, found " << indices;
  for (int64_t dim : dims)
    if (dim < 0 || dim >= original.getRank() || llvm::count(dims, dim) != 1)
      return emitOpError("expected the dimension map to name dimensions of ")
             << original << " once, found " << dim;
  if (updates.getElementType() != original.getElementType() ||
      updates.getRank() < 1 || updates.getRank() - 1 > original.getRank())
    return emitOpError("expected updates whose slices are part of ")
           << original << ", found " << updates;
  if (sizesDiffer(updates.getDimSize(0), indices.getDimSize(0)))
    return emitOpError("expected as many updates as indices, found ")
           << updates.getDimSize(0) << " and " << indices.getDimSize(0);
  return verifyRegion(*this, getRegion(), original.getElementType());
}

LogicalResult SortOp::verify() {
  unsigned numOutputs = std::max<unsigned>(getOutputs().size(), 1);
  if (failed(verifyCounts(*this, getInputs(), getOutputs(), 0, 0, numOutputs)))
    return failure();
  auto keys = cast<RankedTensorType>(getOutputs()[0].getType());
  auto dimension = static_cast<int64_t>(getDimension());
  if (dimension < 0 || dimension >= keys.getRank())
    return emitOpError("expected a dimension of ")
           << keys << ", found " << dimension;
  SmallVector<Type> wanted;
  for (Value output : getOutputs()) {
    auto type = cast<RankedTensorType>(output.getType());
    if (shapesDiffer(keys.getShape(), type.getShape()))
      return emitOpError("expected outputs of one shape, found ")
             << keys << " and " << type;
    wanted.append(2, type.getElementType());
  }
  Block &block = getRegion().front();
  if (!llvm::equal(block.getArgumentTypes(), wanted))
    return emitOpError("expected a region of two arguments for each output");
  auto yield = dyn_cast_or_null<YieldOp>(
      block.mightHaveTerminator() ? block.getTerminator() : nullptr);
  if (!yield || yield.getNumOperands() != 1 ||
      !yield.getOperand(0).getType().isInteger(1))
    return emitOpError("expected the region to yield one i1");
  return success();
}

/// The batch dimensions agree, and the last two are `rows` and `columns`.
static bool isMatrix(RankedTensorType type, ArrayRef<int64_t> batch,
                     int64_t rows, int64_t columns) {
  SmallVector<int64_t> shape(batch);
  shape.append({rows, columns});
  return !shapesDiffer(type.getShape(), shape);
}

static LogicalResult verifyMask(AttentionOp op, RankedTensorType mask,
                                ArrayRef<int64_t> weights, Type element) {
  if (mask.getElementType() != element && !mask.getElementType().isInteger(1))
    return op.emitOpError("expected a mask of ")
           << element << " or i1, found " << mask;
  ArrayRef<int64_t> shape = weights;
  if (mask.getRank() == 2)
    shape = shape.take_back(2);
  bool fits =
      mask.getRank() == static_cast<int64_t>(shape.size()) &&
      llvm::all_of(llvm::zip_equal(mask.getShape(), shape), [](auto sizes) {
        auto [found, wanted] = sizes;
        return found == 1 || !sizesDiffer(found, wanted);
      });
  if (!fits)
    return op.emitOpError("expected a mask of shape [")
           << weights << "] or its last two sizes, or 1, found " << mask;
  return success();
}

LogicalResult AttentionOp::verify() {
  if (failed(verifyCounts(*this, getInputs(), getOutputs(), 3, 4, 1)))
    return failure();
  auto type = [&](unsigned i) {
    return cast<RankedTensorType>(getInputs()[i].getType());
  };
  RankedTensorType q = type(0), k = type(1), v = type(2);
  auto y = cast<RankedTensorType>(getOutputs()[0].getType());
  Type element = q.getElementType();
  if (!isa<FloatType>(element) ||
      !llvm::all_of(ArrayRef<RankedTensorType>{k, v, y}, [&](auto other) {
        return other.getElementType() == element;
      }))
    return emitOpError("expected query, key, value and output of one type of "
                       "floats");
  if (q.getRank() < 3 || k.getRank() < 3 || v.getRank() < 3)
    return emitOpError("expected query, key and value with a batch, [B..., "
                       "rows, columns]");
  ArrayRef<int64_t> batch = q.getShape().drop_back(2);
  auto fromEnd = [](RankedTensorType of, int64_t i) {
    return of.getDimSize(of.getRank() - i);
  };
  int64_t m = fromEnd(q, 2), n = fromEnd(k, 2), d = fromEnd(q, 1);
  if (!isMatrix(k, batch, n, d))
    return emitOpError("expected a key of the batch and columns of the query ")
           << q << ", found " << k;
  if (!isMatrix(v, batch, n, fromEnd(v, 1)))
    return emitOpError("expected a value of the batch and rows of the key ")
           << k << ", found " << v;
  if (!isMatrix(y, batch, m, fromEnd(v, 1)))
    return emitOpError("expected an output of the query's rows and the value's "
                       "columns, found ")
           << y;
  if (getInputs().size() == 3)
    return success();
  SmallVector<int64_t> weights(batch);
  weights.append({m, n});
  return verifyMask(*this, type(3), weights, element);
}

#define GET_OP_CLASSES
#include "quant/Dialect/TMTensor/IR/TMTensorOps.cpp.inc"
