// What the tool says about a command line or a program that it cannot run.
// RUN: rm -rf %t && mkdir %t
// RUN: %make-npy %t/x.npy "np.zeros((2, 3), np.float32)"

// RUN: not quant-run %t/absent.mlir 2>&1 | FileCheck %s --check-prefix=MODEL
// MODEL: error: {{.*}}absent.mlir: No such file or directory

// RUN: not quant-run %s --entry=first --random-inputs=1 -O4 2>&1 | FileCheck %s --check-prefix=LEVEL
// RUN: not quant-run %s --entry=first --random-inputs=1 -Ofast 2>&1 | FileCheck %s --check-prefix=LEVEL
// RUN: not quant-run %s --entry=first --target=x86 --tune=%t/t.json -O0 2>&1 | FileCheck %s --check-prefix=TUNED
// LEVEL: error: -O: expected 0 to 3, found '{{4|fast}}'
// TUNED: error: --tune: expected no -O beside it

// RUN: echo 'func.func @main(' > %t/broken.mlir
// RUN: not quant-run %t/broken.mlir 2>&1 | FileCheck %s --check-prefix=BROKEN
// BROKEN: broken.mlir:{{[0-9]+:[0-9]+}}: error: expected

// RUN: not quant-run %s --inputs=%t/x.npy 2>&1 | FileCheck %s --check-prefix=NOENTRY
// NOENTRY: error: {{.*}}negative_options.mlir: expected a public function 'main' or only one public function, found: first, second, scalar, quarter

// RUN: not quant-run %s --entry=third --inputs=%t/x.npy 2>&1 | FileCheck %s --check-prefix=ENTRY
// RUN: not quant-run %s --entry=hidden --inputs=%t/x.npy 2>&1 | FileCheck %s --check-prefix=HIDDEN
// ENTRY: error: {{.*}}: expected a public function 'third', found: first, second, scalar, quarter
// HIDDEN: error: {{.*}}: expected a public function 'hidden', found: first, second, scalar, quarter

// RUN: not quant-run %s --entry=scalar 2>&1 | FileCheck %s --check-prefix=SCALAR
// RUN: not quant-run %s --entry=quarter 2>&1 | FileCheck %s --check-prefix=QUARTER
// SCALAR: error: {{.*}}: 'scalar' argument 0: expected a ranked tensor of i1, i4, i8, i16, i32, i64, f16, bf16, f32 or f64, found f32
// QUARTER: error: {{.*}}: 'quarter' result 0: expected a ranked tensor of i1, i4, i8, i16, i32, i64, f16, bf16, f32 or f64, found tensor<2xi2>

// RUN: not quant-run %s --entry=first 2>&1 | FileCheck %s --check-prefix=COUNT0
// RUN: not quant-run %s --entry=first --inputs=%t/x.npy,%t/x.npy 2>&1 | FileCheck %s --check-prefix=COUNT2
// RUN: not quant-run %s --entry=first --inputs=%t/x.npy --random-inputs=1 2>&1 | FileCheck %s --check-prefix=BOTH
// COUNT0: error: 'first': expected 1 inputs (tensor<2x3xf32>), found 0 (--inputs=A.npy,... or --random-inputs=SEED)
// COUNT2: error: 'first': expected 1 inputs (tensor<2x3xf32>), found 2
// BOTH: error: --inputs and --random-inputs: expected one of them, found both

// RUN: not quant-run %s --entry=first --random-inputs=1 --target=x86 --cpu=pentagon 2>&1 | FileCheck %s --check-prefix=CPU
// RUN: not quant-run %s --entry=first --random-inputs=1 --target=x86 --features=avx 2>&1 | FileCheck %s --check-prefix=SIGN
// RUN: not quant-run %s --entry=first --random-inputs=1 --target=x86 --features=+mmx9 2>&1 | FileCheck %s --check-prefix=FEATURE
// RUN: not quant-run %s --entry=first --random-inputs=1 --cpu=skylake 2>&1 | FileCheck %s --check-prefix=GENERIC
// RUN: not quant-run %s --entry=first --random-inputs=1 --target=risc 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not quant-run %s --entry=first --random-inputs=1 --auto --min-sqnr=nan 2>&1 | FileCheck %s --check-prefix=NAN
// NAN: error: --min-sqnr: expected a number of dB, found nan
// CPU: error: --cpu: expected host or LLVM's name of an x86 CPU, found 'pentagon'
// SIGN: error: --features: expected +name or -name, found 'avx'
// FEATURE: error: --features: expected names of LLVM's x86 features, found '+mmx9'
// GENERIC: error: --cpu and --features need --target=x86
// TARGET: for the --target option: expected generic, x86, arm or nvvm, found 'risc'

// RUN: not quant-run %s --entry=first --random-inputs=1 --dims=-2 2>&1 | FileCheck %s --check-prefix=DIMS
// RUN: not quant-run %s --entry=first --inputs=%t/x.npy --dims=2 2>&1 | FileCheck %s --check-prefix=NODIMS
// DIMS: error: --dims: expected a size, found -2
// NODIMS: error: --dims needs --random-inputs

// RUN: not quant-run %s --entry=first --random-inputs=1 --quantize="weight-bits=5" 2>&1 | FileCheck %s --check-prefix=BITS
// RUN: not quant-run %s --entry=first --random-inputs=1 --quantize="bits=4" 2>&1 | FileCheck %s --check-prefix=OPTION
// RUN: not quant-run %s --entry=first --random-inputs=1 --quantize="weights=row" 2>&1 | FileCheck %s --check-prefix=ENUM
// BITS: error: --quantize: expected options of quant-quantize-matmul, found 'weight-bits=5': option 'weight-bits': expected 8, 6, 4, 3 or 2, found 5
// OPTION: error: --quantize: expected options of quant-quantize-matmul, found 'bits=4': {{.*}}no such option bits
// ENUM: error: --quantize: expected options of quant-quantize-matmul, found 'weights=row': option 'weights': expected tensor, channel or group, found 'row'

// RUN: not quant-run %s --entry=first --calibrate=%t/x.npy 2>&1 | FileCheck %s --check-prefix=STATS
// RUN: not quant-run %s --entry=first --random-inputs=1 --second-moments 2>&1 | FileCheck %s --check-prefix=MOMENTS
// RUN: not quant-run %s --entry=first --calibrate=%t/x.npy --stats-output=%t/s.json 2>&1 | FileCheck %s --check-prefix=NOMATMUL
// STATS: error: --calibrate and --stats-output: expected both or none
// MOMENTS: error: --second-moments needs --calibrate
// NOMATMUL: error: {{.*}}: 'first' has no float matmul, so there is nothing to calibrate

// RUN: not quant-run %s --entry=first --evaluate=%t/x.npy 2>&1 | FileCheck %s --check-prefix=EVALUATE
// RUN: not quant-run %s --entry=first --evaluate=%t/x.npy --outputs=%t/e --inputs=%t/x.npy 2>&1 | FileCheck %s --check-prefix=EVALINPUTS
// EVALUATE: error: --evaluate needs --outputs
// EVALINPUTS: error: --evaluate: expected none of --inputs, --random-inputs and --repeat beside it

// RUN: not quant-run %s --entry=first --random-inputs=1 --profile --report-html= 2>&1 | FileCheck %s --check-prefix=NOPAGE
// NOPAGE: error: --report-html: expected the name of a file, found none

// Nothing is written when something fails.
// RUN: not quant-run %s --entry=first --inputs=%t/x.npy --outputs=%s 2>&1 | FileCheck %s --check-prefix=OUTPUTS
// RUN: not quant-run %s --entry=first --inputs=%t/x.npy --report=%t/none/r.json 2>&1 | FileCheck %s --check-prefix=REPORT
// RUN: not quant-run %s --entry=first --inputs=%t/absent.npy --outputs=%t/out --report=%t/r.json
// RUN: not ls %t/out
// RUN: not ls %t/r.json
// OUTPUTS: error: '{{.*}}negative_options.mlir/out0.npy': Not a directory
// REPORT: error: '{{.*}}r.json': No such file or directory

func.func @first(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  return %x : tensor<2x3xf32>
}

func.func @second(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  return %x : tensor<2x3xf32>
}

func.func private @hidden(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  return %x : tensor<2x3xf32>
}

func.func @scalar(%x: f32) {
  return
}

func.func @quarter() -> tensor<2xi2> {
  %0 = arith.constant dense<1> : tensor<2xi2>
  return %0 : tensor<2xi2>
}
