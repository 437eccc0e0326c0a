//===- NVVMInstructions.cpp - NVIDIA's own instructions -------------------===//

#include "NVVMInstructions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace quantmlir;

static Value shuffle(OpBuilder &b, Location loc, Value value, Value lane,
                     NVVM::ShflKind kind) {
  constexpr int32_t allLanes = -1, noSegments = 31;
  Value lanes =
      arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(allLanes));
  Value segments =
      arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(noSegments));
  return NVVM::ShflOp::create(b, loc, value.getType(), lanes, value, lane,
                              segments, kind, UnitAttr());
}

namespace {
class NVVMInstructions final : public device::DeviceInstructions {
public:
  Value dot4(OpBuilder &b, Location loc, Value x, Value y,
             Value acc) const override {
    auto bytes = VectorType::get({4}, b.getI8Type());
    Value first = LLVM::BitcastOp::create(b, loc, bytes, x);
    Value second = LLVM::BitcastOp::create(b, loc, bytes, y);
    return NVVM::DotAccumulate4WayOp::create(
        b, loc, b.getI32Type(), first, NVVM::DotAccumulateType::SIGNED, second,
        NVVM::DotAccumulateType::SIGNED, acc);
  }

  Value broadcastLane(OpBuilder &b, Location loc, Value value,
                      Value lane) const override {
    return shuffle(b, loc, value, lane, NVVM::ShflKind::idx);
  }

  Value exchangeLanes(OpBuilder &b, Location loc, Value value,
                      Value mask) const override {
    return shuffle(b, loc, value, mask, NVVM::ShflKind::bfly);
  }

  void copyAsync(OpBuilder &b, Location loc, Value target, Value source,
                 int64_t bytes, Value size) const override {
    NVVM::CpAsyncOp::create(b, loc, target, source,
                            static_cast<uint32_t>(bytes),
                            NVVM::LoadCacheModifierKind::CG, size);
  }

  void commitCopies(OpBuilder &b, Location loc) const override {
    NVVM::CpAsyncCommitGroupOp::create(b, loc);
  }

  void awaitCopies(OpBuilder &b, Location loc, int64_t pending) const override {
    NVVM::CpAsyncWaitGroupOp::create(b, loc, pending);
  }

  void publishCopies(OpBuilder &b, Location loc) const override {
    // wgmma reads through another proxy than cp.async writes.
    NVVM::FenceProxyOp::create(
        b, loc, NVVM::ProxyKind::async_shared,
        NVVM::SharedSpaceAttr::get(b.getContext(),
                                   NVVM::SharedSpace::shared_cta));
  }
};
} // namespace

const device::DeviceInstructions &nvvm::getInstructions() {
  static const NVVMInstructions instructions;
  return instructions;
}
