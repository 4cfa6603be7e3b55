"""Every command of docs/tutorial.md, typed in one shell from top to bottom in a copy of the repository, prints
what stands below it there.

Nothing is left out, and these things are other than the page says, so that the test takes seconds:
* the demo neither sets up nor builds, and trains for one epoch on the images of data/samples;
* build/release is the build under test;
* programs in C++ are compiled as that build was, with its compiler and its sanitizers; no GPU is seen.
"""

import os
import pathlib
import re
import resource
import shlex
import shutil
import subprocess
import tempfile
import time
import unittest

from install_support import read_cache
from tools_support import ROOT, bin_folder, main

PAGE = ROOT / "docs" / "tutorial.md"
DEMO_SETTINGS = "data.validation=20 train.epochs=1 train.threads=1"
# The samples of the repository are too few for what the page's commands hold out and train.
ON_SAMPLES = {"scripts/demo.sh": f"scripts/demo.sh {DEMO_SETTINGS}",
              "resnet_p4.yaml weights.p=8 --dry-run": "resnet_p4.yaml weights.p=8 data.validation=20 --dry-run"}
# What the page shows of these is the same on every machine, to the digit.
EXACT = ("--dry-run", "--format c", "ls pictures", "head -n 3 meters.csv", "look", "firmware/shapes")
MARK = "@@ block"


def blocks():
    """[commands, lines that the page says they print] in the order of the page."""
    found = []
    for language, text in re.findall(r"^```(\w*)\n(.*?)^```", PAGE.read_text(), re.M | re.S):
        if language == "sh":
            found.append((text, []))
        elif language == "text":
            found[-1][1].extend(text.splitlines())
    return found


def pattern(line, exact):
    """What a line of the page matches: `...` is anything, and so is a number unless `exact`; columns of tables may
    be wider."""
    parts = []
    for part in re.split(r"(\.\.\.|\s+|\d[\d.,:]*)", line):
        if part == "...":
            parts.append(".*")
        elif part.isspace():
            parts.append(r"\s+")
        elif part[:1].isdigit() and not exact:
            parts.append(r"\d[\d.,:]*")
        else:
            parts.append(re.escape(part))
    return re.compile("".join(parts))


class Tutorial(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="tbn-tutorial-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.build = bin_folder().parent
        cls.copy_repository()
        begin = time.monotonic()
        cls.outputs = cls.typed()
        cls.seconds = time.monotonic() - begin

    @classmethod
    def copy_repository(cls):
        for name in ("configs", "docs", "examples", "include", "models", "src"):
            (cls.folder / name).symlink_to(ROOT / name)
        (cls.folder / "data").mkdir()
        (cls.folder / "data" / "fashion_mnist").symlink_to(ROOT / "data" / "samples" / "fashion_mnist")
        shutil.copytree(ROOT / "scripts", cls.folder / "scripts")
        demo = cls.folder / "scripts" / "demo.sh"
        steps, removed = re.subn(r"^(scripts/setup\.sh|tbn_build .*)$", ":", demo.read_text(), flags=re.M)
        assert removed == 2, "scripts/demo.sh sets up and builds in another way"
        demo.write_text(steps)
        for preset in ("release", "cuda"):
            (cls.folder / "build").mkdir(exist_ok=True)
            (cls.folder / "build" / preset).symlink_to(cls.build)
        # The compiler of the build, and what its libraries need.
        cache = read_cache(cls.build)
        flags = "-fsanitize=address,undefined" if cache.get("TBN_SANITIZE") == "ON" else ""
        compiler = cls.folder / "compiler" / "c++"
        compiler.parent.mkdir()
        compiler.write_text(f'#!/bin/sh\nexec {shlex.quote(cache["CMAKE_CXX_COMPILER"])} {flags} "$@"\n')
        compiler.chmod(0o755)

    @classmethod
    def typed(cls):
        """What each block prints, its standard error output included; `@@ failed N` after a command that fails."""
        script = ["trap 'echo \"@@ failed $?\"' ERR"]
        for number, (commands, _) in enumerate(blocks()):
            for typed, tried in ON_SAMPLES.items():
                commands = commands.replace(typed, tried)
            script += [f"echo '{MARK} {number}'", commands]
        environment = {**os.environ, "PATH": f"{cls.folder / 'compiler'}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8",
                       "CUDA_VISIBLE_DEVICES": ""}
        done = subprocess.run(["bash"], input="\n".join(script), cwd=cls.folder, env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
        return [part.partition("\n")[2] for part in done.stdout.split(MARK)[1:]]

    def test_every_command_prints_what_the_page_says(self):
        self.assertEqual(len(self.outputs), len(blocks()))
        self.assertGreater(len(self.outputs), 18)
        for (commands, lines), output in zip(blocks(), self.outputs):
            with self.subTest(commands=commands):
                exact = any(word in commands for word in EXACT)
                rest = iter(output.splitlines())
                for line in lines:
                    if line and line != "...":
                        wanted = pattern(line, exact)
                        self.assertTrue(any(wanted.fullmatch(each.rstrip()) for each in rest),
                                        f"not printed, or not in this place: {line}\nprinted:\n{output}")

    def test_no_command_fails_but_those_that_the_page_says_are_refused(self):
        for (commands, lines), output in zip(blocks(), self.outputs):
            with self.subTest(commands=commands):
                refused = any(": error: " in line for line in lines)
                self.assertEqual(re.findall("@@ failed (.*)", output), ["2"] if refused else [], output)

    def test_the_networks_learn_what_the_page_says(self):
        said = "".join(output for (commands, _), output in zip(blocks(), self.outputs) if "tbn-eval" in commands)
        for name in ("checkpoint runs/shapes/", "packed my_network.tbn"):
            for top1 in re.findall(rf"{name}.*: top-1 ([\d.]+) %", said):
                self.assertGreater(float(top1), 85)
        self.assertLess(float(re.search(r"packed meters.tbn: MSE ([\d.]+)", said)[1]), 0.35)

    def test_the_table_of_the_demo_is_explained_row_by_row(self):
        rows = re.findall(r'^        \("([^"]+)",', (ROOT / "scripts" / "demo_table.py").read_text(), re.M)
        self.assertGreater(len(rows), 9)
        explained = re.findall(r"^\| ([^|]+) \|", PAGE.read_text().split("\n## ")[1], re.M)
        self.assertEqual(", ".join(explained[1:]), ", ".join(rows))
        for row in rows:
            self.assertRegex(self.outputs[0], rf"(?m)^  {row} {{2,}}\S")

    def test_it_takes_less_than_a_minute(self):
        """Of a clock, or of one processor where others use the machine as well."""
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.assertLess(min(self.seconds, used.ru_utime + used.ru_stime), 60)


if __name__ == "__main__":
    main()
