"""tbn-export --format c from the command line: what it prints, its limits, and what it refuses."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from micro_support import ROOT

FILE = ROOT / "models" / "pretrained" / "mnist_cnn_p4.tbn"


class Export(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.out = self.folder / "out"

    def call(self, *arguments):
        return subprocess.run([BIN / "tbn-export", *map(str, arguments)], capture_output=True,
                              text=True, timeout=300)

    def refused(self, code, part, *arguments):
        """One sentence, that exit code, and nothing written."""
        done = self.call(*arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        self.assertIn(part, done.stderr)
        self.assertEqual(list(self.out.glob("*")) if self.out.is_dir() else [], [])

    def test_writes_two_files_and_prints_what_they_cost(self):
        done = self.call(FILE, "--format", "c", "-o", self.out, "--name", "digits")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sorted(path.name for path in self.out.iterdir()), ["digits.c", "digits.h"])
        for word in ("flash:", "RAM:", "tbn_conv2d", "multiplies"):
            self.assertIn(word, done.stdout)
        again = json.loads(self.call(FILE, "--format", "c", "-o", self.out, "--name", "digits",
                                     "--json").stdout)
        self.assertEqual(again["flash_bytes"],
                         sum(layer[part] for layer in again["layers"]
                             for part in ("weight_bytes", "scalar_bytes", "descriptor_bytes")))

    def test_limits_refuse_before_anything_is_written(self):
        to = (FILE, "--format", "c", "-o", self.out)
        self.refused(2, "more than the 1,000 of --max-flash", *to, "--max-flash", "1000")
        self.refused(2, "more than the 1,000 of --max-ram", *to, "--max-ram", "1000")
        self.assertFalse(self.out.exists())
        self.assertEqual(self.call(*to, "--max-flash", "16384", "--max-ram", "8192").returncode, 0)

    def test_bad_options(self):
        to = (FILE, "--format", "c", "-o", self.out)
        self.refused(2, "--form: 'f16' is not one of", *to, "--form", "f16")
        self.refused(2, "--format: 'd' is not one of", FILE, "--format", "d", "-o", self.out)
        self.refused(2, "is no name for C", *to, "--name", "1; int x")
        self.refused(2, "give it as -o", FILE, "--format", "c")
        self.refused(2, "--max-ram", *to, "--max-ram", "-1")
        self.refused(2, "--prepare is for packed files", *to, "--prepare", "exact")
        self.refused(2, "--max-ram does nothing for a packed file", FILE, "-o", self.folder / "x.tbn",
                     "--max-ram", "8192")
        self.assertFalse((self.folder / "x.tbn").exists())
        self.refused(2, "--calibrate", *to, "--calibrate", "0")

    def test_names_that_would_hide_a_header_or_a_keyword(self):
        to = (FILE, "--format", "c", "-o", self.out, "--name")
        for name in ("main", "MAIN"):
            self.refused(2, "is where a program begins", *to, name)
        self.refused(2, "is a file of tbn's own kernels", *to, "tbn_micro")
        self.refused(2, "is a header of the C library", *to, "string")
        self.refused(2, "is a keyword", *to, "int")

    def test_writes_over_its_own_files_alone(self):
        self.out.mkdir()
        to = (FILE, "--format", "c", "-o", self.out, "--name", "digits")
        for ending in (".c", ".h"):
            mine = self.out / f"digits{ending}"
            mine.write_text("int mine;\n")
            done = self.call(*to)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("was not written by tbn-export", done.stderr)
            self.assertEqual([path.name for path in self.out.iterdir()], [mine.name])
            self.assertEqual(mine.read_text(), "int mine;\n")
            mine.unlink()
        (self.out / "digits.h").symlink_to(self.folder / "elsewhere")
        self.assertEqual(self.call(*to).returncode, 2)
        (self.out / "digits.h").unlink()
        for _ in range(2):
            self.assertEqual(self.call(*to).returncode, 0)

    def test_a_packed_file_is_not_named_as_another_format(self):
        self.out.mkdir()
        for name in ("x.onnx", "x.PT", "x.c", "x.h", "x.safetensors", "x.tflite", "x.gguf"):
            self.refused(2, f"name it '{self.out / 'x.tbn'}'", FILE, "-o", self.out / name)
        self.refused(2, "or give --format c -o <folder>", FILE, "-o", self.out / "x.c")
        self.refused(2, "is named as a file", FILE, "--format", "c", "-o", self.out / "model.c")
        named = self.folder / "renamed.tbn"
        self.assertEqual(self.call(FILE, "-o", named).returncode, 0)
        self.assertTrue(named.exists())

    def test_an_output_that_cannot_be_written(self):
        (self.folder / "file").write_text("")
        self.refused(2, "is a file", FILE, "--format", "c", "-o", self.folder / "file")
        self.refused(1, "cannot create the folder", FILE, "--format", "c", "-o",
                     self.folder / "file" / "folder")

    def test_a_full_disk_leaves_no_file(self):
        if not os.path.exists("/dev/full") or os.geteuid() != 0:
            self.skipTest("needs to mount a small disk")
        self.out.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", self.out],
                                 capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("cannot mount a small disk here")
        try:
            self.refused(1, "space", FILE, "--format", "c", "-o", self.out)
        finally:
            subprocess.run(["umount", self.out], check=True)

    def test_calibration_data_of_another_shape(self):
        rows = "\n".join(f"{i},{i % 7},{i % 5}" for i in range(2000))
        (self.folder / "series.csv").write_text("date,a,b\n" + rows + "\n")
        self.refused(2, "", FILE, "--format", "c", "-o", self.out, "--calibrate", "8", "--data",
                     "csv", "--root", self.folder / "series.csv")

    def test_a_damaged_file(self):
        damaged = self.folder / "damaged.tbn"
        content = bytearray(FILE.read_bytes())
        content[len(content) // 2] ^= 1
        damaged.write_bytes(content)
        self.refused(3, "damaged.tbn", damaged, "--format", "c", "-o", self.out)


if __name__ == "__main__":
    BIN = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
