"""Exported C on emulated Cortex-M boards: the trained files of models/pretrained give the same bits
as the int8 form in C++, within their bytes of flash and RAM, without malloc or floats; and how many
instructions a layer takes beside dense ones."""

import gzip
import json
import pathlib
import random
import shutil
import sys
import tempfile
import unittest

from micro_support import (BOARDS, FIRMWARE, INCLUDE, M0, M4, ROOT, build_firmware, emulate, kernels,
                           linked_symbols, missing_tools, model_defines, run)

PRETRAINED = ROOT / "models" / "pretrained"
FASHION_MNIST = pathlib.Path("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz")
IMAGES = 200
SKIPPED = 77  # the exit code that ctest shows as such

# Of each file: the most bytes of weights and scalars, of arena, and of arena and stack together.
LIMITS = {
    "mnist_mlp_p4": {"constants": 3316, "arena": 1100, "ram": 1500},
    "mnist_cnn_p4": {"constants": 3316, "arena": 7300, "ram": 8192},
    "fashion_mnist_cnn_p4": {"constants": 16000, "arena": 7700, "ram": 8192},
}


def test_images():
    """The first test images of Fashion-MNIST, or noise where it is not installed."""
    if FASHION_MNIST.exists():
        return gzip.decompress(FASHION_MNIST.read_bytes())[16:16 + IMAGES * 784]
    print("Fashion-MNIST is not installed: the images are noise", file=sys.stderr)
    return random.Random(1).randbytes(IMAGES * 784)


class Boards(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def export(self, name, *options):
        return json.loads(run([BIN / "tbn-export", PRETRAINED / f"{name}.tbn", "--format", "c", "-o",
                               self.folder, "--name", name, "--json", *options]))

    def build(self, board, name):
        program = self.folder / f"{name}_{board.cpu}.elf"
        build_firmware(board, [FIRMWARE / "images.c", kernels("int8"), self.folder / f"{name}.c"],
                       program, [f"-I{self.folder}", *model_defines(name, 784, 10, "int32_t")])
        return program

    def test_logits_are_those_of_cpp_bit_for_bit_within_the_memory(self):
        images = self.folder / "images.bin"
        images.write_bytes(test_images())
        for name, limits in LIMITS.items():
            cost = self.export(name)
            constants = cost["weight_bytes"] + cost["scalar_bytes"]
            self.assertLessEqual(constants, limits["constants"], name)
            self.assertLessEqual(cost["ram_bytes"], limits["arena"], name)
            expected = self.folder / "expected.bin"
            run([BIN / "tbn_micro_cases", "run", PRETRAINED / f"{name}.tbn", images, expected])
            for board in BOARDS:
                with self.subTest(name=name, board=board.name):
                    measured = emulate(board, self.build(board, name), self.folder)
                    outputs = (self.folder / "outputs.bin").read_bytes()
                    self.assertEqual(len(outputs), IMAGES * 10 * 4)
                    self.assertEqual(outputs, expected.read_bytes())
                    ram = cost["ram_bytes"] + measured["stack"]
                    print(f"{name} on {board.cpu}: {constants} bytes of constants, {ram} of RAM "
                          f"({measured['stack']} of stack), {measured['instructions']:,} "
                          "instructions per image")
                    self.assertLessEqual(ram, limits["ram"])

    def test_no_malloc_and_no_float_is_linked(self):
        self.export("mnist_cnn_p4")
        for board in BOARDS:
            program = self.build(board, "mnist_cnn_p4")
            symbols = linked_symbols(program)
            self.assertIn("tbn_tile_sums", symbols)
            mapped = pathlib.Path(f"{program}.map").read_text().split("Memory map")[0]
            for text in (symbols, mapped.split()):
                for name in text:
                    allocates = any(word in name for word in ("malloc", "sbrk", "calloc", "_free_r"))
                    floats = name.startswith(("__aeabi_f", "__aeabi_d", "__aeabi_i2f", "__aeabi_i2d",
                                              "__addsf", "__adddf", "__mulsf", "__muldf"))
                    self.assertFalse(allocates or floats, f"{name} on {board.cpu}")

    def test_instructions_of_a_layer_beside_dense_ones(self):
        data = self.folder / "linear_data.h"
        data.write_text(linear_data())
        weights = 128 * 784
        for board, most in ((M4, 0.5), (M0, 0.6)):
            program = self.folder / f"linear_{board.cpu}.elf"
            build_firmware(board, [FIRMWARE / "linear.c", kernels("int8")], program,
                           [f"-I{self.folder}"])
            counts = emulate(board, program, self.folder)
            for name, count in counts.items():
                print(f"linear 128 x 784 on {board.cpu}, {name}: {count:,} instructions, "
                      f"{count / weights:.3f} a weight")
            self.assertLessEqual(counts["tile"] / weights, most)
            self.assertLess(5 * counts["tile"], counts["plain"])
            if board is M4:
                self.assertLess(3 * counts["tile"], counts["smlad"])


def linear_data():
    """A tile of 32 x 784 that makes 128 outputs, dense weights of 128 x 784, an input, and the sums
    of both, as C."""
    rng = random.Random(1)
    inputs, rows, copies = 784, 32, 4
    x = [rng.randrange(256) for _ in range(inputs)]
    bits = [[rng.randrange(2) for _ in range(inputs)] for _ in range(rows)]
    dense = [[rng.randrange(-127, 128) for _ in range(inputs)] for _ in range(rows * copies)]
    words = [sum(bits[r][first + k] << k for k in range(32))
             for first in range(0, inputs // 32 * 32, 32) for r in range(rows)]
    tail = [sum(bits[r][first + k] << k for k in range(8))
            for first in range(inputs // 32 * 32, inputs, 8) for r in range(rows)]

    def array(kind, name, values):
        return f"static const {kind} {name}[{len(values)}] = {{{', '.join(map(str, values))}}};\n"

    return (f"#include <stdint.h>\nenum {{ INPUTS = {inputs}, ROWS = {rows}, COPIES = {copies}, "
            f"OUTPUTS = {rows * copies} }};\n"
            + array("uint8_t", "input", x) + array("uint32_t", "tile_words", words)
            + array("uint8_t", "tile_tail", tail)
            + array("int8_t", "dense", [w for row in dense for w in row])
            + array("int32_t", "expected_tile",
                    [sum((2 * b - 1) * v for b, v in zip(row, x)) for row in bits])
            + array("int32_t", "expected_dense",
                    [sum(w * (v - 128) for w, v in zip(row, x)) for row in dense]))


if __name__ == "__main__":
    if missing_tools():
        print(f"SKIPPED: {missing_tools()} is missing; scripts/setup.sh --mcu installs it")
        sys.exit(SKIPPED)
    BIN = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
