"""docs/format.md tells strangers enough: the file that it prints byte by byte is one, its tables have every op,
attribute and feature, and examples/python/read_packed.py, written from it, gives the logits of the tools."""

import json
import re
import struct
import sys

import numpy as np
from PIL import Image

from packed_support import crc32c, packed, sealed
from tools_support import ROOT, ToolTest, images, main

sys.path.insert(0, str(ROOT / "examples" / "python"))
import read_packed  # noqa: E402: the example is under test

DOCUMENT = (ROOT / "docs" / "format.md").read_text()


def block(name):
    """The lines of the block of code that a comment names."""
    (found,) = re.findall(rf"^<!-- {re.escape(name)} -->\n```\n(.*?)^```", DOCUMENT, re.M | re.S)
    return found.splitlines()


def example_bytes(count):
    """Those that the rule's `check` is made of."""
    state, found = 1, []
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        found.append(state >> 56)
    return np.array(found)


class Document(ToolTest):
    train_images = test_images = 10  # which no test here reads

    def test_the_complete_file_is_one(self):
        length = bytes.fromhex("".join(block("tiny.tbn: length")))
        (bytes_of_header,) = struct.unpack("<Q", length)
        header = "".join(block("tiny.tbn: header")).encode().ljust(bytes_of_header)
        data = bytes.fromhex(" ".join(block("tiny.tbn: data")))
        path = self.folder / "tiny.tbn"
        path.write_bytes(length + header + data)
        self.assertIn(f"This file of {path.stat().st_size} bytes ", DOCUMENT)
        self.call("tbn-eval", "tiny.tbn", "--verify")
        graph = self.call("tbn-inspect", "tiny.tbn", "--graph").stdout
        self.assertIn("".join(f"    {line}\n" for line in graph.splitlines()), DOCUMENT)
        graph, tensors = read_packed.read_packed(path)
        logits = read_packed.run(graph, tensors, tensors["verify.input"])
        self.assertEqual(logits.tolist(), [[8.5, 14.5, 33, 0]])

    def test_the_tables_of_ops_name_every_op_and_attribute(self):
        rows = (ROOT / "src" / "graph" / "op_traits.h").read_text()
        code = {name: re.findall(r'field\("(\w+)"', row)
                for name, row in re.findall(r'kOpRow<\w+> =\s*op_row\(\{\.name = "(\w+)"(.*?)\);\n', rows, re.S)}
        said = {}
        for line in DOCUMENT.split("### Ops")[1].split("#### Attention")[0].splitlines():
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            if line.startswith("| `"):
                said[cells[0].strip("` ")] = re.findall(r"`(\w+)`", cells[1])
        self.assertGreater(len(code), 25)
        self.assertEqual({op: sorted(list_) for op, list_ in said.items()},
                         {op: sorted(list_) for op, list_ in code.items()})

    def test_the_two_forms_of_a_graph_are_one(self):
        graph = json.loads("".join(block("short form")).translate(read_packed.SWAPPED_QUOTES))
        read_packed.expand(graph)
        full = json.loads("".join(block("full form")))
        for node in full["nodes"]:  # a default that the short form has to state
            if node["name"] == "conv4":
                node["kernel"] = [1, 1]
        self.assertEqual(graph, full)

    def test_the_generator_is_the_one_that_is_printed(self):
        (said,) = re.findall(r"The first four bytes are (\d+), (\d+), (\d+) and (\d+)\.", DOCUMENT)
        self.assertEqual(read_packed.example_inputs(1, [4]).tolist(), [list(map(float, said))])
        self.assertEqual(read_packed.example_inputs(2, [1, 2]).tolist(),
                         [[[float(byte) / 128 - 1 for byte in pair]] for pair in (said[:2], said[2:])])
        self.assertEqual(example_bytes(4).tolist(), list(map(int, said)))

    def test_every_feature_is_explained(self):
        header = (ROOT / "include" / "tbn" / "file.h").read_text()
        known = re.search(r"kPackedFeatures\[\] = \{(.*?)\}", header, re.S)[1]
        table = DOCUMENT.split("| feature | means |")[1].split("\n\n")[0]
        self.assertEqual(sorted(re.findall(r"^\| `(\w+)` \|", table, re.M)), sorted(re.findall(r'"(\w+)"', known)))

    def accepts_check(self, rule, check, op, shape, outputs):
        """tbn-eval makes of the example what we made, and not something else."""
        graph = {"name": "check", "output": 1, "nodes": [{"name": "input", "op": "input", "shape": shape},
                                                         {"name": "pool", "inputs": [0], **op}]}
        vectors = [("verify.input", "F32", np.zeros((1, *shape), "<f4")),
                   ("verify.output", "F32", np.zeros((1, outputs), "<f4"))]
        for told, code in ((check, 0), ("00000000", 3)):
            text = json.dumps({**rule, "check": told})
            (self.folder / "check.tbn").write_bytes(packed(graph, vectors, **{"tbn.input": text}))
            self.call("tbn-eval", "check.tbn", "--verify", code=code)

    def test_points_are_drawn_as_it_says(self):
        program = DOCUMENT.split("### Drawn points")[1].split("```python\n")[1].split("```")[0]
        names = {}
        exec(program, names)
        cloud = (example_bytes(24 * 3) / 128 - 1).astype("<f4").reshape(24, 3)
        self.accepts_check({"kind": "points", "steps": [{"do": "choose", "how": "drawn"}]},
                           "%08x" % crc32c(cloud[names["drawn"](16, 24)].tobytes()),
                           {"op": "sequence_pool", "kind": "max"}, [16, 3], 3)

    def test_pictures_are_made_as_it_says(self):
        picture = Image.fromarray(example_bytes(97 * 61 * 3).astype("u1").reshape(97, 61, 3))
        for orient in ([], [{"do": "orient"}]):
            upright = picture.transpose(Image.Transpose.ROTATE_270) if orient else picture
            width, height = (51 * side // 61 for side in upright.size)
            top, left = round((height - 40) / 2), round((width - 32) / 2)
            cut = np.asarray(upright.resize((width, height), Image.Resampling.BILINEAR))[top:top + 40, left:left + 32]
            steps = [*orient, {"do": "resize", "shorter": 51}, {"do": "crop"}]
            with self.subTest(orient):
                self.accepts_check({"kind": "image", "steps": steps},
                                   "%08x" % crc32c(cut.transpose(2, 0, 1).tobytes()),
                                   {"op": "global_avg_pool"}, [3, 40, 32], 3)


# Settings of tiny.yaml, whose first layer has 64 outputs of 784 inputs and takes a norm in.
ENCODINGS = {
    "tiled": [],
    "without a norm": ["model.norm=false"],
    "a scalar per layer": ["weights.alpha=layer", "model.norm=false"],
    "a scalar per output": ["weights.alpha=output", "model.norm=false"],
    "interleaved": ["weights.order=interleave", "model.norm=false"],
    "flat": ["weights.p=7"],
    "flat without a norm": ["weights.p=7", "model.norm=false"],
    "binary": ["weights.encoding=binary"],
    "3 bits": ["weights.encoding=uniform", "weights.bits=3", "model.norm=false"],
    "8 bits": ["weights.encoding=uniform"],
    "float": ["weights.encoding=float"],
    "half precision": ["export.scalars=f16"],
}


class Reader(ToolTest):
    train_images = 200
    test_images = 100

    def test_it_gives_the_logits_of_the_tools_for_every_encoding(self):
        pixels = np.frombuffer(images(self.test_images, 2)[0], "u1").reshape(-1, 1, 28, 28)
        for name, settings in ENCODINGS.items():
            with self.subTest(name):
                self.train("--overwrite", "train.epochs=1", *settings)
                self.call("tbn-export", "runs/tiny", "-o", "tiny.tbn", "--verify", "5")
                graph, tensors = read_packed.read_packed(self.folder / "tiny.tbn")
                logits = read_packed.run(graph, tensors, tensors["verify.input"])
                np.testing.assert_allclose(logits, tensors["verify.output"], rtol=1e-4, atol=1e-3)
                self.call("tbn-eval", "tiny.tbn", "--root", "data", "--predictions", "classes.txt")
                told = [int(line.split("\t")[0]) for line in (self.folder / "classes.txt").read_text().splitlines()]
                self.assertEqual(read_packed.run(graph, tensors, pixels).argmax(axis=1).tolist(), told)

    def test_it_refuses_what_is_damaged_or_newer(self):
        content = (ROOT / "models" / "pretrained" / "mnist_mlp_p4.tbn").read_bytes()
        damaged = content[:-1] + bytes([content[-1] ^ 1])
        newer = sealed(content.replace(b'"tbn.format":"1.0"', b'"tbn.format":"2.0"'))
        unknown = sealed(content.replace(b'"binary,tiled"', b'"binary,tilde"'))
        for text, what in ((damaged, "checksum"), (newer, "format 2.0"), (unknown, "binary,tilde")):
            path = self.folder / "bad.tbn"
            path.write_bytes(text)
            with self.subTest(what), self.assertRaisesRegex(ValueError, what):
                read_packed.read_packed(path)


if __name__ == "__main__":
    main()
