#!/usr/bin/env bash
# scripts/format.sh: rewrites every C++ source in the house format; with --check it only says which ones differ, and fails.
set -euo pipefail
cd "$(dirname "$0")/.."

action=(-i)
[[ ${1:-} == --check ]] && action=(--dry-run -Werror --ferror-limit=1)
find src test \( -name '*.[ch]pp' -o -name '*.cu' \) -print0 | xargs -0 clang-format "${action[@]}"
