"""Packed files with prepared weights: made from runs and from packed files, shown, verified, and
taken out again."""

import json
import struct

from packed_support import sealed
from tools_support import ROOT, ToolTest, main, read_safetensors_header

PRETRAINED = ROOT / "models" / "pretrained" / "fashion_mnist_resnet_p4.tbn"


def prepared(path):
    """The entries of prepared weights in a file's header."""
    return {name: entry for name, entry in read_safetensors_header(path).items()
            if name.startswith("prepared/")}


class Export(ToolTest):
    def test_a_packed_file_is_prepared_for_backends_and_keeps_all_else(self):
        sizes = {}
        for backends in ("exact", "int8", "exact,int8"):
            exported = self.call_json("tbn-export", PRETRAINED, "--prepare", backends,
                                      "-o", "prepared.tbn")
            entries = prepared(self.folder / "prepared.tbn")
            data_bytes = sum(e["data_offsets"][1] - e["data_offsets"][0] for e in entries.values())
            self.assertGreater(data_bytes, 0)
            self.assertEqual(exported["prepared_bytes"], data_bytes)
            for entry in entries.values():
                self.assertEqual(entry["dtype"], "I64")
                self.assertEqual(entry["data_offsets"][0] % 64, 0)
            sizes[backends] = data_bytes
            inspected = self.call_json("tbn-inspect", "prepared.tbn")
            plain = self.call_json("tbn-inspect", PRETRAINED)
            self.assertEqual(sum(inspected["prepared_bytes"].values()), data_bytes)
            self.assertEqual(plain["prepared_bytes"], {})
            self.assertEqual(inspected["header"]["format"], "1.1")
            self.assertEqual(plain["header"]["format"], "1.0")
            for same in ("layers", "totals", "tensor_bytes"):
                self.assertEqual(inspected[same], plain[same])
            self.assertEqual(inspected["header"]["metadata"], plain["header"]["metadata"])
        self.assertGreater(sizes["exact,int8"], max(sizes["exact"], sizes["int8"]))
        # What both read is there once.
        self.assertLess(sizes["exact,int8"], sizes["exact"] + sizes["int8"])

    def test_exporting_without_it_takes_prepared_weights_out_again(self):
        self.call("tbn-export", PRETRAINED, "--prepare", "exact", "-o", "file.tbn")
        self.call("tbn-export", "file.tbn", "-o", "file.tbn")
        self.assertEqual((self.folder / "file.tbn").read_bytes(), PRETRAINED.read_bytes())

    def test_every_instruction_set_of_the_processor_can_be_prepared_for(self):
        done = self.call("tbn-export", PRETRAINED, "--prepare", "exact", "--prepare-for", "mmx",
                         "-o", "file.tbn", code=2)
        sentence = "tbn-export: error: --prepare-for: 'mmx' is not one of "
        self.assertTrue(done.stderr.startswith(sentence), done.stderr)
        names = done.stderr[len(sentence):].strip().split(", ")
        self.assertEqual(names[-1], "portable")
        for name in names:
            self.call("tbn-export", PRETRAINED, "--prepare", "exact", "--prepare-for", name,
                      "-o", "file.tbn")
            self.assertTrue(prepared(self.folder / "file.tbn"))

    def test_mistakes_are_one_sentence(self):
        self.fails(2, "--prepare: 'fast' is not one of exact, int8",
                   "tbn-export", PRETRAINED, "--prepare", "exact,fast", "-o", "file.tbn")
        self.fails(2, "--prepare: '' is not one of exact, int8",
                   "tbn-export", PRETRAINED, "--prepare", "exact,", "-o", "file.tbn")
        self.fails(2, "--prepare-for: say what to prepare with --prepare",
                   "tbn-export", PRETRAINED, "--prepare-for", "portable", "-o", "file.tbn")
        self.fails(2, f"--verify: '{PRETRAINED}' is packed already and keeps the test vectors that "
                      "it has", "tbn-export", PRETRAINED, "--verify", "2", "-o", "file.tbn")
        self.assertFalse((self.folder / "file.tbn").exists())

    def test_a_layout_is_shown_whatever_its_name(self):
        self.call("tbn-export", PRETRAINED, "--prepare", "exact", "--prepare-for", "portable",
                  "-o", "file.tbn")
        path = self.folder / "file.tbn"
        content = path.read_bytes()
        renamed = content.replace(b"prepared/floats-", b"prepared/strange")
        self.assertNotEqual(content, renamed)
        path.write_bytes(sealed(renamed))
        layouts = self.call_json("tbn-inspect", "file.tbn")["prepared_bytes"]
        self.assertTrue(all(name.startswith("strange") for name in layouts), json.dumps(layouts))


class Evaluation(ToolTest):
    """With the tools that need LibTorch."""

    def test_a_run_is_exported_prepared_and_predicts_the_same(self):
        self.train("train.epochs=1")
        self.call("tbn-export", "runs/tiny", "-o", "plain.tbn")
        self.call("tbn-export", "runs/tiny", "--prepare", "exact,int8", "-o", "prepared.tbn")
        self.assertTrue(prepared(self.folder / "prepared.tbn"))
        for backend in ("reference", "exact", "int8"):
            metrics = [self.call_json("tbn-eval", name, "--root", "data", "--backend",
                                      backend)["metrics"] for name in ("plain.tbn", "prepared.tbn")]
            self.assertEqual(metrics[0], metrics[1], backend)

    def test_verify_finds_prepared_weights_that_are_not_the_layers_own(self):
        self.call("tbn-export", PRETRAINED, "--prepare", "exact,int8", "-o", "file.tbn")
        self.assertTrue(self.call_json("tbn-eval", "file.tbn", "--verify")["verify"]["ok"])
        path = self.folder / "file.tbn"
        content = bytearray(path.read_bytes())
        (length,) = struct.unpack("<Q", content[:8])
        name = min(prepared(path), key=lambda n: prepared(path)[n]["data_offsets"])
        content[8 + length] ^= 1
        path.write_bytes(sealed(bytes(content)))
        done = self.call("tbn-eval", "file.tbn", "--verify", code=3)
        self.assertIn(f"prepared weights '{name}' are not those of the layer", done.stderr)


if __name__ == "__main__":
    main()
