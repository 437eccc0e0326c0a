"""The product itself: named ops, and loop nests in any order."""

from quantcheck.spelling.writer import Value, flat

MULTIPLY_ADD = {"f": ("arith.mulf", "arith.addf"),
                "i": ("arith.muli", "arith.addi")}


class Pending:
    """Stored integers whose dequantizing steps stand in the product's body."""
    def __init__(self, value, steps, row):
        self.value, self.steps, self.row = value, steps, row


class Contraction:
    """x times w. Both walk `reduced` (one dimension, or groups and what is in
    them); x has ("m",) and maybe ("b",), w has ("n",)."""

    def __init__(self, writer, k_dim):
        self.writer, self.axes, self.k = writer, writer.axes, k_dim
        # How integers of x and of w widen inside the product.
        self.unsigned = (False, False)

    def __call__(self, x, w, element):
        """`element` is the sum's type."""
        batched = "b" in flat(x.dims)
        if isinstance(w, Pending):
            two = len(self.k) == 2 and self.axes(
                "groups", "merged", "two dimensions") != "merged"
            return self.generic(x, w, element, False,
                                [("g",), ("s",)] if two else [self.k])
        if batched:
            forms = ["generic", "flat rows", "batch_matmul"]
        else:
            forms = ["matmul", "matmul with maps", "contract", "generic",
                     "batch of one", "swapped"]
        if self.writer.sizes["m"] == 1 and not batched and \
                not self.writer.dynamic:
            forms += ["vecmat", "matvec"]
        form = self.axes("contraction", *forms)
        if len(self.k) == 2 and form in ("generic", "contract"):
            if self.axes("groups", "merged", "two dimensions") != "merged":
                return self.generic(x, w, element, form == "contract",
                                    [("g",), ("s",)])
        return {
            "matmul": lambda: self.named("linalg.matmul", x, w, element,
                                         [("m",)], [("n",)]),
            "matmul with maps": lambda: self.mapped(x, w, element),
            "contract": lambda: self.generic(x, w, element, True, [self.k]),
            "generic": lambda: self.generic(x, w, element, False, [self.k]),
            "flat rows": lambda: self.flat(x, w, element),
            "batch of one": lambda: self.batch_of_one(x, w, element),
            "batch_matmul": lambda: self.batched(x, w, element),
            "swapped": lambda: self.swapped(x, w, element),
            "vecmat": lambda: self.named("linalg.vecmat", x, w, element, [],
                                         [("n",)]),
            "matvec": lambda: self.matvec(x, w, element),
        }[form]()

    def emit(self, op, a, b, dims, element, like):
        """`op` of two values into zeros."""
        return self.finish(op, [a, b], self.writer.zeros(dims, element, like))

    def one_row(self, x):
        """The only row's dimension as a unit one."""
        dims = tuple(tuple(a for a in d if a != "m") for d in x.dims)
        return Value(x.name, dims, x.element)

    def named(self, op, x, w, element, left, right):
        x = self.writer.arrange(x if left else self.one_row(x),
                                left + [self.k])
        w = self.writer.arrange(w, [self.k] + right)
        return self.emit(op, x, w, left + right, element, x)

    def matvec(self, x, w, element):
        x = self.writer.arrange(self.one_row(x), [self.k])
        w = self.writer.arrange(w, [("n",), self.k])
        return self.emit("linalg.matvec", w, x, [("n",)], element, x)

    def mapped(self, x, w, element):
        """linalg.matmul with one side turned, or both."""
        which = self.writer.draw.pick("w", "w", "x", "both")
        if self.writer.dynamic:
            which = "w"
        m, n, k = ("m",), ("n",), self.k
        x = self.writer.arrange(x, [k, m] if which != "w" else [m, k])
        w = self.writer.arrange(w, [n, k] if which != "x" else [k, n])
        maps = ", ".join(
            f"affine_map<(d0, d1, d2) -> ({t})>" for t in (
                "d2, d0" if which != "w" else "d0, d2",
                "d1, d2" if which != "x" else "d2, d1", "d0, d1"))
        return self.emit(f"linalg.matmul indexing_maps = [{maps}]", x, w,
                         [m, n], element, x)

    def swapped(self, x, w, element):
        """The weight on the left: the result is turned back, or is not."""
        w = self.writer.arrange(w, [("n",), self.k])
        x = self.writer.arrange(x, [self.k, ("m",)])
        y = self.emit("linalg.matmul", w, x, [("n",), ("m",)], element, x)
        if self.axes("result turned back", "yes", "no") == "no":
            return y
        return self.writer.transpose(y, [1, 0])

    def batch_of_one(self, x, w, element):
        """ONNX: rows [1, M, K] and a weight [1, K, N]."""
        m, n = ("m",), ("n",)
        x = self.writer.arrange(x, [(), m, self.k])
        w = self.writer.arrange(w, [(), self.k, n])
        init = self.writer.zeros([(), m, n], element, x)
        return self.finish("linalg.batch_matmul", [x, w], init)

    def finish(self, op, inputs, init, region=""):
        writer = self.writer
        return writer.new(
            f"{op} ins({', '.join(v.name for v in inputs)} : "
            f"{', '.join(writer.type(v) for v in inputs)}) outs({init.name} : "
            f"{writer.type(init)}){region} -> $T", init.dims, init.element)

    def flat(self, x, w, element):
        """[B, M, K] as [B * M, K]."""
        rows = ("b", "m")
        x = self.writer.arrange(x, [rows, self.k])
        w = self.writer.arrange(w, [self.k, ("n",)])
        return self.emit("linalg.matmul", x, w, [rows, ("n",)], element, x)

    def batched(self, x, w, element):
        """A weight that is copied to each batch."""
        writer = self.writer
        x = writer.arrange(x, [("b",), ("m",), self.k])
        w = writer.arrange(w, [self.k, ("n",)])
        dims = [("b",), self.k, ("n",)]
        empty = writer.empty(dims, w.element)
        if self.axes("copies of the weight", "broadcast", "generic") == \
                "broadcast":
            copy = writer.new(
                f"linalg.broadcast ins({w.name} : {writer.type(w)}) outs("
                f"{empty.name} : {writer.type(empty)}) dimensions = [0]", dims,
                w.element)
        else:
            copy = writer.new(
                "linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> "
                "(d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], "
                'iterator_types = ["parallel", "parallel", "parallel"]} ins('
                f"{w.name} : {writer.type(w)}) outs({empty.name} : "
                f"{writer.type(empty)}) {{ ^bb0(%i: {w.element}, %o: "
                f"{w.element}): linalg.yield %i : {w.element} }} -> $T", dims,
                w.element)
        init = writer.zeros([("b",), ("m",), ("n",)], element, x)
        return self.finish("linalg.batch_matmul", [x, copy], init)

    def generic(self, x, w, element, contract, reduced):
        """Any order of dimensions and of loops; the weight may come first."""
        writer, draw = self.writer, self.writer.draw
        rows = [(a,) for a in ("b", "m") if a in flat(x.dims)]

        def shuffled(dims):
            if self.axes("dimension order", "usual", "any") == "usual":
                return list(dims)
            return [dims[i] for i in draw.rng.permutation(len(dims))]
        x = writer.arrange(x, shuffled(rows + reduced))
        unit = not contract and \
            self.axes("unit dimension of the weight", "no", "yes") == "yes"
        pending = w if isinstance(w, Pending) else None
        w = writer.arrange(pending.value if pending else w, (
            [()] if unit else []) + shuffled([("n",)] + reduced))
        y_dims = shuffled(rows + [("n",)])
        loops = rows + [("n",)] + reduced
        if self.axes("loops of the product", "usual", "any") == "any":
            loops = [loops[i] for i in draw.rng.permutation(len(loops))]
        walked = ", ".join(f"d{i}" for i in range(len(loops)))

        def text(dims):
            found = ", ".join("0" if d == () else f"d{loops.index(d)}"
                              for d in dims)
            return f"affine_map<({walked}) -> ({found})>"
        sides, extra, read = [x, w], [], None
        if pending:
            pending.steps.may_look_up = False
            read = pending.steps.readers(w, pending.row, extra)
        if self.axes("sides", "rows first", "weight first") != "rows first":
            sides.reverse()
        w_loops = ["0" if d == () else f"d{loops.index(d)}" for d in w.dims]
        maps = [text(side.dims) for side in sides] + [
            f"affine_map<({walked}) -> "
            f"({', '.join(t.format(*w_loops) for t in texts)})>"
            for _, texts in extra] + [text(y_dims)]
        maps = ", ".join(maps)
        init = writer.zeros(y_dims, element, x)
        kinds = ", ".join('"reduction"' if d in reduced else '"parallel"'
                          for d in loops)
        if contract:
            return self.finish(f"linalg.contract indexing_maps = [{maps}]",
                               sides, init)
        inputs = sides + [v for v, _ in extra]
        region = self.region(
            inputs, element,
            (w, read, pending.row[-1].element) if pending else None)
        return self.finish(
            f"linalg.generic {{indexing_maps = [{maps}], iterator_types = "
            f"[{kinds}]}}", inputs, init, region)

    def region(self, inputs, element, pending=None):
        """{ yield out + a * b }, integers widened or dequantized first."""
        writer = self.writer
        names = [writer.case.fresh() for _ in inputs]
        out = writer.case.fresh()
        lines, writer.case.lines = writer.case.lines, []
        factors = []
        for name, side in zip(names, inputs[:2]):
            if pending and side is pending[0]:
                name = pending[1](name, names[2:])
                if pending[2] != element:
                    name = writer.line(f"arith.extf {name} : {pending[2]} to "
                                       f"{element}")
            elif side.element != element:
                is_weight = ("n",) in side.dims
                op = "arith.extui" if self.unsigned[is_weight] else \
                    "arith.extsi"
                op = "arith.extf" if element[0] == "f" else op
                name = writer.line(f"{op} {name} : {side.element} to {element}")
            factors.append(name)
        multiply, add = MULTIPLY_ADD[element[0]]
        if element[0] == "f" and self.axes("multiply and add", "two ops",
                                           "math.fma") == "math.fma":
            total = writer.line(f"math.fma {', '.join(factors)}, {out} : "
                                f"{element}")
        else:
            product = writer.line(f"{multiply} {', '.join(factors)} : "
                                  f"{element}")
            addends = [out, product]
            if self.axes("sum's order", "old first", "new first") == \
                    "new first":
                addends.reverse()
            total = writer.line(f"{add} {', '.join(addends)} : {element}")
        inside, writer.case.lines = writer.case.lines, lines
        arguments = [f"{n}: {v.element}" for n, v in zip(names, inputs)]
        return (f" {{ ^bb0({', '.join(arguments)}, {out}: {element}): " +
                "  ".join(inside) + f"  linalg.yield {total} : {element} }}")
