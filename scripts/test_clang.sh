#!/usr/bin/env bash
# Builds with clang 14 all that needs no LibTorch, and runs the tests that need no trainer: unit, golden and fuzz.
# Needs scripts/setup.sh --clang.
#   scripts/test_clang.sh                 everything
#   scripts/test_clang.sh -R runtime      those whose name matches; all arguments go to ctest
#   scripts/test_clang.sh --werror ...    with compiler warnings as errors, as continuous integration
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tbn_take_werror "$@"

if ! command -v clang++-14 > /dev/null; then
  say "the tests with clang are SKIPPED: clang++-14 is missing; scripts/setup.sh --clang installs it"
  exit 0
fi

tbn_build clang all -DTBN_BUILD_TESTS=ON -DTBN_WERROR=$tbn_werror
say "testing build/clang"
exec ctest --test-dir "$tbn_root/build/clang" --output-on-failure -j "$(tbn_jobs)" \
  -L '^(unit|golden|fuzz)$' "${tbn_rest[@]}"
