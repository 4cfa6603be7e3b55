"""What keeps a run from being lost: one trainer in a folder, states that say what they are, files
that are whole, names that can be kept."""

import json
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import time

from tools_support import CONV_SETTINGS, ToolTest, main, read_safetensors_header

RUN = ["tbn-train", "--config", "tiny.yaml"]


def flip_bit(path, offset):
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(bytes(data))


def without_checksums(path, change=lambda metadata: None):
    """Rewrites a checkpoint as it was written before there were checksums."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    for key in ("tbn.header_crc32c", "tbn.crc32c"):
        header["__metadata__"].pop(key, None)
    change(header["__metadata__"])
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % 64)
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length:])


def huge(path, tensor):
    """Makes every value of a float tensor in a checkpoint 1e38."""
    content = bytearray(path.read_bytes())
    (length,) = struct.unpack("<Q", content[:8])
    begin, end = json.loads(content[8:8 + length])[tensor]["data_offsets"]
    content[8 + length + begin:8 + length + end] = struct.pack("<f", 1e38) * ((end - begin) // 4)
    path.write_bytes(bytes(content))
    without_checksums(path)


class RunDirectoryTest(ToolTest):
    @property
    def last(self):
        return self.run_folder / "checkpoints" / "last.safetensors"

    @property
    def best(self):
        return self.run_folder / "checkpoints" / "best.safetensors"

    @property
    def summary(self):
        return self.run_folder / "summary.json"

    def progress(self, path):
        return json.loads(read_safetensors_header(path)["__metadata__"]["tbn.progress"])

    def begin(self, *arguments, **options):
        """Starts a long run and returns when its first epoch is saved."""
        process = self.start(*RUN, *CONV_SETTINGS, "train.epochs=1000000", *arguments, **options)
        self.addCleanup(process.kill)
        while not self.last.exists():
            self.assertIsNone(process.poll())
            time.sleep(0.005)
        return process


class Locks(RunDirectoryTest):
    def test_of_two_that_start_at_once_one_trains(self):
        for _ in range(20):
            shutil.rmtree(self.run_folder, ignore_errors=True)
            pair = [self.start(*RUN, "train.epochs=2") for _ in range(2)]
            ends = [process.communicate(timeout=120) for process in pair]
            codes = sorted(process.returncode for process in pair)
            self.assertEqual(codes, [0, 2], ends)
            refusal = ends[0][1] + ends[1][1]
            self.assertRegex(refusal, r"run directory 'runs/tiny' (is in use by (another process|"
                                      r"process \d+ on host \S+);|holds a run that is complete;)")
            rows = (self.run_folder / "metrics.csv").read_text().splitlines()
            self.assertEqual([row.split(",")[0] for row in rows], ["epoch", "1", "2"])
            self.assertFalse((self.run_folder / "lock").exists())

    def test_a_run_under_way_is_left_alone_and_a_dead_one_is_free(self):
        process = self.begin()
        before = (self.run_folder / "config.yaml").read_bytes()
        host = os.uname().nodename
        for way in (["--overwrite"], ["--resume"], ["--resume=best"], []):
            self.fails(2, f"run directory 'runs/tiny' is in use by process {process.pid} on host "
                          f"{host}; wait for it, end it, or choose another with name=...",
                       *RUN, *CONV_SETTINGS, *way)
        self.assertEqual(before, (self.run_folder / "config.yaml").read_bytes())
        process.kill()
        process.wait()
        self.train(*CONV_SETTINGS, "--resume", "train.epochs=1")

    def test_auto_waits_for_the_owner_and_then_continues(self):
        process = self.begin()
        other = self.start(*RUN, *CONV_SETTINGS, "--resume=auto", "train.epochs=1")
        waits = other.stdout.readline()
        self.assertEqual(waits, f"run directory 'runs/tiny' is in use by process {process.pid} on "
                                f"host {os.uname().nodename}: waiting up to 100 s for its end\n")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=60), 143)
        out, err = other.communicate(timeout=60)
        self.assertEqual(other.returncode, 0, err)
        self.assertIn("nothing is left to train", out)


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
            lines = (self.folder / f"p{len(closed)}").read_text().split()
            self.assertEqual(len(lines), 200)
            self.call("tbn-eval", f"x{len(closed)}.tbn", "--verify")


if __name__ == "__main__":
    main()
