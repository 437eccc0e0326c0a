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

// expected-error @below {{expected vectors of up to 2^32 bytes, found 'vector<2147483648xf32>'}}
llvm.func @bytes(%x: vector<2147483648xf32>) {
  llvm.return
}

// -----

// expected-error @below {{expected vectors of less than 2^32 elements, found 'vector<4611686018427387904xf32>'}}
llvm.func @lanes(%x: vector<4611686018427387904xf32>) {
  llvm.return
}

// -----

// expected-error @below {{expected a constant of arrays of less than 2^32 elements, found '!llvm.array<4294967296 x array<0 x i8>>'}}
llvm.mlir.global private constant @rows(dense<> : tensor<4294967296x0xi8>) : !llvm.array<4294967296 x array<0 x i8>>

// -----

// LLVM's verifier: "initializer type does not match global variable type".
// expected-error @below {{expected a constant of the sizes of its type, '!llvm.array<16 x array<0 x f32>>', found 'tensor<64x0xf32>'}}
llvm.mlir.global private constant @empty(dense_resource<none> : tensor<64x0xf32>) : !llvm.array<16 x array<0 x f32>>

{-# dialect_resources: { builtin: { none: "0x04000000" } } #-}

// -----

// expected-error @below {{'!llvm.array<4 x f32>', found 'tensor<2x2xf32>'}}
llvm.mlir.global private constant @flat(dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>) : !llvm.array<4 x f32>

// -----

// expected-error @below {{'vector<2xf32>', found 'tensor<2xf32>'}}
llvm.mlir.global private constant @tensor(dense<[1.0, 2.0]> : tensor<2xf32>) : vector<2xf32>

// -----

llvm.func @constant() -> !llvm.array<2 x array<2 x f32>> {
  // expected-error @below {{'!llvm.array<2 x array<2 x f32>>', found 'tensor<4xf32>'}}
  %0 = llvm.mlir.constant(dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>) : !llvm.array<2 x array<2 x f32>>
  llvm.return %0 : !llvm.array<2 x array<2 x f32>>
}

// -----

// Translation writes zeros.
// expected-error @below {{expected elements of 'f32', found 'tensor<2xi8>'}}
llvm.mlir.global private constant @integers(dense<[1, 2]> : tensor<2xi8>) : !llvm.array<2 x f32>

// -----

// Of floats that LLVM does not know, integers are the bits.
// expected-error @below {{expected elements of 'i4', found 'tensor<2xbf16>'}}
llvm.mlir.global private constant @bits(dense<[1.0, 2.0]> : tensor<2xbf16>) : !llvm.array<2 x i4>

// -----

// expected-error @below {{expected a constant of '!llvm.array<4 x i8>', found 1 : i8}}
llvm.mlir.global private constant @one(1 : i8) : !llvm.array<4 x i8>

// -----

// expected-error @below {{expected a constant of '!llvm.array<3 x i8>', found [1 : i8, 2 : i8]}}
llvm.mlir.global private constant @list([1 : i8, 2 : i8]) : !llvm.array<3 x i8>

// -----

// expected-error @below {{found [[1 : i32], [2 : i32, 3 : i32]]}}
llvm.mlir.global private constant @nested([[1 : i32], [2 : i32, 3 : i32]]) : !llvm.array<2 x array<1 x i32>>

// -----

// expected-error @below {{expected elements of 'f16', found 'tensor<2xbf16>'}}
llvm.mlir.global private constant @other(dense<[1.0, 2.0]> : tensor<2xbf16>) : !llvm.array<2 x f16>

// -----

// What translation does write: splats, and vectors within arrays.
llvm.mlir.global private constant @splat(dense<1.0> : tensor<8xf32>) : !llvm.array<2 x array<4 x f32>>
llvm.mlir.global private constant @vectors(dense<[[1.0, 2.0]]> : vector<1x2xf32>) : !llvm.array<1 x vector<2xf32>>
llvm.mlir.global private constant @bits(dense<[1.0, 2.0]> : tensor<2xf32>) : !llvm.array<2 x i32>
llvm.mlir.global private constant @complex(dense<[(1.0, 2.0), (1.0, 3.0)]> : tensor<2xcomplex<f32>>) : !llvm.array<2 x struct<(f32, f32)>>
llvm.mlir.global private constant @sparse(sparse<[[0]], [1.0]> : tensor<2xf32>) : !llvm.array<2 x f32>
llvm.mlir.global private constant @text("abc") : !llvm.array<3 x i8>
llvm.mlir.global private constant @scales(dense_resource<scales> : tensor<2xf8E8M0FNU>) : !llvm.array<2 x i8>
llvm.mlir.global private constant @numbers(dense_resource<numbers> : tensor<1xindex>) : !llvm.array<1 x i64>

{-# dialect_resources: { builtin: { scales: "0x010000007F80", numbers: "0x080000000100000000000000" } } #-}

// -----

// expected-error @below {{expected a blob of whole bytes for each element of 'tensor<2xi4>'}}
llvm.mlir.global private constant @short(dense_resource<short> : tensor<2xi4>) : !llvm.array<2 x i4>

{-# dialect_resources: { builtin: { short: "0x01000000FD" } } #-}

// -----

// Packed as DenseElementsAttr has them.
// expected-error @below {{expected a blob of whole bytes for each element of 'tensor<9xi1>'}}
llvm.mlir.global private constant @packed(dense_resource<packed> : tensor<9xi1>) : !llvm.array<9 x i1>

{-# dialect_resources: { builtin: { packed: "0x010000000301" } } #-}

// -----

// expected-error @below {{expected a blob of bytes of 0 and 1 for 'tensor<2xi1>'}}
llvm.mlir.global private constant @two(dense_resource<two> : tensor<2xi1>) : !llvm.array<2 x i1>

{-# dialect_resources: { builtin: { two: "0x010000000102" } } #-}

// -----

// expected-error @below {{expected a blob of whole bytes for each element of 'tensor<2xi24>'}}
llvm.mlir.global private constant @cut(dense_resource<cut> : tensor<2xi24>) : !llvm.array<2 x i24>

{-# dialect_resources: { builtin: { cut: "0x010000000102030405" } } #-}
