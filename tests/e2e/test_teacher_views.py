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
        """Starts the student anew and ends it within the second epoch, or soon after."""
        shutil.rmtree(self.run_folder, ignore_errors=True)
        process = self.start("tbn-train", "--config", "tiny.yaml", *STUDENT, *settings)
        self.addCleanup(process.kill)
        last = self.run_folder / "checkpoints" / "last.safetensors"
        while not last.exists():
            self.assertIsNone(process.poll())
            time.sleep(0.005)
        time.sleep(0.03)
        process.send_signal(which)
        process.communicate(timeout=60)

    def test_a_stopped_run_resumes_bit_for_bit_with_its_file_and_without(self):
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
