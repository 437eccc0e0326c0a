// RUN: quant-opt %s --quant-set-nvvm-target=chip=sm_75 | FileCheck %s
// RUN: not quant-opt %s --quant-set-nvvm-target=chip=sm_42 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// CHECK: module attributes {qtarget.target = #qtarget.target<arch = "nvptx64", cpu = "sm_75",
// CHECK-SAME: features = ["dp4a", "mma.m8n8k16.s8"], l1d = 65536
// UNKNOWN: error: expected one of sm_61 sm_75 sm_80 sm_86 sm_89 sm_90 sm_90a sm_100, found chip `sm_42`
module {}
