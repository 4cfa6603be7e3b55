"""The trained files in models/pretrained still give the logits and the accuracy that they claim."""

import pathlib

from tools_support import ROOT, ToolTest, main

FILES = sorted((ROOT / "models" / "pretrained").glob("*.tbn"))
# Where the data sets may be; MNIST and CIFAR-10 are in no package, and scripts/download_data.sh
# fetches them.
FOLDERS = {
    "fashion_mnist": pathlib.Path("/usr/share/datasets/fashion-mnist"),
    "mnist": ROOT / "data" / "mnist",
    "cifar10": ROOT / "data" / "cifar10",
}


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

    def test_each_has_the_accuracy_it_claims_on_the_test_images(self):
        missing = set()
        for file in FILES:
            metadata = self.call_json("tbn-inspect", file)["header"]["metadata"]
            folder = FOLDERS[metadata["tbn.trained_on"]]
            if not folder.is_dir():
                missing.add(str(folder))
                continue
            with self.subTest(file.name):
                metrics = self.call_json("tbn-eval", file, "--root", folder)["metrics"]
                self.assertEqual(metrics["images"], 10000)
                # Another compiler may sum in another order; 2 images of 10,000 at most may flip.
                self.assertAlmostEqual(metrics["top1"], float(metadata["tbn.accuracy"]), delta=0.02)
                if "tbn.calibration" not in metadata:
                    continue
                # Integers are the same everywhere.
                micro = self.call_json("tbn-eval", file, "--root", folder, "--backend", "micro")
                readme = (ROOT / "models" / "pretrained" / "README.md").read_text()
                row = next(line for line in readme.splitlines() if file.name in line)
                self.assertIn(f"{micro['metrics']['top1']:.2f} % in int8", row)
        if missing:
            self.skipTest(f"SKIPPED in part: no {', '.join(sorted(missing))}")


if __name__ == "__main__":
    main()
