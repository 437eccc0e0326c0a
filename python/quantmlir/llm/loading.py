"""From a checkpoint to a program, and to a decoder."""

import math
import numbers
import operator
import os
import pathlib
import shutil
import sys
import tempfile

from .. import _capi, bytecode, checkpoint, compiler, errors
from ..model import Log, encode
from . import config as configs
from . import kv_cache as kv_caches
from . import ranks as ranks_of
from .cache import Cache, made_of
from .calibrate import CalibratedSource, digest, windows_of
from .choose import choose
from .decoder import Decoder
from .fold import prepared
from .folder_source import FolderSource
from .folder_tokenizer import FolderTokenizer
from .gguf_source import GGUFSource
from .program import Program
from .rank_program import RankProgram
from .recipe import Recipe
from .requantize import Requantize, RequantizedSource
from .rotation import Rotation
from .tokenizer import Tokenizer
from .weights import Weights

_ACTIVATIONS = ("int8", "int4", "float")
_LIBRARIES = ("OpenMPI", "MPICH")
# Why ranks do not multiply by these activations.
_NOT_CUT = {
    "int4": "ranks send a scale for each token, not one for each 32 of its elements",
    "float": "such a product adds floats in an order that follows from its sizes, and "
             "parts of it would be rounded otherwise"}


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
    source = prepared(source, requantize.rotation)
    quantized = RequantizedSource(source, requantize)
    if windows is None:
        return quantized
    # Tensors of other shapes are refused here.
    Weights(config, quantized)
    return CalibratedSource(config, source, requantize, activations, windows,
                            say or (lambda text: None))


def _scheme(weights, rotation):
    """A `Requantize`, a `Recipe`, the rotation of one that is to be chosen, or None."""
    if isinstance(weights, str) and weights == "auto":
        return Rotation.parse(rotation)
    if isinstance(weights, (str, os.PathLike)) and \
            os.fspath(weights).endswith(".json"):
        weights = Recipe.read(weights)
    if not isinstance(weights, Recipe):
        return Requantize.parse(weights, rotation)
    if rotation not in ("none", weights.rotation.name):
        raise errors.InvalidArgument(
            f"rotation: expected that of the recipe, {weights.rotation.name}, or none, "
            f"found {rotation!r}")
    return weights


def _integer(value):
    """The int of an integer, NumPy's too; or None."""
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None


def _check_options(options):
    """Those of `compile`, which decide about the kept model: as JSON has them."""
    for name in ("threads", "optimize"):
        number = _integer(options[name])
        if number is None:
            raise errors.InvalidArgument(
                f"{name}: expected an integer, found {options[name]!r}")
        options[name] = number
    for name in ("target", "cpu", "quantize"):
        value = options[name]
        if value is not None and not isinstance(value, str):
            raise errors.InvalidArgument(f"{name}: expected a str or None, found {value!r}")


def _check_budget(max_bytes, is_auto, calibrate, ranks):
    """`max_bytes` as an int, or None."""
    if not is_auto:
        if max_bytes is not None:
            raise errors.InvalidArgument("max_bytes: expected weights=\"auto\" beside it")
        return None
    if ranks and ranks[1] > 1:
        raise errors.InvalidArgument(
            "ranks: expected a recipe, found weights=\"auto\": choose first "
            "(choose_weights), then pass the recipe")
    number = _integer(max_bytes)
    if number is None or number < 1:
        raise errors.InvalidArgument(
            "max_bytes: expected a number of bytes, since weights are auto, found "
            f"{max_bytes!r}")
    if calibrate is None:
        raise errors.InvalidArgument(
            "calibrate: expected a text, since weights are auto, found None")
    return number


class _Build:
    """How a checkpoint becomes a program: its config and source, and options."""

    def __init__(self, path, *, activations, weights, rotation, kv_cache,
                 calibrate=None, max_bytes=None, ranks=None, library="OpenMPI",
                 is_checked=False):
        """is_checked: the ranks that run are known to be those that this is for."""
        if activations not in _ACTIVATIONS:
            raise errors.InvalidArgument(
                f"activations: expected {', '.join(_ACTIVATIONS)}, found "
                f"{activations!r}")
        kv_caches.check(kv_cache)
        self.activations, self.library = activations, library
        self.asks = not is_checked
        scheme = _scheme(weights, rotation)
        is_auto = isinstance(scheme, Rotation)
        self.max_bytes = _check_budget(max_bytes, is_auto, calibrate, ranks)
        self.requantize = None if is_auto else scheme
        self.rotation = scheme if is_auto else scheme.rotation if scheme else Rotation()
        self.file, self.config, self._source = _open(path)
        if isinstance(scheme, Recipe):
            scheme.check(self.config)
        self._unrotated = self.rotation.explain(self.config)
        self.windows = _windows(calibrate, scheme, self.file, self.config)
        self.own, self.plan = self.config, None
        if ranks and ranks[1] > 1:
            self._cut(*ranks, kv_cache)
        self.cache = kv_caches.make(kv_cache, self.own, path)

    def _cut(self, number, count, kv_cache):
        if self.activations in _NOT_CUT:
            raise errors.InvalidArgument(
                f"ranks: expected activations=\"int8\", found {self.activations!r}: "
                f"{_NOT_CUT[self.activations]}")
        if self.windows is not None:
            raise errors.InvalidArgument(
                f"ranks: expected calibrate=None, found {self.windows.size} tokens: "
                "each rank would calibrate anew, by sums of floats (BLAS) that are not "
                "the same on every machine")
        self.plan = ranks_of.Plan(self.config, self.source(), number, count,
                                  self.rotation, kv_caches.keeps_groups(kv_cache))
        self.own = self.plan.local()

    def facts(self):
        """What of the options is known here only."""
        facts = {"calibrate": self.windows is not None and digest(self.windows),
                 "max_bytes": self.max_bytes}
        if isinstance(self.requantize, Recipe):
            facts["weights"] = self.requantize.facts()
        return facts

    def choose(self, say=None, max_loss=0.0):
        """A form for each weight, where that is asked for."""
        if self.max_bytes and not self.requantize:
            self.requantize = choose(self.config, self._source, self.rotation,
                                     self.windows, self.max_bytes,
                                     say or (lambda text: None), max_loss)
        return self.requantize

    def source(self, say=None):
        """What is multiplied; of a rank, its part."""
        self.choose(say)
        source = _quantized(self.config, self._source, self.activations,
                            self.requantize, self.windows, say)
        return ranks_of.RankSource(source, self.plan) if self.plan else source

    def program(self, all_logits, say=None):
        for why in (self._unrotated, self.plan and self.plan.explain()):
            if say and why:
                say(why)
        weights = Weights(self.own, self.source(say), self.plan)
        what = (self.own, weights, self.activations, self.rotation, all_logits,
                self.cache)
        if self.plan:
            return RankProgram(self.plan, self.library, self.asks, *what)
        return Program(*what)


def _write(config, source, path, activations, requantize=None, all_logits=False,
           cache=None):
    _put(Program(config, Weights(config, source), activations,
                 requantize.rotation if requantize else Rotation(), all_logits, cache),
         path)


def _put(program, path):
    """The bytecode of a program, with its constants."""
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
                  rotation="none", calibrate=None, max_bytes=None, all_logits=False,
                  kv_cache="float", progress=None, ranks=None, library="OpenMPI"):
    """Writes a checkpoint's program, with its weights, as MLIR bytecode.

    Weights go to the file one by one: memory holds a tensor or two at a time.

    Args:
        path: a checkpoint, as for `load`.
        out: the file, ``.mlirbc``; all of it is written, or none.
        activations, weights, rotation, calibrate, max_bytes, kv_cache, progress: as
            for `load`.
        all_logits: the program's first result is [S, V], the logits after each
            token.
        ranks: (number, count): the program of one of `count` ranks, which calls
            MPI, with its part of the weights.
        library: its MPI library, ``"OpenMPI"`` or ``"MPICH"``.
    """
    if library not in _LIBRARIES:
        raise errors.InvalidArgument(f"library: expected {' or '.join(_LIBRARIES)}, "
                                     f"found {library!r}")
    build = _Build(path, activations=activations, weights=weights, rotation=rotation,
                   kv_cache=kv_cache, calibrate=calibrate, max_bytes=max_bytes,
                   ranks=ranks_of.check(ranks), library=library)
    _put(build.program(all_logits, progress), os.fspath(out))


def choose_weights(path, max_bytes=None, calibrate=None, *, max_loss=None,
                   rotation="hadamard32", progress=None):
    """Chooses a form for each weight of a checkpoint, under a number of bytes, or with
    few bytes under a loss.

    Args:
        path, calibrate, rotation, progress: as for `load`.
        max_bytes: of all constants of the program, scales and embedding included.
        max_loss: instead of `max_bytes`: nats a token, by which the program's next
            token may be off float's. Perplexity grows about by the factor e^max_loss.

    Returns:
        A `Recipe`: `write` makes a file of it, `load(..., weights=)` takes it or the
        file's path.

    Raises:
        FileError, InvalidArgument: as `load`; the bytes, or the loss, are too few.
    """
    if max_loss is not None:
        if max_bytes is not None:
            raise errors.InvalidArgument(
                f"max_loss: expected max_bytes=None beside it, found {max_bytes!r}")
        if isinstance(max_loss, bool) or not isinstance(max_loss, numbers.Real) or \
                not 0 < max_loss < math.inf:
            raise errors.InvalidArgument(
                f"max_loss: expected a number above 0, found {max_loss!r}")
        max_loss, max_bytes = float(max_loss), sys.maxsize
    return _Build(path, activations="int8", weights="auto", rotation=rotation,
                  kv_cache="float", calibrate=calibrate, max_bytes=max_bytes
                  ).choose(progress, max_loss or 0.0)


def _windows(calibrate, scheme, file, config):
    if calibrate is None:
        return None
    if not scheme:
        raise errors.InvalidArgument(
            "calibrate: the file's integers stay as they are, expected weights=, "
            "found None")
    return windows_of(calibrate, _tokenizer(file), config)


def load(path, *, activations="int8", weights=None, rotation="none",
         calibrate=None, max_bytes=None, kv_cache="float", target=None, threads=1,
         cpu=None, optimize=2, quantize=None, cache=True, progress=None, ranks=None,
         ranks_timeout=300):
    """Compiles a checkpoint, or loads what was compiled of it before.

    Args:
        path: a checkpoint of the llama family: a GGUF file, or a folder with
            config.json and safetensors, in floats or quantized by GPTQ, AWQ or
            compressed-tensors.
        activations: what quantized weights are multiplied by: ``"int8"``, a
            scale for each token; ``"int4"``, a scale by least squares for each 32
            of a token's elements, of the largest magnitude where there are more than
            32 and no multiple of it (the head's have 8 bits); or ``"float"``. Weights
            that the file has in floats are multiplied in floats, unless
            `quantize` says otherwise.
        weights: None: as the file has them; ``"w8"`` (a scale for each row),
            ``"w4-g16"``, ``"w4-g32"``, ``"w4-g64"``, ``"w4-g128"`` (scales of groups
            by least squares), ``"w2-g32"``, ``"mxfp4"`` or ``"nvfp4"``: quantized
            anew, symmetric; ``"auto"``: each weight in the form that
            `choose_weights` chooses, with `max_bytes` and `calibrate`; a `Recipe`, or
            the path of one (``.json``): as that says. With all of these the head has 8
            bits, and is the embedding, too, where it is in the file (but with signs of
            a rotation).
        rotation: with `weights`: ``"hadamard32"`` or ``"hadamard128"``, with
            ``:seed`` where signs are turned; activations and weights are rotated
            in blocks before they are quantized (`quant.rotate`). `progress` is told
            of products that have no whole block. ``"folded32"`` and ``"folded128"``
            rotate the hidden state and values instead, in the weights around them, and
            when the program runs only what no weight can (docs/llm.md).
        calibrate: with `weights`: a text, or numbers of tokens, in windows of 256
            tokens (or of the context, or the text, if that is shorter): weights are
            rounded for what it makes of the activations (error compensation,
            docs/llm.md).
        max_bytes: with ``weights="auto"``: what all constants of the program may take.
        kv_cache: what is kept of keys and values: ``"float"`` (f32), ``"int8"``, or
            ``"int4"``, both rotated; as integers they are multiplied as integers
            (`quant.cached_attention`).
        target, threads, cpu, optimize, quantize: as for `quantmlir.compile`.
        cache: True: keep the compiled model under ``~/.cache/quantmlir``; a
            folder: there; False: nowhere.
        progress: called with a line of text where work begins that takes long.
        ranks: ``"mpi"``: this process has a part of the model, by its number among
            those that mpirun has started (needs mpi4py); (number, count): that
            part, in a process that has initialized MPI itself. All ranks make the
            same calls, and have the same results: those of one process, to the bit.
        ranks_timeout: seconds that a rank waits for another before it ends, where
            `ranks` is ``"mpi"``. An error of MPI then ends all ranks, too: mpi4py
            makes no exceptions of those of COMM_WORLD any more.

    Returns:
        A `Decoder`.

    Raises:
        FileError: the file is not one, is not complete, or is of an architecture
            or type that cannot be built; the cache cannot be written.
        CompileError: the program was not accepted.
    """
    if target is None:
        target = compiler.default_target()
    timeout = ranks_of.check_timeout(ranks_timeout)
    world = None
    if isinstance(ranks, str) and ranks == "mpi":
        world = ranks_of.World(timeout)
    number = (world.number, world.count) if world else ranks_of.check(ranks)
    options = dict(target=target, threads=threads, cpu=cpu, optimize=optimize,
                   quantize=quantize)
    _check_options(options)
    how = dict(activations=activations, weights=weights, rotation=rotation,
               max_bytes=max_bytes, kv_cache=kv_cache)

    def open_checkpoint():
        """(build, cache, what it is made of or None where nobody asks)."""
        kept = Cache(None if cache is True else cache) if cache else None
        if number and number[1] > 1 and quantize is not None:
            raise errors.InvalidArgument(
                f"ranks: expected quantize=None, found {quantize!r}: it chooses for "
                "products of floats when the program is compiled, after it "
                "is cut; weights= quantizes before")
        build = _Build(path, **how, calibrate=calibrate, ranks=number,
                       library=world.library if world else "OpenMPI",
                       is_checked=world is not None)
        facts = {**options, **how, **build.facts()}
        made = None
        if kept or world:
            made = (kept.made_of if kept else made_of)(
                build.file.files(), facts, _capi.library)
        return build, kept, made

    def make(build, kept, made):
        model = _make(build, options, kept, made, progress)
        return Decoder(build.config, _tokenizer(build.file), model, build.cache,
                       build.plan, world)

    if not world:
        return make(*open_checkpoint())
    # Machines may differ: all compute the same bits.
    opened = world.together(open_checkpoint, lambda opened: opened[-1])
    return world.together(lambda: make(*opened), lambda decoder: None)


def _make(build, options, kept, made, progress):
    """The compiled model: one that is kept of what it is `made` of, or a new one."""
    if not kept:
        with tempfile.TemporaryDirectory() as scratch:
            scratch = pathlib.Path(scratch)
            _compile(build, scratch, options, progress)
            return _load_kept(scratch)
    key = kept.key(made)
    if build.plan:
        key += f"-{build.plan.number}of{build.plan.count}-{build.library}"
        key += "-asks" if build.asks else ""
    folder = kept.find(key)
    if not folder:
        with kept.adding(key) as scratch:
            _compile(build, scratch, options, progress)
        folder = kept.folder / key
    return _load_kept(folder)


def _artifact(folder):
    return folder / ("model.so" if (folder / "model.so").exists() else "model.o")


def _load_kept(folder):
    return compiler.load(_artifact(folder))


def _compile(build, folder, options, progress):
    say = progress or (lambda text: None)
    program = folder / "model.mlirbc"
    say(f"writing the program of {build.config.layers} layers")
    _put(build.program(all_logits=False, say=say), program)
    say(f"compiling {program.stat().st_size / 1e6:.0f} MB of program and weights")
    model = compiler.compile(program, name="model", **options)
    # An object needs no linker, a library is loaded in less time.
    model.save(folder / ("model.so" if shutil.which("cc") else "model.o"))
    model.close()
    program.unlink()
