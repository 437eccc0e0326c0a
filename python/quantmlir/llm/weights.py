"""The constants of a decoder, from a checkpoint's tensors.

A source gives tensors by what they are: `linear(layer, part)`, an object with
`shape` [N, K], `form` and `load()` (a `blocks.Grouped` or float32); `bias(layer,
part)`, `norm(layer, name)`, float32; `embedding()`, `head()` (None: tied),
`final_norm()`; `embedding_rotation`, by which the rows of `embedding()` are to be
rotated, and `final_rotation`, by which the hidden state is before the last norm;
`refuse_unused()`, which fails where the file has more than that.
"""

import numpy as np

from .stack import Array, Stack

# What is multiplied by the same activations, where it is stored alike.
SLOTS = {"qkv": ("q", "k", "v"), "o": ("o",), "gate_up": ("gate", "up"),
         "down": ("down",)}
HEAD = "head"


def slot_of(part):
    """The slot that a part is in."""
    return next(slot for slot, parts in SLOTS.items() if part in parts)


class Slot:
    """A weight of every layer; one stack for each form that it has."""

    def __init__(self, name, sources, biases):
        self.name = name
        forms = [parts[0].form for parts in sources]
        kinds = sorted(set(forms), key=forms.index)
        self.stacks = []
        for i, kind in enumerate(kinds):
            layers = [l for l, form in enumerate(forms) if form == kind]
            self.stacks.append(Stack(
                name if len(kinds) == 1 else f"{name}.{i}",
                [sources[l] for l in layers],
                biases and [biases[l] for l in layers]))
        self.tables = []
        if len(kinds) > 1:
            which = [kinds.index(form) for form in forms]
            local = [forms[:l].count(form) for l, form in enumerate(forms)]
            self.tables = [Array(f"{name}.which", which, "i32"),
                           Array(f"{name}.local", local, "i32")]


class Weights:
    """All constants; `slots` are lists of what `SLOTS` joins."""

    def __init__(self, config, source, plan=None):
        """`plan`: of what one rank has (`ranks.py`), and `config` is its own."""
        self.config, self._source, self._plan = config, source, plan
        layers = range(config.layers)
        self.slots = {name: self._slots(name, parts)
                      for name, parts in SLOTS.items()}
        self.norms = {
            name: Array(name, np.stack([
                self._norm(l, name, config.dim if size is None else size)
                for l in layers]))
            for name, size in self._norm_names()}
        self.final_norm = Array("output_norm", self._sized(
            source.final_norm(), (config.dim,), "the last norm"))
        self.frequencies = Array("frequencies", self._frequencies())
        words = (config.vocabulary, config.dim)
        if plan:
            begin, end = plan.vocabulary[plan.number]
            words = (end - begin, config.dim)
        self.embedding_rotation = source.embedding_rotation
        self.final_rotation = source.final_rotation
        embedding = self._shaped(source.embedding(), words)
        head = source.head()
        self.embedding = Stack("embedding", [[embedding]], stacked=False)
        self.head = self.embedding
        if head is not None:
            head = self._shaped(head, words)
            self.head = Stack("head", [[head]], stacked=False)
        # The embedding's rows are of its columns' order.
        if self.embedding.form.order:
            source.fail("an embedding in activation order cannot be built")
        source.refuse_unused()

    @property
    def constants(self):
        all_ = [*self.norms.values(), self.final_norm, self.frequencies]
        for slots in self.slots.values():
            for slot in slots:
                all_ += [*slot.tables, *slot.stacks]
        all_.append(self.embedding)
        return all_ + ([self.head] if self.head is not self.embedding else [])

    def _norm_names(self):
        yield from (("attn_norm", None), ("ffn_norm", None))
        if self.config.qk_norm:
            yield from (("q_norm", self.config.head_dim),
                        ("k_norm", self.config.head_dim))

    def _norm(self, layer, name, size):
        return self._sized(self._source.norm(layer, name), (size,),
                           f"{name} of layer {layer}")

    def _sized(self, array, shape, what):
        if array.shape != shape:
            self._source.fail(f"{what} has the shape {list(array.shape)}, "
                              f"expected {list(shape)}")
        return array

    def _shaped(self, weight, shape):
        if tuple(weight.shape) != shape:
            self._source.fail(f"tensor {weight.name} has the shape "
                              f"{list(weight.shape)}, expected {list(shape)}")
        return weight

    def _shape(self, part):
        c = self._plan.config if self._plan else self.config
        q, kv = c.heads * c.head_dim, c.kv_heads * c.head_dim
        shape = {"q": (q, c.dim), "k": (kv, c.dim), "v": (kv, c.dim),
                 "o": (c.dim, q), "gate": (c.ffn, c.dim), "up": (c.ffn, c.dim),
                 "down": (c.dim, c.ffn)}[part]
        return self._plan.shape(part, shape) if self._plan else shape

    def _slots(self, name, parts):
        config, source = self.config, self._source
        weights = [[self._shaped(source.linear(l, part), self._shape(part))
                    for part in parts] for l in range(config.layers)]
        biases = None
        if config.bias and name == "qkv":
            biases = [[self._sized(source.bias(l, part), self._shape(part)[:1],
                                   f"the bias of {part} of layer {l}")
                       for part in parts] for l in range(config.layers)]
        joins = all(len({part.form for part in layer}) == 1 and
                    source.shares_order(layer) for layer in weights)
        if joins:
            return [Slot(name, weights, biases and [np.concatenate(b) for b in biases])]
        return [Slot(part, [[layer[i]] for layer in weights],
                     biases and [b[i] for b in biases])
                for i, part in enumerate(parts)]

    def _frequencies(self):
        c = self.config
        exponent = np.arange(0, c.head_dim, 2, dtype=np.float32) / np.float32(c.head_dim)
        factors = np.ones_like(exponent)
        if c.rope_factors is not None:
            factors = self._sized(np.asarray(c.rope_factors), exponent.shape,
                                  "the rope factors")
        with np.errstate(all="ignore"):
            frequencies = np.float32(1) / np.float32(c.rope_base) ** exponent / factors
            frequencies = (frequencies * np.float32(c.rope_scale)).astype(np.float32)
        if not np.all((frequencies > 0) & np.isfinite(frequencies)):
            self._source.fail("the frequencies of the rotations are "
                              f"{frequencies.min()} to {frequencies.max()}")
        return frequencies
