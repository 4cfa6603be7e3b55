#!/usr/bin/env bash
# Builds with the address and undefined behaviour sanitizers all that needs no LibTorch, and runs the tests that need no
# trainer: unit, golden, fuzz and mcu (the exported C, by the compiler of this machine). By clang 14 where it is
# installed (scripts/setup.sh --clang), so that the code is compiled by two compilers; else by GCC.
#   scripts/test_sanitized.sh                 everything
#   scripts/test_sanitized.sh -R runtime      those whose name matches; all arguments go to ctest
#   scripts/test_sanitized.sh --werror ...    with compiler warnings as errors, as continuous integration
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tbn_take_werror "$@"

preset=asan
if command -v clang++-14 > /dev/null; then
  preset=clang
else
  say "no clang++-14 here: GCC compiles this too"
fi
tbn_build $preset all -DTBN_TRAIN=OFF -DTBN_BUILD_TESTS=ON -DTBN_WERROR=$tbn_werror
say "testing build/$preset"
exec ctest --test-dir "$tbn_root/build/$preset" --output-on-failure -j "$(tbn_jobs)" \
  -L '^(unit|golden|fuzz|mcu)$' "${tbn_rest[@]}"
