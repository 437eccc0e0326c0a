#!/usr/bin/env python3
"""Runs quantmlir.import_weights from the source tree; its --help says what it does."""

import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ["python"]
path = [*(str(ROOT / folder) for folder in FOLDERS), os.environ.get("PYTHONPATH", "")]
os.execve(sys.executable, [sys.executable, "-m", "quantmlir.import_weights", *sys.argv[1:]],
          {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))})
