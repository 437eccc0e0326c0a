// RUN: quant-opt %s --quant-externalize-constants='file=%t.weights min-bytes=8' | FileCheck %s
// RUN: %python -c "d = open('%t.weights', 'rb').read(); assert d[:8] == b'QUANTWTS' and d[8:12] == bytes([1, 0, 0, 0]) and int.from_bytes(d[16:24], 'little') == len(d) == 136, d; assert d[64:76] == bytes(range(1, 13)) and d[76:128] == bytes(52) and d[128:] == bytes([9, 0, 8, 0, 7, 0, 6, 0]), d"
// RUN: quant-opt %s --quant-externalize-constants='file=%t.weights min-bytes=8 symbol=at' | FileCheck %s --check-prefix=NAMED
// RUN: not quant-opt %s --quant-externalize-constants 2>&1 | FileCheck %s --check-prefix=NO-FILE
// RUN: not quant-opt %s --quant-externalize-constants='file=%t.weights symbol=f' 2>&1 | FileCheck %s --check-prefix=TAKEN
// RUN: not quant-opt %s --quant-externalize-constants=file=%t.none/w 2>&1 | FileCheck %s --check-prefix=FOLDER
// RUN: not quant-opt %s --quant-externalize-constants='file=/dev/full min-bytes=8' 2>&1 | FileCheck %s --check-prefix=FULL
// RUN: test -c /dev/full

// CHECK: llvm.mlir.global external @quantWeights() {{.*}}: !llvm.ptr
// CHECK-NOT: @large
// CHECK-NOT: @shorts
// CHECK: llvm.mlir.global private constant @small
// CHECK: llvm.mlir.global private constant @splat
// CHECK: llvm.mlir.global private @variable
// NAMED: llvm.mlir.global external @at()
// NO-FILE: error: expected the option `file`, where the constants go
// TAKEN: error: the symbol 'f' is taken
// FOLDER: error: {{.*}}No such file or directory
// FOLDER-NOT: see current operation
// FULL: error: '/dev/full': No space left on device
llvm.mlir.global private constant @large(dense<[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]> : tensor<12xi8>) {alignment = 64 : i64} : !llvm.array<12 x i8>
llvm.mlir.global private constant @shorts(dense<[9, 8, 7, 6]> : tensor<4xi16>) : !llvm.array<4 x i16>
llvm.mlir.global private constant @small(dense<[1, 2]> : tensor<2xi8>) : !llvm.array<2 x i8>
llvm.mlir.global private constant @splat(dense<3> : tensor<64xi8>) : !llvm.array<64 x i8>
llvm.mlir.global private @variable(dense<[1, 2, 3, 4, 5, 6, 7, 8]> : tensor<8xi8>) : !llvm.array<8 x i8>

// CHECK-LABEL: @f
llvm.func @f() -> !llvm.struct<(ptr, ptr, ptr, ptr, ptr)> {
  // CHECK: %[[VARIABLE:.*]] = llvm.mlir.addressof @quantWeights : !llvm.ptr
  // CHECK: %[[BASE:.*]] = llvm.load %[[VARIABLE]] invariant : !llvm.ptr -> !llvm.ptr
  // CHECK: %[[AT:.*]] = llvm.mlir.constant(64 : i64) : i64
  // CHECK: %[[LARGE:.*]] = llvm.getelementptr %[[BASE]][%[[AT]]] : (!llvm.ptr, i64) -> !llvm.ptr, i8
  // CHECK: llvm.mlir.constant(128 : i64)
  // CHECK: llvm.mlir.addressof @small
  // CHECK: llvm.insertvalue %[[LARGE]]
  %large = llvm.mlir.addressof @large : !llvm.ptr
  %shorts = llvm.mlir.addressof @shorts : !llvm.ptr
  %small = llvm.mlir.addressof @small : !llvm.ptr
  %splat = llvm.mlir.addressof @splat : !llvm.ptr
  %variable = llvm.mlir.addressof @variable : !llvm.ptr
  %s0 = llvm.mlir.undef : !llvm.struct<(ptr, ptr, ptr, ptr, ptr)>
  %s1 = llvm.insertvalue %large, %s0[0] : !llvm.struct<(ptr, ptr, ptr, ptr, ptr)>
  %s2 = llvm.insertvalue %shorts, %s1[1] : !llvm.struct<(ptr, ptr, ptr, ptr, ptr)>
  %s3 = llvm.insertvalue %small, %s2[2] : !llvm.struct<(ptr, ptr, ptr, ptr, ptr)>
  %s4 = llvm.insertvalue %splat, %s3[3] : !llvm.struct<(ptr, ptr, ptr, ptr, ptr)>
  %s5 = llvm.insertvalue %variable, %s4[4] : !llvm.struct<(ptr, ptr, ptr, ptr, ptr)>
  llvm.return %s5 : !llvm.struct<(ptr, ptr, ptr, ptr, ptr)>
}
