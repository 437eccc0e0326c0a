// RUN: quant-opt %s --quant-drop-foreign-attributes --split-input-file --verify-diagnostics

// Translation would divide by the size of one, and read the other's bytes as
// what they are not.

// expected-error @below {{expected a constant of static shape, found 'memref<16x?xf32>'}}
llvm.mlir.global private constant @none(dense_resource<none> : memref<16x?xf32>) : !llvm.array<16 x array<0 x f32>>

{-# dialect_resources: { builtin: { none: "0x04000000" } } #-}

// -----

// expected-error @below {{expected a constant of as many elements as its type has, of 'bf16', found 'tensor<2xi8>'}}
llvm.mlir.global private constant @some(dense_resource<some> : tensor<2xi8>) : !llvm.array<2 x bf16>

{-# dialect_resources: { builtin: { some: "0x010000006162" } } #-}

// -----

// expected-error @below {{of 'bf16', found 'tensor<2xf16>'}}
llvm.mlir.global private constant @half(dense_resource<half> : tensor<2xf16>) : !llvm.array<2 x bf16>

{-# dialect_resources: { builtin: { half: "0x02000000003C003C" } } #-}

// -----

// expected-error @below {{of 'i32', found 'tensor<2xindex>'}}
llvm.mlir.global private constant @index(dense_resource<index> : tensor<2xindex>) : !llvm.array<2 x i32>

{-# dialect_resources: { builtin: { index: "0x080000000100000000000000" } } #-}

// -----

// expected-error @below {{of 'i8', found 'tensor<2xi8>'}}
llvm.mlir.global private constant @few(dense_resource<few> : tensor<2xi8>) : !llvm.array<3 x i8>

{-# dialect_resources: { builtin: { few: "0x010000006162" } } #-}

// -----

// expected-error @below {{expected vectors of less than 2^32 elements, found 'vector<4611686018427387904xf32>'}}
llvm.func @lanes(%x: vector<4611686018427387904xf32>) {
  llvm.return
}

// -----

// expected-error @below {{expected a constant of arrays of less than 2^32 elements, found '!llvm.array<4294967296 x array<0 x i8>>'}}
llvm.mlir.global private constant @rows(dense<> : tensor<4294967296x0xi8>) : !llvm.array<4294967296 x array<0 x i8>>
