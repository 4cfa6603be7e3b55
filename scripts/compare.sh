#!/usr/bin/env bash
# Trains the demo's network and its twins under the same recipe and number of epochs, and writes the
# comparison to docs/results.md, their logs to docs/logs/fashion_mnist/.
#   scripts/compare.sh                     all twins, seed 1 (about an hour on two cores)
#   scripts/compare.sh --seeds "1 2" p4 float
# A run that is complete already (runs/compare/<twin>_seed<k>) is not trained again.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$tbn_root"

seeds=1
if [ "${1:-}" = --seeds ]; then
  seeds=${2:?--seeds needs a list, for example "1 2"}
  shift 2
fi
twins=("$@")
if [ ${#twins[@]} -eq 0 ]; then twins=(p4 float p1 p1_half p8); fi

scripts/setup.sh
preset=release
if [ "$(tbn_preset)" = cuda ]; then preset=cuda; fi
tbn_build $preset all -DTBN_BUILD_TESTS=OFF
bin=build/$preset/bin

for seed in $seeds; do
  for twin in "${twins[@]}"; do
    name=${twin}_seed$seed
    run=runs/compare/$name
    if [ ! -f "$run/packed.json" ]; then
      say "training $name"
      "$bin/tbn-train" --config "configs/fashion_mnist/resnet_$twin.yaml" --overwrite \
        output=runs/compare name="$name" train.seed="$seed"
      "$bin/tbn-export" "$run" -o "$run/$twin.tbn"
      "$bin/tbn-eval" "$run/$twin.tbn" --json > "$run/packed.json.part"
      mv "$run/packed.json.part" "$run/packed.json"
    fi
    python3 scripts/keep_run.py --tools "$bin" --packed "$run/packed.json" --overwrite \
      "$run" "docs/logs/fashion_mnist/$name"
  done
done
python3 scripts/compare_table.py docs/logs/fashion_mnist docs/results.md
