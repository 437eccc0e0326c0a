"""Block-diagonal Hadamard rotations of weights: `(x R) (W R)^T = x W^T`.

Activations are rotated by `quant.rotate`, whose documentation defines R; weights
here, in float64, rounded once.
"""

from dataclasses import dataclass

import numpy as np

from ..errors import InvalidArgument

_SIZES = {"hadamard32": 32, "hadamard128": 128, "folded32": 32, "folded128": 128}
# Products whose activations a folded rotation finds rotated already (`fold.py`).
_FOLDED = ("qkv", "o", "gate_up")


@dataclass(frozen=True)
class Rotation:
    """size 0: none; folds: into the weights around, where that can be."""
    size: int = 0
    seed: int = 0
    folds: bool = False

    @staticmethod
    def parse(name):
        """`none`, `hadamard32`, `hadamard128`, `folded32`, `folded128`, or with signs
        `hadamard32:7`."""
        if name == "none":
            return Rotation()
        kind, colon, seed = str(name).partition(":")
        # int() itself refuses thousands of digits.
        is_seed = not colon or (seed.isdecimal() and len(seed) <= 10
                                and int(seed) < 1 << 31)
        if kind not in _SIZES or not is_seed:
            raise InvalidArgument(
                f"rotation: expected none, {', '.join(_SIZES)}, with `:seed` where "
                f"signs are turned, found {name!r}")
        return Rotation(_SIZES[kind], int(seed or 0), kind.startswith("folded"))

    @property
    def name(self):
        """What `parse` makes it of."""
        if not self.size:
            return "none"
        kind = "folded" if self.folds else "hadamard"
        return f"{kind}{self.size}" + (f":{self.seed}" if self.seed else "")

    def of(self, slot):
        """What activations of a product are rotated by as it is computed."""
        return Rotation() if self.folds and slot in _FOLDED else self

    def explain(self, config):
        """A line about the products that are not rotated, and why; or none. Where
        it is all of them, that is an error, as are heads of parts of blocks, whose
        values no rotation that folds can turn."""
        if self.folds and config.head_dim % self.size:
            raise InvalidArgument(f"rotation: expected heads of a multiple of {self.size} "
                                  f"elements, since it folds, found {config.head_dim}")
        columns = {"qkv": config.dim, "o": config.heads * config.head_dim,
                   "gate_up": config.dim, "down": config.ffn, "head": config.dim}
        short = {name: k for name, k in columns.items() if k < self.size}
        if not short:
            return None
        found = ", ".join(f"{name} has {k}" for name, k in short.items())
        if len(short) == len(columns):
            raise InvalidArgument(f"rotation: expected a product of {self.size} columns "
                                  f"or more, found none: {found}")
        return f"not rotated, of fewer than {self.size} columns: {found}"

    def signs(self):
        if not self.seed:
            return np.ones(self.size)
        with np.errstate(over="ignore"):
            z = (np.uint64(self.seed) << np.uint64(32)) \
                + np.arange(self.size, dtype=np.uint64) \
                + np.uint64(0x9E3779B97F4A7C15)
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            z ^= z >> np.uint64(31)
        return np.where(z >> np.uint64(63), -1.0, 1.0)

    def matrix(self):
        """R of one block, float64 [size, size]."""
        h = np.ones((1, 1))
        while len(h) < self.size:
            h = np.block([[h, h], [h, -h]])
        return self.signs()[:, None] * h / np.sqrt(float(self.size))

    def of_weight(self, weight):
        """float32 [N, K], rotated along K."""
        if not self.size:
            return weight
        return self.along(weight.astype(np.float64)).astype(np.float32)

    def along(self, weight):
        """float64 [N, K], rotated along K."""
        n, k = weight.shape
        whole = k - k % self.size
        rotated = np.array(weight)
        rotated[:, :whole] = (weight[:, :whole].reshape(n, -1, self.size)
                              @ self.matrix()).reshape(n, whole)
        return rotated

    def of_rows(self, x):
        """float32 [.., K], rotated along K in float32: activations."""
        if not self.size or x.shape[-1] < self.size:
            return x
        whole = x.shape[-1] - x.shape[-1] % self.size
        blocks = x[..., :whole].reshape(*x.shape[:-1], -1, self.size)
        turned = (blocks @ self.matrix().astype(np.float32)).reshape(
            *x.shape[:-1], whole)
        return np.concatenate([turned, x[..., whole:]], -1)
