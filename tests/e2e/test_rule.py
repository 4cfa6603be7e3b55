"""A packed file is enough to use it: classes, preparation of inputs and splits go from the run into
its checkpoints and its packed file, for every kind of data, and whoever has another data set under the
same name is told."""

import ctypes
import json
import random
import shutil
import struct

from PIL import Image

from tools_support import ToolTest, bin_folder, main, read_safetensors_header

NOTHING = ["train.epochs=1", "train.batch_size=16", "train.device=cpu", "train.threads=1",
           "optim.type=adam", "optim.lr=0.01"]


def picture(label, rng):
    """A square of its class's colour in a grey surrounding, of any size: what remains of the grey tells
    one crop from another."""
    height, width = rng.randrange(40, 60), rng.randrange(40, 60)
    image = Image.new("RGB", (width, height))
    colour = [(200, 60, 60), (60, 200, 60), (60, 60, 200)][label % 3]
    margin = 4 + 3 * (label % 3)
    pixels = bytearray()
    for y in range(height):
        for x in range(width):
            inside = margin <= y < height - margin and margin <= x < width - margin
            base = colour if inside else (90 + rng.randrange(60),) * 3
            pixels += bytes(min(255, max(0, v + rng.randrange(-40, 40))) for v in base)
    image.frombytes(bytes(pixels))
    return image


def write_folders(root, counts, classes=("blue", "green", "r\u00e9d"), seed=1):
    """root/<split>/<class>/<number>.jpg, `counts` images a class in each split."""
    for split, count in counts.items():
        for label, name in enumerate(classes):
            folder = root / split / name
            folder.mkdir(parents=True)
            for i in range(count):
                rng = random.Random(f"{seed} {split} {label} {i}")
                picture(label, rng).save(folder / f"{i}.jpg", quality=90)


def write_idx(root, height, width, train=120, test=60):
    rng = random.Random(7)
    root.mkdir(parents=True)
    for prefix, count in (("train", train), ("t10k", test)):
        pixels, labels = bytearray(), bytearray()
        for i in range(count):
            labels.append(rng.randrange(10))
            pixels += bytes(min(255, rng.randrange(120) + 13 * labels[-1]) for _ in range(height * width))
        (root / f"{prefix}-images-idx3-ubyte").write_bytes(
            struct.pack(">IIII", 0x803, count, height, width) + bytes(pixels))
        (root / f"{prefix}-labels-idx1-ubyte").write_bytes(
            struct.pack(">II", 0x801, count) + bytes(labels))


def write_cifar(root, classes):
    """Records of a label (and a coarse one before it, of 100 classes) and a picture of 32 x 32."""
    files = ([f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"] if classes == 10
             else ["train.bin", "test.bin"])
    root.mkdir(parents=True)
    for number, name in enumerate(files):
        rng = random.Random(number)
        content = bytearray()
        for i in range(24):
            label = rng.randrange(classes)
            content += bytes([label] if classes == 10 else [label // 5, label])
            content += bytes(min(255, rng.randrange(120) + label) for _ in range(3 * 32 * 32))
        (root / name).write_bytes(bytes(content))


def cloud(rng, label, points=40):
    """Points with normals; the class stretches them."""
    return [[rng.gauss(0, 1), rng.gauss(0, 1 + label), rng.gauss(0, 1), *(rng.gauss(0, 1) for _ in range(3))]
            for _ in range(points)]


def write_clouds(path, rng, label, between, ending=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(between.join(f"{v:.5f}" for v in point) + ending + "\n"
                            for point in cloud(rng, label)))


def write_modelnet40(root):
    rng = random.Random(3)
    for split, count in (("train", 12), ("test", 5)):
        names = []
        for label, name in enumerate(("airplane", "night_stand", "xbox")):
            for i in range(count):
                names.append(f"{name}_{split}{i:04d}")
                write_clouds(root / name / f"{names[-1]}.txt", rng, label, ",")
        (root / f"modelnet40_{split}.txt").write_text("\n".join(names) + "\n")


def write_shapenet_part(root):
    rng = random.Random(4)
    categories = {"02691156": ("Airplane", 0), "03797390": ("Mug", 36)}
    lists = root / "train_test_split"
    lists.mkdir(parents=True)
    (root / "synsetoffset2category.txt").write_text(
        "".join(f"{name}\t{key}\n" for key, (name, _) in categories.items()))
    for split, count in (("train", 9), ("val", 3), ("test", 4)):
        names = []
        for key, (_, first) in categories.items():
            for i in range(count):
                names.append(f"shape_data/{key}/{split}{i}")
                write_clouds(root / key / f"{split}{i}.txt", rng, first % 5, " ", f" {first + i % 2}.0")
        (lists / f"shuffled_{split}_file_list.json").write_text(json.dumps(names))


def write_s3dis(root):
    import h5py
    import numpy
    root.mkdir()
    values = numpy.random.default_rng(5).random((16, 48, 9), dtype=numpy.float32)
    with h5py.File(root / "ply_data_all_0.h5", "w") as file:
        file["data"] = values
        file["label"] = (values[:, :, 2] * 13).astype("uint8")
    (root / "room_filelist.txt").write_text(
        "".join(f"Area_{5 if i % 4 == 0 else 1}_office_{i // 8}\n" for i in range(16)))


CNN = ["model={type: resnet_small, channels: [8], strides: [2]}"]


class RuleTest(ToolTest):
    def run_of(self, *settings):
        """Trains a tiny run with these settings instead of tiny.yaml's data; its folder's name."""
        (self.folder / "rule.yaml").write_text("name: r\nweights: {p: 2}\ntrain: {seed: 3}\n")
        self.call("tbn-train", "--config", "rule.yaml", *NOTHING, *settings)
        return "runs/r"

    def export(self, run="runs/r", name="r.tbn", *options):
        self.call("tbn-export", run, "-o", name, *options)
        return name

    def outcome(self, what, root, *options):
        """Predictions (or the errors of a forecast) of a run, checkpoint or file, with --root alone."""
        (self.folder / "p.txt").unlink(missing_ok=True)
        result = self.call_json("tbn-eval", what, "--root", root, *options)
        metrics = result["metrics"]
        if "mse" in metrics:
            return [round(metrics["mse"], 3), metrics["samples"]]
        self.call("tbn-eval", what, "--root", root, "--predictions", "p.txt", *options)
        return (self.folder / "p.txt").read_text()

    def same_everywhere(self, root, *settings, splits=("test", "validation")):
        """A run, its checkpoint, its packed file and that file's packed file predict the same on data
        of which no more is told than where it is."""
        run = self.run_of(f"data.root={root}", *settings)
        self.export()
        self.export("r.tbn", "again.tbn")
        self.assertEqual((self.folder / "again.tbn").read_bytes(),
                         (self.folder / "r.tbn").read_bytes())
        for split in splits:
            told = [f"--split={split}"]
            first = self.outcome(run, root, *told)
            self.assertTrue(first)
            for what in ("runs/r/checkpoints/best.safetensors", "r.tbn", "again.tbn"):
                self.assertEqual(self.outcome(what, root, *told), first, f"{what} {split}")


class EveryKind(RuleTest):
    def test_image_folders(self):
        write_folders(self.folder / "pets", {"train": 14, "test": 6})
        self.same_everywhere("pets", "data.name=image_folder", "data.image_size=24",
                             "data.resize=40", "data.validation=9", "data.split_seed=7",
                             "data.train_limit=20", "data.test_limit=11", *CNN)

    def test_image_folders_with_a_folder_of_validation(self):
        write_folders(self.folder / "pets", {"train": 8, "val": 4, "test": 5})
        self.same_everywhere("pets", "data.name=image_folder", "data.image_size=32",
                             "data.resize=33", "data.on_error=skip", *CNN)

    def test_image_folders_of_published_sets(self):
        wnids = ["n01440764", "n02102040", "n02979186", "n03000684", "n03028079", "n03394916", "n03417042",
                 "n03425413", "n03445777", "n03888257"]
        write_folders(self.folder / "imagenette", {"train": 3, "val": 2}, wnids)
        self.same_everywhere("imagenette", "data.name=imagenette", "data.image_size=24", "data.resize=31",
                             "data.validation=7", "data.split_seed=2", "data.test_limit=15", *CNN)
        shutil.rmtree(self.folder / "runs")
        # Three classes of pictures, and links to them under the names of the other 197.
        tiny = self.folder / "tiny"
        write_folders(tiny, {"train": 2, "val": 1}, ["c000", "c001", "c002"])
        for split in ("train", "val"):
            for i in range(3, 200):
                (tiny / split / f"c{i:03d}").symlink_to(f"c{i % 3:03d}")
        self.same_everywhere("tiny", "data.name=tiny_imagenet", "data.image_size=24", "data.resize=40",
                             "data.validation=200", "data.test_limit=200", "data.train_limit=200", *CNN)

    def test_cifar(self):
        for classes in (10, 100):
            with self.subTest(classes=classes):
                write_cifar(self.folder / f"c{classes}", classes)
                self.same_everywhere(f"c{classes}", f"data.name=cifar{classes}", "data.validation=9",
                                     "data.split_seed=7", "data.test_limit=17", "data.normalize=false", *CNN)
                shutil.rmtree(self.folder / "runs", ignore_errors=True)

    def test_clouds_of_files(self):
        for name, write, model, settings in (
                ("modelnet40", write_modelnet40, "pointnet",
                 ["data.points.normals=true", "data.validation=7", "data.split_seed=4", "data.test_limit=12"]),
                ("shapenet_part", write_shapenet_part, "pointnet_part_seg", ["data.points.normals=true"]),
                ("s3dis", write_s3dis, "pointnet_sem_seg", ["data.validation=3", "data.split_seed=4"])):
            with self.subTest(name=name):
                write(self.folder / name)
                self.same_everywhere(name, f"data.name={name}", "data.points.count=32",
                                     f"model={{type: {model}, width: 0.125}}", "weights.encoding=float",
                                     *settings)
                shutil.rmtree(self.folder / "runs", ignore_errors=True)

    def test_idx_of_other_sizes(self):
        for height, width in ((32, 20), (6, 6)):
            with self.subTest(height=height):
                root = self.folder / f"idx{height}"
                write_idx(root, height, width)
                self.same_everywhere(root, "data.name=mnist", "data.validation=37",
                                     "data.split_seed=7", "data.train_limit=50",
                                     "data.test_limit=31", "data.center=false",
                                     "model={type: mlp, hidden: [16]}")
                shutil.rmtree(self.folder / "runs")

    def test_points(self):
        for name, model in (("shapes", "pointnet"), ("shape_parts", "pointnet_part_seg")):
            with self.subTest(name=name):
                self.same_everywhere("data", f"data.name={name}", "data.points.count=16",
                                     "data.validation=3950", "data.split_seed=5",
                                     "data.test_limit=20", f"model={{type: {model}, width: 0.125}}",
                                     "weights.encoding=float",
                                     splits=("test",))
                shutil.rmtree(self.folder / "runs")

    def test_series(self):
        write_csv(self.folder / "s.csv")
        self.same_everywhere("s.csv", "data.name=csv", "data.series.window=24",
                             "data.series.horizon=6", "model={type: dlinear, kernel: 5}")


def write_csv(path, rows=400, order=(0, 1, 2), scale=1, shift=0):
    """Hours of three columns, in another order or in other units."""
    rng = random.Random(2)
    names = ["load", "oil", "wind"]
    lines = ["date," + ",".join(names[c] for c in order)]
    for i in range(rows):
        values = [50000 + 100 * (i % 24) + rng.random(), 20 + i % 7 + rng.random(),
                  (i * i) % 13 + rng.random()]
        lines.append(f"2020-{1 + i // 672:02d}-{1 + i // 24 % 28:02d} {i % 24:02d}:00:00,"
                     + ",".join(f"{scale * values[c] + shift:.4f}" for c in order))
    path.write_text("\n".join(lines) + "\n")


class Series(RuleTest):
    def setUp(self):
        super().setUp()
        write_csv(self.folder / "s.csv")
        self.run_of("data.root=s.csv", "data.name=csv", "data.series.window=24",
                    "data.series.horizon=6", "model={type: tsmixer, depth: 1, hidden: 8}",
                    "weights.encoding=float")
        self.export()

    def mse(self, what, csv, **options):
        return self.call_json("tbn-eval", what, "--root", csv, **options)["metrics"]["mse"]

    def test_a_file_takes_original_values_and_says_its_columns(self):
        header = read_safetensors_header(self.folder / "r.tbn")["__metadata__"]
        rule = json.loads(header["tbn.input"])
        self.assertEqual((rule["columns"], rule["seconds"], rule["units"], rule["steps"]),
                         (["load", "oil", "wind"], 3600, "graph", []))
        self.assertIn("units", header["tbn.features"])
        self.assertEqual(json.loads(header["tbn.measured"])["rows"], [280, 40, 80])
        self.export("runs/r", "plain.tbn", "--units", "standardised")
        header = read_safetensors_header(self.folder / "plain.tbn")["__metadata__"]
        self.assertNotIn("units", header["tbn.features"])
        steps = json.loads(header["tbn.input"])["steps"]
        self.assertEqual([len(steps[0][key]) for key in ("mean", "deviation")], [3, 3])
        self.assertAlmostEqual(self.mse("plain.tbn", "s.csv"), self.mse("r.tbn", "s.csv"), places=4)

    def test_columns_in_another_order_are_taken_by_name(self):
        write_csv(self.folder / "permuted.csv", order=(2, 0, 1))
        for what in ("runs/r", "r.tbn"):
            self.assertAlmostEqual(self.mse(what, "permuted.csv"), self.mse(what, "s.csv"), places=4)
        self.assertIn("another order",
                      self.call("tbn-eval", "r.tbn", "--root", "permuted.csv").stderr)

    def test_rows_that_came_later_change_no_figure(self):
        write_csv(self.folder / "longer.csv", rows=480)
        for what in ("runs/r", "r.tbn"):
            self.assertAlmostEqual(self.mse(what, "longer.csv"), self.mse(what, "s.csv"), places=4)

    def test_other_units_are_told_and_change_the_figure(self):
        write_csv(self.folder / "other.csv", scale=1000, shift=50000)
        for what in ("runs/r", "r.tbn"):
            done = self.call("tbn-eval", what, "--root", "other.csv")
            self.assertIn("note: ", done.stderr)
            self.assertGreater(self.mse(what, "other.csv"), 100 * self.mse(what, "s.csv"))

    def test_a_column_that_is_missing_is_refused(self):
        lines = (self.folder / "s.csv").read_text().replace("oil", "gas", 1)
        (self.folder / "gas.csv").write_text(lines)
        for what in ("runs/r", "r.tbn"):
            done = self.call("tbn-eval", what, "--root", "gas.csv", code=3)
            self.assertIn("'oil'", done.stderr)


class Classes(RuleTest):
    def setUp(self):
        super().setUp()
        self.pets = self.folder / "pets"
        write_folders(self.pets, {"train": 6, "test": 4})
        self.run_of("data.root=pets", "data.name=image_folder", "data.image_size=24",
                    "data.resize=30", "data.validation=3", *CNN)
        self.export()

    def test_a_file_says_what_its_classes_are_called(self):
        header = read_safetensors_header(self.folder / "r.tbn")["__metadata__"]
        self.assertEqual(header["tbn.format"], "1.2")
        self.assertEqual(json.loads(header["tbn.output"]),
                         {"classes": ["blue", "green", "r\u00e9d"], "kind": "class"})
        measured = json.loads(header["tbn.measured"])
        self.assertEqual(measured["data"], "image_folder")
        self.assertEqual(measured["split"], {"seed": 1, "test": "test", "validation": 3})
        self.assertEqual(measured["count"], {"test": 12, "train": 18})
        shown = self.call("tbn-inspect", "r.tbn").stdout
        self.assertIn("3 classes: blue, green, r\u00e9d", shown)
        self.assertIn("shorter side of 30 pixels", shown)
        inspected = self.call_json("tbn-inspect", "r.tbn")
        self.assertEqual(inspected["rule"]["output"]["classes"][1], "green")

    def test_a_renamed_class_is_refused_with_the_nearest(self):
        (self.pets / "test" / "blue").rename(self.pets / "test" / "zblue")
        (self.pets / "train" / "blue").rename(self.pets / "train" / "zblue")
        for what in ("runs/r", "r.tbn"):
            done = self.call("tbn-eval", what, "--root", "pets", code=3)
            self.assertIn("class 'zblue' of the data is none of the network's 3 (nearest 'blue')",
                          done.stderr)
            self.assertIn("--match places", done.stderr)
            self.call("tbn-eval", what, "--root", "pets", "--match", "places")

    def test_fewer_classes_and_another_order_are_matched_by_name(self):
        whole = self.outcome("r.tbn", "pets").split()
        (self.folder / "some" / "test").mkdir(parents=True)
        shutil.copytree(self.pets / "test" / "r\u00e9d", self.folder / "some" / "test" / "r\u00e9d")
        some = self.call_json("tbn-eval", "r.tbn", "--root", "some", "--predictions", "p.txt")
        self.assertEqual((self.folder / "p.txt").read_text().split(), whole[8:])
        self.assertEqual(some["metrics"]["images"], 4)
        self.assertIn("1 of the network's 3 classes", "".join(some["notes"]))
        right = 100 * whole[8:].count("2") / 4
        self.assertAlmostEqual(some["metrics"]["top1"], right, places=3)

    def test_what_the_command_line_says_otherwise_is_told(self):
        done = self.call("tbn-eval", "r.tbn", "--root", "pets", "data.resize=44")
        self.assertIn("note: data.resize=44 instead of the 30 that 'r.tbn' was measured with",
                      done.stderr)
        told = self.call_json("tbn-eval", "runs/r", "--root", "pets", "data.resize=44")
        self.assertEqual(told["overridden"], ["data.resize"])
        self.assertEqual(self.call_json("tbn-eval", "r.tbn", "--root", "pets")["overridden"], [])

    def test_one_training_file_more_makes_other_splits_and_is_refused(self):
        shutil.copy(self.pets / "train" / "blue" / "0.jpg", self.pets / "train" / "blue" / "new.jpg")
        self.call("tbn-eval", "r.tbn", "--root", "pets")
        for what in ("runs/r", "r.tbn"):
            done = self.call("tbn-eval", what, "--root", "pets", "--split", "validation", code=3)
            self.assertIn("knew 18 train samples, and there are 19 now", done.stderr)
        done = self.call("tbn-train", "--config", "rule.yaml", *NOTHING, "data.root=pets",
                         "data.name=image_folder", "data.image_size=24", "data.resize=30",
                         "data.validation=3", *CNN, "train.epochs=2", "--resume", code=3)
        self.assertIn("knew 18 train samples, and there are 19 now", done.stderr)

    def test_a_folder_for_testing_that_comes_later_is_refused(self):
        root = self.folder / "more"
        write_folders(root, {"train": 6, "val": 4})
        settings = ["data.root=more", "data.name=image_folder", "data.image_size=24",
                    "data.resize=30", "data.validation=3", *CNN, "name=later"]
        self.run_of(*settings)
        shutil.copytree(root / "val", root / "test")
        done = self.call("tbn-train", "--config", "rule.yaml", *NOTHING, *settings,
                         "train.epochs=2", "--resume", code=3)
        self.assertIn("was tested on the folder 'val', and it is 'test'", done.stderr)
        done = self.call("tbn-eval", "runs/later", "--split", "validation", code=3)
        self.assertIn("was tested on the folder 'val'", done.stderr)
        self.assertIn("was tested on the folder 'val'", self.call("tbn-eval", "runs/later").stderr)

    def test_a_test_file_more_is_told(self):
        shutil.copy(self.pets / "test" / "blue" / "0.jpg", self.pets / "test" / "blue" / "new.jpg")
        done = self.call("tbn-eval", "r.tbn", "--root", "pets")
        self.assertIn("note: 'r.tbn' knew 12 test samples, and there are 13 now", done.stderr)

    def test_a_teacher_of_other_classes_is_refused(self):
        for split in ("train", "test"):
            (self.pets / split / "blue").rename(self.pets / split / "cyan")
        done = self.call("tbn-train", "--config", "rule.yaml", *NOTHING, "name=student",
                         "data.root=pets", "data.name=image_folder", "data.image_size=24",
                         "data.resize=30", "data.validation=3", *CNN, "teacher.from=runs/r", code=3)
        self.assertIn("teacher.from", done.stderr)
        self.assertIn("'cyan'", done.stderr)

    def test_a_file_may_say_less_and_then_asks(self):
        self.export("runs/r", "use.tbn", "--rule", "use")
        self.export("r.tbn", "none.tbn", "--rule", "none")
        header = read_safetensors_header(self.folder / "none.tbn")["__metadata__"]
        self.assertEqual(header["tbn.format"], "1.0")
        self.assertEqual([key for key in header if key in ("tbn.input", "tbn.output")], [])
        use = read_safetensors_header(self.folder / "use.tbn")["__metadata__"]
        self.assertIn("tbn.input", use)
        self.assertNotIn("tbn.measured", use)
        done = self.call("tbn-eval", "use.tbn", "--root", "pets", "--split", "validation", code=2)
        self.assertIn("data.validation=... and data.split_seed=...", done.stderr)
        done = self.call("tbn-eval", "none.tbn", "--root", "pets", code=2)
        self.assertIn("data.resize=...", done.stderr)
        self.assertEqual(self.outcome("none.tbn", "pets", "data.resize=30"),
                         self.outcome("r.tbn", "pets"))
        self.call("tbn-export", "runs/r", "-o", "x.tbn", "--rule", "some", code=2)


class InC(RuleTest):
    """The shared library prepares pictures and clouds as tbn-eval does."""

    def library(self):
        found = sorted(bin_folder().parent.rglob("libtbn.so*"))
        if not found:
            self.skipTest("libtbn is not built")
        calls = ctypes.CDLL(str(found[0]))
        calls.tbn_last_error.restype = ctypes.c_char_p
        return calls

    def check(self, calls, status):
        self.assertEqual(status, 0, calls.tbn_last_error())

    def open(self, calls, name):
        network, session = ctypes.c_void_p(), ctypes.c_void_p()
        path = str(self.folder / name).encode()
        self.check(calls, calls.tbn_network_load(path, ctypes.byref(network)))
        self.check(calls, calls.tbn_session_create(network, 0, 1, ctypes.byref(session)))
        return network, session

    def test_each_picture(self):
        calls = self.library()
        write_folders(self.folder / "pets", {"train": 8, "test": 5})
        self.run_of("data.root=pets", "data.name=image_folder", "data.image_size=24",
                    "data.resize=37", "data.validation=6", *CNN)
        self.export()
        expected = [int(line) for line in self.outcome("r.tbn", "pets").split()]
        network, session = self.open(calls, "r.tbn")
        name = ctypes.c_char_p()
        self.check(calls, calls.tbn_network_class_name(network, ctypes.c_size_t(2),
                                                       ctypes.byref(name)))
        self.assertEqual(name.value.decode(), "r\u00e9d")
        predicted = []
        for path in sorted((self.folder / "pets" / "test").rglob("*.jpg"),
                           key=lambda p: (p.parent.name.encode(), p.name)):
            image = Image.open(path).convert("RGB")
            pixels, given = image.tobytes(), (ctypes.c_uint8 * (3 * 24 * 24))()
            self.check(calls, calls.tbn_prepare_image(
                network, pixels, ctypes.c_size_t(len(pixels)), ctypes.c_int64(image.height),
                ctypes.c_int64(image.width), 3, 1, 0, given, ctypes.c_size_t(len(given))))
            logits = (ctypes.c_float * 3)()
            self.check(calls, calls.tbn_session_run_u8(session, given, ctypes.c_size_t(len(given)),
                                                       ctypes.c_int64(1), logits,
                                                       ctypes.c_size_t(3)))
            predicted.append(max(range(3), key=lambda c: logits[c]))
        self.assertEqual(predicted, expected)


class C(RuleTest):
    def test_a_run_and_its_file_give_the_same_c_and_its_header_says_the_rule(self):
        write_folders(self.folder / "pets", {"train": 10, "test": 3})
        self.run_of("data.root=pets", "data.name=image_folder", "data.image_size=24",
                    "data.resize=31", "data.validation=6", "data.split_seed=3", *CNN)
        self.export()
        for what, folder in (("runs/r", "a"), ("r.tbn", "b")):
            self.call("tbn-export", what, "-o", folder, "--format", "c", "--calibrate", "12",
                      "--name", "pets", "--root", "pets")
        for name in ("pets.h", "pets.c"):
            self.assertEqual((self.folder / "a" / name).read_bytes(),
                             (self.folder / "b" / name).read_bytes(), name)
        header = (self.folder / "a" / "pets.h").read_text()
        self.assertIn('#define PETS_CLASS_NAMES {"blue", "green", "r\\303\\251d"}', header)
        self.assertIn("shorter side of 31 pixels", header.replace("\n *  ", ""))


if __name__ == "__main__":
    main()
