# RUN: %python %s %build
"""A TOSA program with state: a window over the last steps' inputs, convolved.

Every step reads the state, writes the next one, and only then uses and returns
what it read. Over several steps all integers are the specification's.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from forms import tensor
from tosa import Rescale, const

BIN = pathlib.Path(sys.argv[1]) / "bin"
STEPS, KEPT, NEW, C, F, WINDOW, ZERO = 6, 4, 2, 6, 8, 3, -7
OUT = KEPT + NEW - WINDOW + 1
ATTRIBUTES = ("{acc_type = i32, dilation = array<i64: 1, 1>, "
              "pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>}")


def shape(name, values):
    return (f"    %{name} = tosa.const_shape {{values = dense<{list(values)}> : "
            f"tensor<4xindex>}} : () -> !tosa.shape<4>\n")


def program(weight, bias, rescale):
    state, x, both = (tensor((1, n, 1, C), "i8")
                      for n in (KEPT, NEW, KEPT + NEW))
    sums, y = (tensor((1, OUT, 1, F), k) for k in ("i32", "i8"))
    return f"""module {{
  tosa.variable @"net/state" = dense<{ZERO}> : {state}
  func.func @main(%x: {x}) -> ({y}, {state}) {{
{const("w", weight, "i8")}{const("b", bias, "i32")}{const("zx", [ZERO], "i8")}
{const("zw", [0], "i8")}{shape("start", (0, NEW, 0, 0))}
{shape("size", (1, KEPT, 1, C))}
    %old = tosa.variable_read @"net/state" : {state}
    %both = tosa.concat %old, %x {{axis = 1 : i32}} : ({state}, {x}) -> {both}
    %next = tosa.slice %both, %start, %size : ({both}, !tosa.shape<4>,
      !tosa.shape<4>) -> {state}
    tosa.variable_write @"net/state", %next : {state}
    %acc = tosa.conv2d %both, %w, %b, %zx, %zw {ATTRIBUTES} : ({both},
      {tensor(weight.shape, "i8")}, {tensor((F,), "i32")}, tensor<1xi8>,
      tensor<1xi8>) -> {sums}
{rescale.text("%acc", (1, OUT, 1, F))}
    return %y, %old : {y}, {state}
  }}
}}
"""


def simulate(steps, weight, bias, rescale):
    state, results, states = np.full((1, KEPT, 1, C), ZERO), [], []
    for x in steps:
        states.append(state)
        both = np.concatenate([state, x.astype(np.int64)], 1)
        state = both[:, -KEPT:]
        acc = sum((both[:, i:i + OUT] - ZERO) @ weight[:, i, 0].T
                  for i in range(WINDOW)) + bias
        results.append(rescale(acc))
    return np.stack(results), np.stack(states).astype(np.int8)


rng = np.random.default_rng(9)
w = rng.integers(-128, 128, (F, WINDOW, 1, C))
b = rng.integers(-3000, 3000, F)
requantize = Rescale(rng, F, 5000 * np.sqrt(C * WINDOW), "i8", 11, True)
inputs = rng.integers(-128, 128, (STEPS, 1, NEW, 1, C)).astype(np.int8)
expected = simulate(inputs, w, b, requantize)
for target in ("generic", "x86"):
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "model.mlir").write_text(
            program(w, b, requantize))
        np.save(f"{folder}/steps.npy", inputs)
        done = subprocess.run(
            [BIN / "quant-run", f"{folder}/model.mlir", f"--target={target}",
             f"--evaluate={folder}/steps.npy", f"--outputs={folder}"],
            capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        for i, wanted in enumerate(expected):
            got = np.load(f"{folder}/out{i}.npy")
            assert np.array_equal(got, wanted), \
                f"{target}: result {i} differs in {(got != wanted).sum()}"
