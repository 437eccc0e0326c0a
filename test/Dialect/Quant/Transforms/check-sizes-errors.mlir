// RUN: quant-opt %s -quant-check-sizes -split-input-file -verify-diagnostics

// expected-error@+1 {{expected no function named `dprintf` but that of the C library, which a program whose sizes are compared calls}}
func.func private @dprintf(f32)

func.func @f(%v: tensor<?xf32>) -> tensor<5xf32> {
  %c = tensor.cast %v : tensor<?xf32> to tensor<5xf32>
  return %c : tensor<5xf32>
}

// -----

// expected-error@+1 {{expected no function named `dprintf` but that of the C library, which a program whose sizes are compared calls}}
llvm.func @dprintf(i32, ...) -> i32

func.func @f(%v: tensor<?xf32>) -> tensor<5xf32> {
  %c = tensor.cast %v : tensor<?xf32> to tensor<5xf32>
  return %c : tensor<5xf32>
}
