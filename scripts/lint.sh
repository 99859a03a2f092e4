#!/usr/bin/env bash
# Format, shellcheck, and clang-tidy over the sources that differ from the main branch (or, on it, from the commit before);
# with --all over every source. Needs build-lint/compile_commands.json.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/format.sh --check
shellcheck scripts/*.sh scripts/*.sbatch .ci/run

# clang-tidy reads translation units: a changed header is read through the source of the same name.
changed_sources() {
  local base
  base=$(git merge-base HEAD origin/main 2>/dev/null || true)
  if [[ -z $base || $base == "$(git rev-parse HEAD)" ]]; then base=$(git rev-parse --verify --quiet HEAD~1 || git rev-parse HEAD); fi
  {
    git diff --name-only "$base" -- src test
    git ls-files --others --exclude-standard -- src test
  } | sed -n 's/\.[ch]pp$/.cpp/p' | sort -u
}

if [[ ${1:-} == --all ]]; then
  sources=$(find src test -name '*.cpp' | sort)
else
  sources=$(changed_sources)
fi
known=$(sed -n "s|^ *\"file\": \"$PWD/\(.*\)\",*|\1|p" build-lint/compile_commands.json | sort)
sources=$(comm -12 <(echo "$sources") <(echo "$known"))
[[ -n $sources ]] || exit 0
# It counts on stderr what it does not show: the warnings of system headers.
xargs --max-args=1 --max-procs="$(nproc)" clang-tidy -p build-lint --quiet --warnings-as-errors='*' <<<"$sources" \
  2> >(grep -v 'warnings generated' >&2)
