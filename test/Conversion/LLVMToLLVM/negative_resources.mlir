// RUN: quant-opt %s --quant-drop-foreign-attributes --split-input-file --verify-diagnostics

// Translation would divide by the size of one, and read the other's bytes as
// what they are not.

// expected-error @below {{expected a constant of static shape, found 'memref<16x?xf32>'}}
llvm.mlir.global private constant @none(dense_resource<none> : memref<16x?xf32>) : !llvm.array<16 x array<0 x f32>>

{-# dialect_resources: { builtin: { none: "0x04000000" } } #-}

// -----

// expected-error @below {{expected a constant of elements as wide as 'bf16', found 'tensor<2xi8>'}}
llvm.mlir.global private constant @some(dense_resource<some> : tensor<2xi8>) : !llvm.array<2 x bf16>

{-# dialect_resources: { builtin: { some: "0x010000006162" } } #-}
