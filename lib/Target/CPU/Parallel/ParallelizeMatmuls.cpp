//===- ParallelizeMatmuls.cpp - columns of a matmul over threads ----------===//
//
// A packed matmul on some panels of columns is a packed matmul: its operands
// are views of the panels of the weight, of the vectors over columns, and of
// the columns of the result. So threads are a step of their own, before the
// kernels are emitted, and no kernel knows of them. Columns, not rows, are
// divided: each thread then reads its part of the weight and nobody else's, and
// the rows of the left operand, which all read, are few or in everybody's L2.
//
// What a matmul takes is what its multiply-adds take, or, of few rows, what
// reading its weight takes: either makes threads worth waking.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Target/CPU/Passes.h"
#include "quant/Target/IR/PackedMatmul.h"
#include "llvm/Support/MathExtras.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTPARALLELIZEMATMULSPASS
#include "quant/Target/CPU/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

/// Panels are dealt out in pairs: a block of tiles has two.
static constexpr int64_t kPanelMultiple = 2;

namespace {

/// An operand and its dimension of panels.
struct PanelOperand {
  Value value;
  int64_t dim;
};

/// A packed matmul as far as dividing it goes.
struct Packed {
  Operation *op;
  Value lhs, rhs, init;
  /// What else has the result's columns, or null.
  Value residual;
  /// The weight and what else is packed in panels of columns.
  SmallVector<PanelOperand> panels;
  /// Lanes of a panel.
  int64_t lanes;
  /// Of its kernel, in those of vectors.
  int64_t speed = 1;
};

} // namespace

static std::optional<Packed> describe(Operation *op) {
  Packed packed{op, {}, {}, {}, {}, {}, 0, 1};
  auto add = [&](Value value, int64_t dim) {
    // A scalar is the same in all panels.
    if (value && cast<ShapedType>(value.getType()).getRank() > dim)
      packed.panels.push_back({value, dim});
  };
  auto matmul = dyn_cast<qtarget::PackedMatmulOp>(op);
  if (!matmul)
    return std::nullopt;
  packed.lhs = matmul.getLhs();
  packed.rhs = matmul.getRhs();
  packed.init = matmul.getInit();
  packed.residual = matmul.getResidual();
  add(matmul.getRhs(), 0);
  for (Value value : matmul.getColumnVectors())
    add(value, 0);
  add(matmul.getColFactors(), 1);
  packed.lanes = matmul.getNR();
  packed.speed = matmul.getKernel().getRow().speed;
  if (!isa<MemRefType>(packed.init.getType()))
    return std::nullopt;
  return packed;
}

namespace {

class Parallelizer {
public:
  Parallelizer(RewriterBase &b, int64_t threads, int64_t minMacs,
               int64_t minBytes)
      : b(b), threads(threads), minMacs(minMacs), minBytes(minBytes) {}

  /// False if `packed` is too small.
  bool divide(const Packed &packed);

private:
  Value index(int64_t v) { return arith::ConstantIndexOp::create(b, loc, v); }
  OpFoldResult size(Value value, int64_t dim) {
    return memref::getMixedSize(b, loc, value, dim);
  }
  Value asValue(OpFoldResult v) {
    return getValueOrCreateConstantIndexOp(b, loc, v);
  }
  /// Multiply-adds, each of the weight's elements once a row.
  OpFoldResult countMacs(const Packed &packed);
  /// Panels [first, first + count) of the op, in place of it.
  void emitPart(const Packed &packed, Value thread, OpFoldResult share,
                bool isExact);
  void emitForall(const Packed &packed);

  RewriterBase &b;
  Location loc = UnknownLoc::get(b.getContext());
  int64_t threads, minMacs, minBytes;
};

} // namespace

static bool isKnown(OpFoldResult v, int64_t &value) {
  std::optional<int64_t> constant = getConstantIntValue(v);
  if (constant)
    value = *constant;
  return constant.has_value();
}

/// Whether a weight of known sizes has that many bytes.
static bool hasWeightBytes(const Packed &packed, int64_t bytes) {
  auto type = cast<MemRefType>(packed.rhs.getType());
  int64_t elementBytes = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  int64_t elements = llvm::divideCeil(bytes, elementBytes);
  return type.hasStaticShape() && type.getNumElements() >= elements;
}

OpFoldResult Parallelizer::countMacs(const Packed &packed) {
  auto type = cast<MemRefType>(packed.rhs.getType());
  SmallVector<OpFoldResult> factors = {size(packed.init, 0)};
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    factors.push_back(size(packed.rhs, dim));
  int64_t product = 1, value;
  Value dynamic;
  for (OpFoldResult factor : factors) {
    if (isKnown(factor, value))
      product *= value;
    else
      dynamic = dynamic
                    ? arith::MulIOp::create(b, loc, dynamic, asValue(factor))
                          .getResult()
                    : asValue(factor);
  }
  if (!dynamic)
    return b.getIndexAttr(product);
  return arith::MulIOp::create(b, loc, dynamic, index(product)).getResult();
}

void Parallelizer::emitPart(const Packed &packed, Value thread,
                            OpFoldResult share, bool isExact) {
  auto view = [&](Value value, int64_t dim, OpFoldResult offset,
                  OpFoldResult count) -> Value {
    int64_t rank = cast<MemRefType>(value.getType()).getRank();
    SmallVector<OpFoldResult> offsets(rank, b.getIndexAttr(0)),
        sizes = memref::getMixedSizes(b, loc, value),
        strides(rank, b.getIndexAttr(1));
    offsets[dim] = offset;
    sizes[dim] = count;
    return memref::SubViewOp::create(b, loc, value, offsets, sizes, strides);
  };
  Value first = arith::MulIOp::create(b, loc, thread, asValue(share));
  Value firstColumn = arith::MulIOp::create(b, loc, first, index(packed.lanes));
  OpFoldResult count = share, columns;
  if (isExact) {
    columns = b.getIndexAttr(*getConstantIntValue(share) * packed.lanes);
  } else {
    Value left =
        arith::SubIOp::create(b, loc, asValue(size(packed.rhs, 0)), first);
    count = arith::MinUIOp::create(b, loc, asValue(share), left).getResult();
    Value columnsLeft = arith::SubIOp::create(
        b, loc, asValue(size(packed.init, 1)), firstColumn);
    Value most =
        arith::MulIOp::create(b, loc, asValue(count), index(packed.lanes));
    columns = arith::MinUIOp::create(b, loc, most, columnsLeft).getResult();
  }
  IRMapping mapping;
  for (const PanelOperand &operand : packed.panels)
    mapping.map(operand.value, view(operand.value, operand.dim, first, count));
  mapping.map(packed.init, view(packed.init, 1, firstColumn, columns));
  if (packed.residual)
    mapping.map(packed.residual,
                view(packed.residual, 1, firstColumn, columns));
  b.clone(*packed.op, mapping);
}

/// One iteration a thread. Where panels cannot be divided into equal shares,
/// the last thread, and only it, has fewer, or none.
void Parallelizer::emitForall(const Packed &packed) {
  int64_t panels, columns;
  OpFoldResult share;
  bool isExact = false;
  int64_t parts = threads;
  if (isKnown(size(packed.rhs, 0), panels)) {
    int64_t each = llvm::alignTo(llvm::divideCeil(panels, threads),
                                 std::min(kPanelMultiple, panels));
    parts = llvm::divideCeil(panels, each);
    share = b.getIndexAttr(each);
    isExact = panels % each == 0 && isKnown(size(packed.init, 1), columns) &&
              columns == panels * packed.lanes;
  } else {
    share = arith::CeilDivUIOp::create(b, loc, asValue(size(packed.rhs, 0)),
                                       index(threads))
                .getResult();
  }
  auto loop = scf::ForallOp::create(
      b, loc, ArrayRef<OpFoldResult>{b.getIndexAttr(parts)}, ValueRange(),
      /*mapping=*/std::nullopt);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value thread = loop.getInductionVar(0);
  if (!ShapedType::isDynamic(
          cast<MemRefType>(packed.rhs.getType()).getDimSize(0)))
    return emitPart(packed, thread, share, isExact);
  // Fewer panels than threads: some have none.
  Value first = arith::MulIOp::create(b, loc, thread, asValue(share));
  Value some = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, first,
                                     asValue(size(packed.rhs, 0)));
  auto branch = scf::IfOp::create(b, loc, some, /*withElseRegion=*/false);
  b.setInsertionPointToStart(branch.thenBlock());
  emitPart(packed, thread, share, isExact);
}

bool Parallelizer::divide(const Packed &packed) {
  loc = packed.op->getLoc();
  int64_t macs;
  auto type = cast<MemRefType>(packed.rhs.getType());
  if (!type.isDynamicDim(0) && type.getDimSize(0) < 2)
    return false;
  b.setInsertionPoint(packed.op);
  if (hasWeightBytes(packed, minBytes)) {
    emitForall(packed);
    b.eraseOp(packed.op);
    return true;
  }
  OpFoldResult count = countMacs(packed);
  if (isKnown(count, macs)) {
    if (macs < minMacs * packed.speed)
      return false;
    emitForall(packed);
  } else {
    Value pays =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge, asValue(count),
                              index(minMacs * packed.speed));
    auto branch = scf::IfOp::create(b, loc, pays, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    emitForall(packed);
    b.setInsertionPointToStart(branch.elseBlock());
    b.clone(*packed.op);
  }
  b.eraseOp(packed.op);
  return true;
}

namespace {

struct QuantParallelizeMatmulsPass
    : quantmlir::impl::QuantParallelizeMatmulsPassBase<
          QuantParallelizeMatmulsPass> {
  using Base::Base;

  void runOnOperation() override {
    if (threads < 2)
      return;
    SmallVector<Packed> found;
    getOperation()->walk([&](Operation *op) {
      if (std::optional<Packed> packed = describe(op))
        found.push_back(std::move(*packed));
    });
    IRRewriter rewriter(&getContext());
    Parallelizer parallelizer(rewriter, threads, minMacs, minBytes);
    for (const Packed &packed : found) {
      if (parallelizer.divide(packed))
        ++numDivided;
    }
  }
};

} // namespace
