#!/usr/bin/env bash
# Runs clang-tidy; a finding is an error. Some seconds per file, half a minute where it includes LibTorch.
#   scripts/lint.sh                    the .cpp files changed since the main branch's last commit common with this one
#   scripts/lint.sh --since <commit>   those changed since that commit
#   scripts/lint.sh <file>...          those
#   scripts/lint.sh --all              every file that has not passed as it is, with its headers, before
#   scripts/lint.sh --ci [minutes]     the same without the slow static analyzer (clang-analyzer-*), those that changed
#                                      last first, for ten minutes: what is left then, it says, and the next run
#                                      takes; where nothing has passed before, files that include LibTorch are left out
# What has passed is kept in the cache (lint/ in ~/.cache/tbn), by content.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

linter=$(compgen -G "$tbn_cache/lint-tools/lib/python3*/site-packages/clang_tidy/data/bin/clang-tidy") ||
  die "clang-tidy is missing; run scripts/setup.sh --checks"
cd "$tbn_root"
# clang cannot read GCC's precompiled headers: a build folder of its own, only configured.
cmake --preset dev -B build/lint -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DTBN_BUILD_TESTS=ON \
  -DTBN_CUDA=OFF > /dev/null || die "configuring failed; run scripts/setup.sh"

# tidy_one "<key to note where it passes, or -> <file>"
tidy_one() {
  local key=${1%% *} file=${1#* }
  if [ -n "$until" ] && [ "$(date +%s)" -ge "$until" ]; then
    echo "$file" >> "$left"
    return 0
  fi
  "$linter" --quiet --warnings-as-errors='*' ${checks:+"--checks=$checks"} -p build/lint "$file" 2> /dev/null || return 1
  [ "$key" = - ] || : > "$passed/$key"
}
export -f tidy_one
export linter passed=$tbn_cache/lint checks='' until='' left=''

# The lines of standard input, those of files that a commit changed last first.
latest_first() {
  awk 'NR == FNR {if ($0 != "" && !($0 in age)) age[$0] = ++n; next}
       {print ($2 in age ? age[$2] : n + 1) " " $0}' <(git log --format= --name-only -n 300) - | sort -n -s -k 1,1 | cut -d ' ' -f 2-
}

case ${1:-} in
  --all | --ci)
    mkdir -p "$passed"
    options=()
    if [ "$1" = --ci ]; then
      checks='-clang-analyzer-*'
      options=(--quick)
      if [ -z "$(ls -A "$passed")" ]; then
        say "no file has passed before: those that include LibTorch are left out; scripts/lint.sh --all takes them too"
        options+=(--without-libtorch)
      fi
    fi
    version=$("$linter" --version | sed -n 's/.*version //p')
    mapfile -t work < <(python3 scripts/lint_keys.py build/lint "$passed" "$version" "${options[@]}" | latest_first)
    if [ "$1" = --ci ]; then
      minutes=${2:-10}
      [[ $minutes =~ ^[0-9]+$ ]] || die "--ci takes whole minutes, not '$minutes'"
      until=$(($(date +%s) + 60 * minutes))
      left=$(mktemp)
      trap 'rm -f "$left"' EXIT
    fi
    ;;
  *)
    if [ $# -gt 0 ] && [ "$1" != --since ]; then
      files=("$@")
    else
      base=${2:-$(git merge-base HEAD main)}
      mapfile -t files < <(git diff --name-only --diff-filter=d "$base" -- '*.cpp'
        git ls-files --others --exclude-standard -- '*.cpp')
    fi
    work=("${files[@]/#/- }")
    ;;
esac
[ ${#work[@]} -gt 0 ] || { say "nothing to look at"; exit 0; }
say "clang-tidy on ${#work[@]} files"
printf '%s\n' "${work[@]}" |
  xargs -d '\n' -n 1 -P "$(tbn_jobs)" bash -c 'tidy_one "$1"' _ ||
  die "clang-tidy has findings, see above"
if [ -n "$left" ] && [ -s "$left" ]; then
  say "$minutes minutes are over: $(wc -l < "$left") files are left for the next run, or for scripts/lint.sh --all"
fi
say "clang-tidy has no findings"
