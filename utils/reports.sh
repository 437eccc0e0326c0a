#!/usr/bin/env bash
# Runs folders of small programs, of weights and of damaged files on generic and
# x86, with and without a scheme, and says of each run: integer, left with
# reason, refused, wrong or silent. Ends with `N passed, N failed`.
#
# Usage: utils/reports.sh [--only=NAME] [--seconds=N] DIR
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ ! -x "$root/build/bin/quant-run" ]; then
  echo "expected build/bin/quant-run: run utils/build.sh first" >&2
  exit 2
fi
PYTHONPATH="$root/python:$root/test/lib" PYTHONDONTWRITEBYTECODE=1 OPENBLAS_NUM_THREADS=1 \
  exec /usr/bin/python3 -m quantcheck.reports "$@"
