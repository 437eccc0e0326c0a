// RUN: quant-opt --quant-vectorize-rows --canonicalize --cse --split-input-file %s | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#rows = affine_map<(d0, d1) -> (d0)>
#columns = affine_map<(d0, d1) -> (d1, d0)>

// A maximum over rows of 40: 32 lanes, and 8 of their own.
// CHECK-LABEL: func @absmax
// CHECK: scf.for %[[ROW:.*]] = %c0 to %c8 step %c1
// CHECK: %[[OLD:.*]] = memref.load %arg1[%[[ROW]]]
// CHECK: vector.broadcast %[[OLD]] : f32 to vector<32xf32>
// CHECK: vector.load %arg0[%[[ROW]], %{{.*}}] : memref<8x40xf32>, vector<32xf32>
// CHECK: math.absf %{{.*}} : vector<32xf32>
// CHECK: arith.maximumf
// CHECK: vector.reduction <maximumf>
// CHECK: vector.load %arg0[%[[ROW]], %c32] : memref<8x40xf32>, vector<8xf32>
// CHECK: vector.reduction <maximumf>
// CHECK: memref.store %{{.*}}, %arg1[%[[ROW]]]
// CHECK-NOT: linalg.generic
func.func @absmax(%x: memref<8x40xf32>, %max: memref<8xf32>) {
  linalg.generic {indexing_maps = [#id, #rows], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<8x40xf32>) outs(%max : memref<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = math.absf %in : f32
    %1 = arith.maximumf %0, %out : f32
    linalg.yield %1 : f32
  }
  return
}

// A number of columns that only the run knows: a mask.
// CHECK-LABEL: func @quantize
// The scale is read once a row.
// CHECK: scf.for
// CHECK: memref.load %arg1
// CHECK: scf.for
// CHECK: arith.divf %{{.*}} : vector<32xf32>
// CHECK: math.roundeven %{{.*}} : vector<32xf32>
// CHECK: arith.fptosi %{{.*}} : vector<32xf32> to vector<32xi8>
// CHECK: vector.store %{{.*}} : memref<?x?xi8>, vector<32xi8>
// CHECK: scf.if
// CHECK: vector.create_mask
// CHECK: vector.maskedload
// CHECK: vector.maskedstore
func.func @quantize(%x: memref<?x?xf32>, %s: memref<?xf32>, %q: memref<?x?xi8>) {
  linalg.generic {indexing_maps = [#id, #rows, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : memref<?x?xf32>, memref<?xf32>) outs(%q : memref<?x?xi8>) {
  ^bb0(%in: f32, %scale: f32, %out: i8):
    %0 = arith.divf %in, %scale : f32
    %1 = math.roundeven %0 : f32
    %2 = arith.fptosi %1 : f32 to i8
    linalg.yield %2 : i8
  }
  return
}

// An integer sum starts from 0 in every lane; the old value comes last.
// CHECK-LABEL: func @sum
// CHECK: %[[ZERO:.*]] = arith.constant dense<0> : vector<32xi32>
// CHECK: %[[ACC:.*]] = scf.for {{.*}} iter_args(%[[SUM:.*]] = %[[ZERO]])
// CHECK: arith.extsi %{{.*}} : vector<32xi8> to vector<32xi32>
// CHECK: %[[TAIL:.*]] = arith.select %{{.*}}, %{{.*}}, %[[ACC]] : vector<32xi1>, vector<32xi32>
// CHECK: vector.reduction <add>, %[[TAIL]]
func.func @sum(%x: memref<?x?xi8>, %sum: memref<?xi32>) {
  linalg.generic {indexing_maps = [#id, #rows], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<?x?xi8>) outs(%sum : memref<?xi32>) {
  ^bb0(%in: i8, %out: i32):
    %0 = arith.extsi %in : i8 to i32
    %1 = arith.addi %out, %0 : i32
    linalg.yield %1 : i32
  }
  return
}

// These fit as well: a vector, and columns summed over rows, each lane a column.
// CHECK-LABEL: func @others
// CHECK-NOT: linalg.generic
func.func @others(%x: memref<64xf32>, %y: memref<8x64xf32>) {
  linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
                  iterator_types = ["parallel"]}
      ins(%x : memref<64xf32>) outs(%x : memref<64xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %in : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, affine_map<(d0, d1) -> (d1)>],
                  iterator_types = ["reduction", "parallel"]}
      ins(%y : memref<8x64xf32>) outs(%x : memref<64xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %out : f32
    linalg.yield %0 : f32
  }
  return
}

// Named ops; functions stay for quant-approximate-math; a size of 1 that is
// spread, f64, and a scalar.
// CHECK-LABEL: func @named
// CHECK: vector.load %arg0[{{.*}}] : memref<4x6x32xf32>, vector<32xf32>
// CHECK: vector.store {{.*}} : memref<6x4x32xf32>, vector<32xf32>
// CHECK: math.exp {{.*}} : vector<32xf32>
// CHECK: memref.load %arg2[%{{.*}}, %c0]
// CHECK: arith.divf {{.*}} : vector<32xf64>
// CHECK-NOT: linalg
func.func @named(%x: memref<4x6x32xf32>, %y: memref<6x4x32xf32>, %s: memref<64x1xf64>,
                 %z: memref<64x64xf64>, %e: memref<64x64xf32>, %v: f32) {
  linalg.transpose ins(%x : memref<4x6x32xf32>) outs(%y : memref<6x4x32xf32>)
    permutation = [1, 0, 2]
  linalg.exp ins(%e : memref<64x64xf32>) outs(%e : memref<64x64xf32>)
  linalg.generic {indexing_maps = [#id, affine_map<(d0, d1) -> (d0, 0)>, #id],
                  iterator_types = ["parallel", "parallel"]}
      ins(%z, %s : memref<64x64xf64>, memref<64x1xf64>) outs(%z : memref<64x64xf64>) {
  ^bb0(%in: f64, %scale: f64, %out: f64):
    %0 = arith.divf %in, %scale : f64
    linalg.yield %0 : f64
  }
  linalg.fill ins(%v : f32) outs(%e : memref<64x64xf32>)
  return
}

// A transposed operand has no neighbours; libm has no vectors of sin; a short
// row is not worth it; a position is not an operand.
// CHECK-LABEL: func @negative
// CHECK-COUNT-4: linalg.generic
func.func @negative(%x: memref<64x64xf32>, %sum: memref<64xf32>, %short: memref<64x8xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<64x64xf32>) outs(%x : memref<64x64xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = linalg.index 1 : index
    %1 = arith.index_cast %0 : index to i32
    %2 = arith.sitofp %1 : i32 to f32
    linalg.yield %2 : f32
  }
  linalg.generic {indexing_maps = [#columns, #rows], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<64x64xf32>) outs(%sum : memref<64xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.maximumf %in, %out : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<64x64xf32>) outs(%x : memref<64x64xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = math.sin %in : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%short : memref<64x8xf32>) outs(%short : memref<64x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %in : f32
    linalg.yield %0 : f32
  }
  return
}
