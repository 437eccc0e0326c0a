"""The product that a program stands for: its integers, its parameters, and
what it computes, by the definitions of SEMANTICS.md."""

import numpy as np

from quantcheck.draw import F32

INTEGER, WEIGHT_ONLY, MATMUL_INTEGER = (
    "both sides integers", "float activations", "integer product")


def clamp_round(unrounded, zero, low, high):
    return np.clip(np.rint(unrounded) + zero, low, high).astype(np.int64)


class Weight:
    """`real = scale * (q - zero)`, [N, K]; parameters are [N, G].

    `scale_atoms` and `zero_atoms` say what each of the two depends on: (),
    ("n",) or ("n", "g").
    """

    def __init__(self, axes, n, k, kind, real):
        draw = axes.draw
        self.n, self.k = n, k
        self.bits = axes.even("weight bits", 8, 4)
        self.unsigned = axes.even("weight sign", "signed", "unsigned") == \
            "unsigned"
        granularities = ["channel", "tensor"]
        if kind != MATMUL_INTEGER:
            granularities += ["group", "group"]
        self.granularity = axes.even("weight granularity", *granularities)
        self.group = k
        if self.granularity == "group":
            self.group = int(draw.pick(*[s for s in (2, 4, 8, 16, 32)
                                         if s <= max(k, 2)]))
        self.groups = -(-k // self.group)
        if k % self.group:
            axes.note("last group: shorter")
        # The group of each k; `looked_up` where the program holds it.
        self.index, self.looked_up = np.arange(k) // self.group, False
        if self.granularity == "group":
            how = axes("group of k", "in order", "looked up, in order",
                       "looked up, in any order")
            self.looked_up = how != "in order"
            if how.endswith("any order"):
                self.index = draw.rng.permutation(self.index)
        self.q = draw.integers((n, k), self.bits, self.unsigned)
        self.scale_atoms = {"tensor": (), "channel": ("n",),
                            "group": ("n", "g")}[self.granularity]
        self._scales(axes, kind, real)
        self._zeros(axes, kind)

    def _shape(self, atoms):
        return tuple({"n": self.n, "g": self.groups}[a] for a in atoms)

    def _scales(self, axes, kind, real):
        draw, shape = axes.draw, self._shape(self.scale_atoms)
        self.scale = draw.scales(shape, .002, .03)
        if real == "f16" or draw.chance(.3):
            self.scale = self.scale.astype(np.float16).astype(F32)
        if kind == MATMUL_INTEGER:
            return
        what = axes("scale values", "positive", "powers of two", "negative",
                    "some zero")
        if what == "powers of two":
            self.scale = np.asarray(2.0**draw.rng.integers(-9, -5, shape),
                                    F32)
        elif what == "negative":
            self.scale = np.asarray(
                self.scale * draw.rng.choice([-1, 1], shape), F32)
        elif what == "some zero":
            self.scale = np.asarray(
                self.scale * (draw.rng.random(shape) < .7), F32)

    def _zeros(self, axes, kind):
        """Zero points in the range of the stored type."""
        draw = axes.draw
        how = axes.even("zero point", "none", "one for all",
                        "with each scale", "with each scale")
        if how == "one for all" or how == "with each scale" and \
                not self.scale_atoms:
            self.zero_atoms = ()
        elif how == "none":
            self.zero_atoms, self.zero = (), np.zeros((), np.int64)
            if axes("written zero point", "no", "of zeros") == "no":
                self.zero_atoms = None
            elif self.scale_atoms and draw.chance(.6):
                self.zero_atoms = self.scale_atoms
                self.zero = np.zeros(self._shape(self.scale_atoms), np.int64)
            return
        else:
            self.zero_atoms = self.scale_atoms
        low, high = draw.limits(self.bits, self.unsigned)
        self.zero = draw.rng.integers(low, high + 1,
                                      self._shape(self.zero_atoms))
        if self.unsigned and self.zero_atoms == () and draw.chance(.5):
            self.zero = np.asarray(1 << self.bits - 1, np.int64)

    def spread(self, array, atoms):
        """A parameter as [N, K]."""
        array = np.asarray(array)
        if not atoms:
            return np.broadcast_to(array, (self.n, self.k))
        if atoms == ("n",):
            return np.broadcast_to(array[:, None], (self.n, self.k))
        return array[:, self.index]

    @property
    def ordered(self):
        return bool(np.all(np.diff(self.index) >= 0))

    @property
    def centered(self):
        """q - zero, [N, K]."""
        return self.q - self.spread(self.zero, self.zero_atoms or ())

    @property
    def scales(self):
        return self.spread(self.scale, self.scale_atoms)

    def real(self):
        return self.scales.astype(np.float64) * self.centered


class Activations:
    """[B, M, K]: `q` stored integers, or `x` the floats that are quantized."""

    def __init__(self, axes, kind, b, m, k, dynamic):
        draw = axes.draw
        self.b, self.m, self.k = b, m, k
        self.floats = kind == WEIGHT_ONLY
        self.given = True
        if self.floats:
            self.x = draw.rng.standard_normal((b, m, k)).astype(F32)
            return
        self.unsigned = axes.even("activations", "signed", "unsigned") == \
            "unsigned"
        self.given = kind == MATMUL_INTEGER or axes.even(
            "activations are", "quantized here", "an argument") == "an argument"
        rows = not dynamic and (kind == MATMUL_INTEGER or not self.given) and \
            axes("activation parameters", "one", "for each row") != "one"
        self.atoms = ("m",) if rows else ()
        shape = (m,) if rows else ()
        self.low, self.high = draw.limits(8, self.unsigned)
        self.scale = draw.scales(shape, .01, .05)
        if draw.chance(.2):
            self.scale = np.full(shape, F32(0.5) ** 5, F32)
        self.zero = np.zeros(shape, np.int64)
        self.zero_atoms = self.atoms
        if axes.even("activation zero point", "none", "given") == "given":
            self.zero = draw.rng.integers(self.low, self.high + 1, shape)
        elif axes("written activation zero point", "no", "of zeros") == "no":
            self.zero_atoms = None
        self.q = draw.integers((b, m, k), 8, self.unsigned)
        if not self.given:
            self._unquantize(draw)

    def spread(self, array):
        array = np.asarray(array)
        return array[None, :, None] if array.ndim else array

    def _unquantize(self, draw):
        """Floats that are no ties: whichever way the division is written, they
        round alike. Some are out of range."""
        off = draw.rng.uniform(-.45, .45, self.q.shape)
        far = draw.rng.random(self.q.shape)
        steps = self.q - self.spread(self.zero) + off
        steps = np.where(far < .03, steps + 300, steps)
        steps = np.where(far > .97, steps - 300, steps)
        scale = self.spread(self.scale)
        self.x = (steps * scale).astype(F32)
        self.q = clamp_round(self.x.astype(np.float64) / scale,
                             self.spread(self.zero), self.low, self.high)

    @property
    def centered(self):
        return self.q - self.spread(self.zero)

    def real(self):
        if self.floats:
            return self.x.astype(np.float64)
        return self.spread(self.scale).astype(np.float64) * self.centered


class Problem:
    def __init__(self, axes, kinds=(INTEGER, WEIGHT_ONLY, MATMUL_INTEGER)):
        draw = axes.draw
        self.kind = kind = axes.even("kind", *kinds)
        rows = axes.even("rows", "static", "static", "dynamic", "one",
                         "batched")
        self.dynamic = rows == "dynamic"
        self.b = draw.pick(2, 3) if rows == "batched" else 1
        m = 1 if rows == "one" else int(draw.rng.integers(1, 6))
        n = int(draw.pick(1, 2, 3, 5, 8, 8, 9, 16))
        k = int(draw.pick(1, 3, 4, 8, 8, 12, 16, 16, 20, 32, 33, 40))
        self.m, self.n, self.k = m, n, k
        # The type of the program's floats.
        self.real = "f32"
        if kind == WEIGHT_ONLY:
            self.real = axes("floats", "f32", "f16")
        self.weight = Weight(axes, n, k, kind, self.real)
        self.x = Activations(axes, kind, self.b, m, k, self.dynamic)
        if self.real == "f16":
            self.x.x = self.x.x.astype(np.float16)
        self.bias = None
        self.out = None  # (scale, zero, low, high) of a result in integers
        self.scaled = None  # (scale, atoms) of an integer product's floats
        if kind == MATMUL_INTEGER:
            if axes.even("integer result", "as it is", "scaled") == "as it is":
                return
            atoms = draw.pick((), ("n",))
            self.scaled = draw.scales((n,) if atoms else ()), atoms
        if axes.even("bias", "none", "given") == "given":
            self.bias = draw.rng.standard_normal(n).astype(
                np.float16 if self.real == "f16" else F32)
        if kind == INTEGER and axes.even("result", "float", "float",
                                         "quantized") == "quantized":
            unsigned = draw.chance(.5)
            low, high = draw.limits(8, unsigned)
            spread = float(np.abs(self.product()).max()) or 1.0
            self.out = (F32(spread / 100),
                        int(draw.rng.integers(low, high + 1)), low, high)

    def product(self):
        """What the program computes before a result is quantized, [B, M, N]:
        exact integers, or float64."""
        if self.kind == MATMUL_INTEGER:
            y = self.x.centered @ self.weight.centered.T
            if not self.scaled:
                return y
            y = y * self.scaled[0].astype(np.float64)
            return y if self.bias is None else y + self.bias
        y = self.x.real() @ self.weight.real().T
        return y if self.bias is None else y + self.bias

    def bound(self, whole=False):
        """What a result of floats may differ by: `whole` where every element is
        dequantized before the sum, else after each group's sum."""
        w = self.weight
        if self.scaled:
            bias = 0 if self.bias is None else np.abs(self.bias)
            return 2.0**-21 * (np.abs(self.product()) + bias) + 1e-12
        size = np.abs(w.scales.astype(np.float64))
        x = np.abs(self.x.real())
        if whole or self.kind == WEIGHT_ONLY:
            if whole:  # a zero point may be subtracted after its product
                zero = np.abs(w.spread(w.zero, w.zero_atoms or ()))
                size = size * (np.abs(w.q) + zero)
                if not self.x.floats:
                    x = self.x.spread(self.x.scale) * (
                        np.abs(self.x.q) + np.abs(self.x.spread(self.x.zero)))
            else:
                size = size * np.abs(w.centered)
            bound = (self.k + 16) * 2.0**-23 * (x @ size.T)
        else:
            bound = 0
            for g in range(w.groups):
                inside = w.index == g
                bound = bound + np.abs(self.x.real()[..., inside] @
                                       w.real()[:, inside].T)
            bound = (w.groups + 8) * 2.0**-23 * bound
        if self.real == "f16":  # one rounding of the sum, one of the bias
            bound = bound * (2.0**12 if whole else 1) + 2.0**-9 * np.abs(
                self.product())
            if self.bias is not None:
                bound = bound + 2.0**-10 * np.abs(self.bias)
        if self.bias is not None:
            bound = bound + 2.0**-22 * np.abs(self.bias)
        return bound + 2.0**-22 * np.abs(self.product()) + 1e-12
