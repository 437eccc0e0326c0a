"""What a decoder's layer is made of beside its weights: norms, rotations,
attention, the MLP's gate."""

from .text import Value

# New tokens and old ones; some of the new, the new ones up to these, all that
# these may see.
ROWS, PAST, SOME, SEEN, ALL = "S", "P", "B", "N", "T"
# Tokens of which scores are computed at once.
BLOCK = 16


class Parts:
    def __init__(self, body, config):
        self.body, self.config = body, config

    def norm(self, x, weight):
        """x / sqrt(mean(x^2) + eps) * weight, over the last dimension."""
        b, shape = self.body, tuple(s or ROWS for s in x.shape)
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

    def attention(self, q, new, past):
        """q [KV, G, S, D] over the cached and the new keys and values: [S, heads].

        Some tokens at a time: their scores stay near, and keys that none of them
        sees are not multiplied."""
        b, c = self.body, self.config
        kv, group, d = c.kv_heads, c.heads // c.kv_heads, c.head_dim
        out = b.empty((ROWS, kv, group, d))
        first, inner = b.fresh(), Value(b.fresh(), out.shape)
        result = Value(b.fresh(), out.shape)
        b.open(f"{result} = scf.for {first} = {b.index(0)} to {b.sizes[ROWS]} step "
               f"{b.index(BLOCK)} iter_args({inner} = {out}) -> ({out.type}) {{")
        self._block_sizes(first, group)
        part = b.slice(q, [0, 0, first, 0], [kv, group, SOME, d])
        part = b.collapse(part, "[[0], [1, 2], [3]]", (kv, "GB", d))
        seen = (b.slice(new[0], [0, 0, 0], [kv, d, SEEN]),
                b.slice(new[1], [0, 0, 0], [kv, SEEN, d]))
        part = b.expand(self._block(part, seen, past, first),
                        "[[0], [1, 2], [3]]", (kv, group, SOME, d))
        place = [SOME, kv, group, d]
        part = b.generic(("s", "h", "g", "d"), [(part, ("h", "g", "s", "d"))],
                         b.slice(inner, [first, 0, 0, 0], place),
                         ["linalg.yield %a : f32"])
        inner = b.insert(part, inner, [first, 0, 0, 0], place)
        b.line(f"scf.yield {inner} : {inner.type}")
        b.close()
        return b.collapse(result, "[[0], [1, 2, 3]]", (ROWS, c.heads * d))

    def _block_sizes(self, first, group):
        """Tokens of a block, times G, new ones up to its last, old ones with them."""
        b = self.body
        left = b.scalar(f"arith.subi {b.sizes[ROWS]}, {first} : index")
        b.sizes[SOME] = b.scalar(f"arith.minui {left}, {b.index(BLOCK)} : index")
        b.sizes["GB"] = b.scalar(
            f"arith.muli {b.sizes[SOME]}, {b.index(group)} : index")
        b.sizes[SEEN] = b.scalar(f"arith.addi {first}, {b.sizes[SOME]} : index")
        b.sizes[ALL] = b.scalar(
            f"arith.addi {b.sizes[PAST]}, {b.sizes[SEEN]} : index")

    def _block(self, q, new, past, token):
        """q [KV, G * B, D] of the tokens from `token` on: [KV, G * B, D]."""
        b, c = self.body, self.config
        kv, group, d = c.kv_heads, c.heads // c.kv_heads, c.head_dim
        rows = "GB"
        zero = b.number(0.0)
        scores = b.empty((kv, rows, ALL))
        for keys, first, size in ((past[0], 0, PAST), (new[0], b.sizes[PAST], SEEN)):
            place = b.filled(b.slice(scores, [0, 0, first], [kv, rows, size]), zero)
            product = b.generic(
                ("h", "m", "n", "k"), [(q, ("h", "m", "k")), (keys, ("h", "k", "n"))],
                place, ["%p = arith.mulf %a, %b : f32", "%s = arith.addf %o, %p : f32",
                        "linalg.yield %s : f32"], ("h", "m", "n"), reduced=("k",))
            scores = b.insert(product, scores, [0, 0, first], [kv, rows, size])
        weights = self._softmax(
            b.expand(scores, "[[0], [1, 2], [3]]", (kv, group, SOME, ALL)), token)
        weights = b.collapse(weights, "[[0], [1, 2], [3]]", (kv, rows, ALL))
        out = b.fill((kv, rows, d), 0.0)
        for values, first, size in ((past[1], 0, PAST), (new[1], b.sizes[PAST], SEEN)):
            part = b.slice(weights, [0, 0, first], [kv, rows, size])
            out = b.generic(
                ("h", "m", "n", "k"), [(part, ("h", "m", "k")), (values, ("h", "k", "n"))],
                out, ["%p = arith.mulf %a, %b : f32", "%s = arith.addf %o, %p : f32",
                      "linalg.yield %s : f32"], ("h", "m", "n"), reduced=("k",))
        return out

    def _softmax(self, scores, token):
        """Of scaled scores [.., B, T]; token s of the block sees P + token + s + 1."""
        b, c = self.body, self.config
        dims = ("h", "g", "s", "t")
        shape = (c.kv_heads, c.heads // c.kv_heads, SOME, ALL)
        scale = b.number(c.head_dim ** -0.5)
        low = b.number(-1.0e+30)
        past = b.scalar(f"arith.addi {b.sizes[PAST]}, {token} : index")
        masked = b.generic(
            dims, [(scores, dims)], b.empty(shape),
            ["%s = linalg.index 2 : index", "%t = linalg.index 3 : index",
             f"%l = arith.addi %s, {past} : index",
             "%v = arith.cmpi ule, %t, %l : index",
             f"%m = arith.mulf %a, {scale} : f32",
             f"%r = arith.select %v, %m, {low} : f32", "linalg.yield %r : f32"])
        most = b.generic(dims, [(masked, dims)], b.fill(shape[:-1], -1.0e+30),
                         ["%m = arith.maximumf %a, %o : f32",
                          "linalg.yield %m : f32"], dims[:-1], reduced=("t",))
        powers = b.generic(dims, [(masked, dims), (most, dims[:-1])],
                           b.empty(shape),
                           ["%s = arith.subf %a, %b : f32", "%e = math.exp %s : f32",
                            "linalg.yield %e : f32"])
        total = b.generic(dims, [(powers, dims)], b.fill(shape[:-1], 0.0),
                          ["%m = arith.addf %a, %o : f32",
                           "linalg.yield %m : f32"], dims[:-1], reduced=("t",))
        return b.generic(dims, [(powers, dims), (total, dims[:-1])],
                         b.empty(shape), ["%q = arith.divf %a, %b : f32",
                                          "linalg.yield %q : f32"])

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
        """Of [S, width]."""
        b, dims = self.body, ("s", "d")
        return b.generic(dims, [(x, dims), (y, dims)],
                         b.empty((ROWS, self.config.dim)),
                         ["%t = arith.addf %a, %b : f32", "linalg.yield %t : f32"])
