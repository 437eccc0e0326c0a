"""What a decoder's layer is made of beside its weights and its cache: norms,
rotations, the MLP's gate."""

from .text import Value

# New tokens and old ones.
ROWS, PAST = "S", "P"


class Parts:
    def __init__(self, body, config):
        self.body, self.config = body, config

    def norm(self, x, weight):
        """x / sqrt(mean(x^2) + eps) * weight, over the last dimension."""
        b, shape = self.body, x.sizes
        dims = ("h", "s", "d")[3 - len(shape):]
        size = x.shape[-1]
        squares = b.generic(dims, [(x, dims)], b.empty(shape),
                            ["%q = arith.mulf %a, %a : f32",
                             "linalg.yield %q : f32"])
        total = b.generic(dims, [(squares, dims)], b.fill(shape[:-1], 0.0),
                          ["%t = arith.addf %a, %o : f32",
                           "linalg.yield %t : f32"], dims[:-1], reduced=dims[-1:])
        n = b.number(size)
        eps = b.number(self.config.eps)
        factor = b.generic(dims[:-1], [(total, dims[:-1])], b.empty(shape[:-1]),
                           [f"%m = arith.divf %a, {n} : f32",
                            f"%e = arith.addf %m, {eps} : f32",
                            "%r = math.rsqrt %e : f32",
                            "linalg.yield %r : f32"])
        return b.generic(dims, [(x, dims), (factor, dims[:-1]),
                                (weight, dims[-1:])], b.empty(shape),
                         ["%n = arith.mulf %a, %b : f32",
                          "%w = arith.mulf %n, %c : f32",
                          "linalg.yield %w : f32"])

    def angles(self, frequencies):
        """Cosine and sine of each new position's rotations: [S, D/2]."""
        b, half = self.body, self.config.head_dim // 2
        past = b.sizes[PAST]
        results = []
        for function in ("cos", "sin"):
            results.append(b.generic(
                ("s", "d"), [(frequencies, ("d",))], b.empty((ROWS, half)),
                ["%s = linalg.index 0 : index",
                 f"%p = arith.addi %s, {past} : index",
                 "%i = arith.index_cast %p : index to i32",
                 "%f = arith.sitofp %i : i32 to f32",
                 "%g = arith.mulf %f, %a : f32",
                 f"%r = math.{function} %g : f32",
                 "linalg.yield %r : f32"]))
        return results

    def heads(self, qkv, first, count):
        """Columns of Q, K or V as [S, heads, D]."""
        b, d = self.body, self.config.head_dim
        part = b.slice(qkv, [0, first * d], [ROWS, count * d])
        return b.expand(part, "[[0], [1, 2]]", (ROWS, count, d))

    def rotate(self, x, heads, angles, weight=None, keys=False):
        """Heads [S, H, D] to [H, S, D], of keys [H, D, S], turned by the
        angles."""
        b, d = self.body, self.config.head_dim
        if weight is not None:
            x = self.norm(self.transposed(x, heads), weight)
            of = ("h", "s", "d")
        else:
            of = ("s", "h", "d")
        cos, sin = angles
        half, dims = d // 2, ("h", "s", "d")
        sizes = [{"h": heads, "s": ROWS}[of[0]], {"h": heads, "s": ROWS}[of[1]], half]
        low, high = (b.slice(x, [0, 0, at], sizes) for at in (0, half))
        out = ("h", "d", "s") if keys else dims
        shape = lambda size: (heads, size, ROWS) if keys else (heads, ROWS, size)
        result = b.empty(shape(d))
        for at, (a, c, op) in ((0, (low, high, "subf")), (half, (high, low, "addf"))):
            turned = b.generic(
                dims, [(a, of), (c, of), (cos, ("s", "d")), (sin, ("s", "d"))],
                b.empty(shape(half)),
                ["%p = arith.mulf %a, %c : f32", "%q = arith.mulf %b, %d : f32",
                 f"%r = arith.{op} %p, %q : f32", "linalg.yield %r : f32"], out)
            place = [0, at, 0] if keys else [0, 0, at]
            result = b.insert(turned, result, place, shape(half))
        return result

    def transposed(self, x, heads):
        """Heads [S, H, D] to [H, S, D]."""
        b, d = self.body, self.config.head_dim
        return b.generic(("h", "s", "d"), [(x, ("s", "h", "d"))],
                         b.empty((heads, ROWS, d)), ["linalg.yield %a : f32"])

    def mlp(self, gate_up):
        """act(gate) * up, [S, 2F] to [S, F]."""
        b, f = self.body, self.config.ffn
        gate, up = (b.slice(gate_up, [0, at], [ROWS, f]) for at in (0, f))
        one = b.number(1.0)
        if self.config.activation == "silu":
            lines = ["%n = arith.negf %a : f32", "%e = math.exp %n : f32",
                     f"%s = arith.addf %e, {one} : f32",
                     "%g = arith.divf %a, %s : f32"]
        else:
            half = b.number(0.5)
            cube = b.number(0.044715)
            root = b.number(0.7978845608028654)
            lines = ["%q = arith.mulf %a, %a : f32", "%r = arith.mulf %q, %a : f32",
                     f"%s = arith.mulf %r, {cube} : f32",
                     "%t = arith.addf %a, %s : f32",
                     f"%u = arith.mulf %t, {root} : f32", "%v = math.tanh %u : f32",
                     f"%w = arith.addf %v, {one} : f32",
                     f"%x = arith.mulf %a, {half} : f32",
                     "%g = arith.mulf %x, %w : f32"]
        dims = ("s", "d")
        return b.generic(dims, [(gate, dims), (up, dims)], b.empty((ROWS, f)),
                         lines + ["%y = arith.mulf %g, %b : f32",
                                  "linalg.yield %y : f32"])

    def add(self, x, y):
        b, dims = self.body, ("s", "d")
        return b.generic(dims, [(x, dims), (y, dims)], b.empty(x.sizes),
                         ["%t = arith.addf %a, %b : f32", "linalg.yield %t : f32"])
