"""A form for each weight, under a number of bytes, or a loss.

What a product loses is measured on a text, as the divergence (KL, nats a token) of the
next token's probabilities from float's where this product alone has the reference form,
its errors compensated. Another form loses more or less in the proportion of what it makes of the
product itself: with H the second moments of the activations and D the error of the
rounded weight, trace(D H D^T). Losses of all products are taken to add up.

From the smallest forms on, the step that gains most for its bytes is taken, among those
on the lower convex hull of (bytes, loss) of each product, while it fits, or until as
little is lost as was asked for.
"""

import itertools

import numpy as np

from ..errors import InvalidArgument
from .calibrate import Stream, slot_weight
from .fold import prepared
from .layers import F32, Layers
from .recipe import Recipe, names_of
from .requantize import FORMS, FloatWeight, Requantize, RequantizedSource, floats
from .weights import HEAD, SLOTS, Weights

# Windows of the text whose second moments are taken; of the first, each so many-th
# token's probabilities are compared.
WINDOWS, STEP = 8, 4
CANDIDATES = ("w2-g32", "w4-g128", "w4-g64", "w4-g32", "w4-g16", "w8")
REFERENCE = "w4-g32"


class _Measure(Stream):
    """`losses`: {(layer, slot): {form: loss}}."""

    @np.errstate(all="ignore")  # As in `layer`.
    def __init__(self, config, source, rotation, windows):
        super().__init__(Layers(config, source, windows.shape[1]), windows)
        self.source, self.rotation, self.known = source, rotation, {}
        self.losses = {}
        h = self.hidden[0][:1]
        for layer in range(config.layers):
            h = self.finish(layer, h)
        self.wanted = self.log_probabilities(h)

    def weight(self, layer, slot):
        """In floats, of all layers: each is used for the errors of all before."""
        if (layer, slot) not in self.known:
            self.known[layer, slot] = slot_weight(self.source, layer, slot)
        return self.known[layer, slot]

    def finish(self, layer, h, slot=None, y=None):
        """What the layer gives for h, or where the product of `slot` is y."""
        layers = self.layers
        times = lambda slot, x: x @ self.weight(layer, slot).T
        if slot is None:
            slot, y = "qkv", times("qkv", layers.layer_norm(h, layer, "attn_norm"))
        if slot == "qkv":
            slot, y = "o", times("o", layers.attention(y, layer))
        if slot == "o":
            h = h + y
            slot = "gate_up"
            y = times(slot, layers.layer_norm(h, layer, "ffn_norm"))
        if slot == "gate_up":
            y = times("down", layers.mlp(y))
        return h + y

    def log_probabilities(self, h):
        if HEAD not in self.known:
            head = self.source.head() or self.source.embedding()
            self.known[HEAD] = FloatWeight(head).load()
        h = h.reshape(-1, h.shape[-1])[STEP - 1::STEP]
        x = self.layers.norm(self.source.final_rotation.of_rows(h),
                             self.source.final_norm())
        logits = x @ self.known[HEAD].T
        logits -= logits.max(-1, keepdims=True)
        return logits - np.log(np.exp(logits).sum(-1, keepdims=True, dtype=F32))

    def divergence(self, layer, slot, y):
        """Of the first window, whose product of `slot` is y."""
        h = self.finish(layer, self.hidden[0][:1], slot, y)
        for after in range(layer + 1, self.layers.config.layers):
            h = self.finish(after, h)
        found = self.log_probabilities(h)
        each = np.exp(self.wanted) * (self.wanted - found)
        if not np.isfinite(each).all():
            self.source.fail("the next token's probabilities are not finite: what "
                             f"{slot} of layer {layer} loses cannot be measured")
        return max(float(each.sum(-1, dtype=np.float64).mean()), 1e-12)

    def product(self, layer, slot, batches):
        weight = self.weight(layer, slot)
        rotation = self.rotation.of(slot)
        turned = rotation.of_weight(weight)
        moments = self.moments(layer, slot, [rotation.of_rows(x) for x in batches])
        local = {}
        for form in CANDIDATES:
            stored = Requantize(*FORMS[form], self.rotation).quantize(turned)
            error = floats(stored) - turned
            local[form] = float(np.einsum("nk,nk->", error @ moments, error,
                                          dtype=np.float64))
        stored = Requantize(*FORMS[REFERENCE], self.rotation).quantize(turned, moments)
        y = rotation.of_rows(batches[0][:1]) @ floats(stored).T
        loss = self.divergence(layer, slot, y) / max(local[REFERENCE], 1e-30)
        self.losses[layer, slot] = {form: loss * e for form, e in local.items()}
        return [x @ weight.T for x in batches]


def hull(points):
    """Of (bytes, loss, ..): those on the lower convex hull, from the fewest bytes to the
    least loss."""
    kept = []
    for point in sorted(points):
        if kept and point[1] >= kept[-1][1]:
            continue
        while len(kept) > 1 and _slope(kept[-2], point) <= _slope(kept[-2], kept[-1]):
            kept.pop()
        kept.append(point)
    return kept


def _slope(a, b):
    """Change of loss for a byte."""
    return (b[1] - a[1]) / (b[0] - a[0])


def allot(points, max_bytes, max_loss=0.0):
    """{name: point} of {name: [(bytes, loss, ..)]}: a point for each, of at most
    `max_bytes` together, and no more than `max_loss` asks for; None where the smallest
    are more."""
    hulls = {name: hull(of) for name, of in points.items()}
    chosen = {name: of[0] for name, of in hulls.items()}
    left = max_bytes - sum(point[0] for point in chosen.values())
    if left < 0:
        return None
    steps = sorted((_slope(a, b), name, i) for name, of in hulls.items()
                   for i, (a, b) in enumerate(zip(of, of[1:])))
    lost = sum(point[1] for point in chosen.values())
    for _, name, i in steps:
        if lost <= max_loss:
            break
        old, new = hulls[name][i:i + 2]
        # Where the step before did not fit, this one has no ground.
        if chosen[name] == old and new[0] - old[0] <= left:
            chosen[name] = new
            left -= new[0] - old[0]
            lost += new[1] - old[1]
    return chosen


def choose(config, source, rotation, windows, max_bytes, say, max_loss=0.0):
    """The `Recipe` of least loss whose program has constants of at most `max_bytes`, or
    of few bytes that loses at most `max_loss`, if that is not 0."""
    if windows.shape[1] < STEP:
        raise InvalidArgument(
            f"calibrate: expected {STEP} tokens or more in a window, since weights are "
            f"auto, found {windows.shape[1]}")
    source = prepared(source, rotation)
    # Tensors of other shapes are refused here.
    smallest = Weights(config, RequantizedSource(
        source, Requantize(*FORMS[CANDIDATES[0]], rotation)))
    rest = sum(resource.nbytes for constant in smallest.constants
               for resource in constant.resources.values())
    rest -= sum(stack.resources[name].nbytes for slots in smallest.slots.values()
                for slot in slots for stack in slot.stacks
                for name in ("q", "scale"))
    # Which of a slot's forms a layer has.
    rest += 8 * config.layers * len(SLOTS)
    sizes = _sizes(config, source, rotation)
    least = rest + sum(min(of.values()) for of in sizes.values())
    if max_bytes < least:
        raise InvalidArgument(f"max_bytes: expected {least} or more, the bytes of the "
                              f"smallest forms, found {max_bytes}")
    windows = windows[::-(-len(windows) // WINDOWS)]
    measure = _Measure(config, source, rotation, windows)
    for layer in range(config.layers):
        say(f"measuring layer {layer + 1} of {config.layers}")
        measure.layer(layer)
    points = {name: [(sizes[name][form], loss, form)
                     for form, loss in measure.losses[key].items()]
              for name, key in zip(sizes, measure.losses)}
    chosen = allot(points, max_bytes - rest, max_loss)
    lost = sum(point[1] for point in chosen.values())
    if lost > max_loss > 0:
        raise InvalidArgument(f"max_loss: expected {lost:.4g} or more, what the largest "
                              f"forms lose, found {max_loss:.4g}")
    limit = {"max_loss": max_loss} if max_loss else {"max_bytes": max_bytes}
    return _recipe(rotation, points, chosen, rest, windows.size, limit, say)


def _sizes(config, source, rotation):
    """{name: {form: bytes}}"""
    forms = {form: Requantize(*FORMS[form], rotation) for form in CANDIDATES}
    slots = itertools.product(range(config.layers), SLOTS.values())
    sizes = {}
    for name, (layer, parts) in zip(names_of(config), slots):
        shapes = [source.linear(layer, part).shape for part in parts]
        n, k = sum(rows for rows, _ in shapes), shapes[0][1]
        sizes[name] = {form: how.form(k).nbytes(n, k) for form, how in forms.items()}
    return sizes


def _recipe(rotation, points, chosen, rest, tokens, limit, say):
    note = lambda point: {"bytes": point[0], "loss": float(f"{point[1]:.4g}")}
    notes = {}
    for name, point in chosen.items():
        least = min(points[name])
        notes[name] = {**note(point), "instead": {"weights": least[2], **note(least)}}
    total = rest + sum(point[0] for point in chosen.values())
    loss = sum(point[1] for point in chosen.values())
    report = {**limit, "bytes": total, "loss": float(f"{loss:.4g}"),
              "tokens": tokens}
    for form in CANDIDATES:
        names = [name for name, point in chosen.items() if point[2] == form]
        if names:
            say(f"{form}: {len(names)} products, {sum(chosen[n][0] for n in names)} bytes, "
                f"loss {sum(chosen[n][1] for n in names):.4g}")
    of = f" of {limit['max_bytes']}" if "max_bytes" in limit else ""
    say(f"chosen: {total}{of} bytes, loss {loss:.4g} nats a token")
    return Recipe(rotation, {name: point[2] for name, point in chosen.items()}, notes,
                  report)
