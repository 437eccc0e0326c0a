//===- InstrumentMatmuls.cpp - show tensors to the host -------------------===//
//
// The calls stand on tensors, where matmuls still have names and values have
// meaning, and go through bufferization with everything else. An unranked
// argument takes every shape and every layout, so that one function serves all.
//
//===----------------------------------------------------------------------===//

#include "quant/Instrument/InstrumentMatmuls.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTINSTRUMENTMATMULSPASS
#include "quant/Instrument/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

static func::FuncOp declareObserver(ModuleOp module) {
  if (auto function = module.lookupSymbol<func::FuncOp>(kObserveFunction))
    return function;
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  auto tensor = UnrankedTensorType::get(builder.getF32Type());
  auto function = func::FuncOp::create(
      builder, module.getLoc(), kObserveFunction,
      builder.getFunctionType({builder.getI64Type(), tensor}, {}));
  function.setPrivate();
  function.setArgAttr(1, "bufferization.access", builder.getStringAttr("read"));
  return function;
}

/// `tensor` with elements of f32.
static Value widen(OpBuilder &builder, Location loc, Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (type.getElementType().isF32())
    return tensor;
  Value empty = tensor::EmptyOp::create(
      builder, loc, tensor::getMixedSizes(builder, loc, tensor),
      builder.getF32Type());
  AffineMap identity = builder.getMultiDimIdentityMap(type.getRank());
  SmallVector<utils::IteratorType> loops(type.getRank(),
                                         utils::IteratorType::parallel);
  bool isWider = type.getElementTypeBitWidth() > 32;
  return linalg::GenericOp::create(
             builder, loc, empty.getType(), tensor, empty,
             ArrayRef<AffineMap>{identity, identity}, loops,
             [&](OpBuilder &body, Location bodyLoc, ValueRange args) {
               Type f32 = body.getF32Type();
               Value x =
                   isWider
                       ? arith::TruncFOp::create(body, bodyLoc, f32, args[0])
                             .getResult()
                       : arith::ExtFOp::create(body, bodyLoc, f32, args[0])
                             .getResult();
               linalg::YieldOp::create(body, bodyLoc, x);
             })
      .getResult(0);
}

void quantmlir::insertObservation(OpBuilder &builder, Location loc,
                                  Value tensor, int64_t id) {
  Operation *parent = builder.getInsertionBlock()->getParentOp();
  auto module = parent->getParentOfType<ModuleOp>();
  func::FuncOp observer = declareObserver(module);
  Value widened = widen(builder, loc, tensor);
  Value shown = tensor::CastOp::create(builder, loc,
                                       observer.getArgumentTypes()[1], widened);
  Value number = arith::ConstantIntOp::create(builder, loc, id, 64);
  func::CallOp::create(builder, loc, observer, ValueRange{number, shown});
}

/// The dimensions of the activations that make up K, in the order of the
/// weight's dimensions, in which quant.matmul merges them too.
static SmallVector<int64_t> getContractedDims(const Contraction &c) {
  SmallVector<int64_t> dims;
  for (int64_t loop : traceMovement(c.rhs).loops)
    if (llvm::is_contained(c.k, loop))
      for (auto [dim, other] : llvm::enumerate(c.lhs.loops))
        if (other == loop)
          dims.push_back(dim);
  return dims;
}

std::vector<ObservationPoint> quantmlir::instrumentMatmuls(ModuleOp module,
                                                           Observed observed) {
  std::vector<ObservationPoint> points;
  // Where each input is shown, by value and block: calls in one block run
  // equally often.
  DenseMap<std::pair<Value, Block *>, SmallVector<size_t>> shown;
  for (NamedMatmul &matmul : collectNamedMatmuls(module)) {
    Contraction &c = matmul.contraction;
    Location loc = c.op->getLoc();
    OpBuilder builder(c.op);
    if (observed != Observed::Results) {
      ObservationPoint point;
      point.matmuls.push_back(matmul.name);
      point.contractedDims = getContractedDims(c);
      SmallVector<size_t> &known = shown[{c.lhs.value, c.op->getBlock()}];
      auto same = llvm::find_if(known, [&](size_t i) {
        return points[i].contractedDims == point.contractedDims;
      });
      if (same != known.end()) {
        points[*same].matmuls.push_back(matmul.name);
      } else {
        known.push_back(points.size());
        insertObservation(builder, loc, c.lhs.value, points.size());
        points.push_back(std::move(point));
      }
    }
    if (observed != Observed::Inputs) {
      builder.setInsertionPointAfter(c.op);
      insertObservation(builder, loc, c.op->getResult(0), points.size());
      points.push_back({ObservationPoint::Kind::Result, {matmul.name}, {}});
    }
  }
  return points;
}

namespace {
struct QuantInstrumentMatmulsPass
    : quantmlir::impl::QuantInstrumentMatmulsPassBase<
          QuantInstrumentMatmulsPass> {
  using Base::Base;

  void runOnOperation() override {
    numObserved += instrumentMatmuls(getOperation(), observe).size();
  }
};
} // namespace
