"""Texts of perplexity.py."""

import ast
import pathlib
import sys
import sysconfig

import numpy as np

LICENSES = pathlib.Path("/usr/share/common-licenses")
WINDOW = 256


def first_text():
    return "".join((LICENSES / name).read_text() for name in ("Artistic", "GFDL-1.3"))


def docstrings(paths):
    return [ast.get_docstring(node) or "" for path in paths
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module))]


def second_text():
    """Documentation strings of NumPy's modules, in the order of their paths."""
    base = pathlib.Path(np.__file__).parent
    return "\n\n".join(part for name in ("lib", "core", "_core", "linalg", "fft", "ma",
                                         "polynomial")
                       for part in docstrings(sorted((base / name).glob("*.py"))))


def calibration_text(tokenizer, tokens):
    """Windows, drawn with a fixed seed, of the standard library's documentation."""
    library = pathlib.Path(sysconfig.get_paths()["stdlib"])
    topics = {}
    exec((library / "pydoc_data" / "topics.py").read_text(), topics)
    parts = list(topics["topics"].values()) + docstrings(sorted(library.glob("*.py")))
    ids = np.array(tokenizer.encode("\n\n".join(parts)))
    at = np.random.default_rng(0).integers(0, len(ids) - WINDOW, tokens // WINDOW)
    return np.concatenate([ids[i:i + WINDOW] for i in at])


def make_windows(tokenizer, text, count):
    ids = np.array(tokenizer.encode(text)[:count * WINDOW])
    if len(ids) < count * WINDOW:
        sys.exit(f"error: expected {count * WINDOW} tokens, found {len(ids)}")
    return ids.reshape(count, WINDOW)
