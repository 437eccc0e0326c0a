/* A compiler that is written in C: registers the project and lowers a
   quant.matmul with a textual pipeline. */

#include "mlir-c/IR.h"
#include "mlir-c/Pass.h"
#include "mlir-c/RegisterEverything.h"
#include "quant/CAPI/Quant.h"

#include <stdio.h>

static const char *const program =
    "func.func @f(%a: tensor<2x3xi8>, %b: tensor<4x3xi8>,"
    "             %c: tensor<2x4xi32>) -> tensor<2x4xi32> {\n"
    "  %0 = quant.matmul ins(%a, %b : tensor<2x3xi8>, tensor<4x3xi8>)\n"
    "         outs(%c : tensor<2x4xi32>) {transpose_rhs} -> tensor<2x4xi32>\n"
    "  return %0 : tensor<2x4xi32>\n"
    "}\n";

static void print(MlirStringRef text, void *userData) {
  (void)userData;
  fwrite(text.data, 1, text.length, stdout);
}

int main(void) {
  MlirDialectRegistry registry = mlirDialectRegistryCreate();
  mlirRegisterAllDialects(registry);
  mlirRegisterAllPasses();
  quantRegisterAllDialects(registry);
  quantRegisterAllPasses();
  MlirContext context = mlirContextCreateWithRegistry(registry, true);
  MlirModule module = mlirModuleCreateParse(
      context, mlirStringRefCreateFromCString(program));
  if (mlirModuleIsNull(module))
    return 1;
  MlirPassManager passManager = mlirPassManagerCreate(context);
  if (mlirLogicalResultIsFailure(mlirParsePassPipeline(
          mlirPassManagerGetAsOpPassManager(passManager),
          mlirStringRefCreateFromCString(
              "builtin.module(quant-to-x86{cpu=icelake-server})"),
          print, NULL)))
    return 1;
  if (mlirLogicalResultIsFailure(mlirPassManagerRunOnOp(
          passManager, mlirModuleGetOperation(module))))
    return 1;
  printf("from C: ");
  mlirOperationPrint(mlirModuleGetOperation(module), print, NULL);
  mlirPassManagerDestroy(passManager);
  mlirModuleDestroy(module);
  mlirContextDestroy(context);
  mlirDialectRegistryDestroy(registry);
  return 0;
}
