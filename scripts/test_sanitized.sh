#!/usr/bin/env bash
# Builds with the address and undefined behaviour sanitizers all that needs no LibTorch, and runs the tests that need no
# trainer: unit, golden, fuzz and mcu (the exported C, by the compiler of this machine).
#   scripts/test_sanitized.sh                 everything
#   scripts/test_sanitized.sh -R runtime      those whose name matches; all arguments go to ctest
#   scripts/test_sanitized.sh --werror ...    with compiler warnings as errors, as continuous integration
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tbn_take_werror "$@"

tbn_build asan all -DTBN_TRAIN=OFF -DTBN_BUILD_TESTS=ON -DTBN_WERROR=$tbn_werror
say "testing build/asan"
exec ctest --test-dir "$tbn_root/build/asan" --output-on-failure -j "$(tbn_jobs)" \
  -L '^(unit|golden|fuzz|mcu)$' "${tbn_rest[@]}"
