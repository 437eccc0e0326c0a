"""Quantized weights of other tools' files, integers as they are.

    file = quantmlir.checkpoint.open("model.gguf")
    file.metadata["general.architecture"], file.tensors["blk.0.attn_q.weight"]
    folder = quantmlir.checkpoint.open("model")  # config.json, *.safetensors
    folder.config["model_type"], folder.tensors["lm_head.weight"]

Nothing here needs a package but NumPy. Files come from anywhere: what is wrong
with one is a `FileError` of one line.
"""

import os

from ..errors import FileError
from .gguf import GGUF
from .safetensors import Folder

__all__ = ["Folder", "GGUF", "open"]


def open(path):  # noqa: A001
    """A checkpoint: a `GGUF` file, or a `Folder` with config.json."""
    path = os.fspath(path)
    if not os.path.exists(path):
        raise FileError(f"{path}: No such file or directory")
    return Folder(path) if os.path.isdir(path) else GGUF(path)
