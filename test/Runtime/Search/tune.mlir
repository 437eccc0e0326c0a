// --tune measures schedules of each size of matmul and writes a file that
// --schedules reads; the program computes the same with it.
// REQUIRES: cpu-avx2
// RUN: quant-run %s --entry=static --target=x86 --cpu=haswell --quantize --tune=%t.json 2>/dev/null | FileCheck %s --check-prefix=TABLE
// RUN: FileCheck %s --check-prefix=FILE --input-file=%t.json
// RUN: quant-run %s --entry=static --target=x86 --cpu=haswell --quantize --random-inputs=3 --outputs=%t.model
// RUN: quant-run %s --entry=static --target=x86 --cpu=haswell --quantize --random-inputs=3 --outputs=%t.tuned --schedules=%t.json
// RUN: cmp %t.model/out0.npy %t.tuned/out0.npy
// RUN: quant-run %s --entry=dynamic --target=x86 --cpu=haswell --quantize --tune=%t.any.json 2>/dev/null | FileCheck %s --check-prefix=ANY

// TABLE: cost model {{ *}}measured
// TABLE-NEXT: M x N x K tried tile blockM blockK us tile blockM blockK us
// TABLE-NEXT: 33 x 48 x 64 {{[0-9]+}} {{[0-9]+}} x {{[0-9]+}}
// TABLE-NOT: x 48 x 64
// FILE: {"version": 1, "cpu": "haswell", "schedules": [
// FILE-NEXT: {"instruction": "vpmaddwd_256", "m": 33, "n": 48, "k": 64,
// FILE-NEXT: "rows": {{[1-9]}}, "columns": {{[0-9]+}}, "blockM": {{[0-9]+}}, "blockK": 0}
// FILE-NEXT: ]}
// ANY: ? x 48 x 64

// RUN: not quant-run %s --entry=static --target=x86 --cpu=haswell --tune=%t.none.json 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not ls %t.none.json
// RUN: not quant-run %s --entry=static --tune=%t.none.json 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not quant-run %s --entry=static --target=x86 --tune=a --schedules=b 2>&1 | FileCheck %s --check-prefix=BOTH
// NONE: error: --tune: no matmul of the program has a schedule
// TARGET: error: --tune needs --target=x86
// BOTH: error: --schedules and --tune: expected one of them, found both

// The same size twice is measured once.
func.func @static(%x: tensor<33x64xf32>) -> tensor<33x48xf32> {
  %w = arith.constant dense<0.5> : tensor<64x48xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<33x48xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<33x48xf32>) -> tensor<33x48xf32>
  %y = linalg.matmul ins(%x, %w : tensor<33x64xf32>, tensor<64x48xf32>) outs(%f : tensor<33x48xf32>) -> tensor<33x48xf32>
  %v = arith.constant dense<0.25> : tensor<64x48xf32>
  %z = linalg.matmul ins(%x, %v : tensor<33x64xf32>, tensor<64x48xf32>) outs(%y : tensor<33x48xf32>) -> tensor<33x48xf32>
  return %z : tensor<33x48xf32>
}

func.func @dynamic(%x: tensor<?x64xf32>) -> tensor<?x48xf32> {
  %w = arith.constant dense<0.5> : tensor<64x48xf32>
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x64xf32>
  %e = tensor.empty(%m) : tensor<?x48xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x48xf32>) -> tensor<?x48xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x64xf32>, tensor<64x48xf32>) outs(%f : tensor<?x48xf32>) -> tensor<?x48xf32>
  return %y : tensor<?x48xf32>
}
