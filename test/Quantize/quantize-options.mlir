// Options are read once, into a scheme, and printed back as they were read.
// RUN: quant-opt %s --quant-quantize-matmul --dump-pass-pipeline 2>&1 | FileCheck %s --check-prefix=DEFAULT
// RUN: quant-opt %s --quant-quantize-matmul="weights=group group-size=0x40 weight-bits=4 weight-symmetric=false weight-scale=mse activations=static activation-bits=4 symmetric=0 observer=percentile attention rotation=hadamard128 rotation-seed=0x10 damping=1e-3 activation-order exclude={a,b[cd]*} report=False" --dump-pass-pipeline 2>&1 | FileCheck %s --check-prefix=SET
// RUN: quant-opt %s --quant-quantize-matmul="weight-scale=full-range-mse include='x y',\"it's\" exclude=a exclude=b,c" --dump-pass-pipeline 2>&1 | FileCheck %s --check-prefix=WORDS

// DEFAULT: quant-quantize-matmul{activation-bits=8 activation-order=false activation-scales=f32 activations=dynamic-token attention=false block-size=32 damping=5.000000e-02 group-size=32 observer=minmax recipe= report=false rotation=none rotation-seed=0 rounding=nearest scale-type=f32 stats= symmetric=true weight-bits=8 weight-format=int weight-scale=absmax weight-symmetric=true weights=channel}
// SET: quant-quantize-matmul{activation-bits=4 activation-order=true activation-scales=f32 activations=static attention=true block-size=32 damping=1.000000e-03 exclude={a,b[cd]*} group-size=64 observer=percentile recipe= report=false rotation=hadamard128 rotation-seed=16 rounding=nearest scale-type=f32 stats= symmetric=false weight-bits=4 weight-format=int weight-scale=mse weight-symmetric=false weights=group}
// WORDS: exclude={a,b,c} {{.*}}include={{[{][{]}}x y},it's} {{.*}}weight-scale=full-range-mse

// What is printed is read again.
// RUN: quant-opt %s --pass-pipeline="builtin.module(quant-quantize-matmul{activation-bits=4 activation-order=true activation-scales=f32 activations=static attention=true block-size=32 damping=1.000000e-03 exclude={a,b[cd]*} group-size=64 observer=percentile recipe= report=false rotation=hadamard128 rotation-seed=16 rounding=nearest scale-type=f32 stats= symmetric=false weight-bits=4 weight-format=int weight-scale=mse weight-symmetric=false weights=group})" --dump-pass-pipeline 2>&1 | FileCheck %s --check-prefix=SET

// A preset comes first, and the options after it change what it says.
// RUN: quant-opt %s --quant-quantize-matmul="w4a4-rot activation-bits=8 exclude=a" --dump-pass-pipeline 2>&1 | FileCheck %s --check-prefix=PRESET
// RUN: quant-opt %s --quant-to-generic="quantize={q4_0 block-size=32} stop-after=quant" --dump-pass-pipeline 2>&1 | FileCheck %s --check-prefix=GGUF
// RUN: quant-opt %s --quant-quantize-matmul="	w8a8	weight-bits=4 activation-bits=4" --dump-pass-pipeline 2>&1 | FileCheck %s --check-prefix=BLANKS
// RUN: not quant-opt %s --quant-quantize-matmul="rotation=none w8a8" 2>&1 | FileCheck %s --check-prefix=LATE
// RUN: not quant-opt %s --quant-quantize-matmul="q4_0 symmetric=false" 2>&1 | FileCheck %s --check-prefix=CLASH
// PRESET: activation-bits=8 {{.*}}activations=dynamic-block {{.*}}block-size=32 {{.*}}exclude={a} group-size=32 {{.*}}rotation=hadamard32 {{.*}}weight-bits=4 weight-format=int weight-scale=mse {{.*}}weights=group
// GGUF: activation-scales=q8_0 activations=dynamic-block {{.*}}weight-bits=4 weight-format=int weight-scale=full-range {{.*}}weights=group
// LATE: error: no such option w8a8; the options are activation-bits, {{.*}}; before them there may be one of w8a8, w8a8-rot,
// BLANKS: activation-bits=4 {{.*}}weight-bits=4 {{.*}}weights=channel
// CLASH: error: option 'activations=dynamic-block': blocks have no zero points, expected 'symmetric=true'

// A format says bits and groups, wherever it stands; what clashes with it is an
// error.
// RUN: quant-opt %s --quant-quantize-matmul="weight-format=nvfp4" --dump-pass-pipeline 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: quant-opt %s --quant-quantize-matmul="nvfp4 weight-scale=absmax" --dump-pass-pipeline 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: quant-opt %s --quant-quantize-matmul="group-size=128 weight-format=nf4" --dump-pass-pipeline 2>&1 | FileCheck %s --check-prefix=FREE
// RUN: quant-opt %s --quant-quantize-matmul="mxfp4 weight-format=int weight-bits=8" --dump-pass-pipeline 2>&1 | FileCheck %s --check-prefix=BACK
// RUN: not quant-opt %s --quant-quantize-matmul="group-size=64 weight-format=mxint8" 2>&1 | FileCheck %s --check-prefix=FIXED
// RUN: not quant-opt %s --quant-quantize-matmul="mxfp4 weight-bits=8" 2>&1 | FileCheck %s --check-prefix=BITS
// RUN: not quant-opt %s --quant-quantize-matmul="weights=channel weight-format=iq4_nl" 2>&1 | FileCheck %s --check-prefix=GRAIN
// RUN: not quant-opt %s --quant-quantize-matmul="weight-format=nf4 weight-symmetric=false" 2>&1 | FileCheck %s --check-prefix=SYMMETRIC
// RUN: not quant-opt %s --quant-quantize-matmul="weight-format=nf4 weight-scale=full-range-mse" 2>&1 | FileCheck %s --check-prefix=RANGE
// RUN: not quant-opt %s --quant-quantize-matmul="weight-format=fp4" 2>&1 | FileCheck %s --check-prefix=FORMATS
// RUN: quant-opt %s --quant-quantize-matmul="bitnet" --dump-pass-pipeline 2>&1 | FileCheck %s --check-prefix=TERNARY
// RUN: quant-opt %s --quant-quantize-matmul="weights=channel weight-format=ternary weight-scale=mse" --dump-pass-pipeline 2>&1 | FileCheck %s --check-prefix=TERNARIES
// RUN: quant-opt %s --quant-quantize-matmul="bitnet weight-format=nf4" --dump-pass-pipeline 2>&1 | FileCheck %s --check-prefix=GONE
// RUN: not quant-opt %s --quant-quantize-matmul="bitnet weight-bits=4" 2>&1 | FileCheck %s --check-prefix=TERNARY-BITS
// RUN: not quant-opt %s --quant-quantize-matmul="bitnet weight-scale=absmax" 2>&1 | FileCheck %s --check-prefix=TERNARY-SCALE
// RUN: not quant-opt %s --quant-quantize-matmul="weight-scale=absmean" 2>&1 | FileCheck %s --check-prefix=MEAN
// TERNARY: activations=dynamic-token {{.*}}weight-bits=2 weight-format=ternary weight-scale=absmean weight-symmetric=true weights=tensor
// TERNARIES: weight-bits=2 weight-format=ternary weight-scale=mse weight-symmetric=true weights=channel
// GONE: weight-bits=4 weight-format=nf4 weight-scale=absmax {{.*}}weights=group
// TERNARY-BITS: error: option 'weight-format=ternary': expected 'weight-bits=2', found 4
// TERNARY-SCALE: error: option 'weight-format=ternary': expected 'weight-scale=absmean' or 'weight-scale=mse'
// MEAN: error: option 'weight-scale=absmean': expected 'weight-format=ternary'
// FORMAT: group-size=16 {{.*}}weight-bits=4 weight-format=nvfp4 weight-scale=absmax weight-symmetric=true weights=group
// FREE: group-size=128 {{.*}}weight-bits=4 weight-format=nf4 {{.*}}weights=group
// BACK: group-size=32 {{.*}}weight-bits=8 weight-format=int weight-scale=mse {{.*}}weights=group
// FIXED: error: option 'weight-format=mxint8': expected 'group-size=32', found 64
// BITS: error: option 'weight-format=mxfp4': expected 'weight-bits=4', found 8
// GRAIN: error: option 'weight-format=iq4_nl': expected 'weights=group'
// SYMMETRIC: error: option 'weight-format=nf4': expected 'weight-symmetric=true'
// RANGE: error: option 'weight-format=nf4': expected 'weight-scale=absmax' or 'weight-scale=mse'
// FORMATS: error: option 'weight-format': expected int, mxfp4, nvfp4, mxint8, iq4_nl, nf4 or ternary, found 'fp4'

// RUN: not quant-opt %s --quant-quantize-matmul="weights=row" 2>&1 | FileCheck %s --check-prefix=ENUM
// RUN: not quant-opt %s --quant-quantize-matmul="observer=" 2>&1 | FileCheck %s --check-prefix=EMPTY
// RUN: not quant-opt %s --quant-quantize-matmul="symmetric=maybe" 2>&1 | FileCheck %s --check-prefix=BOOL
// RUN: not quant-opt %s --quant-quantize-matmul="group-size=a" 2>&1 | FileCheck %s --check-prefix=INT
// RUN: not quant-opt %s --quant-quantize-matmul="damping=little" 2>&1 | FileCheck %s --check-prefix=DOUBLE
// RUN: not quant-opt %s --quant-quantize-matmul="weight-bits=-8" 2>&1 | FileCheck %s --check-prefix=UNSIGNED
// RUN: not quant-opt %s --quant-quantize-matmul="weights=tensor weights=channel" 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not quant-opt %s --quant-quantize-matmul="=3" 2>&1 | FileCheck %s --check-prefix=NAMELESS
// RUN: not quant-opt %s --quant-quantize-matmul="wieghts=tensor" 2>&1 | FileCheck %s --check-prefix=NAME

// Braces as deep as the stack, with partners and without.
// RUN: %python -c "import json; json.dump({'version': 1, 'matmuls': [{'name': 'x', 'options': 'stats=' + 300000 * '{[(' + 300000 * ']'}]}, open(r'%t.json', 'w'))"
// RUN: quant-opt %s --quant-quantize-matmul=recipe=%t.json 2>&1 | FileCheck %s --check-prefix=DEEP
// DEEP: warning: recipe '{{.*}}.json': no matmul fits 'x'

// ENUM: error: option 'weights': expected tensor, channel or group, found 'row'
// EMPTY: error: option 'observer': expected minmax, moving-average, percentile, mse or kl, found ''
// BOOL: error: option 'symmetric': expected true or false, found 'maybe'
// INT: error: option 'group-size': expected an integer, found 'a'
// DOUBLE: error: option 'damping': expected a number, found 'little'
// UNSIGNED: error: option 'weight-bits': expected a number, found '-8'
// TWICE: error: option 'weights' is given twice
// NAMELESS: error: expected the name of an option, found '=3'
// NAME: error: no such option wieghts; the options are activation-bits, activation-order, activation-scales, activations, attention, block-size, damping, exclude, group-size, include, observer, recipe, report, rotation, rotation-seed, rounding, scale-type, stats, symmetric, weight-bits, weight-format, weight-scale, weight-symmetric, weights
module {}
