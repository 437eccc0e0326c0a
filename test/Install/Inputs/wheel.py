"""What a wheel has to do where nothing of LLVM is: utils/build-wheel.sh runs it."""

import glob
import os
import tempfile

import numpy as np
import quantmlir

assert not glob.glob("/usr/lib/**/libLLVM*", recursive=True)
version = quantmlir.__version__  # loads the library
loaded = {line.split()[-1] for line in open("/proc/self/maps") if ".so" in line}
own = {os.path.basename(path).split(".so")[0].split("-")[0] for path in loaded
       if "quantmlir" in path}
assert {"libLLVM", "libMLIR", "libquantmlir"} <= own, sorted(loaded)

rng = np.random.default_rng(0)
weight = rng.standard_normal((256, 128)).astype(np.float32)
program = f"""
func.func @main(%x: tensor<8x256xf32>) -> tensor<8x128xf32> {{
  %zero = arith.constant dense<0.0> : tensor<8x128xf32>
  %w = arith.constant dense<"0x{weight.tobytes().hex()}"> : tensor<256x128xf32>
  %y = linalg.matmul ins(%x, %w : tensor<8x256xf32>, tensor<256x128xf32>) outs(%zero : tensor<8x128xf32>) -> tensor<8x128xf32>
  return %y : tensor<8x128xf32>
}}
"""
x = rng.standard_normal((8, 256)).astype(np.float32)
expected = x @ weight
for target in ("x86", "generic"):
    m = quantmlir.compile(program, target=target,
                          quantize="weights=channel activations=dynamic-token")
    y = m(x)
    error = np.linalg.norm(y - expected) / np.linalg.norm(expected)
    assert 0 < error < 0.02, error
with tempfile.TemporaryDirectory() as folder:
    # No linker here: an object.
    m.save(f"{folder}/model.o")
    assert np.array_equal(quantmlir.load(f"{folder}/model.o")(x), y)
    # quant-run, a process of its own.
    report = m.report(x)
    report.to_html(f"{folder}/report.html")
    assert report.data["compare"]["results"][0]["sqnr_db"] > 30
print(f"quantmlir {version}: compiled, run, saved, loaded, reported")
