"""What the tests of tbn-runs share: complete runs to copy, and calls of the tool."""

import csv
import io
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import tempfile
import time

from tools_support import CONFIG, ToolTest, bin_folder, write_fashion_mnist

FORECAST = """\
name: flow
model: {type: dlinear, kernel: 5}
data: {name: csv, root: table.csv, series: {window: 24, horizon: 6}}
optim: {type: adam, lr: 3e-3}
train: {epochs: 2, batch_size: 32, max_steps: 8, device: cpu, threads: 1, deterministic: true}
"""
HOSTILE = "a\x1b[2J\u202eb"
COLUMNS = "epoch,step,train_loss,train_accuracy,val_loss,val_accuracy,lr,samples_per_s,seconds\n"


def row(epoch, loss="1", score="24"):
    return f"{epoch},{2 * int(epoch)},{loss},10,{loss},{score},0.1,100,1\n"


def little_memory():
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


class RunsTest(ToolTest):
    """Runs of a few images; two that are complete are trained once, and copied."""

    train_images = 200
    test_images = 50

    @classmethod
    def setUpClass(cls):
        cls.trained = pathlib.Path(tempfile.mkdtemp(prefix="tbn-e2e-"))
        cls.addClassCleanup(shutil.rmtree, cls.trained, ignore_errors=True)
        write_fashion_mnist(cls.trained / "data", cls.train_images, cls.test_images)
        (cls.trained / "tiny.yaml").write_text(CONFIG)
        (cls.trained / "flow.yaml").write_text(FORECAST)
        steps = [f"2016-07-01 {i // 60 % 24:02}:{i % 60:02}:00,{i % 7},{i % 11}" for i in range(700)]
        (cls.trained / "table.csv").write_text("\n".join(["date,a,b", *steps]) + "\n")
        for name in ("tiny", "flow"):
            subprocess.run([bin_folder() / "tbn-train", "--config", f"{name}.yaml"], cwd=cls.trained, check=True,
                           capture_output=True, timeout=600)

    def setUp(self):
        super().setUp()
        self.addCleanup(self.end_trainings)

    def end_trainings(self):
        """Those in this folder that a tool left behind."""
        for lock in self.folder.glob("**/lock"):
            process = lock.read_text().split()[:1] if lock.is_file() else []
            try:
                if process and os.readlink(f"/proc/{process[0]}/cwd") == str(self.folder.resolve()):
                    os.kill(int(process[0]), signal.SIGKILL)
            except OSError:
                pass

    def add(self, path, settings=None, source="tiny", **summary):
        """A complete run in a folder, in place of what is there: other settings ("p: 4" to "p: 2"), and
        other values of its summary."""
        folder = self.folder / path
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.trained / "runs" / source, folder)
        text = (folder / "config.yaml").read_text()
        for old, new in (settings or {}).items():
            self.assertIn(old, text)
            text = text.replace(old, new, 1)
        (folder / "config.yaml").write_text(text)
        content = json.loads((folder / "summary.json").read_text())
        (folder / "summary.json").write_text(json.dumps({**content, **summary}))
        return folder

    def add_stopped(self, path, rows, **options):
        folder = self.add(path, **options)
        (folder / "summary.json").unlink()
        (folder / "metrics.csv").write_text(COLUMNS + rows)
        return folder

    def runs(self, *arguments, code=0, **options):
        # Nothing here may wait, whatever lies in place of a file.
        done = subprocess.run(self.command("tbn-runs", *arguments), cwd=self.folder, text=True, capture_output=True,
                              timeout=options.pop("timeout", 120), **options)
        self.assertEqual(done.returncode, code, f"{arguments}\n{done.stdout}\n{done.stderr}")
        self.assertNotIn("\x1b", done.stdout + done.stderr)
        self.assertNotIn("\u202e", done.stdout + done.stderr)
        return done

    def json_of(self, *arguments, **options):
        return json.loads(self.runs(*arguments, "--json", **options).stdout)

    def refused(self, code, sentence, *arguments, **options):
        done = self.runs(*arguments, code=code, **options)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr, f"tbn-runs: error: {sentence}\n")

    def rows(self, *arguments, **options):
        """A table as its lines by column, by way of CSV."""
        return list(csv.DictReader(io.StringIO(self.runs(*arguments, "--format", "csv", **options).stdout)))

    def states(self, *arguments):
        return {run["folder"]: run["state"] for run in self.json_of("list", *arguments)["runs"]}

    def wait_for(self, path, process):
        while not path.exists():
            self.assertIsNone(process.poll())
            time.sleep(0.005)
