"""Which form each of a decoder's weights gets, in a file of JSON:

    {"version": 1, "rotation": "hadamard32", "matmuls": [
      {"name": "blk.0.qkv", "weights": "w4-g32"}, ..., {"name": "head", "weights": "w8"}]}

A name is that of a slot (`weights.SLOTS`: what is multiplied as one) of a layer.
`choose` writes beside it what it knows of the choice, which nobody reads back: `bytes`,
`loss`, and `instead`, the same of the smallest form that there was.
"""

import contextlib
import errno
import json
import os
import pathlib
import stat
import tempfile
from dataclasses import dataclass, field

from ..errors import FileError, InvalidArgument
from .requantize import FORMS, Requantize
from .rotation import Rotation
from .weights import HEAD, SLOTS

_ROOT = ("version", "rotation", "matmuls", "report")
_NOTE = ("bytes", "loss", "instead")
_MATMUL = ("name", "weights", *_NOTE)
HEAD_FORM = "w8"


def names_of(config):
    return [f"blk.{layer}.{slot}" for layer in range(config.layers) for slot in SLOTS]


@dataclass(frozen=True)
class Recipe:
    """`forms`: a name of `requantize.FORMS` for each of `names_of`; `notes` stand
    beside them in the file, and `report`, a dict, beside all."""
    rotation: Rotation
    forms: dict
    notes: dict = field(default_factory=dict)
    report: dict = field(default_factory=dict)

    def __post_init__(self):
        def expect(what, text, value):
            if not what:
                raise InvalidArgument(f"{text}, found {value!r}")

        expect(isinstance(self.rotation, Rotation), "rotation: expected a Rotation",
               self.rotation)
        expect(Rotation.parse(self.rotation.name) == self.rotation,
               "rotation: expected one that Rotation.parse makes", self.rotation)
        expect(isinstance(self.forms, dict), "forms: expected a dict", self.forms)
        for name, form in self.forms.items():
            expect(isinstance(name, str), "forms: expected names of products", name)
            expect(isinstance(form, str) and form in FORMS,
                   f"forms: {name}: expected {', '.join(FORMS)}", form)
        expect(isinstance(self.notes, dict), "notes: expected a dict", self.notes)
        for name, note in self.notes.items():
            expect(isinstance(note, dict) and set(note) <= set(_NOTE),
                   f"notes: {name}: expected a dict of {', '.join(_NOTE)}", note)
        expect(isinstance(self.report, dict), "report: expected a dict", self.report)

    def of(self, layer, slot):
        """The `Requantize` of one weight."""
        return Requantize(*FORMS[self.forms[f"blk.{layer}.{slot}"]], self.rotation)

    def of_head(self):
        return Requantize(*FORMS[HEAD_FORM], self.rotation)

    def check(self, config):
        """That it is for a model."""
        names = names_of(config)
        missing = [name for name in names if name not in self.forms]
        unknown = [name for name in self.forms if name not in names]
        if missing or unknown:
            what = f"nothing for {missing[0]}" if missing else f"one for {unknown[0]}"
            raise InvalidArgument(
                f"weights: expected a recipe of the {len(names)} products of this model's "
                f"{config.layers} layers, found {what}")

    def facts(self):
        """What decides about a program."""
        return [self.rotation.name, sorted(self.forms.items())]

    def write(self, path):
        """Writes the file, all of it or none."""
        try:
            text = self._text()
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidArgument(f"notes, report: are no JSON: {error}") from None
        with _beside(path) as scratch:
            scratch.write(text)
            scratch.close()
            os.chmod(scratch.name, 0o644)
            os.replace(scratch.name, path)

    @staticmethod
    def check_path(path):
        """That `write` can write there: a FileError before what takes long."""
        with _beside(path):
            pass

    def _text(self):
        matmuls = [{"name": name, "weights": form, **self.notes.get(name, {})}
                   for name, form in {**self.forms, HEAD: HEAD_FORM}.items()]
        # A line for each product.
        lines = ",\n    ".join(json.dumps(matmul) for matmul in matmuls)
        report = f' "report": {json.dumps(self.report)},\n' if self.report else ""
        return (f'{{"version": 1, "rotation": {json.dumps(self.rotation.name)},\n'
                f'{report} "matmuls": [\n    {lines}]}}\n')

    @staticmethod
    def read(path):
        """The recipe in a file."""
        def fail(text):
            raise FileError(f"{path}: {text}")

        try:
            root = json.loads(pathlib.Path(path).read_text(encoding="utf-8"),
                              object_pairs_hook=_object)
        except OSError as error:
            fail(error.strerror)
        except (ValueError, RecursionError) as error:
            fail(f"is not JSON: {error}")
        _check_fields(root, _ROOT, "the file", fail)
        if root.get("version") != 1 or isinstance(root["version"], (bool, float)):
            fail(f"'version': expected 1, found {root.get('version')!r}")
        if not isinstance(root.get("matmuls"), list):
            fail("'matmuls': expected a list")
        try:
            rotation = Rotation.parse(root.get("rotation", "none"))
        except InvalidArgument as error:
            fail(error)
        forms = {}
        for i, matmul in enumerate(root["matmuls"]):
            where = f"'matmuls'[{i}]"
            _check_fields(matmul, _MATMUL, where, fail)
            name, form = matmul.get("name"), matmul.get("weights")
            if not isinstance(name, str) or name in forms:
                fail(f"{where}: 'name': expected one that is not there yet, found {name!r}")
            known = (HEAD_FORM,) if name == HEAD else FORMS
            if not isinstance(form, str) or form not in known:
                fail(f"{where}: 'weights': expected {', '.join(known)}, found {form!r}")
            forms[name] = form
        forms.pop(HEAD, None)
        return Recipe(rotation, forms)


@contextlib.contextmanager
def _beside(path):
    """A new file in the folder of `path`, to take its place; gone at the end where it
    has not."""
    scratch = None
    try:
        # A folder's place is not taken.
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISDIR(os.stat(path).st_mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        folder = pathlib.Path(path).parent
        with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as scratch:
            yield scratch
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None
    except ValueError as error:  # No path: it holds a NUL, or is no text.
        raise FileError(f"{str(path)!r}: {error}") from None
    finally:
        if scratch:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(scratch.name)


def _object(pairs):
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        again = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object has the field {again!r} twice")
    return value


def _check_fields(value, known, where, fail):
    if not isinstance(value, dict):
        fail(f"{where}: expected an object")
    for name in value:
        if name not in known:
            fail(f"{where}: unknown field '{name}'")
