"""scripts/convert_pth.py: the names of a state dict, and whole files where Python has torch."""

import importlib.util
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

from tools_support import ROOT, main

SCRIPT = ROOT / "scripts" / "convert_pth.py"
spec = importlib.util.spec_from_file_location("convert_pth", SCRIPT)
convert_pth = importlib.util.module_from_spec(spec)
spec.loader.exec_module(convert_pth)

try:
    import torch
except (ImportError, OSError):
    torch = None


def is_tensor(value):
    return isinstance(value, float)


class Names(unittest.TestCase):
    def test_names_stay_and_wrappers_go(self):
        for content in ({"conv1.weight": 1.0, "module.bn1.bias": 2.0},
                        {"state_dict": {"module.conv1.weight": 1.0, "bn1.bias": 2.0}, "epoch": 3},
                        {"model": {"_orig_mod.module.conv1.weight": 1.0, "bn1.bias": 2.0}},
                        {"model": {"state_dict": {"conv1.weight": 1.0, "bn1.bias": 2.0}}}):
            self.assertEqual(convert_pth.plain_names(content, is_tensor),
                             {"conv1.weight": 1.0, "bn1.bias": 2.0})

    def test_only_a_whole_prefix_goes(self):
        self.assertEqual(convert_pth.plain_name("modules.0.weight"), "modules.0.weight")
        self.assertEqual(convert_pth.plain_name("layer.module.weight"), "layer.module.weight")

    def test_averages_come_first(self):
        content = {"model": {"w": 1.0}, "model_ema": {"w": 2.0}}
        self.assertEqual(convert_pth.plain_names(content, is_tensor), {"w": 2.0})

    def test_what_is_no_tensor_is_left_out(self):
        content = {"w": 1.0, "epoch": 3, "args": {"lr": 0.1}, 7: 1.0}
        self.assertEqual(convert_pth.plain_names(content, is_tensor), {"w": 1.0})

    def test_clashes_and_empty_contents_are_refused(self):
        for content, part in (({"module.w": 1.0, "w": 2.0}, "'w'"), ({}, "no tensors"),
                              ({"epoch": 1}, "no tensors"), ([1.0], "list"),
                              ({"module.": 1.0}, "'module.'")):
            with self.assertRaisesRegex(convert_pth.ConversionError, part):
                convert_pth.plain_names(content, is_tensor)


def run_script(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True,
                          timeout=300)


class Tool(unittest.TestCase):
    def test_a_wrong_call_gets_the_usage(self):
        result = run_script("one")
        self.assertEqual(result.returncode, 2)
        self.assertIn("usage: convert_pth.py INPUT.pth OUTPUT.safetensors", result.stderr)

    def test_a_missing_file_or_package_is_one_sentence(self):
        result = run_script("/nowhere/x.pth", "/nowhere/y.safetensors")
        self.assertEqual(result.returncode, 3)
        self.assertTrue(result.stderr.startswith("/nowhere/x.pth: "), result.stderr)
        self.assertNotIn("Traceback", result.stderr)


@unittest.skipIf(torch is None, "whole files need the Python package torch, which is not installed")
class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_a_state_dict_becomes_a_safetensors_file(self):
        weight = torch.arange(6, dtype=torch.float32).reshape(2, 3)
        tied = {"module.a.weight": weight, "module.b.weight": weight.t(), "epoch": 1}
        torch.save({"state_dict": tied}, self.folder / "m.pth")
        result = run_script(self.folder / "m.pth", self.folder / "m.safetensors")
        self.assertEqual(result.returncode, 0, result.stderr)
        content = (self.folder / "m.safetensors").read_bytes()
        size = struct.unpack("<Q", content[:8])[0]
        header = json.loads(content[8:8 + size])
        shapes = {name: entry["shape"] for name, entry in header.items() if name != "__metadata__"}
        self.assertEqual(shapes, {"a.weight": [2, 3], "b.weight": [3, 2]})
        begin, end = header["b.weight"]["data_offsets"]
        values = struct.unpack("<6f", content[8 + size + begin:8 + size + end])
        self.assertEqual(values, (0, 3, 1, 4, 2, 5))

    def test_a_pickle_that_would_run_code_is_refused(self):
        class Evil:
            def __reduce__(self):
                return (pathlib.Path.touch, (pathlib.Path(self.path),))

        evil = Evil()
        Evil.path = str(self.folder / "ran")
        torch.save({"w": evil}, self.folder / "m.pth")
        result = run_script(self.folder / "m.pth", self.folder / "m.safetensors")
        self.assertEqual(result.returncode, 3)
        self.assertFalse((self.folder / "ran").exists())
        self.assertFalse((self.folder / "m.safetensors").exists())


if __name__ == "__main__":
    main()
