#!/usr/bin/env bash
# scripts/launch.sh RANKS PROGRAM ARGS…: starts RANKS processes of PROGRAM on this machine, more than it has cores if need be, with
# the launcher of the MPI that PROGRAM was built with. The exit code is the program's.
#
# The launcher is $CPBENCH_MPIEXEC, else the one that mpiexec.txt in a directory above PROGRAM, or in its share/cpbench, names, which the
# build wrote or, with a path from there, scripts/bundle.sh; else mpiexec.
set -euo pipefail

if (($# < 2)) || [[ ! $1 =~ ^[1-9][0-9]*$ ]]; then
  echo "usage: scripts/launch.sh RANKS PROGRAM ARGS…" >&2
  exit 2
fi
ranks=$1
program=$2
shift

recorded_launcher() {
  local directory launcher file
  directory=$(dirname "$(realpath -- "$program")")
  until [[ $directory == / ]]; do
    for file in "$directory"/{,share/cpbench/}mpiexec.txt; do
      [[ -f $file ]] || continue
      launcher=$(<"$file")
      [[ $launcher == /* ]] || launcher=${file%/*}/$launcher
      echo "$launcher"
      return
    done
    directory=$(dirname "$directory")
  done
  echo mpiexec
}
launcher=${CPBENCH_MPIEXEC:-$(recorded_launcher)}

options=()
case $("$launcher" --version 2>&1) in
  *OpenRTE* | *"Open MPI"*)
    # The spelling that versions 4 and 5 share. Unbound, because Open MPI binds a rank of two to a single core, whatever its
    # threads; MPICH leaves ranks unbound by itself, and oversubscribes unasked.
    options=(--map-by :OVERSUBSCRIBE --bind-to none)
    if ((EUID == 0)); then
      export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1  # version 4
      export PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1  # version 5
    fi
    ;;
esac

# Both keep some 4 MiB per rank in /dev/shm, of which a container has 64 MiB by default. Open MPI then falls back to TCP, and MPICH
# aborts.
free_kib=$(df --output=avail /dev/shm 2>/dev/null | tail -n 1 || true)
if ((${free_kib:-0} < ranks * 5 * 1024)); then
  export OMPI_MCA_btl_vader_backing_directory=${TMPDIR:-/tmp} OMPI_MCA_btl_sm_backing_directory=${TMPDIR:-/tmp}
  export UCX_POSIX_DIR=${TMPDIR:-/tmp}
fi

# Ranks have a pipe for stderr; this one may be a terminal.
if [[ -t 2 ]]; then export CPBENCH_PROGRESS=${CPBENCH_PROGRESS-1}; fi

exec "$launcher" "${options[@]}" -n "$ranks" "$@"
