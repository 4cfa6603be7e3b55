#!/usr/bin/env bash
# Cross-compiles core, runtime and exporter for 64-bit ARM and runs their tests in an emulator, as
# processors with and without dot products. Needs scripts/setup.sh --arm.
#   scripts/test_arm.sh                 everything
#   scripts/test_arm.sh -R runtime      those whose name matches; all arguments go to ctest
#   scripts/test_arm.sh --werror ...    with compiler warnings as errors, as continuous integration
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tbn_take_werror "$@"

skip() {
  say "the tests for ARM are SKIPPED: $*"
  exit 0
}
for program in aarch64-linux-gnu-g++ qemu-aarch64; do
  command -v $program > /dev/null ||
    skip "$program is missing; scripts/setup.sh --arm installs it"
done
[ -f /usr/include/catch2/catch.hpp ] ||
  skip "they need Catch2 version 2, which is a header, and version 3 is a library for x86 alone"

tbn_build aarch64 all -DTBN_BUILD_TESTS=ON -DTBN_WERROR=$tbn_werror
say "testing build/aarch64"
exec ctest --test-dir "$tbn_root/build/aarch64" --output-on-failure -j "$(tbn_jobs)" "${tbn_rest[@]}"
