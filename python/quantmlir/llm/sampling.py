"""The next token, of its logits."""

import numpy as np

from ..errors import InvalidArgument


class Sampler:
    """Chooses a token.

    Args:
        temperature: 0 takes the greatest logit, the first of equals.
        top_k: of how many greatest ones is chosen; 0: of all.
        seed: of NumPy's generator; the same gives the same tokens.
    """

    def __init__(self, temperature=0.0, top_k=0, seed=0):
        if not temperature >= 0 or not np.isfinite(temperature):
            raise InvalidArgument(f"temperature: expected a number of at least 0, "
                                  f"found {temperature}")
        if not isinstance(top_k, int) or top_k < 0:
            raise InvalidArgument(f"top_k: expected an integer of at least 0, "
                                  f"found {top_k}")
        self._temperature, self._top_k = temperature, top_k
        self._random = np.random.default_rng(seed)

    def __call__(self, logits):
        if self._temperature == 0:
            return int(np.argmax(logits))
        candidates = np.arange(len(logits))
        if 0 < self._top_k < len(logits):
            candidates = np.argpartition(logits, -self._top_k)[-self._top_k:]
            candidates.sort()
        scaled = logits[candidates].astype(np.float64) / self._temperature
        powers = np.exp(scaled - scaled.max())
        total = np.cumsum(powers)
        at = np.searchsorted(total, self._random.random() * total[-1], "right")
        return int(candidates[min(at, len(candidates) - 1)])
