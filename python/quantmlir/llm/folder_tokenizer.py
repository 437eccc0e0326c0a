"""The tokenizer of a folder: its tokenizer.json, by PyPI's `tokenizers`."""

from ..errors import MissingPackage
from .tokenizer import render_chat


class FolderTokenizer:
    """As `tokenizer.Tokenizer`."""

    def __init__(self, folder):
        try:
            import tokenizers
        except ImportError:
            raise MissingPackage(f"{folder.path}: tokenizer.json needs the package "
                                 "tokenizers: pip install tokenizers") from None
        self._folder = folder
        try:
            self._tokenizer = tokenizers.Tokenizer.from_file(
                f"{folder.path}/tokenizer.json")
        except Exception as error:
            folder.fail("tokenizer.json: " + " ".join(str(error).split()))
        facts = folder.json("tokenizer_config.json") or {}
        self.chat_template = facts.get("chat_template")
        if self.chat_template is None and folder.has("chat_template.jinja"):
            try:
                with open(f"{folder.path}/chat_template.jinja", encoding="utf-8") as file:
                    self.chat_template = file.read()
            except (OSError, UnicodeDecodeError) as error:
                folder.fail(f"chat_template.jinja: {error}")
        self._names = {name: self._name(facts.get(f"{name}_token"))
                       for name in ("bos", "eos")}
        ends = (folder.json("generation_config.json") or {}).get(
            "eos_token_id", folder.config.get("eos_token_id"))
        ends = [] if ends is None else ends if isinstance(ends, list) else [ends]
        if any(type(end) is not int for end in ends):
            folder.fail("eos_token_id is neither a number nor a list of numbers")
        self.ends = set(ends)
        number = self._tokenizer.token_to_id
        self.bos, self.eos = (number(name) if name else None
                              for name in self._names.values())
        if self.eos is not None:
            self.ends.add(self.eos)

    @staticmethod
    def _name(token):
        if isinstance(token, dict):
            token = token.get("content")
        return token if isinstance(token, str) else None

    def encode(self, text, special=True):
        """Numbers of the tokens of `text`; with `special`, those that it writes
        out are meant."""
        self._tokenizer.encode_special_tokens = not special
        return self._tokenizer.encode(text).ids

    def decode(self, tokens):
        """The text of tokens."""
        return self._tokenizer.decode(list(tokens))

    def decoder(self):
        """A function from one token to the text that it completes."""
        tokens, done = [], 0

        def decode(token):
            nonlocal done
            tokens.append(token)
            text = self._tokenizer.decode(tokens)
            # A character that is not whole yet.
            if text.endswith("\ufffd"):
                return ""
            new, done = text[done:], len(text)
            return new

        return decode

    def chat(self, messages):
        """The prompt of a conversation, by the folder's template."""
        return render_chat(self._folder.path, self.chat_template, messages,
                           bos_token=self._names["bos"] or "",
                           eos_token=self._names["eos"] or "")
