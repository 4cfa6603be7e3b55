"""tbn-predict: what it says of files is what tbn-eval and numpy say of the same pixels, points and rows; whatever it
is given, it ends with a sentence and an exit code."""

import csv
import datetime
import gzip
import io
import json
import math
import os
import random
import shutil
import struct
import subprocess
import tempfile

import numpy as np
from PIL import Image, ImageOps

from packed_ops import evaluate
from packed_support import read_tensors
from read_packed import DTYPES, read_packed
from rule_support import CNN, RuleTest, picture, write_csv, write_folders
from tools_support import main

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


class Pictures(Predict):
    def make(self):
        write_folders(self.folder / "pets", {"train": 10, "test": 6})
        self.run_of(*PICTURES)
        self.export()

    def test_run_checkpoint_and_file_say_what_eval_and_pillow_say(self):
        forms = ("runs/r", "runs/r/checkpoints/best.safetensors", "r.tbn")
        first, *others = ([self.predict(form, "pets/test", "--format", kind, "--top", "3")
                           for kind in ("text", "csv", "jsonl")] for form in forms)
        for other in others:
            self.assertEqual(other, first)
        documents = self.documents("r.tbn", "pets/test", "--top=3")
        self.assertEqual(len(documents), 18)
        self.assertGreater(len({each["class"] for each in documents}), 1)
        labels = np.arange(18) // 6
        loss = -np.mean([math.log(self.shares(each)[label]) for each, label in zip(documents, labels)])
        for form in forms:
            self.assertAlmostEqual(self.assert_same_as_eval(form, "pets", documents), loss, delta=1e-4)
        graph, tensors = read_packed(self.folder / "r.tbn")
        for document in documents[::3]:
            logits = evaluate(graph, tensors, view_by_pillow(self.folder / document["input"]))
            self.assert_near(self.shares(document), probabilities(logits), absolute=1e-5)

    def test_pngs_of_any_kind_and_size(self):
        graph, tensors = read_packed(self.folder / "r.tbn")
        colours = picture(1, random.Random(1))
        made = {"same.png": colours, "wide.png": colours.resize((200, 31)), "small.png": colours.resize((9, 7)),
                "dot.png": colours.resize((1, 1)), "line.png": colours.resize((300, 1)),
                "grey.png": colours.convert("L"), "palette.png": colours.quantize(64)}
        for name, image in made.items():
            with self.subTest(name=name):
                image.save(self.folder / name)
                logits = evaluate(graph, tensors, view_by_pillow(self.folder / name))
                found = self.document("r.tbn", name, "--top=3")
                self.assert_near(self.shares(found), probabilities(logits), absolute=1e-5)
        # A file is what it holds, whatever it is called.
        shutil.copy(self.folder / "same.png", self.folder / "same.jpg")
        self.assertEqual(self.answer("r.tbn", "same.jpg"), self.answer("r.tbn", "same.png"))
        with (self.folder / "same.png").open("rb") as file:
            self.assertEqual(self.answer("r.tbn", "-", stdin=file), self.answer("r.tbn", "same.png"))

    def test_arrays(self):
        pixels = view_by_pillow(self.folder / "pets/test/green/0.jpg")
        found = self.answer("r.tbn", "pets/test/green/0.jpg", "--top=3")
        for kind in ("u1", "i2", ">i2", "u4", ">i8", "f2", ">f2", "f4", ">f4", "f8", ">f8"):
            with self.subTest(kind=kind):
                self.assertEqual(self.of_array("r.tbn", pixels.astype(kind), "--top=3"), [found])
        other = self.of_array("r.tbn", 255 - pixels, "--top=3")
        self.assertEqual(self.of_array("r.tbn", np.stack([pixels, 255 - pixels]), "--top=3"), [found, *other])
        self.assertEqual([each["input"] for each in self.documents("r.tbn", "x.npy")], ["x.npy[0]", "x.npy[1]"])
        with (self.folder / "x.npy").open("rb") as file:
            self.assertEqual([each["input"] for each in self.documents("r.tbn", "-", stdin=file)], ["-[0]", "-[1]"])
        # Decoded pictures of any size are made as their files are.
        image = Image.open(self.folder / "pets/test/green/0.jpg")
        self.assertEqual(self.of_array("r.tbn", np.asarray(image), "--top=3"), [found])
        self.assertEqual(self.of_array("r.tbn", np.stack([np.asarray(image)] * 2), "--top=3"), [found] * 2)
        # Channels last, or all values in a row, are the network's own input in another order.
        last = pixels.transpose(1, 2, 0)
        for values in (last, last.astype("f4"), pixels.reshape(-1)):
            self.assertEqual(self.of_array("r.tbn", values, "--top=3"), [found])
            self.assertEqual(self.of_array("r.tbn", np.stack([values] * 2), "--top=3"), [found] * 2)
        self.refuses_array("r.tbn", "its shape is [24, 24]", pixels[0])

    def test_arrays_that_are_refused(self):
        pixels = view_by_pillow(self.folder / "pets/test/green/0.jpg")
        floats = pixels.astype("f4")
        holed = floats.copy()
        holed[1, 2, 3] = np.nan
        for sentence, values in (
                ("holds pixels of 0 to 1; the network takes 0 to 255", floats / 255),
                ("holds pixels of 0 to 1; the network takes 0 to 255", pixels > 128),
                ("holds pixels of 0 to 1; the network takes 0 to 255", (pixels > 128).astype("u1")),
                ("holds -1; pixels are 0 to 255", floats - floats.min() - 1),
                ("holds 300; pixels are 0 to 255", pixels.astype("i2") * 0 + 300),
                ("holds nan", holed),
                ("holds inf", floats * np.float32(np.inf)),
                ("(Fortran's order)", np.asfortranarray(floats)),
                ("its elements are of type '|O'", np.array([None, 1])),
                ("its elements are records", np.zeros(3, dtype=[("a", "f4"), ("b", "f4")])),
                ("its elements are of type '<c8'", floats.astype("c8")),
                ("its elements are of type '<U1'", np.array(["a"])),
                ("its shape is [3, 24, 23]", floats[:, :, 1:].copy()),
                ("its shape is [24, 25, 3]", np.zeros((24, 25, 3), "f4")),
                ("its shape is [9, 24, 24]", np.concatenate([pixels] * 3)),
                ("its shape is [1, 1, 3, 24, 24]", floats[None, None]),
                ("holds nothing, its shape is [0, 3, 24, 24]", floats[None][:0]),
                ("its shape is []", np.float32(3)),
                ("'x.npy': ", npy_header("")),
                ("'x.npy': ", npy_header("{'descr': '|u1', 'fortran_order': False, 'shape': (3, -24, 24), }")),
                ("'x.npy': ", npy_header("{'descr': '<f4', 'fortran_order': False, "
                                         "'shape': (4611686018427387904, 3, 24, 24), }", bytes(64))),
                ("'x.npy': ", npy_header("{'descr': '<f8', 'fortran_order': False, "
                                         "'shape': (2305843009213693952,), }")),
                ("'x.npy': ", npy_header("{'descr': '|u1', 'fortran_order': False, "
                                         "'shape': (0, 4611686018427387904, 3), }")),
                ("'x.npy': ", npy_header("{'descr': '|u1', 'fortran_order': False, 'shape': ("
                                         + "1, " * 9000 + "), }")),
                ("'x.npy': ", npy_header("[" * 60000))):
            with self.subTest(sentence=sentence, values=str(values)[:100]):
                self.refuses_array("r.tbn", sentence, values)
        file = io.BytesIO()
        np.save(file, pixels)
        whole = file.getvalue()
        for length in (6, 7, 8, 10, 60, len(whole) - 1):
            with self.subTest(length=length):
                self.refuses_array("r.tbn", "'x.npy': ", whole[:length])
        self.refuses_array("r.tbn", "'x.npy': ", whole + b"\0")

    def test_one_broken_array_among_others_keeps_its_place(self):
        pixels = view_by_pillow(self.folder / "pets/test/green/0.jpg").astype("f4")
        np.save(self.folder / "x.npy", np.stack([pixels, pixels / 255, pixels]))
        first, second, third = self.documents("r.tbn", "x.npy", code=3)
        self.assertEqual((first["input"], second["input"], third["input"]), ("x.npy[0]", "x.npy[1]", "x.npy[2]"))
        self.assertEqual(first["probability"], third["probability"])
        self.assertEqual(set(second), {"input", "error"})
        self.assertIn("'x.npy[1]': holds pixels of 0 to 1", second["error"])


class Photos(Predict):
    """Rules that turn pictures by EXIF, and that decode JPEGs at a fraction of their size."""

    def write(self, side, orientation):
        exif = Image.Exif()
        exif[0x112] = orientation
        for split, count in (("train", 8), ("test", 5)):
            for label, name in enumerate(("a", "b", "c")):
                folder = self.folder / "pets" / split / name
                folder.mkdir(parents=True)
                for i in range(count):
                    image = picture(label, random.Random(f"{split} {label} {i}"))
                    # The upper half is dark, so that it matters which way is up.
                    image.paste((20, 20, 30), (0, 0, image.width, image.height // 2))
                    image.resize((side, side * 3 // 4)).save(folder / f"{i}.jpg", quality=95, exif=exif)

    def same_as_eval(self, *settings):
        self.run_of(*PICTURES, *settings)
        self.export()
        documents = self.documents("r.tbn", "pets/test", "--top=3")
        self.assertEqual(documents, self.documents("runs/r", "pets/test", "--top=3"))
        losses = [-math.log(self.shares(each)[i // 5]) for i, each in enumerate(documents)]
        for form in ("runs/r", "r.tbn"):
            self.assertAlmostEqual(self.assert_same_as_eval(form, "pets", documents), np.mean(losses), delta=1e-4)
        return documents

    def test_turned_upright(self):
        self.write(52, 6)
        documents = self.same_as_eval("data.exif=turn")
        graph, tensors = read_packed(self.folder / "r.tbn")
        lying = 0.0
        for each in documents:
            path = self.folder / each["input"]
            upright, stored = (probabilities(evaluate(graph, tensors, view_by_pillow(path, turn)))
                               for turn in (True, False))
            self.assert_near(self.shares(each), upright, absolute=1e-5)
            lying = max(lying, np.abs(stored - upright).max())
        self.assertGreater(lying, 1e-3)  # or it is not seen what EXIF changes

    def test_decoded_at_a_fraction_of_their_size(self):
        self.write(420, 1)
        reduced = self.same_as_eval("data.decode=reduce")
        shutil.rmtree(self.folder / "runs")
        exact = self.same_as_eval()
        self.assertNotEqual([each["probability"] for each in reduced], [each["probability"] for each in exact])


class FixedSize(Predict):
    """A network of grey images of 28 x 28, whose rule does not resize."""

    train_images, test_images = 200, 40

    def make(self):
        self.run_of("data.root=data", "data.validation=20", "train.epochs=3", "model={type: mlp, hidden: [16]}")
        self.export()
        self.export("runs/r", "plain.tbn", "--rule", "none")

    def setUp(self):
        super().setUp()
        with gzip.open(self.folder / "data" / "t10k-images-idx3-ubyte.gz") as file:
            self.images = np.frombuffer(file.read()[16:], "u1").reshape(-1, 28, 28)

    def test_arrays_are_what_the_data_set_holds(self):
        documents = self.of_array("r.tbn", self.images, "--top=10")
        labels = np.arange(len(self.images)) % 10
        loss = -np.mean([math.log(self.shares(each)[label]) for each, label in zip(documents, labels)])
        self.assertAlmostEqual(self.assert_same_as_eval("runs/r", "data", documents), loss, delta=1e-4)
        self.assertEqual(self.of_array("r.tbn", self.images[:, None], "--top=10"), documents)
        self.assertEqual(self.of_array("r.tbn", self.images[:, None].astype(">f4"), "--top=10"), documents)
        for values in (self.images[3], self.images[3, None], self.images[3].astype("f2")):
            self.assertEqual(self.of_array("r.tbn", values, "--top=10"), [documents[3]])

    def test_a_file_without_a_rule_is_known_by_its_data_set(self):
        Image.fromarray(self.images[5]).save(self.folder / "5.png")
        found = self.predict("r.tbn", "5.png", "--top=4")
        self.assertEqual(self.predict("plain.tbn", "5.png", "--top=4"), found)
        self.assertIn("5.png\t", found[0])

    def test_pictures_of_its_own_size_and_of_others(self):
        Image.fromarray(self.images[5]).save(self.folder / "5.png")
        self.assertEqual(self.answers("r.tbn", "5.png", "--top=10"),
                         self.of_array("r.tbn", self.images[5], "--top=10"))
        large = picture(2, random.Random(1)).resize((133, 90))
        large.save(self.folder / "large.jpg", quality=90)
        stored = Image.open(self.folder / "large.jpg")
        grey = stored.convert("L")
        seen = np.asarray(grey.resize((28, 28), Image.Resampling.BILINEAR))
        found = self.of_array("r.tbn", seen, "--top=10")
        self.assertEqual(self.answers("r.tbn", "large.jpg", "--top=10"), found)
        self.assertEqual(self.of_array("r.tbn", np.asarray(stored), "--top=10"), found)
        # Tables of pixels, a picture per row, are no picture themselves.
        flat = self.images[:3].reshape(3, 784)
        self.assertEqual(self.of_array("r.tbn", flat, "--top=10"), self.of_array("r.tbn", self.images[:3], "--top=10"))
        self.refuses_array("r.tbn", "its shape is [90, 133]", np.asarray(grey))

    def test_what_is_no_image_of_its_size_is_refused(self):
        for values in (self.images[0].astype("f4")[1:], self.images[:2, 1:], np.zeros((28, 28, 4), "u1")):
            self.refuses_array("r.tbn", "the network takes [1, 28, 28]", values)


class Forecasts(Predict):
    forecasts = True
    settings = ["data.name=csv", "data.root=s.csv", "data.series.window=24", "data.series.horizon=6",
                "data.series.columns=[wind, load]", "model={type: dlinear, kernel: 5}"]

    def make(self):
        write_csv(self.folder / "s.csv")
        self.run_of(*self.settings)
        self.export()

    def setUp(self):
        super().setUp()
        self.table = (self.folder / "s.csv").read_text()
        self.rows = np.loadtxt(self.folder / "s.csv", delimiter=",", skiprows=1, usecols=(3, 1))

    def plain(self):
        """The graph and the tensors of the exported file, in the table's own units."""
        self.export("r.tbn", "plain.tbn", "--layout", "plain")
        metadata, tensors = read_tensors(self.folder / "plain.tbn")
        return json.loads(metadata["tbn.graph"]), {name: np.frombuffer(content, DTYPES[dtype]).reshape(shape)
                                                   for name, (dtype, shape, content) in tensors.items()}

    def write(self, name, head, lines):
        (self.folder / name).write_text("\n".join([head, *lines]) + "\n")

    def test_file_standard_input_and_array_give_what_numpy_gives(self):
        found = self.answer("r.tbn", "s.csv")
        self.assertEqual(self.said, "")
        self.assert_near(found["forecast"], evaluate(*self.plain(), self.rows[-24:]), relative=1e-4)
        self.assertEqual(found["columns"], ["wind", "load"])
        last = datetime.datetime.fromisoformat(self.table.splitlines()[-1].split(",")[0])
        self.assertEqual(found["times"], [str(last + datetime.timedelta(hours=1 + i)) for i in range(6)])
        # A run is packed in standardised units, so that the last digit may be another.
        run = self.answer("runs/r", "s.csv")
        self.assertEqual(self.answer("runs/r/checkpoints/best.safetensors", "s.csv"), run)
        self.assert_near(run["forecast"], found["forecast"], relative=1e-6)
        self.assertEqual({**run, "forecast": found["forecast"]}, found)
        self.assertEqual(self.answer("r.tbn", "-", input=self.table), found)
        for values in (self.rows, self.rows[-24:], self.rows[None], self.rows.astype(">f8")):
            for each in self.of_array("r.tbn", values):
                self.assertEqual(each, {**found, "times": []})
        both = self.of_array("r.tbn", np.stack([self.rows[:-1], self.rows[1:]]))
        self.assertEqual(both[1]["forecast"], found["forecast"])
        self.assertNotEqual(both[0]["forecast"], found["forecast"])

    def test_a_line_per_step(self):
        found = self.answer("r.tbn", "s.csv")
        rows = list(csv.reader(self.predict("r.tbn", "s.csv", "--format=csv")))
        self.assertEqual(rows[0], ["input", "time", "wind", "load"])
        self.assertEqual([row[:2] for row in rows[1:]], [["s.csv", time] for time in found["times"]])
        self.assert_near([[float(cell) for cell in row[2:]] for row in rows[1:]], found["forecast"], relative=1e-6)
        text = self.predict("r.tbn", "s.csv")
        self.assertEqual([line.split("\t")[:2] for line in text], [row[:2] for row in rows[1:]])
        self.assertRegex(text[0], r"\twind [0-9.]+\tload [0-9.]+$")
        # Without dates a step has its number.
        np.save(self.folder / "x.npy", self.rows)
        rows = list(csv.reader(self.predict("r.tbn", "x.npy", "--format=csv")))
        self.assertEqual([row[:2] for row in rows[1:]], [["x.npy", str(1 + i)] for i in range(6)])
        head, *lines = self.table.splitlines()
        self.write("plain.csv", head[5:], [line.split(",", 1)[1] for line in lines])
        rows = list(csv.reader(self.predict("r.tbn", "plain.csv", "--format=csv")))
        self.assertEqual([row[1] for row in rows[1:]], [str(1 + i) for i in range(6)])

    def test_columns_are_taken_by_name(self):
        found = self.answer("r.tbn", "s.csv")
        write_csv(self.folder / "permuted.csv", order=(2, 1, 0))
        self.assertEqual(self.answer("r.tbn", "permuted.csv"), found)
        head, *lines = self.table.splitlines()
        self.write("more.csv", head + ",remark", [line + ",none" for line in lines])
        self.assertEqual(self.answer("r.tbn", "more.csv"), found)
        # The last rows alone, with a byte order mark, CRLF and quotes.
        text = "\r\n".join([head.replace("load", '"load"'), *lines[-24:]]) + "\r\n"
        (self.folder / "last.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
        self.assertEqual(self.answer("r.tbn", "last.csv"), found)

    def test_times_go_on_by_the_step_of_the_table(self):
        head, *lines = self.table.splitlines()
        days = [f"{datetime.date(2021, 1, 1) + datetime.timedelta(days=i)},{line.split(',', 1)[1]}"
                for i, line in enumerate(lines)]
        self.write("days.csv", head, days)
        found = self.answer("r.tbn", "days.csv")
        self.assertEqual(found["times"][:2], ["2022-02-05 00:00:00", "2022-02-06 00:00:00"])
        self.assertIn("note: 'days.csv': its rows are 86400 seconds apart", self.said)
        self.assertEqual(found["forecast"], self.answer("r.tbn", "s.csv")["forecast"])
        self.answer("r.tbn", "days.csv", "--quiet")
        self.assertEqual(self.said, "")

    def test_other_units_are_noted(self):
        write_csv(self.folder / "small.csv", scale=0.001)
        self.answer("r.tbn", "small.csv")
        for column in ("wind", "load"):
            self.assertRegex(self.said, f"note: 'small.csv': column '{column}' has a mean of .* other units")
        self.answer("r.tbn", "small.csv", "-q")
        self.assertEqual(self.said, "")

    def test_tables_that_are_refused(self):
        head, *lines = self.table.splitlines()
        write_csv(self.folder / "missing.csv", order=(0, 1))
        self.write("twice.csv", head.replace("oil", "wind"), lines)
        self.write("short.csv", head, lines[:23])
        self.write("word.csv", head, lines[:50] + [lines[50].rsplit(",", 1)[0] + ",none"] + lines[51:])
        self.write("back.csv", head, lines[::-1])
        self.write("head.csv", head, [])
        (self.folder / "void.csv").write_text("")
        for sentence, name in (("'missing.csv': has no column 'wind', which the network takes", "missing.csv"),
                               ("'twice.csv': has the column 'wind' twice", "twice.csv"),
                               ("'short.csv': has 23 rows, and the network sees 24", "short.csv"),
                               ("'word.csv': line 52: column 4 ('wind'): 'none' is not a number", "word.csv"),
                               ("'back.csv': ", "back.csv"), ("'head.csv': has a header and no rows", "head.csv"),
                               ("'void.csv': is empty", "void.csv")):
            with self.subTest(name=name):
                self.refuses(sentence, "r.tbn", name)
        self.refuses("'-': has 23 rows", "r.tbn", "-", input="\n".join([head, *lines[:23]]))
        self.refuses_array("r.tbn", "its shape is [23, 2]", self.rows[:23])
        self.refuses_array("r.tbn", "its shape is [400, 1]", self.rows[:, :1].copy())
        self.refuses_array("r.tbn", "holds nan", self.rows * np.nan)
        self.refuses_array("r.tbn", "no finite number of single precision", self.rows * 1e300)

    def test_in_standardised_units_the_forecast_is_the_same(self):
        self.export("runs/r", "plain.tbn", "--units", "standardised")
        found, plain = self.answer("r.tbn", "s.csv"), self.answer("plain.tbn", "s.csv")
        self.assert_near(plain.pop("forecast"), found.pop("forecast"), relative=1e-4)
        self.assertEqual(plain, found)
        write_csv(self.folder / "small.csv", scale=0.001)
        self.answer("plain.tbn", "small.csv")
        self.assertIn("is it in other units?", self.said)

    def test_outputs_that_are_not_finite(self):
        np.save(self.folder / "x.npy", self.rows * 0 + 3e38)
        found = self.documents("r.tbn", "s.csv", "x.npy", "s.csv", code=4)
        self.assertEqual(["error" in each for each in found], [False, True, False])
        self.assertIn("'x.npy': the network gives what is infinite or not a number", self.said)

    def test_options_for_classes_do_nothing_for_a_forecast(self):
        for option in (["--top=3"], ["--category=chair"]):
            with self.subTest(option=option):
                self.refuses(option[0].split("=")[0], "r.tbn", "s.csv", *option, code=2)


class Clouds(Predict):
    settings = ["data.points.count=16", "data.validation=10", "data.train_limit=40", "data.test_limit=9",
                "weights.encoding=float"]

    def make(self):
        self.run_of("data.name=shapes", *self.settings, "model={type: pointnet, width: 0.125}")
        self.run_of("data.name=shape_parts", "name=parts", *self.settings,
                    "model={type: pointnet_part_seg, width: 0.125}")
        self.export()
        self.export("runs/parts", "parts.tbn")

    def setUp(self):
        super().setUp()
        # Numbers that a few decimal digits write to the bit.
        self.points = np.random.default_rng(1).integers(-999, 1000, (40, 3)).astype("f4") / 256
        self.normals = self.points[:, ::-1]

    def write(self, name, values, between=" ", head="", end="\n"):
        lines = [between.join(f"{value:.10f}" for value in row) for row in values]
        (self.folder / name).write_bytes((head + end.join(lines) + end).encode())

    def test_text_and_arrays_of_the_same_points(self):
        found = self.of_array("r.tbn", self.points, "--top=10")
        graph, tensors = read_packed(self.folder / "r.tbn")
        centred = self.points - self.points.mean(axis=0, dtype="f8")
        seen = (centred / np.linalg.norm(centred, axis=1).max())[:16]
        self.assert_near(self.shares(found[0]), probabilities(evaluate(graph, tensors, seen)), absolute=1e-5)
        for values in (self.points[None], self.points.astype(">f4"), self.points.astype("f8")):
            self.assertEqual(self.of_array("r.tbn", values, "--top=10"), found)
        labelled = np.hstack([self.points, self.normals, self.points[:, :1]])
        self.write("blanks.txt", self.points, "  ")
        self.write("tabs.pts", self.points, "\t", end="\r\n")
        self.write("commas.csv", self.points, ",")
        self.write("both.txt", self.points, " , ")
        self.write("heading.csv", self.points, ",", "x,y,z\n")
        self.write("remark.xyz", self.points, " ", "# made by hand\n\n")
        self.write("normals.txt", labelled[:, :6])
        self.write("labels.txt", labelled)
        self.write("mark.csv", self.points, ",", "\ufeff")
        for name in ("blanks.txt", "tabs.pts", "commas.csv", "both.txt", "heading.csv", "remark.xyz", "normals.txt",
                     "labels.txt", "mark.csv"):
            with self.subTest(name=name):
                self.assertEqual(self.answers("r.tbn", name, "--top=10"), found)
        self.assertEqual(self.answers("r.tbn", "-", "--top=10", input=(self.folder / "blanks.txt").read_text()), found)
        self.assertEqual(self.answers("runs/r", "blanks.txt", "--top=10"), found)

    def test_clouds_that_are_refused(self):
        self.write("four.txt", np.hstack([self.points, self.points[:, :1]]))
        self.write("two.txt", self.points[:, :2])
        self.write("few.txt", self.points[:5])
        (self.folder / "word.txt").write_text("1 2 3\n" * 20 + "1 two 3\n")
        (self.folder / "inf.txt").write_text("1 2 3\n" * 20 + "1 inf 3\n")
        (self.folder / "head.txt").write_text("x y z\n")
        for sentence, name in (("'four.txt': line 1: 4 numbers; a point of the network has 3", "four.txt"),
                               ("'two.txt': line 1: 2 numbers", "two.txt"), ("'few.txt': 5 points", "few.txt"),
                               ("'word.txt': line 21: 'two' is no number", "word.txt"),
                               ("'inf.txt': line 21: 'inf' is no finite number", "inf.txt"),
                               ("'head.txt': 0 points", "head.txt")):
            with self.subTest(name=name):
                self.refuses(sentence, "r.tbn", name)
        self.refuses_array("r.tbn", "its shape is [40, 5]", np.hstack([self.points, self.normals[:, :2]]))
        self.refuses_array("r.tbn", "holds nan", self.points * np.nan)
        self.refuses_array("r.tbn", "holds nothing, its shape is [0, 3]", self.points[:0])

    def test_kinds_of_objects_have_labels_of_their_own(self):
        rule = self.call_json("tbn-inspect", "parts.tbn")["rule"]["output"]
        self.write("a.txt", self.points)
        for name, first, count in rule["categories"]:
            with self.subTest(name=name):
                found = self.answer("parts.tbn", "a.txt", "--category", name, "--top=100")
                self.assertEqual(len(found["labels"]), 16)
                self.assertLessEqual(set(found["labels"]), set(range(first, first + count)))
                self.assertLessEqual(set(found["points"]), set(range(40)))
                self.assertEqual(len(set(found["points"])), 16)
                counts = {each["label"]: each["share"] * 16 for each in found["shares"]}
                self.assertEqual(counts, {label: found["labels"].count(label) for label in set(found["labels"])})
                self.assertEqual([each["class"] for each in found["shares"]],
                                 [rule["classes"][each["label"]] for each in found["shares"]])
                self.assertEqual(self.answer("runs/parts", "a.txt", "--category", name, "--top=100"), found)
        self.assertEqual(self.predict("parts.tbn", "a.txt", "--category=mug", "--format=csv")[0],
                         "input,class,share")

    def test_category_is_asked_for_and_known(self):
        self.write("a.txt", self.points)
        for form in ("parts.tbn", "runs/parts"):
            self.refuses("give it as --category: 'table', 'chair', 'mug',", form, "a.txt", code=2)
            self.refuses("--category: the network knows no 'chiar' (did you mean 'chair'?)", form, "a.txt",
                         "--category=chiar", code=2)
        self.refuses("--category: the network is told no kind of object", "r.tbn", "a.txt", "--category=chair",
                     code=2)


class Output(Predict):
    """What is written, of which inputs, in which order."""

    def make(self):
        write_folders(self.folder / "pets", {"train": 8, "test": 3})
        self.run_of(*PICTURES)
        self.export()
        self.export("runs/r", "ranges.tbn", "--calibrate", "9", "--root", "pets")

    def setUp(self):
        super().setUp()
        self.good = "pets/test/green/0.jpg"

    def names(self, *arguments, **options):
        return [each["input"] for each in self.documents("r.tbn", *arguments, **options)]

    def test_csv_quotes_what_needs_it(self):
        names = ['a,"b".jpg', "a b.jpg", "\u96ea.jpg"]
        for name in names:
            shutil.copy(self.folder / self.good, self.folder / name)
        rows = list(csv.reader(self.predict("r.tbn", *names, "--format=csv", "--top=2")))
        self.assertEqual(rows[0], ["input", "class", "probability", "class_2", "probability_2"])
        self.assertEqual([row[0] for row in rows[1:]], names)
        found = self.document("r.tbn", self.good, "--top=2")
        for row in rows[1:]:
            self.assertEqual(row[1::2], [each["class"] for each in found["top"]])
            self.assert_near([float(cell) for cell in row[2::2]],
                             [each["probability"] for each in found["top"]], absolute=1e-6)

    def test_json_has_a_document_per_input_with_errors_in_their_place(self):
        (self.folder / "broken.jpg").write_bytes((self.folder / self.good).read_bytes()[:400])
        arguments = ["r.tbn", self.good, "broken.jpg", "nowhere.jpg", self.good]
        documents = self.documents(*arguments, code=3)
        self.assertEqual([each["input"] for each in documents], arguments[1:])
        for each in documents[1:3]:
            self.assertEqual(set(each), {"input", "error"})
            self.assertIn(f"'{each['input']}'", each["error"])
        self.assertEqual(documents[0], documents[3])
        self.assertIn("tbn-predict: 2 of 4 inputs", self.said)
        self.assertEqual(self.said.count("\n"), 3)
        done = self.call("tbn-predict", *arguments, "--json", code=3)
        whole = json.loads(done.stdout)
        self.assertEqual(whole, {"path": "r.tbn", "predictions": documents})
        # Where lines have no place for an error they are left out.
        for form in ("text", "csv"):
            lines = self.predict(*arguments, "--format", form, code=3)
            self.assertEqual(lines[-1], lines[-2])
            self.assertEqual(len(lines), 2 if form == "text" else 3)

    def test_hostile_names_are_escaped(self):
        content = (self.folder / self.good).read_bytes()
        for name, shown in HOSTILE.items():
            for broken in (False, True):
                with self.subTest(name=name, broken=broken):
                    with open(os.fsencode(self.folder) + b"/" + name, "wb") as file:
                        file.write(content[:300] if broken else content)
                    arguments = ["r.tbn", os.fsdecode(name)]
                    (document,) = self.documents(*arguments, code=3 if broken else 0)
                    self.assertEqual(document["input"], name.decode("utf-8", "replace"))
                    self.assertEqual("error" in document, broken)
                    for form in ("text", "csv", "jsonl"):
                        lines = self.predict(*arguments, "--format", form, code=3 if broken else 0)
                        self.assertEqual(len(lines), {"text": 1, "csv": 2, "jsonl": 1}[form]
                                         - (broken and form != "jsonl"))
                        for line in (*lines, *self.said.splitlines()):
                            self.assertFalse(set(line) & (HIDDEN - {"\ufffd"} if form == "jsonl" else HIDDEN), line)
                        if broken:
                            self.assertIn(shown, self.said)
                        elif form != "jsonl":
                            self.assertTrue(lines[-1].startswith(shown + ("\t" if form == "text" else ",")), lines)

    def test_text_and_more_classes_than_there_are(self):
        found = self.document("r.tbn", self.good, "--top=9")
        self.assertEqual(sorted(each["label"] for each in found["top"]), [0, 1, 2])
        self.assertAlmostEqual(sum(each["probability"] for each in found["top"]), 1, delta=1e-6)
        self.assertEqual((found["class"], found["label"], found["probability"]),
                         tuple(found["top"][0][key] for key in ("class", "label", "probability")))
        self.assertEqual(sorted(self.shares(found), reverse=True), [each["probability"] for each in found["top"]])
        expected = "".join(f"\t{each['class']} {each['probability']:.4f}" for each in found["top"])
        self.assertEqual(self.predict("r.tbn", self.good, "--top=9"), [self.good + expected])
        head, line = self.predict("r.tbn", self.good, "--top=9", "--format=csv")
        self.assertEqual(head, "input,class,probability,class_2,probability_2,class_3,probability_3")
        self.assertEqual(line.count(","), 6)

    def test_batches_change_nothing(self):
        (self.folder / "pets/test/green/x.jpg").write_text("none")
        found = self.predict("r.tbn", "pets/test", "--format=jsonl", code=3)
        self.assertEqual(len(found), 10)
        for size in (1, 2, 7, 10, 100000):
            with self.subTest(size=size):
                self.assertEqual(self.predict("r.tbn", "pets/test", "--format=jsonl", "--batch-size", size, code=3),
                                 found)
        self.assertEqual(self.predict("r.tbn", "pets/test", "--format=jsonl", "--threads=1", code=3), found)

    def test_order_of_inputs_and_what_folders_hold(self):
        for name in ("f/b/2.JPG", "f/b/10.jpg", "f/a.png.jpg", "f/.hidden.jpg", "f/.git/x.jpg", "f/c/d/e/1.JPEG",
                     "f/c/notes.txt", "f/c/jpg", "z.jpg"):
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.folder / self.good, self.folder / name)
        np.save(self.folder / "f/b/k.npy", np.zeros((2, 3, 24, 24), "u1"))
        os.mkfifo(self.folder / "f/pipe.jpg")
        (self.folder / "f/lost.jpg").symlink_to("nowhere.jpg")
        (self.folder / "f/loop").symlink_to(".")
        inside = ["f/a.png.jpg", "f/b/10.jpg", "f/b/2.JPG", "f/b/k.npy[0]", "f/b/k.npy[1]", "f/c/d/e/1.JPEG"]
        self.assertEqual(self.names("f"), inside)
        self.assertEqual(self.names("z.jpg", "f", self.good, "z.jpg"), ["z.jpg", *inside, self.good, "z.jpg"])
        # What is named itself is taken, whatever its name.
        self.assertEqual(self.names("f/.hidden.jpg", "f/c/jpg", "f/c/notes.txt"),
                         ["f/.hidden.jpg", "f/c/jpg", "f/c/notes.txt"])
        self.assertEqual(self.names("f/.git"), ["f/.git/x.jpg"])

    def test_folders_behind_links_are_seen_as_tbn_eval_sees_them(self):
        (self.folder / "linked" / "test").mkdir(parents=True)
        for name in ("blue", "green", "r\u00e9d"):
            (self.folder / "linked/test" / name).symlink_to(self.folder / "pets/test" / name)
        found = self.documents("r.tbn", "linked/test")
        self.assertEqual(len(found), 9)
        self.assert_same_as_eval("r.tbn", "linked", found)

    def test_backends(self):
        graph, tensors = read_packed(self.folder / "ranges.tbn")
        expected = probabilities(evaluate(graph, tensors, view_by_pillow(self.folder / self.good)))
        for backend, tolerance in (("exact", 1e-5), ("reference", 1e-5), ("int8", 0.05), ("micro", 0.1)):
            with self.subTest(backend=backend):
                documents = self.documents("ranges.tbn", "pets/test", "--top=3", "--backend", backend)
                found = next(each for each in documents if each["input"] == self.good)
                self.assert_near(self.shares(found), expected, absolute=tolerance)
                labels = np.arange(9) // 3
                loss = -np.mean([math.log(self.shares(each)[label]) for each, label in zip(documents, labels)])
                measured = self.assert_same_as_eval("ranges.tbn", "pets", documents, "--backend", backend)
                self.assertAlmostEqual(measured, loss, delta=1e-4)
        self.refuses("carries no ranges for --backend micro; export it again with --calibrate 512", "r.tbn", self.good,
                     "--backend=micro", code=2)


class Errors(Predict):
    def make(self):
        write_folders(self.folder / "pets", {"train": 4, "test": 2})
        self.run_of(*PICTURES, "train.epochs=1")
        self.export("runs/r", "r.tbn", "--calibrate", "9", "--root", "pets")

    def setUp(self):
        super().setUp()
        self.good = "pets/test/green/0.jpg"

    def test_command_lines_that_say_too_little_or_nonsense(self):
        for sentence, *arguments in (
                ("which run directory, checkpoint or .tbn file?",),
                ("which inputs?", "r.tbn"),
                ("which inputs?", "runs/r"),
                ("--format: 'xml' is not one of text, csv, jsonl", "r.tbn", self.good, "--format=xml"),
                ("--top", "r.tbn", self.good, "--top=0"), ("--top", "r.tbn", self.good, "--top=-1"),
                ("--top", "r.tbn", self.good, "--top=many"),
                ("--batch-size", "r.tbn", self.good, "--batch-size=0"),
                ("give one of them", "r.tbn", self.good, "--json", "--format=csv"),
                ("--backend: 'fast' is not one of", "r.tbn", self.good, "--backend=fast"),
                ("--precision", "r.tbn", self.good, "--precision=bf16"),
                ("--device", "r.tbn", self.good, "--device=tpu")):
            with self.subTest(arguments=arguments):
                self.refuses(sentence, *arguments, code=2)
                self.assertTrue(self.said.startswith("tbn-predict: error: "), self.said)

    def test_options_that_would_do_nothing(self):
        for option in (["--kernel=gemv"], ["--backend=micro", "--device=cuda"], ["--backend=micro", "--kernel=gemv"],
                       ["--backend=micro", "--precision=bf16"]):
            with self.subTest(option=option):
                self.assertEqual(self.predict("r.tbn", self.good, *option, code=2), [])

    def test_inputs_that_are_not_there_and_others_go_on(self):
        lines = self.predict("r.tbn", "nowhere.jpg", self.good, "pets/tset", code=3)
        self.assertEqual([line.split("\t")[0] for line in lines], [self.good])
        first, second, last = self.said.splitlines()
        self.assertTrue(first.startswith("tbn-predict: error: there is no 'nowhere.jpg'"), first)
        self.assertTrue(second.startswith("tbn-predict: error: there is no 'pets/tset'"), second)
        self.assertIn("2 of 3 inputs", last)
        self.refuses("there is no ''", "r.tbn", "")

    def test_pictures_that_are_damaged_or_none(self):
        whole = (self.folder / self.good).read_bytes()
        for name, content in (("cut.jpg", whole[:len(whole) // 2]), ("head.jpg", whole[:30]), ("two.jpg", whole[:2]),
                              ("void.jpg", b""), ("text.jpg", b"no picture"), ("gif.jpg", b"GIF89a" + bytes(20)),
                              ("noise.jpg", whole[:2] + random.Random(1).randbytes(2000)),
                              ("model.jpg", (self.folder / "r.tbn").read_bytes())):
            with self.subTest(name=name):
                (self.folder / name).write_bytes(content)
                lines = self.predict("r.tbn", self.good, name, self.good, code=3)
                self.assertEqual([line.split("\t")[0] for line in lines], [self.good] * 2)
                first, last = self.said.splitlines()
                self.assertTrue(first.startswith(f"tbn-predict: error: '{name}': "), first)
                self.assertIn("1 of 3 inputs", last)

    def test_folders_and_standard_input_without_anything(self):
        (self.folder / "void").mkdir()
        (self.folder / "void" / "notes.txt").write_text("none")
        self.refuses("'void': the folder holds no picture", "r.tbn", "void")
        self.refuses("'-': the standard input is empty", "r.tbn", "-", stdin=subprocess.DEVNULL)
        lines = self.predict("r.tbn", "void", self.good, code=3)
        self.assertEqual(len(lines), 1)
        self.refuses("'-': ", "r.tbn", "-", input="no picture")

    def test_models_that_are_none(self):
        (self.folder / "void").mkdir()
        (self.folder / "text.tbn").write_text("none")
        (self.folder / "cut.tbn").write_bytes((self.folder / "r.tbn").read_bytes()[:700])
        for name in ("void", "pets", "nowhere", "nowhere.tbn", "text.tbn", "cut.tbn", self.good):
            with self.subTest(name=name):
                self.refuses(name, name, self.good, code=3)
                self.assertTrue(self.said.startswith("tbn-predict: error: "), self.said)
        self.refuses("--max-memory", "r.tbn", self.good, "--max-memory=100")

    def test_a_packed_file_of_any_name_is_one(self):
        """As for tbn-eval."""
        shutil.copy(self.folder / "r.tbn", self.folder / "network")
        self.call("tbn-eval", "network", "--root", "pets")
        self.assertEqual(self.predict("network", self.good), self.predict("r.tbn", self.good))

    def test_pipes_and_devices_are_not_waited_for(self):
        os.mkfifo(self.folder / "pipe")
        os.mkfifo(self.folder / "pipe.tbn")
        for arguments in (["r.tbn", "pipe"], ["r.tbn", "/dev/zero"], ["r.tbn", "/dev/null"], ["pipe", self.good],
                          ["pipe.tbn", self.good], ["/dev/zero", self.good]):
            with self.subTest(arguments=arguments):
                tool = self.start("tbn-predict", *arguments, stdin=subprocess.DEVNULL)
                try:
                    out, said = tool.communicate(timeout=30)
                except subprocess.TimeoutExpired:
                    tool.kill()
                    tool.communicate()
                    self.fail(f"it waits: {arguments}")
                self.assertEqual((tool.returncode, out), (3, ""))
                self.assertRegex(said, "^tbn-predict: .* regular file\n$")


if __name__ == "__main__":
    main()
