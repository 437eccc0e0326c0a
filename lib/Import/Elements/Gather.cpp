//===- Gather.cpp - elements of one dimension in another order ------------===//

#include "quant/Import/Elements/Gather.h"

#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Import/Elements/Element.h"
#include "quant/Import/Elements/Evaluate.h"
#include "quant/Import/QDQ/StoredElement.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cstring>

using namespace mlir;
using namespace quantmlir;

Value quantmlir::emitGather(OpBuilder &builder, Location loc,
                            const GatheredTensor &gather) {
  auto type = cast<RankedTensorType>(gather.source.getType());
  int64_t rank = type.getRank(), size = gather.indices.size();
  auto indexType = RankedTensorType::get({size}, builder.getI64Type());
  ElementsAttr indices =
      makeTensorAttr(indexType, "quant_order", [&](MutableArrayRef<char> out) {
        std::memcpy(out.data(), gather.indices.data(), out.size());
      });
  Value order = arith::ConstantOp::create(builder, loc, indices);
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(builder, loc, gather.source);
  sizes[gather.dim] = builder.getIndexAttr(size);
  Value empty =
      tensor::EmptyOp::create(builder, loc, sizes, type.getElementType());
  SmallVector<AffineMap> maps{
      AffineMap::get(rank, 0, builder.getAffineDimExpr(gather.dim)),
      builder.getMultiDimIdentityMap(rank)};
  SmallVector<utils::IteratorType> kinds(rank, utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, loc, TypeRange{empty.getType()}, order, empty, maps,
             kinds,
             [&](OpBuilder &b, Location l, ValueRange args) {
               SmallVector<Value> at;
               for (int64_t dim = 0; dim < rank; ++dim)
                 at.push_back(dim == gather.dim
                                  ? Value(arith::IndexCastOp::create(
                                        b, l, b.getIndexType(), args[0]))
                                  : Value(linalg::IndexOp::create(b, l, dim)));
               Value element =
                   tensor::ExtractOp::create(b, l, gather.source, at);
               linalg::YieldOp::create(b, l, element);
             })
      .getResult(0);
}

std::optional<GatheredTensor> quantmlir::matchGather(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type)
    return std::nullopt;
  Elements elements(value.getContext(), type.getShape());
  const Element *gather = elements.expand(elements.getRoot(value));
  if (!gather || gather->kind != Element::Kind::Gather ||
      static_cast<int64_t>(gather->operands.size()) != type.getRank())
    return std::nullopt;
  GatheredTensor result{gather->value, -1, {}};
  for (auto [dim, index] : llvm::enumerate(gather->operands)) {
    auto own = getAffineDimExpr(dim, value.getContext());
    bool isOwn = index->kind == Element::Kind::Index &&
                 (index->indices.front() == own ||
                  (type.getDimSize(dim) == 1 &&
                   isa<AffineConstantExpr>(index->indices.front())));
    if (isOwn)
      continue;
    if (result.dim >= 0 || type.isDynamicDim(dim) ||
        !isConstantElement(elements, index))
      return std::nullopt;
    result.dim = dim;
    ElementGrid grid;
    for (int64_t other = 0; other < type.getRank(); ++other) {
      grid.sizes.push_back(
          other == static_cast<int64_t>(dim) ? type.getDimSize(dim) : 1);
      grid.steps.push_back(1);
    }
    for (double at : evaluateAll(elements, index, grid))
      result.indices.push_back(static_cast<int64_t>(at));
    // Along the other dimensions it must not vary.
    if (getDependence(elements, index).count() > 1)
      return std::nullopt;
  }
  if (result.dim < 0)
    return std::nullopt;
  return result;
}
