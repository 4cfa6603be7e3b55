"""Packed files in the compact layout and in the plain one: the same network, the same answers and test vectors, the one
made of the other to the byte; what only a new reader reads says so in its features."""

import json
import sys

import numpy as np

from packed_support import with_metadata, with_shape
from tools_support import ROOT, ToolTest, main, read_safetensors_header

sys.path.insert(0, str(ROOT / "examples" / "python"))
import read_packed  # noqa: E402: written from docs/format.md

# Features of files that tbn wrote before it knew compact ones.
EARLIER = {"binary", "f16", "interleave", "output_scalars", "tiled", "uniform", "units"}


class Layout(ToolTest):
    train_images = 200
    test_images = 100

    def setUp(self):
        super().setUp()
        self.call("tbn-train", "--config", "tiny.yaml", "train.epochs=1")

    def export(self, what, name, *options):
        self.call("tbn-export", what, "-o", name, *options)
        self.call("tbn-eval", name, "--verify")
        return self.folder / name

    def features(self, path):
        return set(read_safetensors_header(path)["__metadata__"]["tbn.features"].split(","))

    def test_both_say_the_same_and_become_each_other_to_the_byte(self):
        compact = self.export("runs/tiny", "compact.tbn", "--verify", "3")
        plain = self.export("runs/tiny", "plain.tbn", "--verify", "3", "--layout", "plain")
        self.assertLess(compact.stat().st_size, plain.stat().st_size - 3 * 4 * 784)
        self.assertEqual(self.features(compact) - EARLIER, {"compact", "generated"})
        self.assertEqual(self.features(plain) - EARLIER, set())
        for what, layout, same in (("plain.tbn", "compact", compact), ("compact.tbn", "plain", plain),
                                   ("compact.tbn", "compact", compact), ("plain.tbn", "plain", plain)):
            with self.subTest(what=what, layout=layout):
                self.assertEqual(self.export(what, "x.tbn", "--layout", layout).read_bytes(), same.read_bytes())
        for what, kept in (("plain.tbn", plain), ("compact.tbn", compact)):  # without the option: as it is
            self.assertEqual(self.export(what, "x.tbn").read_bytes(), kept.read_bytes())
            narrowed = self.export(what, "x.tbn", "--scalars", "f16")
            self.assertEqual(self.features(narrowed), self.features(kept) | {"f16"})
        seen = [self.call_json("tbn-inspect", name) for name in ("compact.tbn", "plain.tbn")]
        for key in ("layers", "totals", "rule", "tensor_bytes"):
            self.assertEqual(seen[0][key], seen[1][key])
        self.assertEqual([each["header"]["test_vectors"] for each in seen], [3, 3])
        graphs = [self.call("tbn-inspect", name, "--graph").stdout for name in ("compact.tbn", "plain.tbn")]
        self.assertEqual(*graphs)
        (one, first), (other, second) = (read_packed.read_packed(path) for path in (compact, plain))
        self.assertEqual(sorted(first), sorted(second))
        for name, tensor in second.items():
            np.testing.assert_array_equal(first[name], tensor, name)
        np.testing.assert_allclose(read_packed.run(one, first, first["verify.input"]),
                                   read_packed.run(other, second, second["verify.input"]))

    def test_it_is_prepared_and_exported_as_c_like_a_plain_one(self):
        self.export("runs/tiny", "compact.tbn", "--calibrate", "50")
        self.export("compact.tbn", "plain.tbn", "--layout", "plain")
        for name in ("compact", "plain"):
            self.export(f"{name}.tbn", f"{name}_ready.tbn", "--prepare", "exact,int8")
            self.call("tbn-export", f"{name}.tbn", "--format", "c", "-o", f"c_{name}")
        self.assertEqual(*((self.folder / f"c_{name}" / "model.c").read_text() for name in ("compact", "plain")))

    def test_what_a_reader_cannot_know_is_one_sentence(self):
        path = self.export("runs/tiny", "compact.tbn")
        graph = read_safetensors_header(path)["__metadata__"]["tbn.graph"]
        full = json.dumps({"name": "n", "nodes": [], "output": 0})
        for changes, sentence in (
                ({"tbn.verify": "example-9"}, "its test vectors are made by the generator 'example-9', which this tbn "
                                              "does not know; upgrade tbn, or export the file with --layout plain"),
                ({"tbn.features": "binary,compact,generated,shorter,tiled"}, "needs the feature 'shorter', which this "
                                                                             "tbn does not know"),
                ({"tbn.graph": graph.translate(read_packed.SWAPPED_QUOTES)}, "tbn.graph: JSON error at byte 1"),
                ({"tbn.graph": full.translate(read_packed.SWAPPED_QUOTES)}, "its graph is in full"),
                ({"tbn.features": "binary,compact,generated"}, "its network needs the feature 'tiled', and the file "
                                                               "does not name it; export it again")):
            self.refused(with_metadata(path, changes), sentence)
        self.refused(with_shape(path, "verify.output", [2, 5]), "test vectors 'verify.output' are F32 [2, 5]")
        half = self.export("compact.tbn", "half.tbn", "--scalars", "f16")
        self.refused(with_metadata(half, {"tbn.features": "binary,compact,generated,tiled"}),
                     "is F16, but the file does not name the feature 'f16'; export it again")

    def refused(self, content, sentence):
        """Every tool refuses the file with the sentence, and none copies it."""
        (self.folder / "bad.tbn").write_bytes(content)
        for tool in (["tbn-eval", "bad.tbn", "--verify"], ["tbn-inspect", "bad.tbn"],
                     ["tbn-export", "bad.tbn", "-o", "copy.tbn"],
                     ["tbn-export", "bad.tbn", "-o", "copy.tbn", "--layout", "plain"],
                     ["tbn-export", "bad.tbn", "--format", "c", "-o", "firmware"]):
            with self.subTest(sentence, tool=tool):
                done = self.call(*tool, code=3)
                self.assertIn(sentence, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1)
                for copy in ("copy.tbn", "firmware"):
                    self.assertFalse((self.folder / copy).exists())

    def test_what_is_no_layout_or_does_nothing_is_refused(self):
        self.fails(2, "--layout: 'tiny' is not one of compact, plain", "tbn-export", "runs/tiny", "-o", "x.tbn",
                   "--layout", "tiny")
        done = self.call("tbn-export", "runs/tiny", "--format", "c", "-o", "c", "--layout", "plain", code=2)
        self.assertIn("--layout", done.stderr)


if __name__ == "__main__":
    main()
