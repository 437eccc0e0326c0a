"""The program of one rank of a decoder: parts of the products, and what ranks send
each other, as upstream's `shard.all_reduce` and `shard.all_gather`."""

from .parts import ROWS
from .program import Program
from .ranks import widths
from .text import tensor


class RankProgram(Program):
    """`config`, `weights` and `cache` are those of the rank; `plan` has all. `asks`:
    it asks MPI in each call whether all ranks are those of the plan."""

    def __init__(self, plan, library, asks, *args, **options):
        self.plan, self._library, self._asks = plan, library, asks
        super().__init__(*args, **options)

    def _module(self, text):
        key = f'#dlti.map<"MPI:Implementation" = "{self._library}">'
        rank = f", quant.rank = {self.plan.number} : i64" if self._asks else ""
        return (f"module attributes {{dlti.map = {key}{rank}}} {{\n"
                f"shard.grid @ranks(shape = {self.plan.count})\n{text}}}\n")

    # What is sent ----------------------------------------------------------

    def _reduce(self, x, kind):
        return self.body.op(
            f"shard.all_reduce {x} on @ranks grid_axes = [0] reduction = {kind} : "
            f"{x.type} -> {x.type}", self._sizes_of(x), x.element)

    def _gather_all(self, x, ranges):
        """[rows, part] of every rank, as [rows, all]; shorter parts are padded on
        the way."""
        b, sizes = self.body, widths(ranges)
        rows, most = self._sizes_of(x)[0], max(sizes)
        if sizes[self.plan.number] < most:
            zero = b.scalar(f"arith.constant {'0.0' if x.element == 'f32' else 0} : "
                            f"{x.element}")
            room = b.filled(b.empty((rows, most), x.element), zero)
            x = b.insert(x, room, [0, 0], [rows, sizes[self.plan.number]])
        x = b.expand(x, "[[0, 1], [2]]", (1, rows, most))
        shape = (self.plan.count, rows, most)
        all_ = b.op(f"shard.all_gather {x} on @ranks grid_axes = [0] gather_axis = 0 : "
                    f"{x.type} -> {tensor(b.static(shape), x.element)}", shape,
                    x.element)
        result = b.empty((rows, sum(sizes)), x.element)
        for i, (begin, end) in enumerate(ranges):
            part = b.slice(all_, [i, 0, 0], [1, rows, end - begin], dropped=(0,))
            result = b.insert(part, result, [0, begin], [rows, end - begin])
        return result

    @staticmethod
    def _sizes_of(x):
        return tuple(ROWS if s is None else s for s in x.shape)

    # Products --------------------------------------------------------------

    def _output(self, x, name, index):
        """x, the part of this rank, by O or down: all of the result."""
        plan, w = self.plan, self.weights
        if not plan.is_cut(name):
            return super()._output(x, name, index)
        x = self._rotate(x, self.rotation)
        scale = self._scale_of_all(x)
        q = self._quantized(x, scale)
        if name in plan.by_rows:
            return self._add_integers(q, scale, w.slots[name][0].stacks[0], index)
        q = self._gather_all(q, plan.inputs(name))
        return self._gather_all(self._joined((q, q, scale, 0), w.slots[name], index),
                            plan.dim)

    def _scale_of_all(self, x):
        """A scale for each row, by the largest magnitude of all ranks' parts."""
        b, zero = self.body, self.body.number(0.0)
        most = b.number(3.4028234663852886e+38)
        magnitude = b.generic(
            ("s", "d"), [(x, ("s", "d"))], b.fill((ROWS,), 0.0),
            ["%m = math.absf %a : f32", f"%f = arith.cmpf ole, %m, {most} : f32",
             f"%g = arith.cmpf ogt, %m, {zero} : f32", "%in = arith.andi %f, %g : i1",
             f"%v = arith.select %in, %m, {zero} : f32",
             "%r = arith.maximumf %v, %o : f32", "linalg.yield %r : f32"],
            ("s",), reduced=("d",))
        magnitude = b.expand(self._reduce(magnitude, "max"), "[[0, 1]]", (ROWS, 1))
        return self._choose_scale(magnitude)

    def _add_integers(self, q, scale, stack, index):
        """By a weight with one scale a row: as `quant.scaled_matmul` rounds, behind
        the sum of all ranks' integers."""
        b = self.body
        w, row = (self._of_layer(stack.resources[name], index)
                  for name in ("q", "scale"))
        zero = b.scalar("arith.constant 0 : i32")
        init = b.filled(b.empty((ROWS, stack.n), "i32"), zero)
        part = b.op(f"quant.matmul ins({q}, {w} : {q.type}, {w.type}) outs({init} : "
                    f"{init.type}) {{transpose_rhs}} -> {init.type} "
                    f"loc(\"{stack.name}\")", (ROWS, stack.n), "i32")
        row = b.collapse(row, "[[0, 1]]", (stack.n,))
        none = b.number(0.0)
        return b.generic(
            ("s", "n"), [(self._reduce(part, "sum"), ("s", "n")), (row, ("n",)),
                         (scale, ("s",))], b.empty((ROWS, stack.n)),
            ["%f = arith.sitofp %a : i32 to f32", f"%t = math.fma %f, %b, {none} : f32",
             "%y = arith.mulf %t, %c : f32", "linalg.yield %y : f32"])

    def _head(self, h):
        return self._gather_all(super()._head(h), self.plan.vocabulary)

    # Embeddings ------------------------------------------------------------

    def _embed(self, ids):
        """Rows that this rank has; the bits of others are 0, and all are or'ed."""
        b, shape = self.body, (ROWS, self.config.dim)
        begin, end = self.plan.vocabulary[self.plan.number]
        first, count, zero = b.index(begin), b.index(end - begin), b.index(0)
        lines, value = self._element_of_embedding()
        none = b.scalar("arith.constant 0 : i32")
        bits = b.generic(
            ("s", "d"), [(ids, ("s",))], b.empty(shape, "i32"),
            ["%d = linalg.index 1 : index",
             "%id = arith.index_cast %a : i32 to index",
             f"%own = arith.subi %id, {first} : index",
             f"%here = arith.cmpi ult, %own, {count} : index",
             f"%i = arith.select %here, %own, {zero} : index", *lines,
             f"%bits = arith.bitcast {value} : f32 to i32",
             f"%sent = arith.select %here, %bits, {none} : i32",
             "linalg.yield %sent : i32"])
        return b.generic(("s", "d"), [(self._reduce(bits, "bitwise_or"), ("s", "d"))],
                         b.empty(shape),
                         ["%f = arith.bitcast %a : i32 to f32",
                          "linalg.yield %f : f32"])
