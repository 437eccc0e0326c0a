# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t | FileCheck %s
"""quant-run --calibrate against NumPy: statistics of shared, reordered and
dynamic activations, every layout of inputs on disk, second moments, and what
each observer makes of the file."""
import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np

FOLDER = pathlib.Path(sys.argv[1])
M, K, N = 6, 24, 5
rng = np.random.default_rng(11)
W = rng.normal(size=(K, N)).astype(np.float32)
# main#0 and main#1 share their activations; main#2 sees ReLU's output, main#3
# contracts two dimensions that are not the last.
(FOLDER / "model.mlir").write_text(f"""
func.func @main(%x: tensor<?x{K}xf32>, %b: tensor<3x2x4xf16>)
    -> (tensor<?x{N}xf32>, tensor<?x{N}xf32>, tensor<4x7xf16>) {{
  %w = arith.constant dense_resource<w> : tensor<{K}x{N}xf32>
  %v = arith.constant dense<0.5> : tensor<{N}x{N}xf32>
  %u = arith.constant dense<0.25> : tensor<2x3x7xf16>
  %zero = arith.constant 0.0 : f32
  %zero16 = arith.constant 0.0 : f16
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x{K}xf32>
  %e = tensor.empty(%m) : tensor<?x{N}xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<?x{N}xf32>) -> tensor<?x{N}xf32>
  %y0 = linalg.matmul ins(%x, %w : tensor<?x{K}xf32>, tensor<{K}x{N}xf32>)
          outs(%z : tensor<?x{N}xf32>) -> tensor<?x{N}xf32>
  %y1 = linalg.matmul ins(%x, %w : tensor<?x{K}xf32>, tensor<{K}x{N}xf32>)
          outs(%z : tensor<?x{N}xf32>) -> tensor<?x{N}xf32>
  %r = linalg.max ins(%y0, %z : tensor<?x{N}xf32>, tensor<?x{N}xf32>)
         outs(%e : tensor<?x{N}xf32>) -> tensor<?x{N}xf32>
  %y2 = linalg.matmul ins(%r, %v : tensor<?x{N}xf32>, tensor<{N}x{N}xf32>)
          outs(%z : tensor<?x{N}xf32>) -> tensor<?x{N}xf32>
  %e3 = tensor.empty() : tensor<4x7xf16>
  %z3 = linalg.fill ins(%zero16 : f16) outs(%e3 : tensor<4x7xf16>) -> tensor<4x7xf16>
  %y3 = linalg.generic {{
      indexing_maps = [affine_map<(m, n, k0, k1) -> (k0, k1, m)>,
                       affine_map<(m, n, k0, k1) -> (k1, k0, n)>,
                       affine_map<(m, n, k0, k1) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction", "reduction"]}}
      ins(%b, %u : tensor<3x2x4xf16>, tensor<2x3x7xf16>)
      outs(%z3 : tensor<4x7xf16>) {{
    ^bb0(%i: f16, %j: f16, %o: f16):
      %p = arith.mulf %i, %j : f16
      %s = arith.addf %o, %p : f16
      linalg.yield %s : f16
    }} -> tensor<4x7xf16>
  return %y1, %y2, %y3 : tensor<?x{N}xf32>, tensor<?x{N}xf32>, tensor<4x7xf16>
}}
{{-# dialect_resources: {{ builtin: {{ w: "0x04000000{W.tobytes().hex()}" }} }} #-}}
""")
S = 9
X = (rng.normal(size=(S, M, K)) * np.linspace(0.5, 3, S)[:, None, None]
     ).astype(np.float32)
X[4, 2, 7] = -40
B = rng.normal(size=(S, 3, 2, 4)).astype(np.float16)


def calibrate(inputs, *options, fails=False):
    done = subprocess.run(
        ["quant-run", FOLDER / "model.mlir", f"--calibrate={inputs}",
         f"--stats-output={FOLDER}/stats.json", *options],
        capture_output=True, text=True)
    assert (done.returncode != 0) == fails, done.stderr
    if fails:
        return done.stderr.replace(str(FOLDER), "DIR").strip()
    assert not done.stderr, done.stderr
    return json.loads((FOLDER / "stats.json").read_text())


np.save(FOLDER / "x.npy", X)
np.save(FOLDER / "b.npy", B)
stats = calibrate(f"{FOLDER}/x.npy,{FOLDER}/b.npy", "--second-moments")
rows = [X, X, np.maximum(X @ W, 0), B.transpose(0, 3, 2, 1).astype(np.float32)]
moving = lambda v: [acc := v[0]] + [acc := acc + .1 * (x - acc) for x in v[1:]]
for i, (entry, x) in enumerate(zip(stats["matmuls"], rows)):
    k = x.shape[-1] if i < 3 else 6
    flat = x.reshape(S, -1, k)
    close = dict(rtol=2e-6, atol=1e-6)
    assert entry["name"] == f"main#{i}" and entry["location"]
    assert entry["k"] == k and entry["n"] == (N if i < 3 else 7)
    assert entry["m"] == (None if i < 3 else 4)
    assert entry["inputs"] == S and entry["rows"] == flat.shape[1] * S
    assert np.isclose(entry["min"], flat.min(), **close)
    assert np.isclose(entry["max"], flat.max(), **close)
    for end, f in (("min", np.min), ("max", np.max)):
        values = moving([float(f(s)) for s in flat])
        assert np.isclose(entry[f"moving_{end}"], values[-1], **close)
    assert np.allclose(entry["channel_absmax"],
                       np.abs(flat).max((0, 1)), **close)
    h = entry["histogram"]
    assert h["zeros"] == (flat == 0).sum()
    assert sum(h["counts"]) + h["zeros"] == flat.size
    assert np.abs(flat).max() < h["limit"] <= 2.01 * np.abs(flat).max()
    edges = (np.arange(h["bins"] + 1) - h["bins"] // 2) * h["limit"] * 2 / h["bins"]
    counts = np.zeros(h["bins"], int)
    counts[h["first"]:h["first"] + len(h["counts"])] = h["counts"]
    expected = np.histogram(flat[flat != 0], edges)[0]
    # A value at an edge may fall to either side in f32.
    assert np.abs(counts - expected).sum() <= 4
    low, high = entry["percentile"]["99"]
    expected = np.percentile(flat, [0.5, 99.5])
    assert np.allclose([low, high], expected, atol=0.08 * h["limit"]), (low, high, expected)
    moment = np.load(FOLDER / entry["second_moment"])
    wide = flat.reshape(-1, k).astype(float)
    assert np.allclose(moment, wide.T @ wide / len(wide), rtol=1e-4, atol=1e-4)
assert stats["matmuls"][0]["second_moment"] == stats["matmuls"][1]["second_moment"]
assert stats["inputs"] == S and len(stats["model"]) == 16
print("numpy agrees")
# CHECK: numpy agrees

# What each observer chooses.
text = subprocess.run(["statistics-driver", FOLDER / "stats.json"], check=True,
                      capture_output=True, text=True)
chosen = {}
for line in text.stdout.splitlines():
    name, observer, *rest = line.split()
    if observer == "trace":
        k = stats["matmuls"][int(name[-1])]["k"]
        wide = rows[int(name[-1])].reshape(-1, k).astype(float)
        assert np.isclose(float(rest[0]), (wide ** 2).sum() / len(wide), rtol=1e-4)
        continue
    bits, form, *numbers = rest
    chosen[name, observer, int(bits), form] = [float(v) for v in numbers]


def error(values, scale, zero_point, low, high):
    q = np.clip(np.rint(values / scale) + zero_point, low, high)
    return float((((q - zero_point) * scale - values) ** 2).mean())


for i, x in enumerate(rows):
    x = x.astype(float).ravel()
    for bits in (8, 4):
        for form in ("symmetric", "asymmetric"):
            low = -2 ** (bits - 1) if form == "symmetric" else 0
            high = low + 2 ** bits - 1
            errors = {}
            for observer in ("minmax", "moving", "percentile", "mse", "kl"):
                a, b, scale, zero = chosen[f"main#{i}", observer, bits, form]
                assert a <= 0 <= b and scale > 0 and low <= zero <= high
                if form == "symmetric":
                    assert zero == 0 and np.isclose(scale, b / high, rtol=1e-6)
                errors[observer] = error(x, scale, zero, low, high)
            assert errors["mse"] <= 1.02 * min(errors.values()), (i, bits, form, errors)
a, b, _, _ = chosen["main#0", "minmax", 8, "symmetric"]
assert (a, b) == (-40, 40)
a, b, _, _ = chosen["main#0", "minmax", 8, "asymmetric"]
assert np.isclose([a, b], [X.min(), X.max()]).all()
_, b, _, _ = chosen["main#0", "percentile", 8, "symmetric"]
assert np.isclose(b, np.percentile(np.abs(X), 99), rtol=0.05)
# The outlier costs 4 bits dearly, so both clip it.
assert chosen["main#0", "mse", 4, "symmetric"][1] < 25
assert chosen["main#0", "kl", 4, "symmetric"][1] < 25
print("observers agree:", text.stderr.replace(str(FOLDER), "DIR").strip()
      .replace(stats["model"], "HASH"))
# CHECK: observers agree: DIR/stats.json: the statistics are of another model: expected 0123456789abcdef, found HASH (names and sizes of 4 matmuls)

# The same inputs in every layout on disk.
shutil.rmtree(FOLDER / "stats.second-moments")
plain = calibrate(f"{FOLDER}/x.npy,{FOLDER}/b.npy")
for entry in plain["matmuls"]:
    assert "second_moment" not in entry
(FOLDER / "whole").mkdir()
np.save(FOLDER / "whole/in0.npy", X)
np.save(FOLDER / "whole/in1.npy", B.reshape(S * 3, 2, 4))
assert calibrate(FOLDER / "whole") == plain
for s in range(S):
    (FOLDER / f"each/{s}").mkdir(parents=True)
    np.save(FOLDER / f"each/{s}/in0.npy", X[s])
    np.save(FOLDER / f"each/{s}/in1.npy", B[s])
assert calibrate(FOLDER / "each") == plain
np.savez(FOLDER / "plain.npz", in1=B, in0=X)
assert calibrate(FOLDER / "plain.npz") == plain
(FOLDER / "archives").mkdir()
np.savez_compressed(FOLDER / "archives/a.npz", X[:4], B[:4])
np.savez_compressed(FOLDER / "archives/b.npz", X[4:], B[4:])
assert calibrate(FOLDER / "archives") == plain
print("layouts agree")
# CHECK: layouts agree

# What cannot be used is refused, and leaves no file.
(FOLDER / "stats.json").unlink()
print(calibrate(f"{FOLDER}/x.npy", fails=True))
# CHECK: error: 'main': expected a folder or 2 files of calibration inputs, found 1
np.save(FOLDER / "short.npy", B[:2])
print(calibrate(f"{FOLDER}/x.npy,{FOLDER}/short.npy", fails=True))
# CHECK: error: DIR/short.npy: expected 9 inputs, as for the first argument, found 2 (tensor<2x3x2x4xf16>)
np.save(FOLDER / "odd.npy", B[:, :, :1])
print(calibrate(f"{FOLDER}/x.npy,{FOLDER}/odd.npy", fails=True))
# CHECK: error: DIR/odd.npy: expected one or more inputs of tensor<3x2x4xf16> (several: one dimension more, in front), found tensor<9x3x1x4xf16>
X[5, 0, 0] = np.nan
np.save(FOLDER / "nan.npy", X)
print(calibrate(f"{FOLDER}/nan.npy,{FOLDER}/b.npy", fails=True))
# CHECK: error: calibration input 5: the activations of matmul 'main#0' hold 1 values that are NaN or infinite
(FOLDER / "empty").mkdir()
print(calibrate(FOLDER / "empty", fails=True))
# CHECK: error: DIR/empty: expected in0.npy to in1.npy, folders that hold them, or NPZ files, found none of these
print(calibrate(FOLDER / "each", "--entry=other", fails=True))
# CHECK: expected a public function 'other', found: main
np.savez(FOLDER / "one.npz", in0=X)
print(calibrate(FOLDER / "one.npz", fails=True))
# CHECK: error: DIR/one.npz: expected an array 'in1' (or 'arr_1'), found none
print(calibrate(f"{FOLDER}/nan.npy,{FOLDER}/one.npz", fails=True))
# CHECK: error: DIR/one.npz: expected an NPY file, found an archive of them (NPZ): --evaluate, --calibrate and --sensitivity take one
(FOLDER / "junk.npz").write_bytes(b"PK" * 40)
print(calibrate(FOLDER / "junk.npz", fails=True))
# CHECK: error: DIR/junk.npz: expected an NPZ file, found no zip directory
whole = (FOLDER / "archives/a.npz").read_bytes()
for name, at in (("flipped", 200), ("directory", len(whole) - 60)):
    damaged = bytearray(whole)
    damaged[at] ^= 0x55
    (FOLDER / f"{name}.npz").write_bytes(damaged)
    print(calibrate(FOLDER / f"{name}.npz", fails=True))
# CHECK: error: DIR/flipped.npz: {{.*}}the archive is damaged
# CHECK: error: DIR/directory.npz: {{.*}}the archive is damaged
print(sorted(p.name for p in FOLDER.glob("stats*")))
# CHECK: []

# Damaged files.
good = json.dumps(plain)


def damage(change):
    value = json.loads(good)
    if callable(change):
        change(value)
        change = json.dumps(value)
    (FOLDER / "bad.json").write_text(change)
    done = subprocess.run(["statistics-driver", FOLDER / "bad.json"],
                          capture_output=True, text=True)
    assert done.returncode == 1, done.stdout
    print(done.stderr.replace(str(FOLDER), "DIR").strip())


damage("{")
# CHECK: error: DIR/bad.json: expected a statistics file: [1:1, byte=1]:
damage("[]")
# CHECK: error: DIR/bad.json: expected an object
damage(lambda v: v.update(version=7))
# CHECK: error: DIR/bad.json: version: expected 1, found 7
damage(lambda v: v.pop("matmuls"))
# CHECK: error: DIR/bad.json: matmuls: expected an array, found nothing
damage(lambda v: v["matmuls"].append(3))
# CHECK: error: DIR/bad.json: matmuls[4]: expected an object, found something else
damage(lambda v: v["matmuls"][1].update(min="low"))
# CHECK: error: DIR/bad.json: matmuls[1].min: expected a finite number, found "low"
damage(lambda v: v["matmuls"][1].update(min=1e9))
# CHECK: error: DIR/bad.json: matmuls[1].max: expected at least min, found
damage(lambda v: v["matmuls"][2].update(k=0))
# CHECK: error: DIR/bad.json: matmuls[2].k: expected a size of at least 1, or null, found 0
damage(lambda v: v["matmuls"][2]["channel_absmax"].pop())
# CHECK: error: DIR/bad.json: matmuls[2].channel_absmax: expected k = 5 numbers, found [
damage(lambda v: v["matmuls"][2]["channel_absmax"].append(-1))
# CHECK: error: DIR/bad.json: matmuls[2].channel_absmax: expected finite numbers of at least 0, found [
damage(lambda v: v["matmuls"][2].update(name="main#0"))
# CHECK: error: DIR/bad.json: matmuls[2].name: expected a name that no other matmul has, found "main#0"
damage(lambda v: v["matmuls"][3]["histogram"].update(bins=100))
# CHECK: error: DIR/bad.json: matmuls[3].histogram.bins: expected 4096, found 100
damage(lambda v: v["matmuls"][3]["histogram"].update(first=4096))
# CHECK: error: DIR/bad.json: matmuls[3].histogram.counts: expected at most as many counts as there are bins
damage(lambda v: v["matmuls"][3]["histogram"]["counts"].append(-1))
# CHECK: error: DIR/bad.json: matmuls[3].histogram.counts: expected whole numbers of at least 0
damage(lambda v: v["matmuls"][0].update(second_moment="gone.npy"))
# CHECK: error: DIR/gone.npy: No such file or directory
