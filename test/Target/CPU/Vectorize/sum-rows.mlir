// RUN: quant-opt --quant-sum-rows --canonicalize --cse %s | FileCheck %s
// RUN: quant-opt --quant-sum-rows %s -o /dev/null

#id = affine_map<(d0, d1) -> (d0, d1)>
#rows = affine_map<(d0, d1) -> (d0)>
#kept = affine_map<(d0, d1) -> (d0, 0)>

// 64 elements are four times 16 lanes; halves of them are added; the old value
// comes last.
// CHECK-LABEL: func @squares
// CHECK: scf.for %[[ROW:.*]] = %c0 to %c19 step %c1
// CHECK: %[[LANES:.*]] = scf.for {{.*}} to %c64 step %c16 iter_args(%[[ACC:.*]] = %{{.*}}) -> (vector<16xf64>)
// CHECK: arith.extf %{{.*}} : vector<16xf32> to vector<16xf64>
// CHECK: %[[SQUARE:.*]] = arith.mulf
// CHECK: arith.addf %[[ACC]], %[[SQUARE]] : vector<16xf64>
// CHECK-NOT: mask
// CHECK: %[[OLD:.*]] = memref.load %arg1[%[[ROW]], %c0]
// CHECK: arith.addf {{.*}} : vector<8xf64>
// CHECK: arith.addf {{.*}} : vector<4xf64>
// CHECK: arith.addf {{.*}} : vector<2xf64>
// CHECK: arith.addf {{.*}} : vector<1xf64>
// CHECK: arith.addf %{{.*}}, %[[OLD]] : f64
// CHECK: } {quant.independent = 64 : i64}
func.func @squares(%x: memref<19x64xf32>, %sum: memref<19x1xf64>) {
  linalg.generic {indexing_maps = [#id, #kept], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<19x64xf32>) outs(%sum : memref<19x1xf64>) {
  ^bb0(%in: f32, %out: f64):
    %0 = arith.extf %in : f32 to f64
    %1 = arith.mulf %0, %0 : f64
    %2 = arith.addf %1, %out : f64
    linalg.yield %2 : f64
  }
  return
}

// A rest under a mask; a number of the row in all lanes; elements that do not
// follow each other in memory are added in the same order.
// CHECK-LABEL: func @rest
// CHECK: memref.load %arg1[%{{.*}}]
// CHECK: vector.transfer_read %arg0{{.*}} : memref<?x?xf32, strided<[?, 2]>>, vector<16xf32>
// CHECK: vector.create_mask
// CHECK: vector.transfer_read %arg0{{.*}}, %{{.*}}, %{{.*}} : memref<?x?xf32, strided<[?, 2]>>, vector<16xf32>
// CHECK: arith.select %{{.*}} : vector<16xi1>, vector<16xf32>
func.func @rest(%x: memref<?x?xf32, strided<[?, 2]>>, %mean: memref<?xf32>, %sum: memref<?xf32>) {
  linalg.generic {indexing_maps = [#id, #rows, #rows], iterator_types = ["parallel", "reduction"]}
      ins(%x, %mean : memref<?x?xf32, strided<[?, 2]>>, memref<?xf32>) outs(%sum : memref<?xf32>) {
  ^bb0(%in: f32, %m: f32, %out: f32):
    %0 = arith.subf %in, %m : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// A whole tensor is one row.
// CHECK-LABEL: func @one_row
// CHECK: scf.for {{.*}} to %c32 step %c16
// CHECK-NOT: linalg
func.func @one_row(%x: memref<32xf32>, %sum: memref<f32>) {
  linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> ()>],
                  iterator_types = ["reduction"]}
      ins(%x : memref<32xf32>) outs(%sum : memref<f32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %out : f32
    linalg.yield %0 : f32
  }
  return
}

// Fewer elements than lanes; two reductions; a division of integers, which a
// lane outside of a mask may not do; libm has no vectors of sin; no sum.
// CHECK-LABEL: func @negative
// CHECK-COUNT-5: linalg.generic
// CHECK-NOT: scf.for
func.func @negative(%short: memref<8x15xf32>, %x: memref<8x64xf32>, %n: memref<8x64xi32>,
                    %sum: memref<8xf32>, %all: memref<f32>) {
  linalg.generic {indexing_maps = [#id, #rows], iterator_types = ["parallel", "reduction"]}
      ins(%short : memref<8x15xf32>) outs(%sum : memref<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %out : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, affine_map<(d0, d1) -> ()>], iterator_types = ["reduction", "reduction"]}
      ins(%x : memref<8x64xf32>) outs(%all : memref<f32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %out : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, #rows], iterator_types = ["parallel", "reduction"]}
      ins(%n : memref<8x64xi32>) outs(%sum : memref<8xf32>) {
  ^bb0(%in: i32, %out: f32):
    %0 = arith.divsi %in, %in : i32
    %1 = arith.sitofp %0 : i32 to f32
    %2 = arith.addf %1, %out : f32
    linalg.yield %2 : f32
  }
  linalg.generic {indexing_maps = [#id, #rows], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<8x64xf32>) outs(%sum : memref<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = math.sin %in : f32
    %1 = arith.addf %0, %out : f32
    linalg.yield %1 : f32
  }
  linalg.generic {indexing_maps = [#id, #rows], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<8x64xf32>) outs(%sum : memref<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %out : f32
    linalg.yield %0 : f32
  }
  return
}

// What the body adds up is read by nothing else.
// CHECK-LABEL: func @negative_read_twice
// CHECK: linalg.generic
func.func @negative_read_twice(%x: memref<19x64xf32>, %sum: memref<19x1xf32>) {
  linalg.generic {indexing_maps = [#id, #kept], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<19x64xf32>) outs(%sum : memref<19x1xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %out, %in : f32
    %1 = arith.mulf %0, %in : f32
    linalg.yield %0 : f32
  }
  return
}
