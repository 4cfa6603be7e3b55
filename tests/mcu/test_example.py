"""The folder examples/mcu stands alone: copied anywhere it builds and runs, and it is made of the
kernels and of the trained file as they are."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from micro_support import ARM_COMPILER, INCLUDE, KERNELS, ROOT, run

EXAMPLE = ROOT / "examples" / "mcu"


class Example(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def test_builds_and_runs_from_a_copy_of_the_folder(self):
        copy = self.folder / "copy"
        tracked = subprocess.run(["git", "-C", EXAMPLE, "ls-files"], capture_output=True, text=True)
        names = tracked.stdout.split() or [path.name for path in EXAMPLE.iterdir()]
        copy.mkdir()
        for name in names:
            shutil.copy(EXAMPLE / name, copy)
        self.assertIn("recognised: 7 and 0", run(["make", "-C", copy]))
        if shutil.which(ARM_COMPILER):
            self.assertIn("tbn_micro_arm.o", run(["make", "-C", copy, "arm"]))

    def test_its_kernels_are_the_runtime_s(self):
        for original in (INCLUDE / "tbn_micro.h", KERNELS / "tbn_micro.c"):
            self.assertEqual((EXAMPLE / original.name).read_text(), original.read_text(),
                             f"copy {original} to examples/mcu")

    def test_its_network_is_the_trained_file_s(self):
        run([BIN / "tbn-export", ROOT / "models" / "pretrained" / "mnist_cnn_p4.tbn", "--format", "c",
             "-o", self.folder, "--name", "digits"])
        for name in ("digits.c", "digits.h"):
            self.assertEqual((EXAMPLE / name).read_text(), (self.folder / name).read_text(),
                             "export models/pretrained/mnist_cnn_p4.tbn to examples/mcu again")


if __name__ == "__main__":
    BIN = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
