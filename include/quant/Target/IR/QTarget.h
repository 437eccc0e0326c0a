//===- QTarget.h - target descriptions --------------------------*- C++ -*-===//
//
// The companion dialect `qtarget`: attributes that describe machines and the
// instructions they offer for integer matrix multiplication.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_TARGET_IR_QTARGET_H
#define QUANT_TARGET_IR_QTARGET_H

#include "quant/Target/IR/OperandTiles.h"

#include "mlir/IR/Attributes.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"

#include <memory>

namespace quantmlir::qtarget {
class TargetKernels;
} // namespace quantmlir::qtarget

#include "quant/Target/IR/QTargetDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "quant/Target/IR/QTargetAttrs.h.inc"

#endif // QUANT_TARGET_IR_QTARGET_H
