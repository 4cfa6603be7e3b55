"""--overwrite takes an older run away with the first checkpoint of the new one, and not before."""

import json
import resource
import time

from run_support import RUN, RunDirectoryTest
from tools_support import CONV_SETTINGS, main


class Overwrite(RunDirectoryTest):
    def files(self):
        """Every file of the run by its place, with its bytes."""
        return {str(path.relative_to(self.run_folder)): path.read_bytes()
                for path in self.run_folder.rglob("*") if path.is_file()}

    def test_a_start_that_comes_to_nothing_takes_nothing_from_the_run(self):
        self.train("train.epochs=2")
        (self.run_folder / "notes.txt").write_text("mine")
        before = self.files()
        size = len(before["checkpoints/last.safetensors"])
        images = self.folder / "data" / "train-images-idx3-ubyte"
        good = images.read_bytes()

        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))

        with self.subTest(what="a configuration that cannot be trained"):
            self.train("--overwrite", "optim.groups=[{match: nothing_of_it, lr: 1}]", code=2)
            self.assertEqual(before, self.files())
        with self.subTest(what="damaged data"):
            images.write_bytes(good[:-5])
            self.train("--overwrite", code=3)
            images.write_bytes(good)
            self.assertEqual(before, self.files())
        with self.subTest(what="a full disk"):
            done = self.train("--overwrite", code=1, preexec_fn=small_files)
            self.assertIn("File too large", done.stderr)
            self.assertEqual(before, self.files())
        with self.subTest(what="a loss that is not finite"):
            done = self.train("--overwrite", "weights={encoding: float}", "optim={type: sgd, lr: 1000, "
                              "momentum: 0, weight_decay: 10, groups: []}", code=4)
            self.assertIn("no checkpoint was written yet, and the run that was to be replaced is as it was",
                          done.stderr)
            self.assertEqual(before, self.files())
        self.train("--resume", "train.epochs=3")

    def test_a_run_is_not_replaced_by_one_that_needs_it(self):
        self.train("train.epochs=1")
        before = self.files()
        for key in ("teacher.from", "init.from"):
            for path in ("runs/tiny", "runs/../runs/tiny/checkpoints/best.safetensors", str(self.run_folder)):
                with self.subTest(key=key, path=path):
                    done = self.train("--overwrite", "train.epochs=2", f"{key}={path}", code=2)
                    self.assertIn(f"{key}: '{path}' is of the run that --overwrite replaces; choose another with "
                                  "name=...", done.stderr)
                    self.assertEqual(before, self.files())

    def test_a_start_that_is_killed_before_its_first_save_takes_nothing_either(self):
        self.train("train.epochs=2")
        before = self.files()
        process = self.start(*RUN, *CONV_SETTINGS, "train.checkpoint_minutes=0", "train.batch_size=1",
                             "--overwrite")
        self.addCleanup(process.kill)
        incoming = self.run_folder / ".new" / "train.log"
        while not incoming.exists():
            self.assertIsNone(process.poll())
            time.sleep(0.005)
        process.kill()
        process.communicate()
        self.assertEqual(before, {name: kept for name, kept in self.files().items()
                                  if not name.startswith(".new/") and name != "lock"})
        self.assertIn("'runs/tiny' is complete, 2 epochs", self.train("--resume=auto", "train.epochs=2").stdout)
        self.assertFalse((self.run_folder / ".new").exists())
        self.assertEqual(before, self.files())

    def test_what_replaces_a_run_has_nothing_of_it(self):
        self.train("train.epochs=3")
        (self.run_folder / "notes.txt").write_text("mine")
        events = {path.name for path in (self.run_folder / "events").iterdir()}
        self.train("train.epochs=2", "optim.lr=0.04", "--overwrite")
        self.assertEqual(json.loads(self.summary.read_text())["epochs"], 2)
        rows = (self.run_folder / "metrics.csv").read_text().splitlines()
        self.assertEqual([row.split(",")[0] for row in rows], ["epoch", "1", "2"])
        self.assertIn("lr: 0.04", (self.run_folder / "config.yaml").read_text())
        self.assertEqual((self.run_folder / "train.log").read_text().count("best epoch"), 1)
        self.assertEqual(len(list((self.run_folder / "events").iterdir())), 1)
        self.assertEqual((self.run_folder / "notes.txt").read_text(), "mine")
        names = {path.name for path in self.run_folder.iterdir()}
        self.assertEqual(names, {"config.yaml", "environment.json", "metrics.csv", "train.log", "events",
                                 "checkpoints", "summary.json", "notes.txt"})
        self.assertEqual(len(events), 1)


if __name__ == "__main__":
    main()
