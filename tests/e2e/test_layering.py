"""Checks the include rules: who may see LibTorch, CUDA, other libraries, and which layer may see
which. The rules are the tables below; CONTRIBUTING.md says why."""

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
    r"|tests/parity/|tests/bench/|tests/unit/.*_torch\.cpp$|tests/support/.*_torch\.(h|cpp)$"
    r"|tests/e2e/install_consumer/train\.cpp$)")
CUDA_ALLOWED = re.compile(r"^(src/runtime/cuda/|src/train/|tests/)")

# Folders that know the standard library and tbn alone, and the folders of ours that each may see
# besides itself and include/tbn.
STANDARD_ONLY = {
    "src/base": set(),
    "src/tile": {"src/base"},
    "src/file": {"src/base"},
    "src/graph": {"src/base", "src/tile", "src/file"},
    "src/prepare": {"src/base", "src/file"},
    "models": {"src/base", "src/graph"},
    "src/micro": {"src/base", "src/tile", "src/file", "src/graph"},
    "src/export": {"src/base", "src/tile", "src/file", "src/graph", "src/prepare", "src/runtime", "src/micro"},
    "src/runtime": {"src/base", "src/tile", "src/file", "src/graph", "src/prepare"},
}
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


def folder_of(header, including):
    """The repository's folder of a quoted include, or None when no such file is there."""
    beside = (ROOT / including).parent / header
    for candidate in (ROOT / "include" / header, ROOT / "src" / header, ROOT / header, beside):
        if candidate.is_file():
            return candidate.resolve().relative_to(ROOT).as_posix()
    return None


def violations(name, text):
    """One sentence for each include of file `name` that breaks a rule."""
    layer = next((folder for folder in STANDARD_ONLY if name.startswith(folder + "/")), None)
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
            posix = header in POSIX and layer in POSIX_ALLOWED
            if not is_standard(header) and not posix and (name, header) != PROCESSOR:
                yield f"{name} includes <{header}>: {layer} knows the standard library and tbn alone"
        elif PUBLIC_FREE.match(name) and quote == "<" and not is_standard(header):
            yield f"{name} includes <{header}>: public headers need the standard library alone"
        elif PUBLIC_FREE.match(name) and quote == '"' and not header.startswith("tbn/"):
            yield f"{name} includes {header}: a public header may include public headers alone"
        elif layer and quote == '"':
            target = folder_of(header, name)
            if target is None:
                yield f"{name} includes {header}, which is no file of tbn"
            elif not target.startswith(("include/tbn/", layer + "/")):
                if not any(target.startswith(f + "/") for f in STANDARD_ONLY[layer]):
                    yield f"{name} includes {header}: {layer} may not see {target}"


class Layering(unittest.TestCase):
    def test_every_file_keeps_the_rules(self):
        found = [line for name, text in sources() for line in violations(name, text)]
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_there_is_something_to_check(self):
        names = [name for name, _ in sources()]
        for folder in STANDARD_ONLY:
            self.assertTrue(any(name.startswith(folder + "/") for name in names), folder)

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
            ("src/train/loss.cpp", "#include <torch/torch.h>"),
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
        for tool in ("tbn-export", "tbn-inspect"):
            out = subprocess.run(["ldd", BIN / tool], check=True, capture_output=True, text=True)
            self.assertIn("libc.so", out.stdout)
            self.assertNotIn("torch", out.stdout, tool)


if __name__ == "__main__":
    BIN = pathlib.Path(sys.argv.pop(1))
    unittest.main()
