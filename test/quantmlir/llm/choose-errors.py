# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t %src
"""What a recipe and the choice of one refuse, before anything takes long; and
`generate.py --weights=auto`, whose recipe makes the model that it made."""

import os
import pathlib
import subprocess
import sys
import warnings

import numpy as np
import quantmlir.llm as llm
from gguf import GGUFReader
from quantcheck.raising import raises
from quantllm.checkpoints import Decoder
from quantmlir import FileError, InvalidArgument
from quantmlir.llm.rotation import Rotation

FOLDER, SOURCE = map(pathlib.Path, sys.argv[1:])
PATH = str(FOLDER / "model.gguf")
BYTES = [f"<0x{i:02X}>" for i in range(256)]


def vocabulary(out):
    out.add_tokenizer_model("llama")
    out.add_token_list(["<unk>", "<s>", "</s>", *BYTES])
    out.add_token_scores([0.0] * 259)
    out.add_token_types([2, 3, 3] + [6] * 256)
    out.add_bos_token_id(1)
    out.add_eos_token_id(2)


Decoder("llama", {"*": "Q8_0"}, layers=1, dim=32, heads=1, kv_heads=1, ffn=32,
        vocabulary=259).write(PATH, tokens=vocabulary)
NAMES = [f"blk.0.{slot}" for slot in ("qkv", "o", "gate_up", "down")]
turn = Rotation.parse("hadamard32")
recipe = llm.Recipe(turn, {name: "w8" for name in NAMES})


def choose(tokens, max_bytes=1 << 40):
    said = []
    try:
        return llm.choose_weights(PATH, max_bytes, tokens, progress=said.append)
    except InvalidArgument:
        assert not said, said
        raise


# A text of which no token's probabilities would be compared, and bytes that are too
# few: nothing is measured.
for count in (1, 2, 3):
    raises(InvalidArgument, lambda: choose([5] * count),
           f"calibrate: expected 4 tokens or more in a window, since weights are auto, "
           f"found {count}")
with warnings.catch_warnings():
    warnings.simplefilter("error")
    assert set(choose([5] * 4, np.int64(1 << 40)).forms.values()) == {"w8"}
raises(InvalidArgument, lambda: choose([5] * 8, 10), "max_bytes: expected ", "found 10")
raises(InvalidArgument, lambda: llm.write_program(
    PATH, FOLDER / "p.mlirbc", weights="auto", max_bytes=1 << 20, calibrate=[5] * 8,
    ranks=(0, 2)), "ranks: expected a recipe", "choose first (choose_weights)")
# Logits that overflow have no probabilities.
wrong = bytearray(pathlib.Path(PATH).read_bytes())
wrong_path = FOLDER / "wrong.gguf"
(norm,) = (t for t in GGUFReader(PATH).tensors if t.name == "output_norm.weight")
end = norm.data_offset + 4 * 32
wrong[norm.data_offset:end] = np.full(32, 3e38, np.float32).tobytes()
wrong_path.write_bytes(wrong)
with warnings.catch_warnings():
    warnings.simplefilter("error")
    raises(FileError, lambda: llm.choose_weights(wrong_path, 1 << 40, [5] * 8),
           "probabilities are not finite")

# Recipes that are none.
for why, make in (
        ("forms: blk.0.o: expected w8,", lambda: llm.Recipe(turn, {"blk.0.o": "w5"})),
        ("forms: blk.0.o: expected w8,", lambda: llm.Recipe(turn, {"blk.0.o": ["w8"]})),
        ("forms: expected names", lambda: llm.Recipe(turn, {7: "w8"})),
        ("forms: expected a dict", lambda: llm.Recipe(turn, ["w8"])),
        ("rotation: expected a Rotation, found 'hadamard32'",
         lambda: llm.Recipe("hadamard32", {})),
        ("rotation: expected", lambda: llm.Recipe(Rotation(5), {})),
        ("rotation: expected", lambda: llm.Recipe(Rotation(32, -1), {})),
        ("rotation: expected", lambda: llm.Recipe(Rotation(32, "7"), {})),
        ("notes: blk.0.o: expected", lambda: llm.Recipe(turn, {}, {"blk.0.o": {"x": 1}})),
        ("notes: expected a dict", lambda: llm.Recipe(turn, {}, [])),
        ("report: expected a dict", lambda: llm.Recipe(turn, {}, {}, 1))):
    raises(InvalidArgument, make, why)
load = lambda **how: llm.load(PATH, cache=FOLDER / "cache", **how)
for weights in (["w8"], {"w8"}, np.array(["w8", "auto"]), 8):
    raises(InvalidArgument, lambda: load(weights=weights), "weights: expected w8, ")
raises(InvalidArgument, lambda: load(optimize=1.5), "optimize: expected an integer")
raises(InvalidArgument, lambda: load(threads=True), "threads: expected an integer")
raises(InvalidArgument, lambda: load(cpu=["x"]), "cpu: expected a str or None")
# NumPy's integers are integers: the same model is kept once.
for zero, one, is_new in ((0, 1, True), (np.int64(0), np.int32(1), False)):
    said = []
    load(weights=recipe, optimize=zero, threads=one, progress=said.append)
    assert bool(said) == is_new, said

# Files of recipes.
bad = FOLDER / "bad.json"
matmuls = '"matmuls": [{"name": "blk.0.o", "weights": "w8"}]'
for why, text in (
        ("rotation: expected none,",
         f'{{"version": 1, "rotation": "hadamard32:{"9" * 5000}", {matmuls}}}'),
        ("the field 'version' twice", f'{{"version": 2, "version": 1, {matmuls}}}'),
        ("the field 'weights' twice", '{"version": 1, "matmuls": [{"name": "blk.0.o", '
                                      '"weights": "w8", "weights": "w8"}]}')):
    bad.write_text(text)
    raises(FileError, lambda: llm.Recipe.read(bad), f"{bad}: ", why)
before = sorted(os.listdir(FOLDER))
(FOLDER / "folder").mkdir()
for path, why in ((FOLDER / "folder", "Is a directory"), ("a\0.json", "null"),
                  (FOLDER / "none" / "x.json", "No such file"),
                  (f"{PATH}/x.json", "Not a directory")):
    raises(FileError, lambda: recipe.write(path), why)
    raises(FileError, lambda: llm.Recipe.check_path(path), why)
llm.Recipe.check_path(FOLDER / "new.json")
raises(InvalidArgument, lambda: llm.Recipe(turn, {}, {}, {"x": {1}}).write(
    FOLDER / "new.json"), "notes, report: are no JSON")
assert sorted(os.listdir(FOLDER)) == sorted([*before, "folder"])

# The example: what does not go together, and a recipe that makes the same model again.
text = FOLDER / "text.txt"
text.write_text("abcabdabe")


def generate(*options):
    done = subprocess.run(
        [sys.executable, SOURCE / "examples/llm/generate.py", PATH, "ab", "--raw",
         "--tokens=4", f"--cache={FOLDER / 'cache'}", *options],
        capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


auto = ("--weights=auto", f"--calibrate={text}", "--rotation=hadamard32")
for why, options in (
        ("--recipe-output: expected --weights=auto beside it, found no --weights",
         ["--recipe-output=r.json"]),
        ("--recipe-output: expected --weights=auto beside it, found w8",
         ["--recipe-output=r.json", "--weights=w8"]),
        ("--max-bytes: expected --weights=auto beside it, found w8",
         ["--max-bytes=9", "--weights=w8"]),
        ("--weights=auto: expected one of --max-bytes and --max-loss beside it", auto),
        ("--max-loss: expected --weights=auto beside it", ["--max-loss=1"]),
        ("max_loss: expected a number above 0, found -1.0", [*auto, "--max-loss=-1"]),
        ("--ranks: expected the recipe", [*auto, "--max-bytes=9", "--ranks"]),
        ("none/r.json: No such file", [*auto, "--max-bytes=999999",
                                       f"--recipe-output={FOLDER}/none/r.json"])):
    code, _, said = generate(*options)
    assert code and why in said and "measuring" not in said and "Traceback" not in said, said
code, first, said = generate(*auto, "--max-loss=9",
                             f"--recipe-output={FOLDER}/r.json")
assert code == 0 and "chosen: " in said and len(first.split()) == 4, said
code, second, said = generate(f"--weights={FOLDER}/r.json", f"--calibrate={text}")
assert code == 0 and first == second and "measuring" not in said, said
