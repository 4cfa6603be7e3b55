"""The figures of documents agree with the logs of their runs, and scripts/keep_run.py makes such a log."""

import json
import subprocess
import sys
import unittest

from tools_support import ROOT, ToolTest, bin_folder, main

LOGS = ROOT / "docs" / "logs"
FOLDERS = sorted(path.parent for path in LOGS.rglob("config.yaml"))
FIELDS = ["name", "date", "seed", "device", "samples", "epochs", "steps", "best_epoch", "train_seconds", "weights",
          "bits", "bits_per_weight", "bytes", "macs", "dense_macs", "file_bytes", "test", "metrics"]


def summary_of(folder):
    return json.loads((folder / "summary.json").read_text())


def name_of(folder):
    return folder.relative_to(LOGS).as_posix()


class Logs(unittest.TestCase):
    def test_a_log_is_a_configuration_and_a_summary(self):
        self.assertGreater(len(FOLDERS), 100)
        kept = {folder / name for folder in FOLDERS for name in ("config.yaml", "summary.json")}
        kept.add(LOGS / "README.md")
        self.assertEqual({path for path in LOGS.rglob("*") if path.is_file()}, kept)

    def test_each_summary_says_what_a_row_needs(self):
        for folder in FOLDERS:
            with self.subTest(name_of(folder)):
                summary = summary_of(folder)
                self.assertEqual([key for key in FIELDS if key not in summary], [])
                self.assertRegex(summary["date"], r"^20\d\d-\d\d-\d\d$")
                self.assertAlmostEqual(summary["bits_per_weight"], summary["bits"] / summary["weights"])
                columns, rows = summary["metrics"]["columns"], summary["metrics"]["rows"]
                self.assertEqual([row[0] for row in rows], list(range(1, summary["epochs"] + 1)))
                self.assertEqual({len(row) for row in rows}, {len(columns)})

    def test_no_log_has_a_path_of_a_machine(self):
        for folder in FOLDERS:
            for path in folder.iterdir():
                self.assertNotRegex(path.read_text(), r"[ \"'](/|~)[a-z]", path)


class KeepRun(ToolTest):
    def keep(self, *arguments):
        return subprocess.run([sys.executable, ROOT / "scripts" / "keep_run.py", "--tools", bin_folder(), *arguments],
                              cwd=self.folder, text=True, capture_output=True, check=False)

    def test_it_keeps_what_reproduces_a_run(self):
        self.train("train.epochs=2")
        done = self.keep("runs/tiny", "logs/tiny_seed1")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        log = self.folder / "logs" / "tiny_seed1"
        self.assertEqual(sorted(path.name for path in log.iterdir()), ["config.yaml", "summary.json"])
        self.assertEqual((log / "config.yaml").read_text(), (self.run_folder / "config.yaml").read_text())
        summary = summary_of(log)
        self.assertEqual([key for key in FIELDS if key not in summary], [])
        self.assertEqual(summary["samples"], {"train": 500, "validation": 100, "test": 200})
        self.assertEqual(len(summary["metrics"]["rows"]), 2)
        result = json.loads((self.run_folder / "summary.json").read_text())
        for key in ("bits", "bytes", "macs", "best_epoch", "steps"):
            self.assertEqual(summary[key], result[key], key)
        self.assertEqual(summary["test"]["top1"], result["test"]["top1"])
        self.call("tbn-export", "runs/tiny", "-o", "tiny.tbn", "--rule", "none")
        self.assertAlmostEqual(summary["file_bytes"], (self.folder / "tiny.tbn").stat().st_size, delta=128)

    def test_it_replaces_nothing_unasked_and_keeps_no_part_of_a_run(self):
        self.train("train.epochs=1")
        self.assertEqual(self.keep("runs/tiny", "log").returncode, 0)
        self.assertIn("'log' exists", self.keep("runs/tiny", "log").stderr)
        self.assertEqual(self.keep("--overwrite", "runs/tiny", "log").returncode, 0)
        (self.run_folder / "summary.json").unlink()
        done = self.keep("runs/tiny", "other")
        self.assertEqual(done.returncode, 1)
        self.assertIn("holds no summary.json", done.stderr)
        self.assertFalse((self.folder / "other").exists())
        self.assertEqual(self.keep("runs/tiny").returncode, 2)


if __name__ == "__main__":
    main()
