// RUN: not quant-opt --quant-to-generic="quantize=no-such=1" %s 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not quant-opt --quant-to-x86="quantize=weight-bits=5" %s 2>&1 | FileCheck %s --check-prefix=BITS
// RUN: not quant-opt --quant-to-x86='quantize="weights=row"' %s 2>&1 | FileCheck %s --check-prefix=VALUE
// RUN: not quant-opt --quant-to-generic="stop-after=never" %s 2>&1 | FileCheck %s --check-prefix=STAGE

// NAME: error: quantize options: <Pass-Options-Parser>: no such option no-such
// BITS: error: option 'weight-bits': expected 8 or 4, found 5
// VALUE: error: quantize options: cannot read `weights=row`
// STAGE: Cannot find option named 'never'
module {}
