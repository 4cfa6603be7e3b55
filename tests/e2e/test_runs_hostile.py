"""tbn-runs in front of damaged and hostile folders of runs."""

import json
import os

from runs_support import HOSTILE, row, RunsTest
from tools_support import main


class Hostile(RunsTest):
    COMMANDS = (["list"], ["list", "--json"], ["show", "runs/bad"], ["show", "runs/bad", "--json"], ["compare", "runs"],
                ["compare", "runs", "--json"], ["table"], ["table", "--json"], ["table", "--format", "csv"])

    def readable(self):
        """Every command prints what it can, and ends with 0."""
        for command in self.COMMANDS:
            with self.subTest(command=command):
                done = self.runs(*command, timeout=20)
                # The damaged run is a copy of a good one.
                said = [each for each in done.stderr.splitlines() if "has the settings of another run" not in each]
                self.assertEqual(said, [])
                self.assertNotRegex(done.stdout, r"\b(nan|inf|NaN|Infinity)\b")
                self.assertNotRegex(done.stdout, r"9,?223,?372,?036|18,?446,?744,?073")
                if "--json" in command:
                    json.loads(done.stdout)

    def damaged(self):
        """The run is left out among others, and refused alone."""
        for command in self.COMMANDS:
            with self.subTest(command=command):
                alone = command[0] == "show"
                done = self.runs(*command, timeout=20, code=3 if alone else 0)
                said = "".join(line for line in done.stderr.splitlines(True)
                               if "has the settings of another run" not in line)
                self.assertRegex(said, r"^tbn-runs: error: .*\n$" if alone else r"^note: .*; it is left out\n$")
                self.assertIn("runs/bad", said)

    def test_names_that_would_draw_on_a_terminal(self):
        self.add(f"runs/{HOSTILE}")
        self.add(f"runs/bad {HOSTILE}")
        self.add("runs/good", {"  from: \"\"\n  share": "  from: \"x\u202ey\"\n  share"})
        (self.folder / f"runs/bad {HOSTILE}/summary.json").write_text("[]")
        for command in (["list"], ["compare", "runs"], ["table"], ["show", f"runs/{HOSTILE}"], ["show", "runs/good"],
                        ["list", "--format", "csv"], ["list", "--format", "latex"], ["list", "--json"]):
            with self.subTest(command=command):
                self.runs(*command)  # which looks for them
        self.assertIn(HOSTILE, [run["name"] for run in self.json_of("list")["runs"]])
        self.runs("show", f"runs/bad {HOSTILE}", code=3)
        self.runs("list", f"runs/no {HOSTILE}", code=3)
        self.runs("table", "--by", HOSTILE, code=2)
        self.runs("sweep", "tiny.yaml", f"weights.p={HOSTILE},2", code=2)
        self.runs("sweep", HOSTILE, "weights.p=2", code=2)
        self.runs(HOSTILE, code=2)
        self.runs("sweep", "tiny.yaml", f"init.from={HOSTILE},b", "--dry-run")

    def test_summaries(self):
        self.add("runs/a")
        self.add("runs/c")
        cases = {"text": {"bytes": "a", "train_seconds": "x", "bits_per_weight": None, "test": 3,
                          "validation": {"top1": "9"}},
                 "large": {"bytes": 1e300, "train_seconds": 1e300, "macs": 1e300, "best_epoch": -1e300},
                 "negative": {"bytes": -5000, "train_seconds": -3000},
                 "lists": {"bytes": [], "test": [], "validation": {"top1": {}}, "train_seconds": {}}}
        for name, values in cases.items():
            with self.subTest(name=name):
                folder = self.add("runs/bad", **values)
                self.readable()
                if name == "text":
                    self.assertEqual(self.json_of("list", "runs/bad")["runs"][0]["validation"],
                                     self.json_of("list", "runs/a")["runs"][0]["validation"])
        for name, text in {"a list": "[1]", "half": '{"name": ', "1e999": '{"bytes": 1e999}', "deep": "[" * 100000,
                           "nothing": "", "NaN": '{"bytes": NaN}'}.items():
            with self.subTest(name=name):
                folder = self.add("runs/bad")
                (folder / "summary.json").write_text(text)
                self.damaged()

    def test_curves(self):
        self.add("runs/a")
        self.add("runs/c")
        # The rows, and the epochs and the score that they say.
        cases = {"half a line": (row(1) + row(2, score="95")[:-12], 1, 24), "a line's start": (row(1) + "2", 1, 24),
                 "few cells": (row(1) + "2,4\n\n,,,\n" + row(3, score="30"), 3, 30),
                 "nan first": (row(1, "nan", "nan") + row(2), 2, 24),
                 "nan last": (row(1) + row(2, "nan", "nan"), 2, 24),
                 "inf": (row(1) + row(2, "inf", "inf"), 2, 24), "1e999": (row(1, "1e999", "1e999") + row(2), 2, 24),
                 "a large epoch": (row(1) + row(2).replace("2", "1e300", 1), 1, 24),
                 "an epoch nan": (row(1) + row(2).replace("2", "nan", 1), 1, 24),
                 "a negative epoch": (row(1) + row(2).replace("2", "-5", 1), 1, 24),
                 "other line ends": ((row(1) + row(2)).replace("\n", "\r\n"), 2, 24),
                 "nothing": ("", 0, None), "bytes": (row(1) + "\x00\x01,\n", 1, 24)}
        for name, (rows, epochs, score) in cases.items():
            with self.subTest(name=name):
                folder = self.add_stopped("runs/bad", rows)
                self.readable()
                said = self.json_of("show", "runs/bad")
                self.assertEqual((said["trained"], said.get("validation")), (epochs, score))
                if name == "1e999":
                    self.assertNotIn("train_loss", said["curve"][0])

    def test_environments(self):
        self.add("runs/a")
        self.add("runs/c")
        folder = self.add("runs/bad")
        path = folder / "environment.json"
        for text in ("[1]", "{}", '{"date": 5, "device": []}',
                     '{"date": "\\u001b[2J\\u202e", "cpu": "\\u001b[2J\\u202e\\u0000"}'):
            with self.subTest(text=text):
                path.write_text(text)
                self.readable()
        path.unlink()
        self.readable()
        path.write_text("{")
        self.damaged()

    def test_configurations(self):
        self.add("runs/a")
        self.add("runs/c")
        path = self.add("runs/bad") / "config.yaml"
        text = path.read_text()
        for name, content in {"2 MB": text + "#" * 2000000 + "\n", "no YAML": "{{{", "a list": "- a\n", "empty": "",
                              "deep": "a: " + "[" * 10000, "aliases": "a: &x [1]\nb: *x\n"}.items():
            with self.subTest(name=name):
                path.write_text(content)
                self.damaged()
        for name, content in {"one key": "name: x\n", "many epochs": text.replace("epochs: 3", "epochs: 1e300"),
                              "no number": text.replace("epochs: 3", "epochs: [3]")}.items():
            with self.subTest(name=name):
                path.write_text(content)
                self.readable()

    def test_other_things_in_place_of_files(self):
        self.add("runs/a")
        self.add("runs/c")
        for name in ("metrics.csv", "summary.json", "environment.json"):
            for make in (os.mkfifo, os.mkdir):
                with self.subTest(name=name, make=make.__name__):
                    folder = self.add("runs/bad")
                    (folder / name).unlink()
                    make(folder / name)
                    self.damaged()
        for make in (os.mkfifo, os.mkdir):
            with self.subTest(name="lock", make=make.__name__):
                folder = self.add_stopped("runs/bad", row(1))
                make(folder / "lock")
                self.readable()
                self.assertEqual(self.states("runs/bad"), {"runs/bad": "stopped"})
        with self.subTest(name="config.yaml"):
            os.remove(self.add("runs/bad") / "config.yaml")
            os.mkfifo(self.folder / "runs/bad/config.yaml")
            self.assertEqual(list(self.states()), ["runs/a", "runs/c"])
            self.refused(3, "'runs/bad' is no run's folder", "show", "runs/bad")


if __name__ == "__main__":
    main()
