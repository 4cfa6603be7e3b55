#!/usr/bin/env bash
# Builds the API reference from the public headers by Doxygen: build/docs/html/index.html. A public name
# without documentation, and every other warning, is an error.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ $# -eq 0 ] || die "unknown argument '$1'; there are none"
command -v doxygen > /dev/null || die "doxygen is missing; run scripts/setup.sh --checks"

cd "$tbn_root"
rm -rf build/docs
mkdir -p build/docs
doxygen docs/Doxyfile || die "the public headers are not fully documented, see above"
say "the API reference is build/docs/html/index.html"
