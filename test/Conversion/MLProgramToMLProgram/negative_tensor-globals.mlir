// RUN: quant-opt %s --quant-tensor-globals --verify-diagnostics --split-input-file

// expected-error @+1 {{'ml_program.global' op expected a global of a ranked tensor, or one at the top of the module of a number with its value; found one of 'i64'}}
ml_program.global private mutable @none : i64

// -----

// expected-error @+1 {{found one of 'vector<4xf32>'}}
ml_program.global private @vector(dense<1.0> : vector<4xf32>) : vector<4xf32>

// -----

// expected-error @+1 {{found one of 'tensor<*xf32>'}}
ml_program.global private @unranked(dense<1.0> : tensor<4xf32>) : tensor<*xf32>

// -----

module {
  module {
    // expected-error @+1 {{found one of 'i64'}}
    ml_program.global private @inner(1 : i64) : i64
  }
}

// -----

// expected-error @+1 {{expected a value of tensor type 'tensor<4xf32>', found one of 'memref<4xf32>'}}
ml_program.global private mutable @memref_value(dense<0.0> : memref<4xf32>) : tensor<4xf32>

// -----

// expected-error @+1 {{expected a value of tensor type 'tensor<4xf32>', found one of 'vector<4xf32>'}}
ml_program.global private mutable @vector_value(dense<0.0> : vector<4xf32>) : tensor<4xf32>
