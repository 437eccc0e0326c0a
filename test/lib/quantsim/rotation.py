"""Block-diagonal Hadamard rotations, from the definition of `quant.rotate`."""

import numpy as np

NAMES = {"none": 0, "hadamard32": 32, "hadamard128": 128}
U64 = np.uint64


def signs(size, seed):
    if seed == 0:
        return np.ones(size)
    with np.errstate(over="ignore"):
        z = (U64(seed) << U64(32)) + np.arange(size, dtype=U64) \
            + U64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> U64(30))) * U64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> U64(27))) * U64(0x94D049BB133111EB)
        z ^= z >> U64(31)
    return np.where(z >> U64(63), -1.0, 1.0)


def _stages(x, size, seed, factor):
    """The last dimension in blocks, whole ones only."""
    kind = x.dtype.type
    whole = x.shape[-1] - x.shape[-1] % size
    if not whole:
        return x
    blocks = x[..., :whole].reshape(-1, size) * signs(size, seed).astype(kind)
    distance = 1
    while distance < size:
        pairs = blocks.reshape(len(blocks), -1, 2, distance)
        a, b = pairs[:, :, 0], pairs[:, :, 1]
        blocks = np.stack([a + b, a - b], 2).reshape(-1, size)
        distance *= 2
    rotated = (blocks * kind(factor)).reshape(*x.shape[:-1], whole)
    return np.concatenate([rotated, x[..., whole:]], -1)


def rotate(x, size, seed=0):
    """In float32, each step rounded once."""
    x = np.asarray(x, np.float32)
    if not size:
        return x
    with np.errstate(all="ignore"):
        return _stages(x, size, seed, np.float32(1 / np.sqrt(float(size))))


def rotate_weight(w, size, seed=0):
    """In float64, rounded to float32 once."""
    if not size:
        return np.asarray(w, np.float32)
    return _stages(np.asarray(w, np.float64), size, seed,
                   1 / np.sqrt(float(size))).astype(np.float32)


def matrix(size, seed=0):
    """R of x R, by Sylvester's construction, in float64."""
    h = np.ones((1, 1))
    while len(h) < size:
        h = np.block([[h, h], [h, -h]])
    return signs(size, seed)[:, None] * h / np.sqrt(float(size))
