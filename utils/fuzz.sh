#!/usr/bin/env bash
# N random programs (shape, scheme, layout, target) against NumPy: integers and
# ordered float steps exact, sums of floats within their bound. A program that
# differs is written to build/fuzz with its inputs and its command.
#
# With --spellings: N ways to write a quantized product, which must be
# recognised with the program's own integers (test/lib/quantcheck/spellings.py).
#
# With --shard: N programs over 2 to 4 ranks, with random shardings, which must have
# the bits of one process (test/lib/quantcheck/shard_fuzz.py).
#
# Usage: utils/fuzz.sh [--spellings|--shard] N [SEED]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ ! -x "$root/build/bin/quant-run" ]; then
  echo "expected build/bin/quant-run: run utils/build.sh first" >&2
  exit 2
fi
module=quantcheck.fuzz
if [ "${1:-}" = --spellings ]; then
  module=quantcheck.spellings
  shift
fi
if [ "${1:-}" = --shard ]; then
  module=quantcheck.shard_fuzz
  shift
fi
PATH="$root/build/bin:/usr/lib/llvm-22/bin:$PATH" PYTHONPATH="$root/python:$root/test/lib" PYTHONDONTWRITEBYTECODE=1 OPENBLAS_NUM_THREADS=1 \
  exec /usr/bin/python3 -m "$module" "$@"
