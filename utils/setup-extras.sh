#!/usr/bin/env bash
# Makes a virtual environment in FOLDER with the compilers of
# utils/extras-requirements.txt, gigabytes that CI does without: where it is,
# lit runs the tests that need them. Idempotent.
# Usage: utils/setup-extras.sh [FOLDER]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=${1:-build/extras}
wanted=utils/extras-requirements.txt
if cmp -s "$wanted" "$folder/installed.txt"; then
  exit 0
fi
echo "== downloading the packages of $wanted"
rm -rf "$folder"
python3 -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check \
  --only-binary=:all: -r "$wanted"
cp "$wanted" "$folder/installed.txt"
