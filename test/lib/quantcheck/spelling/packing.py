"""Integers that a program unpacks itself, and parameters that it looks up."""

import numpy as np

from quantcheck.spelling.writer import NUMPY, Value, flat

# AutoAWQ: nibble i of a word holds column ORDER[i] of eight.
AWQ = [0, 2, 4, 6, 1, 3, 5, 7]


class Lookup:
    """A parameter whose group each k has in a constant."""

    def __init__(self, steps, parameter):
        self.writer, self.parameter = steps.writer, parameter
        writer, array, axes = steps.writer, parameter.array, [("n",), ("g",)]
        if steps.axis("looked up in", "[G, N]", "[N, G]") == "[G, N]":
            array, axes = np.ascontiguousarray(array.T), axes[::-1]
        self.axes = axes
        self.table = writer.constant(array, parameter.stored, axes,
                                     f"{parameter.name} constant")
        self.stored = steps.axis("index type", "i32", "i64", "index")
        groups = parameter.gathered.astype(NUMPY.get(self.stored, np.int64))
        if self.stored == "index":
            name = writer.line(f"arith.constant dense<{groups.tolist()}> : "
                               f"tensor<{len(groups)}xindex>")
            self.index = Value(name, (("k",),), "index")
        else:
            self.index = writer.constant(groups, self.stored, [("k",)],
                                         "index constant")
        self.given = steps.axis("index read", "as an operand", "extracted") == \
            "as an operand"

    def operands(self, k):
        """What a nest needs whose dimension `k` is the weight's."""
        return [(self.index, [f"{{{k}}}"])] if self.given else []

    def read(self, name, n, k):
        """In a body over n and k: the number; `name` is the index's element
        where it is an operand."""
        writer = self.writer
        group = name if self.given else writer.line(
            f"tensor.extract {self.index.name}[{writer.index(k)}] : "
            f"{writer.type(self.index)}")
        if self.stored != "index":
            group = writer.line(f"arith.index_cast {group} : {self.stored} to "
                                "index")
        at = {"n": writer.index(n), "g": group}
        where = ", ".join(at[d[0]] for d in self.axes)
        return writer.line(f"tensor.extract {self.table.name}[{where}] : "
                           f"{writer.type(self.table)}")

    def gathered(self, layout):
        """All of it, [N, K] or [K, N], in the order of `layout`."""
        dims = tuple((a,) for a in flat(layout))
        n, k = dims.index(("n",)), dims.index(("k",))
        return self.writer.nest(
            dims, self.operands(k), self.parameter.stored,
            lambda names: self.read(names[0] if self.given else None, n, k))


class Packing:
    """Nibbles in words of i8 or i32, with the choices of one program."""

    def __init__(self, writer, word, name, signed=False):
        self.writer, self.axes, self.word = writer, writer.axes, word
        self.name, self.signed = name, signed
        self.count = int(word[1:]) // 4

    @staticmethod
    def fits(shape, word):
        """Whether whole words hold an array along one of its dimensions."""
        return any(n % (int(word[1:]) // 4) == 0 for n in shape)

    def axis(self, name, *options):
        return self.axes(f"{self.name} {name}", *options)

    def value(self, array, first, second):
        """`array` [first, second] (dimensions) from words along one of them.
        Returns integers of the word's type, or of i8."""
        dims = [self.as_dim(first), self.as_dim(second)]
        if self.axis("words of", "rows", "columns") == "columns":
            array, dims = array.T, dims[::-1]
        ways = [i for i in (1, 0) if array.shape[i] % self.count == 0]
        names = ["their last dimension", "their first dimension"]
        along = 1 - names.index(self.axis("packed along",
                                          *(names[1 - i] for i in ways)))
        order = list(range(self.count))
        what = self.axis("nibble order", "low first", "mixed")
        if what == "mixed":
            order = AWQ if self.count == 8 else [1, 0]
        words = self.pack(array, along, order)
        packed_dims = list(dims)
        packed_dims[along] = ("word",)
        self.writer.sizes = dict(self.writer.sizes, word=words.shape[along],
                                 nibble=self.count)
        packed = self.writer.constant(words, self.word, packed_dims,
                                      f"{self.name} words")
        how = self.axis("unpacked by", "a vector of shifts", "an index",
                        *(["two halves"] if self.count == 2 else []))
        wide = {"a vector of shifts": self.by_shifts, "an index": self.by_index,
                "two halves": self.by_halves}[how](packed, along, order)
        return Value(wide.name, tuple(dims), wide.element)

    @staticmethod
    def as_dim(dim):
        return (dim,) if isinstance(dim, str) else tuple(dim)

    def pack(self, array, along, order):
        """Words along `along`; nibble i of one holds its element order[i]."""
        parts = np.moveaxis(np.asarray(array, np.int64), along, -1) & 15
        parts = parts.reshape(parts.shape[0], -1, self.count)
        words = np.zeros(parts.shape[:2], np.int64)
        for i, source in enumerate(order):
            words |= parts[..., source] << (4 * i)
        bits = int(self.word[1:])
        words = np.where(words >> (bits - 1), words - (1 << bits), words)
        return np.ascontiguousarray(
            np.moveaxis(words, -1, along).astype(NUMPY[self.word]))

    # The ways to unpack. Each returns the nibbles beside their words.
    def nibble(self, word, shift):
        """In a body: the nibble `shift` bits up in a word."""
        writer, word_type = self.writer, self.word
        if shift is not None:
            op = self.axis("shift", "shrui", "shrsi")
            word = writer.line(f"arith.{op} {word}, {shift} : {word_type}")
        mask = writer.line(f"arith.constant 15 : {word_type}")
        found = writer.line(f"arith.andi {word}, {mask} : {word_type}")
        return self.signs(found)

    def signs(self, found):
        writer, word = self.writer, self.word
        if not self.signed:
            return found
        if self.axis("sign by", "shifts", "xor") == "xor":
            eight = writer.line(f"arith.constant 8 : {word}")
            flipped = writer.line(f"arith.xori {found}, {eight} : {word}")
            return writer.line(f"arith.subi {flipped}, {eight} : {word}")
        up = writer.line(f"arith.constant {int(word[1:]) - 4} : {word}")
        high = writer.line(f"arith.shli {found}, {up} : {word}")
        return writer.line(f"arith.shrsi {high}, {up} : {word}")

    def result_type(self):
        if self.word == "i8":
            return "i8"
        return self.axis("nibbles kept as", "words", "i8").replace("words",
                                                                   self.word)

    def narrowed(self, name, element):
        if element == self.word:
            return name
        return self.writer.line(f"arith.trunci {name} : {self.word} to "
                                f"{element}")

    def by_shifts(self, packed, along, order):
        """A dimension of nibbles, shifted by a constant vector."""
        writer, element = self.writer, self.result_type()
        places = np.argsort(order) * 4
        vector = writer.constant(places.astype(NUMPY[self.word]), self.word,
                                 [("nibble",)], "shifts constant")
        dims = list(packed.dims)
        dims.insert(along + 1, ("nibble",))
        texts = [f"{{{i}}}" for i, d in enumerate(dims) if d != ("nibble",)]
        wide = writer.nest(
            dims, [(packed, texts), (vector, [f"{{{along + 1}}}"])], element,
            lambda names: self.narrowed(self.nibble(*names), element))
        merged = dims[:along] + [("word", "nibble")] + dims[along + 2:]
        return writer.reshape(wide, merged)

    def by_index(self, packed, along, order):
        """One nest over all nibbles, which extracts its word."""
        writer, element = self.writer, self.result_type()
        dims = list(packed.dims)
        dims[along] = ("word", "nibble")
        places = np.argsort(order) * 4
        plain = order == sorted(order)
        table = None if plain else writer.constant(
            places.astype(NUMPY[self.word]), self.word, [("nibble",)],
            "shifts constant")

        def body(_):
            at = [writer.index(0), writer.index(1)]
            count = writer.line(f"arith.constant {self.count} : index")
            rest = writer.line(f"arith.remui {at[along]}, {count} : index")
            at[along] = writer.line(f"arith.divui {at[along]}, {count} : index")
            word = writer.line(f"tensor.extract {packed.name}[{at[0]}, {at[1]}]"
                               f" : {writer.type(packed)}")
            if table:
                shift = writer.line(f"tensor.extract {table.name}[{rest}] : "
                                    f"{writer.type(table)}")
            else:
                place = writer.line(f"arith.index_cast {rest} : index to "
                                    f"{self.word}")
                four = writer.line(f"arith.constant 4 : {self.word}")
                shift = writer.line(f"arith.muli {place}, {four} : {self.word}")
            return self.narrowed(self.nibble(word, shift), element)
        return writer.nest(dims, [], element, body)

    def by_halves(self, packed, along, order):
        """Low and high nibbles apart, then stacked."""
        writer = self.writer

        def half(shift):
            def body(names):
                amount = None
                if shift:
                    amount = writer.line(f"arith.constant 4 : {self.word}")
                return self.nibble(names[0], amount)
            return writer.generic(packed, [], self.word, body)
        low_first = order[0] == 0
        parts = [half(False), half(True)] if low_first else [half(True),
                                                             half(False)]
        dims = list(packed.dims)
        dims.insert(along + 1, ())
        stacked = list(dims)
        stacked[along + 1] = ("nibble",)
        parts = [writer.reshape(p, dims) for p in parts]
        if self.axis("stacked by", "concat", "insert_slice") == "concat":
            wide = writer.new(
                f"tensor.concat dim({along + 1}) "
                f"{', '.join(p.name for p in parts)} : ("
                f"{', '.join(writer.type(p) for p in parts)}) -> $T", stacked,
                self.word)
        else:
            wide = writer.empty(stacked, self.word)
            shape = [writer.size(d) for d in dims]
            for i, part in enumerate(parts):
                at = [0] * len(dims)
                at[along + 1] = i
                wide = writer.new(
                    f"tensor.insert_slice {part.name} into {wide.name}{at} "
                    f"{shape} {[1] * len(dims)} : {writer.type(part)} into $T",
                    stacked, self.word)
        merged = stacked[:along] + [("word", "nibble")] + stacked[along + 2:]
        return writer.reshape(wide, merged)
