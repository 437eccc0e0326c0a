"""What quantizing does to a model, matmul by matmul; made by quant-run."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import numpy as np

from . import _capi, errors


class Report:
    """How a quantized model compares with its float program (docs/report.md).

    Attributes:
        data: everything as a dict, as ``quant-run --report`` writes it: SQNR in
            dB, cosine, errors of each result and of each matmul, bytes of the
            weights, times in milliseconds if ``repeat`` was given.
        html: the page with plots, as text.
    """

    def __init__(self, data, html, text):
        self.data = data
        self.html = html
        self._text = text

    @property
    def matmuls(self):
        """One dict for each matmul, in the order of the program."""
        return self.data["matmuls"]["each"]

    def to_html(self, path):
        """Writes the page with plots."""
        pathlib.Path(path).write_text(self.html, encoding="utf-8")

    def to_json(self, path):
        """Writes `data`."""
        pathlib.Path(path).write_text(json.dumps(self.data, indent=1) + "\n")

    def __str__(self):
        return self._text


def _find_quant_run():
    library = pathlib.Path(_capi.library._name)
    for folder in (pathlib.Path(__file__).parent / "bin",
                   library.parent.parent / "bin"):
        path = folder / "quant-run"
        if path.exists():
            return str(path)
    path = shutil.which("quant-run")
    if path is None:
        raise errors.FileError(
            "report: the program quant-run is neither beside libquantmlir nor on "
            "PATH")
    return path


def _raise(stderr):
    said = [line for line in stderr.splitlines()
            if ": error: " in line or line.startswith("error: ")]
    text = "\n".join(said) or stderr.strip()
    raise errors.CompileError(text, said)


def make_report(source, options, arrays, repeat):
    """Runs quant-run in a process of its own.

    `source` is a path or bytes, `options` pairs of names and values of
    quant-run's options.
    """
    program = _find_quant_run()
    with tempfile.TemporaryDirectory(prefix="quantmlir-") as folder:
        folder = pathlib.Path(folder)
        if isinstance(source, bytes):
            # quant-run takes text and bytecode whatever the name is.
            path = folder / "program.mlir"
            path.write_bytes(source)
            source = path
        command = [program, os.fspath(source), "--compare", "--print=false",
                   f"--report={folder / 'report.json'}",
                   f"--report-html={folder / 'report.html'}"]
        command += [f"--{name}={value}" for name, value in options
                    if value is not None]
        if repeat:
            command.append(f"--repeat={repeat}")
        paths = []
        for i, array in enumerate(arrays):
            paths.append(str(folder / f"in{i}.npy"))
            np.save(paths[-1], array)
        if paths:
            command.append("--inputs=" + ",".join(paths))
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            _raise(done.stderr)
        return Report(json.loads((folder / "report.json").read_text()),
                      (folder / "report.html").read_text(encoding="utf-8"),
                      done.stdout)
