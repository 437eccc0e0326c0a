#!/usr/bin/env bash
# Builds, generates the documentation, and runs every test. The last line is
# lit's own summary.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
utils/build.sh "$@"
cmake --build build --target quant-doc
cmake --build build --target check-quant
