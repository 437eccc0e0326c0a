//===- Problem.cpp - what a matmul's kernel is made for -------------------===//

#include "quant/Target/GPU/Problem.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::device;

Problem::Problem(qtarget::PackedMatmulOp op)
    : op(op), row(op.getKernel().getRow()),
      n(memrefType(op.getInit()).getDimSize(1)),
      panels(memrefType(op.getRhs()).getDimSize(0)),
      kBlocks(memrefType(op.getRhs()).getDimSize(1)) {}
