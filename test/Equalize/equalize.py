# RUN: %python %s %t | FileCheck %s
"""quant-equalize: where scales go, and that the float program stays the same.

The program is a Llama block's MLP behind an RMSNorm, and the same with a
residual that reads the norm's result, so that gamma must not change.
"""

import pathlib
import subprocess
import sys

import numpy as np

WORK = pathlib.Path(sys.argv[1])
WORK.mkdir(parents=True, exist_ok=True)
RNG = np.random.default_rng(5)
ROWS, D, H = 6, 16, 40


def constant(name, array, shape):
    raw = "".join(f"{b:02X}" for b in array.astype("<f4").tobytes())
    return f'    %{name} = arith.constant dense<"0x{raw}"> : tensor<{shape}xf32>\n'


def matmul(name, x, w, rows, k, n):
    return f"""
    %e{name} = tensor.empty() : tensor<{k}x{n}xf32>
    %t{name} = linalg.transpose ins(%{w} : tensor<{n}x{k}xf32>) outs(%e{name} : tensor<{k}x{n}xf32>) permutation = [1, 0]
    %i{name} = tensor.empty() : tensor<{rows}x{n}xf32>
    %f{name} = linalg.fill ins(%zero : f32) outs(%i{name} : tensor<{rows}x{n}xf32>) -> tensor<{rows}x{n}xf32>
    %{name} = linalg.matmul ins(%{x}, %t{name} : tensor<{rows}x{k}xf32>, tensor<{k}x{n}xf32>) outs(%f{name} : tensor<{rows}x{n}xf32>) -> tensor<{rows}x{n}xf32>
"""


def elementwise(name, x, y, body, size, y_map="#id"):
    y_type = f"tensor<{size}xf32>" if y_map == "#col" else f"tensor<{ROWS}x{size}xf32>"
    return f"""
    %o{name} = tensor.empty() : tensor<{ROWS}x{size}xf32>
    %{name} = linalg.generic {{indexing_maps = [#id, {y_map}, #id], iterator_types = ["parallel", "parallel"]}} ins(%{x}, %{y} : tensor<{ROWS}x{size}xf32>, {y_type}) outs(%o{name} : tensor<{ROWS}x{size}xf32>) {{
    ^bb0(%a: f32, %b: f32, %c: f32):
{body}
    }} -> tensor<{ROWS}x{size}xf32>
"""


MUL = "      %r = arith.mulf %a, %b : f32\n      linalg.yield %r : f32"
ADD = "      %r = arith.addf %a, %b : f32\n      linalg.yield %r : f32"
RELU_MUL = ("      %z = arith.constant 0.0 : f32\n"
            "      %m = arith.maximumf %a, %z : f32\n"
            "      %r = arith.mulf %m, %b : f32\n      linalg.yield %r : f32")


def program(residual):
    """gamma * x and beta, two matmuls, their product, one matmul."""
    text = ("#id = affine_map<(d0, d1) -> (d0, d1)>\n"
            "#col = affine_map<(d0, d1) -> (d1)>\n"
            "module {\n"
            f"  func.func @main(%x: tensor<{ROWS}x{D}xf32>) -> tensor<{ROWS}x{D}xf32> {{\n"
            "    %zero = arith.constant 0.0 : f32\n")
    gamma = np.exp(RNG.normal(size=D) * 2)
    text += constant("gamma", gamma, D)
    text += constant("beta", gamma * RNG.normal(size=D), D)
    for name, shape in (("wg", (H, D)), ("wu", (H, D)), ("wd", (D, H))):
        text += constant(name, RNG.normal(size=shape) *
                         np.exp(RNG.normal(size=(shape[0], 1))),
                         "x".join(map(str, shape)))
    text += elementwise("g", "x", "gamma", MUL, D, "#col")
    text += elementwise("n", "g", "beta", ADD, D, "#col")
    text += matmul("gate", "n", "wg", ROWS, D, H)
    text += matmul("up", "n", "wu", ROWS, D, H)
    text += elementwise("h", "gate", "up", RELU_MUL, H)
    text += matmul("down", "h", "wd", ROWS, H, D)
    result = "down"
    if residual:
        text += elementwise("sum", "down", "n", ADD, D)
        result = "sum"
    return text + f"    return %{result} : tensor<{ROWS}x{D}xf32>\n  }}\n}}\n"


def run(*command, check=True):
    done = subprocess.run([str(c) for c in command], capture_output=True,
                          text=True)
    if check and done.returncode:
        sys.exit(f"{command}:\n{done.stderr}")
    return done


def output(path, x, *options):
    run("quant-run", path, f"--inputs={x}", f"--outputs={WORK}/out", *options)
    return np.load(WORK / "out" / "out0.npy")


def snr(a, b):
    return 10 * np.log10((a ** 2).sum() / ((a - b) ** 2).sum())


X = WORK / "in0.npy"
np.save(X, RNG.normal(size=(ROWS, D)).astype(np.float32))
STATS = WORK / "stats.json"
for residual in (False, True):
    path = WORK / f"program{residual}.mlir"
    path.write_text(program(residual))
    run("quant-run", path, f"--calibrate={X}", f"--stats-output={STATS}")
    plain = output(path, X)

    for options in ("", "power-of-two=true", "unfolded=skip"):
        done = run("quant-opt", path, f"-quant-equalize=stats={STATS} "
                   f"alpha=0.6 report=true {options}",
                   "-o", WORK / "equalized.mlir")
        for line in done.stderr.splitlines():
            if "remark" in line:
                print(residual, options or "default", line.split("remark: ")[1])
        got = output(WORK / "equalized.mlir", X)
        if "power" in options:
            print("equal to the bit:", np.array_equal(plain, got))
        else:
            assert snr(plain, got) > 110, snr(plain, got)
        if not options:
            before = snr(plain, output(path, X, "--quantize=weights=channel"))
            after = snr(plain, output(WORK / "equalized.mlir", X,
                                      "--quantize=weights=channel"))
            print("quantized is better:", after > before + 1)

# CHECK: False default 2 activations: scales of 2 folded into constants, 0 multiplied at run time, 0 left
# CHECK-NEXT: quantized is better: True
# CHECK-NEXT: False power-of-two=true 2 activations: scales of 2 folded
# CHECK-NEXT: equal to the bit: True
# CHECK-NEXT: False unfolded=skip 2 activations: scales of 2 folded
# CHECK-NEXT: True default 2 activations: scales of 1 folded into constants, 1 multiplied at run time, 0 left
# CHECK-NEXT: quantized is better: True
# CHECK-NEXT: True power-of-two=true 2 activations: scales of 1 folded into constants, 1 multiplied
# CHECK-NEXT: equal to the bit: True
# CHECK-NEXT: True unfolded=skip matmul is not equalized: no constant can take the activations' scales
# CHECK-NEXT: True unfolded=skip matmul is not equalized: no constant can take the activations' scales
# CHECK-NEXT: True unfolded=skip 2 activations: scales of 1 folded into constants, 0 multiplied at run time, 1 left

for options in ("", f"stats={STATS} alpha=2"):
    done = run("quant-opt", path, f"-quant-equalize={options}", check=False)
    print(done.stderr.split("error: ")[1].splitlines()[0])
# CHECK-NEXT: quant-equalize needs the option 'stats'
# CHECK-NEXT: option 'alpha': expected a number from 0 to 1, found 2

other = WORK / "other.mlir"
other.write_text(path.read_text().replace("@main", "@other"))
done = run("quant-opt", other, f"-quant-equalize=stats={STATS}", check=False)
print(done.stderr.split("error: ")[1].splitlines()[0])
# CHECK-NEXT: {{.*}}stats.json: the statistics are of another model: expected
