// RUN: quant-opt %s --split-input-file --verify-diagnostics --quant-lower-collectives=all=true

shard.grid @ranks(shape = 2x2)
func.func @grid(%x: tensor<4xf32>) -> tensor<8xf32> {
  // expected-error @below {{expected all ranks of a grid of one static dimension}}
  %0 = shard.all_gather %x on @ranks grid_axes = [1] gather_axis = 0 : tensor<4xf32> -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// -----

shard.grid @ranks(shape = 2)
func.func @kind(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{expected a sum, a maximum or an or of bits, found product}}
  %0 = shard.all_reduce %x on @ranks grid_axes = [0] reduction = product : tensor<4xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

shard.grid @ranks(shape = 2)
func.func @element(%x: tensor<4xindex>) -> tensor<8xindex> {
  // expected-error @below {{expected elements that are integers or floats, found 'index'}}
  %0 = shard.all_gather %x on @ranks grid_axes = [0] gather_axis = 0 : tensor<4xindex> -> tensor<8xindex>
  return %0 : tensor<8xindex>
}

// -----

shard.grid @ranks(shape = 2)
func.func @wider(%x: tensor<4xf32>) -> tensor<4xf64> {
  // expected-error @below {{expected ranked tensors of one type, of f32, f64, i8, i16, i32 or i64, found 'tensor<4xf32>' and 'tensor<4xf64>'}}
  %0 = shard.all_reduce %x on @ranks grid_axes = [0] : tensor<4xf32> -> tensor<4xf64>
  return %0 : tensor<4xf64>
}

// -----

shard.grid @ranks(shape = 2)
func.func @half(%x: tensor<4xf16>) -> tensor<4xf16> {
  // expected-error @below {{of f32, f64, i8, i16, i32 or i64, found 'tensor<4xf16>'}}
  %0 = shard.all_reduce %x on @ranks grid_axes = [0] : tensor<4xf16> -> tensor<4xf16>
  return %0 : tensor<4xf16>
}

// -----

shard.grid @ranks(shape = 2)
func.func @buffer(%x: memref<4xf32>) -> memref<4xf32> {
  // expected-error @below {{expected ranked tensors of one type}}
  %0 = shard.all_reduce %x on @ranks grid_axes = [0] : memref<4xf32> -> memref<4xf32>
  return %0 : memref<4xf32>
}

// -----

shard.grid @ranks(shape = 2)
func.func @empty(%x: tensor<0xf32>) -> tensor<0xf32> {
  // expected-warning @below {{expected dlti.map of the module with MPI:Implementation OpenMPI or MPICH, found none}}
  %0 = shard.all_gather %x on @ranks grid_axes = [0] gather_axis = 0 : tensor<0xf32> -> tensor<0xf32>
  return %0 : tensor<0xf32>
}

// -----

shard.grid @ranks(shape = 2)
func.func @or(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{expected integers for an or of bits, found 'tensor<4xf32>'}}
  %0 = shard.all_reduce %x on @ranks grid_axes = [0] reduction = bitwise_or : tensor<4xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

module attributes {dlti.map = #dlti.map<"MPI:Implementation" = "LAM">} {
  shard.grid @ranks(shape = 2)
  func.func @implementation(%x: tensor<4xf32>) -> tensor<8xf32> {
    // expected-error @below {{MPI:Implementation OpenMPI or MPICH, found "LAM"}}
    %0 = shard.all_gather %x on @ranks grid_axes = [0] gather_axis = 0 : tensor<4xf32> -> tensor<8xf32>
    return %0 : tensor<8xf32>
  }
}

// -----

module attributes {dlti.map = #dlti.map<"MPI:Implementation" = "MPICH">} {
  shard.grid @ranks(shape = 2)
  func.func @large(%x: tensor<32768x16384xf32>) -> tensor<65536x16384xf32> {
    // expected-error @below {{expected a part of less than 2^31 bytes, found 'tensor<32768x16384xf32>'}}
    %0 = shard.all_gather %x on @ranks grid_axes = [0] gather_axis = 0 : tensor<32768x16384xf32> -> tensor<65536x16384xf32>
    return %0 : tensor<65536x16384xf32>
  }
}

// -----

shard.grid @ranks(shape = 2)
func.func @divided_static(%x: tensor<8x6xf32>) -> tensor<?x6xf32> {
  // expected-error @below {{expected ranked tensors of one element type, f32, f64, i8, i16, i32 or i64, with the same dynamic sizes, found 'tensor<8x6xf32>' and 'tensor<?x6xf32>'}}
  %0 = shard.reduce_scatter %x on @ranks grid_axes = [0] scatter_axis = 0 : tensor<8x6xf32> -> tensor<?x6xf32>
  return %0 : tensor<?x6xf32>
}

// -----

shard.grid @ranks(shape = 2)
func.func @divided_wider(%x: tensor<8x6xf32>) -> tensor<4x6xf64> {
  // expected-error @below {{expected ranked tensors of one element type, f32, f64, i8, i16, i32 or i64, with the same dynamic sizes, found 'tensor<8x6xf32>' and 'tensor<4x6xf64>'}}
  %0 = shard.reduce_scatter %x on @ranks grid_axes = [0] scatter_axis = 0 : tensor<8x6xf32> -> tensor<4x6xf64>
  return %0 : tensor<4x6xf64>
}

// -----

shard.grid @ranks(shape = 2)
func.func @divided_or(%x: tensor<4xf32>) -> tensor<2xf32> {
  // expected-error @below {{expected integers for an or of bits, found 'tensor<4xf32>'}}
  %0 = shard.reduce_scatter %x on @ranks grid_axes = [0] reduction = bitwise_or scatter_axis = 0 : tensor<4xf32> -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

module attributes {dlti.map = #dlti.map<"MPI:Implementation" = "MPICH">} {
  shard.grid @ranks(shape = 2)
  func.func @divided_large(%x: tensor<4294967296x4294967296xf32>) -> tensor<2147483648x4294967296xf32> {
    // expected-error @below {{expected a part of less than 2^31 bytes, found 'tensor<4294967296x4294967296xf32>'}}
    %0 = shard.reduce_scatter %x on @ranks grid_axes = [0] scatter_axis = 0 : tensor<4294967296x4294967296xf32> -> tensor<2147483648x4294967296xf32>
    return %0 : tensor<2147483648x4294967296xf32>
  }
}

// -----

shard.grid @ranks(shape = 3000000000)
func.func @many(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error @below {{expected 1 to 2147483647 ranks, as MPI counts them, found 3000000000}}
  %0 = shard.reduce_scatter %x on @ranks grid_axes = [0] scatter_axis = 0 : tensor<?xf32> -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

shard.grid @ranks(shape = 2)
func.func @large_sum(%x: tensor<65536x32768xi32>) -> tensor<65536x32768xi32> {
  // expected-error @below {{expected a part of less than 2^31 elements, found 'tensor<65536x32768xi32>'}}
  %0 = shard.all_reduce %x on @ranks grid_axes = [0] : tensor<65536x32768xi32> -> tensor<65536x32768xi32>
  return %0 : tensor<65536x32768xi32>
}

// -----

// Whatever the size that the run knows.
module attributes {dlti.map = #dlti.map<"MPI:Implementation" = "MPICH">} {
  shard.grid @ranks(shape = 2)
  func.func @large_rows(%x: tensor<?x4294967296x4294967296xi8>) -> tensor<?x4294967296x4294967296xi8> {
    // expected-error @below {{expected a part of less than 2^31 bytes, found}}
    %0 = shard.all_gather %x on @ranks grid_axes = [0] gather_axis = 0 : tensor<?x4294967296x4294967296xi8> -> tensor<?x4294967296x4294967296xi8>
    return %0 : tensor<?x4294967296x4294967296xi8>
  }
}

// -----

shard.grid @ranks(shape = 2)
// expected-error @below {{expected no symbol MPI_*, PMPI_* or ompi_* in a program that calls MPI, whose library has those; found @MPI_Allgather}}
func.func @MPI_Allgather(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = shard.all_reduce %x on @ranks grid_axes = [0] : tensor<4xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// What the library has is called as it is declared.
module attributes {dlti.map = #dlti.map<"MPI:Implementation" = "OpenMPI">} {
  shard.grid @ranks(shape = 2)
  func.func private @MPI_Barrier(!llvm.ptr) -> i32
  llvm.func @MPI_Comm_size(!llvm.ptr, !llvm.ptr) -> i32
  // expected-error @below {{expected llvm.func @MPI_Comm_rank of the MPI library's type '!llvm.func<i32 (ptr, ptr)>', found '!llvm.func<i32 (i32)>'}}
  llvm.func @MPI_Comm_rank(i32) -> i32
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    %0 = shard.all_reduce %x on @ranks grid_axes = [0] : tensor<4xf32> -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
}

// -----

module attributes {dlti.map = #dlti.map<"MPI:Implementation" = "MPICH">} {
  shard.grid @ranks(shape = 2)
  // expected-error @below {{expected llvm.func @MPI_Allgather of the MPI library's type '!llvm.func<i32 (ptr, i32, i32, ptr, i32, i32, i32)>', found func.func}}
  func.func private @MPI_Allgather(!llvm.ptr) -> i32
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    %0 = shard.all_reduce %x on @ranks grid_axes = [0] : tensor<4xf32> -> tensor<4xf32>
    return %0 : tensor<4xf32>
  }
}

// -----

// expected-error @below {{expected a rank of the grid as quant.rank, found 2}}
module attributes {quant.rank = 2 : i64} {
  shard.grid @ranks(shape = 2)
}

// -----

// expected-error @below {{expected an integer as quant.rank, and a grid of one dimension, found 0 : i64 and 0 grids}}
module attributes {quant.rank = 0 : i64} {
}

// -----

// MPI counts ranks in i32.
module attributes {quant.rank = 0 : i64} {
  // expected-error @below {{expected at most 2147483647 ranks, as MPI counts them, found 4294967297}}
  shard.grid @ranks(shape = 4294967297)
}
