"""From a configuration to a packed file with the real tools, and what a run leaves behind."""

import csv
import json
import resource
import struct

from tools_support import CONV_SETTINGS, ROOT, ToolTest, main, read_safetensors_header

CNN = ("model={type: custom, layers: [{conv2d: {out_channels: 8, kernel: 3, stride: 2, bias: %s}}, "
       "batch_norm, relu, {conv2d: {out_channels: 16, kernel: 3, stride: 2, bias: %s}}, batch_norm, relu, "
       "global_avg_pool, {linear: {out_features: 10}}]}")


class Train(ToolTest):
    def test_a_run_trains_is_evaluated_exported_and_predicts_the_same_packed(self):
        summary = self.call_json("tbn-train", "--config", "tiny.yaml", *CONV_SETTINGS,
                                 "train.epochs=12")
        self.assertGreater(summary["test"]["top1"], 60)
        evaluated = self.call_json("tbn-eval", "runs/tiny", "--predictions", "checkpoint.txt")
        self.assertEqual(evaluated["metrics"]["top1"], summary["test"]["top1"])
        self.assertEqual(evaluated["metrics"]["images"], 200)
        self.call("tbn-export", "runs/tiny", "-o", "tiny.tbn")
        packed = self.call_json("tbn-eval", "tiny.tbn", "--root", "data",
                                "--predictions", "packed.txt")
        self.assertEqual(packed["kind"], "packed")
        ours = (self.folder / "checkpoint.txt").read_text().splitlines()
        theirs = (self.folder / "packed.txt").read_text().splitlines()
        self.assertEqual(len(ours), 200)
        self.assertRegex(ours[0], "^[0-9]\t[a-z][a-z -/]+$")  # a number, and a name of Fashion-MNIST
        self.assertEqual(ours, theirs)
        self.assertAlmostEqual(packed["metrics"]["loss"], evaluated["metrics"]["loss"], places=4)
        verified = self.call_json("tbn-eval", self.folder / "tiny.tbn", "--verify", cwd="/")
        self.assertTrue(verified["verify"]["ok"])
        self.assertGreater(verified["verify"]["vectors"], 0)

    def test_a_norm_follows_convolutions_of_every_order_with_a_bias_and_without(self):
        for order in ("interleave", "repeat", "auto"):
            for bias in ("false", "true"):
                with self.subTest(order=order, bias=bias):
                    self.train(CNN % (bias, bias), f"weights.order={order}", "train.epochs=1", "weights.p=2",
                               "weights.rules=[]", "--overwrite")
                    self.call("tbn-export", "runs/tiny", "-o", "tiny.tbn")
                    trained = self.call_json("tbn-eval", "runs/tiny")["metrics"]["loss"]
                    packed = self.call_json("tbn-eval", "tiny.tbn", "--root", "data")["metrics"]["loss"]
                    self.assertAlmostEqual(packed, trained, places=4)

    def test_a_network_with_ends_of_integers_trains_and_predicts_the_same_packed(self):
        for bits in (8, 3):
            with self.subTest(bits=bits):
                summary = self.call_json(
                    "tbn-train", "--config", "tiny.yaml", CONV_SETTINGS[0], "train.epochs=8", "--overwrite",
                    f"weights.rules=[{{match: [conv1, classifier], encoding: uniform, bits: {bits}}}]")
                self.assertGreater(summary["test"]["top1"], 60)
                evaluated = self.call_json("tbn-eval", "runs/tiny", "--predictions", "checkpoint.txt")
                self.call("tbn-export", "runs/tiny", "-o", "tiny.tbn")
                packed = self.call_json("tbn-eval", "tiny.tbn", "--root", "data", "--predictions", "packed.txt")
                self.assertEqual((self.folder / "checkpoint.txt").read_text(),
                                 (self.folder / "packed.txt").read_text())
                self.assertAlmostEqual(packed["metrics"]["loss"], evaluated["metrics"]["loss"], places=4)
                self.assertTrue(self.call_json("tbn-eval", "tiny.tbn", "--verify")["verify"]["ok"])

    def test_a_float_run_starts_one_of_integers_and_gives_its_predictions(self):
        floats = [CONV_SETTINGS[0], "weights={encoding: float}"]
        self.train(*floats, "train.epochs=8")
        before = self.call_json("tbn-eval", "runs/tiny")["metrics"]
        integers = [CONV_SETTINGS[0], "weights={encoding: uniform, bits: 8}", "train.epochs=1", "optim.lr=1e-6",
                    "name=integers", "init.from=runs/tiny"]
        self.train(*integers)
        after = self.call_json("tbn-eval", "runs/integers")["metrics"]
        self.assertAlmostEqual(after["loss"], before["loss"], delta=0.05)
        self.train(*floats, "train.epochs=1", "optim.lr=1e-6", "name=back", "init.from=runs/integers")
        back = self.call_json("tbn-eval", "runs/back")["metrics"]
        self.assertAlmostEqual(back["loss"], after["loss"], delta=0.05)

    def test_a_run_directory_holds_what_the_run_was_and_gave(self):
        self.train("train.ema=0.9")
        names = sorted(str(p.relative_to(self.run_folder)) for p in self.run_folder.rglob("*")
                       if p.is_file() and "tfevents" not in p.name)
        self.assertEqual(names, ["checkpoints/best.safetensors", "checkpoints/last.safetensors",
                                 "config.yaml", "environment.json", "metrics.csv", "summary.json",
                                 "train.log"])
        rows = list(csv.DictReader((self.run_folder / "metrics.csv").open()))
        self.assertEqual([row["epoch"] for row in rows], ["1", "2", "3"])
        self.assertEqual([row["step"] for row in rows], ["10", "20", "30"])
        self.assertLess(float(rows[2]["train_loss"]), float(rows[0]["train_loss"]))
        environment = json.loads((self.run_folder / "environment.json").read_text())
        self.assertEqual(environment["seed"], 1)
        self.assertEqual(environment["threads"], 1)
        self.assertIn("train.ema=0.9", environment["command"])
        summary = json.loads((self.run_folder / "summary.json").read_text())
        self.assertTrue(summary["complete"])
        self.assertEqual(summary["steps"], 30)
        best = max(float(row["val_accuracy"]) for row in rows)
        self.assertEqual(summary["validation"]["top1"], best)
        again = self.call("tbn-train", "--config", "runs/tiny/config.yaml", "--print-config")
        self.assertEqual(again.stdout, (self.run_folder / "config.yaml").read_text())

    def test_a_checkpoint_says_what_it_is_and_the_official_reader_opens_it(self):
        from safetensors import safe_open
        self.train("train.ema=0.9", "train.epochs=1")
        path = self.run_folder / "checkpoints" / "best.safetensors"
        with safe_open(path, framework="numpy") as file:
            names = set(file.keys())
            metadata = file.metadata()
            self.assertEqual(list(file.get_tensor("model/linear1.latent").shape), [16, 784])
        for name in ["ema/linear1.latent", "optim/linear1.latent/square",
                     "optim/classifier.bias/momentum", "model/norm1.running_mean", "rng/cpu"]:
            self.assertIn(name, names)
        self.assertEqual(metadata["tbn.checkpoint"], "1")
        self.assertEqual(json.loads(metadata["tbn.progress"])["epoch"], 1)
        self.assertIn("test_accuracy", json.loads(metadata["tbn.metrics"]))

    def test_tensorboard_reads_the_events(self):
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        self.train()
        events = EventAccumulator(str(self.run_folder / "events"))
        events.Reload()
        for tag in ["train/loss", "train/accuracy", "validation/loss", "validation/accuracy",
                    "train/lr"]:
            self.assertEqual([e.step for e in events.Scalars(tag)], [10, 20, 30], tag)
        rows = list(csv.DictReader((self.run_folder / "metrics.csv").open()))
        for row, event in zip(rows, events.Scalars("validation/accuracy")):
            self.assertAlmostEqual(float(row["val_accuracy"]), event.value, places=3)

    def test_the_packed_file_opens_in_the_official_reader(self):
        from safetensors import safe_open
        self.train("train.epochs=1")
        self.call("tbn-export", "runs/tiny", "-o", "tiny.tbn")
        with safe_open(self.folder / "tiny.tbn", framework="numpy") as file:
            self.assertEqual(file.metadata()["tbn.format"], "1.2")
            tile = file.get_tensor("linear1.tile")
        self.assertEqual((tile.dtype.name, tile.shape), ("uint8", (16, 98)))

    def test_the_same_seed_gives_the_same_checkpoint(self):
        self.train("train.epochs=1")
        path = self.run_folder / "checkpoints" / "last.safetensors"
        first = path.read_bytes()
        self.train("train.epochs=1", "--overwrite")
        self.assertEqual(first, path.read_bytes())
        self.train("train.epochs=1", "train.seed=2", "--overwrite")
        self.assertNotEqual(first, path.read_bytes())

    def test_a_resume_with_another_number_of_threads_says_that_its_bits_differ(self):
        self.train("train.epochs=1")
        same = self.train("train.epochs=2", "--resume").stdout
        self.assertNotIn("train.deterministic", same)
        other = self.train("train.epochs=3", "train.threads=2", "--resume").stdout
        self.assertIn("train.deterministic: the run had train.threads=1 so far and has 2 now", other)


class Plan(ToolTest):
    def test_a_dry_run_touches_no_file_and_needs_no_data(self):
        out = self.train("--dry-run", "data.root=/nowhere").stdout
        self.assertIn("linear1", out)
        self.assertIn("latents: 2 tensors", out)
        self.assertFalse((self.folder / "runs").exists())

    def test_a_dry_run_says_the_size_of_the_file_that_is_exported(self):
        for number, settings in enumerate((
                [], CONV_SETTINGS, ["weights.encoding=float", "weights.rules=[]"],
                ["data.normalize=false", "model.norm=false", "optim={lr: 1e-9, groups: []}"])):
            with self.subTest(settings=settings):
                settings = [*settings, "train.epochs=1", f"name=n{number}"]
                plan = self.call_json("tbn-train", "--config", "tiny.yaml", "--dry-run", *settings)
                file = plan["file"]
                self.assertNotIn("without_rule", plan)
                self.train(*settings)
                self.call("tbn-export", f"runs/n{number}", "-o", "n.tbn")
                header = read_safetensors_header(self.folder / "n.tbn")
                # Digits of figures, and the padding to 64.
                real = (self.folder / "n.tbn").stat().st_size
                self.assertLessEqual(abs(file["bytes"] - real), 64)
                self.assertEqual(file["bytes"], sum(file.values()) - file["bytes"])
                tiles = sum(e["data_offsets"][1] - e["data_offsets"][0] for e in header.values()
                            if e.get("dtype") == "U8")
                self.assertEqual(file["tiles"], tiles)
                self.assertAlmostEqual(
                    file["graph"], len(json.dumps(header["__metadata__"]["tbn.graph"])), delta=40)
        text = self.train("--dry-run").stdout
        self.assertRegex(text, r"packed file: [\d,]+ bytes: [\d,]+ of tiles, [\d,]+ of scalars, ")
        text = self.train("--dry-run", "data.root=/nowhere").stdout
        self.assertRegex(text, r"packed file, without the names and rules of the data: [\d,]+ bytes: ")
        self.assertIn("the data cannot be read: data set 'fashion_mnist' not found", text)
        plan = self.call_json("tbn-train", "--config", "tiny.yaml", "--dry-run", "data.root=/nowhere")
        self.assertIn("not found", plan["without_rule"])

    def test_a_dry_run_with_data_that_cannot_be_read_plans_and_ends_with_3(self):
        images = self.folder / "data" / "train-images-idx3-ubyte"
        whole = images.read_bytes()
        images.write_bytes(whole[:-100])
        for form in ([], ["--json"]):
            done = self.call("tbn-train", "--config", "tiny.yaml", "--dry-run", *form, code=3)
            self.assertIn("linear1", done.stdout)
            self.assertRegex(done.stderr, r"^tbn-train: error: .*train-images-idx3-ubyte.*\n$")
        images.write_bytes(whole)
        done = self.train("--dry-run", "data.validation=1000", code=2)
        self.assertIn("data.validation", done.stderr)

    def test_a_dry_run_says_which_rules_decide_nothing(self):
        done = self.train("--dry-run", "weights.rules=[{match: '*', p: 2}, {match: classifier, p: 1}]")
        self.assertIn("weights.rules[1] does nothing: earlier rules match every layer that it matches",
                      done.stdout)

    def test_a_dry_run_of_a_giant_layer_makes_none_of_it(self):
        giant = ("model={type: custom, layers: [flatten, {linear: {out_features: 1000000}}, relu, "
                 "{linear: {out_features: classes}}]}")
        forms = (["weights={encoding: float, rules: []}"],
                 ["weights={encoding: tiled, p: 4, latent: full, rules: []}"])
        for form in forms:
            arguments = ["tbn-train", "--config", "tiny.yaml", "--dry-run", giant, *form, "optim.groups=[]"]
            with self.subTest(form=form):
                most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
                plan = self.call_json(*arguments)
                self.assertEqual(plan["totals"]["weights"], 784 * 10 ** 6 + 10 ** 7)
                self.assertNotIn("file", plan)
                self.assertIn("more than 1,073,741,824 bytes in training", plan["without_file"])
                self.assertIn("packed file: not known: its weights take more than",
                              self.call(*arguments).stdout)
                # Of all children so far, in KiB: LibTorch itself is some hundred MiB.
                self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,
                                max(most, 1 << 20))

    def test_a_dry_run_of_a_network_beyond_the_limits_says_nothing_else_of_the_data(self):
        wide = ("model={type: custom, layers: [{conv2d: {out_channels: 800000, kernel: 1}}, global_avg_pool, "
                "{linear: {out_features: classes}}]}")
        arguments = ["tbn-train", "--config", "tiny.yaml", "--dry-run", wide, "weights.rules=[]", "optim.groups=[]"]
        plan = self.call_json(*arguments)
        self.assertNotIn("file", plan)
        self.assertIn("Limits::memory_bytes", plan["without_file"])
        self.assertNotIn("without_rule", plan)
        self.assertNotIn("the data cannot be read", self.call(*arguments).stdout)
        plan = self.call_json(*arguments, "data.root=/nowhere")
        self.assertIn("Limits::memory_bytes", plan["without_file"])
        self.assertIn("not found", plan["without_rule"])

    def test_sizes_are_the_datas_own_where_they_are_there_and_said_to_be_assumed_elsewhere(self):
        data = self.folder / "wide"
        data.mkdir()
        for prefix, count in (("train", 60), ("t10k", 20)):
            (data / f"{prefix}-images-idx3-ubyte").write_bytes(
                struct.pack(">IIII", 0x803, count, 32, 20) + bytes(range(256)) * (count * 640 // 256))
            (data / f"{prefix}-labels-idx1-ubyte").write_bytes(
                struct.pack(">II", 0x801, count) + bytes(i % 10 for i in range(count)))
        settings = ["data.root=wide", "data.validation=10", "train.epochs=1", "train.batch_size=10"]
        weights = 64 * 32 * 20 + 64 * 10
        plan = self.call_json("tbn-train", "--config", "tiny.yaml", "--dry-run", *settings)
        self.assertEqual(plan["totals"]["weights"], weights)
        self.assertNotIn("assumed", plan)
        self.train(*settings)
        summary = json.loads((self.run_folder / "summary.json").read_text())
        self.assertEqual((summary["weights"], summary["macs"]),
                         (plan["totals"]["weights"], plan["totals"]["macs"]))
        plan = self.call_json("tbn-train", "--config", "tiny.yaml", "--dry-run", "data.root=nowhere")
        self.assertEqual(plan["assumed"], "images of 28 x 28 pixels")
        self.assertIn("the data are not here: images of 28 x 28 pixels assumed",
                      self.train("--dry-run", "data.root=nowhere").stdout)

    def test_a_dry_run_as_json_counts_the_bits_of_the_papers_example(self):
        plan = self.call_json("tbn-train", "--config", "tiny.yaml", "--dry-run",
                              "model={type: mlp, hidden: [128]}")
        self.assertEqual(plan["totals"]["weights"], 101632)
        first, second = plan["layers"]
        self.assertEqual((first["weights"], first["p"], first["tile_length"]), (100352, 4, 25088))
        self.assertEqual(first["bits"], 25088 + 4 * 32)
        # 3,296 tile bytes and 5 scalars.
        self.assertEqual(plan["totals"]["bits"], 3316 * 8)
        self.assertEqual(plan["totals"]["bytes"], 3316)
        self.assertEqual(first["macs"] * 4, first["dense_macs"])
        members = [name for group in plan["groups"] for name in group["parameters"]]
        self.assertEqual(len(members), len(set(members)))

    def test_the_resnet_of_the_first_line_people_type_has_the_designs_counts(self):
        plan = self.call_json("tbn-train", "--config", ROOT / "configs" / "resnet.yaml",
                              "--dry-run")
        self.assertEqual(plan["totals"]["weights"], 11164352)
        self.assertAlmostEqual(plan["totals"]["bits_per_weight"], 0.258, delta=0.001)

    def test_validate_says_that_a_good_configuration_is_good(self):
        self.assertEqual(self.train("--validate").stdout, "tiny.yaml: valid\n")

    def test_a_checkpoint_is_readable_without_any_library(self):
        self.train("train.epochs=1")
        header = read_safetensors_header(self.run_folder / "checkpoints" / "last.safetensors")
        self.assertEqual(header["model/linear1.alpha"]["shape"], [4])
        self.assertEqual(header["model/linear1.alpha"]["dtype"], "F32")


if __name__ == "__main__":
    main()
