#!/usr/bin/env bash
# Builds, generates the documentation, and runs every test. The last line is
# `N passed, N failed`, counted from lit's own report.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
utils/build.sh "$@"
cmake --build build --target quant-doc
status=0
cmake --build build --target check-quant || status=$?
/usr/bin/python3 utils/summarize-lit.py build/test/results.json || status=$?
exit $status
