"""How far two results are apart."""

import numpy as np


def sqnr_db(reference, candidate):
    """Signal over noise in dB; inf when the two are equal."""
    r = np.asarray(reference, np.float64)
    noise = ((r - np.asarray(candidate, np.float64)) ** 2).sum()
    if noise == 0:
        return np.inf
    return float(10 * np.log10(max((r ** 2).sum(), 1e-300) / noise))


def mean_cosine(reference, candidate):
    """Mean over rows of the cosine of the angle between them."""
    r = np.asarray(reference, np.float64)
    c = np.asarray(candidate, np.float64)
    dot = (r * c).sum(-1)
    return float((dot / np.linalg.norm(r, axis=-1) /
                  np.linalg.norm(c, axis=-1)).mean())
