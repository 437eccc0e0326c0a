#!/usr/bin/env bash
# Installs what is missing (Debian packages), configures and builds into
# build/. Idempotent. Usage: utils/build.sh [cmake arguments...]
#
# QUANT_PRESET=ci turns warnings into errors; QUANT_JOBS limits the build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Prints the Debian packages that are needed and not there. A build tool that
# is on PATH without its package counts as there.
missing_packages() {
  local p tool
  for p in ca-certificates cmake ninja-build g++ python3 python3-numpy python3-pip \
           chromium-headless-shell libeigen3-dev zlib1g-dev libomp-22-dev clang-22 \
           libmlir-22-dev mlir-22-tools llvm-22-dev llvm-22-tools \
           qemu-user-static gcc-aarch64-linux-gnu libc6-dev-arm64-cross \
           openmpi-bin python3-mpi4py; do
    case $p in
      cmake | g++) tool=$p ;;
      ninja-build) tool=ninja ;;
      *) tool= ;;
    esac
    [ -n "$tool" ] && command -v "$tool" >/dev/null && continue
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' ||
      echo "$p"
  done
}

install_packages() {
  local sudo=()
  [ "$(id -u)" = 0 ] || sudo=(sudo -n)
  if ! command -v apt-get >/dev/null || ! "${sudo[@]}" true 2>/dev/null; then
    echo "error: missing Debian packages: $*" >&2
    echo "error: neither root nor sudo is there; run: apt-get install $*" >&2
    exit 1
  fi
  echo "== installing $*"
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
    --no-install-recommends "$@" >/dev/null
}

mapfile -t missing < <(missing_packages)
if ((${#missing[@]})); then
  install_packages "${missing[@]}"
fi

# ptxas, for tests of GPU kernels and for format=bin; building does without.
utils/setup-ptxas.sh ||
  echo "warning: no ptxas; tests that need it will fail" >&2
# Python packages that tests compare with.
utils/setup-python.sh ||
  echo "warning: no packages from PyPI; tests that need them will fail" >&2

mkdir -p build
echo "== configuring"
cmake --preset "${QUANT_PRESET:-default}" "$@" \
  >build/configure.log 2>&1 || { cat build/configure.log >&2; exit 1; }
echo "== building build/bin/quant-opt, build/bin/quant-run, build/lib/QuantPlugin.so"
cmake --build build -j "${QUANT_JOBS:-$(nproc)}"
