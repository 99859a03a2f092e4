#!/usr/bin/env bash
# scripts/print_programs.sh [--check] [PROGRAM]: rewrites the blocks of docs/*.md that show what `cpbench plan` prints; with --check
# it only shows which of them are out of date, and fails. PROGRAM is the cpbench to ask, build/cpbench if none is named.
#
# A block is a comment with the arguments, and under it the fence that this script fills:
#   <!-- program: --algo ring --cp-size 4 -->             the operations of a rank
#   <!-- figures: --algo ring --cp-size 4 -->             the table of all ranks
#   <!-- totals: --algo ring --shard zigzag,striped --details -->   one line for each point of a sweep, abridged
#   <!-- estimates: --algo ring,ulysses --links 25:2 --rate 400 -->   the table of a sweep
set -euo pipefail

check=false
if [[ ${1:-} == --check ]]; then
  check=true
  shift
fi
program=$(realpath -- "${1:-$(dirname "$0")/../build/cpbench}")
cd "$(dirname "$0")/.."

# Breaks long lists of messages, and lines them up with the operands above.
wrap() {
  awk -v width=130 -v operands=35 '{
    while (length($0) > width) {
      end = width
      while (end > operands && substr($0, end - 1, 3) !~ /[0-9], /) --end
      if (end == operands) break
      print substr($0, 1, end)
      $0 = sprintf("%*s%s", operands, "", substr($0, end + 2))
    }
    print
  }'
}

# What a block of this kind shows of the output: nothing that varies from one run to the next.
part_for() {
  case $1 in
    program) sed -n '/^  program of rank/,/^  with --prune/ { /^  with --prune/!p }' | wrap ;;
    figures) sed -n '/^  rank /,/^  load balance/p' ;;
    totals)
      sed -n -e '/^[a-z-]* on [0-9]* ranks*/ { s/ on [0-9]* ranks*//; s/, ulysses-inner)/)/; h }' \
        -e '/^  load balance/ { s/ (mean.*FLOPs)//; H; x; s/\n */: /p }'
      ;;
    estimates) sed -n '/^# case: /,$p' ;;
    *)
      echo "print_programs.sh: '$1' is no kind of block: program, figures, totals or estimates" >&2
      return 2
      ;;
  esac
}

print_block() {
  local kind=$1 arguments output
  read -ra arguments <<<"$2"
  output=$("$program" plan "${arguments[@]}")
  printf '```text\n$ cpbench plan %s\n' "$2"
  part_for "$kind" <<<"$output"
  printf '```\n'
}

# Prints the document with new blocks.
refresh() {
  local lines line i=0
  mapfile -t lines <"$1"
  while ((i < ${#lines[@]})); do
    line=${lines[i]}
    i=$((i + 1))
    printf '%s\n' "$line"
    [[ $line =~ ^'<!-- '([a-z]+)': '(--.*)' -->'$ ]] || continue
    print_block "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
    if [[ ${lines[i]:-} == '```'* ]]; then  # skip the old one
      until [[ ${lines[++i]} == '```' ]]; do :; done
      i=$((i + 1))
    fi
  done
}

fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT
stale=0
for document in docs/*.md; do
  refresh "$document" >"$fresh"
  if cmp --silent "$document" "$fresh"; then continue; fi
  if $check; then
    diff --unified "$document" "$fresh" || true
    stale=1
  else
    cat "$fresh" >"$document"
  fi
done
if ((stale)); then echo "out of date: run scripts/print_programs.sh, and read the text around what changed" >&2; fi
exit "$stale"
