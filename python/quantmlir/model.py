"""A compiled model."""

import ctypes
import os
import typing
import weakref

import numpy as np

from . import _capi, _tensors, errors
from ._tensors import TensorType

_LIBRARY = _capi.library
_ERRORS = {
    _capi.INVALID: errors.InvalidArgument,
    _capi.FILE: errors.FileError,
    _capi.STOPPED: errors.ModelStopped,
    _capi.NO_MEMORY: errors.OutOfMemory,
    _capi.NOT_COMPILED: errors.CompileError,
}


class Log:
    """Collects what the compiler says while it lives (QuantLog)."""

    def __enter__(self):
        self.pointer = _LIBRARY.quantLogCreate()
        return self

    def __exit__(self, *_):
        _LIBRARY.quantLogDestroy(self.pointer)
        self.pointer = None

    def entries(self, least=_capi.NOTE):
        return [
            _LIBRARY.quantLogEntry(self.pointer, i).decode("utf-8", "replace")
            for i in range(_LIBRARY.quantLogSize(self.pointer))
            if _LIBRARY.quantLogSeverity(self.pointer, i) >= least]

    def check(self, status):
        """Raises the error that `status` stands for."""
        if status == _capi.OK:
            return
        said = self.entries()
        errors_only = self.entries(_capi.ERROR)
        text = "\n".join(errors_only or said) or f"status {status}"
        if len(errors_only) == 1 and text.startswith("error: "):
            text = text[len("error: "):]
        raise _ERRORS.get(status, errors.QuantError)(text, said)


def encode(text, what="a path"):
    """The bytes of a str, bytes or path, as C takes it."""
    if text is None:
        return None
    if not isinstance(text, (str, bytes, os.PathLike)):
        raise errors.InvalidArgument(f"{what}: expected a str, found {text!r}")
    data = os.fsencode(text)
    if b"\0" in data:
        raise errors.InvalidArgument(f"{what}: expected no zero byte, found {text!r}")
    return data


class Signature(typing.NamedTuple):
    """Types of a model's inputs and results, tuples of TensorType."""
    inputs: tuple
    results: tuple

    def __str__(self):
        return (f"({', '.join(map(repr, self.inputs))}) -> "
                f"({', '.join(map(repr, self.results))})")


class _Handle:
    """Owns a QuantModel."""

    def __init__(self, pointer):
        self.pointer = pointer
        weakref.finalize(self, _LIBRARY.quantModelDestroy, pointer)


class Model:
    """A compiled model; made by `quantmlir.compile` and `quantmlir.load`.

    Call it with one array for each input: NumPy arrays, or anything with
    ``__dlpack__`` (a torch tensor on the CPU). Nothing is copied on the way in
    but what is not in C order or not aligned to its elements. A model with one
    result returns an array, with several a tuple of them; with none, None.

    Any number of threads may call one model at once: Python's lock is released
    while it runs.

    Attributes:
        signature: the types of inputs and results (`Signature`); sizes are in
            elements, ``None`` is any size.
        name, scheme, target, triple, cpu: what it was compiled as and for.
        remarks: what the compiler said of the program, a string each: matmuls
            that stayed in float, and why. Empty for a loaded model.
    """

    def __init__(self, pointer, remarks=(), source=None, options=()):
        # Calls hold it, too: a model that is closed goes with the last of them.
        self._handle = _Handle(pointer)
        # What `report` runs again: path or bytes, and quant-run's options.
        self._source, self._options = source, options
        self.remarks = list(remarks)
        artifact = _LIBRARY.quantModelArtifact(pointer)
        self.signature = None
        if not artifact:
            return
        facts = artifact.contents
        for field in ("name", "scheme", "target", "triple", "cpu"):
            setattr(self, field, getattr(facts, field).decode())
        self.weights_bytes = facts.weightsSize
        self.signature = Signature(
            tuple(TensorType.from_c(facts.inputs[i])
                  for i in range(facts.numInputs)),
            tuple(TensorType.from_c(facts.results[i])
                  for i in range(facts.numResults)))

    def __repr__(self):
        if self.signature is None:
            return "<quantmlir.Model for another machine>"
        scheme = f", {self.scheme}" if self.scheme else ""
        return (f"<quantmlir.Model {self.name}: {self.signature}, "
                f"{self.target}{scheme}>")

    def __call__(self, *inputs, out=None):
        """Computes the results.

        Args:
            inputs: one array for each input.
            out: optional array, or sequence of arrays and None, one for each
                result, that the results are written to; they may be strided.

        Returns:
            The result, or a tuple of the results: new arrays, or those of
            `out`. bf16 comes as ``ml_dtypes.bfloat16`` if that is imported,
            else as its bits in uint16; i4 as int8.

        Raises:
            InvalidArgument: an array's type or shape is not the signature's.
            ModelStopped: sizes of the inputs do not fit each other.
        """
        if self.signature is None:
            raise errors.InvalidArgument(
                "the model was compiled for another machine: save() it")
        handle = self._open()
        arrays = self._check_inputs(inputs)
        outs = self._check_outs(out)
        c_inputs = (_capi.Tensor * max(len(arrays), 1))()
        c_results = (_capi.Tensor * max(len(outs), 1))()
        alive = [
            _tensors.fill(c, a, t.element)
            for c, a, t in zip(c_inputs, arrays, self.signature.inputs)]
        for tensor, array, expected in zip(c_results, outs,
                                           self.signature.results):
            if array is not None:
                alive.append(_tensors.fill(tensor, array, expected.element))
                continue
            sizes = (ctypes.c_int64 * max(len(expected.shape), 1))()
            tensor.element, tensor.rank = expected.element, len(expected.shape)
            tensor.shape = sizes
            alive.append(sizes)
        with Log() as log:
            log.check(_LIBRARY.quantModelRun(
                handle.pointer, c_inputs, len(arrays), c_results, len(outs),
                log.pointer))
        for i, (tensor, array) in enumerate(zip(c_results, outs)):
            shape = array is not None and tuple(tensor.shape[:array.ndim])
            if array is not None and shape != array.shape:
                raise errors.InvalidArgument(
                    f"result {i}: expected an array of the shape {shape}, found "
                    f"{array.shape}; what it holds is not the result")
        results = tuple(
            array if array is not None else _tensors.take(tensor, t.element)
            for tensor, array, t in zip(c_results, outs,
                                        self.signature.results))
        if not results:
            return None
        return results[0] if len(results) == 1 else results

    def _open(self):
        if self._handle is None:
            raise errors.InvalidArgument("expected a model, found one that is closed")
        return self._handle

    def _check_inputs(self, inputs):
        expected = self.signature.inputs
        if len(inputs) != len(expected):
            raise errors.InvalidArgument(
                f"expected {len(expected)} inputs "
                f"({', '.join(map(repr, expected))}), found {len(inputs)}")
        arrays = []
        for i, (value, t) in enumerate(zip(inputs, expected)):
            array = _tensors.to_array(value, f"input {i}", t)
            _tensors.check(array, t, f"input {i}")
            arrays.append(array)
        return arrays

    def _check_outs(self, out):
        expected = self.signature.results
        if out is None:
            return [None] * len(expected)
        if not isinstance(out, (np.ndarray, list, tuple)):
            raise errors.InvalidArgument(
                f"out: expected an array or a list of them, found {type(out).__name__}")
        outs = [out] if isinstance(out, np.ndarray) else list(out)
        if len(outs) != len(expected):
            raise errors.InvalidArgument(
                f"out: expected {len(expected)} arrays, found {len(outs)}")
        for i, (array, t) in enumerate(zip(outs, expected)):
            if array is None:
                continue
            if not isinstance(array, np.ndarray):
                raise errors.InvalidArgument(
                    f"result {i}: expected a NumPy array or None, found "
                    f"{type(array).__name__}")
            _tensors.check(array, t, f"result {i}")
            if not array.flags.writeable:
                raise errors.InvalidArgument(
                    f"result {i}: the array is read-only")
            if any(s < 0 or s % array.itemsize for s in array.strides):
                raise errors.InvalidArgument(
                    f"result {i}: expected strides of whole elements that are "
                    f"not negative, found {array.strides} bytes")
        return outs

    def save(self, path, linker=None):
        """Writes the model for C, C++ and `quantmlir.load`: all files or none.

        Args:
            path: ``DIR/NAME.so`` (needs a C compiler driver to link) or
                ``DIR/NAME.o``. The header goes to ``DIR/NAME.h``; the weights
                go beside it, to a file that is mapped when the model is loaded.
            linker: the compiler driver; ``cc`` if None.

        Raises:
            FileError: a file cannot be written, or there is no linker.
        """
        handle = self._open()
        with Log() as log:
            log.check(_LIBRARY.quantModelSave(
                handle.pointer, encode(path), encode(linker), log.pointer))

    def report(self, *inputs, repeat=0):
        """Compares the model with its float program on these inputs.

        Both are compiled again, in a process of its own, and each matmul is
        compared by itself: this takes several times as long as `compile`.

        Args:
            inputs: as for a call.
            repeat: how often both are run to be timed; 0: they are not.

        Returns:
            A `quantmlir.report.Report`.

        Raises:
            InvalidArgument: the model was loaded from files, is for another
                machine, or was not quantized here.
        """
        if self._source is None or self.signature is None:
            raise errors.InvalidArgument(
                "report: expected a model that was compiled for this machine "
                "here; one that was loaded does not hold its program")
        if dict(self._options).get("quantize") is None:
            raise errors.InvalidArgument(
                "report: expected a model with a scheme (quantize=...)")
        from .report import make_report
        return make_report(self._source, self._options,
                           self._check_inputs(inputs), repeat)

    def close(self):
        """Frees the model now, or when the last call that is running ends."""
        self._handle = None
