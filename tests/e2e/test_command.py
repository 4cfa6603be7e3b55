"""`tbn <verb>`: the tools under one command, and what belongs to none of them."""

import json
import os
import re
import shutil
import subprocess

from tools_support import ROOT, ToolTest, bin_folder, main

VERBS = ("train", "eval", "predict", "export", "inspect", "search", "runs", "bench")


class Command(ToolTest):
    def test_a_verb_is_the_tool_of_that_name(self):
        for verb in VERBS:
            by_verb = self.call("tbn", verb, "--help").stdout
            self.assertEqual(by_verb, self.call(f"tbn-{verb}", "--help").stdout, verb)
        done = self.call("tbn", "train", "--config", "absent.yaml", code=2)
        self.assertTrue(done.stderr.startswith("tbn-train: error: "), done.stderr)
        self.call("tbn", "inspect", ROOT / "models" / "pretrained" / "mnist_cnn_p4.tbn")

    def test_an_unknown_verb_is_told_the_nearest(self):
        self.assertIn("no command 'trian' (did you mean 'train'?)", self.call("tbn", "trian", code=2).stderr)
        self.assertIn("what is to be done?", self.call("tbn", code=2).stderr)
        self.assertIn("--json does nothing for completion",
                      self.call("tbn", "completion", "bash", "--json", code=2).stderr)

    def test_a_tool_that_was_left_out_is_named(self):
        """A build without LibTorch has no tbn-train."""
        shutil.copy(bin_folder() / "tbn", self.folder / "tbn")
        done = subprocess.run([self.folder / "tbn", "train"], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 2)
        self.assertIn("tbn-train' is not there; this tbn was built without it", done.stderr)

    def test_the_version_says_what_it_was_built_from(self):
        text = self.call("tbn", "--version").stdout
        for row in ("tbn 0.", "commit: ", "compiler: ", "LibTorch: ", "CUDA: ", "kernels for: "):
            self.assertIn(row, text)
        version = json.loads(self.call("tbn", "--version", "--json").stdout)
        self.assertIn("portable", version["instruction_sets"])

    def test_lists_hold_what_there_is(self):
        def names(*what):
            return [each["name"] for each in json.loads(self.call("tbn", "list", *what, "--json").stdout)[what[0]]]

        reference = (ROOT / "configs" / "reference.yaml").read_text()
        families = re.search(r"type: resnet18 .*; (.*)$", reference, re.M).group(1).split(" | ")
        self.assertEqual(names("networks"), families)
        sets = re.search(r"name: fashion_mnist .*; (.*)$", reference, re.M).group(1).split(" | ")
        self.assertEqual(names("datasets"), sets)
        self.assertEqual(names("configs", ROOT / "configs"),
                         sorted(str(path) for path in (ROOT / "configs").rglob("*.yaml")))
        ops = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "format.md").read_text(), re.M)
        self.assertLessEqual({"conv2d", "linear", "attention"}, set(names("ops")) & set(ops))
        self.assertEqual(names("encodings")[:4], ["float", "binary", "tiled", "uniform"])
        self.assertRegex(self.call("tbn", "list", "networks").stdout, r"(?m)^resnet18 +\S")
        self.assertIn("there is no 'netwroks' (did you mean 'networks'?)",
                      self.call("tbn", "list", "netwroks", code=2).stderr)
        self.call("tbn", "list", "configs", "absent", code=3)

    def test_completions_know_every_option(self):
        for shell in ("bash", "zsh", "fish"):
            script = self.call("tbn", "completion", shell).stdout
            for word in ("--recalibrate", "--calibrate", "--per-class", "--by", "--top"):
                self.assertIn(word[2:], script)
        self.call("tbn", "completion", "csh", code=2)
        (self.folder / "tbn.bash").write_text(self.call("tbn", "completion", "bash").stdout)
        asked = """source tbn.bash
complete_words() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _tbn; echo "${COMPREPLY[*]}"; }
complete_words tbn tr
complete_words tbn eval --per
complete_words /usr/bin/tbn-export --cal
complete_words tbn list net
complete_words tbn train my
"""
        done = subprocess.run(["bash"], input=asked, cwd=self.folder, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.stdout.split("\n"), ["train", "--per-class", "--calibrate", "networks", "", ""],
                         done.stderr)

    def test_manual_pages_have_every_option(self):
        self.call("tbn", "man", "share")
        pages = sorted(path.name for path in (self.folder / "share" / "man1").iterdir())
        self.assertEqual(pages, sorted(f"tbn-{verb}.1" for verb in VERBS))
        for verb in VERBS:
            page = (self.folder / "share" / "man1" / f"tbn-{verb}.1").read_text()
            described = json.loads(self.call(f"tbn-{verb}", "--describe").stdout)
            for option in described["options"]:
                self.assertIn(option["name"].replace("-", "\\-"), page)
            self.assertNotRegex(page, r"(?m)^\.(?!TH|SH|TP|B|br)")
            if shutil.which("man"):
                environment = {**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"}
                shown = subprocess.run(["man", "--warnings", "-l", self.folder / "share" / "man1" / f"tbn-{verb}.1"],
                                       capture_output=True, text=True, env=environment, timeout=60)
                self.assertEqual(shown.stderr, "")


if __name__ == "__main__":
    main()
