"""The trained files in models/pretrained still give the logits and the accuracy that they claim."""

import json
import pathlib
import unittest

from tools_support import ROOT, ToolTest, main

FILES = sorted((ROOT / "models" / "pretrained").glob("*.tbn"))
FASHION_MNIST = pathlib.Path("/usr/share/datasets/fashion-mnist")


class Pretrained(ToolTest):
    def test_there_are_files_and_each_is_described(self):
        self.assertTrue(FILES)
        readme = (ROOT / "models" / "pretrained" / "README.md").read_text()
        for file in FILES:
            self.assertIn(file.name, readme)

    def test_each_replays_its_test_vectors(self):
        for file in FILES:
            verified = self.call_json("tbn-eval", file, "--verify")
            self.assertTrue(verified["verify"]["ok"], file.name)

    @unittest.skipUnless(FASHION_MNIST.is_dir(), "needs the package dataset-fashion-mnist")
    def test_each_has_the_accuracy_it_claims_on_the_test_images(self):
        for file in FILES:
            metadata = self.call_json("tbn-inspect", file)["header"]["metadata"]
            self.assertEqual(metadata["tbn.trained_on"], "fashion_mnist", json.dumps(metadata))
            metrics = self.call_json("tbn-eval", file, "--root", FASHION_MNIST)["metrics"]
            self.assertEqual(metrics["images"], 10000)
            # Another compiler may sum in another order; 2 images of 10,000 at most may flip.
            self.assertAlmostEqual(metrics["top1"], float(metadata["tbn.accuracy"]), delta=0.02)


if __name__ == "__main__":
    main()
