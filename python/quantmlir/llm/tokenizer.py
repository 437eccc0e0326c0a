"""Text to tokens and back, from what a GGUF file says.

Byte-level BPE (`gpt2`) is PyPI's `tokenizers`; what SentencePiece's BPE (`llama`)
does is a page of Python. Tokens become text without either.
"""

import codecs
import heapq
import re

from ..errors import FileError, InvalidArgument, MissingPackage

_GPT2 = (r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+"
         r"|\s+(?!\S)")
_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
# What splits text before it is merged, by `tokenizer.ggml.pre`.
_SPLITS = {
    "gpt-2": [_GPT2],
    "smollm": [r"\p{N}", _GPT2],
    "qwen2": [_CONTRACTIONS + r"\p{N}" + _REST],
    "llama-bpe": [_CONTRACTIONS + r"\p{N}{1,3}" + _REST],
}
_CONTROL, _USER_DEFINED, _BYTE = 3, 4, 6
_BYTE_TOKEN = re.compile("<0x[0-9A-Fa-f]{2}>")


def _byte_letters():
    """GPT-2's letters for bytes: {letter: byte}."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    letters = {chr(b): b for b in printable}
    letters.update({chr(256 + i): b for i, b in enumerate(others)})
    return letters


def _list(file, name, kind, what):
    found = file.metadata.get(f"tokenizer.ggml.{name}", [])
    if not isinstance(found, list) or any(type(one) not in kind for one in found):
        file.fail(f"tokenizer.ggml.{name} is no list of {what}")
    return found


def _numbers(file, name):
    return _list(file, name, (int, float, bool), "numbers")


class Tokenizer:
    """Tokens of a GGUF file.

    Attributes:
        tokens: the vocabulary, a str each.
        bos, eos: numbers of the tokens that begin and end a text, or None.
        ends: numbers of tokens after which nothing follows.
        chat_template: Jinja2 source, or None.
    """

    def __init__(self, file):
        meta = file.metadata
        self._file = file
        self.tokens = meta.get("tokenizer.ggml.tokens")
        self._model = meta.get("tokenizer.ggml.model")
        if not isinstance(self.tokens, list) or not self.tokens or \
                not isinstance(self.tokens[0], str):
            file.fail("has no list tokenizer.ggml.tokens")
        if self._model not in ("gpt2", "llama"):
            file.fail(f"the tokenizer is {self._model}; gpt2, llama can be used")
        self._types = _numbers(file, "token_type")
        self.bos, self.eos = (self._number(meta, name) for name in ("bos", "eos"))
        add = self._flag(meta, "add_bos_token", self._model == "llama")
        self._first = [self.bos] if add and self.bos is not None else []
        self._space = self._flag(meta, "add_space_prefix", True)
        self.chat_template = meta.get("tokenizer.chat_template")
        ends = {self.eos, self._number(meta, "eot")}
        ends |= {i for i in self._special() if self.tokens[i] in (
            "<|im_end|>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "<|endoftext|>")}
        self.ends = ends - {None}
        self._letters = _byte_letters()
        self._encoder = None

    def _number(self, meta, name):
        value = meta.get(f"tokenizer.ggml.{name}_token_id")
        if value is not None and not (isinstance(value, int) and
                                      0 <= value < len(self.tokens)):
            self._file.fail(f"the {name} token is {value!r} of {len(self.tokens)}")
        return value

    def _flag(self, meta, name, default):
        value = meta.get(f"tokenizer.ggml.{name}", default)
        if not isinstance(value, bool):
            self._file.fail(f"tokenizer.ggml.{name} is no bool")
        return value

    def _special(self):
        return [i for i, kind in enumerate(self._types[:len(self.tokens)])
                if kind in (_CONTROL, _USER_DEFINED)]

    def encode(self, text, special=True):
        """Numbers of the tokens of `text`; with `special`, those that it writes
        out (``<|im_end|>``) are meant."""
        if self._encoder is None:
            self._encoder = (_BytePairs if self._model == "gpt2" else _Pieces)(
                self._file, self.tokens, self._special(), self._space)
        return self._first + self._encoder(text, special)

    def decoder(self):
        """A function from one token to the text that it completes."""
        utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        first = self._model == "llama" and self._space

        def decode(token):
            nonlocal first
            text = utf8.decode(self._bytes(token))
            if first and text:
                first, text = False, text[1:] if text[0] == " " else text
            return text

        return decode

    def decode(self, tokens):
        """The text of tokens."""
        one = self.decoder()
        return "".join(map(one, tokens))

    def _bytes(self, token):
        if not 0 <= token < len(self.tokens):
            return b""
        text = self.tokens[token]
        kind = self._types[token] if token < len(self._types) else 1
        if kind == _CONTROL:
            return b""
        if kind == _USER_DEFINED:
            return text.encode()
        if self._model == "gpt2":
            return bytes(self._letters[c] for c in text if c in self._letters)
        if kind == _BYTE:
            return bytes([int(text[1:-1], 16)]) if _BYTE_TOKEN.fullmatch(text) \
                else text.encode()
        return text.replace("\u2581", " ").encode()

    def chat(self, messages):
        """The prompt of a conversation, by the file's template.

        Args:
            messages: [{"role": "user", "content": "..."}, ...]
        """
        name = lambda i: "" if i is None else self.tokens[i]
        return render_chat(self._file.path, self.chat_template, messages,
                           bos_token="" if self._first else name(self.bos),
                           eos_token=name(self.eos))


def render_chat(path, template, messages, **names):
    """The prompt that a template of `path` makes of messages."""
    if not isinstance(template, str):
        raise InvalidArgument(f"{path}: has no chat template")
    try:
        from jinja2.sandbox import ImmutableSandboxedEnvironment
    except ImportError:
        raise MissingPackage("a chat template needs the package jinja2: "
                             "pip install jinja2") from None
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    try:
        return environment.from_string(template).render(
            messages=messages, add_generation_prompt=True, **names)
    except Exception as error:  # Templates raise of any kind.
        raise FileError(f"{path}: its chat template: "
                        f"{' '.join(str(error).split())}") from None


class _BytePairs:
    def __init__(self, file, tokens, special, _):
        try:
            import tokenizers
        except ImportError:
            raise MissingPackage("this file's tokenizer needs the package "
                                 "tokenizers: pip install tokenizers") from None
        pre = file.metadata.get("tokenizer.ggml.pre", "gpt-2")
        if not isinstance(pre, str):
            file.fail("tokenizer.ggml.pre is no string")
        if pre not in _SPLITS:
            file.fail(f"the tokenizer splits text as `{pre}`; "
                      f"{', '.join(_SPLITS)} can be used")
        merges = _list(file, "merges", (str,), "pairs of tokens")
        pairs = [tuple(merge.split(" ", 1)) for merge in merges]
        if any(len(pair) != 2 for pair in pairs):
            file.fail("tokenizer.ggml.merges is no list of pairs of tokens")
        split = tokenizers.pre_tokenizers
        try:
            self._tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(
                {token: i for i, token in enumerate(tokens)}, pairs,
                ignore_merges=pre == "llama-bpe"))
        except Exception as error:
            file.fail(f"its merges: {error}")
        self._tokenizer.pre_tokenizer = split.Sequence(
            [split.Split(tokenizers.Regex(regex), "isolated")
             for regex in _SPLITS[pre]] +
            [split.ByteLevel(add_prefix_space=False, use_regex=False)])
        self._plain = None
        self._special = [tokens[i] for i in special if tokens[i]]
        self._tokenizer.add_special_tokens(self._special)

    def __call__(self, text, special):
        self._tokenizer.encode_special_tokens = not special
        return self._tokenizer.encode(text, add_special_tokens=False).ids


class _Pieces:
    """SentencePiece's BPE: of neighbours, those whose union has the best score
    become one."""

    def __init__(self, file, tokens, special, space):
        self._numbers = {token: i for i, token in enumerate(tokens)}
        self._scores = _numbers(file, "scores")
        if len(self._scores) != len(tokens):
            file.fail(f"expected {len(tokens)} scores of tokens, found "
                      f"{len(self._scores)}")
        self._special = sorted((tokens[i] for i in special if tokens[i]),
                               key=len, reverse=True)
        self._prefix = " " if space else ""

    def __call__(self, text, special):
        out, first = [], True
        for part, is_special in self._parts(text, special):
            if is_special:
                out.append(self._numbers[part])
            elif part:
                out += self._merge((self._prefix if first else "") + part)
            first = False
        return out

    def _parts(self, text, special):
        while special:
            found = [(at, -len(token), token) for token in self._special
                     if (at := text.find(token)) >= 0]
            if not found:
                break
            at, _, token = min(found)
            yield text[:at], False
            yield token, True
            text = text[at + len(token):]
        yield text, False

    def _merge(self, text):
        pieces = list(text.replace(" ", "\u2581"))
        after = list(range(1, len(pieces))) + [None]
        before = [None] + list(range(len(pieces) - 1))
        queue = []

        def offer(left):
            right = after[left] if left is not None else None
            if right is None:
                return
            number = self._numbers.get(pieces[left] + pieces[right])
            if number is not None:
                heapq.heappush(queue, (-self._scores[number], left,
                                       pieces[left], pieces[right]))

        for i in range(len(pieces)):
            offer(i)
        while queue:
            _, left, a, b = heapq.heappop(queue)
            right = after[left]
            if pieces[left] != a or right is None or pieces[right] != b:
                continue
            pieces[left], pieces[right] = a + b, ""
            after[left] = after[right]
            if after[left] is not None:
                before[after[left]] = left
            offer(before[left])
            offer(left)
        return [n for piece in pieces if piece for n in self._number(piece)]

    def _number(self, piece):
        if piece in self._numbers:
            return [self._numbers[piece]]
        unknown = self._numbers.get("<unk>", 0)
        return [self._numbers.get(f"<0x{byte:02X}>", unknown)
                for byte in piece.encode()]
