"""Checkpoints and other files of a run that are whole, or refused; names that can be kept."""

import json
import os
import shutil
import struct
import subprocess
import time

from run_support import RUN, RunDirectoryTest, flip_bit, without_checksums
from tools_support import CONV_SETTINGS, main


class Checkpoints(RunDirectoryTest):
    def test_a_flipped_bit_is_found_by_every_tool_that_reads_a_checkpoint(self):
        self.train("train.epochs=1")
        good = self.best.read_bytes()
        (length,) = struct.unpack("<Q", good[:8])
        other = [*RUN, "name=other", "train.epochs=1"]
        for offset in (len(good) - 100, 8 + length + 5, good.index(b'"epoch') + 10):
            for path in (self.best, self.last):
                flip_bit(path, offset)
            for tool in (["tbn-eval", "runs/tiny"], ["tbn-export", "runs/tiny", "-o", "x.tbn"],
                         [*RUN, "train.epochs=2", "--resume"], ["tbn-train", "--resume", "runs/tiny"],
                         [*other, "init.from=runs/tiny"], [*other, "teacher.from=runs/tiny"]):
                done = self.call(*tool, code=3)
                self.assertIn(".safetensors: damaged: ", done.stderr)
            for path in (self.best, self.last):
                flip_bit(path, offset)
        self.call("tbn-eval", "runs/tiny")

    def test_a_checkpoint_of_before_there_were_checksums_is_read_by_every_tool(self):
        self.train("train.epochs=1")
        for path in (self.best, self.last):
            without_checksums(path)
        self.call("tbn-eval", "runs/tiny")
        self.call("tbn-export", "runs/tiny", "-o", "x.tbn")
        self.train("train.epochs=2", "--resume")

    def test_a_run_killed_inside_an_epoch_goes_on_from_its_last_minute(self):
        settings = [*CONV_SETTINGS, "train.epochs=2", "train.ema=0.9", "data.flip=true",
                    "train.batch_size=10"]
        self.train(*settings)
        straight = [self.last.read_bytes(), self.best.read_bytes()]
        often = "train.checkpoint_minutes=0.000001"  # after each step
        self.train(*settings, "--overwrite", often)
        self.assertEqual(straight[0][-10000:], self.last.read_bytes()[-10000:])
        process = self.start(*RUN, *settings, "--overwrite", often)
        deadline = time.monotonic() + 60
        while True:
            self.assertLess(time.monotonic(), deadline)
            try:
                progress = self.progress(self.last)
                if progress["epoch"] == 0 and progress["step_in_epoch"] > 2:
                    break
            except (FileNotFoundError, json.JSONDecodeError):
                pass
        process.kill()
        process.communicate()
        progress = self.progress(self.last)
        self.assertGreater(progress["step_in_epoch"], 2)
        done = self.train(*settings, "--resume")
        self.assertIn(f"resuming at epoch 1, step {progress['step_in_epoch']} of 50", done.stdout)
        self.assertEqual(straight, [self.last.read_bytes(), self.best.read_bytes()])

    def test_no_minutes_is_no_checkpoint_inside_an_epoch(self):
        self.train("train.epochs=1", "train.checkpoint_minutes=0")
        self.assertNotIn("saved at epoch", (self.run_folder / "train.log").read_text())
        self.train("train.epochs=1", "train.checkpoint_minutes=0.000001", "--overwrite")
        self.assertIn("saved at epoch 1, step 9", (self.run_folder / "train.log").read_text())

    def test_progress_that_no_training_could_have_written_is_refused_by_every_tool(self):
        self.train("train.epochs=1")
        for path in (self.best, self.last):
            without_checksums(path, lambda metadata: metadata.update(
                {"tbn.progress": metadata["tbn.progress"].replace('"epoch":', '"epoch":-', 1)}))
        for tool in (["tbn-eval", "runs/tiny"], ["tbn-export", "runs/tiny", "-o", "x.tbn"],
                     ["tbn-export", "runs/tiny", "-o", "x", "--format", "c", "--form", "f32"],
                     [*RUN, "train.epochs=2", "--resume"], [*RUN, "name=other", "init.from=runs/tiny"],
                     [*RUN, "name=other", "teacher.from=runs/tiny"]):
            done = self.call(*tool, code=3)
            self.assertRegex(done.stderr, r"(best|last)\.safetensors: tbn\.progress: ")
        self.assertFalse((self.folder / "x.tbn").exists() or (self.folder / "x").exists())

    def test_what_lies_in_the_place_of_best_is_not_passed_over_for_last(self):
        self.train("train.epochs=1")
        self.best.unlink()
        os.mkfifo(self.best)
        sentence = ("'runs/tiny/checkpoints/best.safetensors' is a pipe, where a run has a checkpoint; move it "
                    "away, or name the checkpoint itself")
        self.fails(3, sentence, "tbn-eval", "runs/tiny")
        self.fails(3, sentence, "tbn-export", "runs/tiny", "-o", "x.tbn")
        for key in ("init.from", "teacher.from"):
            self.fails(3, f"{key}: {sentence}", *RUN, "name=other", f"{key}=runs/tiny")
        self.call("tbn-eval", "runs/tiny/checkpoints/last.safetensors")
        self.best.unlink()
        self.assertIn("last.safetensors", self.call("tbn-eval", "runs/tiny").stdout)


class Names(RunDirectoryTest):
    def test_a_setting_that_a_checkpoint_cannot_keep_is_refused_before_training(self):
        bad = os.fsdecode(b"data\xff")
        shutil.copytree(self.folder / "data", self.folder / bad)
        self.fails(2, "command line: data.root: is not UTF-8, which checkpoints keep; rename it, or "
                      "make a link to it", *RUN, f"data.root={bad}")
        self.assertFalse((self.folder / "runs").exists())

    def test_a_class_folder_that_is_not_utf8_is_refused_before_training(self):
        for name in (b"blue", b"caf\xe9"):
            folder = self.folder / "images" / "train" / os.fsdecode(name)
            folder.mkdir(parents=True)
            for i in range(4):
                (folder / f"{i}.jpg").write_bytes(b"\xff\xd8")  # read later than its folder's name
        shutil.copytree(self.folder / "images" / "train", self.folder / "images" / "val")
        done = self.call(*RUN, "data={name: image_folder, root: images, image_size: 32, classes: 2, "
                               "validation: 2}", code=3)
        self.assertIn("UTF-8", done.stderr)
        self.assertIn("caf?", done.stderr)
        self.assertFalse(self.run_folder.exists())

    def test_a_command_line_that_is_not_utf8_is_kept_in_the_environment_all_the_same(self):
        config = os.fsdecode(b"caf\xe9.yaml")
        shutil.copy(self.folder / "tiny.yaml", self.folder / config)
        self.call("tbn-train", "--config", config, "train.epochs=1")
        environment = json.loads((self.run_folder / "environment.json").read_text())
        self.assertIn("caf\N{REPLACEMENT CHARACTER}.yaml", environment["command"])

    def test_a_result_is_not_lost_over_the_name_of_its_file(self):
        self.train("train.epochs=1")
        copy = os.fsdecode(b"caf\xe9.safetensors")
        shutil.copy(self.best, self.folder / copy)
        self.assertEqual(self.call_json("tbn-eval", copy)["path"],
                         "caf\N{REPLACEMENT CHARACTER}.safetensors")


class Descriptors(RunDirectoryTest):
    def test_with_closed_descriptors_no_file_becomes_the_console(self):
        for closed in ("0<&-", ">&-", "2>&-", "0<&- >&- 2>&-"):
            shutil.rmtree(self.run_folder, ignore_errors=True)
            command = " ".join(f"'{part}'" for part in self.command(*RUN, "train.epochs=2"))
            done = subprocess.run(f"{command} {closed}", shell=True, cwd=self.folder, timeout=120)
            self.assertEqual(done.returncode, 0, closed)
            rows = (self.run_folder / "metrics.csv").read_text().splitlines()
            self.assertEqual([row.split(",")[0] for row in rows], ["epoch", "1", "2"], closed)
            self.call("tbn-eval", "runs/tiny")
            for tool in (f"tbn-eval' runs/tiny --predictions p{len(closed)}",
                         f"tbn-export' runs/tiny -o x{len(closed)}.tbn"):
                binary = self.command("")[0]
                done = subprocess.run(f"'{binary}/{tool} {closed}", shell=True, cwd=self.folder,
                                      timeout=120)
                self.assertEqual(done.returncode, 0, tool + closed)
            lines = (self.folder / f"p{len(closed)}").read_text().splitlines()
            self.assertEqual(len(lines), 200)
            self.call("tbn-eval", f"x{len(closed)}.tbn", "--verify")


if __name__ == "__main__":
    main()
