"""tbn-bench: reading rates and step times beside the float twin."""

import pathlib

from tools_support import ToolTest, main


class Bench(ToolTest):
    def test_data_tells_how_many_samples_a_second_one_core_reads(self):
        (row,) = self.call_json("tbn-bench", "data", "--config", "tiny.yaml", "--seconds", 1)
        self.assertGreater(row["samples"], 600)  # several epochs
        self.assertGreater(row["samples_per_second"], 0)
        self.assertGreater(row["samples_per_cpu_second"], 0)

    def test_train_times_a_step_of_both_networks_and_counts_their_state(self):
        # 256 units of 784 inputs at p = 8 beside the float twin: latents, gradients and Adam's means
        # shrink by 8, whatever the machine; times only have to be there.
        (row,) = self.call_json(
            "tbn-bench", "train", "--config", "tiny.yaml", "--rounds", 5, "train.batch_size=16",
            "model={type: mlp, hidden: [256]}", "weights.p=8",
            "weights.rules=[{match: [classifier], encoding: float}]",
            "optim={type: adam, lr: 1e-3}")
        self.assertEqual(row["rival"], "float twin")
        self.assertAlmostEqual(row["ratio"], row["ours_us"] / row["rival_us"])
        for side in ("ours", "rival"):
            low, middle, high = row[side + "_quartiles_us"]
            self.assertTrue(0 < low <= middle <= high)
            self.assertEqual(middle, row[side + "_us"])
        classifier, norm = 256 * 10 + 10, 2 * 256
        self.assertEqual(row["rival_state_bytes"], 16 * (256 * 784 + norm + classifier))
        self.assertEqual(row["ours_state_bytes"],
                         16 * (256 * 784 // 8 + 8 + norm + classifier))

    def test_a_packed_file_is_timed_after_the_backends_agreed(self):
        file = pathlib.Path(__file__).resolve().parents[2] / "models" / "pretrained"
        (row,) = self.call_json("tbn-bench", next(file.glob("*.tbn")), "--rounds", 3)
        self.assertAlmostEqual(row["ratio"], row["rival_us"] / row["ours_us"])
        self.assertLess(row["max_error"], 1e-5)
        self.call("tbn-bench", "missing.tbn", code=3)

    def test_what_cannot_be_timed_is_refused(self):
        self.fails(2, "'speed' cannot be timed; a .tbn file, data and train can", "tbn-bench", "speed")
        self.fails(2, "which configuration? Give it as --config <file>", "tbn-bench", "train")
        done = self.call("tbn-bench", "--config", "tiny.yaml", code=2)
        self.assertIn("which subject, a .tbn file, data or train?", done.stderr)


if __name__ == "__main__":
    main()
