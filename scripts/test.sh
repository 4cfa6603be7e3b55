#!/usr/bin/env bash
# Sets up, builds and runs every test.
#   scripts/test.sh                   everything
#   scripts/test.sh -L unit           one kind: unit, golden, parity, fuzz, e2e, mcu, cuda or gpu
#   scripts/test.sh -R resnet         those whose name matches; all arguments go to ctest
#   scripts/test.sh --werror ...      with compiler warnings as errors, as continuous integration
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tbn_take_werror "$@"

"$tbn_root/scripts/setup.sh" --tests
preset=$(tbn_preset)
cuda=OFF
architectures=()
if tbn_has_nvcc; then
  cuda=ON
  # Nothing runs where no driver answers: the oldest and the newest devices show what would not compile.
  [ "$preset" = cuda ] || architectures=("-DTBN_CUDA_ARCHITECTURES=75-real;90a-real")
else
  say "no nvcc here: the kernels for CUDA devices are not compiled"
fi
tbn_build "$preset" all -DTBN_BUILD_TESTS=ON -DTBN_WERROR=$tbn_werror -DTBN_CUDA=$cuda "${architectures[@]}"
say "testing build/$preset"
exec ctest --test-dir "$tbn_root/build/$preset" --output-on-failure -j "$(tbn_jobs)" "${tbn_rest[@]}"
