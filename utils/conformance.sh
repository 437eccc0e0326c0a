#!/usr/bin/env bash
# Runs every vector file (ONNX quantization ops, TOSA rescale, TFLite fully
# connected) under the named folders through this project's ops: on the targets
# generic and x86, and folded at compile time. Ends with `N passed, N failed, N skipped`.
#
# Usage: utils/conformance.sh [-v] [--runs=generic,x86,folded] DIR...
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ ! -x "$root/build/bin/quant-run" ]; then
  echo "expected build/bin/quant-run: run utils/build.sh first" >&2
  exit 2
fi
PYTHONPATH="$root/python:$root/test/lib" PYTHONDONTWRITEBYTECODE=1 \
  exec /usr/bin/python3 -m quantcheck.conformance "$@"
