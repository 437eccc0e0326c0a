# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t | FileCheck %s
"""A rotation that folds into the weights: floats are the model's, to 1e-5, of every
architecture; the program has it where nothing else does, and rows of a tied head are the
hidden state's; and what cannot be."""

import sys

import numpy as np
import quantmlir.llm as llm
from quantcheck.raising import raises
from quantllm.checkpoints import Decoder
from quantllm.reference import of_gguf
from quantmlir import InvalidArgument
from quantmlir.llm import calibrate, loading
from quantmlir.llm.fold import FoldedSource
from quantmlir.llm.layers import Layers
from quantmlir.llm.requantize import floats
from quantmlir.llm.rotation import Rotation

PATH = f"{sys.argv[1]}/model.gguf"
TOKENS = np.random.default_rng(1).integers(0, 96, 9)


def write(architecture="llama", **options):
    # 80 columns: two blocks, and 16 that stay.
    decoder = Decoder(architecture, {"*": "F32"}, **{
        **dict(layers=2, dim=80, heads=4, kv_heads=2, head_dim=64, ffn=96), **options})
    decoder.write(PATH)


class Model(calibrate.Stream):
    """Of floats, but for weights; `rotation` is what theirs have."""

    def __init__(self, source, config, rotation=Rotation()):
        super().__init__(Layers(config, source, len(TOKENS)), TOKENS[None])
        self.source, self.rotation = source, rotation

    def product(self, layer, slot, batches):
        weight = calibrate.slot_weight(self.source, layer, slot)
        return [self.rotation.of(slot).of_rows(x) @ weight.T for x in batches]

    def logits(self):
        """And the hidden state."""
        layers, source = self.layers, self.source
        for layer in range(layers.config.layers):
            self.layer(layer)
        h = self.hidden[0][0]
        x = layers.norm(source.final_rotation.of_rows(h), source.final_norm())
        head = floats((source.head() or source.embedding()).load())
        return self.rotation.of("head").of_rows(x) @ head.T, h


def is_close(found, expected, bound):
    return np.abs(found - expected).max() <= bound * np.abs(expected).max()


for architecture, options in (
        ("llama", dict(tied=False)), ("qwen2", dict(bias=True)),
        ("qwen3", dict(qk_norm=True)), ("gemma", {})):
    write(architecture, **options)
    _, config, plain = loading._open(PATH)
    expected, hidden = Model(plain, config).logits()
    assert is_close(expected[-1], of_gguf(PATH).logits(TOKENS)[-1], 1e-4)
    for name in ("folded32", "folded32:7"):
        rotation = Rotation.parse(name)
        found, turned = Model(FoldedSource(plain, rotation), config).logits()
        assert is_close(found, expected, 1e-5), (architecture, name)
        # It was another state.
        assert np.allclose(turned, rotation.of_rows(hidden), atol=1e-4)
        assert np.abs(turned - hidden).max() > 0.1

# The program: beside what the MLP gives and the head (and the way back before the last
# norm), nothing is rotated.
for tied, name in ((True, "folded32"), (True, "folded32:7"), (False, "folded32:7")):
    write(tied=tied)
    for text in (None, np.arange(96)):
        build = loading._Build(PATH, activations="float", weights="w8", rotation=name,
                               kv_cache="float", calibrate=text)
        expected, _ = Model(build.source(), build.config, build.rotation).logits()
        model = llm.load(PATH, activations="float", weights="w8", rotation=name,
                         calibrate=text, optimize=0, cache=False)
        assert is_close(model.session(16)(TOKENS), expected[-1], 1e-4), (tied, name)
build = loading._Build(PATH, activations="int4", weights="w4-g32", rotation="folded32:7",
                       kv_cache="float")
print(build.program(all_logits=False).text)
# CHECK: quant.rotate %{{.*}} size = 32 seed = 7 : tensor<?x80xf32>
# CHECK: scf.for %layer
# CHECK-NOT: quant.rotate
# CHECK: quant.rotate %{{.*}} size = 32 seed = 7 : tensor<?x96xf32>
# CHECK-NOT: quant.rotate
# CHECK: scf.yield
# CHECK-NOT: quant.rotate
# CHECK: quant.rotate %{{.*}} size = 32 : tensor<1x80xf32>
# CHECK: quant.rotate %{{.*}} size = 32 seed = 7 : tensor<1x80xf32>
# CHECK-NOT: quant.rotate

# Forms are chosen for it, and the recipe says so.
recipe = llm.choose_weights(PATH, 150_000, np.arange(96), rotation="folded32")
recipe.write(f"{sys.argv[1]}/recipe.json")
assert llm.Recipe.read(f"{sys.argv[1]}/recipe.json").rotation == Rotation(32, 0, True)

raises(InvalidArgument, lambda: llm.load(PATH, weights="w8", rotation="folded128"),
       "rotation: expected heads of a multiple of 128 elements, since it folds, found 64")
