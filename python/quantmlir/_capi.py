"""The C interface (quant/CAPI/Runtime.h) as ctypes sees it.

One library for every Python 3: nothing here depends on its version. The library
is sought beside this file (where `pip install` puts it), then where the
environment variable QUANTMLIR_LIBRARY says, then where the loader looks.
"""

import ctypes
import os
import pathlib

VERSION = 1


class TensorType(ctypes.Structure):
    """QuantTensorType."""
    _fields_ = [("element", ctypes.c_int32), ("rank", ctypes.c_int32),
                ("shape", ctypes.POINTER(ctypes.c_int64))]


class Tensor(ctypes.Structure):
    """QuantTensor."""
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_size_t),
                ("element", ctypes.c_int32), ("rank", ctypes.c_int32),
                ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("strides", ctypes.POINTER(ctypes.c_int64))]


class Artifact(ctypes.Structure):
    """QuantArtifact, up to the fields that are read from Python."""
    _fields_ = [("abi", ctypes.c_uint32), ("flags", ctypes.c_uint32),
                *((name, ctypes.c_char_p) for name in
                  ("name", "producer", "scheme", "target", "triple", "cpu",
                   "features")),
                ("numInputs", ctypes.c_uint32), ("numResults", ctypes.c_uint32),
                ("inputs", ctypes.POINTER(TensorType)),
                ("results", ctypes.POINTER(TensorType)),
                ("weightsFile", ctypes.c_char_p),
                ("weightsSize", ctypes.c_uint64)]


class CompileOptions(ctypes.Structure):
    """QuantCompileOptions."""
    _fields_ = [("size", ctypes.c_size_t),
                *((name, ctypes.c_char_p) for name in
                  ("target", "cpu", "features", "triple", "name", "schedules")),
                ("threads", ctypes.c_int32), ("strict", ctypes.c_int32),
                ("optimize", ctypes.c_char_p)]


OK, INVALID, FILE, STOPPED, NO_MEMORY, NOT_COMPILED = range(6)
NOTE, REMARK, WARNING, ERROR = range(4)

_FUNCTIONS = {
    "quantRuntimeVersion": (ctypes.c_uint32, []),
    "quantVersionText": (ctypes.c_char_p, []),
    "quantLogCreate": (ctypes.c_void_p, []),
    "quantLogDestroy": (None, [ctypes.c_void_p]),
    "quantLogSize": (ctypes.c_size_t, [ctypes.c_void_p]),
    "quantLogSeverity": (ctypes.c_int32, [ctypes.c_void_p, ctypes.c_size_t]),
    "quantLogEntry": (ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_size_t]),
    "quantProgramLoadFile": (ctypes.c_int32, [
        ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p,
        ctypes.POINTER(ctypes.c_void_p)]),
    "quantProgramLoadMemory": (ctypes.c_int32, [
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_char_p,
        ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)]),
    "quantProgramWriteBytecode": (ctypes.c_int32, [
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_char_p,
        ctypes.c_void_p]),
    "quantProgramDestroy": (None, [ctypes.c_void_p]),
    "quantProgramQuantize": (ctypes.c_int32, [
        ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_void_p]),
    "quantProgramCompile": (ctypes.c_int32, [
        ctypes.c_void_p, ctypes.POINTER(CompileOptions), ctypes.c_void_p,
        ctypes.POINTER(ctypes.c_void_p)]),
    "quantWeightQuantize": (ctypes.c_int32, [
        ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_char_p,
        ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p,
        ctypes.c_size_t, ctypes.c_void_p]),
    "quantModelLoad": (ctypes.c_int32, [
        ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p,
        ctypes.POINTER(ctypes.c_void_p)]),
    "quantModelDestroy": (None, [ctypes.c_void_p]),
    "quantModelArtifact": (ctypes.POINTER(Artifact), [ctypes.c_void_p]),
    "quantModelRun": (ctypes.c_int32, [
        ctypes.c_void_p, ctypes.POINTER(Tensor), ctypes.c_size_t,
        ctypes.POINTER(Tensor), ctypes.c_size_t, ctypes.c_void_p]),
    "quantRelease": (None, [ctypes.c_void_p]),
    "quantModelSave": (ctypes.c_int32, [
        ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p]),
}


def _candidates():
    name = "libquantmlir.so.1"
    if "QUANTMLIR_LIBRARY" in os.environ:
        yield os.environ["QUANTMLIR_LIBRARY"]
    for folder in ("lib", "."):
        path = pathlib.Path(__file__).parent / folder / name
        if path.exists():
            yield str(path)
    yield name


def _load():
    failures = []
    for path in _candidates():
        try:
            library = ctypes.CDLL(path)
            break
        except OSError as error:
            failures.append(str(error))
    else:
        raise ImportError(
            "quantmlir: the library libquantmlir was not found ("
            + "; ".join(failures) + "); `pip install .` in a checkout builds "
            "it, QUANTMLIR_LIBRARY=build/lib/libquantmlir.so.1 names one that "
            "is built")
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    found = library.quantRuntimeVersion()
    if found != VERSION:
        raise ImportError(f"quantmlir: expected version {VERSION} of "
                          f"libquantmlir's interface, found {found} ({path})")
    return library


library = _load()
