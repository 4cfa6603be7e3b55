"""The tools asked for a CUDA device: a machine without one gets a sentence and a code, never a result from
the CPU."""

import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "models/pretrained/mnist_mlp_p4.tbn"


def run(tool, *arguments):
    return subprocess.run([BIN / tool, *arguments], capture_output=True, text=True, timeout=120)


def has_device():
    try:
        found = subprocess.run(["nvidia-smi", "-L"], capture_output=True, timeout=60)
    except OSError:
        return False
    return found.returncode == 0


class WithoutDevice(unittest.TestCase):
    def setUp(self):
        if has_device():
            self.skipTest("this machine has a device")

    def refused(self, *command):
        result = run(*command)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertRegex(result.stderr, "no CUDA device is found|built without CUDA")

    def test_packed_files_are_refused(self):
        self.refused("tbn-eval", MODEL, "--verify", "--device", "cuda")
        self.refused("tbn-eval", MODEL, "--verify", "--device", "cuda:1", "--precision", "bf16")
        self.refused("tbn-bench", MODEL, "--device", "cuda")


class Options(unittest.TestCase):
    def wrong(self, words, *command):
        result = run(*command)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertIn(words, result.stderr)

    def test_unknown_names_are_listed(self):
        self.wrong("auto, cpu, cuda, cuda:N", "tbn-eval", MODEL, "--verify", "--device", "gpu")
        self.wrong("auto, cpu, cuda, cuda:N", "tbn-eval", MODEL, "--verify", "--device", "cuda:x")
        self.wrong("fp32, fp16, bf16", "tbn-eval", MODEL, "--verify", "--precision", "int4")

    def test_options_of_one_device_are_refused_on_the_other(self):
        self.wrong("--backend", "tbn-eval", MODEL, "--verify", "--device", "cuda", "--backend", "reference")
        self.wrong("--precision", "tbn-eval", MODEL, "--verify", "--precision", "bf16")
        self.wrong("--kernel", "tbn-eval", MODEL, "--verify", "--kernel", "gemv")


class WithDevice(unittest.TestCase):
    def setUp(self):
        if not has_device() or "built without CUDA" in run("tbn-bench", MODEL, "--device", "cuda").stderr:
            self.skipTest("not run on a GPU")

    def test_a_file_verifies_itself_there(self):
        for precision in ("fp32", "fp16", "bf16"):
            result = run("tbn-eval", MODEL, "--verify", "--device", "cuda", "--precision", precision)
            self.assertEqual(result.returncode, 0, result.stderr)


if __name__ == "__main__":
    BIN = pathlib.Path(sys.argv.pop(1))
    unittest.main()
