#!/usr/bin/env bash
# Exactness and speed on a GPU, in one call of less than 8 minutes. Kernels are
# compiled where quant-opt runs, and otherwise expected in the folder already:
# make it with prepare.py and carry it (a few MiB).
# Usage: benchmarks/gpu/run.sh [CHIP [FOLDER]]; QUANT_CUDA_DRIVER as in run.py.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
chip=${1:-sm_90a}
folder=${2:-build/gpu-$chip}
export PYTHONPATH=$PWD/python:$PWD/test/lib:$PWD/benchmarks
export PATH=$PWD/build/cuda/bin:$PATH
if [ ! -f "$folder/manifest.json" ]; then
  python3 benchmarks/gpu/prepare.py build/bin/quant-opt "$chip" "$folder"
fi
python3 benchmarks/gpu/run.py "$folder"
