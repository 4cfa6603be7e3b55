"""What keeps a run from being lost: states that say what they are, and continuations that take nothing
away."""

import json
import os
import random
import resource
import shutil
import subprocess
import time

from run_support import RUN, RunDirectoryTest, huge, without_checksums
from tools_support import CONV_SETTINGS, main


class Resume(RunDirectoryTest):
    def test_a_run_directory_by_itself_is_all_that_a_resume_needs(self):
        self.train("train.epochs=1", "optim.lr=0.04")
        moved = self.folder / "kept" / "elsewhere"
        shutil.move(self.run_folder, self.folder / "kept")
        (self.folder / "kept").rename(self.folder / "moved")
        (self.folder / "kept").mkdir()
        (self.folder / "moved").rename(moved)
        done = self.call("tbn-train", "--resume", "kept/elsewhere/", "train.epochs=2")
        self.assertIn("resuming at epoch 2, step 0 of 10", done.stdout)
        self.assertIn("train.epochs was 1 and is 2: the learning rate goes on at 0.02, after ",
                      done.stdout)
        summary = json.loads((moved / "summary.json").read_text())
        self.assertEqual((summary["name"], summary["epochs"]), ("elsewhere", 2))
        self.assertIn("lr: 0.04", (moved / "config.yaml").read_text())
        self.call("tbn-train", "--resume=best", ".", cwd=moved, code=3)  # data is elsewhere
        self.fails(2, "'name=x' contradicts --resume kept/elsewhere, which says the run's place",
                   "tbn-train", "--resume", "kept/elsewhere", "name=x")

    def test_each_mistake_with_resume_has_its_sentence(self):
        self.fails(2, "--resume: 'runs/x' is not one of last, auto, best; a run directory follows "
                      "after a space: --resume runs/x", "tbn-train", "--resume=runs/x")
        self.fails(2, "--resume auto: write --resume=auto", "tbn-train", "--resume", "auto")
        self.fails(2, "--resume: there is no run in 'runs/x'; --config <file> says what to train",
                   "tbn-train", "--resume", "runs/x")
        self.fails(2, "--resume: 'tiny.yaml' is a file; name the run directory that is to be "
                      "continued", "tbn-train", "--resume", "tiny.yaml")
        self.fails(2, "--resume: there is no run in 'runs/tiny'; --resume=auto starts one", *RUN,
                   "--resume")
        self.assertFalse((self.folder / "runs").exists())

    def test_auto_starts_continues_and_is_done(self):
        settings = ["train.epochs=2"]
        self.assertIn("there is no run in 'runs/tiny' to resume: it starts now",
                      self.train(*settings, "--resume=auto").stdout)
        first = json.loads(self.summary.read_text())
        written = self.last.stat().st_mtime_ns
        done = self.train(*settings, "--resume=auto")
        self.assertTrue(done.stdout.startswith("'runs/tiny' is complete, 2 epochs: test accuracy "))
        self.assertEqual(self.call_json(*RUN, *settings, "--resume=auto"), first)
        quiet = self.train(*settings, "--resume=auto", "--quiet")
        self.assertRegex(quiet.stdout, r"^runs/tiny: test accuracy [\d.]+ %\n$")
        self.assertEqual(written, self.last.stat().st_mtime_ns)
        self.assertIn("resuming at epoch 3",
                      self.train("train.epochs=3", "--resume=auto").stdout)

    def test_without_its_last_checkpoint_a_run_is_not_begun_anew(self):
        self.train("train.epochs=2")
        rows = (self.run_folder / "metrics.csv").read_bytes()
        epoch = self.progress(self.best)["best_epoch"] + 1
        self.last.unlink()
        self.fails(2, "--resume: there is no last.safetensors in 'runs/tiny/checkpoints'; "
                      f"best.safetensors is of epoch {epoch}: --resume=best continues from it",
                   *RUN, "train.epochs=3", "--resume")
        self.assertEqual(rows, (self.run_folder / "metrics.csv").read_bytes())
        done = self.train("train.epochs=3", "--resume=best")
        self.assertIn(f"resuming at epoch {epoch + 1}, step 0 of 10", done.stdout)
        self.assertEqual(json.loads(self.summary.read_text())["epochs"], 3)

    def test_the_best_that_is_on_disk_is_the_one_to_beat(self):
        self.train("train.epochs=2")

        def claim(metadata):
            progress = json.loads(metadata["tbn.progress"])
            progress["best_score"] = 101.0
            metadata["tbn.progress"] = json.dumps(progress)

        without_checksums(self.best, claim)
        tensors = self.best.read_bytes()[-10000:]
        self.train("train.epochs=5", "--resume")
        self.assertEqual(self.progress(self.last)["best_score"], 101.0)
        self.assertEqual(tensors, self.best.read_bytes()[-10000:])

    def test_no_summary_calls_a_run_complete_that_goes_on(self):
        self.train(*CONV_SETTINGS, "train.epochs=1")
        self.assertTrue(self.summary.exists())
        process = self.start(*RUN, *CONV_SETTINGS, "train.epochs=1000000", "--resume")
        while self.progress(self.last)["epoch"] < 2:
            self.assertIsNone(process.poll())
            time.sleep(0.01)
        self.assertFalse(self.summary.exists())
        process.kill()
        process.communicate()
        self.assertFalse(self.summary.exists())

    def test_a_start_that_failed_leaves_a_folder_that_starts(self):
        # As a full disk before config.yaml is whole, and a kill while it was written, leave it.
        (self.run_folder / "checkpoints").mkdir(parents=True)
        (self.run_folder / "lock").write_text("12 a\n")
        dead = subprocess.Popen(["true"])
        dead.wait()
        (self.run_folder / f"config.yaml.tmp.{dead.pid}").write_text("na")
        self.train("train.epochs=1")
        self.assertEqual([], [p for p in self.run_folder.rglob("*") if ".tmp." in p.name])

    def test_a_run_that_is_killed_again_and_again_comes_to_the_same_end(self):
        settings = [*CONV_SETTINGS, "train.epochs=3", "train.checkpoint_minutes=0.000001"]
        self.train(*settings)
        straight = [self.last.read_bytes(), self.best.read_bytes()]
        shutil.rmtree(self.run_folder)
        chance = random.Random(1)
        for _ in range(15):
            process = self.start(*RUN, *settings, "--resume=auto")
            try:
                process.communicate(timeout=chance.uniform(0.05, 1.5))
                self.assertEqual(process.returncode, 0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
        self.train(*settings, "--resume=auto")
        self.assertEqual(straight, [self.last.read_bytes(), self.best.read_bytes()])
        names = {path.name for path in self.run_folder.rglob("*")}
        self.assertFalse([name for name in names if ".tmp." in name or name == "lock"])

    def test_what_cannot_be_looked_into_is_no_run_that_is_absent(self):
        self.train("train.epochs=1")
        kept = self.last.parent.rename(self.run_folder / "kept")
        # A loop of links is an error for every user, as missing permissions are for all but root.
        self.last.parent.symlink_to("checkpoints")
        rows = (self.run_folder / "metrics.csv").read_bytes()
        for tool in (RUN, RUN + ["--resume"], RUN + ["--resume=auto"], RUN + ["--overwrite"],
                     ["tbn-eval", "runs/tiny"], ["tbn-export", "runs/tiny", "-o", "x.tbn"]):
            done = self.call(*tool, code=1)
            self.assertIn("Too many levels of symbolic links", done.stderr)
        self.assertEqual(rows, (self.run_folder / "metrics.csv").read_bytes())
        self.assertTrue((kept / "last.safetensors").exists())


class Continuing(RunDirectoryTest):
    def state(self):
        """Every file of the run with its bytes, but for its logs; and the metrics, which are one."""
        files = {path.name: path.read_bytes() for path in self.run_folder.rglob("*")
                 if path.is_file() and path.suffix != ".log" and path.parent.name != "events"}
        return files, files.pop("metrics.csv")

    def assert_nothing_lost(self, before):
        files, rows = self.state()
        self.assertEqual(before[0], files)
        # An epoch that could not be saved may have its row, which the next continuation cuts.
        self.assertTrue(rows.startswith(before[1]))

    def test_a_continuation_that_comes_to_nothing_takes_nothing_from_a_complete_run(self):
        float_sgd = ["weights={encoding: float}", "optim={type: sgd, lr: 0.01, momentum: 0}"]
        self.train(*float_sgd, "train.epochs=2", "data.validation=0")
        before = self.state()
        size = len(before[0]["last.safetensors"])
        longer = [*RUN, *float_sgd, "data.validation=0", "train.epochs=4"]
        images = self.folder / "data" / "train-images-idx3-ubyte"
        good = images.read_bytes()

        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))

        for way in ("--resume", "--resume=auto", "--resume=best"):
            with self.subTest(way=way, what="a full disk"):
                done = self.call(*longer, way, code=1, preexec_fn=small_files)
                self.assertIn("File too large", done.stderr)
                self.assert_nothing_lost(before)
            with self.subTest(way=way, what="damaged data"):
                images.write_bytes(good[:-5])
                self.call(*longer, way, code=3)
                images.write_bytes(good)
                self.assert_nothing_lost(before)
        with self.subTest(what="a loss that is not finite"):
            # Weights of 1e38, finite as they are.
            for path in (self.last, self.best):
                huge(path, "model/linear1.weight")
            before = self.state()[0], before[1]
            for way in ("--resume", "--resume=auto"):
                self.call(*longer, way, code=4)
                self.assert_nothing_lost(before)

    def test_fewer_epochs_leave_the_recorded_configuration(self):
        self.train("train.epochs=3")
        before = (self.run_folder / "config.yaml").read_bytes()
        environment = (self.run_folder / "environment.json").read_bytes()
        done = self.train("train.epochs=1", "--resume")
        self.assertIn("train.epochs is 1, and the run has done 3: nothing is left to train", done.stdout)
        self.assertEqual(before, (self.run_folder / "config.yaml").read_bytes())
        self.assertEqual(environment, (self.run_folder / "environment.json").read_bytes())
        self.assertEqual(json.loads(self.summary.read_text())["epochs"], 3)
        self.train("train.epochs=4", "--resume")
        self.assertIn("epochs: 4", (self.run_folder / "config.yaml").read_text())

    def test_auto_of_a_complete_run_says_what_it_did_not_take_up(self):
        self.train("train.epochs=2")
        done = self.train("train.epochs=1", "train.threads=2", "--resume=auto")
        self.assertIn("the run is complete and was not continued, with other settings: "
                      "train.epochs=1 (was 2), train.threads=2 (was 1)\n", done.stdout)
        self.assertNotIn("settings", self.train("train.epochs=2", "--resume=auto").stdout)
        done = self.train("train.epochs=2", "optim.lr=0.04", "--resume=auto", code=2)
        self.assertIn("--resume: 'lr: 0.04' in section 'optim' was 'lr: 0.05' when the run began",
                      done.stderr)

    def test_auto_of_a_run_whose_summary_has_values_of_other_types_writes_it_again(self):
        self.train("train.epochs=2")
        good = json.loads(self.summary.read_text())
        for change in ({"test": 91}, {"test": {"top1": "91"}}, {"epochs": "2"}, {"complete": 1}):
            self.summary.write_text(json.dumps({**good, **change}))
            done = self.train("--resume=auto", "train.epochs=2")
            self.assertIn("nothing is left to train", done.stdout)
            self.assertEqual(json.loads(self.summary.read_text())["test"], good["test"])

    def test_a_continuation_that_its_metrics_speak_against_leaves_no_log(self):
        self.train("train.epochs=1")
        metrics = self.run_folder / "metrics.csv"
        metrics.write_text("a,b\n")
        log = self.run_folder / "train.log"
        log.unlink()
        self.train("train.epochs=2", "--resume", code=3)
        self.assertFalse(log.exists())

    def test_two_ways_to_resume_contradict_each_other(self):
        self.train("train.epochs=1")
        for ways in (["--resume=auto", "--resume"], ["--resume", "--resume=best"]):
            done = self.call("tbn-train", *ways, "runs/tiny", code=2)
            self.assertRegex(done.stderr, r"--resume is given as '\w+' and as '\w+'; give one of them")
        self.call("tbn-train", "--resume=auto", "--resume=auto", "runs/tiny")

    def test_auto_of_a_complete_run_prints_its_result_wherever_its_data_are(self):
        self.train("train.epochs=1")
        there = self.folder / "elsewhere"
        there.mkdir()
        here = self.call("tbn-train", "--resume=auto", "runs/tiny").stdout
        self.assertRegex(here, "'runs/tiny' is complete, 1 epoch: test accuracy")
        done = self.call("tbn-train", "--resume=auto", "../runs/tiny", cwd=there)
        self.assertEqual(done.stdout.replace("../", ""), here)
        (self.folder / "data").rename(self.folder / "gone")
        self.assertEqual(self.call("tbn-train", "--resume=auto", "runs/tiny").stdout, here)
        self.assertIn("is complete", self.train("train.epochs=1", "--resume=auto").stdout)

    def test_a_network_to_begin_with_that_is_not_there_is_said_with_its_key_and_place(self):
        (self.folder / "runs" / "tiny").mkdir(parents=True)
        for key in ("init.from", "teacher.from"):
            with self.subTest(key=key):
                done = self.train("name=other", f"{key}=runs/none", code=3)
                self.assertRegex(done.stderr, rf"{key}: there is no 'runs/none' in '/\S+'; '/\S+/runs' holds .*'tiny'\n$")
                done = self.train("name=other", f"{key}=/runs/none", code=3)
                self.assertRegex(done.stderr, rf"{key}: there is no '/runs/none'; '/' holds .*\n$")
                done = self.train("name=other", f"{key}=x/runs/tiny", code=3)
                self.assertRegex(done.stderr, rf"{key}: there is no 'x/runs/tiny' in '/\S+'; 'runs/tiny' is there\n$")
                done = self.train("name=other", f"{key}=data", code=3)
                self.assertIn(f"{key}: 'data' has no checkpoints/best.safetensors", done.stderr)

    def test_a_folder_that_was_recorded_relative_is_said_with_where_it_is_looked_for(self):
        self.train("train.epochs=1", "teacher.from=", "data.root=data")
        there = self.folder / "elsewhere"
        there.mkdir()
        sentence = (rf"last.safetensors: data.root was recorded as 'data', which is not there in "
                    rf"'\S*/elsewhere'; '../data' is there; go to the folder that the run was "
                    rf"started in, or give data.root=\.\.\.\n$")
        for way in (["--resume"], ["--resume=auto", "train.epochs=2"]):
            done = self.call("tbn-train", way[0], "../runs/tiny", *way[1:], code=3, cwd=there)
            self.assertRegex(done.stderr, sentence)
        done = self.call("tbn-eval", "../runs/tiny", code=3, cwd=there)
        self.assertRegex(done.stderr, r"recorded as 'data', which is not there in .* or give --root <folder>\n$")
        self.call("tbn-train", "--resume", "../runs/tiny", "train.epochs=2", "data.root=../data",
                  cwd=there)
        self.call("tbn-eval", "../runs/tiny", "--root", "../data", cwd=there)
        self.call("tbn-train", "--config", "tiny.yaml", "name=taught", "teacher.from=runs/tiny",
                  "train.epochs=1")
        done = self.call("tbn-train", "--resume", "../runs/taught", "data.root=../data", code=3,
                         cwd=there)
        self.assertIn("teacher.from was recorded as 'runs/tiny', which is not there in ", done.stderr)

    def test_a_checkpoint_whose_configuration_is_damaged_is_a_bad_file_for_every_tool(self):
        self.train("train.epochs=1")

        def spoil(metadata):
            metadata["tbn.config"] = metadata["tbn.config"].replace("\n  epochs:", "\n  epoch:")

        for path in (self.last, self.best):
            without_checksums(path, spoil)
        for tool in (["tbn-train", "--resume", "runs/tiny"], [*RUN, "train.epochs=2", "--resume"],
                     ["tbn-eval", "runs/tiny"], ["tbn-export", "runs/tiny", "-o", "x.tbn"]):
            done = self.call(*tool, code=3)
            self.assertRegex(done.stderr, r"^\S+: error: runs/tiny/checkpoints/(last|best)\.safetensors: "
                                          r"configuration:\d+:\d+: train\.epoch: unknown key .*\n$")
            self.assertEqual(done.stderr.count(".safetensors"), 1)

    def test_what_is_no_file_in_the_place_of_one_stops_nothing_for_ever(self):
        self.train("train.epochs=1")
        for name in ("config.yaml", "metrics.csv", "train.log", "summary.json", "lock",
                     "checkpoints/last.safetensors"):
            path = self.run_folder / name
            kept = path.read_bytes() if path.exists() else None
            path.unlink(missing_ok=True)
            os.mkfifo(path)
            for way in ([], ["--resume"], ["--resume=auto"], ["--overwrite"]):
                self.fails(2, f"'runs/tiny/{name}' is a pipe, where a run has something else; move it "
                              "away, or choose another run directory with name=...",
                           *RUN, "train.epochs=2", *way)
            path.unlink()
            if kept is not None:
                path.write_bytes(kept)
        self.train("train.epochs=2", "--resume")


if __name__ == "__main__":
    main()
