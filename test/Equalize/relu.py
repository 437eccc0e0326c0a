# RUN: %python %s %t | FileCheck %s
"""quant-equalize folds scales through ReLU into the layer before it, however
ReLU is written: the scales are powers of two here, so that the float program
must stay the same to the bit. ReLU6 does not commute with a scale."""

import pathlib
import subprocess
import sys

import numpy as np

WORK = pathlib.Path(sys.argv[1])
WORK.mkdir(parents=True, exist_ok=True)
RNG = np.random.default_rng(11)
ROWS, D, H = 6, 16, 40
RELUS = {
    "maximum": "%r = arith.maximumf %a, %zero : f32",
    "maxnum, zero first": "%r = arith.maxnumf %zero, %a : f32",
    "select": "%p = arith.cmpf ugt, %a, %zero : f32\n"
              "      %r = arith.select %p, %a, %zero : f32",
    "clamp of TOSA": "%m = arith.minimumf %a, %most : f32\n"
                     "      %r = arith.maximumf %m, %zero : f32",
    "ReLU6": "%m = arith.minimumf %a, %six : f32\n"
             "      %r = arith.maximumf %m, %zero : f32",
    "selects what is below": "%p = arith.cmpf ult, %a, %zero : f32\n"
                             "      %r = arith.select %p, %a, %zero : f32"}


def constant(name, array):
    raw = array.astype("<f4").tobytes().hex().upper()
    shape = "x".join(map(str, array.shape))
    return f'%{name} = arith.constant dense<"0x{raw}"> : tensor<{shape}xf32>'


def program(relu):
    return f"""
#id = affine_map<(m, n) -> (m, n)>
#col = affine_map<(m, n) -> (n)>
func.func @main(%x: tensor<{ROWS}x{D}xf32>) -> tensor<{ROWS}x{D}xf32> {{
  %zero = arith.constant 0.0 : f32
  %most = arith.constant 0x7F7FFFFF : f32
  %six = arith.constant 6.0 : f32
  {constant("w1", RNG.normal(size=(D, H)) * np.exp(RNG.normal(size=H)))}
  {constant("b1", RNG.normal(size=H))}
  {constant("w2", RNG.normal(size=(H, D)))}
  {constant("z1", np.zeros((ROWS, H)))}
  {constant("z2", np.zeros((ROWS, D)))}
  %1 = linalg.matmul ins(%x, %w1 : tensor<{ROWS}x{D}xf32>, tensor<{D}x{H}xf32>) outs(%z1 : tensor<{ROWS}x{H}xf32>) -> tensor<{ROWS}x{H}xf32>
  %e = tensor.empty() : tensor<{ROWS}x{H}xf32>
  %2 = linalg.generic {{indexing_maps = [#id, #col, #id], iterator_types = ["parallel", "parallel"]}} ins(%1, %b1 : tensor<{ROWS}x{H}xf32>, tensor<{H}xf32>) outs(%e : tensor<{ROWS}x{H}xf32>) {{
    ^bb0(%a0: f32, %b: f32, %c: f32):
      %a = arith.addf %a0, %b : f32
      {relu}
      linalg.yield %r : f32
  }} -> tensor<{ROWS}x{H}xf32>
  %3 = linalg.matmul ins(%2, %w2 : tensor<{ROWS}x{H}xf32>, tensor<{H}x{D}xf32>) outs(%z2 : tensor<{ROWS}x{D}xf32>) -> tensor<{ROWS}x{D}xf32>
  return %3 : tensor<{ROWS}x{D}xf32>
}}
"""


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True,
                          text=True)
    if done.returncode:
        sys.exit(f"{command}:\n{done.stderr}")
    return done


def output(path):
    run("quant-run", path, f"--inputs={WORK}/x.npy", f"--outputs={WORK}/out")
    return np.load(WORK / "out" / "out0.npy")


np.save(WORK / "x.npy", RNG.normal(size=(ROWS, D)).astype(np.float32))
for name, relu in RELUS.items():
    path, equalized = WORK / "program.mlir", WORK / "equalized.mlir"
    path.write_text(program(relu))
    run("quant-run", path, f"--calibrate={WORK}/x.npy",
        f"--stats-output={WORK}/stats.json")
    done = run("quant-opt", path, "-quant-equalize=power-of-two=true report="
               f"true stats={WORK}/stats.json", "-o", equalized)
    said = [line.split("scales of ")[1] for line in done.stderr.splitlines()
            if "scales of" in line]
    same = np.array_equal(output(path), output(equalized))
    print(f"{name}: {said[0].split(' at run time')[0]}, "
          f"{'the same' if same else 'OTHER'} results")

# The scales of the program's argument cannot be folded.
# CHECK: maximum: 1 folded into constants, 1 multiplied, the same results
# CHECK-NEXT: maxnum, zero first: 1 folded into constants, 1 multiplied, the same
# CHECK-NEXT: select: 1 folded into constants, 1 multiplied, the same results
# CHECK-NEXT: clamp of TOSA: 1 folded into constants, 1 multiplied, the same
# CHECK-NEXT: ReLU6: 0 folded into constants, 2 multiplied, the same results
# CHECK-NEXT: selects what is below: 0 folded into constants, 2 multiplied, the
