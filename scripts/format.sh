#!/usr/bin/env bash
# Formats the C and C++ files that git tracks or would add. --check only names those that differ, and
# the comments over 100 columns, which clang-format leaves as they are.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Other versions of clang-format lay the same rules out differently.
formatter=$(command -v clang-format-14 || command -v clang-format) ||
  die "clang-format is missing; run scripts/setup.sh --checks"
"$formatter" --version | grep -q 'version 14\.' ||
  die "clang-format 14 is needed and this is $("$formatter" --version); run scripts/setup.sh --checks"

cd "$tbn_root"
files() {
  git ls-files -z --cached --others --exclude-standard -- \
    '*.cpp' '*.h' '*.c' '*.cu' '*.cuh' | while IFS= read -r -d '' file; do
    if [ -f "$file" ]; then printf '%s\0' "$file"; fi
  done
}

case ${1:-} in
  '')
    files | xargs -0 -r "$formatter" -i
    ;;
  --check)
    wrong=$(files | while IFS= read -r -d '' file; do
      "$formatter" "$file" | cmp -s - "$file" || printf '  %s\n' "$file"
    done)
    [ -z "$wrong" ] || die "these files are not formatted; run scripts/format.sh
$wrong"
    long=$(files | xargs -0 -r grep -HnE '^.{101,}' | grep -E '^[^:]+:[0-9]+: *//' | cut -c 1-80) || true
    [ -z "$long" ] || die "these comments are over 100 columns
$long"
    say "every file is formatted"
    ;;
  *) die "unknown argument '$1'; the only one is --check" ;;
esac
