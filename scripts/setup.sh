#!/usr/bin/env bash
# Installs what building tbn needs: Debian packages, and LibTorch into a cache outside the clone.
# Running it again is cheap: it only adds what is missing.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat << END
usage: scripts/setup.sh [--cuda | --cpu] [--tests] [--checks] [--arm] [--clang] [--mcu] [--no-packages]

  --cuda         LibTorch with CUDA and its compiler nvcc (4.9 GB); the default where an NVIDIA driver is
                 found
  --cpu          LibTorch for the CPU alone (1.3 GB); the default elsewhere
  --tests        also the Python packages that the tests compare with
  --checks       also clang-format, clang-tidy and doxygen
  --arm          also the compiler for 64-bit ARM and the emulator that runs its tests
  --clang        also clang, which scripts/test_sanitized.sh builds with
  --mcu          also the compiler for ARM microcontrollers and the emulator of boards (800 MB)
  --no-packages  install no system packages: they are there already, by other means

LibTorch goes to $tbn_cache; nothing else outside the system's packages is touched.
END
}

flavour=auto tests=no checks=no arm=no clang=no mcu=no install_packages=yes
for argument in "$@"; do
  case $argument in
    --cuda | --cpu) flavour=${argument#--} ;;
    --tests) tests=yes ;;
    --checks) checks=yes ;;
    --arm) arm=yes ;;
    --clang) clang=yes ;;
    --mcu) mcu=yes ;;
    --no-packages) install_packages=no ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; die "unknown argument '$argument'" ;;
  esac
done
if [ $flavour = auto ]; then
  flavour=cpu
  if tbn_has_driver; then flavour=cuda; fi
fi

packages=(build-essential cmake ninja-build pkgconf ccache ca-certificates python3 python3-venv
  zlib1g-dev libjpeg-dev libspng-dev libfmt-dev libspdlog-dev libyaml-cpp-dev libcxxopts-dev catch2
  dataset-fashion-mnist)
if [ $checks = yes ]; then packages+=(clang-format-14 doxygen); fi
if [ $arm = yes ]; then packages+=(g++-aarch64-linux-gnu qemu-user); fi
if [ $clang = yes ]; then packages+=(clang-14); fi
if [ $mcu = yes ]; then
  packages+=(gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm)
fi

check_system() {
  local id='' version='' name=''
  if [ -r /etc/os-release ]; then
    read -r id version name < <(. /etc/os-release && echo "${ID:-} ${VERSION_ID:-?} ${PRETTY_NAME:-}")
  fi
  [ "$(uname -m)" = x86_64 ] ||
    die "this is a $(uname -m) machine, and tbn's LibTorch comes for x86_64 alone"
  [ $install_packages = yes ] || return 0
  case $id:$version in
    debian:12 | ubuntu:24.04) ;;
    *) die "this system is ${name:-unknown}, and only Debian 12 and Ubuntu 24.04 are prepared" \
      "for: install GCC 12 or newer, CMake 3.25, Ninja, ccache, Python 3 with venv, and the" \
      "development files of zlib, libjpeg-turbo, libspng, fmt, spdlog, yaml-cpp, cxxopts and Catch2" \
      "yourself, then run scripts/setup.sh --no-packages" ;;
  esac
}

install_system_packages() {
  local missing=() package
  for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2> /dev/null)" = installed ] ||
      missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    say "system packages: all ${#packages[@]} are there"
    return
  fi
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo > /dev/null && { [ -t 0 ] || sudo -n true 2> /dev/null; } ||
      die "packages are missing and this account may not install them; ask an administrator to" \
        "run: apt-get install --no-install-recommends ${missing[*]}"
    as_root=(sudo)
  fi
  say "system packages: installing ${missing[*]}"
  local log
  log=$(mktemp)
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq)
  "${apt[@]}" update > "$log" 2>&1 &&
    "${apt[@]}" install --no-install-recommends "${missing[@]}" > "$log" 2>&1 || {
    tail -n 5 "$log" >&2
    die "apt-get could not install the packages, see above; check the network connection and the" \
      "package sources, then run scripts/setup.sh again (everything it said: $log)"
  }
  rm -f "$log"
}

# make_environment <name> <gigabytes it needs> <file of requirements> <earlier wish> <pip argument>...
# A virtual environment in the cache, made aside and renamed, so that it is whole or absent. What is
# installed has the SHA-256 that the file of requirements lists. The environment's .complete file holds
# what was asked for: another wish makes it anew, but for the earlier one, of the same versions without
# their hashes.
make_environment() {
  local name=$1 gigabytes=$2 requirements=$tbn_root/scripts/requirements/$3 earlier=$4
  shift 4
  local folder=$tbn_cache/$name wish complete
  wish="${requirements##*/} $(sha256sum < "$requirements" | cut -c 1-64)"
  complete=$(cat "$folder/.complete" 2> /dev/null || true)
  if [ "$complete" = "$wish" ] || [ "$complete" = "$earlier" ]; then
    say "$name: is there"
    return
  fi
  local free
  free=$(df -Pk "$tbn_cache" | awk 'NR == 2 {print int($4 / 1048576)}')
  [ "$free" -ge "$gigabytes" ] ||
    die "'$tbn_cache' has $free GB free, and $name needs $gigabytes GB; make room, or set" \
      "XDG_CACHE_HOME to a folder on a larger disk"
  say "$name: installing into $folder"
  unfinished=$folder.unfinished
  local log=$tbn_cache/$name.log
  rm -rf "$unfinished"
  local python=/usr/bin/python3
  [ -x $python ] && [ $install_packages = yes ] || python=python3
  $python -m venv "$unfinished" > "$log" 2>&1 ||
    die "'$python -m venv' failed (see $log); is the package python3-venv installed?"
  # A terminal sees pip's progress; its warnings and errors go to the log.
  local quiet=-q
  if [ -t 1 ]; then quiet=; fi
  "$unfinished/bin/python" -m pip --disable-pip-version-check install $quiet --retries 2 "$@" \
    --only-binary :all: --require-hashes -r "$requirements" 2> "$log" || pip_failed "$name" "$log"
  printf '%s\n' "$wish" > "$unfinished/.complete"
  rm -rf "$folder" "$log"
  mv "$unfinished" "$folder"
  unfinished=
}

pip_failed() {
  if grep -q 'No space left' "$2"; then
    die "$1: the disk filled up; make room in '$tbn_cache' and the temporary folder, and run again"
  elif grep -qE 'NewConnectionError|Temporary failure|Name or service|timed out|Max retries|Network is unreachable' "$2"; then
    die "$1: the download failed; check the network connection and run scripts/setup.sh again" \
      "(pip's own words: $2)"
  fi
  if grep -q 'DO NOT MATCH THE HASHES' "$2"; then
    die "$1: a package is another than scripts/requirements lists, or was damaged on its way; nothing" \
      "was installed (pip's own words: $2)"
  fi
  die "$1: pip could not install it; its own words are in $2"
}

# A stopped run leaves nothing behind, and two at once do not build the same folder.
unfinished=
trap '[ -z "$unfinished" ] || rm -rf "$unfinished"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

check_system
if [ $install_packages = yes ]; then install_system_packages; fi
mkdir -p "$tbn_cache" || die "cannot create '$tbn_cache'; set XDG_CACHE_HOME to a folder you own"
exec 9> "$tbn_cache/.lock"
flock -n 9 || { say "waiting for another scripts/setup.sh to finish"; flock 9; }

if [ $flavour = cuda ]; then
  # nvcc is made of four packages, beside the CUDA libraries that LibTorch brings.
  make_environment "libtorch-$tbn_torch_version-cuda" 10 libtorch-cuda.txt \
    "torch==$tbn_torch_version nvidia-cuda-nvcc==13.0.* nvidia-cuda-crt==13.0.* nvidia-nvvm==13.0.* nvidia-cuda-cccl==13.0.*"
else
  # The wheel's CPU library alone: of CUDA it needs two small libraries to be loaded at all.
  make_environment "libtorch-$tbn_torch_version-cpu" 3 libtorch-cpu.txt \
    "--no-deps torch==$tbn_torch_version nvidia-cuda-runtime==13.0.* nvidia-cuda-cupti==13.0.*" \
    --no-deps
fi
if [ $tests = yes ]; then
  make_environment test-tools 1 test-tools.txt 'numpy safetensors tensorboard h5py'
fi
if [ $checks = yes ]; then
  make_environment lint-tools 1 lint-tools.txt 'nothing earlier'
fi
say "set-up is complete"
