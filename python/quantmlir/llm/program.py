"""The program of a decoder: MLIR text around constants.

    main(ids: tensor<?xi32>, position: tensor<i32>,
         keys: tensor<LxHxDx?xf32>, values: tensor<LxHx?xDxf32>)
      -> (logits: tensor<V>, new keys: tensor<LxHxDx?xf32>, new values)

(or the arrays of another form of cache, `kv_cache.py`)

takes S tokens (prefill of any length; decode is S = 1), before which `position`
came: their rotated keys and their values are the first of the caches. The caches
are only read; those of the S tokens are results, for the caller to put behind
them. Logits are the last token's, or, for who measures, [S, V] of all. Keys have tokens last, so that products with
them read vectors.

The layers are one loop; what a layer has of its own is a slice of a constant
[L, ..]. Rows of Q, K and V, and of gate and up, that are stored alike are
multiplied as one.
"""

from ..blocks import codebook_flag
from .kv_cache import FloatCache, past_of
from .parts import PAST, ROWS, Parts
from .rotation import Rotation
from .runs import quantize_runs
from .text import Body, Value, tensor
from .weights import HEAD

# Elements that share a scale where activations have 4 bits; scales that are tried:
# how many, and the step.
BLOCK_OF_4_BITS, SHARES_OF_4_BITS = 32, (4, 0.1)


class Program:
    """Writes `text`; `constants` are the objects that have resources."""

    def __init__(self, config, weights, activations="int8", rotation=Rotation(),
                 all_logits=False, cache=None):
        self.config, self.activations = config, activations
        self.cache = cache or FloatCache(config)
        self.rotation, self.all_logits = rotation, all_logits
        self.weights = weights
        self.constants, self._known = [], {}
        self.body = Body()
        self.parts = Parts(self.body, config)
        self.text = self._write()

    # Constants -------------------------------------------------------------

    def _constant(self, resource):
        """Declared once, where the function begins."""
        if resource.key not in self._known:
            self._known[resource.key] = Value(
                f"%{resource.key.replace('.', '_')}", resource.shape,
                resource.element)
        return self._known[resource.key]

    def _declare(self, constant):
        self.constants.append(constant)
        for resource in constant.resources.values():
            self._constant(resource)
        return constant

    def _of_layer(self, resource, index):
        """The part of layer `index` of a stacked constant."""
        value = self._constant(resource)
        if index is None:
            return value
        if value.shape[0] == 1:
            # The stack's own bytes: no choice that would hide the constant.
            shape = value.shape[1:]
            return self.body.op(
                f"arith.constant dense_resource<{resource.key}> : "
                f"{tensor(shape, value.element)}", shape, value.element)
        rest = len(value.shape) - 1
        return self.body.slice(value, [index] + [0] * rest,
                               [1, *value.shape[1:]], dropped=(0,))

    # Products --------------------------------------------------------------

    def _quantize(self, x, slot):
        """(integers, scales, elements of a block that has one; 0: of a row), or the
        floats; rotated, where the weights of the slot are."""
        x = self._rotate(x, self.rotation.of(slot))
        if self.activations == "float":
            return x, None, 0
        if self.activations == "int4" and slot != HEAD:
            return self._quantize_blocks(x)
        scale = self._choose_scale(x)
        return self._quantized(x, scale), scale, 0

    def _choose_scale(self, x):
        return self.body.op(
            f"quant.choose_qparams {x} axes = [0] range = [-128, 127] "
            f": {x.type} -> {tensor(x.shape[:1])}", x.sizes[:1])

    def _quantized(self, x, scale):
        return self.body.op(
            f"quant.quantize {x} scale({scale} : {scale.type}) axes = [0] "
            f"range = [-128, 127] : {x.type} -> "
            f"{tensor(x.shape, 'i8')}", x.sizes, "i8")

    def _quantize_blocks(self, x):
        """Of 4 bits, scales by least squares; a last block that is shorter makes all
        of them those of the largest magnitude."""
        b, (rows, k) = self.body, x.sizes
        block = min(BLOCK_OF_4_BITS, k)
        if k % block == 0:
            x = b.expand(x, "[[0], [1, 2]]", (rows, k // block, block))
            q, scale = quantize_runs(b, x, 7, SHARES_OF_4_BITS)
            return b.collapse(q, "[[0], [1, 2]]", (rows, k)), scale, block
        into = (b.empty((rows, k), "i8"), b.empty((rows, -(-k // block))))
        types = ", ".join(value.type for value in into)
        name = b.fresh()
        b.line(f"{name}:2 = quant.quantize_blocks ins({x} : {x.type}) "
               f"outs({into[0]}, {into[1]} : {types}) block = {block} "
               f"range = [-7, 7] -> {types}")
        q, scale = (Value(f"{name}#{i}", value.sizes, value.element)
                    for i, value in enumerate(into))
        return q, scale, block

    def _rotate(self, x, rotation):
        if x.shape[1] < rotation.size or not rotation.size:
            return x
        seed = f" seed = {rotation.seed}" if rotation.seed else ""
        return self.body.op(
            f"quant.rotate {x} size = {rotation.size}{seed} : {x.type} -> "
            f"{x.type}", x.sizes)

    def _multiply(self, x, stack, index):
        """x, (floats, integers, scales, block), by the weight of layer `index`."""
        floats, q, scale, block = x
        form, part = stack.form, {
            name: self._of_layer(resource, index)
            for name, resource in stack.resources.items()}
        rows = floats.sizes[0]
        if not form.bits:
            return self._float_product(floats, part["values"], part.get("bias"))
        if form.order and block:
            q, scale, block = self._quantize(
                self._gather(floats, part["order"]), stack.name)
        elif form.order:
            q = self._gather(q, part["order"])
        w = part["q"]
        if form.bits < 8:
            narrow = f"i{form.bits}"
            w = self.body.op(
                f"quant.unpack_int{form.bits} {w} : {w.type} -> "
                f"{tensor((stack.n, stack.k), narrow)}", (stack.n, stack.k), narrow)
        operands = "" if scale is None or block else \
            f" row_scale({scale} : {scale.type})"
        for what, name in (("rhs_scale", "scale"),
                           ("rhs_zero_point", "zero_point"),
                           ("rhs_offset", "offset"), ("bias", "bias")):
            if name in part:
                operands += f" {what}({part[name]} : {part[name].type})"
        flags = f"group_size = {form.group} : i64"
        if block:
            operands += f" lhs_scale({scale} : {scale.type})"
            flags += f", lhs_group_size = {block} : i64"
        if form.is_unsigned:
            flags += ", rhs_unsigned"
        if form.codebook:
            flags += ", " + codebook_flag(form.codebook)
        result = tensor(self.body.static((rows, stack.n)))
        return self.body.op(
            f"quant.scaled_matmul ins({q}, {w} : {q.type}, {w.type}){operands} "
            f"{{{flags}}} -> {result} loc(\"{stack.name}\")", (rows, stack.n))

    def _float_product(self, x, w, bias):
        b, rows = self.body, x.sizes[0]
        body = ["%p = arith.mulf %a, %b : f32", "%s = arith.addf %o, %p : f32",
                "linalg.yield %s : f32"]
        if len(w.shape) == 3:
            panels, _, width = w.shape
            n = panels * width
            y = b.generic(("p", "m", "j", "k"), [(x, ("m", "k")), (w, ("p", "k", "j"))],
                          b.fill((rows, panels, width), 0.0), body, ("m", "p", "j"),
                          reduced=("k",))
            y = b.collapse(y, "[[0], [1, 2]]", (rows, n))
        else:
            n = w.shape[0]
            y = b.generic(("m", "n", "k"), [(x, ("m", "k")), (w, ("n", "k"))],
                          b.fill((rows, n), 0.0), body, ("m", "n"), reduced=("k",))
        if bias is None:
            return y
        return b.generic(("m", "n"), [(y, ("m", "n")), (bias, ("n",))],
                         b.empty((rows, n)),
                         ["%s = arith.addf %a, %b : f32",
                          "linalg.yield %s : f32"])

    def _gather(self, x, order):
        """Columns of x in the order of their groups."""
        b = self.body
        return b.generic(("m", "k"), [(order, ("k",))],
                         b.empty((x.sizes[0], order.shape[0]), x.element),
                         ["%m = linalg.index 0 : index",
                          "%k = arith.index_cast %a : i32 to index",
                          f"%v = tensor.extract {x}[%m, %k] : {x.type}",
                          f"linalg.yield %v : {x.element}"])

    def _product(self, x, slot, index):
        """x by a weight that may be stored otherwise in some of the layers."""
        stacks = slot.stacks
        if len(stacks) == 1:
            return self._multiply(x, stacks[0], index)
        b, table = self.body, self._known
        which, local = (
            b.scalar(f"tensor.extract {table[f'{slot.name}.{name}']}[{index}] : "
                     f"{table[f'{slot.name}.{name}'].type}")
            for name in ("which", "local"))
        at = b.scalar(f"arith.index_cast {local} : i32 to index")
        return self._choose(x, stacks, 0, which, at)

    def _choose(self, x, stacks, i, which, at):
        b = self.body
        if i + 1 == len(stacks):
            return self._multiply(x, stacks[i], at)
        number = b.scalar(f"arith.constant {i} : i32")
        this = b.scalar(f"arith.cmpi eq, {which}, {number} : i32")
        name = b.fresh()
        result = Value(name, (x[0].sizes[0], stacks[0].n))
        b.open(f"{name} = scf.if {this} -> ({result.type}) {{")
        value = self._multiply(x, stacks[i], at)
        b.line(f"scf.yield {value} : {value.type}")
        b.close("} else {")
        b.indent()
        value = self._choose(x, stacks, i + 1, which, at)
        b.line(f"scf.yield {value} : {value.type}")
        b.close()
        return result

    # Embeddings ------------------------------------------------------------

    def _embed(self, ids):
        """Rows of the embedding, from the integers of the file."""
        b = self.body
        lines, value = self._element_of_embedding()
        return b.generic(("s", "d"), [(ids, ("s",))],
                         b.empty((ROWS, self.config.dim)),
                         ["%d = linalg.index 1 : index",
                          "%i = arith.index_cast %a : i32 to index", *lines,
                          f"linalg.yield {value} : f32"])

    def _element_of_embedding(self):
        """Row %i, column %d: lines, and the name of the value."""
        b, config, stack = self.body, self.config, self.weights.embedding
        part = {name: self._constant(r) for name, r in stack.resources.items()}
        if not stack.form.bits:
            lines = self._float_element(part["values"])
        else:
            lines = self._stored_element(part, stack.form)
        if config.embedding_scale == 1.0:
            return lines, "%v"
        factor = b.number(config.embedding_scale)
        return lines + [f"%z = arith.mulf %v, {factor} : f32"], "%z"

    def _float_element(self, values):
        """%v, of row %i, column %d."""
        if len(values.shape) == 2:
            return [f"%v = tensor.extract {values}[%i, %d] : {values.type}"]
        width = self.body.index(values.shape[2])
        return [f"%p = arith.divui %i, {width} : index",
                f"%j = arith.remui %i, {width} : index",
                f"%v = tensor.extract {values}[%p, %d, %j] : {values.type}"]

    def _stored_element(self, part, form):
        """%v = scale * (q - zero) + offset of row %i, column %d."""
        b, q = self.body, part["q"]
        group = b.index(form.group)
        lines = [f"%g = arith.divui %d, {group} : index"]
        extend = "extui" if form.is_unsigned else "extsi"
        if form.bits == 8:
            lines += [f"%q = tensor.extract {q}[%i, %d] : {q.type}",
                      f"%w = arith.{extend} %q : i8 to i32"]
        else:
            each, bits = b.index(8 // form.bits), b.scalar(
                f"arith.constant {form.bits} : i8")
            lines += [f"%p = arith.divui %d, {each} : index",
                      f"%h = arith.remui %d, {each} : index",
                      f"%q = tensor.extract {q}[%i, %p] : {q.type}",
                      "%y = arith.index_cast %h : index to i8",
                      f"%u = arith.muli %y, {bits} : i8",
                      "%e = arith.shrui %q, %u : i8",
                      f"%f = arith.trunci %e : i8 to i{form.bits}",
                      *self._element_of_bits(form, extend)]
        value = "%w"
        if "zero_point" in part:
            zero, value = part["zero_point"], "%n"
            lines += [f"%x = tensor.extract {zero}[%i, %g] : {zero.type}",
                      "%n = arith.subi %w, %x : i32"]
        lines += [f"%j = arith.sitofp {value} : i32 to f32",
                  f"%k = tensor.extract {part['scale']}[%i, %g] : "
                  f"{part['scale'].type}"]
        if "offset" not in part:
            return lines + ["%v = arith.mulf %j, %k : f32"]
        return lines + ["%l = arith.mulf %j, %k : f32",
                        f"%m = tensor.extract {part['offset']}[%i, %g] : "
                        f"{part['offset'].type}",
                        "%v = arith.addf %l, %m : f32"]

    def _element_of_bits(self, form, extend):
        """%w, i32, of %f, i4 or i2."""
        if not form.codebook:
            return [f"%w = arith.{extend} %f : i{form.bits} to i32"]
        codes = f"dense<[{', '.join(map(str, form.codebook))}]> : tensor<16xi32>"
        return [f"%t = arith.constant {codes}",
                "%c = arith.index_castui %f : i4 to index",
                "%w = tensor.extract %t[%c] : tensor<16xi32>"]

    # A layer ---------------------------------------------------------------

    def _operand(self, x, slot):
        """x, and what quantized weights are multiplied by."""
        return (x, *self._quantize(x, slot))

    def _normed(self, h, weight, slot):
        """What is multiplied where a half layer begins."""
        return self._operand(self.parts.norm(h, weight), slot)

    def _joined(self, x, slots, index):
        """Products whose columns follow each other."""
        parts = [self._product(x, slot, index) for slot in slots]
        if len(parts) == 1:
            return parts[0]
        b, at, rows = self.body, 0, x[0].sizes[0]
        result = b.empty((rows, sum(p.shape[1] for p in parts)))
        for part in parts:
            result = b.insert(part, result, [0, at], [rows, part.shape[1]])
            at += part.shape[1]
        return result

    def _layer(self, index, h, caches, rows, angles):
        """(h, what is kept of the new tokens...) after layer `index`."""
        b, c, w, parts = self.body, self.config, self.weights, self.parts
        kv, cache = c.kv_heads, self.cache
        norm = lambda name: self._of_layer(w.norms[name].resource, index)
        x = self._normed(h, norm("attn_norm"), "qkv")
        qkv = self._joined(x, w.slots["qkv"], index)
        q = parts.rotate(parts.heads(qkv, 0, c.heads), c.heads, angles,
                         norm("q_norm") if c.qk_norm else None)
        k = parts.rotate(parts.heads(qkv, c.heads, kv), kv, angles,
                         norm("k_norm") if c.qk_norm else None,
                         keys=cache.keys_last)
        v = parts.transposed(parts.heads(qkv, c.heads + kv, kv), kv)
        past = past_of(b, cache, caches, index)
        new = cache.store(parts, q, k, v, past)
        rows = [b.insert(value, old, [index] + [0] * len(array.shape),
                         [1, *array.sized(ROWS)])
                for array, value, old in zip(cache.arrays, new, rows)]
        attended = cache.attend(parts, q, new, past)
        h = self._added(h, attended, "o", index)
        x = self._normed(h, norm("ffn_norm"), "gate_up")
        gated = parts.mlp(self._joined(x, w.slots["gate_up"], index))
        return self._added(h, gated, "down", index), *rows

    def _added(self, h, x, name, index):
        """h and x by the weight where a half layer ends."""
        return self.parts.add(h, self._output(x, name, index))

    def _output(self, x, name, index):
        return self._joined(self._operand(x, name), self.weights.slots[name], index)

    def _all_rows(self, h):
        return h

    def _last_row(self, h):
        b = self.body
        last = b.scalar(f"arith.subi {b.sizes[ROWS]}, {b.index(1)} : index")
        return b.slice(h, [last, 0], [1, self.config.dim])

    def _head(self, h):
        return self._multiply(self._operand(h, HEAD), self.weights.head, None)

    # The function ----------------------------------------------------------

    def _write(self):
        b, c, w, parts = self.body, self.config, self.weights, self.parts
        for constant in w.constants:
            self._declare(constant)
        ids = Value("%ids", (None,), "i32")
        shapes = [((c.layers, *array.sized(ROWS)), array.element)
                  for array in self.cache.arrays]
        caches = [Value(f"%{array.name}", b.static(shape), element)
                  for array, (shape, element) in zip(self.cache.arrays, shapes)]
        self._sizes(ids, caches)
        angles = parts.angles(self._constant(w.frequencies.resource))
        # The rotation is its own inverse.
        h = self._rotate(self._embed(ids), w.embedding_rotation)
        rows = [b.empty(*shape) for shape in shapes]
        h, *rows = self._loop(h, rows, caches, angles)
        h = self._all_rows(h) if self.all_logits else self._last_row(h)
        h = parts.norm(self._rotate(h, w.final_rotation),
                       self._constant(w.final_norm.resource))
        logits = self._head(h)
        if not self.all_logits:
            logits = b.collapse(logits, "[[0, 1]]", (c.vocabulary,))
        results = [logits, *rows]
        b.line(f"return {', '.join(map(str, results))} : "
               f"{', '.join(v.type for v in results)}")
        arguments = ", ".join([f"%ids: {ids.type}", "%position: tensor<i32>"]
                              + [f"{v}: {v.type}" for v in caches])
        head = [f"func.func @main({arguments}) -> "
                f"({', '.join(v.type for v in results)}) {{"]
        for key, value in self._known.items():
            head.append(f"  {value} = arith.constant dense_resource<{key}> : "
                        f"{value.type}")
        return self._module("\n".join(head + b.lines + ["}"]) + "\n")

    def _module(self, text):
        return text

    def _sizes(self, ids, caches):
        b, c = self.body, self.config
        zero = b.index(0)
        b.sizes[ROWS] = b.scalar(f"tensor.dim {ids}, {zero} : {ids.type}")
        position = b.scalar("tensor.extract %position[] : tensor<i32>")
        past = b.scalar(f"arith.index_cast {position} : i32 to index")
        b.sizes[PAST] = past
        for array, cache in zip(self.cache.arrays, caches):
            if array.has_tokens:
                self._check_past(past, cache, 1 + array.shape.index(None))

    def _check_past(self, past, cache, axis):
        """Stops where there are not that many tokens; a negative number is one
        too large."""
        b = self.body
        held = b.scalar(f"tensor.dim {cache}, {b.index(axis)} : {cache.type}")
        is_held = b.scalar(f"arith.cmpi ule, {past}, {held} : index")
        b.line(f'cf.assert {is_held}, "position: expected 0 to the tokens of '
               f'{cache.name[1:]}"')

    def _loop(self, h, rows, caches, angles):
        b, c = self.body, self.config
        zero, one, count = b.index(0), b.index(1), b.index(c.layers)
        values = [h, *rows]
        names = ["%h"] + [f"%new_{array.name}" for array in self.cache.arrays]
        results = b.fresh()
        inits = ", ".join(f"{n} = {v}" for n, v in zip(names, values))
        types = ", ".join(v.type for v in values)
        b.open(f"{results}:{len(values)} = scf.for %layer = {zero} to {count} step {one} "
               f"iter_args({inits}) -> ({types}) {{")
        inner = [Value(n, v.sizes, v.element) for n, v in zip(names, values)]
        outs = self._layer("%layer", inner[0], caches, inner[1:], angles)
        b.line(f"scf.yield {', '.join(map(str, outs))} : {types}")
        b.close()
        return [Value(f"{results}#{i}", v.sizes, v.element)
                for i, v in enumerate(values)]
