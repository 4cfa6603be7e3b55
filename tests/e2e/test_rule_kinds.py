"""A run, its checkpoint, its packed file and the file that is made of that one give the same figure, on
every kind of data in the format that it is published in, with settings that are not the defaults."""

import random
import shutil

import h5py
import numpy
from PIL import Image

from rule_support import CNN, RuleTest, picture, write_csv, write_folders, write_idx
from tools_support import main

SMALL_POINTS = ["data.points.count=16", "data.validation=5", "data.split_seed=5", "data.test_limit=9",
                "weights.encoding=float"]


def write_cifar(folder, names, count, labels):
    """Files of records: so many label bytes below these numbers, and 3 x 32 x 32 pixels."""
    folder.mkdir(parents=True)
    rng = random.Random(4)
    for name in names:
        records = bytearray()
        for _ in range(count):
            label = [rng.randrange(limit) for limit in labels]
            pixels = rng.randbytes(3 * 32 * 32)
            shade = 13 * label[-1] % 190
            records += bytes(label) + bytes((p >> 2) + shade for p in pixels)
        (folder / name).write_bytes(bytes(records))


def write_tiny_imagenet(root, classes=200):
    """Two images in train/<class>/images, one in val/images, whose class a table says."""
    (root / "val" / "images").mkdir(parents=True)
    table = []
    for label in range(classes):
        name = f"n{label:08d}"
        folder = root / "train" / name / "images"
        folder.mkdir(parents=True)
        for i in range(3):
            rng = random.Random(f"{label} {i}")
            image = Image.new("RGB", (9, 8))
            image.putdata([tuple(rng.randrange(256) for _ in range(3)) for _ in range(72)])
            image = image.resize((64, 64), Image.Resampling.BICUBIC)
            if i < 2:
                image.save(folder / f"{name}_{i}.JPEG")
            else:
                image.save(root / "val" / "images" / f"val_{label}.JPEG")
                table.append(f"val_{label}.JPEG\t{name}\t0\t0\t62\t62\n")
    (root / "val" / "val_annotations.txt").write_text("".join(table))


def write_photos(root):
    """Folders of pictures in all eight orientations of EXIF."""
    for split, count in (("train", 8), ("test", 8)):
        for label, name in enumerate(("up", "down")):
            folder = root / split / name
            folder.mkdir(parents=True)
            for i in range(count):
                exif = Image.Exif()
                exif[0x112] = i % 8 + 1
                image = picture(label, random.Random(f"{split} {label} {i}"))
                image = image.resize((48, 33 + 4 * label))
                image.save(folder / f"{i}.jpg", quality=95, exif=exif)


def clouds(count, points, seed):
    return numpy.random.default_rng(seed).random((count, points, 3), dtype=numpy.float32)


def write_cloud_file(path, arrays):
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            file.create_dataset(name, data=values, compression="gzip")


def write_modelnet_hdf5(root):
    root.mkdir()
    for split, count in (("train", 20), ("test", 12)):
        points = clouds(count, 40, len(split))
        write_cloud_file(root / f"ply_data_{split}0.h5",
                         {"data": points, "normal": points[:, :, ::-1],
                          "label": (numpy.arange(count) % 40).astype("u1")[:, None]})


def write_text_cloud(path, points, label=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    between = "," if label is None else " "
    lines = []
    for x, y, z in points:
        numbers = [f"{v:.6f}" for v in (x, y, z, z, x, y)] + ([] if label is None else [f"{label:.1f}"])
        lines.append(between.join(numbers))
    path.write_text("\n".join(lines) + "\n")


def write_modelnet_text(root):
    root.mkdir()
    for split, count in (("train", 20), ("test", 12)):
        ids = []
        for i in range(count):
            name = ("bed", "chair", "night_stand")[i % 3]
            ids.append(f"{name}_{i + (0 if split == 'train' else 100):04d}")
            write_text_cloud(root / name / f"{ids[-1]}.txt", clouds(1, 30, i)[0])
        (root / f"modelnet40_{split}.txt").write_text("\n".join(ids) + "\n")


def write_shapenet_hdf5(root):
    root.mkdir()
    for split, count in (("train", 18), ("val", 6), ("test", 12)):
        categories = numpy.arange(count) % 2  # airplanes have the labels 0 to 3, bags 4 and 5
        parts = numpy.arange(count * 40).reshape(count, 40) % 2 + 4 * categories[:, None]
        points = clouds(count, 40, count)
        write_cloud_file(root / f"ply_data_{split}0.h5",
                         {"data": points, "normal": points[:, :, ::-1], "pid": parts.astype("u1"),
                          "label": categories.astype("u1")[:, None]})


def write_shapenet_text(root):
    lists = root / "train_test_split"
    lists.mkdir(parents=True)
    (root / "synsetoffset2category.txt").write_text("Airplane\t02691156\nMug\t03797390\n")
    for split, count in (("train", 18), ("val", 6), ("test", 12)):
        entries = []
        for i in range(count):
            synset, first = (("02691156", 0), ("03797390", 36))[i % 2]
            write_text_cloud(root / synset / f"{split}{i}.txt", clouds(1, 30, i)[0], first + i % 2)
            entries.append(f'"shape_data/{synset}/{split}{i}"')
        (lists / f"shuffled_{split}_file_list.json").write_text("[" + ", ".join(entries) + "]")


def write_s3dis(root):
    root.mkdir()
    rooms = []
    rng = numpy.random.default_rng(1)
    for number, area in enumerate((1, 5)):
        points = rng.random((18, 24, 9), dtype=numpy.float32)
        write_cloud_file(root / f"ply_data_all_{number}.h5",
                         {"data": points, "label": (points[:, :, 2] * 13).astype("u1")})
        rooms += [f"Area_{area}_office_1"] * 18
    (root / "room_filelist.txt").write_text("\n".join(rooms) + "\n")


def write_series(path, columns, rows, minutes):
    """A published table: a date, and numbers of very different sizes."""
    path.parent.mkdir()
    rng = numpy.random.default_rng(3)
    steps = numpy.arange(rows)[:, None]
    values = (10.0 ** (numpy.arange(columns) % 5) * (3 + numpy.sin(steps / (5 + numpy.arange(columns))))
              + rng.random((rows, columns)))
    times = numpy.datetime64("2016-07-01T00:00") + numpy.arange(rows) * numpy.timedelta64(minutes, "m")
    with path.open("w") as file:
        file.write("date," + ",".join(f"c{i}" for i in range(columns)) + "\n")
        for time, row in zip(times, values):
            file.write(str(time).replace("T", " ") + ":00," + ",".join(f"{v:.4f}" for v in row) + "\n")


class Images(RuleTest):
    def test_image_folders(self):
        write_folders(self.folder / "pets", {"train": 14, "test": 6})
        self.same_everywhere("pets", "data.name=image_folder", "data.image_size=24",
                             "data.resize=40", "data.validation=9", "data.split_seed=7",
                             "data.train_limit=20", "data.test_limit=11", *CNN)

    def test_image_folders_with_a_folder_of_validation(self):
        write_folders(self.folder / "pets", {"train": 8, "val": 4, "test": 5})
        self.same_everywhere("pets", "data.name=image_folder", "data.image_size=32",
                             "data.resize=33", "data.on_error=skip", *CNN)

    def test_photos_turned_by_exif(self):
        write_photos(self.folder / "photos")
        self.same_everywhere("photos", "data.name=image_folder", "data.image_size=24",
                             "data.resize=30", "data.validation=4", "data.exif=turn",
                             "data.decode=reduce", *CNN, splits=("test",))
        # The rule asks for it, and the command line may say otherwise.
        done = self.call("tbn-eval", "r.tbn", "--root", "photos", "data.exif=ignore")
        self.assertIn("note: data.exif=ignore instead of the turn that 'r.tbn' was measured with",
                      done.stderr)
        self.assertIn("turned upright by the EXIF orientation",
                      self.call("tbn-inspect", "r.tbn").stdout)

    def test_imagenette(self):
        folders = ["n01440764", "n02102040", "n02979186", "n03000684", "n03028079", "n03394916",
                   "n03417042", "n03425413", "n03445777", "n03888257"]
        write_folders(self.folder / "imagenette", {"train": 3, "val": 2}, folders)
        self.same_everywhere("imagenette", "data.name=imagenette", "data.image_size=24",
                             "data.resize=31", "data.validation=7", "data.split_seed=2",
                             "data.test_limit=15", *CNN)

    def test_tiny_imagenet(self):
        write_tiny_imagenet(self.folder / "tiny")
        self.same_everywhere("tiny", "data.name=tiny_imagenet", "data.image_size=24", "data.resize=29",
                             "data.validation=41", "data.split_seed=3", "data.test_limit=60", *CNN,
                             splits=("test",))

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

    def test_cifar(self):
        batches = [f"data_batch_{i}.bin" for i in range(1, 6)]
        write_cifar(self.folder / "c10", batches + ["test_batch.bin"], 12, [10])
        write_cifar(self.folder / "c100", ["train.bin", "test.bin"], 40, [20, 100])
        for name, root in (("cifar10", "c10"), ("cifar100", "c100")):
            with self.subTest(name=name):
                self.same_everywhere(root, f"data.name={name}", "data.validation=7",
                                     "data.split_seed=5", "data.train_limit=30", "data.test_limit=9",
                                     "data.normalize=false", *CNN)
                shutil.rmtree(self.folder / "runs")


class Points(RuleTest):
    def each(self, name, model, writers, *settings, splits=("test",)):
        for number, write in enumerate(writers):
            with self.subTest(form=write.__name__):
                write(self.folder / f"d{number}")
                self.same_everywhere(f"d{number}", f"data.name={name}", *SMALL_POINTS, *settings,
                                     f"model={{type: {model}, width: 0.125}}", splits=splits)
                shutil.rmtree(self.folder / "runs")

    def test_generated(self):
        for name, model in (("shapes", "pointnet"), ("shape_parts", "pointnet_part_seg")):
            with self.subTest(name=name):
                self.same_everywhere(None, f"data.name={name}", *SMALL_POINTS, "data.validation=3950",
                                     "data.test_limit=20", f"model={{type: {model}, width: 0.125}}",
                                     splits=("test",))
                shutil.rmtree(self.folder / "runs")

    def test_modelnet40(self):
        self.each("modelnet40", "pointnet", (write_modelnet_hdf5, write_modelnet_text),
                  "data.points.normals=true", splits=("test", "validation"))

    def test_shapenet_part(self):
        self.each("shapenet_part", "pointnet_part_seg", (write_shapenet_hdf5, write_shapenet_text),
                  "data.validation=0", "data.points.normals=true", splits=("test", "validation"))

    def test_s3dis(self):
        self.each("s3dis", "pointnet_sem_seg", (write_s3dis,), splits=("test", "validation"))


class Series(RuleTest):
    forecasts = True

    def test_any_table(self):
        write_csv(self.folder / "s.csv")
        self.same_everywhere("s.csv", "data.name=csv", "data.series.window=24",
                             "data.series.horizon=6", "data.series.columns=[wind, load]",
                             "model={type: dlinear, kernel: 5}")

    def test_published_tables(self):
        write_series(self.folder / "ett" / "ETTh1.csv", 7, 20 * 30 * 24, 60)
        write_series(self.folder / "weather" / "weather.csv", 21, 700, 10)
        for name, root in (("etth1", "ett"), ("weather", "weather")):
            with self.subTest(name=name):
                self.same_everywhere(root, f"data.name={name}", "data.series.window=24",
                                     "data.series.horizon=6", "data.train_limit=200",
                                     "data.test_limit=90", "model={type: dlinear, kernel: 5}")
                shutil.rmtree(self.folder / "runs")


if __name__ == "__main__":
    main()
