#!/usr/bin/env bash
# Rewrites the golden texts in tests/golden/ and configs/reference.yaml from what the program says now.
# Read the difference before committing it.
set -euo pipefail
cd "$(dirname "$0")/.."
TBN_APPROVE=1 ctest --test-dir build/dev -L golden --output-on-failure || true
TBN_APPROVE=1 ctest --test-dir build/dev -R '^unit\.config_load$' --output-on-failure || true
git --no-pager diff --stat -- tests/golden configs/reference.yaml
