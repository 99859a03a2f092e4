#!/usr/bin/env bash
# Runs a compiler and keeps what ptxas reports beside the object: ptxas_report.sh nvcc … -o OBJECT … writes OBJECT.ptxas.
set -uo pipefail
report=
previous=
for argument in "$@"; do
  [[ $previous == -o ]] && report=$argument.ptxas
  previous=$argument
done
if [[ -z $report ]]; then
  exec "$@"
fi
"$@" 2>"$report"
status=$?
grep -v -e '^ptxas info' -e '^    [0-9]* bytes stack frame' "$report" >&2
exit $status
