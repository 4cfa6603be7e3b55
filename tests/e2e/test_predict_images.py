"""tbn-predict on pictures and arrays of them: what tbn-eval and numpy say of the same pixels."""

import gzip
import io
import math
import random
import shutil

import numpy as np
from PIL import Image

from packed_ops import evaluate
from predict_support import PICTURES, probabilities, view_by_pillow, npy_header, Predict
from read_packed import read_packed
from rule_support import picture, write_folders
from tools_support import main


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


if __name__ == "__main__":
    main()
