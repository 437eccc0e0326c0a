"""BERT's uncased WordPiece tokenizer, from a vocabulary file.

Enough for calibration text: lower-cases, strips accents, splits at white space
and around punctuation, and cuts words greedily into the longest known pieces.
"""

import pathlib
import unicodedata

import numpy as np


def _is_punctuation(c):
    code = ord(c)
    ascii_symbol = (33 <= code <= 47 or 58 <= code <= 64 or
                    91 <= code <= 96 or 123 <= code <= 126)
    return ascii_symbol or unicodedata.category(c).startswith("P")


def _words(text):
    text = unicodedata.normalize("NFD", text.lower())
    text = "".join(c for c in text if unicodedata.category(c) != "Mn")
    word = ""
    for c in text + " ":
        if c.isspace() or _is_punctuation(c):
            if word:
                yield word
            word = ""
            if not c.isspace():
                yield c
        else:
            word += c


class WordPiece:
    """`encode` gives ids of one length, `[CLS] text [SEP] [PAD]...`."""

    def __init__(self, vocabulary):
        lines = pathlib.Path(vocabulary).read_text(encoding="utf-8")
        self.ids = {piece: i for i, piece in enumerate(lines.splitlines())}

    def _pieces(self, word):
        found, begin = [], 0
        while begin < len(word):
            end = len(word)
            while end > begin:
                piece = ("##" if begin else "") + word[begin:end]
                if piece in self.ids:
                    break
                end -= 1
            if end == begin:
                return [self.ids["[UNK]"]]
            found.append(self.ids[piece])
            begin = end
        return found

    def encode(self, text, length):
        ids = [i for word in _words(text) for i in self._pieces(word)]
        ids = [self.ids["[CLS]"]] + ids[:length - 2] + [self.ids["[SEP]"]]
        return np.array(ids + [self.ids["[PAD]"]] * (length - len(ids)),
                        np.int32)
