#!/usr/bin/env bash
# Exactness and speed on a GPU, in one call: kernels are compiled where
# quant-opt runs and are otherwise expected in the folder already (carried).
# Usage: benchmarks/gpu/run.sh [CHIP [FOLDER]]; QUANT_CUDA_DRIVER as in run.py.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
chip=${1:-sm_90a}
folder=${2:-build/gpu-$chip}
if [ ! -f "$folder/manifest.json" ]; then
  python3 benchmarks/gpu/prepare.py build/bin/quant-opt "$chip" "$folder"
fi
python3 benchmarks/gpu/run.py "$folder"
