#!/usr/bin/env bash
# scripts/test_instruction_sets.sh CTEST-ARGS…: the test suite, but for the virtual GPU's, again with every instruction set that this
# machine can execute and does not use by itself. Needs build/.
set -euo pipefail
cd "$(dirname "$0")/.."

read -ra names < <(build/cpbench doctor | sed -n 's/^instruction sets, the fastest first: //p')
for isa in "${names[@]:1}"; do
  echo "== CPBENCH_ISA=$isa"
  CPBENCH_ISA=$isa ctest --preset release --exclude-regex "^vgpu_" "$@"
done
