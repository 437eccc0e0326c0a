// RUN: not quant-opt --quant-to-generic="quantize=no-such=1" %s 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not quant-opt --quant-to-x86="quantize=weight-bits=5" %s 2>&1 | FileCheck %s --check-prefix=BITS
// RUN: not quant-opt --quant-to-x86='quantize="weights=row"' %s 2>&1 | FileCheck %s --check-prefix=VALUE
// RUN: not quant-opt --quant-to-generic="stop-after=never" %s 2>&1 | FileCheck %s --check-prefix=STAGE

// NAME: error: quantize: no such option no-such; the options are activation-bits, activation-order, activation-scales, activations, attention, block-size, damping, exclude, group-size, include, {{.*}}weight-bits
// BITS: error: quantize: option 'weight-bits': expected 8, 6, 4, 3 or 2, found 5
// VALUE: error: quantize: option 'weights': expected tensor, channel or group, found 'row'
// STAGE: for the --stop-after option: expected quant, packed, target or llvm, found 'never'
// STAGE: cannot read `stop-after=never`; the options are account, profile, quantize, start-after, stop-after, strict

// Whoever misspells an option is told those that there are.
// RUN: not quant-opt --quant-to-x86="cpuu=haswell" %s 2>&1 | FileCheck %s --check-prefix=CPU
// RUN: not quant-opt --quant-to-nvvm="chips=sm_80" %s 2>&1 | FileCheck %s --check-prefix=CHIP
// CPU: error: no such option cpuu; the options are account, cpu, features, profile, quantize, schedules, start-after, stop-after, strict, threads
// CHIP: error: no such option chips; the options are account, chip, format, profile, quantize, start-after, stop-after, strict

// A pipeline of modules in one of functions.
// RUN: not quant-opt --pass-pipeline="builtin.module(func.func(quant-to-x86))" %s 2>&1 | FileCheck %s --check-prefix=NESTED
// NESTED: error: the pipeline is one of builtin.module, found it in func.func
// NESTED-NOT: Stack dump

// An error about an option does not print the program.
// RUN: not quant-opt --quant-to-generic="quantize=stats=%t.absent.json" %s 2>&1 | FileCheck %s --check-prefix=STATS
// STATS: error: {{.*}}absent.json
// STATS-NOT: see current operation
module {}
