//===- PackedGroups.cpp - groups of a packed matmul: what they come with --===//
//
// The labels c6, c7, ... are the constraints of the op's docs.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/IR/PackedMatmul.h"

#include "quant/Dialect/Quant/Utils/VerifyUtils.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::qtarget;

/// What has to be absent, by name.
using NamedPresence = std::pair<StringRef, bool>;

static LogicalResult verifyAbsent(PackedMatmulOp op, StringRef why,
                                  ArrayRef<NamedPresence> all) {
  for (auto [name, isThere] : all)
    if (isThere)
      return op.emitOpError("expected no ") << name << " " << why;
  return success();
}

/// C6 without groups.
static LogicalResult verifyNoGroups(PackedMatmulOp op) {
  // packed_matmul_c6
  return verifyAbsent(op, "without groups",
                      {{"rhs_scale", bool(op.getRhsScale())},
                       {"lhs_scale", bool(op.getLhsScale())},
                       {"rhs_offset", bool(op.getRhsOffset())},
                       {"rhs_zero_point", bool(op.getRhsZeroPoint())},
                       {"rhs_sums", bool(op.getRhsSums())},
                       {"row_bias", bool(op.getRowBias())},
                       {"row_sums", bool(op.getRowSums())},
                       {"lhs_zero_point", bool(op.getLhsZeroPoint())}});
}

/// C8: what only an op without groups has.
static LogicalResult verifyGroupedResult(PackedMatmulOp op) {
  // packed_matmul_c8
  ShapedType init = getShaped(op.getInit());
  if (!isa<Float32Type, Float16Type, BFloat16Type>(init.getElementType()))
    return op.emitOpError("expected a result of f32, f16 or bf16 with groups, "
                          "but init is ")
           << init;
  return verifyAbsent(op, "with groups",
                      {{"col_bias", bool(op.getColBias())},
                       {"channel_scale", bool(op.getChannelScale())},
                       {"residual", bool(op.getResidual())},
                       {"multiplier", bool(op.getMultiplier())},
                       {"shift", bool(op.getShift())},
                       {"rounding", bool(op.getRounding())},
                       {"zero_point", bool(op.getZeroPoint())},
                       {"range", bool(op.getRange())},
                       {"clamp", op.getClampMin() || op.getClampMax()},
                       {"unsigned", op.getIsUnsigned()}});
}

/// C7: operands that stand together.
static LogicalResult verifyPairs(PackedMatmulOp op) {
  // packed_matmul_c7
  if (!op.getRowSums() != !op.getRhsOffset())
    return op.emitOpError("expected row_sums and rhs_offset together");
  if (!op.getLhsZeroPoint() != !op.getRhsSums())
    return op.emitOpError("expected lhs_zero_point and rhs_sums together");
  // packed_matmul_c5
  if (!op.getRowFactors() != !op.getColFactors())
    return op.emitOpError("expected row_factors and col_factors together, but "
                          "got only ")
           << (op.getRowFactors() ? "row_factors" : "col_factors");
  return success();
}

/// C6: shapes of what there is for each group.
static LogicalResult verifyGroupShapes(PackedMatmulOp op) {
  // packed_matmul_c6
  int64_t m = getShaped(op.getInit()).getDimSize(0);
  int64_t panels = getShaped(op.getRhs()).getDimSize(0);
  int64_t groups = op.getNumGroups(), nr = op.getNR();
  int64_t rank =
      op.getRowFactors() ? getShaped(op.getRowFactors()).getDimSize(0) : 0;
  const SmallVector<int64_t> ofColumns = {panels, groups, nr};
  const SmallVector<int64_t> ofRows = {m, groups};
  constexpr StringLiteral columns = "[N/NR, K/G, NR]", rows = "[M, K/G]";
  const std::tuple<StringRef, Value, SmallVector<int64_t>, StringRef> all[] = {
      {"rhs_scale", op.getRhsScale(), ofColumns, columns},
      {"rhs_offset", op.getRhsOffset(), ofColumns, columns},
      {"rhs_zero_point", op.getRhsZeroPoint(), ofColumns, columns},
      {"rhs_sums", op.getRhsSums(), ofColumns, columns},
      {"col_factors",
       op.getColFactors(),
       {rank, panels, groups, nr},
       "[R, N/NR, K/G, NR]"},
      {"bias", op.getBias(), {panels, nr}, "[N/NR, NR]"},
      {"lhs_scale", op.getLhsScale(), ofRows, rows},
      {"row_bias", op.getRowBias(), ofRows, rows},
      {"row_sums", op.getRowSums(), ofRows, rows},
      {"row_factors", op.getRowFactors(), {rank, m, groups}, "[R, M, K/G]"}};
  auto isForAll = [&](Value value) {
    return value == op.getRhsZeroPoint() && op.hasFloatLhs() &&
           getShaped(value).getRank() == 0;
  };
  for (const auto &[name, value, shape, why] : all)
    if (value && !isForAll(value) &&
        failed(verifyShape(op, name, getShaped(value), shape, why)))
      return failure();
  if (ShapedType::isDynamic(rank))
    return op.emitOpError("expected row_factors of [R, M, K/G] with static R, "
                          "but got ")
           << getShaped(op.getRowFactors());
  for (auto [name, value] :
       {std::make_pair("row_scale", op.getRowScale()),
        std::make_pair("lhs_zero_point", op.getLhsZeroPoint())})
    if (value && failed(verifyScalarOrShape(op, name, getShaped(value), {m},
                                            "[M] of init")))
      return failure();
  return success();
}

LogicalResult quantmlir::qtarget::verifyGroups(PackedMatmulOp op) {
  if (failed(verifyPairs(op)))
    return failure();
  if (!op.isGrouped())
    return verifyNoGroups(op);
  // packed_matmul_c6
  if (!op.getRhsScale())
    return op.emitOpError("expected a rhs_scale with groups");
  if (failed(verifyGroupedResult(op)))
    return failure();
  return verifyGroupShapes(op);
}
