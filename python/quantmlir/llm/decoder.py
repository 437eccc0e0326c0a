"""A compiled decoder and its caches."""

import contextlib
import time

import numpy as np

from ..errors import InvalidArgument
from .kv_cache import FloatCache
from .sampling import Sampler


class Session:
    """One text: the caches of keys and values (`arrays`, by name: `kv_cache.py`),
    and how many tokens are in them (`position`)."""

    def __init__(self, decoder, capacity):
        c = decoder.config
        if not 0 < capacity <= c.context:
            raise InvalidArgument(f"capacity: expected 1 to {c.context} tokens, "
                                  f"found {capacity}")
        self._decoder, self.capacity, self.position = decoder, capacity, 0
        # Rows of keys, which have tokens last, begin at lines of the cache, and
        # not at few of its sets, as they would a power of two apart.
        held = -(-capacity // 16) * 16
        held += 16 if held % 256 == 0 else 0
        self.arrays = {array.name: array.zeros(c.layers, held)
                       for array in decoder.cache.arrays}
        self._logits = np.empty(c.vocabulary, np.float32)

    def __call__(self, tokens):
        """Logits of the token after `tokens`, which follow those before.

        Args:
            tokens: numbers of tokens, at least one.

        Returns:
            float32 [vocabulary], valid until the next call.
        """
        ids = np.atleast_1d(np.asarray(tokens))
        vocabulary = self._decoder.config.vocabulary
        if ids.ndim != 1 or not ids.size or ids.dtype.kind not in "iu":
            raise InvalidArgument("expected a list of tokens, at least one")
        if ids.min() < 0 or ids.max() >= vocabulary:
            raise InvalidArgument(f"expected tokens of 0 to {vocabulary - 1}, "
                                  f"found {ids.min()} to {ids.max()}")
        end = self.position + ids.size
        if end > self.capacity:
            raise InvalidArgument(f"{end} tokens are more than the caches hold, "
                                  f"{self.capacity}")
        # Rows behind `position` are not read: results go there.
        # What is not of tokens is given anew.
        rows = {array.name: array.rows(self.arrays[array.name], self.position, end)
                if array.has_tokens else np.empty_like(self.arrays[array.name])
                for array in self._decoder.cache.arrays}
        with self._decoder.together():
            self._decoder.model(ids.astype(np.int32),
                                np.array(self.position, np.int32),
                                *self.arrays.values(),
                                out=[self._logits, *rows.values()])
        self.arrays.update((array.name, rows[array.name])
                           for array in self._decoder.cache.arrays
                           if not array.has_tokens)
        self.position = end
        return self._logits


class Decoder:
    """A language model that is compiled.

    Attributes:
        config: its sizes (`config.Config`).
        tokenizer: of its file, or None.
        model: the `quantmlir.Model` of the program (docs/llm.md).
        cache: the form of its cache (`kv_cache.FloatCache`, `IntegerCache`).
        plan: which part of it this process has (`ranks.Plan`), or None: all.
        world: the ranks that have the others (`ranks.World`), or None.
    """

    def __init__(self, config, tokenizer, model, cache=None, plan=None, world=None):
        self.config, self.tokenizer, self.model = config, tokenizer, model
        self.cache = cache or FloatCache(config)
        self.plan, self.world = plan, world

    def together(self):
        """Around what all ranks do: ends where others do not answer."""
        if self.world:
            return self.world.waiting("to compute")
        return contextlib.nullcontext()

    def session(self, capacity=None):
        """Empty caches for up to `capacity` tokens (None: the model's context)."""
        return Session(self, self.config.context if capacity is None else capacity)

    def generate(self, prompt, tokens=64, temperature=0.0, top_k=0, seed=0,
                 stop=True, stats=None):
        """Numbers of new tokens, one by one.

        Args:
            prompt: text, or numbers of tokens.
            tokens: how many at most.
            temperature, top_k, seed: of `sampling.Sampler`.
            stop: end before a token that ends a text.
            stats: a dict that gets `prompt_tokens`, `prefill_s`, `tokens`,
                `decode_s`.
        """
        sampler = Sampler(temperature, top_k, seed)
        ids = self._encode(prompt)
        stats = {} if stats is None else stats
        session = self.session(min(len(ids) + tokens, self.config.context))
        begin = time.perf_counter()
        token = sampler(session(ids))
        stats.update(prompt_tokens=len(ids), tokens=0, decode_s=0.0,
                     prefill_s=time.perf_counter() - begin)
        ends = self.tokenizer.ends if stop and self.tokenizer else ()
        for i in range(tokens):
            if token in ends:
                return
            yield token
            stats["tokens"] += 1
            if i + 1 == tokens or session.position == session.capacity:
                return
            begin = time.perf_counter()
            token = sampler(session([token]))
            stats["decode_s"] += time.perf_counter() - begin

    def stream(self, prompt, **options):
        """`generate`, as pieces of text."""
        if self.tokenizer is None:
            raise InvalidArgument("the checkpoint has no tokenizer: use generate")
        decode = self.tokenizer.decoder()
        for token in self.generate(prompt, **options):
            text = decode(token)
            if text:
                yield text

    def _encode(self, prompt):
        if not isinstance(prompt, str):
            return list(prompt)
        if self.tokenizer is None:
            raise InvalidArgument("the checkpoint has no tokenizer: expected "
                                  "numbers of tokens, found a str")
        ids = self.tokenizer.encode(prompt)
        if not ids:
            raise InvalidArgument("the prompt has no tokens")
        return ids
