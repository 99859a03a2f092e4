#!/usr/bin/env bash
# scripts/test_neon.sh: the kernel tests for AArch64, cross-compiled and run by qemu's user-mode emulation. They need no library that
# exists per architecture: Highway and fmt are headers here, and GoogleTest is compiled from its sources.
set -euo pipefail
cd "$(dirname "$0")/.."

out=build-neon
mkdir -p "$out"
compiler=(aarch64-linux-gnu-g++)
if command -v ccache >/dev/null; then compiler=(ccache "${compiler[@]}"); fi
# After the cross compiler's own headers: those of this machine that are the same everywhere.
flags=(-std=c++20 -O2 -fopenmp -DFMT_HEADER_ONLY -Isrc -Itest -I/usr/src/googletest/googletest -idirafter /usr/include)

export out
compile() {
  local object=$out/${1//\//_}.o
  "${@:2}" -c "$1" -o "$object"
}
export -f compile

mapfile -t sources < <(
  find src/support src/problem src/shard src/backend test/backend/support -name '*.cpp' ! -path '*/cuda/*' ! -name '*_avx512_bf16.cpp' \
    ! -name '*_amx.cpp' ! -name config_path.cpp ! -name models.cpp
  printf '%s\n' src/schedule/program.cpp test/backend/{kernel,isa,pack}_test.cpp
  printf '%s\n' /usr/src/googletest/googletest/src/gtest{-all,_main}.cc
)
rm -f "$out"/*.o
printf '%s\n' "${sources[@]}" |
  xargs -I{} --max-procs="$(nproc)" bash -c 'compile "$@"' compile {} "${compiler[@]}" "${flags[@]}"
aarch64-linux-gnu-g++ -static -fopenmp "$out"/*.o -o "$out/kernel_tests"

qemu-aarch64-static "$out/kernel_tests" --gtest_list_tests | grep neon >/dev/null ||  # -q would break the pipe
  { echo "test_neon: this build has no NEON kernel" >&2; exit 1; }
pids=()
for ((shard = 0; shard < $(nproc); ++shard)); do
  GTEST_TOTAL_SHARDS=$(nproc) GTEST_SHARD_INDEX=$shard qemu-aarch64-static "$out/kernel_tests" --gtest_brief=1 &
  pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid"; done
