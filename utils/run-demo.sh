#!/usr/bin/env bash
# Builds the project, fetches a real model (MiniLM, a sentence transformer, 36
# matmuls with weights), quantizes it to int8, compiles it for this machine,
# runs it in float and in integers, and prints the comparison. Idempotent.
#
# Without a network it says so and takes the MLP that the repository ships.
# Usage: utils/run-demo.sh [--repeat=N] [cmake arguments...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export PYTHONPATH=$PWD/python:$PWD/test/lib
repeat=20
case ${1:-} in
  --repeat=*) repeat=${1#--repeat=}; shift ;;
esac
utils/build.sh "$@"

model=minilm_l6_full_b1s32
echo "== fetching the weights of $model and attaching them"
status=0
prepared=$(/usr/bin/python3 utils/prepare-model.py "$model") || status=$?
if [ "$status" = 3 ]; then
  model=digits_mlp_b16
  echo "== no network, as it seems: taking $model, which the repository ships"
  prepared=$(/usr/bin/python3 utils/prepare-model.py "$model")
elif [ "$status" != 0 ]; then
  exit "$status"
fi
{ read -r program; read -r inputs; } <<<"$prepared"

scheme="weights=channel activations=dynamic-token"
echo "== quantizing ($scheme), compiling, running"
build/bin/quant-run "$program" --inputs="$inputs" --quantize="$scheme" \
  --target=x86 --compare --repeat="$repeat" --report=build/demo.json
echo
utils/print-comparison.py build/demo.json
