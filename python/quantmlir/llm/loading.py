"""From a checkpoint to a program, and to a decoder."""

import os
import pathlib
import platform
import shutil
import tempfile

from .. import _capi, bytecode, checkpoint, compiler, errors
from ..model import Log, encode
from . import config as configs
from . import kv_cache as kv_caches
from .cache import Cache
from .calibrate import CalibratedSource, digest, windows_of
from .decoder import Decoder
from .folder_source import FolderSource
from .folder_tokenizer import FolderTokenizer
from .gguf_source import GGUFSource
from .program import Program
from .requantize import Requantize, RequantizedSource
from .rotation import Rotation
from .tokenizer import Tokenizer
from .weights import Weights

_ACTIVATIONS = ("int8", "int4", "float")


def _open(path):
    """(file, Config, source) of a checkpoint."""
    file = checkpoint.open(path)
    if isinstance(file, checkpoint.Folder):
        config = configs.from_folder(file)
        return file, config, FolderSource(file, config)
    config = configs.from_gguf(file)
    return file, config, GGUFSource(file, config)


def _tokenizer(file):
    if isinstance(file, checkpoint.Folder):
        return FolderTokenizer(file) if file.has("tokenizer.json") else None
    return Tokenizer(file) if "tokenizer.ggml.model" in file.metadata else None


def _quantized(config, source, activations, requantize, windows=None, say=None):
    """The source as it is multiplied: quantized anew, for a text."""
    if not requantize:
        return source
    quantized = RequantizedSource(source, requantize)
    if windows is None:
        return quantized
    # Tensors of other shapes are refused here.
    Weights(config, quantized)
    return CalibratedSource(config, source, requantize, activations, windows,
                            say or (lambda text: None))


def _write(config, source, path, activations, requantize=None, all_logits=False,
           cache=None):
    program = Program(config, Weights(config, source), activations,
                      requantize.rotation if requantize else Rotation(), all_logits,
                      cache)
    keys = [resource.key for constant in program.constants
            for resource in constant.resources.values()]
    text = (program.text + bytecode.placeholders(keys)).encode()
    with tempfile.TemporaryDirectory() as folder, Log() as log:
        body = os.path.join(folder, "body.mlirbc")
        log.check(_capi.library.quantProgramWriteBytecode(
            text, len(text), b"llm", encode(body), log.pointer))
        data = pathlib.Path(body).read_bytes()
    bytecode.write_file(path, data, program.constants)


def write_program(path, out, activations="int8", *, weights=None,
                  rotation="none", calibrate=None, all_logits=False,
                  kv_cache="float", progress=None):
    """Writes a checkpoint's program, with its weights, as MLIR bytecode.

    Weights go to the file one by one: memory holds a tensor or two at a time.

    Args:
        path: a checkpoint, as for `load`.
        out: the file, ``.mlirbc``; all of it is written, or none.
        activations, weights, rotation, calibrate, kv_cache, progress: as for
            `load`.
        all_logits: the program's first result is [S, V], the logits after each
            token.
    """
    _check_activations(activations)
    kv_caches.check(kv_cache)
    requantize = Requantize.parse(weights, rotation)
    file, config, source = _open(path)
    windows = _windows(calibrate, requantize, file, config)
    cache = kv_caches.make(kv_cache, config, path)
    source = _quantized(config, source, activations, requantize, windows, progress)
    _write(config, source, os.fspath(out), activations, requantize, all_logits, cache)


def _windows(calibrate, requantize, file, config):
    if calibrate is None:
        return None
    if not requantize:
        raise errors.InvalidArgument(
            "calibrate: the file's integers stay as they are, expected weights=, "
            "found None")
    return windows_of(calibrate, _tokenizer(file), config)


def _check_activations(activations):
    if activations not in _ACTIVATIONS:
        raise errors.InvalidArgument(
            f"activations: expected {', '.join(_ACTIVATIONS)}, found "
            f"{activations!r}")


def load(path, *, activations="int8", weights=None, rotation="none",
         calibrate=None, kv_cache="float", target=None, threads=1, cpu=None,
         quantize=None,
         cache=True, progress=None):
    """Compiles a checkpoint, or loads what was compiled of it before.

    Args:
        path: a checkpoint of the llama family: a GGUF file, or a folder with
            config.json and safetensors, in floats or quantized by GPTQ, AWQ or
            compressed-tensors.
        activations: what quantized weights are multiplied by: ``"int8"``, a
            scale for each token; ``"int4"``, a scale by least squares for each 32
            of a token's elements (the head's have 8 bits); or ``"float"``. Weights
            that the file has in floats are multiplied in floats, unless
            `quantize` says otherwise.
        weights: None: as the file has them; ``"w8"`` (a scale for each row),
            ``"w4-g16"``, ``"w4-g32"``, ``"w4-g64"``, ``"w4-g128"`` (scales of groups
            by least squares), ``"mxfp4"`` or ``"nvfp4"`` (with all of these the
            head in 8 bits): quantized anew, symmetric.
        rotation: with `weights`: ``"hadamard32"`` or ``"hadamard128"``, with
            ``:seed`` where signs are turned; activations and weights are rotated
            in blocks before they are quantized (`quant.rotate`).
        calibrate: with `weights`: a text, or numbers of tokens, in windows of 256
            tokens: weights are rounded for what it makes of the activations (error
            compensation, docs/llm.md).
        kv_cache: what is kept of keys and values: ``"float"`` (f32), ``"int8"``, or
            ``"int4"``, both rotated; as integers they are multiplied as integers
            (`quant.cached_attention`).
        target, threads, cpu, quantize: as for `quantmlir.compile`.
        cache: True: keep the compiled model under ``~/.cache/quantmlir``; a
            folder: there; False: nowhere.
        progress: called with a line of text where work begins that takes long.

    Returns:
        A `Decoder`.

    Raises:
        FileError: the file is not one, is not complete, or is of an architecture
            or type that cannot be built; the cache cannot be written.
        CompileError: the program was not accepted.
    """
    _check_activations(activations)
    kv_caches.check(kv_cache)
    requantize = Requantize.parse(weights, rotation)
    if target is None:
        target = "x86" if platform.machine() in ("x86_64", "AMD64") else "generic"
    file, config, source = _open(path)
    form = kv_caches.make(kv_cache, config, path)
    windows = _windows(calibrate, requantize, file, config)
    options = dict(target=target, threads=threads, cpu=cpu, quantize=quantize)
    kept = Cache(None if cache is True else cache) if cache else None
    key = kept and kept.key(file.files(), {**options, "activations": activations,
                                           "weights": weights, "rotation": rotation,
                                           "kv_cache": kv_cache,
                                           "calibrate": windows is not None and
                                           digest(windows)},
                            _capi.library)
    folder = kept and kept.find(key)
    if folder:
        model = _load_kept(folder)
    elif kept:
        with kept.adding(key) as scratch:
            _compile(config, source, scratch, activations, requantize, form,
                     options, progress, windows)
        model = _load_kept(kept.folder / key)
    else:
        with tempfile.TemporaryDirectory() as scratch:
            scratch = pathlib.Path(scratch)
            _compile(config, source, scratch, activations, requantize, form,
                     options, progress, windows)
            model = _load_kept(scratch)
    return Decoder(config, _tokenizer(file), model, form)


def _artifact(folder):
    return folder / ("model.so" if (folder / "model.so").exists() else "model.o")


def _load_kept(folder):
    return compiler.load(_artifact(folder))


def _compile(config, source, folder, activations, requantize, cache, options,
             progress, windows):
    say = progress or (lambda text: None)
    program = folder / "model.mlirbc"
    source = _quantized(config, source, activations, requantize, windows, say)
    say(f"writing the program of {config.layers} layers")
    _write(config, source, program, activations, requantize, cache=cache)
    say(f"compiling {program.stat().st_size / 1e6:.0f} MB of program and weights")
    model = compiler.compile(program, name="model", **options)
    # An object needs no linker, a library is loaded in less time.
    model.save(folder / ("model.so" if shutil.which("cc") else "model.o"))
    model.close()
    program.unlink()
