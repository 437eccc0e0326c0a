// A compiler that links the installed QuantMLIR: parses a quant.matmul, prints
// it, and lowers it with the portable pipeline.

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "quant/InitAll.h"
#include "quant/Pipelines/Pipelines.h"

static const char *const program = R"mlir(
func.func @f(%a: tensor<2x3xi8>, %b: tensor<4x3xi8>, %c: tensor<2x4xi32>) -> tensor<2x4xi32> {
  %0 = quant.matmul ins(%a, %b : tensor<2x3xi8>, tensor<4x3xi8>)
         outs(%c : tensor<2x4xi32>) {transpose_rhs} -> tensor<2x4xi32>
  return %0 : tensor<2x4xi32>
}
)mlir";

int main() {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllPasses();
  quantmlir::registerAllDialects(registry);
  quantmlir::registerAllPasses();
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(program, &context);
  if (!module)
    return 1;
  module->print(llvm::outs());

  mlir::PassManager pm(&context);
  quantmlir::GenericPipelineOptions options;
  quantmlir::buildGenericPipeline(pm, options);
  if (mlir::failed(pm.run(*module)))
    return 1;
  llvm::outs() << "lowered: ";
  (*module)->getRegion(0).front().print(llvm::outs());
  return 0;
}
