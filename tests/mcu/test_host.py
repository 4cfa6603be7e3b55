"""Exported C on the host: built as strict C99 with sanitizers, its outputs are those of C++, bit for
bit in the int8 form and to rounding in the float form."""

import array
import pathlib
import random
import shutil
import sys
import tempfile
import unittest

from micro_support import FIRMWARE, INCLUDE, ROOT, STRICT, assert_close, kernels, model_defines, run

# Clang or GCC, whichever has them: the kernels must hold under address and undefined behaviour
# sanitizers.
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1"]


class Cases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        listed = run([BIN / "tbn_micro_cases", "write", cls.folder])
        cls.cases = [line.split() for line in listed.splitlines()]
        for form in ("int8", "f32"):
            run(["cc", *STRICT, *SANITIZERS, f"-I{INCLUDE}", "-c", kernels(form), "-o",
                 cls.folder / f"{form}.o"])

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def outputs_of(self, name, form, inputs, outputs, output_type, value_type):
        """Compiles one model and runs it on its images."""
        place = self.folder / f"run_{name}"
        place.mkdir()
        shutil.copy(self.folder / f"{name}.images", place / "images.bin")
        run(["cc", *STRICT, *SANITIZERS, f"-I{INCLUDE}", f"-I{self.folder}", "-DON_HOST",
             *model_defines(name, inputs, outputs, output_type, value_type), FIRMWARE / "images.c",
             self.folder / f"{name}.c", self.folder / f"{form}.o", "-o", place / "program"])
        run([place / "program"], cwd=place)
        return (place / "outputs.bin").read_bytes()

    def test_there_are_cases_of_both_outputs(self):
        self.assertGreater(len(self.cases), 25)
        self.assertEqual({case[3] for case in self.cases}, {"logits", "bytes"})

    def test_integers_are_those_of_cpp_bit_for_bit(self):
        for name, inputs, outputs, kind, _ in self.cases:
            with self.subTest(name):
                output_type = "int32_t" if kind == "logits" else "uint8_t"
                got = self.outputs_of(name, "int8", inputs, outputs, output_type, "uint8_t")
                expected = (self.folder / f"{name}.outputs").read_bytes()
                self.assertTrue(expected)
                self.assertEqual(got, expected)

    def test_floats_are_those_of_cpp_to_rounding(self):
        for name, inputs, outputs, _, _ in self.cases:
            with self.subTest(name):
                got = self.outputs_of(f"{name}_f32", "f32", inputs, outputs, "float", "float")
                got = array.array("f", got)
                expected = array.array("f", (self.folder / f"{name}_f32.outputs").read_bytes())
                self.assertEqual(len(got), len(expected))
                assert_close(self, got, expected)

    def test_trained_files_are_those_of_cpp_bit_for_bit(self):
        images = random.Random(1).randbytes(40 * 784)
        for file in sorted((ROOT / "models" / "pretrained").glob("*mnist_[mc]*.tbn")):
            with self.subTest(file.name):
                name = file.stem
                run([BIN / "tbn-export", file, "--format", "c", "-o", self.folder, "--name", name])
                (self.folder / f"{name}.images").write_bytes(images)
                expected = self.folder / f"{name}.outputs"
                run([BIN / "tbn_micro_cases", "run", file, self.folder / f"{name}.images", expected])
                got = self.outputs_of(name, "int8", 784, 10, "int32_t", "uint8_t")
                self.assertEqual(len(got), 40 * 10 * 4)
                self.assertEqual(got, expected.read_bytes())


if __name__ == "__main__":
    BIN = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
