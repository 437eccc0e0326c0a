// Stock translation divides by the number of bytes of a resource.
// RUN: quant-opt %s --quant-drop-foreign-attributes | FileCheck %s
// RUN: quant-opt %s --quant-drop-foreign-attributes | mlir-translate --mlir-to-llvmir | FileCheck %s --check-prefix=IR

// CHECK: llvm.mlir.global private constant @none(dense<> : tensor<16x0xf32>)
// IR: @none = private constant [16 x [0 x float]] zeroinitializer
llvm.mlir.global private constant @none(dense_resource<none> : tensor<16x0xf32>) : !llvm.array<16 x array<0 x f32>>

// CHECK: llvm.mlir.global private constant @some(dense_resource<some> : tensor<2xi8>)
// IR: @some = private constant [2 x i8] c"ab"
llvm.mlir.global private constant @some(dense_resource<some> : tensor<2xi8>) : !llvm.array<2 x i8>

// Numbers that do not fill bytes are written as a list, of their low bits.
// CHECK: llvm.mlir.global private constant @nibbles(dense<[-3, 7]> : tensor<2xi4>)
// IR: @nibbles = private constant [2 x i4] [i4 -3, i4 7]
llvm.mlir.global private constant @nibbles(dense_resource<nibbles> : tensor<2xi4>) : !llvm.array<2 x i4>

// CHECK: llvm.mlir.global private constant @bits(dense<[true, false, false, true, true, false, true, false, true]> : tensor<9xi1>)
// IR: @bits = private constant [9 x i1] [i1 true, i1 false, i1 false, i1 true, i1 true, i1 false, i1 true, i1 false, i1 true]
llvm.mlir.global private constant @bits(dense_resource<bits> : tensor<9xi1>) : !llvm.array<9 x i1>

// Nor does translation know other widths of whole bytes.
// CHECK: llvm.mlir.global private constant @triples(dense<[197121, -2]> : tensor<2xi24>)
// IR: @triples = private constant [2 x i24] [i24 197121, i24 -2]
llvm.mlir.global private constant @triples(dense_resource<triples> : tensor<2xi24>) : !llvm.array<2 x i24>

{-# dialect_resources: { builtin: { none: "0x04000000", some: "0x010000006162", nibbles: "0x01000000FD07", bits: "0x01000000010000010100010001", triples: "0x01000000010203FEFFFF" } } #-}
