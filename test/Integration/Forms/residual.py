# RUN: %python %s %build
"""A tensor that is added to a quantized layer's result is added in the layer's
rescale, and every bit is what the addition apart gives: the rescale is rounded,
then the sum."""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from quantsim import schemes

import forms
from forms import tensor

TARGETS = ["generic", "x86"]
ADD = """{
    ^bb0(%a: f32, %b: f32, %o: f32):
      %s = arith.addf %a, %b : f32
      linalg.yield %s : f32
    }"""
RELU = """{
    ^bb0(%a: f32, %o: f32):
      %s = arith.maximumf %a, %zero : f32
      linalg.yield %s : f32
    }"""


def layer(name, weight, rows, k, n):
    y = tensor((rows, n))
    return f"""
    %{name} = linalg.matmul ins(%x, %{weight} : {tensor((rows, k))},
      {tensor((k, n))}) outs(%init : {y}) -> {y}"""


def program(dynamic, residual, first, relu, m, n, k, w, other):
    """A layer of `w` plus a constant, or plus the layer of another weight."""
    rows = None if dynamic else m
    y = tensor((rows, n))
    literal = lambda array: f'dense<"0x{array.astype("<f4").tobytes().hex()}">'
    size = "%d" if dynamic else ""
    text = f"""func.func @main(%x: {tensor((rows, k))}) -> {y} {{
    %zero = arith.constant 0.0 : f32
    %c0 = arith.constant 0 : index
    %d = tensor.dim %x, %c0 : {tensor((rows, k))}
    %w = arith.constant {literal(w)} : {tensor(w.shape)}
    %other = arith.constant {literal(other)} : {tensor(other.shape)}
    %empty = tensor.empty({size}) : {y}
    %init = linalg.fill ins(%zero : f32) outs(%empty : {y}) -> {y}"""
    text += layer("sum", "w", rows, k, n)
    added = "%other"
    if residual == "layer":
        text += layer("r", "other", rows, k, n)
        added = "%r"
    pair = f"{added}, %sum" if first else f"%sum, {added}"
    maps = lambda count: forms.maps(2, *[(0, 1)] * count)
    text += f"""
    %added = linalg.generic {{indexing_maps = {maps(3)}, iterator_types =
      {forms.iterators("pp")}}} ins({pair} : {y}, {y}) outs(%empty : {y})
      {ADD} -> {y}"""
    result = "%added"
    if relu:
        result = "%relu"
        text += f"""
    %relu = linalg.generic {{indexing_maps = {maps(2)}, iterator_types =
      {forms.iterators("pp")}}} ins(%added : {y}) outs(%empty : {y})
      {RELU} -> {y}"""
    return f"module {{\n  {text}\n    return {result} : {y}\n  }}\n}}\n"


def count_residuals(text, scheme):
    done = subprocess.run(
        [str(forms.BUILD / "bin" / "quant-opt"),
         f"--quant-to-generic=quantize={{{scheme}}} stop-after=quant"],
        input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.count(" residual(")


def main():
    rng = np.random.default_rng(11)
    failed = count = 0
    choices = [(m, n, k, *rest)
               for m, n, k in ((5, 7, 3), (2, 33, 65), (17, 48, 130))
               for rest in ((False, "constant", False, False),
                            (False, "constant", True, True),
                            (False, "layer", False, True),
                            (True, "layer", True, False))]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for m, n, k, dynamic, residual, first, relu in choices:
            x = rng.normal(size=(m, k)).astype(np.float32)
            w = rng.normal(size=(k, n)).astype(np.float32)
            shape = (k, n) if residual == "layer" else (m, n)
            other = rng.normal(size=shape).astype(np.float32)
            text = program(dynamic, residual, first, relu, m, n, k, w, other)
            for scheme in forms.SCHEMES:
                linear = schemes.QuantLinear(schemes.Scheme.parse(scheme))
                of = lambda v: linear(x, np.ascontiguousarray(v.T))
                added = of(other) if residual == "layer" else other
                expected = of(w) + added
                if relu:
                    expected = np.maximum(expected, np.float32(0))
                what = f"{m}x{n}x{k} {residual} {dynamic} {scheme}"
                if count_residuals(text, scheme) != 1:
                    failed += 1
                    print(f"FAIL {what}: the addition is not in the rescale")
                for target in TARGETS:
                    count += 1
                    got = forms.run(text, x, target, scheme, folder)
                    if not np.array_equal(got, expected):
                        failed += 1
                        print(f"FAIL {what} {target}: max difference "
                              f"{np.abs(got - expected).max()}")
    print(f"{count} runs, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
