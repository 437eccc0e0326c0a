"""Quantized MLIR models from Python.

    import quantmlir
    m = quantmlir.compile("model.mlir", target="x86",
                          quantize="weights=channel activations=dynamic-token")
    y = m(x)                      # NumPy or DLPack in, NumPy out
    m.save("model.so")            # and model.h, model.weights: for C, C++
    m = quantmlir.load("model.so")
    llm = quantmlir.llm.load("model.gguf")    # a language model, from its file
    fast = torch.compile(model, backend="quantmlir")

docs/python.md is the guide. Errors are `QuantError` and its subclasses; what the
compiler said is in `QuantError.diagnostics`.
"""

import importlib

from .errors import (CompileError, FileError, InvalidArgument, MissingPackage,
                     ModelStopped, OutOfMemory, QuantError)

# Modules of this package that read files need no compiler: its library is
# loaded when something of it is asked for.
_LAZY = {"compile": "compiler", "load": "compiler", "Model": "model",
         "Signature": "model", "TensorType": "_tensors"}
_MODULES = ("checkpoint", "llm", "torch_backend")

__all__ = [*_LAZY, *_MODULES, "QuantError", "CompileError", "FileError", "InvalidArgument",
           "MissingPackage", "ModelStopped", "OutOfMemory", "__version__"]


def __getattr__(name):
    if name == "__version__":
        from ._capi import library
        return library.quantVersionText().decode().split()[1]
    if name in _MODULES:
        return importlib.import_module("." + name, __name__)
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("." + _LAZY[name], __name__), name)


def __dir__():
    return sorted(__all__)
