# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t
"""The cache of compiled models, and what `llm` refuses: typed errors, and nothing
that is half there."""

import os
import pathlib
import resource
import shutil
import sys
import types

import numpy as np
import quantmlir.llm as llm
from quantcheck.raising import raises
from quantllm.checkpoints import Decoder
from quantmlir import FileError, InvalidArgument, _capi
from quantmlir.model import Log

FOLDER = pathlib.Path(sys.argv[1])
PATH, CACHE = FOLDER / "model.gguf", FOLDER / "cache"
Decoder("llama", {"*": "Q8_0"}, layers=1, dim=64, heads=2, kv_heads=1, ffn=64).write(PATH)


def load(**options):
    """(model, what it said)."""
    said = []
    options = {"cache": CACHE, "target": "generic", "optimize": 0, **options}
    return llm.load(PATH, progress=said.append, **options), said


# Compiled once for a content and options, wherever the file lies.
model, said = load()
assert len(said) == 2, said
kept = sorted(os.listdir(CACHE))
_, said = load()
assert not said
os.rename(PATH, FOLDER / "moved.gguf")
PATH = FOLDER / "moved.gguf"
_, said = load()
assert not said and sorted(os.listdir(CACHE)) == kept
data = bytearray(PATH.read_bytes())
data[-40] ^= 1
PATH.write_bytes(data)
_, said = load()
assert len(said) == 2 and len(os.listdir(CACHE)) == len(kept) + 1
_, said = load(optimize=1)
assert len(said) == 2 and len(os.listdir(CACHE)) == len(kept) + 2

# The key is of the sources that write the program and of the compiler, too.
from quantmlir.llm import cache as cache_module

sources = FOLDER / "package"
shutil.copytree(pathlib.Path(cache_module.__file__).parent.parent, sources)
kept_file, cache_module.__file__ = cache_module.__file__, str(sources / "llm" / "cache.py")
copy = FOLDER / "compiler.so"
shutil.copy(_capi.library._name, copy)
library = types.SimpleNamespace(_name=str(copy),
                                quantVersionText=_capi.library.quantVersionText)
kept_models = llm.cache.Cache(CACHE)
assert kept_models.made_of([PATH], {}, _capi.library) == \
    cache_module.made_of([PATH], {}, _capi.library)
make_key = lambda: kept_models.key(kept_models.made_of([], {}, library))
keys = [make_key(), make_key()]
for source in ("llm/program.py", "checkpoint/gguf.py", "blocks.py"):
    with open(sources / source, "a") as f:
        f.write("# edited\n")
    keys.append(make_key())
with open(copy, "ab") as f:
    f.write(b"built again")
keys.append(make_key())
assert keys[0] == keys[1] and len(set(keys)) == 5, keys
# And of the machine, which ranks do not compare.
machine, cache_module._machine = cache_module._machine, lambda: "another"
assert make_key() != keys[-1]
cache_module._machine = machine
assert make_key() == keys[-1]
cache_module.__file__ = kept_file
shutil.rmtree(sources)
os.remove(copy)

# A folder that cannot be one, and a disk that is full: no file is left.
raises(FileError, lambda: load(cache=PATH), "the cache cannot be written: ",
       "cache= takes another folder")
before = sorted(CACHE.iterdir())
data[-40] ^= 3
PATH.write_bytes(data)
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, limits[1]))
raises(FileError, load, "File too large")
raises(FileError, lambda: llm.write_program(PATH, FOLDER / "full.mlirbc"),
       "full.mlirbc: File too large")
resource.setrlimit(resource.RLIMIT_FSIZE, limits)
assert sorted(CACHE.iterdir()) == before
assert sorted(os.listdir(FOLDER)) == ["cache", "moved.gguf"]
raises(FileError, lambda: llm.write_program(PATH, FOLDER / "none" / "p.mlirbc"),
       "p.mlirbc: No such file or directory")

# The library's part of it.
def bytecode(text, path):
    with Log() as log:
        log.check(_capi.library.quantProgramWriteBytecode(
            text, len(text), b"text", os.fsencode(path), log.pointer))


bytecode(b"module {}", FOLDER / "empty.mlirbc")
assert (FOLDER / "empty.mlirbc").read_bytes().startswith(b"ML\xefR")
raises(FileError, lambda: bytecode(b"module {", FOLDER / "b.mlirbc"), "text:1:7: error: ")
raises(FileError, lambda: bytecode(b"module {}", FOLDER / "none" / "b.mlirbc"),
       "No such file or directory")
raises(FileError, lambda: bytecode(b"module {}", "/dev/full"), "No space left on device")
assert not (FOLDER / "b.mlirbc").exists()

# Options and tokens.
raises(InvalidArgument, lambda: load(activations="int2"),
       "activations: expected int8, int4, float, found 'int2'")
raises(InvalidArgument, lambda: load(target="riscv"), "found 'riscv'")
raises(FileError, lambda: llm.load(FOLDER), f"{FOLDER}: has no config.json")
raises(InvalidArgument, lambda: model.session(0), "capacity: expected 1 to 128")
session = model.session(4)
raises(InvalidArgument, lambda: session([]), "at least one")
raises(InvalidArgument, lambda: session([0.5]), "expected a list of tokens")
raises(InvalidArgument, lambda: session([96]), "expected tokens of 0 to 95, found 96")
raises(InvalidArgument, lambda: session([-1]), "found -1 to -1")
raises(InvalidArgument, lambda: session([1, 2, 3, 4, 5]),
       "5 tokens are more than the caches hold, 4")
first = session([1, 2, 3]).copy()
raises(InvalidArgument, lambda: session([1, 2]), "5 tokens are more")
again = model.session(3)
again([1, 2])
assert np.allclose(again([3]), first, rtol=1e-4, atol=1e-5)
raises(InvalidArgument, lambda: next(model.stream("text")), "has no tokenizer")
raises(InvalidArgument, lambda: next(model.generate("text")), "has no tokenizer")
raises(InvalidArgument, lambda: next(model.generate([1], top_k=-1)), "top_k")
raises(InvalidArgument, lambda: next(model.generate([])), "at least one")

# Choices: greedy ones, and those of a seed.
assert list(model.generate([1, 2], tokens=5)) == list(model.generate([1, 2], tokens=5))
how = dict(tokens=20, temperature=20.0, top_k=8)
one, two, other = (list(model.generate([1, 2], seed=seed, **how)) for seed in (1, 1, 2))
assert one == two != other and len(one) == 20
logits = np.linspace(0, 8, 96, dtype=np.float32)
sampler = llm.Sampler(temperature=2.0, top_k=3, seed=0)
drawn = np.bincount([sampler(logits) for _ in range(3000)], minlength=96)
wanted = np.exp(logits[-3:] / 2.0)
assert drawn[:-3].sum() == 0
assert np.allclose(drawn[-3:] / 3000, wanted / wanted.sum(), atol=0.04), drawn[-3:]
