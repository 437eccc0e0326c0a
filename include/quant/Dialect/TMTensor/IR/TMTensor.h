//===- TMTensor.h - torch-mlir's ops beside linalg --------------*- C++ -*-===//

#ifndef QUANT_DIALECT_TMTENSOR_IR_TMTENSOR_H
#define QUANT_DIALECT_TMTENSOR_IR_TMTENSOR_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "quant/Dialect/TMTensor/IR/TMTensorDialect.h.inc"

#define GET_OP_CLASSES
#include "quant/Dialect/TMTensor/IR/TMTensorOps.h.inc"

#endif // QUANT_DIALECT_TMTENSOR_IR_TMTENSOR_H
