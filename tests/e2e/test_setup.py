"""What scripts/setup.sh has pip install: each package in one version, by its SHA-256, and nothing else."""

import os
import pathlib
import platform
import re
import subprocess
import tempfile
import unittest

from tools_support import ROOT, main

# Makes "environments" of itself and writes down what pip is asked for.
PYTHON = """\
#!/usr/bin/env bash
if [ "$2" = venv ]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; exit; fi
printf '%s\\n' "$*" >> "$PIP_LOG"
"""


@unittest.skipUnless(platform.machine() == "x86_64", "LibTorch comes for x86-64 alone")
class Pinned(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def calls_of_pip(self, *arguments):
        programs = self.folder / "bin"
        programs.mkdir()
        (programs / "python3").write_text(PYTHON)
        (programs / "python3").chmod(0o755)
        # Room enough on any disk: nothing is downloaded.
        (programs / "df").write_text("#!/bin/sh\nprintf 'x\\n- - - 99999999 -\\n'\n")
        (programs / "df").chmod(0o755)
        log = self.folder / "pip.log"
        environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "PIP_LOG": str(log),
                       "XDG_CACHE_HOME": str(self.folder / "cache")}
        done = subprocess.run([ROOT / "scripts" / "setup.sh", "--no-packages", *arguments], text=True,
                              capture_output=True, env=environment, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return log.read_text().splitlines()

    def test_every_package_has_a_version_and_a_hash(self):
        for count, arguments in ((2, ["--cpu", "--tests"]), (1, ["--cuda"])):
            with self.subTest(arguments=arguments):
                self.setUp()
                calls = self.calls_of_pip(*arguments)
                self.assertEqual(len(calls), count)
                for call in calls:
                    self.check(call)

    def check(self, call):
        found = re.search(r" --only-binary :all: --require-hashes -r (\S+)$", call)
        self.assertTrue(found, call)
        self.assertNotIn("==", call)  # no package beside the list
        text = pathlib.Path(found[1]).read_text().replace("\\\n", " ")
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        self.assertGreater(len(lines), 2)
        for line in lines:
            self.assertRegex(line, r"^[\w.-]+==[\w.+]+( ; [^\\]*?)?( +--hash=sha256:[0-9a-f]{64})+$")


if __name__ == "__main__":
    main()
