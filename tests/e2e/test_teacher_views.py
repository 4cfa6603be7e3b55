"""A teacher whose outputs are kept (teacher.views): the run is the same however often it is stopped,
whoever filled the file, and no file of another run is used."""

import shutil
import signal
import time

from tools_support import CONV_SETTINGS, ToolTest, main, read_safetensors_header

STUDENT = [*CONV_SETTINGS, "teacher.from=runs/teacher", "teacher.views=2", "train.epochs=5",
           "data.crop_padding=2", "data.flip=true"]


def student(*settings):
    """STUDENT with other values for some of its keys, and more settings."""
    keys = {setting.split("=")[0] for setting in settings}
    return [*(setting for setting in STUDENT if setting.split("=")[0] not in keys), *settings]


class TeacherViews(ToolTest):
    train_images = 1100

    def setUp(self):
        super().setUp()
        self.train("name=teacher", "weights.encoding=float", "weights.rules=[]", "train.epochs=1")

    @property
    def own_file(self):
        return self.run_folder / "teacher_outputs.safetensors"

    def last(self, name="tiny"):
        return (self.folder / "runs" / name / "checkpoints" / "last.safetensors").read_bytes()

    def weights(self, name="tiny"):
        """The checkpoint but for its header, which holds the configuration."""
        content = self.last(name)
        return content[8 + int.from_bytes(content[:8], "little"):]

    def stop_in_an_epoch(self, which, *settings):
        """Starts the student anew and ends it within the second epoch, or soon after; again where it came to its
        end first."""
        last = self.run_folder / "checkpoints" / "last.safetensors"
        for _ in range(5):
            shutil.rmtree(self.run_folder, ignore_errors=True)
            code = self.stop_when(which, last.exists, *settings)
            if code != 0:
                self.assertEqual(code, {signal.SIGINT: 130, signal.SIGKILL: -9}[which])
                return
        self.fail("the run was never stopped")

    def stop_when(self, which, is_time, *settings):
        """Starts a student, sends it the signal soon after `is_time`, and returns its exit code."""
        process = self.start("tbn-train", "--config", "tiny.yaml", *student(*settings))
        self.addCleanup(process.kill)
        while not is_time():
            self.assertIsNone(process.poll())
            time.sleep(0.005)
        time.sleep(0.03)
        process.send_signal(which)
        process.communicate(timeout=60)
        return process.returncode

    def test_a_stopped_run_resumes_bit_for_bit_with_its_file_and_fills_it_anew_without(self):
        done = self.train(*STUDENT)
        self.assertIn("the teacher's outputs for 2 views of each sample are kept in the run directory, "
                      "56,000 bytes when full", done.stdout)
        straight = self.last()
        header = read_safetensors_header(self.own_file)
        self.assertEqual(header["slots"]["shape"], [2 * 1000, 4 + 4 + 2 * 10])
        self.assertEqual(header["__metadata__"]["data settings"],
                         "validation: 100, crop_padding: 2, flip: true")
        for which in (signal.SIGINT, signal.SIGKILL):
            for keeps_file in (True, False):
                with self.subTest(which=which, keeps_file=keeps_file):
                    self.stop_in_an_epoch(which)
                    if not keeps_file:
                        self.own_file.unlink()
                    self.train(*student("--resume"))
                    # Outputs that are asked for again, in other batches, may be rounded otherwise.
                    if keeps_file:
                        self.assertEqual(straight == self.last(), True, "last differs after a resume")
                    self.assertGreater(self.filled(self.own_file), 1900)

    def test_a_run_that_begins_again_keeps_the_file_that_is_named_by_its_own_place(self):
        cache = "teacher.cache=runs/tiny/teacher_outputs.safetensors"
        long = [cache, "train.epochs=40"]

        def holds_answers():
            return self.own_file.exists() and self.filled(self.own_file) > 0

        code = self.stop_when(signal.SIGKILL, holds_answers, *long)
        self.assertEqual(code, -9)
        # What a kill before the first save leaves, had it come later as well.
        shutil.rmtree(self.run_folder / "checkpoints", ignore_errors=True)
        self.assertTrue((self.run_folder / "config.yaml").exists())
        last = self.run_folder / "checkpoints" / "last.safetensors"
        code = self.stop_when(signal.SIGINT, last.exists, *long, "--resume=auto")
        self.assertEqual(code, 130)
        self.assertFalse((self.run_folder / ".new").exists())
        kept = self.filled(self.own_file)
        self.assertGreater(kept, 900)
        self.train(*student(*long, "train.max_steps=60", "--resume"))
        self.assertGreaterEqual(self.filled(self.own_file), kept)
        # It goes with the run, as if it were not named; another file of the run's folder is a source.
        self.train(*student(cache, "train.epochs=1", "train.seed=2", "--overwrite"))
        self.assertEqual(read_safetensors_header(self.own_file)["__metadata__"]["train.seed"], "2")
        done = self.train(*student("teacher.cache=runs/tiny/kept", "train.epochs=1", "--overwrite"), code=2)
        self.assertIn("teacher.cache: 'runs/tiny/kept' is of the run that --overwrite replaces", done.stderr)

    def filled(self, path):
        """How many slots are not empty."""
        content = path.read_bytes()
        slots = content[8 + int.from_bytes(content[:8], "little"):]
        return sum(any(slots[i:i + 28]) for i in range(0, len(slots), 28))

    def test_runs_share_a_file_whose_slots_were_damaged(self):
        self.train(*STUDENT)
        straight = self.weights()
        shared = self.folder / "shared.safetensors"
        self.own_file.rename(shared)
        whole = shared.read_bytes()
        self.train(*student("name=second", f"teacher.cache={shared}"))
        self.assertEqual(straight == self.weights("second"), True, "the second run differs")
        self.assertEqual(whole, shared.read_bytes())
        self.assertFalse((self.folder / "runs" / "second" / self.own_file.name).exists())
        content = bytearray(whole)
        content[-20000:-10000] = bytes(10000)  # what a kill or a power cut leaves unwritten
        content[-5000] ^= 1
        shared.write_bytes(content)
        # Another recipe for the same views.
        self.train(*student("name=third", f"teacher.cache={shared}", "optim.lr=0.1"))
        differ = [i for i, (a, b) in enumerate(zip(whole, shared.read_bytes())) if a != b]
        self.assertLess(len(differ), 200)  # a few outputs were rounded otherwise

    def test_what_does_not_fit_is_refused_and_stays(self):
        self.train(*student("train.epochs=1", "name=first", "teacher.cache=kept"))
        kept = (self.folder / "kept").read_bytes()
        tail = "; name another file with teacher.cache=..., or delete this one"
        for setting, difference in (
                ("train.seed=2", "train.seed '1', and this run has '2'"),
                ("data.flip=false", "data settings 'validation: 100, crop_padding: 2, flip: true', and "
                                    "this run has 'validation: 100, crop_padding: 2'"),
                ("teacher.views=3", "views '2', and this run has '3'")):
            with self.subTest(setting=setting):
                self.fails(3, f"teacher.cache: 'kept' was made with {difference}{tail}", "tbn-train",
                           "--config", "tiny.yaml", *student("name=second", "teacher.cache=kept", setting))
        images = self.folder / "data" / "train-images-idx3-ubyte"
        pixels = images.read_bytes()
        images.write_bytes(pixels[:16] + bytes(784 * 200) + pixels[16 + 784 * 200:])  # of the same labels
        done = self.train(*student("name=second", "teacher.cache=kept"), code=3)
        self.assertIn("teacher.cache: 'kept' was made with training data 'CRC-32C ", done.stderr)
        images.write_bytes(pixels)
        self.train("name=teacher", "weights.encoding=float", "weights.rules=[]", "train.epochs=2",
                   "--overwrite")
        done = self.train(*student("name=second", "teacher.cache=kept"), code=3)
        self.assertIn("teacher.cache: 'kept' was made with teacher 'CRC-32C ", done.stderr)
        self.assertEqual(kept, (self.folder / "kept").read_bytes())
        self.assertFalse((self.folder / "runs" / "second").exists())

    def test_a_run_that_is_replaced_takes_its_file_with_it(self):
        self.train(*student("train.epochs=1"))
        self.train(*student("train.epochs=1", "train.seed=2", "--overwrite"))
        self.assertEqual(read_safetensors_header(self.own_file)["__metadata__"]["train.seed"], "2")
        # One that comes to nothing leaves the old one.
        self.train(*student("train.seed=3", "optim.lr=1000", "optim.weight_decay=10", "optim.groups=[]",
                            "--overwrite"), code=4)
        self.assertEqual(read_safetensors_header(self.own_file)["__metadata__"]["train.seed"], "2")
        self.train(*student("train.epochs=1", "teacher.views=0", "--overwrite"))
        self.assertFalse(self.own_file.exists())


if __name__ == "__main__":
    main()
