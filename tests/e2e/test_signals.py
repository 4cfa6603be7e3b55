"""Every signal that asks for a stop, in every part of a run: it ends after the step or the batch that
runs, says so with 128 + n, and a resume continues bit for bit. What must stop nothing does not."""

import json
import os
import shutil
import signal
import subprocess
import time

from tools_support import CONV_SETTINGS, ToolTest, main, read_safetensors_header

STOPS = {signal.SIGINT: "SIGINT (Ctrl-C)", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP",
         signal.SIGUSR1: "SIGUSR1"}

# An evaluation of some seconds after a step of some milliseconds: one image at a time.
SLOW_EVALUATION = [*CONV_SETTINGS, "train.eval_batch_size=1", "train.ema=0.9"]
WHOLE_EPOCH = [*SLOW_EVALUATION, "data.train_limit=50", "data.validation=2000", "train.epochs=2"]
PART_OF_AN_EPOCH = [*SLOW_EVALUATION, "data.validation=2000", "train.max_steps=1"]
FINAL = [*SLOW_EVALUATION, "data.validation=0", "data.train_limit=50", "train.epochs=1"]


class Signals(ToolTest):
    train_images = 2100
    test_images = 2000

    def checkpoint(self, name):
        return self.run_folder / "checkpoints" / f"{name}.safetensors"

    def progress(self, name="last"):
        header = read_safetensors_header(self.checkpoint(name))
        return json.loads(header["__metadata__"]["tbn.progress"])

    def begin(self, *settings, until=None, **options):
        """Starts a run and returns when it has begun to train, or `until` is true."""
        process = self.start("tbn-train", "--config", "tiny.yaml", "--overwrite", *settings,
                             **options)
        if until is None:
            for line in process.stdout:
                if "run directory" in line:
                    return process
            self.fail("it never began: " + process.stderr.read())
        deadline = time.monotonic() + 60
        while not until():
            self.assertIsNone(process.poll())
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.005)
        return process

    def end(self, process, code, most=2.0):
        """Waits for the end, which must come within `most` seconds; returns what was printed."""
        start = time.monotonic()
        out, err = process.communicate(timeout=60)
        seconds = time.monotonic() - start
        self.assertEqual(process.returncode, code, out + err)
        self.assertLess(seconds, most, "a whole evaluation was waited for")
        return out

    def outcome(self):
        """All that a run gave, but for times."""
        rows = (self.run_folder / "metrics.csv").read_text().splitlines()
        summary = json.loads((self.run_folder / "summary.json").read_text())
        return ([row.rsplit(",", 2)[0] for row in rows], summary["test"],
                self.checkpoint("last").read_bytes(), self.checkpoint("best").read_bytes())

    def assert_resumes_like(self, straight, settings):
        self.assertFalse((self.run_folder / "summary.json").exists())
        self.train(*settings, "--resume")
        resumed = self.outcome()
        for part, (ours, theirs) in enumerate(zip(straight, resumed)):
            self.assertTrue(ours == theirs, f"part {part} differs after a resume")

    def test_each_signal_stops_a_validation_after_its_batch(self):
        for settings in (WHOLE_EPOCH, PART_OF_AN_EPOCH):
            start = time.monotonic()
            self.train(*settings, "--overwrite")
            straight, seconds = self.outcome(), time.monotonic() - start
            for stop, name in STOPS.items():
                with self.subTest(signal=name, settings=settings[-1]):
                    process = self.begin(*settings)
                    time.sleep(0.3)
                    process.send_signal(stop)
                    out = self.end(process, 128 + stop, seconds / 3)
                    self.assertIn(f"stopped by {name} in the validation of epoch 1; continue with "
                                  "--resume", out)
                    self.assertTrue(self.progress()["awaits_validation"])
                    self.assertFalse(self.checkpoint("best").exists())
                    self.assert_resumes_like(straight, settings)

    def test_each_signal_stops_the_final_evaluation_after_its_batch(self):
        start = time.monotonic()
        self.train(*FINAL, "--overwrite")
        straight, seconds = self.outcome(), time.monotonic() - start
        for stop, name in STOPS.items():
            with self.subTest(signal=name):
                process = self.begin(*FINAL)
                while not self.checkpoint("last").exists():
                    time.sleep(0.005)
                time.sleep(0.1)
                process.send_signal(stop)
                out = self.end(process, 128 + stop, seconds / 2)
                self.assertIn(f"stopped by {name} in the final evaluation; continue with --resume",
                              out)
                self.assert_resumes_like(straight, FINAL)

    def test_each_signal_stops_training_after_its_step(self):
        settings = [*CONV_SETTINGS, "train.epochs=1000000"]
        for stop, name in STOPS.items():
            with self.subTest(signal=name):
                shutil.rmtree(self.run_folder, ignore_errors=True)
                process = self.begin(*settings, until=self.checkpoint("last").exists)
                process.send_signal(stop)
                out = self.end(process, 128 + stop)
                self.assertIn(f"stopped by {name} ", out)
                self.assertIn("continue with --resume", out)

    def test_a_json_result_says_which_signal_ended_the_run(self):
        process = self.begin(*CONV_SETTINGS, "train.epochs=1000000", "--json",
                             until=lambda: self.checkpoint("last").exists())
        process.send_signal(signal.SIGUSR1)
        outcome = json.loads(self.end(process, 128 + signal.SIGUSR1))
        self.assertEqual((outcome["complete"], outcome["signal"]), (False, signal.SIGUSR1))

    def test_different_signals_in_a_row_end_no_run_unsaved(self):
        process = self.begin(*CONV_SETTINGS, "train.epochs=1000000",
                             until=lambda: self.checkpoint("last").exists())
        for stop in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM, signal.SIGINT):
            process.send_signal(stop)
        # The system may deliver them in another order; one of them is the first.
        out, _ = process.communicate(timeout=60)
        self.assertIn(process.returncode, [128 + stop for stop in STOPS])
        self.assertIn("continue with --resume", out)

    def test_a_signal_that_the_process_was_started_to_ignore_stays_ignored(self):
        def ignoring():
            for stop in (signal.SIGHUP, signal.SIGINT):
                signal.signal(stop, signal.SIG_IGN)

        process = self.begin("train.epochs=3", preexec_fn=ignoring)
        for _ in range(20):
            process.send_signal(signal.SIGHUP)
            process.send_signal(signal.SIGINT)
        self.end(process, 0, 60)
        self.assertTrue(json.loads((self.run_folder / "summary.json").read_text())["complete"])

    def test_a_console_that_goes_away_stops_no_training(self):
        done = subprocess.run(
            f"set -o pipefail; '{self.command('tbn-train')[0]}' --config tiny.yaml train.epochs=3 "
            "| head -n 1", cwd=self.folder, shell=True, executable="/bin/bash",
            capture_output=True, text=True, timeout=120)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertTrue(json.loads((self.run_folder / "summary.json").read_text())["complete"])

    def test_a_result_that_nobody_reads_is_an_error(self):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(self.command("tbn-train", "--config", "tiny.yaml", "--json"),
                              cwd=self.folder, stdout=write, stderr=subprocess.PIPE, text=True,
                              timeout=120)
        os.close(write)
        self.assertEqual(done.returncode, 1)
        self.assertIn("tbn-train: error: the standard output cannot be written", done.stderr)

    def test_a_state_that_is_not_finite_is_not_saved(self):
        # The loss is of before the step that breaks the weights, by a decay of 1e39.
        settings = ["model={type: mlp, hidden: [64]}", "weights={encoding: float}",
                    "optim={type: sgd, momentum: 0, lr: 1000, weight_decay: 1e36}",
                    "train.max_steps=1", "data.validation=2000", "train.eval_batch_size=1"]
        done = self.train(*settings, code=4)
        self.assertIn("a weight is not finite at epoch 1, step 1", done.stderr)
        self.assertFalse(self.checkpoint("last").exists())

    def test_a_state_that_a_signal_finds_not_finite_is_not_saved(self):
        # A step of half a second and more, which breaks the weights as above.
        settings = ["model={type: resnet_small, channels: [32, 64], strides: [2, 2]}",
                    "weights={encoding: float}", "train.batch_size=600", "train.epochs=1000",
                    "optim={type: sgd, momentum: 0, lr: 1000, weight_decay: 1e36}", "data.validation=100"]
        for wait in (0.1, 0.2, 0.4, 0.8, 1.6, 3.2):
            process = self.begin(*settings)
            time.sleep(wait)
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=60)
            if self.checkpoint("last").exists() and self.progress()["global_step"] == 0:
                continue  # it came before the step began
            self.assertEqual(process.returncode, 4, out + err)
            self.assertFalse(self.checkpoint("last").exists())
            return
        self.fail("the signal never came inside the first step")


if __name__ == "__main__":
    main()
