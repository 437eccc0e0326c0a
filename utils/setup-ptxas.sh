#!/usr/bin/env bash
# Puts a ptxas that knows every chip of lib/Target/NVVM/Chips.cpp at
# FOLDER/bin/ptxas: a link to the one on PATH or in CUDA_ROOT, or NVIDIA's from
# PyPI (CUDA 13 dropped sm_61). Idempotent. Usage: utils/setup-ptxas.sh [FOLDER]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=${1:-build/cuda}
wheel=nvidia-cuda-nvcc-cu12==12.9.86

# Whether `$1` assembles an empty module for the oldest chip and the newest.
knows_all_chips() {
  local chip
  [ -x "$1" ] || return 1
  for chip in 6.0:sm_61 8.6:sm_100; do
    printf '.version %s\n.target %s\n.address_size 64\n' \
      "${chip%:*}" "${chip#*:}" >"$scratch/chip.ptx"
    "$1" -arch="${chip#*:}" "$scratch/chip.ptx" -o "$scratch/chip.cubin" \
      2>/dev/null || return 1
  done
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$folder/bin"
if knows_all_chips "$folder/bin/ptxas"; then
  exit 0
fi
for found in "$(command -v ptxas || true)" "${CUDA_ROOT:-/usr/local/cuda}/bin/ptxas"; do
  if knows_all_chips "$found"; then
    echo "== using $found"
    ln -sf "$(realpath "$found")" "$folder/bin/ptxas"
    exit 0
  fi
done
echo "== downloading $wheel for its ptxas"
python3 -m pip download --quiet --disable-pip-version-check --no-deps \
  --only-binary=:all: --dest "$scratch" "$wheel"
python3 - "$scratch" "$folder/bin/ptxas" <<'PYTHON'
import glob, os, sys, zipfile
wheel, = glob.glob(os.path.join(sys.argv[1], "*.whl"))
with zipfile.ZipFile(wheel) as archive:
    data = archive.read("nvidia/cuda_nvcc/bin/ptxas")
if os.path.lexists(sys.argv[2]):
    os.remove(sys.argv[2])
with open(sys.argv[2], "wb") as f:
    f.write(data)
os.chmod(sys.argv[2], 0o755)
PYTHON
knows_all_chips "$folder/bin/ptxas" || {
  echo "error: $folder/bin/ptxas does not know sm_61 and sm_100" >&2
  exit 1
}
