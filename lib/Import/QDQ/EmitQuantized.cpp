//===- EmitQuantized.cpp - quant.quantize of an element -------------------===//

#include "StoredTensors.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Import/Elements/EmitElement.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace quantmlir;

/// Constant parameters over the dimensions that they vary along, or computed
/// ones.
static std::optional<ElementParameters>
emitQuantizeParameters(const ElementSite &site,
                       const QuantizedElement &quantized) {
  OpBuilder &builder = site.builder;
  StoredElement as{quantized.input};
  if (quantized.scale)
    as.factors.push_back({quantized.scale, /*isDivisor=*/false});
  as.zeros = quantized.zeros;
  std::optional<ConstantParameters> constants =
      evaluateParameters(site.elements, as);
  if (!constants)
    return emitRunTimeParameters(site, quantized.scale, quantized.zeros);
  ElementParameters parameters;
  SmallVector<int64_t> shape;
  for (auto [dim, step] : llvm::enumerate(constants->steps)) {
    if (step > 1)
      return std::nullopt;
    if (step == 0)
      continue;
    parameters.dims.push_back(dim);
    shape.push_back(constants->grid.sizes[dim]);
  }
  if (!llvm::all_of(constants->scales, [](float scale) { return scale > 0; }))
    return std::nullopt;
  auto type = RankedTensorType::get(shape, builder.getF32Type());
  parameters.scale = arith::ConstantOp::create(
      builder, site.loc, makeFloatTensorAttr(type, constants->scales));
  if (!constants->hasZeros())
    return parameters;
  if (!llvm::all_of(constants->zeros, [&](int64_t zero) {
        return zero >= quantized.min && zero <= quantized.max;
      }))
    return std::nullopt;
  std::vector<int32_t> zeros(constants->zeros.begin(), constants->zeros.end());
  parameters.zeroPoint = arith::ConstantOp::create(
      builder, site.loc,
      makeI32TensorAttr(type.clone(builder.getI32Type()), zeros));
  return parameters;
}

std::optional<ElementParameters> quantmlir::emitScale(const ElementSite &site,
                                                      const Element *factor) {
  return emitQuantizeParameters(site, {factor, factor, {}, 0, 1});
}

Value quantmlir::emitQuantized(const ElementSite &site, const Element *element,
                               const QuantizedElement &quantized) {
  OpBuilder &builder = site.builder;
  // The range says how the bits are to be read; either way where both do.
  bool isUnsigned = quantized.max > 127;
  unsigned bits = element->type.isInteger(4) ? 4 : 8;
  if (bits == 4)
    isUnsigned = quantized.max > 7;
  Storage storage{bits, isUnsigned, 0};
  if (!storage.holds(quantized.min, quantized.max))
    return {};
  std::optional<ElementParameters> parameters =
      emitQuantizeParameters(site, quantized);
  if (!parameters)
    return {};
  if (!parameters->scale)
    parameters->scale = arith::ConstantOp::create(
        builder, site.loc,
        makeFloatTensorAttr(RankedTensorType::get({}, builder.getF32Type()),
                            {1.0f}));
  const Element *input = quantized.input;
  if (input->is(ElementOpcode::ExtF))
    input = input->operands[0];
  if (!isa<Float32Type, Float16Type, BFloat16Type>(input->type))
    return {};
  SmallVector<int64_t> dims =
      llvm::to_vector(llvm::seq<int64_t>(0, site.sizes.size()));
  Value floats = emitElement(builder, site.loc, input, dims, site.sizes);
  if (!floats)
    return {};
  auto type = cast<RankedTensorType>(floats.getType());
  return QuantizeOp::create(
      builder, site.loc, type.clone(builder.getIntegerType(bits)), floats,
      parameters->scale, parameters->zeroPoint,
      builder.getDenseI64ArrayAttr(parameters->dims),
      builder.getDenseI64ArrayAttr({quantized.min, quantized.max}),
      isUnsigned ? builder.getUnitAttr() : UnitAttr());
}
