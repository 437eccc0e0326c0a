# RUN: %python %s %t x86
# RUN: %python %s %t x86 --threads=2
"""Attention as exporters write it, in tiles of rows: the bits of the portable
target, which stores all scores, and NumPy's numbers.

attention_tiles.py FOLDER TARGET [quant-run options...]
"""

import pathlib
import subprocess
import sys

import numpy as np

FOLDER, TARGET, OPTIONS = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
FOLDER.mkdir(parents=True, exist_ok=True)
MAPS = """
#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#keep = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#row = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#heads = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3, d4)>
#all = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
"""
PARALLEL = '["parallel", "parallel", "parallel", "parallel"]'
REDUCTION = '["parallel", "parallel", "parallel", "reduction"]'


def softmax(scores, rows, kept, flat):
    """Text of the softmax of %a along its last dimension, merged to `flat`."""
    return f"""
  %er = tensor.empty() : {rows}
  %fr = linalg.fill ins(%least : f32) outs(%er : {rows}) -> {rows}
  %mx = linalg.generic {{indexing_maps = [#id, #row], iterator_types = {REDUCTION}}} ins(%a : {scores}) outs(%fr : {rows}) {{
  ^bb0(%x: f32, %o: f32):
    %z = arith.maximumf %x, %o : f32
    linalg.yield %z : f32
  }} -> {rows}
  %mk = tensor.expand_shape %mx [[0], [1], [2, 3]] output_shape {list(shape(kept))} : {rows} into {kept}
  %p = linalg.generic {{indexing_maps = [#id, #keep, #id], iterator_types = {PARALLEL}}} ins(%a, %mk : {scores}, {kept}) outs(%e : {scores}) {{
  ^bb0(%x: f32, %y: f32, %o: f32):
    %z = arith.subf %x, %y : f32
    %w = math.exp %z : f32
    linalg.yield %w : f32
  }} -> {scores}
  %ek = tensor.empty() : {kept}
  %fk = linalg.fill ins(%zero : f32) outs(%ek : {kept}) -> {kept}
  %sum = linalg.generic {{indexing_maps = [#id, #keep], iterator_types = {REDUCTION}}} ins(%p : {scores}) outs(%fk : {kept}) {{
  ^bb0(%x: f32, %o: f32):
    %z = arith.addf %x, %o : f32
    linalg.yield %z : f32
  }} -> {kept}
  %w = linalg.generic {{indexing_maps = [#id, #keep, #id], iterator_types = {PARALLEL}}} ins(%p, %sum : {scores}, {kept}) outs(%e : {scores}) {{
  ^bb0(%x: f32, %y: f32, %o: f32):
    %z = arith.divf %x, %y : f32
    linalg.yield %z : f32
  }} -> {scores}
  %w3 = tensor.collapse_shape %w [[0, 1], [2], [3]] : {scores} into {flat}
"""


def shape(text):
    return tuple(map(int, text[len("tensor<"):-len("xf32>")].split("x")))


def tensor(*sizes):
    return "tensor<" + "".join(f"{size}x" for size in sizes) + "f32>"


def decomposed(b, h, g, s, t, d):
    """h heads of keys, each of g heads of queries, repeated by a broadcast; a mask
    of choices."""
    n = b * h * g
    scores, flat = tensor(b, h * g, s, t), tensor(n, s, t)
    repeated = tensor(b, h, g, t, d)

    def repeat(name):
        return f"""
  %{name}e = tensor.empty() : {repeated}
  %{name}r = linalg.generic {{indexing_maps = [#heads, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}} ins(%{name} : {tensor(b, h, t, d)}) outs(%{name}e : {repeated}) {{
  ^bb0(%x: f32, %o: f32):
    linalg.yield %x : f32
  }} -> {repeated}
  %{name}3 = tensor.collapse_shape %{name}r [[0, 1, 2], [3], [4]] : {repeated} into {tensor(n, t, d)}
"""
    return MAPS + f"""
#mask = affine_map<(d0, d1, d2, d3) -> (d0, 0, d2, d3)>
func.func @main(%q: {tensor(n, s, d)}, %k: {tensor(b, h, t, d)}, %v: {tensor(b, h, t, d)}, %m: {tensor(b, 1, s, t)}) -> {tensor(n, s, d)} {{
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %low = arith.constant -3.0e+38 : f32
  %scale = arith.constant {np.float32(d ** -0.5)} : f32
{repeat("k")}{repeat("v")}
  %kte = tensor.empty() : {tensor(n, d, t)}
  %kt = linalg.transpose ins(%k3 : {tensor(n, t, d)}) outs(%kte : {tensor(n, d, t)}) permutation = [0, 2, 1]
  %e3 = tensor.empty() : {flat}
  %f3 = linalg.fill ins(%zero : f32) outs(%e3 : {flat}) -> {flat}
  %s3 = linalg.batch_matmul ins(%q, %kt : {tensor(n, s, d)}, {tensor(n, d, t)}) outs(%f3 : {flat}) -> {flat}
  %s = tensor.expand_shape %s3 [[0, 1], [2], [3]] output_shape {list(shape(scores))} : {flat} into {scores}
  %e = tensor.empty() : {scores}
  %a = linalg.generic {{indexing_maps = [#id, #mask, #id], iterator_types = {PARALLEL}}} ins(%s, %m : {scores}, {tensor(b, 1, s, t)}) outs(%e : {scores}) {{
  ^bb0(%x: f32, %y: f32, %o: f32):
    %u = arith.mulf %x, %scale : f32
    %c = arith.cmpf ogt, %y, %zero : f32
    %z = arith.select %c, %u, %low : f32
    linalg.yield %z : f32
  }} -> {scores}
{softmax(scores, tensor(b, h * g, s), tensor(b, h * g, s, 1), flat)}
  %ey = tensor.empty() : {tensor(n, s, d)}
  %fy = linalg.fill ins(%zero : f32) outs(%ey : {tensor(n, s, d)}) -> {tensor(n, s, d)}
  %y = linalg.batch_matmul ins(%w3, %v3 : {flat}, {tensor(n, t, d)}) outs(%fy : {tensor(n, s, d)}) -> {tensor(n, s, d)}
  return %y : {tensor(n, s, d)}
}}
"""


def fused(rank, mask):
    """torch-mlir's op, of any size; with a mask for each row and token."""
    sizes = "x".join("?" * (rank - 1)) + "x"
    kinds = [f"tensor<{sizes}16xf32>"] * 3 + [f"tensor<{sizes}?xf32>"] * mask
    names = ["%q", "%k", "%v", "%m"][:len(kinds)]
    arguments = ", ".join(f"{n}: {k}" for n, k in zip(names, kinds))
    return f"""
func.func @main({arguments}, %o: {kinds[0]}) -> {kinds[0]} {{
  %y = tm_tensor.attention ins({", ".join(names)} : {", ".join(kinds)}) outs(%o : {kinds[0]}) -> {kinds[0]}
  return %y : {kinds[0]}
}}
"""


def attend(q, k, v, mask=0.0, choose=None):
    q, k, v = (x.astype(np.float64) for x in (q, k, v))
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1]) + mask
    if choose is not None:
        scores = np.where(choose > 0, scores, -3e38)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ v


def run(program, inputs, target, options):
    paths = []
    for i, array in enumerate(inputs):
        paths.append(FOLDER / f"in{i}.npy")
        np.save(paths[-1], array)
    out = FOLDER / target
    subprocess.run(["quant-run", program, "--inputs=" + ",".join(map(str, paths)),
                    f"--target={target}", f"--outputs={out}", "--print=false", "-O0",
                    *options], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return np.load(out / "out0.npy")


def check(text, inputs, expected):
    path = FOLDER / "program.mlir"
    path.write_text(text)
    ours, plain = (run(path, inputs, target, options)
                   for target, options in ((TARGET, OPTIONS), ("generic", [])))
    assert ours.tobytes() == plain.tobytes()
    assert np.allclose(ours, expected.reshape(ours.shape), rtol=1e-4, atol=1e-5)


rng = np.random.default_rng(0)
draw = lambda *sizes: rng.standard_normal(sizes).astype(np.float32)
for b, h, g, s, t, d in ((2, 1, 3, 150, 150, 8), (1, 2, 2, 77, 450, 12),
                         (1, 1, 5, 3, 9001, 4)):
    q, k, v, m = draw(b * h * g, s, d), draw(b, h, t, d), draw(b, h, t, d), draw(b, 1, s, t)
    check(decomposed(b, h, g, s, t, d), [q, k, v, m],
          attend(q.reshape(b, h * g, s, d), k.repeat(g, 1), v.repeat(g, 1), choose=m))
for sizes, t, mask in (((3,), 45, True), ((2, 3), 70, False)):
    q, k, v = draw(*sizes, 65, 16), draw(*sizes, t, 16), draw(*sizes, t, 16)
    m = [draw(*sizes, 65, t)] if mask else []
    check(fused(len(sizes) + 2, mask), [q, k, v, *m, np.zeros_like(q)],
          attend(q, k, v, *m))
