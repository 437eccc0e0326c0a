"""Writes vector files of TOSA's rescale and of LiteRT's layers, computed with
Python's unbounded integers, and some that are damaged.

make_vectors.py good|bad FOLDER
"""

import json
import pathlib
import sys

import numpy as np

FOLDER = pathlib.Path(sys.argv[2])
RNG = np.random.default_rng(11)
PROGRAM = ("tosa.rescale %x {{scale32 = {}, rounding_mode = {}, "
           "input_unsigned = {}, output_unsigned = {}}}\n")


def rescale(name, shape, x_type, y_type, per_channel, double, wide, zps):
    info = np.iinfo(x_type)
    x = RNG.integers(info.min, info.max + 1, shape).astype(x_type)
    channels = (shape[-1] if shape else 1) if per_channel else 1
    bits = 31 if wide else 15
    m = RNG.integers(1 << bits - 1, 1 << bits, channels)
    s = RNG.integers(bits - 10 if wide else 5, bits + 12, channels)
    low, high = np.iinfo(y_type).min, np.iinfo(y_type).max
    y = np.empty(shape, object)
    for at in np.ndindex(*shape):
        c = at[-1] if channels > 1 else 0
        v, shift = int(x[at]) - zps[0], int(s[c])
        r = v * int(m[c]) + (1 << shift - 1)
        if double and shift > 31:
            r += (1 << 30) if v >= 0 else -(1 << 30)
        y[at] = min(max((r >> shift) + zps[1], low), high)
    np.savez(FOLDER / f"{name}.npz", x=x, multiplier=m.astype(np.int32),
             shift=s.astype(np.int8), in_zp=zps[0], out_zp=zps[1],
             y=y.astype(y_type))
    text = lambda b: "true" if b else "false"
    (FOLDER / f"{name}.mlir").write_text(PROGRAM.format(
        text(wide), "DOUBLE_ROUND" if double else "SINGLE_ROUND",
        text(info.min == 0), text(low == 0)))


def layer(name, m, k, n, per_channel, relu, bias):
    x = RNG.integers(-128, 128, (m, k)).astype(np.int8)
    w = RNG.integers(-127, 128, (n, k)).astype(np.int8)
    x_zp, y_zp = int(RNG.integers(-128, 128)), int(RNG.integers(-128, 128))
    w_scale = RNG.uniform(.001, .01, n if per_channel else 1).astype(np.float32)
    acc = (x.astype(np.int64) - x_zp) @ w.T.astype(np.int64)
    data = dict(x=x, w=w, x_scale=np.float32(.02), x_zp=x_zp, w_scale=w_scale,
                y_scale=np.float32(.02 * np.sqrt(k)), y_zp=y_zp, relu=relu)
    if bias:
        data["b"] = RNG.integers(-9999, 9999, n).astype(np.int32)
        acc = acc + data["b"]
    real = np.round(acc * (np.float64(data["x_scale"]) * w_scale
                           / data["y_scale"])) + y_zp
    low = y_zp if relu in (1, 3) else -128
    high = y_zp + int(np.rint(6 / data["y_scale"])) if relu == 3 else 127
    data["y_ref"] = np.clip(real, max(low, -128), min(high, 127)).astype(np.int8)
    np.savez(FOLDER / f"{name}.npz", acc=acc.astype(np.int32), **data)


def good():
    kinds = [np.int8, np.uint8, np.int16, np.uint16, np.int32]
    shapes = [(5,), (1,), (2, 3, 4), (1, 4, 3, 7), (9, 1), (3, 20)]
    count = 0
    for x_type in kinds:
        for y_type in kinds:
            count += 1
            shape = shapes[count % len(shapes)]
            info = np.iinfo(x_type)
            zp = int(RNG.integers(info.min, info.max)) if info.bits == 8 else 0
            out = 7 if np.iinfo(y_type).bits == 8 else 0
            rescale(f"rescale_{count}_{x_type.__name__}_{y_type.__name__}",
                    shape, x_type, y_type, count % 2 == 0, count % 3 == 0,
                    count % 5 != 0 or count % 3 == 0, (zp, out))
    for count, shape in enumerate([(1, 1, 1), (3, 33, 5), (8, 64, 17),
                                   (2, 130, 48)]):
        layer(f"tflite_fc_{count}", *shape, count % 2 == 0, (0, 1, 3, 0)[count],
              count != 1)


def bad():
    rescale("rescale_wrong", (4, 3), np.int32, np.int8, False, False, True,
            (0, 0))
    data = dict(np.load(FOLDER / "rescale_wrong.npz"))
    data["y"][2, 1] ^= 1
    np.savez(FOLDER / "rescale_wrong.npz", **data)
    rescale("rescale_cut", (4, 3), np.int32, np.int8, False, False, True,
            (0, 0))
    path = FOLDER / "rescale_cut.npz"
    path.write_bytes(path.read_bytes()[:200])
    rescale("rescale_wide_i48_i32", (4,), np.int32, np.int32, False, False,
            True, (0, 0))
    layer("tflite_fc_16x8", 2, 4, 3, True, 0, False)
    data = dict(np.load(FOLDER / "tflite_fc_16x8.npz"))
    data |= {"x": data["x"].astype(np.int16),
             "y_ref": data["y_ref"].astype(np.int16)}
    np.savez(FOLDER / "tflite_fc_16x8.npz", **data)
    a = RNG.integers(-99, 99, (3, 4)).astype(np.int8)
    np.savez(FOLDER / "shapes.npz", A=a, B=a, out0=a.astype(np.int32))
    off_by_one = (a.astype(np.int32) @ a.T.astype(np.int32)) + 1
    np.savez(FOLDER / "sums.npz", A=a, B=a.T, out0=off_by_one)
    np.savez(FOLDER / "weights.npz", kernel=a)
    entry = lambda name: {"file": name, "op": "MatMulInteger",
                          "inputs": ["A", "B"]}
    (FOLDER / "ort_index.json").write_text(json.dumps(
        [entry("shapes.npz"), entry("sums.npz"), entry("missing.npz")]))


FOLDER.mkdir(parents=True, exist_ok=True)
{"good": good, "bad": bad}[sys.argv[1]]()
