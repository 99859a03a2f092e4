#!/usr/bin/env bash
# Is one program slower than another? Launches both in turn, so that whatever the machine does meets both, and compares:
#
#   scripts/compare_programs.sh RANKS BASE_PROGRAM HEAD_PROGRAM LAUNCHES DIRECTORY [FLAGS OF cpbench run...]
#
# LAUNCHES of each (5 or more for an interval worth the name). Their results are left in DIRECTORY/base and
# DIRECTORY/head, which must be new. Leaves with the exit code of `cpbench compare --paired DIRECTORY/base DIRECTORY/head`, or with
# that of a launch that failed. COMPARE_FLAGS has flags of `compare`, such as "--threshold 3 --strict".
set -euo pipefail

if (($# < 5)); then
  sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
  exit 2
fi
ranks=$1 base=$2 head=$3 launches=$4 directory=$5
shift 5
if ! [[ $launches =~ ^[1-9][0-9]*$ ]]; then
  echo "compare_programs.sh: LAUNCHES is a positive number, not \"$launches\"" >&2
  exit 2
fi
here=$(dirname "$0")
read -ra compare_flags <<<"${COMPARE_FLAGS:-}"

mkdir "$directory" "$directory/base" "$directory/head" # refuses what exists: launches of before would be counted too

launch() { # SIDE PROGRAM NUMBER FLAGS...
  local side=$1 program=$2 number=$3
  shift 3
  echo "launch $number of $launches: $side" >&2
  "$here/launch.sh" "$ranks" "$program" run "$@" --json "$directory/$side/$number.json" >/dev/null
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
exec "$head" compare --paired "$directory/base" "$directory/head" ${compare_flags[@]+"${compare_flags[@]}"}
