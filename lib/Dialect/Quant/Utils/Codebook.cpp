//===- Codebook.cpp - integers that four bits number ----------------------===//

#include "quant/Dialect/Quant/Utils/Codebook.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quantmlir;

Value quantmlir::constantCodes(OpBuilder &b, Location loc,
                               ArrayRef<int32_t> codes) {
  auto type = RankedTensorType::get({static_cast<int64_t>(codes.size())},
                                    b.getI32Type());
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, codes));
}

Value quantmlir::lookUpCode(OpBuilder &b, Location loc, Value codes,
                            Value stored) {
  Value at = arith::IndexCastUIOp::create(b, loc, b.getIndexType(), stored);
  return tensor::ExtractOp::create(b, loc, codes, at);
}
