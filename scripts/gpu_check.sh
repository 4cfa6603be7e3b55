#!/usr/bin/env bash
# Builds tbn on a machine with a GPU, runs the tests that need one, the ladder of kernels and the
# bars, and writes what came out as Markdown. It ends within 8 minutes (--minutes): each part has a limit,
# and what there is no time for is reported. On a machine without a GPU it goes as far as it can, and
# rows say "not run on a GPU".
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat << END
usage: scripts/gpu_check.sh [--deps <folder>] [--torch <folder>] [--out <folder>] [--data <folder>]
                            [--build <folder>] [--minutes <n>] [--no-torch] [--train]

  --deps <folder>   where yaml-cpp, spdlog, fmt, cxxopts, Catch2, zlib, libjpeg and libspng are unpacked, as
                    dpkg -x leaves them (usr/include, usr/lib); default: the system's
  --torch <folder>  LibTorch 2.11 with CUDA; default: the torch of python3
  --out <folder>    where gpu.md and the logs go; default: docs, and the logs to the build folder
  --data <folder>   where CIFAR-10 in binary form lies, for --train
  --build <folder>  default: build/gpu
  --minutes <n>     for all of it, but for --train; default: 8
  --no-torch        without the trainer, its rivals and its bars
  --train           also train configs/cifar10/resnet18_p4_fast.yaml to its end (minutes more)

Needs nvcc, CMake, Ninja and a C++20 compiler.
END
}

deps='' torch='' out='' data='' build=$tbn_root/build/gpu minutes=8 with_torch=ON train=no
while [ $# -gt 0 ]; do
  case $1 in
    --deps | --torch | --out | --data | --build | --minutes)
      [ $# -ge 2 ] || die "$1 needs a value"
      printf -v "${1#--}" %s "$2"
      shift
      ;;
    --no-torch) with_torch=OFF ;;
    --train) train=yes ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; die "unknown argument '$1'" ;;
  esac
  shift
done
case $minutes in
  '' | *[!0-9]* | 0) die "--minutes is '$minutes', and must be a whole number above 0" ;;
esac
for tool in nvcc cmake ninja; do
  command -v $tool > /dev/null || die "$tool is not on the PATH"
done
if [ $with_torch = ON ] && [ -z "$torch" ]; then
  torch=$(python3 -c 'import os, torch; print(os.path.dirname(torch.__file__))' 2> /dev/null) ||
    die "python3 has no torch; name LibTorch with --torch, or leave the trainer out with --no-torch"
fi
[ $train = no ] || [ -n "$data" ] || die "--train needs --data <folder with CIFAR-10>"

report=${out:-$tbn_root/docs}/gpu.md
logs=${out:-$build/logs}
mkdir -p "$logs" "$(dirname "$report")" "$build"
draft=$logs/gpu.md.draft
failures=0
note() { printf '%s\n' "$@" >> "$draft"; }

# part <log> <seconds> <command>...: runs it with a limit; its code is in $code, its seconds in $took.
# Without time left it is not run, and the code is 75.
part() {
  local log=$logs/$1.log limit=$2 start=$SECONDS left=$((minutes * 60 - SECONDS - 5))
  shift 2
  limit=$((limit < left ? limit : left))
  if [ "$limit" -lt 5 ]; then
    code=75 took=0
    return
  fi
  say "${log##*/}: $*"
  code=0
  timeout --kill-after=10 "$limit" "$@" > "$log" 2>&1 || code=$?
  took=$((SECONDS - start))
}

# verdict <what>: a line of the report on the part that just ran.
verdict() {
  case $code in
    0) note "* $1: passed ($took s)" ;;
    77) note "* $1: **not run on a GPU**" ;;
    75) note "* $1: **not run**, the $minutes minutes were over"; failures=$((failures + 1)) ;;
    124 | 137) note "* $1: **ran past its time limit** ($took s)"; failures=$((failures + 1)) ;;
    *) note "* $1: **failed with code $code** ($took s)"; failures=$((failures + 1)) ;;
  esac
}

# The compute capability of the first device as CMake names it, "90a-real"; that of Hopper devices
# where there is none.
architecture() {
  local capability
  capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2> /dev/null | head -n 1 |
    tr -d '. ') || capability=
  case $capability in
    90 | '') echo 90a-real ;;
    *[!0-9]*) echo 90a-real ;;
    *) echo "$capability-real" ;;
  esac
}

has_gpu=no
if tbn_has_driver; then has_gpu=yes; fi

# tool_part <log> <seconds> <what> <command>...: a tool whose output is a part of the report.
tool_part() {
  local log=$1 limit=$2 what=$3
  shift 3
  local shown=${*//"$tbn_root/"/}
  shown=${shown//*"/bin/"/}
  note '' "### $what" ''
  if [ $has_gpu = no ]; then
    note "**not run on a GPU**: \`$shown\`"
    return
  fi
  part "$log" "$limit" "$@"
  note "\`$shown\`" ''
  if [ "$code" -ne 75 ]; then cat "$logs/$log.log" >> "$draft"; fi
  if [ "$code" -ne 0 ]; then
    note '' "**It ended with code $code.**"
    failures=$((failures + 1))
  fi
}

describe_machine() {
  local gpu='no GPU' driver=none
  if [ $has_gpu = yes ]; then
    gpu=$(nvidia-smi --query-gpu=name --format=csv,noheader | head -n 1)
    driver=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader | head -n 1)
  fi
  note "# On a GPU" '' \
    "Written by \`scripts/gpu_check.sh\`. Times are medians; what could not be run says so." '' \
    "* date: $(date -u '+%Y-%m-%d %H:%M UTC')" \
    "* device: $gpu, driver $driver" \
    "* CUDA: $(nvcc --version | sed -n 's/.*release \([0-9.]*\).*/\1/p'), code for $(architecture)" \
    "* source: $(git -C "$tbn_root" rev-parse --short HEAD 2> /dev/null || echo 'no repository')"
}

configure_and_build() {
  local arguments=(-G Ninja -S "$tbn_root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DTBN_CUDA=ON
    -DTBN_BUILD_TESTS=ON "-DTBN_CUDA_ARCHITECTURES=$(architecture)" -DTBN_TRAIN=$with_torch
    -DTBN_TRAIN_CUDA=$with_torch)
  if [ $with_torch = ON ]; then arguments+=("-DTBN_LIBTORCH=$torch"); fi
  if [ -n "$deps" ]; then
    arguments+=("-DCMAKE_PREFIX_PATH=$deps/usr" "-DCMAKE_CXX_FLAGS=-isystem $deps/usr/include")
    export LD_LIBRARY_PATH=$deps/usr/lib/x86_64-linux-gnu:$deps/usr/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  fi
  part configure 300 cmake "${arguments[@]}"
  if [ $code -eq 0 ]; then
    local targets=(tbn_gpu_tests tbn_cuda_ladder)
    cmake --build "$build" --target help | grep -q '^tbn_cuda_tests:' && targets+=(tbn_cuda_tests
      tbn_cuda_shuffled tbn_cuda_ladder_emulated)
    if [ $with_torch = ON ]; then targets+=(tbn-train tbn-eval tbn-bench tbn_gpu_training); fi
    part build 3600 cmake --build "$build" -j "$(tbn_jobs)" --target "${targets[@]}"
  fi
  verdict "build"
  [ $code -eq 0 ] || {
    tail -n 30 "$logs"/{configure,build}.log 2> /dev/null >&2
    note '' "The rest was not run." && finish
  }
}

finish() {
  mv "$draft" "$report"
  say "the report is $report; $failures part(s) failed"
  [ $failures -eq 0 ] || exit 1
  exit 0
}

run_tests() {
  part host_tests 600 ctest --test-dir "$build" -L cuda --output-on-failure -j "$(tbn_jobs)"
  verdict "index arithmetic and whole networks in the emulator (ctest -L cuda)"
  part gpu_tests 120 ctest --test-dir "$build" -L gpu --output-on-failure
  if [ $has_gpu = no ] && [ $code -eq 0 ]; then code=77; fi
  verdict "the same tests on the device (ctest -L gpu)"
  if [ $has_gpu = yes ] && command -v compute-sanitizer > /dev/null; then
    part sanitizer 90 compute-sanitizer --tool memcheck --leak-check full --error-exitcode 1 \
      "$build/bin/tbn_gpu_tests"
    verdict "no wrong access and no leak under compute-sanitizer"
  else
    code=77
    verdict "no wrong access and no leak under compute-sanitizer"
  fi
}

run_ladder() {
  note '' "## The ladder" '' \
    "Every kernel that computes a layer, beside the quickest of cuBLASLt's first 32 algorithms for" \
    "the dense product in bf16 (of a convolution: laid out as a matrix already, which costs it" \
    "nothing here). CUDA graphs, inputs rotated, all outputs written. Floors are an H200's, worked" \
    "out beforehand; the bar is on the quickest kernel." ''
  part ladder 150 "$build/bin/tbn_cuda_ladder"
  if [ $code -ne 75 ]; then cat "$logs/ladder.log" >> "$draft"; fi
  case $code in
    0 | 77) ;;
    *)
      note '' "**It ended with code $code.**"
      failures=$((failures + 1))
      ;;
  esac
}

run_networks() {
  note '' "## Whole networks" ''
  if [ $with_torch = OFF ]; then
    note "**not run**: built without the trainer, whose LibTorch is the rival"
    return
  fi
  local bench=$build/bin/tbn-bench on=(--device cuda --precision bf16)
  tool_part resnet18 60 "ResNet-18, 224 x 224, batch 64, p = 4 (bar 1.8)" "$bench" infer \
    --config "$tbn_root/configs/bench/resnet18_224_p4.yaml" "${on[@]}" --batch 64
  tool_part vit_1 60 "ViT of ImageNet's size, batch 1, p = 4 (bar 3; under 12 MiB beside activations)" \
    "$bench" infer --config "$tbn_root/configs/bench/vit_imagenet_p4.yaml" "${on[@]}" --batch 1
  tool_part vit_64 60 "ViT of ImageNet's size, batch 64, p = 4 (bar 3)" \
    "$bench" infer --config "$tbn_root/configs/bench/vit_imagenet_p4.yaml" "${on[@]}" --batch 64
  tool_part train_step 90 "A training step, ResNet-18 on CIFAR-10, p = 4, batch 512 (bar: 0.7 of dense)" \
    "$bench" train --config "$tbn_root/configs/cifar10/resnet18_p4_fast.yaml" train.device=cuda
  if [ $train = yes ]; then
    minutes=$((minutes + 8))
    tool_part train_run 420 "CIFAR-10 to 93.1 % (bar: 3 minutes)" "$build/bin/tbn-train" \
      --config "$tbn_root/configs/cifar10/resnet18_p4_fast.yaml" train.device=cuda \
      "data.root=$data" "output=$logs/runs" --overwrite
  else
    note '' "### CIFAR-10 to 93.1 % (bar: 3 minutes)" '' "**not run on a GPU** (\`--train --data <folder>\` runs it)"
  fi
}

: > "$draft"
describe_machine
note '' "## Checks" ''
configure_and_build
run_tests
run_ladder
run_networks
finish
