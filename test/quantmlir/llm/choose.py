# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t | FileCheck %s
"""A form for each weight under a number of bytes: what is measured, what is chosen, the
recipe and the program it makes; and what cannot be."""

import itertools
import json
import pathlib
import sys

import numpy as np
import quantmlir.llm as llm
from quantcheck.raising import raises
from quantllm.checkpoints import Decoder
from quantllm.reference import of_gguf
from quantmlir import FileError, InvalidArgument
from quantmlir.llm import choose, loading
from quantmlir.llm.requantize import Requantize, floats
from quantmlir.llm.rotation import Rotation
from quantsim import rotation

FOLDER = pathlib.Path(sys.argv[1])
PATH = str(FOLDER / "model.gguf")
DECODER = Decoder("llama", {"*": "Q8_0", "token_embd": "F32"}, layers=2, dim=64,
                  heads=2, kv_heads=1, ffn=96)
DECODER.write(PATH)
TOKENS = np.random.default_rng(4).integers(0, DECODER.vocabulary, 100)
file, config, source = loading._open(PATH)

# The choice against all there are.
rng = np.random.default_rng(0)
for _ in range(20):
    points = {name: [(int(b), float(loss)) for b, loss in zip(
        rng.choice(20, 3, replace=False) + 1, rng.random(3))] for name in "abc"}
    budget = int(rng.integers(10, 60))
    all_ = [of for of in itertools.product(*points.values())
            if sum(p[0] for p in of) <= budget]
    found = choose.allot(points, budget)
    assert (found is None) == (not all_)
    if found:
        assert sum(p[0] for p in found.values()) <= budget
        loss, bytes_ = (sum(p[i] for p in found.values()) for i in (1, 0))
        # Of those with as few bytes, or the bytes of a step more, none is better.
        assert loss <= min(sum(p[1] for p in of) for of in all_
                           if sum(p[0] for p in of) <= bytes_) + 1e-12
# A step whose ground was not reached is not taken, though it alone would fit.
assert choose.allot({"a": [(1, 10.), (10, 1.), (11, .5)]}, 3) == {"a": (1, 10.)}
assert choose.hull([(1, 10.), (2, 9.), (3, 2.), (4, 1.9), (5, 3.)]) == \
    [(1, 10.), (3, 2.), (4, 1.9)]


# What one product loses, against the same in NumPy's float64.
class Wrong:
    """A reference with one weight that is not float's."""

    def __init__(self, name, weight):
        self.model = of_gguf(PATH)
        plain = self.model._linear

        def linear(x, tensor):
            if tensor != name:
                return plain(x, tensor)
            y = rotation.rotate(x.astype(np.float32), 32, 0).astype(np.float64)
            return y @ floats(weight).astype(np.float64).T

        self.model._linear = linear

    def log_probabilities(self):
        logits = self.model.logits(TOKENS)
        top = logits.max(-1, keepdims=True)
        return logits - top - np.log(np.exp(logits - top).sum(-1, keepdims=True))


turn = Rotation.parse("hadamard32")
measure = choose._Measure(config, source, turn, TOKENS[None])
for layer in range(2):
    measure.layer(layer)
how = Requantize.parse("w4-g32", "hadamard32")
weight = floats(source.linear(1, "down").load())
# Layer 1's down is the last product: what is before is float in both.
model, moments = of_gguf(PATH), []
plain = model._linear


def record(x, tensor):
    if tensor == "blk.1.ffn_down":
        moments.append(rotation.rotate(x.astype(np.float32), 32, 0))
    return plain(x, tensor)


model._linear = record
wanted = model.logits(TOKENS)
y = moments[0]
stored = how.quantize(turn.of_weight(weight), y.T @ y / np.float32(len(y)))
p = wanted - wanted.max(-1, keepdims=True)
p -= np.log(np.exp(p).sum(-1, keepdims=True))
q = Wrong("blk.1.ffn_down", stored).log_probabilities()
divergence = (np.exp(p) * (p - q)).sum(-1)[choose.STEP - 1::choose.STEP].mean()
found = measure.losses[1, "down"]
print("a product's loss:", "close" if abs(found["w4-g32"] / divergence - 1) < 0.05
      else (found["w4-g32"], divergence))
# CHECK: a product's loss: close
error = {form: floats(Requantize.parse(form, "hadamard32").quantize(
    turn.of_weight(weight))) - turn.of_weight(weight) for form in ("w4-g32", "w8")}
error = {form: np.square(y @ e.T).sum() for form, e in error.items()}
assert abs(found["w8"] / found["w4-g32"] / (error["w8"] / error["w4-g32"]) - 1) < 0.01


def nbytes(**how):
    """Of all constants of a program."""
    build = loading._Build(PATH, **{**dict(
        activations="int8", rotation="hadamard32", kv_cache="float"), **how})
    return sum(r.nbytes for constant in build.program(False).constants
               for r in constant.resources.values())


def chosen(max_bytes, say=None):
    return llm.choose_weights(PATH, max_bytes, TOKENS, progress=say)


least, most = (nbytes(weights=form) for form in ("w2-g32", "w8"))
said = []
small, middle, large = (chosen(count, said.append) for count in (
    least + 64, (least + most) // 2, 1 << 40))
print(*(sorted(set(recipe.forms.values())) for recipe in (small, large)))
# CHECK: ['w2-g32'] ['w8']
for recipe in (small, middle, large):
    # The tables of which form a layer has are there, or not.
    assert 0 <= recipe.report["bytes"] - nbytes(weights=recipe) <= 8 * 2 * 4
assert middle.report["bytes"] <= (least + most) // 2
print(len(set(middle.forms.values())) > 1,
      small.report["loss"] > middle.report["loss"] > large.report["loss"])
# CHECK-NEXT: True True
uniform = nbytes(weights="w4-g32")
assert sum(measure.losses[key]["w4-g32"] for key in measure.losses) >= \
    chosen(uniform + 64).report["loss"]
note = middle.notes["blk.0.qkv"]
assert note["loss"] <= note["instead"]["loss"] and note["bytes"] >= note["instead"]["bytes"]
print(said[0], "|", said[-1].split(":")[0])
# CHECK-NEXT: measuring layer 1 of 2 | chosen

# As few bytes as lose so little: those of the loss, and of fewer bytes more is lost.
bound = middle.report["loss"] * 1.01
by_loss = llm.choose_weights(PATH, calibrate=TOKENS, max_loss=bound, progress=said.append)
print(by_loss.report["loss"] <= bound, by_loss.report["bytes"] <= middle.report["bytes"],
      "max_bytes" in by_loss.report, "of" in said[-1].split())
# CHECK-NEXT: True True False False
least_bytes = {"a": [(1, 10.), (2, 4.), (3, 1.)], "b": [(1, 3.), (2, 2.)]}
assert choose.allot(least_bytes, 99, 7.) == {"a": (2, 4.), "b": (1, 3.)}
assert choose.allot(least_bytes, 99, 99.) == {"a": (1, 10.), "b": (1, 3.)}

# A file of it, and the model: the same as chosen on the way.
middle.write(FOLDER / "recipe.json")
again = llm.Recipe.read(FOLDER / "recipe.json")
assert (again.forms, again.rotation) == (middle.forms, middle.rotation)
models = [llm.load(PATH, calibrate=TOKENS, cache=str(FOLDER / "cache"), **how) for how in (
    dict(weights="auto", max_bytes=(least + most) // 2, rotation="hadamard32"),
    dict(weights=str(FOLDER / "recipe.json")), dict(weights=middle))]
logits = [model.session(16)(TOKENS[:9]).copy() for model in models]
print([np.array_equal(logits[0], other) for other in logits[1:]],
      len({path.parent for path in (FOLDER / "cache").glob("*/model.*")}))
# CHECK-NEXT: [True, True] 2
wanted = of_gguf(PATH).logits(TOKENS[:9])[-1]
small, large = (np.square(llm.load(PATH, weights=recipe, cache=False).session(16)(
    TOKENS[:9]) - wanted).mean() for recipe in (small, large))
print("nearer with more bits" if large < np.square(logits[0] - wanted).mean() < small
      else (large, small))
# CHECK-NEXT: nearer with more bits

# What cannot be.
raises(InvalidArgument, lambda: chosen(least - 1000), "max_bytes: expected ")
for count in (0, -1, True, 1.5, "7", None):
    raises(InvalidArgument, lambda: chosen(count),
           "max_bytes: expected a number of bytes, since weights are auto, found "
           f"{count!r}")
for loss in (0, -1.0, True, "1", float("nan"), float("inf")):
    raises(InvalidArgument, lambda: llm.choose_weights(
        PATH, calibrate=TOKENS, max_loss=loss),
        f"max_loss: expected a number above 0, found {loss!r}")
raises(InvalidArgument, lambda: llm.choose_weights(PATH, 9, TOKENS, max_loss=1.0),
       "max_loss: expected max_bytes=None beside it, found 9")
raises(InvalidArgument, lambda: llm.choose_weights(
    PATH, calibrate=TOKENS, max_loss=1e-12), "max_loss: expected ",
    " or more, what the largest forms lose, found 1e-12")
raises(InvalidArgument, lambda: llm.load(PATH, weights="auto", max_bytes=1),
       "calibrate: expected a text, since weights are auto")
raises(InvalidArgument, lambda: llm.load(PATH, weights="w8", max_bytes=1),
       'max_bytes: expected weights="auto" beside it')
raises(InvalidArgument, lambda: llm.load(PATH, weights=middle, rotation="hadamard128"),
       "rotation: expected that of the recipe, hadamard32, or none, found 'hadamard128'")
other = llm.Recipe(middle.rotation, {"blk.0.qkv": "w8"})
raises(InvalidArgument, lambda: llm.load(PATH, weights=other),
       "weights: expected a recipe of the 8 products of this model's 2 layers, found "
       "nothing for blk.0.o")
other = llm.Recipe(middle.rotation, {**middle.forms, "blk.2.o": "w8"})
raises(InvalidArgument, lambda: llm.load(PATH, weights=other), "found one for blk.2.o")
good = json.loads((FOLDER / "recipe.json").read_text())
matmul = good["matmuls"][0]
for text, wrong in (
        ("is not JSON", "{"), ("is not JSON", "[" * 100000), ("the file: expected an object", []),
        ("unknown field 'more'", {**good, "more": 1}),
        ("'version': expected 1, found 2", {**good, "version": 2}),
        ("'version': expected 1, found True", {**good, "version": True}),
        ("'version': expected 1, found None", {}),
        ("'matmuls': expected a list", {"version": 1}),
        ("rotation: expected none", {**good, "rotation": 7}),
        ("'matmuls'[0]: expected an object", {**good, "matmuls": [1]}),
        ("'matmuls'[0]: unknown field 'x'", {**good, "matmuls": [{**matmul, "x": 1}]}),
        ("'matmuls'[0]: 'name': expected", {**good, "matmuls": [{}]}),
        ("'matmuls'[1]: 'name': expected one that is not there yet, found 'blk.0.qkv'",
         {**good, "matmuls": [matmul, matmul]}),
        ("'weights': expected w8, w2-g32", {**good, "matmuls": [{**matmul, "weights": "w5"}]}),
        ("'weights': expected", {**good, "matmuls": [{**matmul, "weights": ["w8"]}]}),
        ("'weights': expected w8, found 'w4-g32'",
         {**good, "matmuls": [{"name": "head", "weights": "w4-g32"}]})):
    bad = FOLDER / "bad.json"
    bad.write_text(wrong if isinstance(wrong, str) else json.dumps(wrong))
    raises(FileError, lambda: llm.load(PATH, weights=bad), text)
raises(FileError, lambda: llm.load(PATH, weights=FOLDER / "none.json"), "No such file")
raises(FileError, lambda: middle.write(FOLDER / "none" / "x.json"), "No such file")
