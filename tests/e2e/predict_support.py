"""What the tests of tbn-predict share: pictures and runs, what Pillow and numpy make of them, and answers to compare."""

import json
import shutil
import struct
import tempfile

import numpy as np
from PIL import Image, ImageOps

from rule_support import CNN, RuleTest

# Names that clear the screen, end the line, write from right to left, have no width and are no UTF-8; how they are
# shown.
HOSTILE = {b"a\x1b[2J\nb\xe2\x80\xae\xff": "a?[2J?b??", b"new\nline.jpg": "new?line.jpg",
           b"tab\there.jpg": "tab?here.jpg", "right\u202eleft\u200b.jpg".encode(): "right?left?.jpg"}
HIDDEN = set("\x1b\n\r\u202e\u200b\udcff\ufffd")
PICTURES = ["data.name=image_folder", "data.root=pets", "data.image_size=24", "data.resize=30", "data.validation=4",
            "train.epochs=4", *CNN]


def probabilities(logits):
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def view_by_pillow(path, turn=False, shorter=30, side=24):
    """What Pillow makes of a picture's file: [3, side, side]."""
    image = Image.open(path)
    image = (ImageOps.exif_transpose(image) if turn else image).convert("RGB")
    width, height = (shorter * length // min(image.size) for length in image.size)
    left, top = (round((length - side) / 2) for length in (width, height))
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    return pixels[top:top + side, left:left + side].transpose(2, 0, 1)


def npy_header(text, data=b""):
    """A .npy file whose header is `text`."""
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text.encode() + data


class Predict(RuleTest):
    """Each test has its own copy of the folder that make() filled once for its class."""

    made = None

    def make(self):
        pass

    def setUp(self):
        super().setUp()
        if type(self).made is None:
            self.make()
            type(self).made = tempfile.mkdtemp(prefix="tbn-e2e-")
            self.addClassCleanup(shutil.rmtree, type(self).made, ignore_errors=True)
            shutil.copytree(self.folder, type(self).made, dirs_exist_ok=True)
        else:
            shutil.copytree(type(self).made, self.folder, dirs_exist_ok=True)

    def predict(self, *arguments, code=0, **options):
        """The lines that it prints. All that it says on standard error is notes and sentences of its own."""
        done = self.call("tbn-predict", *arguments, code=code, **options)
        self.said = done.stderr
        for line in self.said.splitlines():
            self.assertRegex(line, "^(note|tbn-predict): [^ ]")
        if code == 0:
            self.assertNotIn("tbn-predict: ", self.said)
        return done.stdout.split("\n")[:-1]

    def documents(self, *arguments, code=0, **options):
        """Of each input, what --format jsonl says."""
        return [json.loads(line) for line in self.predict(*arguments, "--format=jsonl", code=code, **options)]

    def document(self, *arguments, **options):
        (found,) = self.documents(*arguments, **options)
        return found

    def answers(self, *arguments, **options):
        """The documents without the names of their inputs."""
        return [{key: value for key, value in document.items() if key != "input"}
                for document in self.documents(*arguments, **options)]

    def answer(self, *arguments, **options):
        (found,) = self.answers(*arguments, **options)
        return found

    def of_array(self, model, values, *options):
        np.save(self.folder / "x.npy", values)
        return self.answers(model, "x.npy", *options)

    def refuses(self, sentence, *arguments, code=3, **options):
        """One input that fails: one line that says why, and nothing else."""
        self.assertEqual(self.predict(*arguments, code=code, **options), [])
        self.assertIn(sentence, self.said)
        self.assertEqual(self.said.count("\n"), 1, self.said)

    def refuses_array(self, model, sentence, values, *options):
        if isinstance(values, bytes):
            (self.folder / "x.npy").write_bytes(values)
        else:
            np.save(self.folder / "x.npy", values)
        self.refuses(sentence, model, "x.npy", *options)
        self.assertIn("'x.npy': ", self.said)

    def shares(self, document):
        """The probability of each label, in order."""
        return [each["probability"] for each in sorted(document["top"], key=lambda each: each["label"])]

    def assert_near(self, found, expected, relative=0.0, absolute=0.0):
        np.testing.assert_allclose(found, expected, rtol=relative, atol=absolute)

    def assert_same_as_eval(self, what, root, documents, *settings):
        """tbn-eval predicts the same classes of a test set, and its loss is that of these probabilities."""
        found = self.call_json("tbn-eval", what, "--root", root, "--predictions", "p.txt", *settings)
        lines = (self.folder / "p.txt").read_text().splitlines()
        self.assertEqual([f"{each['label']}\t{each['class']}" for each in documents], lines)
        return found["metrics"]["loss"]
