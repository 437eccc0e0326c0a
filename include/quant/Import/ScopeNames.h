//===- ScopeNames.h - what the framework calls a matmul ---------*- C++ -*-===//
//
// Exporters keep the module that an op comes from in one of two places: the
// op's location (TorchScript's scopes, ONNX's node names), or the name of the
// weight (a resource, a global, the location of a constant or an argument).
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_IMPORT_SCOPENAMES_H
#define QUANT_IMPORT_SCOPENAMES_H

#include "quant/Import/Contraction/ContractionMatcher.h"

#include <string>

namespace quantmlir {

/// The module that `text` names: `model.layers.3.mlp.down_proj` for that, for
/// `model.layers.3.mlp.down_proj.weight`, for the scopes
/// `__module.model/__module.model.layers.3.mlp.down_proj` and for the node
/// `/model/layers.3/mlp/down_proj/MatMul`; empty where it is no such name.
std::string parseScope(llvm::StringRef text);

/// The module that the contraction belongs to; empty where nothing says so.
std::string findScope(const Contraction &contraction);

} // namespace quantmlir

#endif // QUANT_IMPORT_SCOPENAMES_H
