//===- quant-opt.cpp - mlir-opt with the quant extension ------------------===//

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

#include "quant/InitAll.h"

int main(int argc, char **argv) {
  mlir::registerAllPasses();
  quantmlir::registerAllPasses();
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  quantmlir::registerAllDialects(registry);
  return mlir::asMainReturnCode(mlir::MlirOptMain(
      argc, argv, "Quantized-matmul compiler driver\n", registry));
}
