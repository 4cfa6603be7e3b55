"""What the tests of run directories share: their files, a run under way, and damage."""

import json
import struct
import time

from tools_support import CONV_SETTINGS, ToolTest, read_safetensors_header

RUN = ["tbn-train", "--config", "tiny.yaml"]


def flip_bit(path, offset):
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(bytes(data))


def without_checksums(path, change=lambda metadata: None):
    """Rewrites a checkpoint as it was written before there were checksums."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    for key in ("tbn.header_crc32c", "tbn.crc32c"):
        header["__metadata__"].pop(key, None)
    change(header["__metadata__"])
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % 64)
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length:])


def huge(path, tensor):
    """Makes every value of a float tensor in a checkpoint 1e38."""
    content = bytearray(path.read_bytes())
    (length,) = struct.unpack("<Q", content[:8])
    begin, end = json.loads(content[8:8 + length])[tensor]["data_offsets"]
    content[8 + length + begin:8 + length + end] = struct.pack("<f", 1e38) * ((end - begin) // 4)
    path.write_bytes(bytes(content))
    without_checksums(path)


class RunDirectoryTest(ToolTest):
    @property
    def last(self):
        return self.run_folder / "checkpoints" / "last.safetensors"

    @property
    def best(self):
        return self.run_folder / "checkpoints" / "best.safetensors"

    @property
    def summary(self):
        return self.run_folder / "summary.json"

    def progress(self, path):
        return json.loads(read_safetensors_header(path)["__metadata__"]["tbn.progress"])

    def begin(self, *arguments, **options):
        """Starts a long run and returns when its first epoch is saved."""
        process = self.start(*RUN, *CONV_SETTINGS, "train.epochs=1000000", *arguments, **options)
        self.addCleanup(process.kill)
        while not self.last.exists():
            self.assertIsNone(process.poll())
            time.sleep(0.005)
        return process
