"""Runs a command within limits of time and memory, and says how it ended."""

import os
import pathlib
import re
import resource
import signal
import subprocess
import tempfile

LIMIT_SECONDS = 60
LIMIT_BYTES = 4 << 30
KEEP = 4 << 20  # characters of what is printed


class Ended:
    """How a command ended, and what it printed."""

    def __init__(self, status, out, err, seconds):
        self.status, self.out, self.err, self.seconds = status, out, err, seconds

    @property
    def succeeded(self):
        return self.status == 0

    def fault(self):
        """What no command may do, or None: hang, die, fail without a word."""
        if self.status is None:
            return f"no end within {self.seconds} s"
        if self.status < 0:
            return f"died of {signal.Signals(-self.status).name}"
        if "PLEASE submit a bug report" in self.err or \
                "Assertion" in self.err and "failed" in self.err:
            return "crashed: " + first_line(self.err)
        if "AddressSanitizer" in self.err or "runtime error:" in self.err:
            return "a sanitizer stopped it"
        if "Traceback (most recent call last)" in self.err:
            return "a traceback: " + self.err.strip().splitlines()[-1]
        if self.status and not self.reason():
            return f"ended with {self.status} and said nothing"
        return None

    def reason(self):
        """The first error that it printed, or ''."""
        text = self.err + self.out
        found = re.search(r"^.*\berror: .*$", text, re.M | re.I)
        return (found.group(0) if found else first_line(text)).strip()


def first_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[0].strip() if lines else ""


def run(command, seconds=LIMIT_SECONDS, limit=LIMIT_BYTES, cwd=None):
    def restrict():
        # A sanitizer maps more memory than it uses.
        if limit and "ASAN_OPTIONS" not in os.environ:
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    # To files: what a program prints may be larger than memory.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        status = None
        try:
            status = subprocess.run([str(c) for c in command], stdout=out,
                                    stderr=err, timeout=seconds, cwd=cwd,
                                    stdin=subprocess.DEVNULL,
                                    preexec_fn=restrict).returncode
        except subprocess.TimeoutExpired:
            pass
        return Ended(status, _read(out), _read(err), seconds)


def _read(stream):
    stream.seek(0)
    return stream.read(KEEP).decode(errors="replace")


class Tools:
    """Where the programs are."""

    def __init__(self, folder, seconds=LIMIT_SECONDS, limit=LIMIT_BYTES):
        folder = pathlib.Path(folder)
        self.opt, self.run_ = folder / "quant-opt", folder / "quant-run"
        self.seconds, self.limit = seconds, limit
        self.importer = pathlib.Path(__file__).resolve().parents[3] / "utils" \
            / "import-quantized-weights.py"

    def __call__(self, *command, cwd=None):
        return run(command, self.seconds, self.limit, cwd)
