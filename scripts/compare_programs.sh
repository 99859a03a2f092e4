#!/usr/bin/env bash
# Is one program slower than another? Launches both in turn, so that whatever the machine does meets both, and compares:
#
#   scripts/compare_programs.sh RANKS BASE_PROGRAM HEAD_PROGRAM LAUNCHES DIRECTORY [FLAGS OF cpbench run...]
#
# LAUNCHES of each, at least 6, which is what an interval of pairs takes. Their results are left in DIRECTORY/base and
# DIRECTORY/head, which must be new, for `cpbench compare --paired DIRECTORY/base DIRECTORY/head` with other flags. Leaves with
# the exit code of that, or with that of a launch that failed (4 for its 1, which is "slower").
set -euo pipefail

fail() { # CODE MESSAGE
  echo "compare_programs.sh: $2" >&2
  exit "$1"
}

if (($# < 5)); then
  sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
  exit 2
fi
ranks=$1 base=$2 head=$3 launches=$4 directory=$5
shift 5
if ! [[ $launches =~ ^[1-9][0-9]*$ ]] || ((launches < 6)); then fail 2 "LAUNCHES is a number from 6 on, not \"$launches\""; fi
comparer=$head
"$head" compare --help >/dev/null 2>&1 || comparer=$base # one of them may be older than `compare`
here=$(dirname "$0")

# What exists is refused: launches of before would be counted too.
mkdir "$directory" "$directory/base" "$directory/head" || fail 2 "DIRECTORY cannot be made"

launch() { # SIDE PROGRAM NUMBER FLAGS...
  local side=$1 program=$2 number=$3 code=0
  shift 3
  echo "launch $number of $launches: $side" >&2
  "$here/launch.sh" "$ranks" "$program" run "$@" --json "$directory/$side/$number.json" >/dev/null || code=$?
  ((code != 1)) || code=4
  ((code == 0)) || fail "$code" "launch $number of $side failed"
}

for ((i = 1; i <= launches; ++i)); do
  number=$(printf '%03d' "$i")
  # Every other time head goes first, so that neither always finds the machine as the other left it.
  if ((i % 2)); then
    launch base "$base" "$number" "$@"
    launch head "$head" "$number" "$@"
  else
    launch head "$head" "$number" "$@"
    launch base "$base" "$number" "$@"
  fi
done
exec "$comparer" compare --paired "$directory/base" "$directory/head"
