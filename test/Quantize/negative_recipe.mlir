// Recipes that cannot be followed: what was expected, what was found.
// RUN: split-file %s %t
// RUN: not quant-opt %t/m.mlir --quant-quantize-matmul="recipe=%t/none.json" 2>&1 | FileCheck %s --check-prefix=NOFILE
// RUN: not quant-opt %t/m.mlir --quant-quantize-matmul="recipe=%t/text.json" 2>&1 | FileCheck %s --check-prefix=TEXT
// RUN: not quant-opt %t/m.mlir --quant-quantize-matmul="recipe=%t/list.json" 2>&1 | FileCheck %s --check-prefix=LIST
// RUN: not quant-opt %t/m.mlir --quant-quantize-matmul="recipe=%t/version.json" 2>&1 | FileCheck %s --check-prefix=VERSION
// RUN: not quant-opt %t/m.mlir --quant-quantize-matmul="recipe=%t/rules.json" 2>&1 | FileCheck %s --check-prefix=RULES
// RUN: not quant-opt %t/m.mlir --quant-quantize-matmul="recipe=%t/field.json" 2>&1 | FileCheck %s --check-prefix=FIELD
// RUN: not quant-opt %t/m.mlir --quant-quantize-matmul="recipe=%t/name.json" 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not quant-opt %t/m.mlir --quant-quantize-matmul="recipe=%t/glob.json" 2>&1 | FileCheck %s --check-prefix=GLOB
// RUN: not quant-opt %t/m.mlir --quant-quantize-matmul="recipe=%t/model.json" 2>&1 | FileCheck %s --check-prefix=MODEL
// RUN: not quant-opt %t/m.mlir --quant-quantize-matmul="recipe=%t/bits.json" 2>&1 | FileCheck %s --check-prefix=BITS
// RUN: not quant-opt %t/m.mlir --quant-quantize-matmul="recipe=%t/option.json" 2>&1 | FileCheck %s --check-prefix=OPTION
// RUN: not quant-opt %t/attribute.mlir --quant-quantize-matmul 2>&1 | FileCheck %s --check-prefix=ATTRIBUTE
// RUN: not quant-opt %t/m.mlir --quant-quantize-matmul="include=[" 2>&1 | FileCheck %s --check-prefix=INCLUDE
// Brackets as deep as the stack.
// RUN: %python -c "open('%t/nested.json', 'w').write('[' * 1000000)"
// RUN: not quant-opt %t/m.mlir --quant-quantize-matmul="recipe=%t/nested.json" 2>&1 | FileCheck %s --check-prefix=NESTED
// RUN: not quant-opt %t/m.mlir --quant-quantize-matmul="activations=static stats=%t/nested.json" 2>&1 | FileCheck %s --check-prefix=NESTED
// RUN: not quant-run %t/m.mlir --random-inputs=1 --target=x86 --schedules=%t/nested.json 2>&1 | FileCheck %s --check-prefix=NESTED
// Devices that have no end.
// RUN: not quant-opt %t/m.mlir --quant-quantize-matmul="recipe=/dev/zero" 2>&1 | FileCheck %s --check-prefix=DEVICE
// RUN: not quant-opt %t/m.mlir --quant-quantize-matmul="activations=static stats=/dev/zero" 2>&1 | FileCheck %s --check-prefix=DEVICE
// RUN: not quant-run %t/m.mlir --random-inputs=1 --target=x86 --schedules=/dev/zero 2>&1 | FileCheck %s --check-prefix=DEVICE
// RUN: not quant-run %t/m.mlir --target=generic --inputs=/dev/zero 2>&1 | FileCheck %s --check-prefix=DEVICE
// DEVICE: error: {{.*}}/dev/zero{{.*}}: expected a file, found a device
// NESTED: error: {{.*}}nested.json{{.*}}expected at most 64 arrays and objects in each other, found 1000000

// NOFILE: error: recipe '{{.*}}none.json': No such file or directory
// TEXT: error: recipe '{{.*}}text.json': [2:1, byte=14]: Expected
// LIST: error: recipe '{{.*}}list.json': expected an object
// VERSION: error: recipe '{{.*}}version.json': 'version': expected 1
// RULES: error: recipe '{{.*}}rules.json': 'matmuls': expected a list
// FIELD: error: recipe '{{.*}}field.json': 'matmuls'[0]: unknown field 'bits'
// NAME: error: recipe '{{.*}}name.json': 'matmuls'[1]: 'name': expected a string, found 3
// GLOB: error: recipe '{{.*}}glob.json': 'matmuls'[0]: expected a glob, found 'main#[':
// MODEL: error: recipe '{{.*}}model.json': it is for another program: expected model {{[0-9a-f]+}}, found 0123
// BITS: error: recipe '{{.*}}bits.json': 'matmuls'[0]: 'options': option 'weight-bits': expected 8, 6, 4, 3 or 2, found 5
// OPTION: error: recipe '{{.*}}option.json': 'matmuls'[0]: 'options': no such option weight-size; the options are activation-bits,
// ATTRIBUTE: attribute.mlir:4:{{[0-9]+}}: error: attribute 'quant.scheme': option 'weights': expected tensor, channel or group, found 'rows'
// INCLUDE: error: expected a glob, found '[':

//--- text.json
{"version":1
nothing}
//--- list.json
[]
//--- version.json
{"version": 2, "matmuls": []}
//--- rules.json
{"version": 1, "matmuls": {}}
//--- field.json
{"version": 1, "matmuls": [{"name": "*", "options": "", "bits": 4}]}
//--- name.json
{"version": 1, "matmuls": [{"name": "a", "options": ""}, {"name": 3, "options": ""}]}
//--- glob.json
{"version": 1, "matmuls": [{"name": "main#[", "options": ""}]}
//--- model.json
{"version": 1, "model": "0123", "matmuls": []}
//--- bits.json
{"version": 1, "matmuls": [{"name": "*", "options": "weight-bits=5"}]}
//--- option.json
{"version": 1, "matmuls": [{"name": "*", "options": "weight-size=4"}]}
//--- m.mlir
func.func @main(%x: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %w = arith.constant dense<0.5> : tensor<8x8xf32>
  %z = arith.constant dense<0.0> : tensor<2x8xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<2x8xf32>, tensor<8x8xf32>) outs(%z : tensor<2x8xf32>) -> tensor<2x8xf32>
  return %0 : tensor<2x8xf32>
}
//--- attribute.mlir
func.func @main(%x: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %w = arith.constant dense<0.5> : tensor<8x8xf32>
  %z = arith.constant dense<0.0> : tensor<2x8xf32>
  %0 = linalg.matmul {quant.scheme = "weights=rows"} ins(%x, %w : tensor<2x8xf32>, tensor<8x8xf32>) outs(%z : tensor<2x8xf32>) -> tensor<2x8xf32>
  return %0 : tensor<2x8xf32>
}
