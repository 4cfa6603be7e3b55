"""Where a run ends, and what a resume that has nothing to train, or goes on from a step limit, makes
of it."""

import json
import signal
import struct
import time

from tools_support import CONV_SETTINGS, ToolTest, main, read_safetensors_header

RUN = ["tbn-train", "--config", "tiny.yaml"]


class RunEnds(ToolTest):
    def checkpoint(self, name):
        return self.run_folder / "checkpoints" / f"{name}.safetensors"

    def metadata(self, name, key):
        return json.loads(read_safetensors_header(self.checkpoint(name))["__metadata__"][key])

    def progress(self, name):
        return self.metadata(name, "tbn.progress")

    def tensors(self, name):
        """The tensors' bytes, which have no configuration in them."""
        content = self.checkpoint(name).read_bytes()
        (length,) = struct.unpack("<Q", content[:8])
        return content[8 + length:]

    def rows(self):
        """Of metrics.csv, but for the two columns of time."""
        lines = (self.run_folder / "metrics.csv").read_text().splitlines()
        return [line.rsplit(",", 2)[0] for line in lines]

    def kept(self):
        """What a resume that trains nothing leaves as it is, byte for byte."""
        files = [self.run_folder / name for name in ("config.yaml", "environment.json", "metrics.csv")]
        return [path.read_bytes() for path in [*files, self.checkpoint("last")]]

    def summary(self):
        path = self.run_folder / "summary.json"
        return json.loads(path.read_text()) if path.exists() else None

    def stop(self, *settings):
        """A long run that was stopped after its third epoch."""
        process = self.start(*RUN, *CONV_SETTINGS, "train.epochs=400", *settings)
        self.addCleanup(process.kill)
        rows = self.run_folder / "metrics.csv"
        while not rows.exists() or len(rows.read_text().splitlines()) < 4:
            self.assertIsNone(process.poll())
            time.sleep(0.005)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 143)

    def test_a_resume_that_trains_nothing_keeps_the_run_and_calls_it_not_complete(self):
        self.stop()
        before = self.kept()
        done = self.progress("last")["epoch"]
        best = self.progress("best")["epoch"]
        for way in ("--resume", "--resume=auto", "--resume=best"):
            for limit in ("train.epochs=1", "train.max_steps=1", "no best"):
                with self.subTest(way=way, limit=limit):
                    if limit == "no best":
                        if way == "--resume=best":
                            continue
                        self.checkpoint("best").unlink()
                        limit = "train.epochs=1"
                    result = self.call(*RUN[:1], way, "runs/tiny", limit)
                    who = f"the run has done {done}:"
                    if way == "--resume=best":
                        who = f"best.safetensors has done {best}:"
                    if limit == "train.max_steps=1":
                        who = who.rsplit(" ", 1)[0]
                    self.assertIn(f"{limit.replace('=', ' is ')}, and {who}", result.stdout)
                    self.assertIn("nothing is left to train", result.stdout)
                    self.assertNotIn("resuming at", result.stdout)
                    if way != "--resume=best":
                        self.assertIn("the run is not complete, and no summary.json is written: it was "
                                      "recorded with train.epochs=400; --resume runs/tiny trains on to "
                                      "there", result.stdout)
                    self.assertEqual(before, self.kept())
                    self.assertIsNone(self.summary())
        said = self.call_json("tbn-train", "--resume", "runs/tiny", "train.epochs=1")
        self.assertEqual((said["complete"], said["epochs"]), (False, done))
        more = self.call("tbn-train", "--resume=auto", "runs/tiny", f"train.epochs={done + 1}")
        self.assertIn(f"resuming at epoch {done + 1}", more.stdout)
        self.assertTrue(self.summary()["complete"])

    def test_a_complete_run_stays_complete_however_it_is_resumed(self):
        self.train("train.epochs=4")
        before = self.kept()
        for way in ("--resume", "--resume=auto", "--resume=best"):
            for limit in ("train.epochs=4", "train.epochs=1", "train.max_steps=3"):
                if way == "--resume=best" and self.progress("best")["epoch"] < 4 and "4" in limit:
                    continue
                with self.subTest(way=way, limit=limit):
                    done = self.call("tbn-train", way, "runs/tiny", limit)
                    self.assertNotIn("resuming at", done.stdout)
                    self.assertEqual(before, self.kept())
                    summary = self.summary()
                    self.assertEqual((summary["complete"], summary["epochs"], summary["steps"]),
                                     (True, 4, 40))

    def test_a_run_made_longer_than_its_step_limit_is_the_one_without(self):
        for settings in ([], ["data.validation=0"], ["train.ema=0.9", "data.flip=true"]):
            self.train("train.epochs=4", *settings, "--overwrite")
            steps = self.progress("last")["global_step"] // 4
            straight = [self.rows(), self.tensors("last"), self.tensors("best"),
                        self.progress("last"), self.progress("best")]
            for limits in ((3,), (10,), (27,), (3, 7), (3, 37), (27, 29, 31)):
                with self.subTest(settings=settings, limits=limits):
                    way = "--overwrite"
                    for limit in limits:
                        self.train("train.epochs=4", *settings, f"train.max_steps={limit}", way)
                        self.assertEqual(self.summary()["steps"], limit)
                        self.assertEqual(len(self.rows()), 2 + (limit - 1) // steps)
                        way = "--resume"
                    self.train("train.epochs=4", *settings, "train.max_steps=0", way)
                    self.assertEqual(straight, [self.rows(), self.tensors("last"), self.tensors("best"),
                                                self.progress("last"), self.progress("best")])

    def test_an_epoch_cut_short_is_best_only_without_a_whole_one(self):
        self.train("train.epochs=4", "train.max_steps=3")
        self.assertEqual(self.progress("best")["step_in_epoch"], 3)
        self.assertNotIn("best_score", self.progress("best"))
        self.train("train.epochs=4", "train.max_steps=13", "--resume")
        self.assertEqual(self.progress("best")["global_step"], 10)

    def test_of_epochs_of_the_same_score_the_one_of_lower_loss_is_best(self):
        # From the second epoch on all are right, and the loss falls.
        still = ["weights={encoding: float}", "optim={type: sgd, momentum: 0, lr: 1.0e-6}"]
        self.train(*still, "train.epochs=4")
        columns = self.rows()[0].split(",")
        cells = [dict(zip(columns, row.split(","))) for row in self.rows()[1:]]
        scores = [float(row["val_accuracy"]) for row in cells]
        losses = [float(row["val_loss"]) for row in cells]
        self.assertGreater(scores.count(max(scores)), 1, scores)
        best = max(range(4), key=lambda i: (scores[i], -losses[i], -i))
        self.assertGreater(best, scores.index(max(scores)))
        self.assertEqual(self.progress("best")["best_epoch"], best)
        self.assertEqual(self.progress("best")["best_loss"], losses[best])
        straight = [self.rows(), self.tensors("best"), self.progress("best")]
        self.train(*still, "train.epochs=4", "train.max_steps=20", "--overwrite")
        self.train(*still, "train.epochs=4", "train.max_steps=0", "--resume")
        self.assertEqual(straight, [self.rows(), self.tensors("best"), self.progress("best")])


if __name__ == "__main__":
    main()
