"""From a program to a model."""

import ctypes
import operator
import os
import pathlib
import platform

from . import _capi, _frontends, errors
from .model import Log, Model, encode

_LIBRARY = _capi.library


def default_target():
    """The target for this machine where none is asked for."""
    return "x86" if platform.machine() in ("x86_64", "AMD64") else "generic"


def compile(program, *, quantize=None, target=None, cpu=None, features=None,
            triple=None, threads=1, optimize=2, entry=None, name=None,
            schedules=None, strict=False, example_inputs=None,
            dynamic_shapes=None):
    """Quantizes and compiles a program.

    Args:
        program: a path (``str`` without a line end, or ``os.PathLike``) of MLIR
            text or bytecode, or of an ``.onnx`` file; MLIR as ``bytes`` (text
            or bytecode) or as ``str`` with line ends; or a ``torch.nn.Module``.
            The last of these and ``.onnx`` need the package torch-mlir.
        quantize: the scheme, options of quant-quantize-matmul
            (docs/schemes.md), such as ``"weights=group group-size=32
            weight-bits=4"``; ``""`` is its defaults, None leaves the program as
            it is written.
        target: ``"x86"`` or ``"arm"`` (the machine's integer instructions) or
            ``"generic"`` (portable loops); all give the same integers. None:
            x86 where this machine is one and no other is asked for, else
            generic.
        cpu: LLVM's name of the CPU; None: this machine's.
        features: LLVM features, ``"+x,-y"``; None: the CPU's.
        triple: another machine, for `Model.save` only; None: this one.
        threads: x86, arm: number of threads that large matmuls are divided over.
        optimize: LLVM's level, 0 to 3: with 0 the model is compiled in less
            time and runs slower, for few calls; integers are the same, last
            bits of floats may differ (docs/testing.md).
        entry: the function; None: ``main`` or the only public one.
        name: what the symbol of a saved model begins with, a C identifier;
            None: made of the path, or ``"model"``.
        schedules: path of a file that ``quant-run --tune`` wrote.
        strict: fail where a product stays in float against the scheme.
        example_inputs: tuple of tensors, for a ``torch.nn.Module``; their
            sizes are the model's.
        dynamic_shapes: ``torch.export``'s, for a ``torch.nn.Module``: which of
            those sizes are any.

    Returns:
        A `Model`. What stays in float, and why, is in its ``remarks``.

    Raises:
        CompileError: the program is not accepted; ``.diagnostics`` says where.
        FileError: a file cannot be read.
        InvalidArgument: an option is not understood, or this machine cannot
            run the code.
        MissingPackage: torch-mlir is not installed and the input needs it.
    """
    if target is None:
        target = default_target() if triple is None else "generic"
    texts = {name: encode(value, name) for name, value in dict(
        target=target, cpu=cpu, features=features, triple=triple,
        name=name or _make_name(program), schedules=schedules,
        optimize=str(optimize)).items()}
    scheme, function = encode(quantize, "quantize"), encode(entry, "entry")
    options = _capi.CompileOptions(
        size=ctypes.sizeof(_capi.CompileOptions), threads=_threads(threads),
        strict=int(bool(strict)), **texts)
    with Log() as log:
        program = _import(program, example_inputs, dynamic_shapes)
        source = _load(program, function, log)
        try:
            if scheme is not None:
                log.check(_LIBRARY.quantProgramQuantize(
                    source, scheme, int(bool(strict)), log.pointer))
            model = ctypes.c_void_p()
            log.check(_LIBRARY.quantProgramCompile(
                source, ctypes.byref(options), log.pointer,
                ctypes.byref(model)))
        finally:
            _LIBRARY.quantProgramDestroy(source)
        decode = lambda text: None if text is None else os.fsdecode(text)
        return Model(model.value, log.entries(), program, (
            ("quantize", decode(scheme)), ("target", target), ("entry", decode(function)),
            ("schedules", schedules), ("O", optimize),
            # What quant-run takes with x86 only.
            *((("cpu", cpu), ("features", features), ("threads", threads))
              if target == "x86" else ())))


def load(path, weights=None):
    """Loads a model that `Model.save` or quant-compile wrote.

    Args:
        path: ``NAME.so`` or ``NAME.o``.
        weights: path of the weights; None: the file beside it. It is mapped
            read-only, so that processes share its memory.

    Raises:
        FileError: it is no model, is not complete, is for another machine, or
            its weights are others.
    """
    model = ctypes.c_void_p()
    with Log() as log:
        log.check(_LIBRARY.quantModelLoad(encode(path), encode(weights),
                                          log.pointer, ctypes.byref(model)))
    return Model(model.value)


def _threads(number):
    try:
        found = operator.index(number)
    except TypeError:
        raise errors.InvalidArgument(
            f"threads: expected an integer, found {number!r}") from None
    if not -2**31 <= found < 2**31:
        raise errors.InvalidArgument(f"threads: expected 1 to 1024, found {found}")
    return found


def _is_text(program):
    return isinstance(program, str) and "\n" in program


def _make_name(program):
    stem = ""
    if isinstance(program, os.PathLike) or (
            isinstance(program, str) and not _is_text(program)):
        stem = pathlib.Path(program).stem
    name = "".join(c if c.isascii() and c.isalnum() else "_" for c in stem)
    if not name.strip("_"):
        return "model"
    return "m" + name if name[0].isdigit() else name


def _import(program, example_inputs, dynamic_shapes):
    """MLIR as bytes, or the path of a file."""
    if _frontends.is_torch_module(program):
        return _frontends.import_torch(program, example_inputs, dynamic_shapes)
    for name, value in (("example_inputs", example_inputs),
                        ("dynamic_shapes", dynamic_shapes)):
        if value is not None:
            raise errors.InvalidArgument(
                f"{name}: expected a torch.nn.Module with them, found "
                + type(program).__name__)
    if _is_text(program):
        return program.encode()
    if isinstance(program, (bytes, bytearray, memoryview)):
        return bytes(program)
    if not isinstance(program, (str, os.PathLike)):
        raise errors.InvalidArgument(
            "expected a path, MLIR as bytes or str, or a torch.nn.Module, found "
            + type(program).__name__)
    if pathlib.Path(program).suffix == ".onnx":
        return _frontends.import_onnx(program)
    return os.path.abspath(program)


def _load(program, entry, log):
    """A QuantProgram of a path or of bytes."""
    source = ctypes.c_void_p()
    if isinstance(program, bytes):
        status = _LIBRARY.quantProgramLoadMemory(
            program, len(program), b"program", entry, log.pointer,
            ctypes.byref(source))
    else:
        status = _LIBRARY.quantProgramLoadFile(
            encode(program), entry, log.pointer, ctypes.byref(source))
    log.check(status)
    return source
