# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t %smollm2
"""Text to tokens and back: byte-level BPE as transformers has it, SentencePiece's
BPE as PyPI's `tokenizers` does it from merges, and a folder's tokenizer.json."""

import json
import sys

import numpy as np
import tokenizers
from quantllm import folders
from quantllm.checkpoints import Decoder
from quantmlir import FileError, InvalidArgument, checkpoint
from quantmlir.llm import Tokenizer
from quantmlir.llm.folder_tokenizer import FolderTokenizer

FOLDER, SMOLLM2 = sys.argv[1:]
TEXTS = ["The capital of France is", "Hello, world! It's 12345 o'clock...\n\n  "
         "def f(x):\n\treturn x**2", "na\u00efve caf\u00e9 \u2014 \u65e5\u672c\u8a9e "
         "\U0001f642 x", "  leading", "a\r\nb", "don't WE'LL they're"]
# Of transformers 5.23's tokenizer, made of the same file.
WANTED = [
    [504, 3575, 282, 4649, 314],
    [19556, 28, 905, 17, 657, 506, 216, 33, 34, 35, 36, 37, 263, 23, 17466, 2026, 8866,
     753, 275, 24, 104, 727, 198, 197, 5406, 1792, 828, 34],
    [3546, 46494, 37366, 1841, 17097, 241, 115, 40993, 179, 120, 248, 47526, 1792],
    [216, 2899],
    [81, 201, 198, 82],
    [12420, 982, 26587, 23, 16421, 502, 2316],
]


def streamed(tokenizer, ids):
    decode = tokenizer.decoder()
    return "".join(decode(i) for i in ids)


def check_smollm2():
    tokenizer = Tokenizer(checkpoint.open(SMOLLM2))
    for text, wanted in zip(TEXTS, WANTED):
        ids = tokenizer.encode(text)
        assert ids == wanted, (text, ids)
        assert tokenizer.decode(ids) == text == streamed(tokenizer, ids)
    chat = tokenizer.chat([{"role": "user", "content": "Hi"}])
    assert chat.endswith("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"), chat
    ids = tokenizer.encode(chat)
    assert ids.count(1) == 3 and ids.count(2) == 2
    # Written out but not meant; and special tokens are no text.
    assert 1 not in tokenizer.encode("<|im_start|>", special=False)
    assert tokenizer.decode([1, 504, 2]) == "The"
    assert tokenizer.ends == {0, 2}


def pieces(rng, count):
    """A vocabulary whose pieces are merged of pieces before, and all merges."""
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    first = len(tokens)
    tokens += list("\u2581abcdefgh")
    while len(tokens) < first + count:
        a, b = (tokens[i] for i in rng.integers(first, len(tokens), 2))
        if a + b not in tokens and len(a + b) < 7:
            tokens.append(a + b)
    merges = [(token[:i], token[i:]) for token in tokens[first:]
              for i in range(1, len(token))
              if token[:i] in tokens and token[i:] in tokens]
    return tokens, merges, first


def check_pieces():
    rng = np.random.default_rng(0)
    tokens, merges, first = pieces(rng, 300)
    types = [2, 3, 3] + [6] * 256 + [1] * (len(tokens) - first)

    def vocabulary(out):
        out.add_tokenizer_model("llama")
        out.add_token_list(tokens)
        out.add_token_scores([0.0] * first + [-float(i) for i in range(len(tokens) - first)])
        out.add_token_types(types)
        out.add_bos_token_id(1)
        out.add_eos_token_id(2)

    path = f"{FOLDER}/pieces.gguf"
    Decoder("llama", {"*": "F32"}, layers=1, dim=8, heads=1, kv_heads=1, ffn=8,
            vocabulary=len(tokens)).write(path, tokens=vocabulary)
    tokenizer = Tokenizer(checkpoint.open(path))
    other = tokenizers.Tokenizer(tokenizers.models.BPE(
        {t: i for i, t in enumerate(tokens)}, merges, byte_fallback=True,
        unk_token="<unk>"))
    for _ in range(200):
        text = "".join(rng.choice(list("abcdefgh   \u00e9\n")) for _ in range(rng.integers(1, 40)))
        ids = tokenizer.encode(text)
        wanted = other.encode("\u2581" + text.replace(" ", "\u2581")).ids
        assert ids == [1] + wanted, (text, ids, wanted)
        assert tokenizer.decode(ids) == text == streamed(tokenizer, ids), text
    ids = tokenizer.encode("ab</s>cd")
    assert ids.count(2) == 1 and tokenizer.encode("ab</s>cd", special=False).count(2) == 0
    try:
        tokenizer.chat([])
        raise AssertionError("no template, and a chat")
    except InvalidArgument as error:
        assert "has no chat template" in str(error)


def check_folder():
    path = f"{FOLDER}/model"
    rng = np.random.default_rng(0)
    folders.write_model(path, rng, None, lambda n, k: (
        {"weight": rng.standard_normal((n, k)).astype(np.float16)}, None), layers=1)
    own = tokenizers.Tokenizer(tokenizers.models.BPE())
    own.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    own.decoder = tokenizers.decoders.ByteLevel()
    own.train_from_iterator(TEXTS * 3, tokenizers.trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<end>"],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet()))
    own.save(f"{path}/tokenizer.json")
    with open(f"{path}/tokenizer_config.json", "w") as file:
        json.dump({"eos_token": {"content": "<end>"},
                   "chat_template": "{{ messages[0].content }}{{ eos_token }}"}, file)
    tokenizer = FolderTokenizer(checkpoint.open(path))
    for text in TEXTS:
        ids = tokenizer.encode(text)
        assert ids == own.encode(text).ids
        assert tokenizer.decode(ids) == text == streamed(tokenizer, ids)
    assert tokenizer.ends == {0}
    assert tokenizer.chat([{"content": "x"}]) == "x<end>"
    tokenizer.chat_template = "{{ nothing.there.is }}"
    for change, word in ((lambda: tokenizer.chat([]), "its chat template: "),
                         (broken_file(path), "tokenizer.json: ")):
        try:
            change()
            raise AssertionError(word)
        except FileError as error:
            assert word in str(error) and "\n" not in str(error), error


def broken_file(path):
    def load():
        with open(f"{path}/tokenizer.json", "w") as file:
            file.write("{}")
        FolderTokenizer(checkpoint.open(path))
    return load


check_smollm2()
check_pieces()
check_folder()
