# RUN: %python %s %build
"""Loops and branches that carry tensors, calls and state, against NumPy.

Each program runs on both targets, as it is and under a scheme; a loop of many
turns runs under a limit of memory that a leak in each turn would exceed.
"""

import os
import pathlib
import resource
import subprocess
import sys
import tempfile

import numpy as np

BIN = pathlib.Path(sys.argv[1]) / "bin"
SCHEME = "weights=channel activations=dynamic-token"
rng = np.random.default_rng(6)


def dense(array):
    return f'dense<"0x{array.astype(np.float32).tobytes().hex().upper()}">'


def product(result, x, w, m, k, n):
    """`result = x @ w`, in lines of its own names."""
    r = result.strip("%")
    return f"""
    %z{r} = arith.constant 0.0 : f32
    %e{r} = tensor.empty() : tensor<{m}x{n}xf32>
    %i{r} = linalg.fill ins(%z{r} : f32) outs(%e{r} : tensor<{m}x{n}xf32>) -> tensor<{m}x{n}xf32>
    {result} = linalg.matmul ins({x}, {w} : tensor<{m}x{k}xf32>, tensor<{k}x{n}xf32>)
      outs(%i{r} : tensor<{m}x{n}xf32>) -> tensor<{m}x{n}xf32>"""


M, D = 3, 24
W = (rng.standard_normal((D, D)) / np.sqrt(D)).astype(np.float32)
U = (rng.standard_normal((D, D)) / np.sqrt(D)).astype(np.float32)
X = rng.standard_normal((M, D)).astype(np.float32)
T = f"tensor<{M}x{D}xf32>"
COUNT = """
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %ni = tensor.extract %n[] : tensor<i64>
    %steps = arith.index_cast %ni : i64 to index"""
WEIGHTS = f"""
    %w = arith.constant {dense(W)} : tensor<{D}x{D}xf32>
    %u = arith.constant {dense(U)} : tensor<{D}x{D}xf32>"""

# A recurrent net: h = tanh(x w + h u).
RECURRENT = f"""
func.func @main(%x: {T}, %n: tensor<i64>) -> {T} {{{WEIGHTS}{COUNT}
    %zero = arith.constant dense<0.0> : {T}
    %r = scf.for %i = %c0 to %steps step %c1 iter_args(%h = %zero) -> ({T}) {{
    {product("%a", "%x", "%w", M, D, D)}{product("%b", "%h", "%u", M, D, D)}
    %s = arith.addf %a, %b : {T}
    %t = math.tanh %s : {T}
    scf.yield %t : {T}
    }}
    return %r : {T}
}}
"""


def recurrent(x, n):
    h = np.zeros_like(x)
    for _ in range(int(n)):
        h = np.tanh(x @ W + h @ U)
    return [h]


# Doubles until the sum of squares is past a limit that depends on the data.
WHILE = f"""
func.func @main(%x: {T}, %n: tensor<i64>) -> ({T}, tensor<i64>) {{{WEIGHTS}
    %limit = arith.constant 4000.0 : f32
    %zero = arith.constant 0.0 : f32
    %start = arith.constant 0 : i64
    %one = arith.constant 1 : i64
    %two = arith.constant dense<2.0> : {T}
    %r:2 = scf.while (%h = %x, %k = %start) : ({T}, i64) -> ({T}, i64) {{
      %e = tensor.empty() : tensor<f32>
      %f = linalg.fill ins(%zero : f32) outs(%e : tensor<f32>) -> tensor<f32>
      %s = linalg.generic {{indexing_maps = [affine_map<(i, j) -> (i, j)>,
        affine_map<(i, j) -> ()>], iterator_types = ["reduction", "reduction"]}}
        ins(%h : {T}) outs(%f : tensor<f32>) {{
      ^bb0(%a: f32, %o: f32):
        %p = arith.mulf %a, %a : f32
        %q = arith.addf %o, %p : f32
        linalg.yield %q : f32
      }} -> tensor<f32>
      %v = tensor.extract %s[] : tensor<f32>
      %c = arith.cmpf olt, %v, %limit : f32
      scf.condition(%c) %h, %k : {T}, i64
    }} do {{
    ^bb0(%h: {T}, %k: i64):{product("%y", "%h", "%w", M, D, D)}
      %d = arith.mulf %y, %two : {T}
      %k1 = arith.addi %k, %one : i64
      scf.yield %d, %k1 : {T}, i64
    }}
    %t = tensor.from_elements %r#1 : tensor<i64>
    return %r#0, %t : {T}, tensor<i64>
}}
"""


def until(x, n):
    h, k = x, 0
    while np.sum(h.astype(np.float64)**2) < 4000:
        h, k = 2 * (h @ W), k + 1
    return [h, np.array(k)]


# A branch in a branch: new on one side, what came in on the other.
BRANCH = f"""
func.func @main(%x: {T}, %n: tensor<i64>) -> {T} {{{WEIGHTS}
    %k = tensor.extract %n[] : tensor<i64>
    %zero = arith.constant 0 : i64
    %one = arith.constant 1 : i64
    %isZero = arith.cmpi eq, %k, %zero : i64
    %isOne = arith.cmpi eq, %k, %one : i64
    %r = scf.if %isZero -> ({T}) {{
      scf.yield %x : {T}
    }} else {{{product("%y", "%x", "%w", M, D, D)}
      %s = scf.if %isOne -> ({T}) {{{product("%v", "%y", "%u", M, D, D)}
        scf.yield %v : {T}
      }} else {{
        scf.yield %y : {T}
      }}
      scf.yield %s : {T}
    }}
    return %r : {T}
}}
"""


def branch(x, n):
    return [x if n == 0 else x @ W @ U if n == 1 else x @ W]


# A decode loop: a row more in a cache in each turn, by a function that is called
# with a constant; the rows up to now are summed.
ROWS = 16
C = f"tensor<{ROWS}x{D}xf32>"
R = f"tensor<1x{D}xf32>"
CACHE = f"""
func.func private @step(%x: {R}, %w: tensor<{D}x{D}xf32>) -> {R} {{
    {product("%y", "%x", "%w", 1, D, D)}
    return %y : {R}
}}
func.func @main(%x: {R}, %n: tensor<i64>) -> ({C}, {R}) {{{WEIGHTS}{COUNT}
    %zero = arith.constant 0.0 : f32
    %none = arith.constant dense<0.0> : {C}
    %r:2 = scf.for %i = %c0 to %steps step %c1
        iter_args(%c = %none, %h = %x) -> ({C}, {R}) {{
      %y = func.call @step(%h, %w) : ({R}, tensor<{D}x{D}xf32>) -> {R}
      %more = tensor.insert_slice %y into %c[%i, 0] [1, {D}] [1, 1] : {R} into {C}
      %m = arith.addi %i, %c1 : index
      %past = tensor.extract_slice %more[0, 0] [%m, {D}] [1, 1] : {C} to tensor<?x{D}xf32>
      %e = tensor.empty() : tensor<{D}xf32>
      %f = linalg.fill ins(%zero : f32) outs(%e : tensor<{D}xf32>) -> tensor<{D}xf32>
      %sum = linalg.generic {{indexing_maps = [affine_map<(t, d) -> (t, d)>,
        affine_map<(t, d) -> (d)>], iterator_types = ["reduction", "parallel"]}}
        ins(%past : tensor<?x{D}xf32>) outs(%f : tensor<{D}xf32>) {{
      ^bb0(%a: f32, %o: f32):
        %q = arith.addf %a, %o : f32
        linalg.yield %q : f32
      }} -> tensor<{D}xf32>
      %next = tensor.expand_shape %sum [[0, 1]] output_shape [1, {D}] : tensor<{D}xf32> into {R}
      scf.yield %more, %next : {C}, {R}
    }}
    return %r#0, %r#1 : {C}, {R}
}}
"""


def cache(x, n):
    c, h = np.zeros((ROWS, D), np.float32), x
    for i in range(int(n)):
        c[i] = (h @ W)[0]
        h = c[:i + 1].sum(0, keepdims=True)
    return [c, h]


# A tensor that has a row more after each turn: its type must not become that of
# the first.
GROW = f"""
func.func @main(%x: {R}, %n: tensor<i64>) -> tensor<?x{D}xf32> {{{WEIGHTS}{COUNT}
    %first = tensor.cast %x : {R} to tensor<?x{D}xf32>
    %r = scf.for %i = %c0 to %steps step %c1
        iter_args(%c = %first) -> (tensor<?x{D}xf32>) {{
      %m = tensor.dim %c, %c0 : tensor<?x{D}xf32>
      %at = arith.subi %m, %c1 : index
      %last = tensor.extract_slice %c[%at, 0] [1, {D}] [1, 1] : tensor<?x{D}xf32> to {R}
      {product("%y", "%last", "%w", 1, D, D)}
      %both = tensor.concat dim(0) %c, %y : (tensor<?x{D}xf32>, {R}) -> tensor<?x{D}xf32>
      scf.yield %both : tensor<?x{D}xf32>
    }}
    return %r : tensor<?x{D}xf32>
}}
"""


def grow(x, n):
    c = x
    for _ in range(int(n)):
        c = np.concatenate([c, c[-1:] @ W])
    return [c]


# State: weights in globals, loaded both ways; a tensor and a counter that each
# turn changes.
STATE = f"""
ml_program.global private @w({dense(W)} : tensor<{D}x{D}xf32>) : tensor<{D}x{D}xf32>
ml_program.global private mutable @u({dense(U)} : tensor<{D}x{D}xf32>) : tensor<{D}x{D}xf32>
ml_program.global private mutable @h(dense<0.0> : {T}) : {T}
ml_program.global private mutable @count(5 : i64) : i64
func.func @main(%x: {T}, %n: tensor<i64>) -> ({T}, tensor<i64>) {{{COUNT}
    %one = arith.constant 1 : i64
    scf.for %i = %c0 to %steps step %c1 {{
      %w = ml_program.global_load_const @w : tensor<{D}x{D}xf32>
      %u = ml_program.global_load @u : tensor<{D}x{D}xf32>
      %h = ml_program.global_load @h : {T}
      {product("%a", "%x", "%w", M, D, D)}{product("%b", "%h", "%u", M, D, D)}
      %s = arith.addf %a, %b : {T}
      ml_program.global_store @h = %s : {T}
      %k = ml_program.global_load @count : i64
      %k1 = arith.addi %k, %one : i64
      ml_program.global_store @count = %k1 : i64
    }}
    %r = ml_program.global_load @h : {T}
    %k = ml_program.global_load @count : i64
    %t = tensor.from_elements %k : tensor<i64>
    return %r, %t : {T}, tensor<i64>
}}
"""


def state(x, n):
    h = np.zeros_like(x)
    for _ in range(int(n)):
        h = x @ W + h @ U
    return [h, np.array(5 + n)]


# The same loop by TOSA, and by branches between blocks.
TOSA = f"""
func.func @main(%x: {T}, %n: tensor<i64>) -> {T} {{
    %m = tosa.cast %n : (tensor<i64>) -> tensor<i32>
    %zero = "tosa.const"() {{values = dense<0> : tensor<i32>}} : () -> tensor<i32>
    %one = "tosa.const"() {{values = dense<1> : tensor<i32>}} : () -> tensor<i32>
    %two = "tosa.const"() {{values = dense<2.0> : tensor<1x1xf32>}} : () -> tensor<1x1xf32>
    %r:2 = tosa.while_loop (%i = %zero, %h = %x) : (tensor<i32>, {T}) -> (tensor<i32>, {T}) {{
      %c = tosa.greater %m, %i : (tensor<i32>, tensor<i32>) -> tensor<i1>
      tosa.yield %c : tensor<i1>
    }} do {{
    ^bb0(%i: tensor<i32>, %h: {T}):
      %j = tosa.add %i, %one : (tensor<i32>, tensor<i32>) -> tensor<i32>
      %first = tosa.equal %i, %zero : (tensor<i32>, tensor<i32>) -> tensor<i1>
      %d = tosa.cond_if %first (%a = %h) : tensor<i1> ({T}) -> {T} {{
      ^bb0(%a: {T}):
        %y = tosa.add %a, %two : ({T}, tensor<1x1xf32>) -> {T}
        tosa.yield %y : {T}
      }} else {{
      ^bb0(%a: {T}):
        %y = tosa.sub %a, %x : ({T}, {T}) -> {T}
        tosa.yield %y : {T}
      }}
      tosa.yield %j, %d : tensor<i32>, {T}
    }}
    return %r#1 : {T}
}}
"""
BLOCKS = f"""
func.func @main(%x: {T}, %n: tensor<i64>) -> {T} {{{WEIGHTS}
    %k = tensor.extract %n[] : tensor<i64>
    %zero = arith.constant 0 : i64
    %one = arith.constant 1 : i64
    cf.br ^head(%x, %zero : {T}, i64)
  ^head(%h: {T}, %i: i64):
    %more = arith.cmpi slt, %i, %k : i64
    cf.cond_br %more, ^body, ^end
  ^body:{product("%y", "%h", "%w", M, D, D)}
    %j = arith.addi %i, %one : i64
    cf.br ^head(%y, %j : {T}, i64)
  ^end:
    return %h : {T}
}}
"""


def tosa(x, n):
    return [x if n == 0 else x + 2 - (n - 1) * x]


def blocks(x, n):
    h = x
    for _ in range(int(n)):
        h = h @ W
    return [h]


PROGRAMS = [("tosa", TOSA, tosa, X, (0, 1, 3)),
            ("blocks", BLOCKS, blocks, X, (0, 3)),
            ("recurrent", RECURRENT, recurrent, X, (0, 1, 9)),
            ("while", WHILE, until, X, (0,)),
            ("branch", BRANCH, branch, X, (0, 1, 2)),
            ("cache", CACHE, cache, X[:1], (0, 5)),
            ("grow", GROW, grow, X[:1], (0, 4)),
            ("state", STATE, state, X, (0, 3))]


def run(text, x, n, options, limit=None):
    def restrict():
        # A sanitizer maps more memory than it uses.
        if limit and "ASAN_OPTIONS" not in os.environ:
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "model.mlir").write_text(text)
        np.save(f"{folder}/x.npy", x)
        np.save(f"{folder}/n.npy", np.array(n, np.int64))
        done = subprocess.run(
            [BIN / "quant-run", f"{folder}/model.mlir", *options,
             f"--inputs={folder}/x.npy,{folder}/n.npy", "--print=false",
             f"--outputs={folder}"], capture_output=True, text=True,
            preexec_fn=restrict)
        assert done.returncode == 0, (options, done.stderr[-2000:])
        return [np.load(path) for path in
                sorted(pathlib.Path(folder).glob("out*.npy"))]


for name, text, simulate, x, counts in PROGRAMS:
    for target in ("generic", "x86"):
        for scheme in (None, SCHEME):
            options = [f"--target={target}", "-O0"]
            options += [f"--quantize={scheme}"] if scheme else []
            for n in counts:
                found = run(text, x, n, options)
                wanted = simulate(x, n)
                assert len(found) == len(wanted)
                for got, want in zip(found, wanted):
                    assert got.shape == want.shape, (name, options, n)
                    # 8 bits: under 1 % for a product, and there are up to 9.
                    bound = 0 if got.dtype.kind == "i" else \
                        (0.05 if scheme else 1e-5) * np.abs(want).max()
                    off = np.abs(got - want).max()
                    assert off <= bound, (name, options, n, off, bound)

# 30,000 turns of at least three tensors of 64 KiB are 6 GB, if none is freed.
WIDE = "tensor<8x2048xf32>"
MANY = f"""
func.func @main(%x: {WIDE}, %n: tensor<i64>) -> {WIDE} {{{COUNT}
    %r:2 = scf.for %i = %c0 to %steps step %c1
        iter_args(%a = %x, %b = %x) -> ({WIDE}, {WIDE}) {{
      %s = arith.subf %x, %b : {WIDE}
      %two = arith.constant 2 : index
      %k = arith.remui %i, %two : index
      %even = arith.cmpi eq, %k, %c0 : index
      %t = scf.if %even -> ({WIDE}) {{
        %y = arith.addf %s, %a : {WIDE}
        scf.yield %y : {WIDE}
      }} else {{
        scf.yield %a : {WIDE}
      }}
      scf.yield %b, %t : {WIDE}, {WIDE}
    }}
    return %r#0 : {WIDE}
}}
"""
x = rng.integers(-3, 4, (8, 2048)).astype(np.float32)
a = b = x
for i in range(30000):
    a, b = b, (x - b) + a if i % 2 == 0 else a
for target in ("generic", "x86"):
    got, = run(MANY, x, 30000, [f"--target={target}"], limit=3 << 30)
    assert np.array_equal(got, a), target
