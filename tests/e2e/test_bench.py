"""tbn-bench: reading rates, and times of steps, networks and layers beside dense ones."""

import pathlib

from tools_support import CONV_SETTINGS, ToolTest, main


class Bench(ToolTest):
    def check_times(self, row):
        """The times are there and the ratio is theirs, rival over ours."""
        for side in ("ours", "rival"):
            low, middle, high = row[side + "_quartiles_us"]
            self.assertTrue(0 < low <= middle <= high)
            self.assertEqual(middle, row[side + "_us"])
        self.assertAlmostEqual(row["ratio"], row["rival_us"] / row["ours_us"])
        self.assertLess(row["max_error"], 1e-4 if row["ours"] != "int8" else 0.1)

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

    def test_a_profile_tells_where_the_time_of_a_step_goes(self):
        profile = self.call_json("tbn-bench", "train", "--config", "tiny.yaml", "--rounds", 2,
                                 "--profile", "train.batch_size=16")
        parts = sum(n["forward_us"] + n["backward_us"] for n in profile["nodes"])
        parts += sum(profile[k] for k in ("loss_us", "gradients_us", "optimizer_us", "rest_us"))
        self.assertAlmostEqual(parts / profile["step_us"], 1, places=6)
        self.assertTrue(any(n["weights"].startswith("tiled(p=") for n in profile["nodes"]))
        self.assertTrue(any(f["name"].startswith("aten::") for f in profile["functions"]))
        table = self.call("tbn-bench", "train", "--config", "tiny.yaml", "--rounds", 2,
                          "--profile", "train.batch_size=16").stdout
        self.assertIn("| optimiser |", table)

    def test_a_packed_file_is_timed_after_the_backends_agreed(self):
        file = pathlib.Path(__file__).resolve().parents[2] / "models" / "pretrained"
        rows = self.call_json("tbn-bench", next(file.glob("*.tbn")), "--rounds", 3)
        self.assertIn("exact", [row["ours"] for row in rows])
        for row in rows:
            self.assertEqual(row["rival"], "reference")
            self.check_times(row)
        self.call("tbn-bench", "missing.tbn", code=3)

    def test_a_profile_shares_the_time_of_a_network_out_among_its_nodes(self):
        file = pathlib.Path(__file__).resolve().parents[2] / "models" / "pretrained"
        for arguments in (("infer", "--config", "tiny.yaml", "--batch", 2, "--threads", 2),
                          (next(file.glob("*.tbn")),)):
            rows = self.call_json("tbn-bench", *arguments, "--profile", "--rounds", 3)
            self.assertEqual([row["backend"] for row in rows], ["reference", "exact", "int8"])
            for row in rows:
                for parts in (row["ops"], row["nodes"]):
                    self.assertAlmostEqual(sum(part["us"] for part in parts), row["us"])
                    self.assertAlmostEqual(sum(part["share"] for part in parts), 1)
                self.assertEqual(sum(op["nodes"] for op in row["ops"]), len(row["nodes"]))
                # The tiled layers' multiply-adds, whoever computes them.
                self.assertEqual(sum(node["macs"] for node in row["nodes"]),
                                 sum(node["macs"] for node in rows[0]["nodes"]))
                self.assertGreater(sum(node["macs"] for node in row["nodes"]), 0)

    def infer(self, *arguments):
        rows = self.call_json("tbn-bench", "infer", "--config", "tiny.yaml", "--rounds", 3,
                              *arguments)
        self.assertLessEqual({"reference", "exact"}, {row["ours"] for row in rows})
        for row in rows:
            self.check_times(row)
            self.assertEqual(row["name"], "tiny")
            self.assertTrue(row["rival"].startswith("float twin in LibTorch fp32, "))
        return rows

    def test_infer_times_a_network_of_each_backend_beside_its_float_twin(self):
        # Norms that fold into linear layers.
        for row in self.infer("--batch", 3, "--threads", 2, "weights.p=8"):
            self.assertEqual([row["p"], row["threads"], row["batch_size"]], [8, 2, 3])

    def test_infer_runs_convolutions_with_sums_and_activations(self):
        for row in self.infer(*CONV_SETTINGS):
            self.assertEqual([row["p"], row["threads"], row["batch_size"]], [4, 1, 1])

    def test_infer_runs_transformers_and_norms_that_do_not_fold(self):
        self.infer("model={type: vit, dim: 16, depth: 1, heads: 2, patch: 7}", "weights.rules=[]")
        self.infer("model={type: convmixer, dim: 8, depth: 1, patch: 7, kernel: 3}",
                   "weights.rules=[]")

    def layers(self, *arguments):
        rows = self.call_json("tbn-bench", "layers", "--rounds", 3, *arguments)
        for row in rows:
            self.check_times(row)
            self.assertIn(row["state"], ("warm", "cold"))
            # Both rates are of the same median.
            self.assertAlmostEqual(row["gmacs_effective"] / row["gmacs_executed"], row["p"])
        return rows

    def test_layers_times_linear_layers_and_counts_their_multiply_adds(self):
        rows = self.layers("--size", "64x64", "--rows", "1,3", "--p", "1,4", "--backend", "exact")
        self.assertEqual({(row["name"], row["p"]) for row in rows},
                         {(f"linear {m}x64x64", p) for m in (1, 3) for p in (1, 4)})
        for row in rows:
            m = int(row["name"].split()[1].split("x")[0])
            self.assertEqual(row["ours"], "exact")
            self.assertAlmostEqual(row["gmacs_effective"] * row["ours_us"], 1e-3 * m * 64 * 64)
        self.assertTrue(any(row["rival"].startswith("LibTorch fp32, ") for row in rows))

    def test_layers_times_convolutions(self):
        rows = self.layers("--conv", "8x6x6x16k3s1,4x6x6x8k1s2", "--p", 2)
        self.assertEqual({row["name"] for row in rows},
                         {"conv 8x6x6x16k3s1", "conv 4x6x6x8k1s2"})
        for row in rows:
            macs = 8 * 6 * 6 * 16 * 9 if "k3" in row["name"] else 4 * 3 * 3 * 8
            self.assertAlmostEqual(row["gmacs_effective"] * row["ours_us"], 1e-3 * macs)

    def test_layers_prints_a_table_under_the_machine(self):
        text = self.call("tbn-bench", "layers", "--size", "16x16", "--rows", 1, "--p", 1, "--rounds",
                         1).stdout
        machine, _, heading, _, *rows = text.splitlines()
        self.assertIn(", 1 thread; its float multiply-adds in registers reach ", machine)
        for line in (heading, *rows):
            self.assertEqual(line.count("|"), heading.count("|"))

    def test_layers_that_cannot_be_are_refused(self):
        for arguments, sentence in (
            (("--size", "64"), "--size: '64' is no shape; write <inputs>x<outputs>, as 4096x4096"),
            (("--size", "64x64x"), "--size: '64x64x' is no shape; write <inputs>x<outputs>, "
                                   "as 4096x4096"),
            (("--conv", "8x8"), "--conv: '8x8' is no shape; write "
                                "<C>x<H>x<W>x<outputs>k<kernel>s<stride>, as 64x32x32x64k3s1"),
            (("--rows", "1,0"), "--rows: '0' is no whole number of at least 1 (and below 2^31)"),
            (("--p", "4,"), "--p: '' is no whole number of at least 1 (and below 2^31)"),
            (("--size", "1000000000x1000000000"),
             "--size: the weights of '1000000000x1000000000' would be [1000000000, 1000000000], "
             "more than the 268,435,456 values allowed"),
            (("--size", "64x64", "--rows", "1000000000"),
             "--rows: the input of '64x64' would be [1000000000, 64], more than the 268,435,456 "
             "values allowed"),
            (("--backend", "fast"), None),
            (("--size", "64x65", "--p", "7"), None),
            (("--conv", "9999x9999x9999x8k3s1"), None),
        ):
            done = self.call("tbn-bench", "layers", *arguments, code=2)
            self.assertEqual(done.stdout, "")
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            if sentence is not None:
                self.assertEqual(done.stderr, f"tbn-bench: error: {sentence}\n")

    def test_what_cannot_be_timed_is_refused(self):
        self.fails(2, "'speed' cannot be timed; a .tbn file, layers, infer, train and data can",
                   "tbn-bench", "speed")
        self.fails(2, "which configuration? Give it as --config <file>", "tbn-bench", "train")
        done = self.call("tbn-bench", "--config", "tiny.yaml", code=2)
        for option in ("--batch", "--threads", "--rounds"):
            self.call("tbn-bench", "infer", "--config", "tiny.yaml", option, 0, code=2)
        self.assertIn("which subject, a .tbn file, layers, infer, train or data?", done.stderr)


if __name__ == "__main__":
    main()
