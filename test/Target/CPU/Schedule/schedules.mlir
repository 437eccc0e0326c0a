// A schedule that was measured is followed; matmuls that the file does not list
// get the cost model's.
// RUN: split-file %s %t
// RUN: quant-opt %t/input.mlir --quant-set-target=cpu=icelake-server --quant-pack-matmul=schedules=%t/good.json | FileCheck %t/input.mlir
// RUN: quant-opt %t/input.mlir --quant-to-x86="cpu=icelake-server stop-after=packed schedules=%t/good.json" | FileCheck %t/input.mlir
// Of another instruction: not followed.
// RUN: quant-opt %t/input.mlir --quant-set-target=cpu=alderlake --quant-pack-matmul=schedules=%t/good.json | FileCheck %t/input.mlir --check-prefix=OTHER

// RUN: not quant-opt %t/input.mlir --quant-pack-matmul=schedules=%t/none.json 2>&1 | FileCheck %s --check-prefix=NOFILE
// RUN: not quant-opt %t/input.mlir --quant-pack-matmul=schedules=%t/text.json 2>&1 | FileCheck %s --check-prefix=TEXT
// RUN: not quant-opt %t/input.mlir --quant-pack-matmul=schedules=%t/list.json 2>&1 | FileCheck %s --check-prefix=LIST
// RUN: not quant-opt %t/input.mlir --quant-pack-matmul=schedules=%t/version.json 2>&1 | FileCheck %s --check-prefix=VERSION
// RUN: not quant-opt %t/input.mlir --quant-pack-matmul=schedules=%t/empty.json 2>&1 | FileCheck %s --check-prefix=EMPTY
// RUN: not quant-opt %t/input.mlir --quant-pack-matmul=schedules=%t/size.json 2>&1 | FileCheck %s --check-prefix=SIZE
// RUN: not quant-opt %t/input.mlir --quant-pack-matmul=schedules=%t/type.json 2>&1 | FileCheck %s --check-prefix=TYPE
// RUN: not quant-opt %t/input.mlir --quant-pack-matmul=schedules=%t/instruction.json 2>&1 | FileCheck %s --check-prefix=INSTRUCTION
// RUN: not quant-opt %t/input.mlir --quant-pack-matmul=schedules=%t/columns.json 2>&1 | FileCheck %s --check-prefix=COLUMNS
// RUN: not quant-opt %t/input.mlir --quant-pack-matmul=schedules=%t/rows.json 2>&1 | FileCheck %s --check-prefix=ROWS
// RUN: not quant-opt %t/input.mlir --quant-pack-matmul=schedules=%t/blockm.json 2>&1 | FileCheck %s --check-prefix=BLOCKM
// RUN: not quant-opt %t/input.mlir --quant-pack-matmul=schedules=%t/blockk.json 2>&1 | FileCheck %s --check-prefix=BLOCKK

// NOFILE: error: schedules '{{.*}}none.json': No such file or directory
// TEXT: error: schedules '{{.*}}text.json': [{{.*}}]: Expected
// LIST: error: schedules '{{.*}}list.json': expected an object
// VERSION: error: schedules '{{.*}}version.json': 'version': expected 1
// EMPTY: error: schedules '{{.*}}empty.json': 'schedules': expected a list
// SIZE: error: schedules '{{.*}}size.json': 'schedules'[0]: missing value at 'k'
// TYPE: error: schedules '{{.*}}type.json': 'schedules'[0]: expected integer at
// INSTRUCTION: error: schedules '{{.*}}instruction.json': 'schedules'[0]: 'instruction': expected one of vector registers, found 'tdpbssd'
// COLUMNS: error: schedules '{{.*}}columns.json': 'schedules'[0]: 'columns': expected a multiple of 16, found 24
// ROWS: error: schedules '{{.*}}rows.json': 'schedules'[1]: 'rows': expected 1 to 6 with 64 columns, found 7
// BLOCKM: error: schedules '{{.*}}blockm.json': 'schedules'[0]: 'blockM': expected a multiple of 4, found 6
// BLOCKK: error: schedules '{{.*}}blockk.json': 'schedules'[0]: 'blockK': expected a multiple of 8, found 12

//--- input.mlir
// CHECK-LABEL: func @listed(
// CHECK: linalg.pack {{.*}} inner_tiles = [64, 4]
// CHECK: qtarget.packed_matmul {{.*}}rows = 4, blockM = 8, blockK = 128
// OTHER-LABEL: func @listed(
// OTHER-NOT: rows = 4, blockM = 8
func.func @listed(%x: tensor<64x256xi8>, %w: tensor<128x256xi8>) -> tensor<64x128xi32> {
  %c0 = arith.constant dense<0> : tensor<64x128xi32>
  %y = quant.matmul ins(%x, %w : tensor<64x256xi8>, tensor<128x256xi8>) outs(%c0 : tensor<64x128xi32>) {transpose_rhs} -> tensor<64x128xi32>
  return %y : tensor<64x128xi32>
}

// CHECK-LABEL: func @dynamic(
// CHECK: linalg.pack {{.*}} inner_tiles = [32, 4]
// CHECK: qtarget.packed_matmul {{.*}}rows = 5, blockM = 0, blockK = 0
func.func @dynamic(%x: tensor<?x256xi8>, %w: tensor<128x256xi8>, %c: tensor<?x128xi32>) -> tensor<?x128xi32> {
  %y = quant.matmul ins(%x, %w : tensor<?x256xi8>, tensor<128x256xi8>) outs(%c : tensor<?x128xi32>) {transpose_rhs} -> tensor<?x128xi32>
  return %y : tensor<?x128xi32>
}

// CHECK-LABEL: func @other(
// CHECK: linalg.pack {{.*}} inner_tiles = [64, 4]
// CHECK: qtarget.packed_matmul {{.*}}rows = 6, blockM = 0, blockK = 0
func.func @other(%x: tensor<64x512xi8>, %w: tensor<128x512xi8>) -> tensor<64x128xi32> {
  %c0 = arith.constant dense<0> : tensor<64x128xi32>
  %y = quant.matmul ins(%x, %w : tensor<64x512xi8>, tensor<128x512xi8>) outs(%c0 : tensor<64x128xi32>) {transpose_rhs} -> tensor<64x128xi32>
  return %y : tensor<64x128xi32>
}

//--- good.json
{"version": 1, "cpu": "icelake-server", "schedules": [
  {"instruction": "vpdpbusd_512", "m": 64, "n": 128, "k": 256, "rows": 4, "columns": 64, "blockM": 8, "blockK": 128},
  {"instruction": "vpdpbusd_512", "m": null, "n": 128, "k": 256, "rows": 5, "columns": 32, "blockM": 0, "blockK": 0}]}
//--- text.json
{"version": 1, schedules
//--- list.json
[]
//--- version.json
{"version": 2, "schedules": []}
//--- empty.json
{"version": 1}
//--- size.json
{"version": 1, "schedules": [{"instruction": "vpdpbusd_512", "m": 64, "n": 128, "rows": 4, "columns": 64, "blockM": 0, "blockK": 0}]}
//--- type.json
{"version": 1, "schedules": [{"instruction": "vpdpbusd_512", "m": 64, "n": 128, "k": 4, "rows": "four", "columns": 64, "blockM": 0, "blockK": 0}]}
//--- instruction.json
{"version": 1, "schedules": [{"instruction": "tdpbssd", "m": 64, "n": 128, "k": 4, "rows": 4, "columns": 64, "blockM": 0, "blockK": 0}]}
//--- columns.json
{"version": 1, "schedules": [{"instruction": "vpdpbusd_512", "m": 64, "n": 128, "k": 4, "rows": 4, "columns": 24, "blockM": 0, "blockK": 0}]}
//--- rows.json
{"version": 1, "schedules": [
  {"instruction": "vpdpbusd_512", "m": 64, "n": 128, "k": 4, "rows": 6, "columns": 64, "blockM": 0, "blockK": 0},
  {"instruction": "vpdpbusd_512", "m": 64, "n": 128, "k": 8, "rows": 7, "columns": 64, "blockM": 0, "blockK": 0}]}
//--- blockm.json
{"version": 1, "schedules": [{"instruction": "vpdpbusd_512", "m": 64, "n": 128, "k": 4, "rows": 4, "columns": 64, "blockM": 6, "blockK": 0}]}
//--- blockk.json
{"version": 1, "schedules": [{"instruction": "vpdpbusd_512", "m": 64, "n": 128, "k": 4, "rows": 4, "columns": 64, "blockM": 0, "blockK": 12}]}
