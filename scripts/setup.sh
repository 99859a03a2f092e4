#!/usr/bin/env bash
# Installs what is missing of the named groups of packages: scripts/setup.sh build test lint mpich neon ci.
# It looks for what a package provides, not for the package: a machine that has it from elsewhere is left as it is.
set -euo pipefail

# group, Debian package, what shows that it is there: a command, a header (with a slash) or a Python module.
readonly needs='
build  g++                  g++
build  cmake                cmake
build  ninja-build          ninja
build  libopenmpi-dev       mpicxx
build  openmpi-bin          mpiexec
build  libcli11-dev         CLI/CLI.hpp
build  libfmt-dev           fmt/format.h
build  nlohmann-json3-dev   nlohmann/json.hpp
build  libhwy-dev           hwy/highway.h
build  librandom123-dev     Random123/philox.h
build  libssl-dev           openssl/evp.h
build  libgtest-dev         gtest/gtest.h
build  libbenchmark-dev     benchmark/benchmark.h
build  libboost-context-dev boost/context/fiber.hpp
test   python3              python3
test   python3-jsonschema   python:jsonschema
lint   clang-format         clang-format
lint   clang-tidy           clang-tidy
lint   shellcheck           shellcheck
mpich  libmpich-dev         mpicxx.mpich
mpich  mpich                mpiexec.mpich
neon   g++-aarch64-linux-gnu aarch64-linux-gnu-g++
neon   qemu-user-static     qemu-aarch64-static
neon   googletest           ../src/googletest/googletest/src/gtest-all.cc
ci     ccache               ccache
'

# Where a compiler or CMake looks for headers without being told: the system's directories and those of the environment.
IFS=: read -ra header_directories <<<"/usr/include:/usr/local/include:${CPATH:-}:${CPLUS_INCLUDE_PATH:-}"
IFS=: read -ra prefixes <<<"${CMAKE_PREFIX_PATH:-}"
for prefix in "${prefixes[@]}"; do header_directories+=("$prefix/include"); done

has_header() {
  local directory
  for directory in "${header_directories[@]}"; do
    [[ -n $directory && -e $directory/$1 ]] && return
  done
  return 1
}

has_python_module() {
  local python=/usr/bin/python3
  [[ -x $python ]] || python=python3
  "$python" -c "import importlib.util as u; raise SystemExit(u.find_spec('$1') is None)" 2>/dev/null
}

is_there() {
  case $1 in
    python:*) has_python_module "${1#python:}" ;;
    */*) has_header "$1" ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

missing=()
while read -r group package evidence; do
  [[ -n $group && " $* " == *" $group "* ]] || continue
  is_there "$evidence" || missing+=("$package")
done <<<"$needs"
((${#missing[@]})) || exit 0

name_them() {
  echo "setup: $1. Needed and not found (Debian's names): ${missing[*]}" >&2
  echo "setup: docs/dependencies.md says what each is for; headers in unusual places are found through CMAKE_PREFIX_PATH." >&2
  exit 1
}

command -v apt-get >/dev/null || name_them "there is no apt-get on this machine"
as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || name_them "installing needs root, and there is no sudo"
  as_root=(sudo)
fi

echo "setup: installing ${missing[*]}"
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" </dev/null
}
apt update || echo "setup: apt-get update failed; trying with the package lists at hand" >&2
apt install --yes --no-install-recommends "${missing[@]}" >/dev/null || name_them "apt-get install failed"
