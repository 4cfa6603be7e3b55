"""What the end to end tests share: the tools under test, small data sets in the real formats, and
configurations that train in a second or two."""

import gzip
import json
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def bin_folder():
    """The folder of the tools, the first argument of every test script."""
    return pathlib.Path(sys.argv[1]).resolve()


def main():
    """Runs the tests of the calling script; argv[1] is the folder of the tools."""
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} <folder of the tools> [unittest arguments]")
    # Whoever runs the tests may ignore these, as a shell does for its background: tools would as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for stop in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(stop, signal.SIG_DFL)
    unittest.main(module="__main__", argv=[sys.argv[0]] + sys.argv[2:], verbosity=2)


def images(count, seed):
    """Images of 28 x 28 whose class shows as a bright rectangle on noise, by its place and its size,
    and their labels."""
    rng = random.Random(seed)
    pixels, labels = bytearray(), bytearray()
    for i in range(count):
        label = i % 10
        image = bytearray(byte >> 2 for byte in rng.randbytes(28 * 28))
        row, column = label // 5, label % 5
        top, left = 2 + 12 * row, 1 + 5 * column
        for y in range(top, top + 5 + 7 * row):
            for x in range(left, left + 2 + column):
                image[28 * y + x] = 150 + rng.randrange(80)
        pixels += image
        labels.append(label)
    return bytes(pixels), bytes(labels)


def write_idx(folder, prefix, count, seed, compressed=False):
    """One split in the format of MNIST."""
    pixels, labels = images(count, seed)
    files = {
        f"{prefix}-images-idx3-ubyte": struct.pack(">IIII", 0x803, count, 28, 28) + pixels,
        f"{prefix}-labels-idx1-ubyte": struct.pack(">II", 0x801, count) + labels,
    }
    for name, content in files.items():
        if compressed:
            (folder / (name + ".gz")).write_bytes(gzip.compress(content, 1))
        else:
            (folder / name).write_bytes(content)


def write_fashion_mnist(folder, train=600, test=200):
    folder.mkdir(parents=True, exist_ok=True)
    write_idx(folder, "train", train, 1)
    write_idx(folder, "t10k", test, 2, compressed=True)


CONFIG = """\
name: tiny
model:
  type: mlp
  hidden: [64]
  norm: true
weights:
  encoding: tiled
  p: 4
  rules:
    - match: classifier
      encoding: binary
data:
  name: fashion_mnist
  root: data
  validation: 100
optim:
  type: sgd
  lr: 0.05
  groups:
    - match: latents
      type: adam
      lr: 0.03
train:
  epochs: 3
  batch_size: 50
  device: cpu
  threads: 1
  deterministic: true
"""

# A convolutional network whose steps are slow enough to be stopped in the middle of an epoch.
CONV_SETTINGS = ["model={type: resnet_small, channels: [8, 16], strides: [2, 2]}",
                 "weights.rules=[{match: [conv1, classifier], encoding: binary}]"]


class ToolTest(unittest.TestCase):
    """A temporary folder with data/ and tiny.yaml, in which the tools run."""

    train_images = 600
    test_images = 200

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tbn-e2e-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        write_fashion_mnist(self.folder / "data", self.train_images, self.test_images)
        (self.folder / "tiny.yaml").write_text(CONFIG)

    @property
    def run_folder(self):
        return self.folder / "runs" / "tiny"

    def command(self, tool, *arguments):
        return [str(bin_folder() / tool), *map(str, arguments)]

    def start(self, tool, *arguments, **options):
        return subprocess.Popen(self.command(tool, *arguments), cwd=self.folder, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def call(self, tool, *arguments, code=0, **options):
        """Runs a tool, checks its exit code and returns what it printed."""
        done = subprocess.run(self.command(tool, *arguments), cwd=options.pop("cwd", self.folder),
                              text=True, capture_output=True, timeout=600, **options)
        self.assertEqual(done.returncode, code,
                         f"{tool} {arguments}\n--- stdout\n{done.stdout}\n--- stderr\n{done.stderr}")
        return done

    def train(self, *arguments, **options):
        return self.call("tbn-train", "--config", "tiny.yaml", *arguments, **options)

    def call_json(self, tool, *arguments, **options):
        return json.loads(self.call(tool, *arguments, "--json", **options).stdout)

    def fails(self, code, sentence, tool, *arguments, **options):
        """The tool ends with `code` and says exactly `sentence` on the standard error output."""
        done = self.call(tool, *arguments, code=code, **options)
        self.assertEqual(done.stderr, f"{tool}: error: {sentence}\n")
        return done


def read_safetensors_header(path):
    """The header of a safetensors file, read without any library."""
    content = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8:8 + length])
