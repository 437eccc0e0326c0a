"""Compiled models that are kept, by what they were made of."""

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import tempfile

from ..errors import FileError

_CHUNK = 1 << 22


def default_folder():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(base, "quantmlir")


def _machine():
    """Of /proc/cpuinfo: the CPU's name and what it can do."""
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""
    lines = [line for line in text.split("\n\n")[0].splitlines()
             if line.split(":")[0].strip().lower() in ("model name", "flags", "features")]
    return "\n".join(lines)


def _builder():
    """The sources that write the program."""
    digest = hashlib.sha256()
    folder = pathlib.Path(__file__).parent
    for path in sorted([*folder.glob("*.py"), *folder.parent.glob("checkpoint/*.py"),
                        folder.parent / "blocks.py", folder.parent / "bytecode.py"]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def file_hash(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def made_of(paths, options, library, content=file_hash):
    """The hash of what decides about a model's bits: a checkpoint's content, options
    and the compiler. `content` gives that of a file."""
    paths = list(paths)
    # One that is built again has the version that it had. Where the loader found it
    # by its name alone, the version has to do.
    if os.path.isfile(library._name):
        paths.append(library._name)
    version = library.quantVersionText().decode()
    facts = json.dumps([[content(path) for path in paths], options, version, _builder()])
    return hashlib.sha256(facts.encode()).hexdigest()


class Cache:
    """A folder of compiled models. Several processes may use it."""

    def __init__(self, folder=None):
        self.folder = pathlib.Path(folder) if folder else default_folder()

    @contextlib.contextmanager
    def _writing(self):
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            yield
        except FileError:
            raise
        except OSError as error:
            raise FileError(
                f"{self.folder}: the cache cannot be written: {error.strerror}; "
                "cache= takes another folder, or False for none") from None

    def content(self, path):
        """The hash of a file's bytes. It is computed again where size or time
        of the file changed."""
        path = os.path.realpath(path)
        stat = os.stat(path)
        facts = [path, stat.st_size, stat.st_mtime_ns, stat.st_ino]
        note = self.folder / "files" / (
            hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:32] + ".json")
        try:
            known = json.loads(note.read_text())
            if known["facts"] == facts:
                return known["hash"]
        except (OSError, ValueError, KeyError, TypeError):
            pass
        digest = file_hash(path)
        with self._writing():
            note.parent.mkdir(exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=note.parent, delete=False) as out:
                json.dump({"facts": facts, "hash": digest}, out)
            os.replace(out.name, note)
        return digest

    def made_of(self, paths, options, library):
        return made_of(paths, options, library, self.content)

    @staticmethod
    def key(made):
        """Of what `made_of` gave, and the machine."""
        return hashlib.sha256(f"{made}\n{_machine()}".encode()).hexdigest()[:32]

    def find(self, key):
        """The folder of a model, or None."""
        folder = self.folder / key
        return folder if folder.is_dir() else None

    @contextlib.contextmanager
    def adding(self, key):
        """Gives a folder to write to, which becomes the model's, whole or not at
        all."""
        with self._writing():
            scratch = pathlib.Path(tempfile.mkdtemp(prefix=".", dir=self.folder))
            try:
                yield scratch
                os.chmod(scratch, 0o755)
                if not (self.folder / key).is_dir():
                    os.rename(scratch, self.folder / key)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
