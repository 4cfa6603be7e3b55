"""Packed files of some hundred bytes that ask for gigabytes, or for years: every tool refuses them at
once, in a sentence that names the node, and takes limits of the user's."""

import json
import struct

from tools_support import ToolTest, main

INPUT = {"name": "input", "op": "input", "shape": [16777216, 1]}
HUGE = {
    "expand 'e'": [{"name": "input", "op": "input", "shape": [4]},
                   {"name": "e", "op": "expand", "inputs": [0], "count": 400000000}],
    "pad2d 'p'": [{"name": "input", "op": "input", "shape": [1, 1, 1]},
                  {"name": "p", "op": "pad2d", "inputs": [0], "top": 0, "bottom": 32768, "left": 0,
                   "right": 32768}],
}
ENDLESS = {
    "moving_average 'm'": [INPUT, {"name": "m", "op": "moving_average", "inputs": [0],
                                   "kernel": 2147483647}],
}
SMALL = [{"name": "input", "op": "input", "shape": [64, 64]},
         {"name": "m", "op": "matmul", "inputs": [0, 0]}]


def crc32c(content):
    crc = 0xffffffff
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return f"{crc ^ 0xffffffff:08x}"


def packed_file(nodes):
    """As docs say: a safetensors file without tensors, both checksums right."""
    graph = json.dumps({"name": "net", "nodes": nodes, "output": len(nodes) - 1})
    metadata = {"tbn.header_crc32c": "0" * 8, "tbn.crc32c": crc32c(b""), "tbn.features": "tiled",
                "tbn.format": "1.0", "tbn.graph": graph}
    header = json.dumps({"__metadata__": metadata}, separators=(",", ":")).encode()
    header += b" " * (-(8 + len(header)) % 64)
    whole = struct.pack("<Q", len(header)) + header
    return whole[:46] + crc32c(whole).encode() + whole[54:]


class Limits(ToolTest):
    TOOLS = (("tbn-inspect",), ("tbn-eval", "--verify"), ("tbn-eval", "--data", "mnist"),
             ("tbn-export", "-o", "copy.tbn"), ("tbn-export", "--format", "c", "-o", "firmware"))

    def refused(self, nodes, parts, *options):
        content = packed_file(nodes)
        self.assertLess(len(content), 600)
        (self.folder / "small.tbn").write_bytes(content)
        for tool, *arguments in self.TOOLS:
            with self.subTest(tool=tool, arguments=arguments):
                done = self.call(tool, "small.tbn", *arguments, *options, code=3)
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
                for part in parts:
                    self.assertIn(part, done.stderr)
                self.assertFalse((self.folder / "copy.tbn").exists())
                self.assertFalse((self.folder / "firmware").exists())

    def test_memory(self):
        for node, nodes in HUGE.items():
            self.refused(nodes, (node, "more than the 2,147,483,648 of Limits::memory_bytes",
                                 "--max-memory"))

    def test_work(self):
        for node, nodes in ENDLESS.items():
            self.refused(nodes, (node, "more than the 1,000,000,000,000 of Limits::operations",
                                 "--max-operations"))

    def test_limits_of_the_users(self):
        (self.folder / "small.tbn").write_bytes(packed_file(SMALL))
        self.call("tbn-inspect", "small.tbn")
        self.refused(SMALL, ("more than the 1,000 of Limits::memory_bytes",), "--max-memory", "1000")
        self.refused(SMALL, ("more than the 1,000 of Limits::operations",), "--max-operations",
                     "1000")
        for option in ("--max-memory", "--max-operations"):
            done = self.call("tbn-inspect", "small.tbn", option, "0", code=2)
            self.assertIn(option, done.stderr)


if __name__ == "__main__":
    main()
