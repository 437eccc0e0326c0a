"""What a decoder keeps of its tokens: keys and values, as floats or as integers.

Each form says which arrays it keeps, how a program stores new tokens, and how it
attends to them and to those that came before.
"""

from dataclasses import dataclass

import numpy as np

from ..errors import FileError, InvalidArgument
from .parts import PAST, ROWS
from .runs import quantize_runs
from .text import Value

FORMS = ("float", "int8", "int4")
_DTYPES = {"f32": np.float32, "i32": np.int32}
# Of heads, and of the largest blocks that are rotated.
_HEAD_UNIT, _LARGEST_HEAD, _MOST_ROTATED = 32, 1024, 128
# Scales of 4 bits that are tried: how many, and the step.
_SHARES = (10, 0.05)
_MOST_FACTOR = 8.0
# Words of 32 bits.
_LINE = 16


def check(name):
    if name not in FORMS:
        raise InvalidArgument(f"kv_cache: expected {', '.join(FORMS)}, found {name!r}")


def keeps_groups(name):
    """Whether what is kept of a head of keys follows from all its heads of queries."""
    return name == "int4"


def make(name, config, path="the checkpoint"):
    """The form `name` of FORMS for a model."""
    check(name)
    if name == "float":
        return FloatCache(config)
    if config.head_dim % _HEAD_UNIT or config.head_dim > _LARGEST_HEAD:
        raise FileError(f"{path}: kv_cache={name} is for heads of a multiple of "
                        f"{_HEAD_UNIT} elements up to {_LARGEST_HEAD}, found "
                        f"{config.head_dim}")
    return IntegerCache(config, int(name[3:]))


@dataclass(frozen=True)
class Array:
    """One array of a cache. shape: of a layer; None: tokens, if there are any."""
    name: str
    shape: tuple
    element: str = "f32"

    def sized(self, tokens):
        return tuple(tokens if s is None else s for s in self.shape)

    def zeros(self, layers, tokens):
        """At a line of the cache: a vector that is in two takes twice the time."""
        shape = (layers, *self.sized(tokens))
        size = int(np.prod(shape, dtype=np.int64))
        room = np.zeros(size + _LINE, _DTYPES[self.element])
        begin = -room.ctypes.data % (4 * _LINE) // 4
        return room[begin:begin + size].reshape(shape)

    @property
    def has_tokens(self):
        return None in self.shape

    def rows(self, array, begin, end):
        """The part of tokens `begin` to `end`, not copied."""
        lead = (slice(None),) * (1 + self.shape.index(None))
        return array[(*lead, slice(begin, end))]


class FloatCache:
    """Keys have tokens last, so that products with them read vectors."""
    keys_last = True

    def __init__(self, config):
        kv, d = config.kv_heads, config.head_dim
        self.arrays = (Array("keys", (kv, d, None)), Array("values", (kv, None, d)))

    def store(self, parts, q, k, v, past):
        """What is kept of keys [KV, D, S] and values [KV, S, D]."""
        return k, v

    def attend(self, parts, q, new, past):
        """q [H, S, D] over kept arrays: [S, H * D]."""
        b, d = parts.body, parts.config.head_dim

        def of_run(queries, new, past, init):
            q, = queries
            return (f"quant.float_attention query({q} : {q.type}) "
                    f"past({_listed(past)}) new({_listed(new)}) outs({init} : "
                    f"{init.type}) scale = {d ** -0.5:.17e} -> {init.type}")

        return _attend_runs(b, parts.config, (q,), new, past, of_run)


class IntegerCache:
    """Symmetric integers of `bits`, a scale in f32 for each token of each head, in
    words of 32 bits as `quant.cached_attention` reads them. Of 8 bits the scale is
    the largest magnitude over 127; of 4 bits integers are those of that over 7, or of
    what of it has the least squared error, with integers from -8 on, and the scale is
    the best one for these integers; of keys it has the sign by which -8 is on the side
    of the largest magnitude.

    Heads are rotated by a Hadamard matrix before: queries and keys alike, which
    leaves their products as they are, and values, whose rotation is
    undone on what attention gives. (It could be folded into the weight behind, but
    that one has the file's integers, which cannot be rotated; the matrix is its own
    inverse, so that undoing is one more of the same op.)

    Keys are kept less what they have in common: the mean of the keys of the first
    call's tokens, for each head and layer. All scores of a query change by the same
    number, which the softmax does not see. Before 4 bits their elements are multiplied
    by factors, by which those of queries are divided: the error of scores is least
    where both are as large (of the first call's tokens, too).
    """
    keys_last = False

    def __init__(self, config, bits):
        kv, d = config.kv_heads, config.head_dim
        words = d * bits // 32
        self.bits, self._top = bits, (1 << (bits - 1)) - 1
        self._size = min(d & -d, _MOST_ROTATED)
        self.arrays = (
            Array("keys", (kv, words, None), "i32"), Array("key_scales", (kv, None)),
            Array("values", (kv, None, words), "i32"), Array("value_scales", (kv, None)),
            Array("key_centers", (kv, d)))
        if bits == 4:
            self.arrays += (Array("key_factors", (kv, d)),)

    def store(self, parts, q, k, v, past):
        """What is kept of keys and values [KV, S, D] with queries [H, S, D]; `past`:
        of those before."""
        b, dims = parts.body, ("h", "s", "d")
        is_first = b.scalar(f"arith.cmpi eq, {b.sizes[PAST]}, {b.index(0)} : index")
        kept = [self._center(b, k, past[4], is_first)]
        like = lambda: b.empty((k.shape[0], ROWS, k.shape[2]))
        k = b.generic(dims, [(k, dims), (kept[0], ("h", "d"))], like(),
                      ["%r = arith.subf %a, %b : f32", "linalg.yield %r : f32"])
        if self.bits == 4:
            kept.append(self._factor(b, q, k, past[5], is_first))
            k = b.generic(dims, [(k, dims), (kept[1], ("h", "d"))], like(),
                          ["%r = arith.mulf %a, %b : f32", "linalg.yield %r : f32"])
        k, v = self._rotate(b, k), self._rotate(b, v)
        stored = []
        for x, out in ((k, ("h", "w", "s")), (v, ("h", "s", "w"))):
            how = {}
            if self.bits == 4:
                # Scales of values are not negative (`quant.cached_attention`).
                how = dict(shares=_SHARES, is_fitted=True, is_signed=x is k)
            q, scale = quantize_runs(b, x, self._top, **how)
            stored += [self._pack(b, q, out), scale]
        return (*stored, *kept)

    def _factor(self, b, q, k, old, is_first):
        """What keys' elements are multiplied by, and queries' divided: the root of
        what these are, by what those are, of the first ones."""
        kv, _, d = k.shape
        group = q.shape[0] // kv
        q = b.expand(q, "[[0, 1], [2], [3]]", (kv, group, ROWS, d))
        out = ("h", "d")
        squares = [b.generic(dims, [(x, dims)], b.fill((kv, d), 0.0),
                             ["%s = arith.mulf %a, %a : f32",
                              "%t = arith.addf %s, %o : f32", "linalg.yield %t : f32"],
                             out, reduced=dims[1:-1])
                   for x, dims in ((q, ("h", "g", "s", "d")), (k, ("h", "s", "d")))]
        least, low, high = b.number(1e-20), b.number(1 / _MOST_FACTOR), \
            b.number(_MOST_FACTOR)
        return b.generic(
            out, [(squares[0], out), (squares[1], out), (old, out)], b.empty((kv, d)),
            [f"%p = arith.addf %a, {least} : f32", f"%q = arith.addf %b, {least} : f32",
             "%r = arith.divf %p, %q : f32", "%s = math.sqrt %r : f32",
             "%t = math.sqrt %s : f32", f"%u = arith.maximumf %t, {low} : f32",
             f"%v = arith.minimumf %u, {high} : f32",
             f"%w = arith.select {is_first}, %v, %c : f32", "linalg.yield %w : f32"])

    def _center(self, b, k, old, is_first):
        """The mean of the keys [KV, S, D], if they are the first ones; else `old`."""
        kv, _, d = k.shape
        dims, out = ("h", "s", "d"), ("h", "d")
        total = b.generic(dims, [(k, dims)], b.fill((kv, d), 0.0),
                          ["%t = arith.addf %a, %o : f32", "linalg.yield %t : f32"],
                          out, reduced=("s",))
        number = b.scalar(f"arith.index_cast {b.sizes[ROWS]} : index to i32")
        number = b.scalar(f"arith.sitofp {number} : i32 to f32")
        return b.generic(out, [(total, out), (old, out)], b.empty((kv, d)),
                         [f"%m = arith.divf %a, {number} : f32",
                          f"%r = arith.select {is_first}, %m, %b : f32",
                          "linalg.yield %r : f32"])

    def attend(self, parts, q, new, past):
        """q [H, S, D] over kept arrays: [S, H * D]."""
        b, c = parts.body, parts.config
        kv, d = c.kv_heads, c.head_dim
        if self.bits == 4:
            dims = ("h", "g", "s", "d")
            shape = (kv, c.heads // kv, ROWS, d)
            q = b.expand(q, "[[0, 1], [2], [3]]", shape)
            q = b.generic(dims, [(q, dims), (new[5], ("h", "d"))], b.empty(shape),
                          ["%r = arith.divf %a, %b : f32", "linalg.yield %r : f32"])
            q = b.collapse(q, "[[0, 1], [2], [3]]", (c.heads, ROWS, d))
        q, scale = quantize_runs(b, self._rotate(b, q), 127)
        # The softmax's factor.
        factor = b.number(d ** -0.5)
        scale = b.generic(("h", "s"), [(scale, ("h", "s"))], b.empty((c.heads, ROWS)),
                          [f"%p = arith.mulf %a, {factor} : f32",
                           "linalg.yield %p : f32"])

        def of_run(queries, new, past, init):
            return (f"quant.cached_attention query({_listed(queries)}) "
                    f"past({_listed(past)}) new({_listed(new)}) outs({init} : "
                    f"{init.type}) bits = {self.bits} -> {init.type}")

        return self._rotate(
            b, _attend_runs(b, c, (q, scale), new[:4], past[:4], of_run))

    def _rotate(self, b, x):
        """In blocks of the last dimension, of which heads are whole numbers."""
        name = b.fresh()
        b.line(f"{name} = quant.rotate {x} size = {self._size} : {x.type} -> {x.type}")
        return Value(name, x.sizes)

    def _pack(self, b, q, out):
        """Words of i8 [H, S, D], by the order of dimensions `out`."""
        heads, _, d = q.shape
        each = 32 // self.bits
        sizes = {"h": heads, "s": ROWS, "w": d // each}
        q = b.expand(q, "[[0], [1], [2, 3]]", (heads, ROWS, d // each, each))
        zero = b.scalar("arith.constant 0 : i32")
        init = b.filled(b.empty(tuple(sizes[o] for o in out), "i32"), zero)
        bits = b.scalar(f"arith.constant {self.bits} : i32")
        mask = b.scalar(f"arith.constant {(1 << self.bits) - 1} : i32")
        return b.generic(
            (*out, "i"), [(q, ("h", "s", "w", "i"))], init,
            ["%i = linalg.index 3 : index", "%j = arith.index_cast %i : index to i32",
             f"%k = arith.muli %j, {bits} : i32", "%x = arith.extsi %a : i8 to i32",
             f"%m = arith.andi %x, {mask} : i32", "%s = arith.shli %m, %k : i32",
             "%r = arith.ori %o, %s : i32", "linalg.yield %r : i32"],
            out, reduced=("i",))


def _listed(values):
    return ", ".join(map(str, values)) + " : " + ", ".join(v.type for v in values)


def _attend_runs(b, config, queries, new, past, of_run):
    """[S, H * D] of `queries` [H, S, ..]. The text of an op is `of_run` (queries [KV,
    G, S, ..], new and past tokens of KV heads, where to); there is one for each run of
    heads of keys with as many heads of queries."""
    runs, heads, d = config.head_runs(), config.heads, config.head_dim

    def attend(run, queries, new, past, room):
        shape = (*run, ROWS, d)
        queries = [b.expand(x, str([[0, 1], *([i] for i in range(2, len(x.shape) + 1))]),
                            shape[:len(x.shape) + 1]) for x in queries]
        return b.op(of_run(queries, new, past, room), (ROWS, *run, d))

    if len(runs) == 1:
        y = attend(runs[0], queries, new, past, b.empty((ROWS, *runs[0], d)))
        return b.collapse(y, "[[0], [1, 2, 3]]", (ROWS, heads * d))
    out, at, first = b.empty((ROWS, heads, d)), 0, 0
    for run in runs:
        kv, count = run[0], run[0] * run[1]
        room = b.slice(out, [0, at, 0], [ROWS, count, d])
        room = b.expand(room, "[[0], [1, 2], [3]]", (ROWS, *run, d))
        y = attend(run, _heads_of(b, queries, at, count, ROWS),
                   _heads_of(b, new, first, kv, ROWS),
                   _heads_of(b, past, first, kv, PAST), room)
        y = b.collapse(y, "[[0], [1, 2], [3]]", (ROWS, count, d))
        out = b.insert(y, out, [0, at, 0], [ROWS, count, d])
        at, first = at + count, first + kv
    return b.collapse(out, "[[0], [1, 2]]", (ROWS, heads * d))


def _heads_of(b, values, first, count, tokens):
    """`count` heads of each of `values` [heads, ..]."""
    return [b.slice(value, [first] + [0] * (len(value.shape) - 1),
                    [count, *(size or tokens for size in value.shape[1:])])
            for value in values]


def past_of(body, cache, values, layer):
    """The tokens of layer `layer` that came before, of arrays of all layers."""
    return [body.slice(value, [layer] + [0] * len(array.shape), [1, *array.sized(PAST)],
                       dropped=(0,))
            for array, value in zip(cache.arrays, values)]
