// Kinds of ops and ops, by their time; in the JSON report all of them.
// RUN: quant-run %s --target=generic --quantize=weights=channel --random-inputs=1 --profile --repeat=3 --report=%t.json | FileCheck %s --check-prefixes=CHECK,TIMED
// RUN: %python -c "import json; p = json.load(open('%t.json'))['profile']; print(sum(o['calls'] for o in p['ops']), sum(k['calls'] for k in p['kinds']), 0 < sum(o['ms'] for o in p['ops']) <= p['ms'])" | FileCheck %s --check-prefix=JSON
// RUN: quant-run %s --target=x86 --quantize=weights=channel --random-inputs=1 --profile | FileCheck %s --check-prefixes=CHECK,KERNEL --implicit-check-not="time x86"
// RUN: not quant-run %s --target=nvvm --random-inputs=1 --profile 2>&1 | FileCheck %s --check-prefix=NVVM
// RUN: not quant-run %s --random-inputs=1 --quantize --sensitivity --profile 2>&1 | FileCheck %s --check-prefix=ALONE

// A page without a comparison, and without a scheme.
// RUN: quant-run %s --target=generic --random-inputs=1 --profile --report-html=%t.html | FileCheck %s
// RUN: FileCheck %s --check-prefix=PAGE --implicit-check-not="quantized with" --implicit-check-not="Matmuls" < %t.html

// PAGE: <table id="profile-kinds">
// PAGE: <td class="left">elementwise</td><td data-value="
// PAGE: <table id="profile-ops">
// TIMED: time generic: {{.*}} of 3 runs
// CHECK: profile: {{[0-9.]+}} ms a run, {{[0-9.]+}} of them in ops
// CHECK-NEXT: ms share calls kind
// KERNEL-DAG: {{[0-9.]+ +[0-9.]+% +2 +packed_matmul$}}
// CHECK-DAG: {{[0-9.]+ +[0-9.]+% +[0-9]+ +elementwise$}}
// CHECK: ms share calls op
// KERNEL-DAG: packed_matmul ({{.*}}x4xi8, {{.*}}) {{.*}}profile.mlir:[[#]]:[[#]]
// JSON: [[N:[1-9][0-9]*]] [[N]] True
// NVVM: --profile: expected a target that runs on a CPU, found nvvm
// ALONE: --profile: expected none of --calibrate, --evaluate, --sensitivity, --auto and --tune beside it
func.func @main(%x: tensor<16x64xf32>) -> tensor<16x64xf32> {
  %w = arith.constant dense<0.5> : tensor<64x64xf32>
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<16x64xf32>
  %i = linalg.fill ins(%c : f32) outs(%e : tensor<16x64xf32>) -> tensor<16x64xf32>
  %y = linalg.matmul ins(%x, %w : tensor<16x64xf32>, tensor<64x64xf32>) outs(%i : tensor<16x64xf32>) -> tensor<16x64xf32>
  %a = linalg.exp ins(%y : tensor<16x64xf32>) outs(%e : tensor<16x64xf32>) -> tensor<16x64xf32>
  %z = linalg.matmul ins(%a, %w : tensor<16x64xf32>, tensor<64x64xf32>) outs(%i : tensor<16x64xf32>) -> tensor<16x64xf32>
  return %z : tensor<16x64xf32>
}
