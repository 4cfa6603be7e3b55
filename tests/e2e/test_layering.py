"""Checks the include rules: who may see LibTorch, CUDA, other libraries, and which room may see
which. The rules are the tables below; docs/architecture.md says why, and prints the table of rooms."""

import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
SUFFIXES = {".h", ".cpp", ".c", ".cu", ".cuh"}

TORCH = re.compile(r"^(torch|ATen|c10|caffe2|gloo)/")
CUDA = re.compile(r"^(cuda|cublas|cudnn|cufft|curand|cusparse|cub/|thrust/|nccl|nvrtc|mma\.h)")

# Where LibTorch may be included; everywhere else it may not.
TORCH_ALLOWED = re.compile(
    r"^(src/train/|include/tbn/train\.h$|src/app/tbn_(train|eval|bench)\.cpp$"
    r"|tests/parity/|tests/bench/|tests/(unit|encodings)/.*_torch\.cpp$|tests/support/.*_torch\.(h|cpp)$"
    r"|tests/e2e/install_consumer/train\.cpp$)")
CUDA_ALLOWED = re.compile(r"^(src/runtime/cuda/|src/train/|tests/)")

# The rooms of the code, low to high: the folder, what is in it, and the rooms that its files may
# include from. Each sees rooms above its own line in this table alone. docs/architecture.md prints it.
ROOMS = (
    ("src/base", "errors, shapes, texts, counter-based random numbers", ""),
    ("src/tile", "the method: layout of a tile, aggregation, scalars, bits", ""),
    ("src/encodings", "one file per way to store weights; LayerRows, which is all that a runtime multiplies", "tile"),
    ("src/file", "JSON, safetensors, the .tbn container, atomic writes", "base"),
    ("src/prepare", "the rule of a packed file, and inputs made by it", "base file"),
    ("src/graph", "a network as data: ops, traits, shapes, tensors, text, JSON, policy", "base file encodings"),
    ("src/graph/passes", "from the trained graph to the packed one, one rewrite per file", "base encodings graph"),
    ("models", "the zoo: one file per family", "base graph"),
    ("src/log", "progress, CSV, TensorBoard", "base file"),

    ("src/data/source", "what every data set is made of: options, samples, bytes of files", "base file"),
    ("src/data/images", "image folders, CIFAR, IDX; decoding and random views", "base file prepare data/source"),
    ("src/data/points", "clouds: HDF5, text, generated", "base file prepare data/source"),
    ("src/data/series", "tables of numbers over time", "base file data/source"),
    ("src/data", "the registry of data sets, and batches of them", "base file prepare data/source data/images data/points data/series"),
    ("src/config", "YAML to settings and back", "base encodings file graph data/source"),

    ("src/runtime/plan", "what every backend knows of a packed network before it runs", "base encodings graph"),
    ("src/runtime/cpu/common", "what CPU kernels share", "runtime/plan"),
    ("src/runtime/cpu/reference", "plain loops: the oracle of every other backend", "graph runtime/cpu/common runtime/plan"),
    ("src/runtime/cpu/fast", "look-ups, bytes, floats; one file per instruction set", "base encodings graph runtime/cpu/common runtime/cpu/reference runtime/plan"),
    ("src/runtime/cpu", "a network as kernels in order", "base graph runtime/cpu/common runtime/cpu/fast runtime/cpu/reference runtime/plan"),
    ("src/runtime", "loading files, sessions, the C interface", "base prepare graph graph/passes runtime/cpu runtime/cpu/fast runtime/plan"),
    ("src/runtime/cuda/missing", "what answers where CUDA was left out", ""),
    ("src/runtime/cuda/device", "a device, its memory and instructions", "base"),
    ("src/runtime/cuda/layer", "a layer's shape and weights on a device", "encodings graph runtime/plan runtime/cuda/device"),
    ("src/runtime/cuda/step", "what a step is, and the makers of all but layers", "runtime/cuda/device"),
    ("src/runtime/cuda/kernels", "the kernels", "runtime/cuda/device runtime/cuda/layer runtime/cuda/step"),
    ("src/runtime/cuda/choice", "which kernel runs a layer: by measurement, by rule, by name",
     "base runtime/cuda/device runtime/cuda/layer runtime/cuda/step runtime/cuda/kernels"),
    ("src/runtime/cuda/program", "a network as steps in order; sessions",
     "base graph/passes runtime runtime/plan runtime/cuda/device runtime/cuda/layer runtime/cuda/step runtime/cuda/kernels runtime/cuda/choice"),
    ("src/firmware", "the C99 kernels of exported networks", ""),
    ("src/micro", "packed graphs lowered, calibrated and quantised for microcontrollers", "base file encodings graph"),

    ("src/eval", "metrics of every task; packed files on whole data sets", "base file prepare graph/passes data/source data runtime micro"),
    ("src/predict", "files of users as inputs of packed networks, and what outputs say",
     "base file prepare graph/passes data/images data/points data/series"),
    ("src/runs", "what the folders of runs say, tables of them, and sweeps", "base file config"),
    ("src/export", "packed models from checkpoints; C sources", "base file prepare graph graph/passes runtime micro"),

    ("src/search", "what layers may be stored as, what networks then cost, and ways to choose", "base encodings graph graph/passes micro export"),

    ("src/train/tiled/gpu", "the tiled op's kernels for CUDA devices", "base"),
    ("src/train/tiled", "the tiled op: aggregation, scalars, unique rows, fused norms", "base tile encodings train/tiled/gpu"),
    ("src/train/encodings", "how each encoding is trained: its LibTorch half, one file each", "encodings config train/tiled"),
    ("src/train/optim", "optimisers, their groups, schedules, averages of weights", "base config"),
    ("src/train/executor", "any graph as a LibTorch module", "base graph config train/encodings"),
    ("src/train/batches", "batches as tensors, from the loader or on the device", "config data/source data/images data"),
    ("src/train/state", "the state of a training: start values, checkpoints, the run's folder", "base file prepare graph config train/encodings train/optim train/executor"),
    ("src/train/step", "losses, one step, steps recorded on a device", "base file config data/source data eval train/batches train/executor train/state"),
    ("src/train/run", "the loop over epochs: evaluation, signals, resuming",
     "base file graph log config data/source data eval train/batches train/optim train/executor train/state train/step"),
    ("src/train/bench", "the trainer timed beside LibTorch", "base config graph/passes data/source data train/optim train/batches train/executor train/state train/step train/run"),

    ("src/train/search", "networks of a space trained and measured: supernet, sensitivity, resuming",
     "base file log config data search train/batches train/optim train/executor train/state train/step train/run"),

    ("src/app/support", "what the tools share: options, tables, a network and its data", "base file prepare graph/passes micro config data/source data eval"),
    ("src/app/command", "the parts of tbn that are no tool of their own", "base file graph config data app/support"),
    ("src/app/export", "the parts of tbn-export", "base file graph/passes config data/source data runtime micro eval export app/support"),
    ("src/app/predict", "the parts of tbn-predict", "base file graph/passes data/series data eval export predict app/support"),
    ("src/app/runs", "the parts of tbn-runs", "base file log config runs app/support"),
    ("src/app/train", "the parts of tbn-train", "base file config data/source data eval export train/run app/support"),
    ("src/app/bench", "the parts of tbn-bench", "base encodings file graph config data train/run train/bench app/support"),
    ("src/app/search", "the parts of tbn-search", "base encodings file config data/source search train/run train/search app/support app/train"),
    ("src/app", "the tools: parse, call, print",
     "base file prepare graph config data runtime micro eval export predict search train/optim train/state train/run train/search app/support app/command app/export app/predict app/runs app/train app/bench app/search"),
)
SEEN = {room: {f"src/{name}" for name in seen.split()} for room, _, seen in ROOMS}
# Rooms that know the standard library and tbn alone.
STANDARD_ONLY = re.compile(r"^(src/(base|tile|encodings|file|graph|prepare|micro|export|search|runtime)/|models/)")
# Not the C++ standard but the system's: only writing files safely needs it.
POSIX = {"fcntl.h", "unistd.h", "sys/stat.h", "sys/types.h", "sys/mman.h"}
POSIX_ALLOWED = {"src/base", "src/file"}
# Where Linux says what the processor can.
PROCESSOR = ("src/runtime/cpu/fast/isa.cpp", "sys/auxv.h")
# Compiled for instructions that not every processor has: an inline function from a header could be
# the copy that the linker takes for the whole program, so these see intrinsics and plain data only.
INSTRUCTION_SET = re.compile(r"^src/runtime/cpu/.*_(avx2|avx512|neon|neon_dotprod)\.(cpp|h)$")
INSTRUCTION_SET_HEADERS = {
    "arm_neon.h",
    "immintrin.h",
    "runtime/cpu/fast/add_patterns.h",
    "runtime/cpu/fast/byte_loops.h",
    "runtime/cpu/fast/byte_signs_neon.h",
    "runtime/cpu/fast/float_loops.h",
    "runtime/cpu/fast/isa.h",
    "runtime/cpu/fast/unrolled.h",
}
# The public C headers, and what C99 offers them.
C_HEADERS = {"include/tbn/tbn_c.h", "include/tbn_micro.h"}
C_STANDARD = {"stddef.h", "stdint.h"}
# What runs on a microcontroller, which may have no more of the C library.
MICRO = re.compile(r"^src/firmware/")
MICRO_HEADERS = {"tbn_micro.h", "stdint.h", "string.h"}
# Programs of users: what is installed, the standard libraries, and nothing of ours besides.
EXAMPLES = re.compile(r"^examples/")
PUBLIC_FREE = re.compile(r"^include/tbn/(?!train\.h$)")


def sources():
    for top in ("include", "src", "models", "tests", "examples"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix in SUFFIXES:
                yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def is_standard(header):
    # <vector>, <cstdint>; names with a slash or an ending belong to somebody else.
    return "/" not in header and "." not in header


def room_of(name):
    return name.rpartition("/")[0]


def folder_of(header, including):
    """The repository's folder of a quoted include, or None when no such file is there."""
    beside = (ROOT / including).parent / header
    for candidate in (ROOT / "include" / header, ROOT / "src" / header, ROOT / header, beside):
        if candidate.is_file():
            return candidate.resolve().relative_to(ROOT).as_posix()
    return None


def violations(name, text):
    """One sentence for each include of file `name` that breaks a rule."""
    room = room_of(name)
    layer = room if STANDARD_ONLY.match(name) else None
    device = name.startswith("src/runtime/cuda/")
    for quote, header in INCLUDE.findall(text):
        if INSTRUCTION_SET.match(name):
            if header not in INSTRUCTION_SET_HEADERS:
                yield f"{name} includes {header}: its inline functions would need the same processor"
        elif MICRO.match(name):
            if header not in MICRO_HEADERS:
                yield f"{name} includes {header}: a microcontroller has no more than stdint and string"
        elif name in C_HEADERS:
            if quote != "<" or header not in C_STANDARD:
                yield f"{name} includes {header}: it is C99 and needs its sizes of integers alone"
        elif EXAMPLES.match(name):
            # Files beside it are the example's own.
            if quote == '"' and (ROOT / name).parent.joinpath(header).is_file():
                continue
            if quote != "<" or not (header.startswith("tbn/") or is_standard(header.removesuffix(".h"))):
                yield f"{name} includes {header}: examples know the installed headers alone"
        elif TORCH.match(header) and not TORCH_ALLOWED.match(name):
            yield f"{name} includes {header}: LibTorch belongs to src/train and its tools"
        elif CUDA.match(header) and not CUDA_ALLOWED.match(name):
            yield f"{name} includes {header}: CUDA belongs to src/runtime/cuda and src/train"
        elif layer and quote == "<" and not device:
            posix = header in POSIX and room in POSIX_ALLOWED
            if not is_standard(header) and not posix and (name, header) != PROCESSOR:
                yield f"{name} includes <{header}>: {layer} knows the standard library and tbn alone"
        elif PUBLIC_FREE.match(name) and quote == "<" and not is_standard(header):
            yield f"{name} includes <{header}>: public headers need the standard library alone"
        elif PUBLIC_FREE.match(name) and quote == '"' and not header.startswith("tbn/"):
            yield f"{name} includes {header}: a public header may include public headers alone"
        elif room in SEEN and quote == '"':
            target = folder_of(header, name)
            if target is None:
                yield f"{name} includes {header}, which is no file of tbn"
            elif not target.startswith("include/") and room_of(target) not in SEEN[room] | {room}:
                yield f"{name} includes {header}: {room} may not see {room_of(target)}"


def picture():
    """The table as docs/architecture.md prints it."""
    lines = ["| room | what it is | may include from |", "|---|---|---|"]
    for room, purpose, seen in ROOMS:
        lines.append(f"| `{room}` | {purpose} | {' '.join(f'`{name}`' for name in seen.split())} |".replace("|  |", "| |"))
    return "\n".join(lines)


class Layering(unittest.TestCase):
    def test_every_file_keeps_the_rules(self):
        found = [line for name, text in sources() for line in violations(name, text)]
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_the_table_has_a_row_for_every_room_and_no_other(self):
        found = {room_of(name) for name, _ in sources() if name.startswith(("src/", "models/"))}
        self.assertEqual(found, set(SEEN))

    def test_no_room_sees_one_that_stands_below_it_in_the_table(self):
        above = set()
        for room, _, _ in ROOMS:
            self.assertEqual(SEEN[room] - above, set(), f"{room} sees rooms that are not above it")
            above.add(room)

    def test_each_permission_is_used(self):
        used = {room: set() for room in SEEN}
        for name, text in sources():
            room = room_of(name)
            for quote, header in INCLUDE.findall(text):
                target = folder_of(header, name) if quote == '"' and room in SEEN else None
                if target is not None and not target.startswith("include/"):
                    used[room].add(room_of(target))
        idle = [f"{room} -> {seen}" for room in SEEN for seen in sorted(SEEN[room] - used[room])]
        self.assertEqual(idle, [])

    def test_the_document_prints_the_table(self):
        text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
        self.assertIn(picture(), text, "docs/architecture.md must have these lines:\n" + picture())

    def test_forbidden_includes_are_seen(self):
        for name, line in (
            ("src/graph/graph.cpp", "#include <torch/torch.h>"),
            ("src/runtime/cpu/x.cpp", "  #  include <ATen/ATen.h>"),
            ("src/data/idx.cpp", "#include <c10/util/Optional.h>"),
            ("src/tile/pack.cpp", "#include <cuda_runtime.h>"),
            ("src/app/tbn_export.cpp", "#include <torch/torch.h>"),
            ("src/file/json.cpp", "#include <fmt/format.h>"),
            ("src/runtime/cpu/x.cpp", "#include <unistd.h>"),
            ("src/runtime/cpu/x.cpp", "#include <immintrin.h>"),
            ("src/runtime/cpu/x.cpp", "#include <sys/auxv.h>"),
            ("src/runtime/cpu/fast/x_avx2.cpp", "#include <vector>"),
            ("src/runtime/cpu/fast/x_neon.h", "#include <array>"),
            ("src/runtime/cpu/fast/x_neon_dotprod.cpp", "#include <algorithm>"),
            ("src/base/error.cpp", '#include "tile/nothing_here.h"'),
            ("src/tile/pack.cpp", '#include "graph/passes/passes.h"'),
            ("include/tbn/graph.h", '#include "graph/passes/passes.h"'),
            ("include/tbn/graph.h", "#include <yaml-cpp/yaml.h>"),
            ("include/tbn/tbn_c.h", "#include <vector>"),
            ("include/tbn/tbn_c.h", '#include "tbn/runtime.h"'),
            ("include/tbn_micro.h", "#include <string.h>"),
            ("src/firmware/tbn_micro.c", "#include <stdlib.h>"),
            ("examples/c/classify.c", '#include "tbn/tbn_c.h"'),
            ("examples/mcu/main.c", '#include "tbn/tbn_c.h"'),
            ("examples/cpp/classify.cpp", "#include <fmt/format.h>"),
        ):
            self.assertEqual(len(list(violations(name, line))), 1, f"{name}: {line}")

    def test_allowed_includes_pass(self):
        for name, line in (
            ("src/train/step/loss.cpp", "#include <torch/torch.h>"),
            ("include/tbn/train.h", "#include <torch/torch.h>"),
            ("src/graph/graph.cpp", "#include <vector>"),
            ("src/graph/graph.cpp", '#include "tbn/graph.h"'),
            ("src/runtime/cuda/kernels.cu", "#include <cuda_runtime.h>"),
            ("src/data/idx.cpp", "#include <zlib.h>"),
            ("include/tbn/tbn_c.h", "#include <stdint.h>"),
            ("src/firmware/tbn_micro.c", "#include <string.h>"),
            ("examples/c/classify.c", "#include <stdio.h>"),
            ("examples/mcu/tbn_micro.c", '#include "tbn_micro.h"'),
        ):
            self.assertEqual(list(violations(name, line)), [], f"{name}: {line}")


class LinkedLibraries(unittest.TestCase):
    """The tools that need no LibTorch do not load it either."""

    def test_export_and_inspect_do_not_link_libtorch(self):
        for tool in ("tbn-export", "tbn-inspect", "tbn-predict", "tbn-runs"):
            out = subprocess.run(["ldd", BIN / tool], check=True, capture_output=True, text=True)
            self.assertIn("libc.so", out.stdout)
            self.assertNotIn("torch", out.stdout, tool)


if __name__ == "__main__":
    BIN = pathlib.Path(sys.argv.pop(1))
    unittest.main()
