"""What the tools say and return when something is wrong: exact sentences and exit codes."""

import json
import re
import resource
import struct
import subprocess

from tools_support import ToolTest, main


def patched(path, offset, content):
    data = bytearray(path.read_bytes())
    data[offset:offset + len(content)] = content
    path.write_bytes(bytes(data))


# A float network whose weights plain SGD can blow up.
FLOAT_SGD = ["model={type: mlp, hidden: [64]}", "weights={encoding: float}",
             "optim={type: sgd, momentum: 0}"]


class Configuration(ToolTest):
    def test_every_problem_of_a_file_is_told_at_once_with_line_and_suggestion(self):
        (self.folder / "bad.yaml").write_text(
            "name: bad\n"
            "model:\n"
            "  type: mlp\n"
            "optim:\n"
            "  lrr: 0.1\n"
            "  lr: 0.2\n"
            "  lr: 0.3\n"
            "train:\n"
            "  epochs: many\n"
            "  ema: 1.5\n")
        done = self.call("tbn-train", "--config", "bad.yaml", code=2)
        self.assertEqual(done.stdout, "")
        lines = done.stderr.splitlines()
        self.assertEqual(lines[0], "tbn-train: error: 4 problems:")
        self.assertEqual(lines[1], "bad.yaml:5:3: optim.lrr: unknown key (did you mean optim.lr?)")
        self.assertEqual(lines[2],
                         "bad.yaml:7:3: optim.lr: duplicate key, given on line 6 before")
        self.assertTrue(lines[3].startswith("bad.yaml:9:11: train.epochs: "), lines[3])
        self.assertTrue(lines[4].startswith("bad.yaml:10:8: train.ema: must be "), lines[4])

    def test_a_setting_on_the_command_line_is_checked_too(self):
        done = self.train("optim.lrr=0.1", code=2)
        self.assertEqual(done.stderr, "tbn-train: error: command line: optim.lrr: unknown key (did "
                                      "you mean optim.lr?)\n")

    def test_a_number_with_a_comma_is_refused_with_the_number_that_was_meant(self):
        for setting, sentence in (
                ("optim.lr=0,001", "optim.lr: must be a number, is '0,001' (write 0.001)"),
                ("weights.p=4,8", "weights.p: must be a whole number, is '4,8' (one value)")):
            self.fails(2, f"command line: {sentence}", "tbn-train", "--config", "tiny.yaml", setting)

    def test_a_warm_start_from_little_of_a_network_is_refused_unless_told(self):
        """The two have their classifier alone in common."""
        self.train("train.epochs=1")
        other = ["name=other", "train.epochs=1", "init.from=runs/tiny", "model={type: mlp, hidden: [32, 64]}"]
        done = self.train(*other, code=2)
        self.assertIn("of the network's layers", done.stderr)
        self.assertIn("less than the 50 % of init.share", done.stderr)
        self.assertFalse((self.folder / "runs" / "other" / "checkpoints" / "last.safetensors").exists())
        self.train(*other, "init.share=0")

    def test_a_factor_that_does_not_divide_is_refused_with_the_layer_and_its_neighbours(self):
        # 64 * 784 = 50,176 = 2^10 * 7^2 weights.
        self.fails(2, "linear 'linear1': p = 5 divides neither its 64 outputs nor its 50176 weights; "
                      "the nearest factors that work are 4 and 7",
                   "tbn-train", "--config", "tiny.yaml", "weights.p=5")
        self.assertFalse((self.folder / "runs").exists())

    def test_a_group_that_matches_no_parameter_is_refused_with_the_names(self):
        self.fails(2, "optim.groups[0].match: 'conv*' matches no parameter; use a role (latents, "
                      "alphas, weights, biases, norms, embeddings) or a glob over the names: linear1.latent, "
                      "linear1.alpha, norm1.weight, norm1.bias, classifier.latent, "
                      "classifier.alpha, classifier.bias",
                   "tbn-train", "--config", "tiny.yaml", "--dry-run",
                   "optim.groups=[{match: 'conv*', lr: 1}]")

    def test_patterns_that_match_nothing_are_told_what_is_near(self):
        text = (self.folder / "tiny.yaml").read_text()
        for wrong, sentence in (("match: clasifier", "weights.rules[0].match: 'clasifier' matches no "
                                 "layer of mlp (did you mean 'classifier'?); its layers are linear1, classifier"),
                                ("match: Classifier.*", "weights.rules[0].match: 'Classifier.*' "
                                 "matches no layer of mlp (did you mean 'classifier'?); its layers are linear1, "
                                 "classifier")):
            (self.folder / "tiny.yaml").write_text(text.replace("match: classifier", wrong))
            self.fails(2, sentence, "tbn-train", "--config", "tiny.yaml", "--dry-run")
        (self.folder / "tiny.yaml").write_text(text.replace("match: latents", "match: latent"))
        done = self.train("--dry-run", code=2)
        self.assertIn("optim.groups[0].match: 'latent' matches no parameter (did you mean 'latents'?); "
                      "use a role (", done.stderr)

    def test_a_missing_configuration_is_named(self):
        self.fails(2, "which configuration? Give it as --config <file>", "tbn-train")
        done = self.call("tbn-train", "--config", "nowhere.yaml", code=2)
        self.assertIn("nowhere.yaml", done.stderr)

    def test_an_argument_that_is_no_setting_is_refused(self):
        self.fails(2, "'tiny.yml' is neither an option nor a setting; a configuration is given as "
                      "--config <file>, a setting as key=value",
                   "tbn-train", "tiny.yml")

    def test_a_device_that_is_not_there_is_refused_and_nothing_runs_on_another(self):
        done = self.train("train.device=cuda:7", code=2)
        self.assertIn("train.device: 'cuda:7' ", done.stderr)
        self.assertFalse(self.run_folder.exists())
        self.fails(2, "command line: train.device: must be auto, cpu, cuda or cuda:N with N below 100, is "
                      "'tpu'",
                   "tbn-train", "--config", "tiny.yaml", "train.device=tpu")

    def test_what_only_a_gpu_or_the_loader_can_do_is_refused_where_it_is_demanded(self):
        self.fails(2, "train.cuda_graph: 'on' needs a GPU, and the device is cpu; use auto or off, or "
                      "another train.device",
                   "tbn-train", "--config", "tiny.yaml", "train.device=cpu", "train.cuda_graph=on")
        self.fails(2, "data.resident: 'on', but data.randaugment runs in the loader alone; use auto "
                      "or off",
                   "tbn-train", "--config", "tiny.yaml", "data.resident=on", "data.randaugment=1")
        self.assertFalse(self.run_folder.exists())


class Data(ToolTest):
    def train_fails(self, sentence):
        self.fails(3, sentence, "tbn-train", "--config", "tiny.yaml")
        self.assertFalse(self.run_folder.exists(), "a run directory was made for nothing")

    def test_missing_data_is_said_with_where_it_was_looked_for_and_the_way_to_get_it(self):
        done = self.train("data.root=empty", code=3)
        self.assertRegex(done.stderr, r"^tbn-train: error: data set 'fashion_mnist' not found: there is no 'empty' in "
                                      r"'\S+'; '\S+' holds 'data', .*'tiny.yaml'; get it with ")
        self.assertIn("scripts/download_data.sh fashion_mnist", done.stderr)
        self.assertIn("data.root", done.stderr)

    def test_truncated_images_are_refused(self):
        path = self.folder / "data" / "train-images-idx3-ubyte"
        path.write_bytes(path.read_bytes()[:-1000])
        self.train_fails("'data/train-images-idx3-ubyte': 600 images of 28 x 28 pixels should take "
                         "470400 bytes, but the file holds only 469400")

    def test_truncated_compressed_images_are_refused(self):
        path = self.folder / "data" / "t10k-images-idx3-ubyte.gz"
        path.write_bytes(path.read_bytes()[:-5000])
        self.train_fails("'data/t10k-images-idx3-ubyte.gz': the compressed data ends too early; the "
                         "file is truncated")

    def test_a_label_that_is_no_class_is_refused(self):
        patched(self.folder / "data" / "train-labels-idx1-ubyte", 8 + 42, b"\x0a")
        self.train_fails("'data/train-labels-idx1-ubyte': label 10 of image 42 is out of range; there "
                         "are 10 classes")

    def test_labels_of_another_set_are_refused(self):
        (self.folder / "data" / "train-labels-idx1-ubyte").write_bytes(
            struct.pack(">II", 0x801, 599) + bytes(599))
        done = self.train(code=3)
        self.assertIn("holds 600 images", done.stderr)
        self.assertIn("599", done.stderr)

    def test_a_file_of_another_kind_is_refused(self):
        path = self.folder / "data" / "train-images-idx3-ubyte"
        path.write_bytes(b"PNG?" + path.read_bytes()[4:])
        self.train_fails("'data/train-images-idx3-ubyte': the magic number is 0x504e473f; an IDX "
                         "image file has 0x00000803")


class ModelFiles(ToolTest):
    def setUp(self):
        super().setUp()
        self.train("train.epochs=1")
        self.call("tbn-export", "runs/tiny", "-o", "tiny.tbn")
        self.path = self.folder / "tiny.tbn"

    def eval_fails(self, path, part):
        done = self.call("tbn-eval", path, "--root", "data", code=3)
        self.assertTrue(done.stderr.startswith(f"tbn-eval: error: {path}: "), done.stderr)
        self.assertIn(part, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)

    def test_a_bit_flipped_in_the_data_is_found(self):
        data = bytearray(self.path.read_bytes())
        data[-100] ^= 4
        self.path.write_bytes(bytes(data))
        self.eval_fails("tiny.tbn", "damaged: the checksum of its data is ")

    def test_a_truncated_file_is_refused(self):
        self.path.write_bytes(self.path.read_bytes()[:-100])
        self.eval_fails("tiny.tbn", "truncated: ")

    def test_a_file_of_a_newer_tbn_is_refused_with_what_that_means(self):
        content = self.path.read_bytes()
        newer = re.sub(rb'"tbn.format":"1\.\d"', b'"tbn.format":"9.0"', content)
        self.assertNotEqual(content, newer)
        self.path.write_bytes(newer)
        self.eval_fails("tiny.tbn", "written by a newer tbn (format 9.0; this one reads up to 1.x); "
                                    "upgrade tbn, or ask for a file of format 1")

    def test_a_foreign_file_is_refused(self):
        (self.folder / "foreign.tbn").write_bytes(b"GGUF" + bytes(100))
        self.eval_fails("foreign.tbn", "not a safetensors file")
        (self.folder / "empty.tbn").write_bytes(b"")
        self.eval_fails("empty.tbn", "is empty")

    def test_a_checkpoint_named_as_a_packed_file_is_told_from_one(self):
        checkpoint = self.run_folder / "checkpoints" / "best.safetensors"
        (self.folder / "wrong.tbn").write_bytes(checkpoint.read_bytes())
        self.eval_fails("wrong.tbn", "is a plain safetensors file, perhaps a checkpoint, and no "
                                     "packed model; tbn-export makes .tbn files from checkpoints")

    def test_a_damaged_checkpoint_is_refused_by_resume(self):
        last = self.run_folder / "checkpoints" / "last.safetensors"
        last.write_bytes(last.read_bytes()[:-7])
        done = self.train("train.epochs=2", "--resume", code=3)
        self.assertTrue(done.stderr.startswith(
            "tbn-train: error: runs/tiny/checkpoints/last.safetensors: truncated: "), done.stderr)

    def test_a_folder_that_is_no_run_is_refused(self):
        self.fails(3, "'data' has no checkpoints/best.safetensors or checkpoints/last.safetensors; "
                      "is it a run directory of tbn-train?", "tbn-eval", "data")

    def test_images_that_do_not_fit_the_network_are_refused(self):
        cifar = self.folder / "cifar"
        cifar.mkdir()
        (cifar / "test_batch.bin").write_bytes(bytes(20 * 3073))
        for i in range(1, 6):
            (cifar / f"data_batch_{i}.bin").write_bytes(bytes(3073))
        self.fails(2, "tiny.tbn: the network takes [1, 28, 28], and the samples are [3, 32, 32]; name "
                      "the data set that it was trained on",
                   "tbn-eval", "tiny.tbn", "--data", "cifar10", "--root", "cifar")

    def test_verify_needs_a_packed_file(self):
        self.fails(2, "--verify replays the test vectors of a packed file (.tbn); 'runs/tiny' is a "
                      "training state", "tbn-eval", "runs/tiny", "--verify")

    def test_a_missing_file_is_named(self):
        self.fails(3, "nowhere.tbn: there is no such file", "tbn-eval", "nowhere.tbn")


class Machine(ToolTest):
    def test_a_loss_that_is_not_finite_ends_with_4_and_says_where_and_what_to_try(self):
        # Weight decay multiplies the weights by 1 - lr * decay, about -10,000, in each step.
        done = self.train(*FLOAT_SGD, "optim.lr=1000", "optim.weight_decay=10", code=4)
        self.assertRegex(done.stderr, r"^tbn-train: error: the loss is (not a number|infinite) at epoch 1, step \d+ "
                                      r"\(step \d+ of the run\) with lr [\d.]+; no checkpoint was "
                                      r"written yet; try a lower optim\.lr, a longer "
                                      r"schedule\.warmup_epochs or train\.clip_norm\n$")
        self.assertFalse((self.run_folder / "checkpoints" / "last.safetensors").exists())

    def test_divergence_after_good_epochs_names_the_checkpoint_that_stays(self):
        # lr * decay is below 1.3 in the first epoch, so that weights shrink, and 10 in the third.
        done = self.train(*FLOAT_SGD, "optim.lr=50", "optim.weight_decay=1", "train.epochs=10",
                          "schedule={type: one_cycle, start_factor: 0, peak_at: 1}", code=4)
        self.assertIn("the last good checkpoint is runs/tiny/checkpoints/last.safetensors",
                      done.stderr)
        metrics = self.call_json("tbn-eval", "runs/tiny/checkpoints/last.safetensors")["metrics"]
        self.assertGreater(metrics["top1"], 0)
        self.assertIsNotNone(json.dumps(metrics["loss"], allow_nan=False))

    def test_a_full_disk_ends_with_1_and_leaves_the_last_good_checkpoint(self):
        self.train("train.epochs=1")
        last = self.run_folder / "checkpoints" / "last.safetensors"
        best = self.run_folder / "checkpoints" / "best.safetensors"
        good = last.read_bytes()
        best.unlink()  # so that the next one must be written
        limit = len(good) // 2

        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        command = self.command("tbn-train", "--config", "tiny.yaml", "train.epochs=2", "--resume")
        done = subprocess.run(command, cwd=self.folder, text=True, capture_output=True,
                              preexec_fn=small_files, timeout=120)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, r"^tbn-train: error: cannot write 'runs/tiny/checkpoints/"
                                      r"(last|best)\.safetensors': File too large; raise the limit on "
                                      r"file sizes \(ulimit -f\), or write to another disk"
                                      r"( \(the old file is unchanged\))?\n$")
        self.assertEqual(good, last.read_bytes())
        leftovers = [p.name for p in last.parent.iterdir() if ".tmp." in p.name]
        self.assertEqual(leftovers, [])
        self.train("train.epochs=2", "--resume")

    def test_a_limit_on_the_sizes_of_files_ends_every_tool_with_1(self):
        self.train("train.epochs=1")
        self.call("tbn-export", "runs/tiny", "-o", "tiny.tbn")

        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))

        for tool, *rest in (("tbn-export", "tiny.tbn", "-o", "other.tbn"),
                            ("tbn-export", "tiny.tbn", "--format", "c", "--form", "f32", "-o", "c"),
                            ("tbn-eval", "tiny.tbn", "--predictions", "out.csv")):
            done = subprocess.run(self.command(tool, *rest), cwd=self.folder, text=True,
                                  capture_output=True, preexec_fn=small_files, timeout=120)
            self.assertEqual(done.returncode, 1, (tool, rest, done.stderr))
            self.assertRegex(done.stderr, rf"{tool}: error: [^\n]*File too large[^\n]*\n$")
        self.assertEqual([p.name for p in self.folder.rglob("*.tmp.*")], [])

    def test_a_folder_that_cannot_be_made_is_named(self):
        (self.folder / "runs").write_text("a file")
        self.fails(1, "cannot prepare the run directory 'runs/tiny': Not a directory; choose another "
                      "place with output=...", "tbn-train", "--config", "tiny.yaml")


if __name__ == "__main__":
    main()
