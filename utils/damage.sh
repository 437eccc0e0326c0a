#!/usr/bin/env bash
# N damaged programs, files and options, through every pass and pipeline and the
# importer: each must be refused with a diagnostic or done. What is not is kept
# in build/damage with its command.
#
# Usage: utils/damage.sh [-jJOBS] [--only=I] [--programs=DIR] N [SEED]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ ! -e "$root/build/lib/libForkServer.so" ]; then
  echo "expected build/lib/libForkServer.so: run utils/build.sh first" >&2
  exit 2
fi
PYTHONPATH="$root/python:$root/test/lib" PYTHONDONTWRITEBYTECODE=1 OPENBLAS_NUM_THREADS=1 \
  exec /usr/bin/python3 -m quantcheck.damage "$@"
