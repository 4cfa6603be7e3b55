# Shared by the scripts beside it (source it): where things lie, how to print, how to build.
# shellcheck shell=bash

tbn_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tbn_cache=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/tbn
tbn_torch_version=2.11.0

say() { printf '%s\n' "-- $*"; }

die() {
  printf '%s\n' "${0##*/}: $*" >&2
  exit 1
}

# True where an NVIDIA driver answers.
tbn_has_driver() { command -v nvidia-smi > /dev/null && nvidia-smi -L > /dev/null 2>&1; }

# True where the kernels for CUDA can be compiled: nvcc on the PATH, or as scripts/setup.sh --cuda
# installs it.
tbn_has_nvcc() {
  command -v nvcc > /dev/null ||
    compgen -G "$tbn_cache/libtorch-$tbn_torch_version-cuda/lib/python3*/site-packages/nvidia/cu13/bin/nvcc" > /dev/null
}

# The preset for this machine: `cuda` where a driver answers and LibTorch's CUDA is installed.
tbn_preset() {
  if tbn_has_driver && [ -f "$tbn_cache/libtorch-$tbn_torch_version-cuda/.complete" ]; then
    echo cuda
  else
    echo dev
  fi
}

# Compiler processes to run at once: one a core, and 2 GB of memory each.
tbn_jobs() {
  local cores gigabytes
  cores=$(nproc)
  gigabytes=$(awk '/^MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
  local jobs=$((gigabytes / 2 < cores ? gigabytes / 2 : cores))
  echo $((jobs < 1 ? 1 : jobs))
}

# tbn_build <preset> <target or all> [cmake argument...]: configures and builds, quietly when all is well.
tbn_build() {
  local preset=$1 target=$2
  shift 2
  local folder=$tbn_root/build/$preset
  mkdir -p "$folder"
  say "configuring build/$preset"
  if ! (cd "$tbn_root" && cmake --preset "$preset" "$@") > "$folder/configure.log" 2>&1; then
    cat "$folder/configure.log" >&2
    die "cmake --preset $preset failed, see above"
  fi
  local jobs
  jobs=$(tbn_jobs)
  say "building build/$preset ($jobs at a time; the first time takes minutes)"
  cmake --build "$folder" --target "$target" -j "$jobs" || die "the build failed, see above"
}

# tbn_take_werror <argument>...: tbn_werror is ON where the first is --werror, else OFF; tbn_rest has the others.
tbn_take_werror() {
  tbn_werror=OFF
  if [ "${1:-}" = --werror ]; then
    tbn_werror=ON
    shift
  fi
  tbn_rest=("$@")
}
