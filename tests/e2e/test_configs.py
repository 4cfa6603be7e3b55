"""Every shipped configuration makes a network for its data: tbn-train dry-runs them all, without the data."""

import re

from tools_support import ROOT, ToolTest, main

# Parts of others, and the list of all defaults.
PARTS = {"base"}
CONFIGS = sorted(path for path in (ROOT / "configs").rglob("*.yaml") if path.parent.name not in PARTS)


class Configs(ToolTest):
    def test_each_dry_runs(self):
        self.assertGreaterEqual(len(CONFIGS), 30)
        for path in CONFIGS:
            with self.subTest(path.relative_to(ROOT).as_posix()):
                # From the root, as they are typed: samples that lie there are named from it.
                plan = self.call_json("tbn-train", "--config", path, "--dry-run", cwd=ROOT)
                self.assertTrue(plan["layers"])
                self.assertGreater(plan["totals"]["weights"], 0)
                for layer in plan["layers"]:
                    if layer["encoding"] == "tiled":
                        self.assertLess(layer["bits_per_weight"], 1.0, layer["name"])
                # Float twins and teachers are float in every layer, all others in none.
                whole = path.stem.endswith(("_float", "_teacher"))
                self.assertEqual({layer["encoding"] == "float" for layer in plan["layers"]}, {whole})

    def test_no_recipe_of_ours_lets_scalars_decay(self):
        """Behind a norm nothing pushes a learned scalar back. The paper's recipes decay all that they train."""
        seen = 0
        for path in [*CONFIGS, *sorted((ROOT / "configs" / "base").glob("*.yaml"))]:
            printed = self.call("tbn-train", "--config", path, "--print-config", cwd=ROOT).stdout
            if path == ROOT / "configs" / "reference.yaml" or "alpha_from: learned" not in printed:
                continue
            if re.search(r"^weights:\n  encoding: float", printed, re.M):
                continue  # nothing has scalars
            optim = re.search(r"^optim:\n((?:  .*\n)+)", printed, re.M)[1]
            groups = re.split(r"^    - match: ", optim, flags=re.M)
            decays = next((group for group in groups[1:] if "alphas" in group.splitlines()[0]), groups[0])
            seen += 1
            with self.subTest(path.relative_to(ROOT).as_posix()):
                self.assertEqual(re.search(r"weight_decay: (\S+)", decays)[1], "0")
        self.assertGreaterEqual(seen, 20)

    def test_the_example_of_a_table_trains_on_the_sample(self):
        result = self.call_json("tbn-train", "--config", "configs/examples/csv.yaml", f"output={self.folder}",
                                "train.threads=1", cwd=ROOT)
        # The mean of the training rows has an error near 1.
        self.assertLess(result["test"]["mse"], 0.5)


if __name__ == "__main__":
    main()
