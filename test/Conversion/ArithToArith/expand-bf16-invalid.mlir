// RUN: quant-opt --quant-expand-bf16 --split-input-file --verify-diagnostics %s

func.func @mode(%x: f32) -> bf16 {
  // expected-error @below {{expected rounding to nearest even, found toward_zero}}
  %0 = arith.truncf %x toward_zero : f32 to bf16
  return %0 : bf16
}

// -----

func.func @from_double(%x: f64) -> f4E2M1FN {
  // expected-error @below {{expected a conversion between 'f4E2M1FN' and f32 or narrower floats, found 'f64'}}
  %0 = arith.truncf %x : f64 to f4E2M1FN
  return %0 : f4E2M1FN
}

// -----

func.func @to_double(%x: f8E8M0FNU) -> f64 {
  // expected-error @below {{expected a conversion between 'f8E8M0FNU' and f32 or narrower floats, found 'f64'}}
  %0 = arith.extf %x : f8E8M0FNU to f64
  return %0 : f64
}

// -----

// Of a dynamic shape there are no constants: as it was.
func.func @dynamic(%x: tensor<?xf32>) -> tensor<?xf4E2M1FN> {
  %0 = arith.truncf %x : tensor<?xf32> to tensor<?xf4E2M1FN>
  return %0 : tensor<?xf4E2M1FN>
}

// -----

func.func @widened_f8(%x: tensor<4xf8E4M3FN>) -> tensor<4xf32> {
  // expected-error @below {{expected f4E2M1FN, f8E8M0FNU or floats of 16 bits or more where no constant is converted, found 'f8E4M3FN'}}
  %0 = arith.extf %x : tensor<4xf8E4M3FN> to tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @rounded_to_f6(%x: tensor<4xbf16>) -> tensor<4xf6E2M3FN> {
  // expected-error @below {{found 'f6E2M3FN'}}
  %0 = arith.truncf %x : tensor<4xbf16> to tensor<4xf6E2M3FN>
  return %0 : tensor<4xf6E2M3FN>
}
