"""A decoder cut over the ranks of MPI: which part of each weight a rank has.

Heads of queries are cut, each with the heads of keys that they see, which two ranks
may both have; with heads their rows of Q, K and V and their caches; rows of gate and
up, and of the embedding and the head. The weights behind, O and down, are cut

* by their columns, where they have one scale a row: sums of i32 are added over
  ranks before they are scaled ("rows" of the product's K);
* by their rows, where they have scales of groups: the integers before them are
  gathered, and so is the result ("columns").

Where both are cut by their columns, rows of tokens are divided, too: sums of i32 go to
the rank that has the row, which adds it to what came in, and norms and quantizes it for
all. Not of a call with few tokens.

Either way all ranks together compute the bits of one.
"""

import contextlib
import math
import numbers
import operator
import os
import sys
import threading
from dataclasses import dataclass, replace

from ..errors import FileError, InvalidArgument, MissingPackage, QuantError

OUTPUTS = {"o": "attention", "down": "mlp"}
# Of a rank, so that rows are divided.
LEAST_ROWS = 8


def check(ranks):
    """(number, count) of `ranks`, or None."""
    if ranks is None:
        return None
    try:
        number, count = map(operator.index, ranks)
        if not 0 <= number < count <= 1 << 16:
            raise ValueError
    except (TypeError, ValueError):
        raise InvalidArgument("ranks: expected \"mpi\" or (number, count), integers, "
                              "the number less than count and that at most "
                              f"{1 << 16}, found {ranks!r}") from None
    return number, count


def check_timeout(seconds):
    """`seconds`, which a timer can wait."""
    if not isinstance(seconds, numbers.Real) or isinstance(seconds, bool) \
            or not 0 < seconds < math.inf:
        raise InvalidArgument("ranks_timeout: expected a finite number of seconds "
                              f"above 0, found {seconds!r}")
    return min(seconds, threading.TIMEOUT_MAX)


def split(size, count, unit=1):
    """Ranges of `count` parts of `size`, at least as many units, about as large as each
    other; all but the last are of whole `unit`s."""
    ends = [round(size * i / count / unit) * unit for i in range(count)] + [size]
    return list(zip(ends, ends[1:]))


def widths(ranges):
    return [end - begin for begin, end in ranges]


@dataclass(frozen=True)
class Traffic:
    """Bytes of the tensors that one call combines: for each of its rows, and for the
    last one. `divided`: of a call with at least `least_rows` tokens, whose rows are
    divided, or None."""
    count: int
    reduced_row: int
    moved_row: int
    reduced_call: int
    moved_call: int
    least_rows: int = 0
    divided: "Traffic | None" = None

    def sent(self, tokens):
        """Bytes that a rank sends for a call with so many tokens, where collectives
        pass parts around a ring: what is gathered or divided once, what is added and
        whole on all twice."""
        if self.divided and tokens >= self.least_rows:
            # As many for each rank.
            return self.divided.sent(-(-tokens // self.count) * self.count)
        reduced = tokens * self.reduced_row + self.reduced_call
        moved = tokens * self.moved_row + self.moved_call
        return (2 * reduced + moved) * (self.count - 1) // self.count


class Plan:
    """Ranges of all ranks, by what is cut.

    heads: of queries, in whole `unit`s; None: every rank has all (there are fewer units
    than ranks); keys: heads of keys that those see; q: columns of attention's result;
    ffn; vocabulary. by_rows: names in OUTPUTS whose sums are added in i32; others are cut
    by rows `dim` of the weight. divides_rows: ranks have parts of a call's rows between
    products, if it has at least `least_rows`.
    """

    def __init__(self, config, source, number, count, rotation, keeps_groups=False):
        """keeps_groups: heads of queries that see one of keys are not cut."""
        self.config, self.number, self.count = config, number, count
        unit = max(rotation.size, 1)
        for what, size in (("the vocabulary", config.vocabulary),
                           ("the width", config.dim),
                           ("the MLP's width, in blocks of the rotation",
                            config.ffn // unit)):
            if size < count:
                raise InvalidArgument(f"ranks: {what} has {size} parts, fewer than "
                                      f"{count} ranks")
        self.heads = self._split_heads(unit, keeps_groups)
        self.keys = self.heads and self._keys_of(self.heads)
        self.q = self.heads and self._columns_of(self.heads)
        # Evenly, also where heads are not: ranks wait for each other behind both.
        self.ffn = split(config.ffn, count, unit)
        self.vocabulary = split(config.vocabulary, count)
        self.dim = split(config.dim, count)
        self.by_rows = {name for name in OUTPUTS
                        if self._adds_integers(source, name)}
        self.divides_rows = count > 1 and all(
            self.is_cut(name) and name in self.by_rows for name in OUTPUTS)
        self.least_rows = LEAST_ROWS * count

    def _split_heads(self, unit, keeps_groups):
        """In whole groups of a head of keys, or finer where the largest part is less."""
        c = self.config
        self.unit = math.lcm(unit, c.head_dim) // c.head_dim
        group = math.lcm(self.unit, c.heads // c.kv_heads)
        if keeps_groups:
            self.unit = group
        cuts = [split(c.heads, self.count, size) for size in (group, self.unit)
                if c.heads // size >= self.count]
        rows = lambda heads: max(
            q + 2 * kv for q, kv in zip(widths(heads), widths(self._keys_of(heads))))
        return min(cuts, key=rows, default=None)

    def _keys_of(self, heads):
        each = self.config.heads // self.config.kv_heads
        return [(begin // each, -(-end // each)) for begin, end in heads]

    def _columns_of(self, heads):
        d = self.config.head_dim
        return [(begin * d, end * d) for begin, end in heads]

    def _adds_integers(self, source, name):
        forms = {source.linear(layer, name).form for layer in range(self.config.layers)}
        form = forms.pop()
        return not forms and form.bits == 8 and not (
            form.is_unsigned or form.zero or form.offset or form.order
            or form.codebook) and form.group >= self.inputs(name)[-1][1]

    def inputs(self, name):
        """Ranges of the columns of O or down; all of them where heads are whole."""
        c = self.config
        if name == "o":
            return self.q or [(0, c.heads * c.head_dim)] * self.count
        return self.ffn

    def is_cut(self, name):
        return name != "o" or self.heads is not None

    def local(self):
        """The config of this rank: sizes of its part."""
        begin, end = self.ffn[self.number]
        config = replace(self.config, ffn=end - begin)
        if self.heads is None:
            return config
        (begin, end), (first, last) = self.heads[self.number], self.keys[self.number]
        each = config.heads // config.kv_heads
        shares = tuple(min(end, (k + 1) * each) - max(begin, k * each)
                       for k in range(first, last))
        return replace(config, heads=end - begin, kv_heads=last - first, shares=shares)

    def rows(self, part):
        """The range of the rows that this rank has of a weight; None: all."""
        each = {"q": self.q, "gate": self.ffn, "up": self.ffn}
        if part in ("k", "v"):
            each[part] = self.keys and self._columns_of(self.keys)
        elif part in OUTPUTS and self.is_cut(part) and part not in self.by_rows:
            each[part] = self.dim
        ranges = each.get(part)
        return ranges and ranges[self.number]

    def columns(self, part):
        if part in self.by_rows and self.is_cut(part):
            return self.inputs(part)[self.number]
        return None

    def shape(self, part, shape):
        """Of a part of a weight of `shape`."""
        (n, k), rows, columns = shape, self.rows(part), self.columns(part)
        return (rows[1] - rows[0] if rows else n,
                columns[1] - columns[0] if columns else k)

    def traffic(self):
        c, n = self.config, self.count
        sums, gathered = 1, 0  # the embedding's bits
        maxima = 4 * c.layers * sum(map(self.is_cut, OUTPUTS))
        for name in filter(self.is_cut, OUTPUTS):
            if name in self.by_rows:
                sums += c.layers
            else:
                gathered += c.layers * n * (max(widths(self.inputs(name)))
                                            + 4 * max(widths(self.dim)))
        logits, divided = 4 * n * max(widths(self.vocabulary)), None
        if self.divides_rows:
            # Integers of a row and their scale, for each half layer; the last row.
            quantized = (c.dim + 4) * c.layers * len(OUTPUTS)
            divided = Traffic(n, maxima, 4 * c.dim * sums + quantized, 4 * c.dim, logits)
        return Traffic(n, maxima + 4 * c.dim * sums, gathered, 0, logits,
                       self.least_rows, divided)

    def explain(self):
        """A line about what is whole, and why; or none."""
        if self.heads is not None:
            return None
        parts = self.config.heads // self.unit
        of = "" if self.unit == 1 else f", {self.unit} of which are not cut,"
        return ("attention is computed by every rank: "
                f"{self.config.heads} heads{of} have {parts} parts, fewer than "
                f"{self.count} ranks")


class _Part:
    """Rows and columns of a weight."""

    def __init__(self, weight, rows, columns=None):
        self.weight, self.name, self.form = weight, weight.name, weight.form
        self._rows = slice(*rows) if rows else slice(None)
        self._columns = slice(*columns) if columns else slice(None)
        self.shape = tuple(len(range(*s.indices(size))) for s, size in zip(
            (self._rows, self._columns), weight.shape))

    def load(self):
        weight = self.weight.load()
        if not self.form.bits:
            return weight[self._rows, self._columns]
        pick = lambda array: None if array is None else array[self._rows]
        return replace(weight, q=weight.q[self._rows, self._columns],
                       scale=weight.scale[self._rows],
                       zero_point=pick(weight.zero_point), offset=pick(weight.offset))


def _is_float(weight, what):
    return FileError(f"{weight.name}: ranks= expected integers, found floats, which "
                     "parts of the product would not add in the same order; weights= "
                     f"quantizes {what}")


class RankSource:
    """A source of the weights that one rank has."""

    def __init__(self, source, plan):
        self._source, self._plan = source, plan
        self.fail, self.norm = source.fail, source.norm
        self.final_norm, self.refuse_unused = source.final_norm, source.refuse_unused
        self.embedding_rotation = source.embedding_rotation
        self.final_rotation = source.final_rotation

    def linear(self, layer, part):
        weight = self._source.linear(layer, part)
        if not weight.form.bits:
            raise _is_float(weight, "them")
        return _Part(weight, self._plan.rows(part), self._plan.columns(part))

    def bias(self, layer, part):
        rows = self._plan.rows(part)
        bias = self._source.bias(layer, part)
        return bias[slice(*rows)] if rows else bias

    def embedding(self):
        return self._of_vocabulary(self._source.embedding())

    def head(self):
        head = self._source.head()
        multiplied = self._source.embedding() if head is None else head
        if not multiplied.form.bits:
            raise _is_float(multiplied, "the head")
        return head and self._of_vocabulary(head)

    def _of_vocabulary(self, weight):
        return _Part(weight, self._plan.vocabulary[self._plan.number])

    def shares_order(self, parts):
        return self._source.shares_order([part.weight for part in parts])


class World:
    """All processes that mpirun has started, by mpi4py, whose import begins MPI.

    An error of MPI ends all of them, as in C: mpi4py has MPI return errors, but
    compiled code takes no notice of what MPI returns, and would go on with what was
    never summed.
    """

    def __init__(self, timeout):
        try:
            from mpi4py import MPI
        except ImportError:
            raise MissingPackage("ranks=\"mpi\" needs mpi4py: pip install mpi4py, or "
                                 "Debian's python3-mpi4py") from None
        self._world, self.timeout = MPI.COMM_WORLD, timeout
        # Compiled code calls MPI with it, too.
        self._world.Set_errhandler(MPI.ERRORS_ARE_FATAL)
        self.number, self.count = self._world.Get_rank(), self._world.Get_size()
        self.library = "OpenMPI" if MPI.get_vendor()[0] == "Open MPI" else "MPICH"

    @contextlib.contextmanager
    def waiting(self, what):
        """Ends the process, and mpirun with it the others, where ranks do not
        answer: a call of MPI that waits returns never."""
        timer = threading.Timer(self.timeout, self._end, [what])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _end(self, what):
        print(f"error: rank {self.number} waited {self.timeout} s for the other ranks "
              f"{what} (ranks_timeout)", file=sys.stderr, flush=True)
        os._exit(1)

    def together(self, do, fact_of):
        """What `do` gives, of which `fact_of` is the same on all ranks. Raises on
        every rank where one has an error, of whatever kind, or another fact; where it
        is one's own, as it is."""
        error = result = fact = failed = None
        try:
            result = do()
            fact = fact_of(result)
        except Exception as raised:
            error = raised
            failed = str(error) if isinstance(error, QuantError) else \
                f"{type(error).__name__}: {error}"
        with self.waiting("to load the model"):
            facts = self._world.allgather((fact, failed))
        if error:
            raise error
        for number, (fact, failed) in enumerate(facts):
            if failed is not None:
                raise FileError(f"rank {number} could not load the model: {failed}")
            if fact != facts[0][0]:
                raise InvalidArgument(
                    "expected the same checkpoint, options and build on every rank, "
                    f"found others on rank {number} than on rank 0")
        return result
