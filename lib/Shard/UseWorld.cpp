//===- UseWorld.cpp - collectives of all ranks ----------------------------===//

#include "quant/Shard/Passes.h"

#include "mlir/Dialect/MPI/IR/MPI.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Matchers.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTUSEWORLDPASS
#include "quant/Shard/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

namespace {
struct QuantUseWorldPass final
    : quantmlir::impl::QuantUseWorldPassBase<QuantUseWorldPass> {
  using Base::Base;

  void runOnOperation() override {
    getOperation()->walk([&](mpi::CommSplitOp op) {
      if (!matchPattern(op.getColor(), m_Constant()) ||
          !op.getComm().getDefiningOp<mpi::CommWorldOp>())
        return;
      op.getNewcomm().replaceAllUsesWith(op.getComm());
      op.erase();
      ++numWorlds;
    });
  }
};
} // namespace
