"""Options and settings that would do nothing are refused in a sentence, strings of the command line are
taken as they were typed, and what is not finite ends with 4."""

import json
import os
import re
import struct

from tools_support import ROOT, ToolTest, main, read_safetensors_header

PACKED = ROOT / "models" / "pretrained" / "mnist_cnn_p4.tbn"


# Of each way through a tool: the arguments that choose it, how it is called in messages, and every
# option of the tool that it does not look at.
STATE = "a training state, which LibTorch runs"
FILE = "a packed file on the cpu"
IGNORED = [
    ("tbn-train", ["--config", "tiny.yaml", "--print-config"], "--print-config",
     [["--resume"], ["--overwrite"], ["--dry-run"], ["--validate"], ["--json"], ["--quiet"]]),
    ("tbn-train", ["--config", "tiny.yaml", "--validate"], "--validate",
     [["--resume"], ["--overwrite"], ["--dry-run"], ["--quiet"]]),
    ("tbn-train", ["--config", "tiny.yaml", "--dry-run"], "--dry-run, which touches no run",
     [["--resume"], ["--overwrite"], ["--quiet"]]),
    ("tbn-eval", ["run"], STATE, [["--backend", "int8"], ["--backend", "exact"], ["--kernel", "gemv"]]),
    ("tbn-eval", [PACKED], FILE, [["--kernel", "gemv"]]),
    ("tbn-eval", [PACKED, "--device", "cuda"], "a packed file on cuda",
     [["--backend", "int8"], ["--threads", "2"]]),
    ("tbn-eval", [PACKED, "--verify"], "--verify on the cpu",
     [["--split", "test"], ["--data", "mnist"], ["--root", "data"], ["--batch-size", "5"],
      ["--predictions", "p.txt"], ["--per-class"], ["--kernel", "gemv"]]),
    ("tbn-eval", [PACKED, "--verify", "--device", "cuda"], "--verify on cuda",
     [["--backend", "int8"], ["--threads", "2"], ["--split", "test"]]),
    *[("tbn-export", [*way, "-o", "x.tbn", *more], "a packed file, but for --format c",
       [["--form", "f32"], ["--name", "x"], ["--max-flash", "1"], ["--max-ram", "1"]])
      for way in ([PACKED], ["run"]) for more in ([], ["--calibrate", "8"])],
    ("tbn-export", [PACKED, "-o", "x.tbn"], "a packed file without --calibrate",
     [["--data", "mnist"], ["--root", "data"]]),
    ("tbn-export", [PACKED, "-o", "x", "--format", "c"], "--format c",
     [["--verify", "2"], ["--prepare-for", "portable"]]),
    ("tbn-export", [PACKED, "-o", "x", "--format", "c", "--form", "f32"],
     "--form f32, which no data are looked at for",
     [["--verify", "2"], ["--calibrate", "8"], ["--data", "mnist"], ["--root", "data"]]),
    ("tbn-inspect", [PACKED, "--graph"], "--graph, which prints text", [["--json"]]),
    ("tbn-runs", ["list"], "list", [["--by", "weights.p"], ["--all"], ["--dry-run"]]),
    ("tbn-runs", ["show", "runs/x"], "show", [["--by", "weights.p"], ["--all"], ["--dry-run"], ["--format", "md"]]),
    ("tbn-runs", ["compare", "runs"], "compare", [["--by", "weights.p"], ["--dry-run"]]),
    ("tbn-runs", ["table"], "table", [["--all"], ["--dry-run"]]),
    ("tbn-runs", ["sweep", "tiny.yaml"], "sweep", [["--by", "weights.p"], ["--all"]]),
    ("tbn-bench", ["layers"], "layers",
     [["--config", "tiny.yaml"], ["--seconds", "1"], ["--batch", "2"], ["--profile"],
      ["--precision", "fp16"], ["--kernel", "gemv"]]),
    ("tbn-bench", ["data", "--config", "tiny.yaml"], "data",
     [["--rounds", "1"], ["--threads", "2"], ["--backend", "int8"], ["--batch", "2"], ["--profile"],
      ["--precision", "fp16"], ["--kernel", "gemv"], ["--rows", "1"], ["--size", "4x4"],
      ["--conv", "1x4x4x4k1s1"], ["-p", "4"]]),
    ("tbn-bench", ["train", "--config", "tiny.yaml"], "train",
     [["--seconds", "1"], ["--threads", "2"], ["--backend", "int8"], ["--batch", "2"],
      ["--precision", "fp16"], ["--kernel", "gemv"], ["--rows", "1"]]),
    ("tbn-bench", ["infer", "--config", "tiny.yaml"], "infer on the cpu",
     [["--seconds", "1"], ["--precision", "bf16"], ["--kernel", "gemv"], ["--rows", "1"], ["-p", "4"]]),
    ("tbn-search", ["--config", "tiny.yaml", "--dry-run"], "--dry-run", [["--output", "f.yaml"], ["--twin"]]),
    ("tbn-search", ["--config", "tiny.yaml", "--twin"], "--twin",
     [["--p", "2"], ["--levels", "4"], ["--rows", "2"], ["--fix", "classifier"], ["--method", "rule"], ["--resume"]]),
    ("tbn-search", ["--config", "tiny.yaml", "--choices", "4/1"], "--choices",
     [["--bytes", "9k"], ["--method", "rule"], ["--epochs", "2"], ["--resume"]]),
    ("tbn-search", ["--config", "tiny.yaml", "--method", "rule"], "--method rule",
     [["--epochs", "2"], ["--near", "2"], ["--recalibrate", "2"], ["--population", "2"], ["--generations", "2"],
      ["--resume"]]),
    ("tbn-search", ["--config", "tiny.yaml", "--method", "sensitivity"], "--method sensitivity",
     [["--near", "2"], ["--recalibrate", "2"], ["--population", "2"], ["--generations", "2"]]),
    ("tbn-bench", [PACKED], "a .tbn file on the cpu",
     [["--config", "tiny.yaml"], ["--seconds", "1"], ["--threads", "2"], ["--batch", "2"],
      ["--precision", "bf16"], ["--kernel", "gemv"], ["--rows", "1"]]),
]
# Those that take no settings.
NO_SETTINGS = ["--verify on the cpu", "a packed file without --calibrate", "--graph, which prints text",
               "layers", "a .tbn file on the cpu"]


class Ignored(ToolTest):
    def setUp(self):
        super().setUp()
        (self.folder / "run").mkdir()  # told from a packed file by being a folder

    def test_an_option_that_does_nothing_is_refused_in_every_way_through_every_tool(self):
        for tool, way, purpose, options in IGNORED:
            for option in options:
                with self.subTest(tool=tool, way=way, option=option):
                    name = "--" + option[0].lstrip("-")
                    self.fails(2, f"{name} does nothing for {purpose}; leave it out; see {tool} --help",
                               tool, *way, *option)
                    self.assertFalse((self.folder / "x.tbn").exists())

    def test_a_setting_that_does_nothing_is_refused(self):
        for tool, way, purpose, _ in IGNORED:
            if purpose not in NO_SETTINGS:
                continue
            with self.subTest(tool=tool, way=way):
                done = self.call(tool, *way, "data.root=x", code=2)
                self.assertIn("'data.root=x' is a setting, which does nothing for " + purpose, done.stderr)
        self.call("tbn-inspect", PACKED, "a=b", code=2)

    def test_a_file_that_reads_as_a_setting_is_told_so(self):
        self.fails(2, "which .tbn file? 'a=b.tbn' reads as a setting; a file of that name is written with ./ "
                      "before it; see tbn-inspect --help", "tbn-inspect", "a=b.tbn")

    def test_data_that_would_not_be_read_for_ranges_that_are_there_are_refused(self):
        done = self.call("tbn-export", PACKED, "--format", "c", "-o", "x", "--root", "data", code=2)
        self.assertIn("carries ranges already, so that no data are read", done.stderr)

    def test_what_is_about_text_is_refused_beside_json(self):
        for option in ("--per-class", "--quiet"):
            done = self.call("tbn-eval", PACKED, option, "--json", code=2)
            self.assertIn(f"{option} is about text, and --json prints none", done.stderr)
        done = self.call("tbn-export", PACKED, "-o", "x.tbn", "--quiet", "--json", code=2)
        self.assertIn("--quiet is about text", done.stderr)

    def test_tools_with_nothing_to_leave_out_have_no_quiet(self):
        for tool in ("tbn-inspect", "tbn-bench", "tbn-search"):
            self.assertIn("unknown option", self.call(tool, PACKED, "--quiet", code=2).stderr)

    def test_quiet_prints_the_result_alone(self):
        trained = self.train("train.epochs=1", "-q").stdout
        self.assertRegex(trained, r"^runs/tiny: test top-1 [\d.]+ %.*\n$")
        self.assertRegex(self.call("tbn-eval", "runs/tiny", "-q").stdout, r"^top-1 [\d.]+ %, .*\n$")
        self.assertEqual(self.call("tbn-export", "runs/tiny", "-o", "t.tbn", "-q").stdout, "")
        self.assertEqual(self.call("tbn-eval", "t.tbn", "--verify", "-q").stdout, "")


# Every option of every tool that has a value, with two of them.
SCALARS = {
    "tbn-train": (["tiny.yaml", "--dry-run"], {"config": ("tiny.yaml", "other.yaml"), "resume": ("best", "auto")}),
    "tbn-eval": ([PACKED], {
        "max-memory": "12", "max-operations": "12", "split": ("test", "train"), "data": ("mnist", "cifar10"),
        "root": "ab", "device": ("cpu", "auto"), "precision": ("fp32", "bf16"), "kernel": "ab", "threads": "12",
        "backend": ("exact", "int8"), "batch-size": "12", "predictions": "ab", "match": ("names", "places")}),
    "tbn-export": ([PACKED], {
        "output": ("x.tbn", "y.tbn"), "verify": "12", "prepare": ("exact", "int8"), "prepare-for": "ab",
        "max-memory": "12", "max-operations": "12", "units": ("original", "standardised"), "rule": ("full", "use"),
        "format": ("tbn", "c"), "form": ("int8", "f32"), "name": "ab", "calibrate": "12", "max-flash": "12",
        "max-ram": "12", "data": ("mnist", "cifar10"), "root": "ab", "match": ("names", "places"),
        "scalars": ("f16", "f32"), "layout": ("compact", "plain")}),
    "tbn-inspect": ([PACKED], {"max-memory": "12", "max-operations": "12"}),
    "tbn-predict": ([PACKED, "x.npy"], {
        "top": "12", "format": ("csv", "jsonl"), "category": "ab", "batch-size": "12", "device": ("cpu", "auto"),
        "precision": ("fp32", "bf16"), "kernel": "ab", "threads": "12", "backend": ("exact", "int8"),
        "max-memory": "12", "max-operations": "12"}),
    "tbn-runs": (["table"], {"format": ("csv", "md"), "by": ("weights.p", "train.seed"), "sort": ("test", "date")}),
    "tbn-bench": (["layers"], {
        "config": "ab", "seconds": "12", "rounds": "12", "threads": "12", "backend": ("exact", "int8"), "batch": "12",
        "device": ("cpu", "cuda"), "precision": ("fp16", "bf16"), "kernel": "ab", "rows": "12",
        "size": ("1x1", "2x2"), "conv": ("1x4x4x4k1s1", "2x4x4x4k1s1"), "p": "12"}),
    "tbn-search": (["--dry-run"], {
        "config": ("tiny.yaml", "other.yaml"), "output": ("x.yaml", "y.yaml"), "bytes": ("48k", "4k"), "bits": "12",
        "macs": "12", "ram": "12", "flash": "12", "p": ("2", "4"), "levels": ("4", "8"), "rows": "12",
        "fix": ("a", "b"), "method": ("rule", "supernet"), "epochs": "12", "near": "12", "recalibrate": "12",
        "population": "12", "generations": "12", "choices": ("1/2", "2/2")}),
}


class Twice(ToolTest):
    train_images = 0

    def test_of_two_values_of_an_option_none_is_silently_left_out(self):
        for tool, (arguments, options) in SCALARS.items():
            listed = set(re.findall(r"(?:--|^ +-)(\w[\w-]*)\s+(?:<|\[=|how)", self.call(tool, "--help").stdout, re.M))
            self.assertEqual(listed | set(options), set(options), f"{tool}: the table lacks an option")
            for name, (one, other) in options.items():
                with self.subTest(tool=tool, option=name):
                    first, second = f"--{name}={one}", f"--{name}={other}"
                    self.fails(2, f"--{name} is given as '{one}' and as '{other}'; give one of them; see {tool} --help",
                               tool, *arguments, first, second)
            self.assertIn(tool, self.call(tool, *arguments, first, first, "--version").stdout)  # says nothing twice
        self.fails(2, "--output is given as 'x.tbn' and as 'y.tbn'; give one of them; see tbn-export --help",
                   "tbn-export", PACKED, "-o", "x.tbn", "--output", "y.tbn")
        self.fails(2, "--config is given as 'a' and as 'b'; give one of them; see tbn-train --help",
                   "tbn-train", "-c", "a", "-c", "b")

    def test_of_two_values_of_a_setting_none_is_either(self):
        for tool in (["tbn-train", "--config", "tiny.yaml", "--dry-run"], ["tbn-bench", "train", "--config", "tiny.yaml"]):
            self.fails(2, "command line: optim.lr: is given by 'optim.lr=1' and by 'optim.lr=2'; give one of them",
                       *tool, "optim.lr=1", "optim.lr=2")
        for tool in (["tbn-eval", PACKED], ["tbn-export", PACKED, "-o", "x.tbn", "--calibrate", "9"]):
            self.fails(2, "command line: data.root: is given by 'data.root=a' and by 'data.root=b'; give one of them",
                       *tool, "data.root=a", "data.root=b")


class IdleSettings(ToolTest):
    """Settings that do nothing for the data, the network or the tool. That the table says so of every
    key is tested in tests/unit/config_idle.cpp; here that every tool goes by it."""

    def refused(self, words, tool, *arguments):
        done = self.call(tool, *arguments, code=2)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(words, done.stderr)

    def test_training_refuses_settings_of_other_data(self):
        for setting in ("data.points.count=64", "data.series.window=24", "data.image_size=32",
                        "train.orthogonal_penalty=1", "data.on_error=skip"):
            for way in ([], ["--dry-run"], ["--validate"], ["--print-config"]):
                self.refused(f"command line: {setting.split('=')[0]}: is for ", "tbn-train", "--config",
                             "tiny.yaml", setting, *way)
        etth1 = ["data.name=etth1", "data.root=", "model.type=dlinear", "weights.rules=[]", "optim.groups=[]"]
        self.refused("train.label_smoothing: is for data with classes and does nothing for 'etth1' (a series); "
                     "leave it out", "tbn-train", "--config", "tiny.yaml", *etth1,
                     "train.label_smoothing=0.1", "--dry-run")
        self.refused("model.hidden: unknown key", "tbn-train", "--config", "tiny.yaml", *etth1,
                     "model.hidden=[3]", "--dry-run")
        self.assertFalse(self.run_folder.exists())

    def test_a_file_of_the_users_says_where_it_says_something_for_other_data(self):
        (self.folder / "mine.yaml").write_text("base: tiny.yaml\ndata:\n  series: {window: 24}\n")
        self.refused("mine.yaml:3:20: data.series.window: is for series and does nothing for 'fashion_mnist' "
                     "(images in memory); leave it out", "tbn-train", "--config", "mine.yaml", "--validate")
        (self.folder / "mine.yaml").write_text("base: flip.yaml\ndata: {name: etth1}\nmodel: {type: dlinear}\n")
        (self.folder / "flip.yaml").write_text("data: {flip: true}\n")
        printed = self.call("tbn-train", "--config", "mine.yaml", "--print-config").stdout
        self.assertIn("  flip: false\n", printed)
        (self.folder / "again.yaml").write_text(printed)
        self.assertEqual(printed, self.call("tbn-train", "--config", "again.yaml", "--print-config").stdout)

    def test_evaluation_export_and_timing_refuse_what_they_do_not_look_at(self):
        self.train("train.epochs=1")
        self.call("tbn-export", "runs/tiny", "-o", "t.tbn")
        trained = "does nothing for a network that is trained already"
        for what in ("runs/tiny", "t.tbn"):
            for setting in ("optim.lr=3", "train.epochs=2", "data.flip=true", "model.norm=false", "weights.p=2",
                            "name=x", "data.normalize=false", "schedule.type=constant"):
                self.refused(trained, "tbn-eval", what, setting)
            self.refused("does nothing for the test split", "tbn-eval", what, "data.validation=3")
            self.refused("data.image_size: is for folders", "tbn-eval", what, "data.image_size=32")
            self.refused("does nothing for the validation split", "tbn-eval", what, "data.test_limit=9",
                         "--split", "validation")
            self.refused("--root and data.root= say the same", "tbn-eval", what, "--root", "data", "data.root=data")
            self.assertEqual(self.call_json("tbn-eval", what, "data.test_limit=50")["metrics"]["images"], 50)
            self.refused("is for forecasts of series, and", "tbn-export", what, "-o", "x.tbn", "--units",
                         "standardised")
        for given in (["--root", "data"], ["--data", "mnist"], ["--match", "places"], ["data.root=data"],
                      ["optim.lr=3"]):
            self.refused("does nothing here: no data are read", "tbn-export", "runs/tiny", "-o", "x.tbn", *given)
        for subject, setting in (("data", "optim.lr=3"), ("data", "model.norm=false"), ("train", "data.flip=true"),
                                 ("train", "train.epochs=3"), ("infer", "optim.lr=3"), ("infer", "data.flip=true")):
            self.refused(f"does nothing for tbn-bench {subject}", "tbn-bench", subject, "--config", "tiny.yaml",
                         setting)
        self.assertFalse((self.folder / "x.tbn").exists())

    def test_evaluation_says_how_inputs_were_made(self):
        self.train("train.epochs=1")
        self.assertIn("\ninput: image, as they are stored\n", self.call("tbn-eval", "runs/tiny").stdout)
        self.assertEqual(self.call_json("tbn-eval", "runs/tiny")["input"], "input: image, as they are stored")


class AsTyped(ToolTest):
    def test_a_folder_with_a_number_sign_is_the_one_that_is_read(self):
        # "data" holds other images than "data #2": a name that is cut would read it, in silence.
        (self.folder / "data").rename(self.folder / "data #2")
        (self.folder / "data").mkdir()
        self.train("train.epochs=1", "data.root=data #2", "name=good #2")
        self.assertTrue((self.folder / "runs" / "good #2" / "config.yaml").exists())
        self.assertFalse((self.folder / "runs" / "good").exists())
        self.call("tbn-export", "runs/good #2", "-o", "g.tbn")
        for what in ("runs/good #2", "g.tbn"):
            for root in (["--root", "data #2"], ["data.root=data #2"]):
                self.assertGreater(self.call_json("tbn-eval", what, *root)["metrics"]["images"], 0)
            self.assertIn("'data ", self.call("tbn-eval", what, "--root", "data ", code=3).stderr)

    def test_overwriting_one_run_leaves_the_other(self):
        self.train("train.epochs=1", "name=good")
        kept = (self.folder / "runs" / "good" / "metrics.csv").read_bytes()
        self.train("train.epochs=2", "name=good #2", "--overwrite")
        self.assertEqual(kept, (self.folder / "runs" / "good" / "metrics.csv").read_bytes())

    def test_a_pipe_as_a_configuration_is_refused_and_does_not_wait(self):
        os.mkfifo(self.folder / "pipe.yaml")
        self.fails(2, "pipe.yaml: is no regular file; a pipe is read as /dev/stdin",
                   "tbn-train", "--config", "pipe.yaml", "--validate")
        with open(self.folder / "tiny.yaml") as file:
            self.call("tbn-train", "--config", "/dev/stdin", "--validate", stdin=file)

    def test_pipes_in_place_of_models_are_refused(self):
        os.mkfifo(self.folder / "pipe.tbn")
        os.mkfifo(self.folder / "pipe.safetensors")
        for tool, arguments in (("tbn-eval", []), ("tbn-export", ["-o", "x.tbn"])):
            for name in ("pipe.tbn", "pipe.safetensors"):
                done = self.call(tool, name, *arguments, code=3)
                self.assertIn("is not a regular file", done.stderr)
        self.call("tbn-inspect", "pipe.tbn", code=3)


def with_value(path, tensor, value):
    """Puts a float over the first element of a tensor in a safetensors file, and takes its checksums out,
    as files of older versions have none."""
    content = bytearray(path.read_bytes())
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    begin = 8 + length + header[tensor]["data_offsets"][0]
    content[begin:begin + 4] = struct.pack("<f", value)
    for key in [key for key in header["__metadata__"] if "crc" in key]:
        del header["__metadata__"][key]
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length:])


class NotFinite(ToolTest):
    def test_weights_that_are_no_numbers_end_evaluation_and_export_with_4(self):
        self.train("train.epochs=1")
        checkpoint = self.run_folder / "checkpoints" / "best.safetensors"
        header = read_safetensors_header(checkpoint)
        good = checkpoint.read_bytes()
        for tensor in ("model/classifier.bias", "model/norm1.running_var", "model/linear1.latent"):
            for value in (float("nan"), float("inf")):
                with self.subTest(tensor=tensor, value=value):
                    self.assertIn(tensor, header)
                    checkpoint.write_bytes(good)
                    with_value(checkpoint, tensor, value)
                    for tool, arguments in (("tbn-eval", []), ("tbn-export", ["-o", "x.tbn"])):
                        done = self.call(tool, checkpoint, *arguments, code=4)
                        self.assertEqual(done.stdout, "")
                        self.assertEqual(done.stderr.count("\n"), 1)
                        self.assertIn(f"'{tensor[6:]}' holds {value}", done.stderr)
        self.assertFalse((self.folder / "x.tbn").exists())

    def test_a_training_that_would_begin_with_what_is_no_number_ends_with_4(self):
        self.train("train.epochs=1")
        best, last = (self.run_folder / "checkpoints" / f"{name}.safetensors" for name in ("best", "last"))
        good = best.read_bytes(), last.read_bytes()
        new = ["name=new", "train.epochs=1"]
        for path, tensor, settings in (
                (best, "model/classifier.bias", [*new, "init.from=runs/tiny"]),
                (best, "model/classifier.bias", [*new, "teacher.from=runs/tiny"]),
                (last, "model/norm1.running_var", ["train.epochs=2", "--resume"]),
                (last, "optim/classifier.bias/momentum", ["train.epochs=2", "--resume"]),
                (best, "optim/classifier.bias/momentum", ["train.epochs=2", "--resume=best"])):
            for value in (float("nan"), float("inf")):
                with self.subTest(tensor=tensor, settings=settings, value=value):
                    best.write_bytes(good[0])
                    last.write_bytes(good[1])
                    with_value(path, tensor, value)
                    done = self.train(*settings, code=4)
                    self.assertEqual(done.stderr.count("\n"), 1)
                    self.assertIn(f"'{tensor.split('/', 1)[1]}' holds ", done.stderr)
                    self.assertIn(str(path.relative_to(self.folder)), done.stderr)
                    self.assertFalse((self.folder / "runs" / "new").exists())
        last.write_bytes(good[1])
        with_value(last, "optim/classifier.bias/momentum", float("nan"))
        best.write_bytes(good[0])
        self.assertIn("--resume=best goes back to best.safetensors",
                      self.train("train.epochs=2", "--resume", code=4).stderr)
        self.train("train.epochs=2", "--resume=best")


class Outputs(ToolTest):
    train_images = 0

    def test_a_packed_file_and_c_source_refuse_what_is_no_file_or_folder(self):
        os.mkfifo(self.folder / "pipe")
        (self.folder / "dangling").symlink_to("absent")
        (self.folder / "file").write_text("x")
        kinds = {"pipe": "is a pipe", "dangling": "is a symbolic link that leads nowhere",
                 "/dev/null": "is a device"}
        for form in ([], ["--format", "c", "--form", "f32"]):
            for path, kind in kinds.items():
                with self.subTest(form=form, path=path):
                    done = self.call("tbn-export", PACKED, "-o", path, *form, code=2)
                    self.assertIn(f"--output: '{path}' {kind}", done.stderr)
            self.fails(2, "--output: '-' is not the standard output, which is for text; name a file or "
                          "folder (./- is one of that name)", "tbn-export", PACKED, "-o", "-", *form)
            self.assertIn("cannot create the folder 'file/x",
                          self.call("tbn-export", PACKED, "-o", "file/x/y", *form, code=1).stderr)
            self.call("tbn-export", PACKED, "-o", f"made/{len(form)}/x", *form)
        for path in ("pipe", "dangling", "/dev/null", "-"):
            done = self.call("tbn-eval", PACKED, "--predictions", path, code=2)
            self.assertIn(f"--predictions: '{path}' is no regular file", done.stderr)
        self.call("tbn-export", PACKED, "-o", "./-")
        names = sorted(path.name for path in self.folder.iterdir())
        self.assertEqual(names, ["-", "dangling", "data", "file", "made", "pipe", "tiny.yaml"])


class Predictions(ToolTest):
    def test_classes_are_written_over_no_model_and_into_no_pipe(self):
        self.train("train.epochs=1")
        self.call("tbn-export", "runs/tiny", "-o", "tiny.tbn")
        (self.folder / "model").write_bytes((self.folder / "tiny.tbn").read_bytes())
        os.mkfifo(self.folder / "pipe")
        best = self.run_folder / "checkpoints" / "best.safetensors"
        before = best.read_bytes(), (self.folder / "model").read_bytes()
        config = self.run_folder / "config.yaml"
        recorded = config.read_bytes()
        for model, to in (("tiny.tbn", "tiny.tbn"), ("model", "model"), ("runs/tiny", best),
                          ("tiny.tbn", "other.tbn"), ("tiny.tbn", "pipe"), ("runs/tiny", config)):
            with self.subTest(model=model, to=to):
                done = self.call("tbn-eval", model, "--predictions", to, code=2)
                self.assertIn(f"--predictions: '{to}' is ", done.stderr)
        self.assertEqual(before, (best.read_bytes(), (self.folder / "model").read_bytes()))
        self.assertEqual(recorded, config.read_bytes())
        for _ in range(2):  # what was written so may be written again
            self.call("tbn-eval", "tiny.tbn", "--predictions", "p.txt")

    def test_packed_files_are_written_over_packed_files_alone(self):
        self.train("train.epochs=1")
        for text in ("years of work", "x", "0123456789"):
            (self.folder / "thesis").write_text(text)
            self.fails(2, "--output: 'thesis' is there and is no packed file, and tbn-export does not "
                          "write over it; choose another name", "tbn-export", "runs/tiny", "-o", "thesis")
            self.assertEqual((self.folder / "thesis").read_text(), text)
        (self.folder / "empty").touch()
        for name in ("empty", "empty", "new"):
            self.call("tbn-export", "runs/tiny", "-o", name)


if __name__ == "__main__":
    main()
