"""Random choices that programs are made of: sizes, data, parameters."""

import numpy as np

F32 = np.float32
# Edges of vectors, of register tiles, of groups and of bytes of two.
SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 47, 48, 49, 63,
         64, 65, 96, 100, 127, 128, 129]
LONG = [255, 256, 257, 300, 512, 513, 1000, 1024, 2049, 4096]


class Draw:
    """A random generator with the choices that the programs share."""

    def __init__(self, *seed):
        self.rng = np.random.default_rng(seed)

    def pick(self, *options):
        return options[self.rng.integers(len(options))]

    def chance(self, probability):
        return self.rng.random() < probability

    def rows(self):
        return int(self.rng.choice(SIZES[:20]))

    def columns(self):
        return int(self.rng.choice(SIZES))

    def depth(self, columns):
        """K: sometimes long, for narrow products."""
        if columns <= 17 and self.chance(0.15):
            return int(self.rng.choice(LONG))
        return int(self.rng.choice(SIZES))

    def limits(self, bits, unsigned):
        return (0, (1 << bits) - 1) if unsigned else (-(1 << bits - 1),
                                                      (1 << bits - 1) - 1)

    def integers(self, shape, bits, unsigned):
        """Stored numbers; a fifth are all at one end or at both."""
        low, high = self.limits(bits, unsigned)
        if self.chance(0.1):
            return np.full(shape, self.pick(low, high), np.int64)
        if self.chance(0.1):
            return self.rng.choice([low, high], shape).astype(np.int64)
        return self.rng.integers(low, high + 1, shape)

    def floats(self, shape, scale=1.0):
        """float32 data: normal, and the values that break kernels."""
        x = (self.rng.standard_normal(shape) * scale).astype(F32)
        how = self.pick("normal", "normal", "normal", "outlier", "ties",
                        "zeros", "tiny", "steps", "zero row")
        if how == "outlier" and x.size:
            x.flat[self.rng.integers(x.size)] *= F32(1000)
        elif how == "ties":  # scales 1/2: halves of it are ties
            x = (self.rng.integers(-254, 255, shape) / 4).astype(F32)
            if x.size:
                x.flat[0] = 63.5
        elif how == "zeros":
            x = np.zeros(shape, F32)
        elif how == "tiny":
            x *= F32(1e-30)
        elif how == "steps":
            x = np.sign(x)
        elif how == "zero row" and x.ndim:
            x[..., :1] *= F32(0) if x.ndim < 2 else F32(1)
            if x.ndim > 1:
                x[..., -1:, :] = 0
        return x

    def scales(self, shape, low=0.001, high=0.1):
        return np.asarray(self.rng.uniform(low, high, shape), F32)
