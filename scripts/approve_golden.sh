#!/usr/bin/env bash
# Rewrites the golden texts in tests/golden/ from what the program says now. Read the difference
# (git diff tests/golden) before committing it.
set -euo pipefail
cd "$(dirname "$0")/.."
TBN_APPROVE=1 ctest --test-dir build/dev -L golden --output-on-failure || true
git --no-pager diff --stat -- tests/golden
