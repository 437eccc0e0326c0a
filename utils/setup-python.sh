#!/usr/bin/env bash
# Puts the Python packages of utils/test-requirements.txt, which tests compare
# with, into FOLDER. Idempotent. Usage: utils/setup-python.sh [FOLDER]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=${1:-build/python}
wanted=utils/test-requirements.txt
if cmp -s "$wanted" "$folder/installed.txt"; then
  exit 0
fi
echo "== downloading the packages of $wanted"
rm -rf "$folder"
/usr/bin/python3 -m pip install --quiet --disable-pip-version-check --no-deps \
  --no-compile --only-binary=:all: --target "$folder" -r "$wanted"
cp "$wanted" "$folder/installed.txt"
