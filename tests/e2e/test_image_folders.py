"""Folders of pictures through the real tools: limits, calibration, what is seen of a picture, files that
cannot be read."""

import io
import json
import os
import shutil
import struct
import zlib

from PIL import Image

from tools_support import ToolTest, main

CONFIG = """\
name: tiny
model: {type: resnet_small, channels: [8, 8], strides: [2, 2]}
weights:
  p: 2
  rules: [{match: [conv1, classifier], encoding: binary}]
data: {name: image_folder, root: pictures, image_size: 16, validation: 12, crop_min_area: 0.8}
optim: {type: adam, lr: 0.01}
train: {epochs: 2, batch_size: 8, device: cpu, threads: 1, deterministic: true}
"""


def png(value, side=20):
    """A picture of one grey with a little of a ramp, so that no two are the same."""
    rows = b"".join(b"\0" + bytes((value + x * y // 40) % 256 for x in range(side) for _ in range(3))
                    for y in range(side))

    def chunk(kind, content):
        return (struct.pack(">I", len(content)) + kind + content
                + struct.pack(">I", zlib.crc32(kind + content)))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def jpeg(value, frame=None, side=32):
    """A picture of one grey, with a frame of another some pixels from its edge."""
    image = Image.new("RGB", (side, side), (value,) * 3)
    if frame is not None:
        image.paste((frame,) * 3, (2, 2, side - 2, side - 2))
        image.paste((value,) * 3, (9, 9, side - 9, side - 9))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=95)
    return file.getvalue()


class Folders(ToolTest):
    classes = ["ant", "bee", "cow"]

    def setUp(self):
        super().setUp()
        (self.folder / "tiny.yaml").write_text(CONFIG)
        self.fill(self.picture)

    def fill(self, picture):
        """Writes picture(label, number) -> ending, content."""
        for split, count in (("train", 24), ("val", 20)):
            for label, name in enumerate(self.classes):
                folder = self.folder / "pictures" / split / name
                folder.mkdir(parents=True, exist_ok=True)
                for i in range(count):
                    ending, content = picture(label, i)
                    (folder / f"{i:03}.{ending}").write_bytes(content)

    def damage(self, *paths):
        for path in paths:
            file = self.folder / "pictures" / path
            file.write_bytes(file.read_bytes()[:60])


class Jpegs(Folders):
    def picture(self, label, i):
        # Of the first class a network that centres its inputs sees next to nothing.
        return "jpg", jpeg((112, 20, 235)[label] + i % 7)

    def counts(self, *arguments):
        metrics = self.call_json("tbn-eval", "runs/tiny", *arguments)["metrics"]
        return [row["images"] for row in metrics["per_class"]]

    def test_a_class_that_was_renamed_is_named_and_its_weights_start_another_run(self):
        self.call("tbn-train", "--config", "tiny.yaml")
        for split in ("train", "val"):
            (self.folder / "pictures" / split / "bee").rename(self.folder / "pictures" / split / "wasp")
        where = "runs/tiny/checkpoints/last.safetensors"
        self.fails(3, f"{where}: the data has no class 'bee' any more, and has a class 'wasp'; a run goes on "
                      "with what it began with: name the classes as they were, or start another run from its "
                      f"weights with name=... init.from={where}",
                   "tbn-train", "--config", "tiny.yaml", "train.epochs=3", "--resume")
        done = self.call("tbn-train", "--config", "tiny.yaml", "name=next", f"init.from={where}")
        self.assertIn("its classes are others ('wasp' is none of them), so that the classifier keeps its own "
                      "start", done.stdout)

    def test_limits_keep_a_share_of_every_class_and_first_the_first(self):
        self.train("data.train_limit=30", "data.test_limit=15", "train.epochs=1")
        self.assertEqual(self.counts(), [5, 5, 5])
        trained = self.counts("--split", "train")
        self.assertEqual(sum(trained), 30)
        self.assertTrue(all(9 <= count <= 11 for count in trained), trained)
        self.assertEqual(self.counts("data.limits=first"), [15, 0, 0])
        self.assertEqual(self.counts("data.split_seed=9"), [5, 5, 5])
        text = (self.run_folder / "config.yaml").read_text()
        self.assertIn("\n  limits: class\n", text)

    def test_calibration_sees_every_class(self):
        """The first nine pictures are of one class, that of the smallest values: the ranges of those
        alone cut the others off."""
        self.train("train.epochs=8")
        self.call("tbn-export", "runs/tiny", "-o", "tiny.tbn", "--calibrate", "9")
        at = ["--root", "pictures"]
        exact = self.call_json("tbn-eval", "tiny.tbn", *at)["metrics"]["top1"]
        micro = self.call_json("tbn-eval", "tiny.tbn", "--backend", "micro", *at)["metrics"]["top1"]
        self.assertGreater(exact, 80)
        self.assertGreater(micro, exact - 10)

    def test_a_damaged_picture_that_is_skipped_keeps_its_place_and_is_counted(self):
        self.damage("train/ant/004.jpg", "val/ant/000.jpg", "val/cow/019.jpg")
        # Some batches are of a damaged picture alone, and the last of one picture.
        self.train("data.on_error=skip", "train.epochs=1", "train.eval_batch_size=1", "train.batch_size=59")
        done = self.call("tbn-eval", "runs/tiny", "--predictions", "out.txt", "--json")
        lines = (self.folder / "out.txt").read_text().splitlines()
        self.assertEqual(len(lines), 60)
        self.assertEqual([i for i, line in enumerate(lines) if line == "-1"], [0, 59])
        self.assertEqual(json.loads(done.stdout)["skipped"], 2)
        self.assertIn("note: test: 2 of 60 samples cannot be read and are skipped: ", done.stderr)

    def test_without_a_resize_nearly_all_of_a_picture_is_seen_at_any_size(self):
        """Training sees at least 0.8 of a picture, so it learns the frame; an evaluation that cuts the
        middle out of an enlarged picture sees none of it."""
        self.fill(lambda label, i: ("jpg", jpeg(30 * (i % 8), frame=40 + 80 * label + i % 7)))
        for size, resize in ((16, 18), (32, 37)):
            with self.subTest(image_size=size):
                self.train(f"data.image_size={size}", "train.epochs=12", "--overwrite")
                found = self.call_json("tbn-eval", "runs/tiny")["metrics"]
                self.assertGreater(found["top1"], 80)
                told = self.call_json("tbn-eval", "runs/tiny", f"data.resize={resize}")["metrics"]
                self.assertEqual(found["loss"], told["loss"])

    def test_a_test_folder_that_comes_later_is_no_silent_change_of_the_splits(self):
        """It would make val/ the validation set, and train on what was held out."""
        self.train("train.epochs=1")
        shutil.copytree(self.folder / "pictures/val", self.folder / "pictures/test")
        words = "was tested on the folder 'val', and it is 'test' that would be tested on now"
        resumed = self.call("tbn-train", "--config", "tiny.yaml", "train.epochs=2", "--resume", code=3)
        self.assertIn(words, resumed.stderr)
        self.assertIn(words, self.call("tbn-eval", "runs/tiny", "--split", "validation", code=3).stderr)
        self.assertIn("note: ", self.call("tbn-eval", "runs/tiny").stderr)
        shutil.rmtree(self.folder / "pictures/test")
        self.train("train.epochs=2", "--resume")

    def test_one_class_is_refused_before_training_and_evaluated_after_it(self):
        self.train("train.epochs=1")
        alone = self.folder / "alone"
        for split in ("train", "val"):
            shutil.copytree(self.folder / "pictures" / split / "bee", alone / split / "bee")
        refused = self.call("tbn-train", "--config", "tiny.yaml", "name=x", "data.root=alone", code=3)
        self.assertIn("data set 'image_folder' in 'alone' has one class, 'bee', and a network tells two or more apart; "
                      "each class is a folder of its own below 'train'", refused.stderr)
        self.assertFalse((self.folder / "runs/x").exists())
        self.call("tbn-train", "--config", "tiny.yaml", "data.root=alone", "--dry-run", code=3)
        self.assertEqual(self.call_json("tbn-eval", "runs/tiny", "--root", "alone")["metrics"]["images"], 20)

    def test_a_split_of_another_name_is_said_not_to_be_read(self):
        pictures = self.folder / "pictures"
        (pictures / "val").rename(pictures / "vl")
        refused = self.call("tbn-train", "--config", "tiny.yaml", code=3)
        self.assertIn("'pictures/vl' is not read: rename it to 'val' if it is that", refused.stderr)
        (pictures / "vl").rename(pictures / "test")
        shutil.copytree(pictures / "test", pictures / "valid")
        done = self.train("train.epochs=1")
        self.assertIn("'pictures/valid' is not read: rename it to 'val' if it is that", done.stdout)

    def test_a_root_that_a_run_recorded_is_named_where_the_data_are_not_in_it(self):
        self.train("train.epochs=1")
        (self.folder / "pictures").rename(self.folder / "photos")
        (self.folder / "pictures").mkdir()
        for more in ([], ["--data", "image_folder"]):
            done = self.call("tbn-eval", "runs/tiny", *more, code=3)
            self.assertRegex(done.stderr, r"data set 'image_folder' not found: no train in 'pictures'.*; '\S+' recorded "
                                          r"data.root='pictures', and no other place was looked at: --root names another")
        done = self.call("tbn-eval", "runs/tiny", "--root", "pictures", code=3)
        self.assertNotIn("recorded", done.stderr)

    def test_a_class_folder_without_a_utf8_name_is_refused_before_training(self):
        for split in ("train", "val"):
            folder = bytes(self.folder / "pictures" / split) + b"/caf\xe9"
            os.mkdir(folder)
            with open(folder + b"/a.jpg", "wb") as file:
                file.write(jpeg(9))
        failed = self.call("tbn-train", "--config", "tiny.yaml", code=3)
        self.assertIn("the class folder 'caf?' is no valid UTF-8 at byte 4 of its name", failed.stderr)
        self.assertFalse((self.run_folder / "checkpoints/last.safetensors").exists())


class Pictures(Folders):
    def picture(self, label, i):
        # ImageNet has a PNG under the name of a JPEG.
        return "JPEG" if i % 5 == 0 else "png", png(40 + 80 * label + i % 7)

    def test_damaged_pictures_are_skipped_named_and_keep_their_places(self):
        self.damage("train/ant/004.png", "train/bee/007.png", "val/ant/000.JPEG", "val/cow/019.png")
        (self.folder / "pictures/val/bee/100.webp").write_bytes(b"RIFF")
        (self.folder / "pictures/val/bee/notes.txt").write_text("x")
        refused = self.call("tbn-train", "--config", "tiny.yaml", code=3)
        self.assertIn("val/bee/100.webp", refused.stderr)
        skip = "data.on_error=skip"
        # A batch of one each, so that a damaged picture is alone in its batch, and a last batch of one.
        for settings in (["train.batch_size=1", "train.eval_batch_size=1", "train.max_steps=59"],
                         ["train.batch_size=59"], []):
            done = self.train(skip, "train.epochs=1", "--overwrite", *settings)
            self.assertNotIn("nan", done.stdout)
            self.assertIn("2 of 72 samples cannot be read and are skipped: 'pictures/train/ant/004.png'"
                          ": cannot be decoded as PNG", done.stdout)
            self.assertIn("test: 3 of 61 samples cannot be read", done.stdout)
            self.assertIn("1 entry of class folders is no picture", done.stdout)
        result = self.call("tbn-eval", "runs/tiny", "--predictions", "out.txt", "--json",
                           "--batch-size", "1")
        self.assertEqual(json.loads(result.stdout)["skipped"], 3)
        self.assertEqual(json.loads(result.stdout)["metrics"]["images"], 58)
        self.assertIn("note: test: 3 of 61 samples cannot be read and are skipped: ", result.stderr)
        lines = (self.folder / "out.txt").read_text().splitlines()
        self.assertEqual(len(lines), 61)
        self.assertEqual([i for i, line in enumerate(lines) if line == "-1"], [0, 40, 60])

    def test_too_many_damaged_pictures_end_the_run_unless_told(self):
        self.damage(*[f"train/ant/{i:03}.png" for i in (1, 2, 3, 4, 6, 7, 8, 9)])
        failed = self.call("tbn-train", "--config", "tiny.yaml", "data.on_error=skip", code=3)
        self.assertIn("8 of 72 samples cannot be read, more than the 10 % that data.skip_most allows; "
                      "the first: 'pictures/train/ant/00", failed.stderr)
        self.train("data.on_error=skip", "data.skip_most=0.2", "--overwrite")


if __name__ == "__main__":
    main()
