"""The program of one rank of a decoder: parts of the products, and what ranks send
each other, as upstream's `shard.all_reduce` and `shard.all_gather`."""

from .parts import ROWS
from .program import Program
from .ranks import widths
from .text import Value, tensor

# Where rows are divided: those of this rank, those of all, which has as many for each,
# and how many of these are no tokens'. Of a call with few tokens each rank has all.
OWN, ALL, REST = "own", "all", "rest"


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

    # Rows ------------------------------------------------------------------

    def _sizes(self, ids, caches):
        super()._sizes(ids, caches)
        b, plan = self.body, self.plan
        if not plan.divides_rows:
            return
        rows, count = b.sizes[ROWS], b.index(plan.count)
        number, zero = b.index(plan.number), b.index(0)
        self._few = b.scalar(f"arith.cmpi ult, {rows}, {b.index(plan.least_rows)} : "
                             "index")
        part = b.scalar(f"arith.ceildivui {rows}, {count} : index")
        all_ = b.scalar(f"arith.muli {part}, {count} : index")
        begin = b.scalar(f"arith.muli {part}, {number} : index")
        choose = lambda few, many: b.scalar(
            f"arith.select {self._few}, {few}, {many} : index")
        b.sizes[OWN], b.sizes[ALL] = choose(rows, part), choose(rows, all_)
        b.sizes[REST] = b.scalar(f"arith.subi {b.sizes[ALL]}, {rows} : index")
        self._begin = choose(zero, begin)

    def _either(self, sizes, element, few, many):
        """What `few` gives where each rank has all rows, else what `many` does."""
        b = self.body
        result = Value(b.fresh(), sizes, element)
        b.open(f"{result} = scf.if {self._few} -> ({result.type}) {{")
        for make, end in ((few, "} else {"), (many, "}")):
            value = make()
            b.line(f"scf.yield {value} : {value.type}")
            b.close(end)
            if make is few:
                b.indent()
        return result

    def _own_rows(self, size, make, kind, finish):
        """`finish` of the rows that this rank has of all ranks' x [ROWS, size] of i32
        together, which `make` makes in its operand."""
        b = self.body
        room = b.empty((ALL, size), "i32")
        x = b.insert(make(b.slice(room, [0, 0], [ROWS, size])), room, [0, 0],
                     [ROWS, size])
        # Rows that are no tokens'. Behind: nothing that is made again in each layer
        # would be copied.
        rest = [b.sizes[ROWS], 0], [REST, size]
        zero = b.scalar("arith.constant 0 : i32")
        x = b.insert(b.filled(b.slice(x, *rest), zero), x, *rest)
        own = (OWN, size)
        return self._either(
            own, "f32", lambda: finish(self._reduce(x, kind)),
            lambda: finish(b.op(
                f"shard.reduce_scatter {x} on @ranks grid_axes = [0] reduction = {kind} "
                f"scatter_axis = 0 : {x.type} -> {x.type}", own, x.element)))

    def _whole(self, x):
        """[OWN, ..] of every rank as [ROWS, ..]."""
        b, rest = self.body, x.sizes[1:]
        sizes = (ALL, *rest)
        all_ = self._either(sizes, x.element, lambda: x, lambda: b.op(
            f"shard.all_gather {x} on @ranks grid_axes = [0] gather_axis = 0 : "
            f"{x.type} -> {x.type}", sizes, x.element))
        return b.slice(all_, [0] * len(sizes), [ROWS, *rest])

    def _normed(self, h, weight, slot):
        x = super()._normed(h, weight, slot)
        if not self.plan.divides_rows:
            return x
        _, q, scale, block = x
        q, scale = self._whole(q), self._whole(scale)
        return q, q, scale, block

    def _all_rows(self, h):
        return self._whole(h) if self.plan.divides_rows else h

    def _last_row(self, h):
        """Of the rank that has it."""
        if not self.plan.divides_rows:
            return super()._last_row(h)
        b, size = self.body, self.config.dim
        zero = b.index(0)
        last = b.scalar(f"arith.subi {b.sizes[ROWS]}, {b.index(1)} : index")
        at = b.scalar(f"arith.subi {last}, {self._begin} : index")
        here = b.scalar(f"arith.cmpi ult, {at}, {b.sizes[OWN]} : index")
        at = b.scalar(f"arith.select {here}, {at}, {zero} : index")
        bits = self._bits_where(b.slice(h, [at, 0], [1, size]), here)
        return self._of_bits(self._either(
            bits.sizes, "i32", lambda: bits, lambda: self._reduce(bits, "bitwise_or")))

    def _bits_where(self, x, here):
        b, dims = self.body, ("s", "d")
        none = b.scalar("arith.constant 0 : i32")
        return b.generic(dims, [(x, dims)], b.empty(x.sizes, "i32"),
                         ["%b = arith.bitcast %a : f32 to i32",
                          f"%s = arith.select {here}, %b, {none} : i32",
                          "linalg.yield %s : i32"])

    def _of_bits(self, x, rows=None):
        b, dims = self.body, ("s", "d")
        return b.generic(dims, [(x, dims)], b.empty((rows or x.sizes[0], x.sizes[1])),
                         ["%f = arith.bitcast %a : i32 to f32",
                          "linalg.yield %f : f32"])

    # What is sent ----------------------------------------------------------

    def _reduce(self, x, kind):
        return self.body.op(
            f"shard.all_reduce {x} on @ranks grid_axes = [0] reduction = {kind} : "
            f"{x.type} -> {x.type}", x.sizes, x.element)

    def _gather_all(self, x, ranges):
        """[rows, part] of every rank, as [rows, all]; shorter parts are padded on
        the way."""
        b, sizes = self.body, widths(ranges)
        rows, most = x.sizes[0], max(sizes)
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

    # Products --------------------------------------------------------------

    def _output(self, x, name, index):
        """x, the part of this rank, by O or down: all of the result."""
        plan, w = self.plan, self.weights
        if not plan.is_cut(name):
            return super()._output(x, name, index)
        q, scale = self._quantized_together(x, name)
        if name in plan.by_rows:
            stack = w.slots[name][0].stacks[0]
            into = self.body.empty((ROWS, stack.n), "i32")
            sums = self._reduce(self._integers(q, stack, index, into), "sum")
            return self._rescaled(sums, scale, stack, index)
        q = self._gather_all(q, plan.inputs(name))
        return self._gather_all(self._joined((q, q, scale, 0), w.slots[name], index),
                            plan.dim)

    def _added(self, h, x, name, index):
        if not self.plan.divides_rows:
            return super()._added(h, x, name, index)
        b, stack = self.body, self.weights.slots[name][0].stacks[0]
        q, scale = self._quantized_together(x, name)
        own = b.slice(scale, [self._begin], [OWN])
        return self._own_rows(
            stack.n, lambda into: self._integers(q, stack, index, into), "sum",
            lambda sums: self.parts.add(h, self._rescaled(sums, own, stack, index)))

    def _quantized_together(self, x, slot):
        """x [ROWS, ..], of which ranks have columns: integers, and a scale for each
        row, by the largest magnitude of all ranks' parts; of ALL rows, if those are
        divided."""
        b, x = self.body, self._rotate(x, self.rotation.of(slot))
        zero, sign, infinity = (b.scalar(f"arith.constant {bits} : i32")
                                for bits in (0, 0x7fffffff, 0x7f800000))
        rows = ALL if self.plan.divides_rows else ROWS
        room = b.filled(b.empty((rows,), "i32"), zero)
        into = b.slice(room, [0], [ROWS]) if rows == ALL else room
        # Bits of magnitudes are in order, and have maxima of one instruction.
        bits = b.generic(
            ("s", "d"), [(x, ("s", "d"))], into,
            ["%b = arith.bitcast %a : f32 to i32", f"%m = arith.andi %b, {sign} : i32",
             f"%f = arith.cmpi slt, %m, {infinity} : i32",
             f"%v = arith.select %f, %m, {zero} : i32",
             "%r = arith.maxsi %v, %o : i32", "linalg.yield %r : i32"],
            ("s",), reduced=("d",))
        if rows == ALL:
            bits = b.insert(bits, room, [0], [ROWS])
        bits = b.expand(self._reduce(bits, "max"), "[[0, 1]]", (rows, 1))
        scale = self._choose_scale(self._of_bits(bits))
        of_tokens = b.slice(scale, [0], [ROWS]) if rows == ALL else scale
        return self._quantized(x, of_tokens), scale

    def _integers(self, q, stack, index, into):
        """Sums in i32 by this rank's part of a weight with one scale a row."""
        into = self.body.filled(into, self.body.scalar("arith.constant 0 : i32"))
        w = self._of_layer(stack.resources["q"], index)
        return self.body.op(
            f"quant.matmul ins({q}, {w} : {q.type}, {w.type}) outs({into} : "
            f"{into.type}) {{transpose_rhs}} -> {into.type} "
            f"loc(\"{stack.name}\")", into.sizes, "i32")

    def _rescaled(self, sums, scale, stack, index):
        """All ranks' sums, as `quant.scaled_matmul` rounds."""
        b = self.body
        row = self._of_layer(stack.resources["scale"], index)
        row = b.collapse(row, "[[0, 1]]", (stack.n,))
        none = b.number(0.0)
        return b.generic(
            ("s", "n"), [(sums, ("s", "n")), (row, ("n",)), (scale, ("s",))],
            b.empty((scale.sizes[0], stack.n)),
            ["%f = arith.sitofp %a : i32 to f32", f"%t = math.fma %f, %b, {none} : f32",
             "%y = arith.mulf %t, %c : f32", "linalg.yield %y : f32"])

    def _head(self, h):
        return self._gather_all(super()._head(h), self.plan.vocabulary)

    # Embeddings ------------------------------------------------------------

    def _embed(self, ids):
        """Rows that this rank has; the bits of others are 0, and all are or'ed."""
        b, size = self.body, self.config.dim
        begin, end = self.plan.vocabulary[self.plan.number]
        first, count, zero = b.index(begin), b.index(end - begin), b.index(0)
        lines, value = self._element_of_embedding()
        none = b.scalar("arith.constant 0 : i32")
        make = lambda into: b.generic(
            ("s", "d"), [(ids, ("s",))], into,
            ["%d = linalg.index 1 : index",
             "%id = arith.index_cast %a : i32 to index",
             f"%own = arith.subi %id, {first} : index",
             f"%here = arith.cmpi ult, %own, {count} : index",
             f"%i = arith.select %here, %own, {zero} : index", *lines,
             f"%bits = arith.bitcast {value} : f32 to i32",
             f"%sent = arith.select %here, %bits, {none} : i32",
             "linalg.yield %sent : i32"])
        if self.plan.divides_rows:
            return self._own_rows(size, make, "bitwise_or",
                                  lambda bits: self._of_bits(bits, OWN))
        return self._of_bits(self._reduce(make(b.empty((ROWS, size), "i32")),
                                          "bitwise_or"))
