#!/usr/bin/env bash
# Runs clang-tidy on the .cpp files changed since a commit (default: the main branch's last one
# common with this one), or on those named. Slow: LibTorch's headers take half a minute a file.
#   scripts/lint.sh [<file>... | --since <commit>]
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

linter=$(command -v clang-tidy-14 || command -v clang-tidy) ||
  die "clang-tidy is missing; run scripts/setup.sh --checks"
cd "$tbn_root"
# clang cannot read GCC's precompiled headers: a build folder of its own, only configured.
cmake --preset dev -B build/lint -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON > /dev/null ||
  die "configuring failed; run scripts/setup.sh"

files=()
if [ $# -gt 0 ] && [ "$1" != --since ]; then
  files=("$@")
else
  base=${2:-$(git merge-base HEAD main)}
  mapfile -t files < <(git diff --name-only --diff-filter=d "$base" -- '*.cpp'
    git ls-files --others --exclude-standard -- '*.cpp')
fi
[ ${#files[@]} -gt 0 ] || { say "no changed .cpp files"; exit 0; }
say "clang-tidy on ${#files[@]} files"
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(tbn_jobs)" "$linter" --quiet -p build/lint
