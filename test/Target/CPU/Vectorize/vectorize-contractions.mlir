// RUN: quant-opt --quant-vectorize-contractions --canonicalize --cse --split-input-file %s | FileCheck %s

// Tiles of 8 rows by 32 columns start from the old values; then single rows,
// then the last 8 columns as a shorter vector.
// CHECK-LABEL: func @matmul
// CHECK-SAME: (%[[A:.*]]: memref<20x24xf32>, %[[B:.*]]: memref<24x40xf32>, %[[C:.*]]: memref<20x40xf32>)
// CHECK: scf.for %[[ROW:.*]] = %c0 to %c16 step %c8
// CHECK-COUNT-8: vector.load %[[C]][{{.*}}] : memref<20x40xf32>, vector<32xf32>
// CHECK: scf.for %[[K:.*]] = %c0 to %c24 step %c1 iter_args
// CHECK: %[[COLUMNS:.*]] = vector.load %[[B]][%[[K]], %{{.*}}] : memref<24x40xf32>, vector<32xf32>
// CHECK: %[[SCALAR:.*]] = memref.load %[[A]][%[[ROW]], %[[K]]]
// CHECK: %[[FACTOR:.*]] = vector.broadcast %[[SCALAR]] : f32 to vector<32xf32>
// CHECK: %[[PRODUCT:.*]] = arith.mulf %[[FACTOR]], %[[COLUMNS]] : vector<32xf32>
// CHECK: arith.addf %{{.*}}, %[[PRODUCT]] : vector<32xf32>
// CHECK: scf.for %{{.*}} = %c16 to %c20 step %c1
// CHECK: vector.load %[[B]][%{{.*}}, %c32] : memref<24x40xf32>, vector<8xf32>
// CHECK-NOT: linalg.matmul
module attributes {qtarget.target = #qtarget.target<arch = "x86_64", cpu = "icelake-server",
    features = ["avx512f"], l1d = 49152, l2 = 1310720, cores = 1>} {
func.func @matmul(%a: memref<20x24xf32>, %b: memref<24x40xf32>, %c: memref<20x40xf32>) {
  linalg.matmul ins(%a, %b : memref<20x24xf32>, memref<24x40xf32>) outs(%c : memref<20x40xf32>)
  return
}
}

// -----

// Of three rows: tiles of 2 and of 1, of 128 columns, of 64, and the last 8.
// CHECK-LABEL: func @few_rows
// CHECK-SAME: %[[C:[a-z0-9]+]]: memref<3x200xf32>)
// CHECK-COUNT-2: vector.load %[[C]][{{.*}}] : memref<3x200xf32>, vector<128xf32>
// CHECK: scf.for
// CHECK: vector.load %[[C]][{{.*}}] : memref<3x200xf32>, vector<128xf32>
// CHECK: vector.load %[[C]][{{.*}}] : memref<3x200xf32>, vector<64xf32>
// CHECK-NOT: vector<32xf32>
// CHECK: vector.load %[[C]][{{.*}}] : memref<3x200xf32>, vector<8xf32>
module attributes {qtarget.target = #qtarget.target<arch = "x86_64", cpu = "icelake-server",
    features = ["avx512f"], l1d = 49152, l2 = 1310720, cores = 1>} {
func.func @few_rows(%a: memref<3x64xf32>, %b: memref<64x200xf32>, %c: memref<3x200xf32>) {
  linalg.matmul ins(%a, %b : memref<3x64xf32>, memref<64x200xf32>) outs(%c : memref<3x200xf32>)
  return
}
}

// -----

// 16 registers: 4 rows by 16 columns, of fewer rows 2 by 32; a number of columns
// that only the run knows ends with a mask.
// CHECK-LABEL: func @batched
// CHECK: scf.for
// CHECK: arith.cmpi uge, %[[ROWS:.*]], %c4
// CHECK: scf.if
// CHECK: scf.for
// CHECK-COUNT-4: vector.load {{.*}} vector<16xf32>
// CHECK: scf.if
// CHECK: vector.maskedload
// CHECK: vector.maskedstore
// CHECK: } else {
// CHECK: scf.for %{{.*}} step %c32
// CHECK: scf.for %{{.*}} step %c2
// CHECK-COUNT-2: vector.load {{.*}} vector<32xf32>
// CHECK: scf.for %{{.*}} step %c16
// CHECK: scf.if
// CHECK: vector.maskedload {{.*}} vector<16xf32>
func.func @batched(%a: memref<3x?x8xf32>, %b: memref<3x8x?xf32>, %c: memref<3x?x?xf32>) {
  linalg.batch_matmul ins(%a, %b : memref<3x?x8xf32>, memref<3x8x?xf32>)
    outs(%c : memref<3x?x?xf32>)
  return
}

// -----

// Any order of operands, several reductions, no rows.
#vector = affine_map<(n, k, l) -> (k, l)>
#matrix = affine_map<(n, k, l) -> (k, l, n)>
#result = affine_map<(n, k, l) -> (n)>

// CHECK-LABEL: func @vector
// CHECK: scf.for
// CHECK: scf.for
// CHECK: arith.addf {{.*}} vector<32xf32>
// CHECK-NOT: linalg.generic
func.func @vector(%a: memref<5x6x32xf32>, %x: memref<5x6xf32>, %y: memref<32xf32>) {
  linalg.generic {indexing_maps = [#matrix, #vector, #result],
                  iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%a, %x : memref<5x6x32xf32>, memref<5x6xf32>) outs(%y : memref<32xf32>) {
  ^bb0(%w: f32, %v: f32, %acc: f32):
    %0 = arith.mulf %w, %v : f32
    %1 = arith.addf %0, %acc : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// Columns of the right operand that are not neighbours; integers; a subtraction.
// CHECK-LABEL: func @negative_transposed
// CHECK: linalg.generic
// CHECK: linalg.matmul
// CHECK-NOT: vector
#row = affine_map<(m, n, k) -> (m, k)>
#transposed = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
func.func @negative_transposed(%a: memref<4x8xf32>, %b: memref<32x8xf32>, %c: memref<4x32xf32>,
                               %i: memref<4x8xi32>, %j: memref<8x32xi32>, %k: memref<4x32xi32>) {
  linalg.generic {indexing_maps = [#row, #transposed, #out],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<4x8xf32>, memref<32x8xf32>) outs(%c : memref<4x32xf32>) {
  ^bb0(%x: f32, %y: f32, %acc: f32):
    %0 = arith.mulf %x, %y : f32
    %1 = arith.addf %0, %acc : f32
    linalg.yield %1 : f32
  }
  linalg.matmul ins(%i, %j : memref<4x8xi32>, memref<8x32xi32>) outs(%k : memref<4x32xi32>)
  return
}
