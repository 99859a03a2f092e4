#!/usr/bin/env bash
# scripts/bundle.sh DIR [PROGRAM]: gathers in DIR all that PROGRAM (build-cuda/cpbench) needs on a machine that has neither MPI nor build
# tools: the program, Open MPI's launcher and plugins, shared libraries, configs, and the scripts that run them. DIR may be
# copied to any place:
#   DIR/scripts/gpu_check.py                         # docs/gpu.md
#   DIR/scripts/launch.sh 4 DIR/bin/cpbench run …
# The machine brings bash, a C library as new as the one here, and where they are needed Python and the GPU's driver. One node: what other
# nodes and fabrics need is left out. For Open MPI 4, which must be found where its build says; OPAL_PREFIX and its kin move it.
set -euo pipefail
cd "$(dirname "$0")/.."

if (($# < 1 || $# > 2)); then
  echo "usage: scripts/bundle.sh DIR [PROGRAM]" >&2
  exit 2
fi
dir=$1
program=${2:-build-cuda/cpbench}
readonly most_mib=64  # what is carried should stay small; above that it is said

refuse() {
  echo "bundle: $1" >&2
  exit 1
}
[[ -x $program ]] || refuse "there is no program $program: make cuda, or name another one"
[[ ! -e $dir || -f $dir/mpiexec.txt ]] || refuse "$dir exists, and was not made by this script"
launcher=$(cat "$(dirname "$program")/mpiexec.txt")
[[ $("$launcher" --version) == *"(Open"*") 4."* ]] || refuse "$launcher is not of Open MPI 4, the only one that is known here"

path_of() { # NAME: where this Open MPI has its directory of that name
  "$(dirname "$launcher")/ompi_info" --parsable --path "$1" | sed -n "s/^path:$1://p" | sort -u
}
libraries_of() { # FILE…: the shared libraries that they need, directly and indirectly, as `name => path`
  { ldd "$@" 2>/dev/null || true; } | sed -n 's/^\t\(.* => .*\)$/\1/p' | sed 's/ (0x.*)$//' | sort -u
}

rm -rf "$dir"
mkdir -p "$dir"/{bin,libexec,lib,scripts,openmpi/lib/plugins,openmpi/share,openmpi/etc}
cp -L "$program" "$dir/libexec/cpbench"
cp -L "$launcher" "$dir/libexec/mpiexec"
cp scripts/launch.sh scripts/gpu_check*.py "$dir/scripts/"
cp -r configs "$dir/"
echo bin/mpiexec >"$dir/mpiexec.txt"  # for scripts/launch.sh

# Open MPI loads its parts when it starts. All but those for fabrics, batch systems and OpenSHMEM: they bring large libraries.
for plugin in "$(path_of pkglibdir)"/mca_*.so; do
  case ${plugin##*/mca_} in
    *ofi* | *ucx* | *psm* | *openib* | *monitoring* | *slurm* | *gridengine* | *flux* | *jsm* | *netlink*) ;;
    spml_* | sshmem_* | memheap_* | scoll_* | atomic_*) ;;
    *) cp -L "$plugin" "$dir/openmpi/lib/plugins/" ;;
  esac
done
# Its messages, and the site's settings, which choose among plugins.
cp -rL "$(path_of pkgdatadir)" "$dir/openmpi/share/openmpi"
cp -rL "$(path_of sysconfdir)/." "$dir/openmpi/etc/"

# Every library but the C library, which is the machine's, as the kernel and the loader are; the driver's, likewise; and NCCL and cuBLAS,
# hundreds of megabytes: scripts/gpu_check.py finds PyTorch's, elsewhere LD_LIBRARY_PATH names them.
mapfile -t files < <(find "$dir/libexec" "$dir/openmpi/lib" -type f)
while IFS= read -r line; do
  name=${line%% => *} library=${line#* => }
  case $name in
    libc.so.* | libm.so.* | libdl.so.* | librt.so.* | libpthread.so.* | libresolv.so.* | libutil.so.*) ;;
    libcuda.so.* | libnvidia-*) ;;
    libnccl.so.* | libcublas*) echo "bundle: $name is left out: the machine must have it" ;;
    *)
      [[ $library == /* ]] || refuse "$name is not found here"
      cp -L "$library" "$dir/lib/$name"
      ;;
  esac
done < <(libraries_of "${files[@]}")

cat >"$dir/bin/cpbench" <<'WRAPPER'
#!/bin/sh
# Runs the program of this name in libexec with what scripts/bundle.sh put beside it. Libraries of the caller come last.
bundle=$(cd "$(dirname "$0")/.." && pwd)
export LD_LIBRARY_PATH="$bundle/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export OPAL_PREFIX="$bundle/openmpi" OPAL_PKGDATADIR="$bundle/openmpi/share/openmpi" OPAL_SYSCONFDIR="$bundle/openmpi/etc"
export OPAL_LIBDIR="$bundle/openmpi/lib" OPAL_PKGLIBDIR="$bundle/openmpi/lib/plugins"
export OMPI_MCA_mca_base_component_path="$OPAL_PKGLIBDIR"
export PMIX_MCA_mca_base_component_path="$bundle/openmpi" PMIX_MCA_pcompress_base_silence_warning=1  # where it has no plugins: it needs none
export OMPI_MCA_plm=isolated OMPI_MCA_ess_singleton_isolated=1  # this node alone: no ssh, and no daemon for a single rank
export HOME="${HOME:-/}"  # PMIx crashes for a user without one
export CPBENCH_CONFIG_DIR="${CPBENCH_CONFIG_DIR:-$bundle/configs}"
exec "$bundle/libexec/${0##*/}" "$@"
WRAPPER
chmod +x "$dir/bin/cpbench"
cp "$dir/bin/cpbench" "$dir/bin/mpiexec"

if [[ -f $(dirname "$program")/cuda.txt ]]; then  # the toolkit, and the driver that it needs, if that is known
  read -r toolkit driver <"$(dirname "$program")/cuda.txt"
  least=${driver:+$driver or later}
  echo "bundle: made with CUDA $toolkit: the machine must have driver ${least:-for that}"
fi
mib=$(du -sm "$dir" | cut -f1)
echo "bundle: $dir, $mib MiB"
if ((mib > most_mib)); then echo "bundle: more than $most_mib MiB; the largest files are:" && du -am "$dir" | sort -rn | sed -n '2,9p'; fi
