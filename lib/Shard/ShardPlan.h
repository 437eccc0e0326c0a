//===- ShardPlan.h - which loop of each op is cut ---------------*- C++ -*-===//

#ifndef LIB_SHARD_SHARDPLAN_H
#define LIB_SHARD_SHARDPLAN_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/MapVector.h"

#include "quant/Shard/Passes.h"

#include <optional>

namespace quantmlir {

/// The role of a matmul's loop that is cut.
enum class MatmulCut { Batch, Column, Row, Other };

/// The loop that each op of a function is cut along, if any.
class ShardPlan {
public:
  ShardPlan() = default;
  ShardPlan(mlir::func::FuncOp function, int64_t ranks, Parallelism kind);

  std::optional<unsigned> getCut(mlir::Operation *op) const {
    auto found = cuts.find(op);
    return found == cuts.end() ? std::nullopt
                               : std::optional<unsigned>(found->second);
  }

private:
  /// A loop of an op.
  using Loop = std::pair<mlir::Operation *, unsigned>;
  /// Loops that are cut together.
  struct LoopClass {
    llvm::SmallVector<Loop> loops;
    /// Loops of matmuls with constant weights among them.
    unsigned columns = 0, rows = 0, batches = 0;
    /// One op would be cut twice, or a use needs all of a value that is no
    /// product's operand and no result.
    bool impossible = false;
  };

  void collectLoops();
  void joinNeighbours();
  void joinUse(mlir::OpResult value, mlir::OpOperand &use);
  void markUse(mlir::OpResult value, unsigned dim, mlir::Operation *user);
  std::vector<LoopClass> makeClasses();
  bool canBeEven(const LoopClass &candidate) const;
  bool isWanted(const LoopClass &candidate) const;
  void takeClass(const LoopClass &chosen);
  void cutColumnsAlone();
  void cutWeightOf(mlir::Operation *op);
  void cutAlone(mlir::Operation *op, unsigned loop);
  std::optional<unsigned> findLoop(mlir::Operation *op, mlir::AffineMap map,
                                   unsigned dim) const;

  mlir::func::FuncOp function;
  int64_t ranks = 1;
  Parallelism kind = Parallelism::Auto;
  /// Loops that may be cut, by number.
  llvm::MapVector<Loop, unsigned> numbers;
  llvm::EquivalenceClasses<unsigned> classes;
  llvm::DenseSet<unsigned> neededWhole;
  llvm::DenseMap<mlir::Operation *, unsigned> cuts;
};

/// What `loop` is of a matmul with a constant weight; none for other ops.
std::optional<MatmulCut> getMatmulCut(mlir::Operation *op, unsigned loop);

} // namespace quantmlir

#endif // LIB_SHARD_SHARDPLAN_H
