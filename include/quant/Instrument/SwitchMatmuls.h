//===- SwitchMatmuls.h - choose each matmul's form at run time --*- C++ -*-===//
//
// To find the matmul that hurts, programs that differ in one matmul must run,
// and compiling each of them takes longer than all runs together. So one
// program holds every form of every matmul, and asks the host which to take:
//
// 1. `outlineMatmuls` moves each float matmul to a function;
// 2. `copyOutlined` gives a module of these functions only, which the quant
//    stage turns into one variant (say, 8 bits); as often as wanted;
// 3. `adoptVariant` brings the quantized functions back;
// 4. `insertSwitches` replaces each call by a switch over what the external
//    function `quant_choose(matmul)` answers: 0 for float, v for variant v
//    (from 1 on), and one more for the shadow: float's result goes on, but
//    every variant sees the same activations and its result is observed.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_INSTRUMENT_SWITCHMATMULS_H
#define QUANT_INSTRUMENT_SWITCHMATMULS_H

#include "quant/Import/Contraction/NamedMatmuls.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace quantmlir {

constexpr llvm::StringLiteral kChooseFunction = "quant_choose";
constexpr llvm::StringLiteral kChooseSymbol = "_mlir_ciface_quant_choose";

/// A float matmul in a function of its own.
struct OutlinedMatmul {
  MatmulShape shape;
  std::string location;
  /// Constants that the matmul multiplies are inside; what else it needs are
  /// arguments.
  mlir::func::FuncOp function;
  mlir::func::CallOp call;
  /// What is shown as the activations, beside the call.
  mlir::Value activations;
  bool hasConstantWeight = false;
};

/// In walk order, which names and hashes of the program rely on.
std::vector<OutlinedMatmul> outlineMatmuls(mlir::ModuleOp module);

/// A module of public copies, in the same order.
mlir::OwningOpRef<mlir::ModuleOp>
copyOutlined(llvm::ArrayRef<OutlinedMatmul> matmuls);

/// Name of the function that computes a matmul as variant `number`.
std::string getVariantName(const OutlinedMatmul &matmul, unsigned number);

/// Moves the functions of a copy into `module`.
void adoptVariant(mlir::ModuleOp module, mlir::ModuleOp copy,
                  llvm::ArrayRef<OutlinedMatmul> matmuls, unsigned number);

/// What an observation in a switched program shows.
struct SwitchObservation {
  enum Kind {
    Activations, // always
    Result,      // of the form that was chosen, always
    Shadow       // of variant `variant`, for the shadow choice only
  };
  int64_t matmul = 0;
  Kind kind = Activations;
  unsigned variant = 0;

  int64_t getId(unsigned numVariants) const;
  static SwitchObservation fromId(int64_t id, unsigned numVariants);
};

void insertSwitches(mlir::ModuleOp module,
                    llvm::MutableArrayRef<OutlinedMatmul> matmuls,
                    unsigned numVariants);

} // namespace quantmlir

#endif // QUANT_INSTRUMENT_SWITCHMATMULS_H
