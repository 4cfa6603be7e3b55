"""Exported C over every form that a layer can take (tests/support/micro_layers.cpp), on the host
with sanitizers: the int8 form is that of C++ bit for bit, the float form to rounding. All networks
of a form are one program, since a compiler call each would take minutes."""

import array
import collections
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from micro_support import INCLUDE, STRICT, assert_close, kernels, run

SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O0"]
IMAGES = 8

Layer = collections.namedtuple("Layer", "name inputs outputs kind what")

MAIN = """
#include <stdio.h>
static int run(void* input, size_t bytes, const void* (*run)(void), size_t output_bytes) {
  for (int i = 0; i < %d; ++i) {
    if (fread(input, 1, bytes, stdin) != bytes) return 1;
    if (fwrite(run(), 1, output_bytes, stdout) != output_bytes) return 1;
  }
  return 0;
}
int main(void) {
%s  return 0;
}
"""


def as_one(source, name):
    """A model's text with names of its own for what is static in it."""
    return re.sub(r"\b(step\d+_\w+|arena)\b", rf"{name}_\1", source)


def run_program(program, stdin, stdout):
    done = subprocess.run([program], stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, text=True,
                          timeout=600)
    if done.returncode != 0:
        raise AssertionError(f"{program}: exit code {done.returncode}\n{done.stderr}")


class Layers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        listed = run([BIN / "tbn_micro_cases", "layers", cls.folder])
        cls.layers = [Layer(*line.split()) for line in listed.splitlines()]

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def outputs_of(self, form, layers):
        """What the C of all layers computes, a string of bytes each."""
        ending, value_bytes = ("", 1) if form == "int8" else ("_f32", 4)
        parts, calls, sizes = [], [], []
        for layer in layers:
            name = layer.name + ending
            parts.append(as_one((self.folder / f"{name}.c").read_text(), name))
            parts.append(f"static const void* {name}_any(void) {{ return {name}_run(); }}\n")
            size = int(layer.outputs) * (1 if layer.kind == "bytes" and form == "int8" else 4)
            sizes.append(size * IMAGES)
            calls.append(f"  if (run({name}_input(), {int(layer.inputs) * value_bytes}, {name}_any, "
                         f"{size}) != 0) return 1;\n")
        program = self.folder / f"all_{form}"
        source = program.with_suffix(".c")
        source.write_text("\n".join(parts) + MAIN % (IMAGES, "".join(calls)))
        run(["cc", *STRICT, *SANITIZERS, f"-I{INCLUDE}", f"-I{self.folder}", source, kernels(form),
             "-o", program])
        images = self.folder / f"all_{form}.images"
        images.write_bytes(b"".join((self.folder / f"{layer.name}{ending}.images").read_bytes()
                                    for layer in layers))
        got = self.folder / f"all_{form}.outputs"
        with images.open("rb") as stdin, got.open("wb") as stdout:
            run_program(program, stdin, stdout)
        content, outputs, first = got.read_bytes(), [], 0
        for size in sizes:
            outputs.append(content[first:first + size])
            first += size
        self.assertEqual(first, len(content))
        return outputs

    def expected(self, name):
        return (self.folder / f"{name}.outputs").read_bytes()

    def test_integers_are_those_of_cpp_bit_for_bit(self):
        layers = [layer for layer in self.layers if layer.kind != "floats"]
        self.assertGreater(len(layers), 700)
        for layer, got in zip(layers, self.outputs_of("int8", layers)):
            with self.subTest(layer.what):
                self.assertEqual(got, self.expected(layer.name))

    def test_floats_are_those_of_cpp_to_rounding(self):
        self.assertGreater(len(self.layers), 1000)
        for layer, got in zip(self.layers, self.outputs_of("f32", self.layers)):
            with self.subTest(layer.what):
                got = array.array("f", got)
                expected = array.array("f", self.expected(f"{layer.name}_f32"))
                self.assertEqual(len(got), len(expected))
                assert_close(self, got, expected)


if __name__ == "__main__":
    BIN = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
