"""Small folders for utils/reports.sh: make_reports.py good|bad|tools DIR [BIN]."""

import pathlib
import sys

import numpy as np

random = np.random.default_rng(7)


def write(folder, text, inputs, expected=()):
    folder.mkdir(parents=True)
    (folder / "model.mlir").write_text(text)
    for i, array in enumerate(inputs):
        np.save(folder / f"in{i}.npy", array)
    for i, array in enumerate(expected):
        np.save(folder / f"expected{i or ''}.npy", array)


def floats(array):
    return f'dense<"0x{array.astype(np.float32).tobytes().hex().upper()}">'


INTEGER = """
func.func @main(%x: tensor<?x12xi8>, %w: tensor<12x7xi8>) -> tensor<?x7xi32> {
  %c0 = arith.constant 0 : index
  %z = arith.constant 0 : i32
  %m = tensor.dim %x, %c0 : tensor<?x12xi8>
  %e = tensor.empty(%m) : tensor<?x7xi32>
  %i = linalg.fill ins(%z : i32) outs(%e : tensor<?x7xi32>) -> tensor<?x7xi32>
  %y = linalg.matmul ins(%x, %w : tensor<?x12xi8>, tensor<12x7xi8>)
    outs(%i : tensor<?x7xi32>) -> tensor<?x7xi32>
  return %y : tensor<?x7xi32>
}
"""
FLOAT = """
func.func @main(%x: tensor<3x16xf32>) -> tensor<3x5xf32> {{
  %w = arith.constant {} : tensor<16x5xf32>
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<3x5xf32>
  %i = linalg.fill ins(%z : f32) outs(%e : tensor<3x5xf32>) -> tensor<3x5xf32>
  %y = linalg.matmul ins(%x, %w : tensor<3x16xf32>, tensor<16x5xf32>)
    outs(%i : tensor<3x5xf32>) -> tensor<3x5xf32>
  return %y : tensor<3x5xf32>
}}
"""
DEPTHWISE = """
func.func @main(%x: tensor<1x6x6x4xf32>, %w: tensor<3x3x4xf32>)
    -> tensor<1x4x4x4xf32> {
  %z = arith.constant dense<0.0> : tensor<1x4x4x4xf32>
  %y = linalg.depthwise_conv_2d_nhwc_hwc
    ins(%x, %w : tensor<1x6x6x4xf32>, tensor<3x3x4xf32>)
    outs(%z : tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  return %y : tensor<1x4x4x4xf32>
}
"""
SUM = """
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = arith.addf %x, %x : tensor<4xf32>
  return %y : tensor<4xf32>
}
"""
# What no reader takes: %q is not defined.
BROKEN = """
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %q : tensor<4xf32>
}
"""


def make_good(root):
    x = random.integers(-128, 128, (5, 12)).astype(np.int8)
    w = random.integers(-128, 128, (12, 7)).astype(np.int8)
    write(root / "integer", INTEGER, [x, w],
          [x.astype(np.int32) @ w.astype(np.int32)])
    weight = random.standard_normal((16, 5)).astype(np.float32)
    x = random.standard_normal((3, 16)).astype(np.float32)
    write(root / "scheme", FLOAT.format(floats(weight)), [x],
          [(x.astype(np.float64) @ weight).astype(np.float32)])
    # No expected.npy: evaluated. No inputs: random ones.
    write(root / "depthwise", DEPTHWISE, [])
    write(root / "sum", SUM, [])
    write(root / "broken", BROKEN, [])
    folder = root / "matmulnbits_here"
    folder.mkdir()
    np.savez(folder / "w.npz", N=4, K=32, block_size=16, bits=4,
             B=random.integers(0, 256, (4, 2, 8)).astype(np.uint8),
             scales=random.uniform(0.1, 1, 8).astype(np.float32))
    np.save(folder / "x.npy",
            random.standard_normal((3, 32)).astype(np.float32))


def make_bad(root):
    x = random.integers(-128, 128, (5, 12)).astype(np.int8)
    w = random.integers(-128, 128, (12, 7)).astype(np.int8)
    wrong = x.astype(np.int32) @ w.astype(np.int32)
    wrong[2, 3] += 1
    write(root / "numbers", INTEGER, [x, w], [wrong])
    write(root / "depthwise", DEPTHWISE, [])
    write(root / "broken", BROKEN, [])
    write(root / "dies", SUM + "// KILL\n", [])
    (root / "damaged").mkdir()
    (root / "damaged" / "dies.mlir").write_text(SUM + "// KILL\n")
    (root / "damaged" / "broken.mlir").write_text(BROKEN)
    (root / "damaged" / "COMMANDS.md").write_text(
        "- `broken`: `quant-opt F --no-such-option`\n")


def make_tools(root, real):
    """Tools that say nothing, and die of a program that says KILL."""
    root.mkdir(parents=True)
    for name in ("quant-opt", "quant-run"):
        path = root / name
        path.write_text(f'#!/bin/sh\nfor f in "$@"; do\n'
                        '  case $f in *model.mlir | *dies.mlir)\n'
                        '    grep -q KILL "$f" && kill -SEGV $$ ;;\n'
                        f'  esac\ndone\nexec {real}/{name} "$@" 2>/dev/null\n')
        path.chmod(0o755)


kind, folder = sys.argv[1], pathlib.Path(sys.argv[2])
if kind == "tools":
    make_tools(folder, sys.argv[3])
else:
    {"good": make_good, "bad": make_bad}[kind](folder)
