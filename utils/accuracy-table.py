#!/usr/bin/env python3
"""Runs accuracy.table from the source tree; its --help says what it does."""

import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ["python", "test/lib", "benchmarks"]
path = [*(str(ROOT / folder) for folder in FOLDERS), os.environ.get("PYTHONPATH", "")]
os.execve(sys.executable, [sys.executable, "-m", "accuracy.table", *sys.argv[1:]],
          {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))})
