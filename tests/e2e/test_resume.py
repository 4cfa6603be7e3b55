"""Stopping by signals, resuming bit for bit, and what may happen to an older run directory."""

import json
import shutil
import signal
import time

from tools_support import CONV_SETTINGS, ToolTest, main, read_safetensors_header

# Everything that a resumed run must find again is on: averages, augmentation, a learning rate that
# moves at every step, two kinds of optimiser.
SETTINGS = [*CONV_SETTINGS, "train.epochs=4", "train.ema=0.95", "data.crop_padding=2",
            "data.flip=true", "schedule.warmup_epochs=1", "train.clip_norm=5",
            "train.label_smoothing=0.1"]


class Resume(ToolTest):
    train_images = 2100

    def last(self):
        return self.run_folder / "checkpoints" / "last.safetensors"

    def progress(self):
        return json.loads(read_safetensors_header(self.last())["__metadata__"]["tbn.progress"])

    def stop_in_second_epoch(self, which, settings):
        """Starts a new run, sends the signal soon after the first epoch was saved."""
        shutil.rmtree(self.run_folder, ignore_errors=True)
        process = self.start("tbn-train", "--config", "tiny.yaml", *settings)
        deadline = time.monotonic() + 60
        while not self.last().exists() and process.poll() is None:
            self.assertLess(time.monotonic(), deadline, "the first epoch takes too long")
            time.sleep(0.005)
        time.sleep(0.05)
        process.send_signal(which)
        out, err = process.communicate(timeout=60)
        self.assertEqual(err, "")
        return process.returncode, out

    def stop_inside_an_epoch(self, which, settings=SETTINGS):
        """As above, again where the signal came just between two epochs."""
        for _ in range(5):
            code, out = self.stop_in_second_epoch(which, settings)
            progress = self.progress()
            if progress["epoch"] == 1 and progress["step_in_epoch"] > 0:
                return code, out
        self.fail("the signal never came inside the second epoch")

    def test_a_run_stopped_inside_an_epoch_resumes_bit_for_bit(self):
        self.train(*SETTINGS)
        names = ["last", "best"]
        straight = {n: (self.run_folder / "checkpoints" / f"{n}.safetensors").read_bytes()
                    for n in names}
        rows = self.rows()
        code, out = self.stop_inside_an_epoch(signal.SIGINT)
        self.assertEqual(code, 130)
        self.assertIn("stopped by SIGINT (Ctrl-C) at epoch 2, step ", out)
        self.assertIn("continue with --resume", out)
        self.train(*SETTINGS, "--resume")
        for name in names:
            resumed = (self.run_folder / "checkpoints" / f"{name}.safetensors").read_bytes()
            self.assertEqual(straight[name] == resumed, True, f"{name} differs after a resume")
        self.assertEqual(rows, self.rows())

    def test_learned_steps_of_integers_resume_bit_for_bit(self):
        settings = [each for each in SETTINGS if not each.startswith("weights.rules=")]
        settings.append("weights.rules=[{match: [conv1, classifier], encoding: uniform, bits: 8}]")
        self.train(*settings)
        straight = self.last().read_bytes()
        header = read_safetensors_header(self.last())
        for name in ("model/conv1.alpha", "ema/classifier.alpha", "optim/conv1.alpha/momentum"):
            self.assertIn(name, header)
        self.stop_inside_an_epoch(signal.SIGINT, settings)
        self.train(*settings, "--resume")
        self.assertEqual(straight == self.last().read_bytes(), True, "last differs after a resume")

    def test_bop_trains_and_resumes_bit_for_bit(self):
        settings = [*SETTINGS, "optim.groups=[{match: latents, type: bop, lr: 1e-3, threshold: 1e-8}]"]
        self.train(*settings)
        straight = self.last().read_bytes()
        means = [name for name in read_safetensors_header(self.last())
                 if name.startswith("optim/") and name.endswith(".latent/mean")]
        self.assertIn("optim/conv1.latent/mean", means)
        self.stop_inside_an_epoch(signal.SIGINT, settings)
        self.train(*settings, "--resume")
        self.assertEqual(straight == self.last().read_bytes(), True, "last differs after a resume")

    def rows(self):
        """What was measured of each epoch, but for the two columns of time."""
        rows = (self.run_folder / "metrics.csv").read_text().splitlines()
        return [row.rsplit(",", 2)[0] for row in rows]

    def test_images_on_the_device_take_over_from_the_loader_inside_an_epoch(self):
        settings = [*SETTINGS, "data.cutout=4", "data.cutmix=1", "data.mixup=0.5"]
        self.train(*settings)
        straight = self.rows()
        code, _ = self.stop_inside_an_epoch(signal.SIGINT, settings)
        self.assertEqual(code, 130)
        done = self.train(*settings, "data.resident=on", "--resume")
        self.assertIn("training images stay on cpu (2 MiB) and are augmented there", done.stdout)
        self.assertEqual(straight, self.rows())

    def test_sigterm_saves_a_checkpoint_and_exits_with_143(self):
        code, out = self.stop_inside_an_epoch(signal.SIGTERM)
        self.assertEqual(code, 143)
        self.assertIn("stopped by SIGTERM at epoch 2", out)
        progress = self.progress()
        self.assertEqual(progress["epoch"], 1)
        self.assertEqual(progress["global_step"], 40 + progress["step_in_epoch"])
        self.assertEqual(progress["samples"], 50 * progress["step_in_epoch"])

    def test_a_second_interrupt_ends_at_once(self):
        process = self.start("tbn-train", "--config", "tiny.yaml", *CONV_SETTINGS, "train.epochs=100")
        while not self.last().exists():
            self.assertIsNone(process.poll())
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130)


class RunDirectories(ToolTest):
    SETTINGS = ["train.epochs=1"]

    def test_a_second_run_of_the_same_name_is_refused_with_the_ways_out(self):
        self.train(*self.SETTINGS)
        before = (self.run_folder / "metrics.csv").read_bytes()
        self.fails(2, "run directory 'runs/tiny' holds a run that is complete; make it longer with "
                      "--resume and a larger train.epochs, replace it with --overwrite, or choose "
                      "another with name=...",
                   "tbn-train", "--config", "tiny.yaml", *self.SETTINGS)
        self.assertEqual(before, (self.run_folder / "metrics.csv").read_bytes())
        self.train(*self.SETTINGS, "name=other")
        self.train(*self.SETTINGS, "--overwrite")

    def test_a_resume_without_a_run_is_refused(self):
        self.fails(2, "--resume: there is no run in 'runs/tiny'; --resume=auto starts one", "tbn-train", "--config", "tiny.yaml", "--resume")
        self.assertFalse(self.run_folder.exists())

    def test_an_overwrite_of_a_folder_that_is_no_run_is_refused(self):
        self.run_folder.mkdir(parents=True)
        (self.run_folder / "thesis.tex").write_text("years of work")
        self.fails(2, "run directory 'runs/tiny' holds files, but no run of tbn-train; choose another "
                      "with name=...", "tbn-train", "--config", "tiny.yaml", "--overwrite")
        self.assertTrue((self.run_folder / "thesis.tex").exists())

    def test_resume_and_overwrite_exclude_each_other(self):
        self.fails(2, "--resume continues a run and --overwrite replaces it; give one of them",
                   "tbn-train", "--config", "tiny.yaml", "--resume", "--overwrite")

    def test_a_longer_run_may_resume_and_another_learning_rate_may_not(self):
        self.train(*self.SETTINGS)
        self.train("train.epochs=2", "--resume")
        rows = (self.run_folder / "metrics.csv").read_text().splitlines()
        self.assertEqual(len(rows), 3)
        self.fails(2, "--resume: 'lr: 0.2' in section 'optim' was 'lr: 0.05' when the run began "
                      "(runs/tiny/checkpoints/last.safetensors); change it back, or start another "
                      "run with name=...",
                   "tbn-train", "--config", "tiny.yaml", "train.epochs=2", "optim.lr=0.2",
                   "--resume")

    def test_a_finished_run_resumes_to_the_same_result(self):
        first = self.call_json("tbn-train", "--config", "tiny.yaml", *self.SETTINGS)
        again = self.call_json("tbn-train", "--config", "tiny.yaml", *self.SETTINGS, "--resume")
        self.assertEqual(first["test"], again["test"])
        self.assertEqual(first["steps"], again["steps"])


if __name__ == "__main__":
    main()
