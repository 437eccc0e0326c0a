# RUN: %python %s
"""Rotations of the oracle, and of `quantmlir.llm`, against the matrix."""

import numpy as np
from quantmlir.llm.rotation import Rotation
from quantsim import rotation

rng = np.random.default_rng(3)
for size, seed in ((2, 0), (32, 0), (128, 0), (32, 7), (128, 2147483647)):
    r = rotation.matrix(size, seed)
    assert np.allclose(r @ r.T, np.eye(size), atol=1e-12)
    # The signs are not all alike, nor those of another seed.
    assert (seed == 0) == bool((rotation.signs(size, seed) == 1).all())
    assert seed == 0 or (rotation.signs(size, seed) != rotation.signs(size, 1)).any()
    x = rng.standard_normal((3, 2 * size + 1))
    exact = np.concatenate([(x[:, :-1].reshape(-1, size) @ r).reshape(3, -1),
                            x[:, -1:]], 1)
    assert np.allclose(rotation.rotate(x.astype(np.float32), size, seed), exact,
                       atol=1e-5)
    weight = rotation.rotate_weight(x.astype(np.float32), size, seed)
    assert np.allclose(weight, exact, atol=1e-6)
    # x W^T = (x R) (W R)^T
    w = rng.standard_normal((4, 2 * size + 1))
    product = exact @ np.asarray(
        rotation.rotate_weight(w.astype(np.float32), size, seed), np.float64).T
    assert np.allclose(product, x @ w.T, atol=1e-4)
    if size in (32, 128):
        name = f"hadamard{size}" + (f":{seed}" if seed else "")
        mine = Rotation.parse(name).of_weight(w.astype(np.float32))
        assert np.allclose(mine, rotation.rotate_weight(w.astype(np.float32), size, seed),
                           rtol=0, atol=1e-6)

# SplitMix64 of 1 << 32, by hand.
z = ((1 << 32) + 0x9E3779B97F4A7C15) & (2**64 - 1)
z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & (2**64 - 1)
z = (z ^ z >> 27) * 0x94D049BB133111EB & (2**64 - 1)
z ^= z >> 31
assert rotation.signs(2, 1)[0] == (-1 if z >> 63 else 1)
