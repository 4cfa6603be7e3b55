"""What the tests of rules share: small data sets of pictures and tables, and runs, files and their files
that are compared."""

import random
import shutil
import struct

from PIL import Image

from tools_support import ToolTest

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
    """root/<split>/<class>/<number>.jpg, `counts` images per class in each split."""
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


def last_of_each(settings):
    """One setting per key, the last: a tool takes one, and what is written last is what a test is about."""
    return list({setting.split("=", 1)[0]: setting for setting in settings}.values())


CNN = ["model={type: resnet_small, channels: [8], strides: [2]}"]


class RuleTest(ToolTest):
    forecasts = False  # whether its networks do, for which there is an error and no classes
    train_images = test_images = 20  # of the data that no test here reads

    def run_of(self, *settings):
        """Trains a tiny run with these settings instead of tiny.yaml's data; its folder's name."""
        (self.folder / "rule.yaml").write_text("name: r\nweights: {p: 2}\ntrain: {seed: 3}\n")
        self.call("tbn-train", "--config", "rule.yaml", *last_of_each([*NOTHING, *settings]))
        return "runs/r"

    def export(self, run="runs/r", name="r.tbn", *options):
        self.call("tbn-export", run, "-o", name, *options)
        return name

    def outcome(self, what, root, *options):
        """Predictions (or the errors of a forecast) of a run, checkpoint or file, with --root alone,
        where it has files."""
        options = [*(["--root", root] if root else []), *options]
        if self.forecasts:
            metrics = self.call_json("tbn-eval", what, *options)["metrics"]
            return [round(metrics["mse"], 3), metrics["samples"]]
        (self.folder / "p.txt").unlink(missing_ok=True)
        self.call("tbn-eval", what, "--predictions", "p.txt", *options)
        return (self.folder / "p.txt").read_text()

    def same_everywhere(self, root, *settings, splits=("test", "validation")):
        """A run, its checkpoint, its packed file and that file's packed file predict the same on data
        of which no more is told than where it is."""
        shutil.rmtree(self.folder / "runs", ignore_errors=True)
        run = self.run_of(*([f"data.root={root}"] if root else []), *settings)
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
