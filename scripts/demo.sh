#!/usr/bin/env bash
# The main job on real data: sets up, builds, trains a tiled residual network on Fashion-MNIST, evaluates
# it, exports it, and runs the packed file without LibTorch. Ends with a table. All arguments are
# settings for tbn-train: scripts/demo.sh train.epochs=1
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$tbn_root"

started=$SECONDS
scripts/setup.sh
preset=release
if [ "$(tbn_preset)" = cuda ]; then preset=cuda; fi
tbn_build $preset all -DTBN_BUILD_TESTS=OFF
bin=build/$preset/bin
run=runs/demo
packed=$run/fashion_mnist.tbn

say "training configs/fashion_mnist/resnet_p4.yaml -> $run"
trained=$SECONDS
"$bin/tbn-train" --config configs/fashion_mnist/resnet_p4.yaml --overwrite name=demo "$@"
trained=$((SECONDS - trained))

say "evaluating the checkpoint on the test split (LibTorch)"
"$bin/tbn-eval" $run --predictions $run/checkpoint.predictions --json > $run/checkpoint.json
say "exporting to $packed"
"$bin/tbn-export" $run -o $packed
say "running the packed file on the test split (no LibTorch)"
"$bin/tbn-eval" $packed --predictions $run/packed.predictions --json > $run/packed.json
"$bin/tbn-inspect" $packed --json > $run/inspect.json

differ=$(paste $run/checkpoint.predictions $run/packed.predictions | awk -F "\t" '$1 != $3' | wc -l)
python3 scripts/demo_table.py $run "$differ" $trained $((SECONDS - started))
