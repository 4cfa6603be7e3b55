"""tbn-runs: what it says of runs is what their folders say, and a sweep trains each of its runs once,
whatever happens to it on the way."""

import csv
import io
import json
import os
import pathlib
import resource
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

from run_support import RUN
from tools_support import CONFIG, CONV_SETTINGS, ToolTest, bin_folder, main, write_fashion_mnist

FORECAST = """\
name: flow
model: {type: dlinear, kernel: 5}
data: {name: csv, root: table.csv, series: {window: 24, horizon: 6}}
optim: {type: adam, lr: 3e-3}
train: {epochs: 2, batch_size: 32, max_steps: 8, device: cpu, threads: 1, deterministic: true}
"""
HOSTILE = "a\x1b[2J\u202eb"
COLUMNS = "epoch,step,train_loss,train_accuracy,val_loss,val_accuracy,lr,samples_per_s,seconds\n"


def row(epoch, loss="1", score="24"):
    return f"{epoch},{2 * int(epoch)},{loss},10,{loss},{score},0.1,100,1\n"


def little_memory():
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


class RunsTest(ToolTest):
    """Runs of a few images; two that are complete are trained once, and copied."""

    train_images = 200
    test_images = 50

    @classmethod
    def setUpClass(cls):
        cls.trained = pathlib.Path(tempfile.mkdtemp(prefix="tbn-e2e-"))
        cls.addClassCleanup(shutil.rmtree, cls.trained, ignore_errors=True)
        write_fashion_mnist(cls.trained / "data", cls.train_images, cls.test_images)
        (cls.trained / "tiny.yaml").write_text(CONFIG)
        (cls.trained / "flow.yaml").write_text(FORECAST)
        steps = [f"2016-07-01 {i // 60 % 24:02}:{i % 60:02}:00,{i % 7},{i % 11}" for i in range(700)]
        (cls.trained / "table.csv").write_text("\n".join(["date,a,b", *steps]) + "\n")
        for name in ("tiny", "flow"):
            subprocess.run([bin_folder() / "tbn-train", "--config", f"{name}.yaml"], cwd=cls.trained, check=True,
                           capture_output=True, timeout=600)

    def setUp(self):
        super().setUp()
        self.addCleanup(self.end_trainings)

    def end_trainings(self):
        """Those in this folder that a tool left behind."""
        for lock in self.folder.glob("**/lock"):
            process = lock.read_text().split()[:1] if lock.is_file() else []
            try:
                if process and os.readlink(f"/proc/{process[0]}/cwd") == str(self.folder.resolve()):
                    os.kill(int(process[0]), signal.SIGKILL)
            except OSError:
                pass

    def add(self, path, settings=None, source="tiny", **summary):
        """A complete run in a folder, in place of what is there: other settings ("p: 4" to "p: 2"), and
        other values of its summary."""
        folder = self.folder / path
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.trained / "runs" / source, folder)
        text = (folder / "config.yaml").read_text()
        for old, new in (settings or {}).items():
            self.assertIn(old, text)
            text = text.replace(old, new, 1)
        (folder / "config.yaml").write_text(text)
        content = json.loads((folder / "summary.json").read_text())
        (folder / "summary.json").write_text(json.dumps({**content, **summary}))
        return folder

    def add_stopped(self, path, rows, **options):
        folder = self.add(path, **options)
        (folder / "summary.json").unlink()
        (folder / "metrics.csv").write_text(COLUMNS + rows)
        return folder

    def runs(self, *arguments, code=0, **options):
        # Nothing here may wait, whatever lies in place of a file.
        done = subprocess.run(self.command("tbn-runs", *arguments), cwd=self.folder, text=True, capture_output=True,
                              timeout=options.pop("timeout", 120), **options)
        self.assertEqual(done.returncode, code, f"{arguments}\n{done.stdout}\n{done.stderr}")
        self.assertNotIn("\x1b", done.stdout + done.stderr)
        self.assertNotIn("\u202e", done.stdout + done.stderr)
        return done

    def json_of(self, *arguments, **options):
        return json.loads(self.runs(*arguments, "--json", **options).stdout)

    def refused(self, code, sentence, *arguments, **options):
        done = self.runs(*arguments, code=code, **options)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr, f"tbn-runs: error: {sentence}\n")

    def rows(self, *arguments, **options):
        """A table as its lines by column, by way of CSV."""
        return list(csv.DictReader(io.StringIO(self.runs(*arguments, "--format", "csv", **options).stdout)))

    def states(self, *arguments):
        return {run["folder"]: run["state"] for run in self.json_of("list", *arguments)["runs"]}

    def wait_for(self, path, process):
        while not path.exists():
            self.assertIsNone(process.poll())
            time.sleep(0.005)


class Listed(RunsTest):
    def test_the_states_of_runs(self):
        self.add("runs/done")
        self.train("train.epochs=4", "train.max_steps=5", "name=part")
        begun = self.add("runs/begun")
        for path in begun.iterdir():
            if path.name not in ("config.yaml", "environment.json"):
                path.unlink() if path.is_file() else shutil.rmtree(path)
        process = self.start(*RUN, *CONV_SETTINGS, "train.epochs=1000000", "name=long")
        self.addCleanup(process.kill)
        self.wait_for(self.folder / "runs/long/checkpoints/last.safetensors", process)
        # A training that its step limit ended has its summary.
        states = {"runs/begun": "begun", "runs/done": "complete", "runs/long": "training", "runs/part": "complete"}
        self.assertEqual(self.states(), states)
        process.kill()
        process.communicate(timeout=60)
        self.assertTrue((self.folder / "runs/long/lock").exists())
        self.assertEqual(self.states(), {**states, "runs/long": "stopped"})
        lines = self.rows("list")
        self.assertEqual([line["run"] for line in lines], sorted(states))
        epochs = {line["run"]: line["epochs"] for line in lines}
        self.assertEqual([epochs[f"runs/{name}"] for name in ("begun", "done", "part")], ["0/3", "3/3", "3/4"])

    def test_a_lock_that_no_process_holds_is_no_training(self):
        # The number of a process that was killed is another's by now.
        folder = self.add_stopped("runs/a", row(1))
        for text in (f"{os.getpid()} {os.uname().nodename}\n", "", "junk", "-1 x\n", f"{10 ** 30} x\n"):
            with self.subTest(text=text):
                (folder / "lock").write_text(text)
                self.assertEqual(self.states(), {"runs/a": "stopped"})

    def test_folders_in_folders(self):
        paths = ["runs/a/b/c/deep", "runs/tiny", "runs/z/one", "runs/z/two"]
        for path in paths:
            self.add(path)
        (self.folder / "runs" / "empty").mkdir()
        self.assertEqual(list(self.states()), paths)
        self.assertEqual(list(self.states("runs/z", "runs/tiny/")), ["runs/z/one", "runs/z/two", "runs/tiny/"])
        self.assertEqual([run["name"] for run in self.json_of("list", "runs/tiny/")["runs"]], ["tiny"])
        os.symlink(".", self.folder / "runs" / "loop")
        os.symlink("../..", self.folder / "runs" / "a" / "loop")
        self.assertEqual(list(self.states()), paths)

    def test_the_formats_of_a_list(self):
        self.add("runs/a_1")
        self.add("runs/b")
        text = self.runs("list").stdout.splitlines()
        self.assertEqual(text[0].split(), ["run", "state", "epochs", "validation", "test", "training", "begun"])
        self.assertEqual(len(text), 3)
        columns = self.runs("list", "--format", "md").stdout.splitlines()
        self.assertEqual(len({line.count("|") for line in columns}), 1)
        self.assertIn("runs/a\\_1", columns[2])
        self.assertEqual(self.rows("list")[0]["run"], "runs/a_1")
        latex = self.runs("list", "--format", "latex").stdout
        self.assertIn("runs/a\\_1 & complete & 3/3 & ", latex)
        self.assertNotIn(" %", latex)
        self.refused(2, "--format: 'html' is not one of text, md, csv, latex", "list", "--format", "html")
        self.refused(2, "--format is about text, and --json prints none", "list", "--json", "--format", "md")

    def test_no_runs(self):
        done = self.runs("list", code=3)
        self.assertEqual(len(done.stderr.splitlines()), 1)
        self.assertIn("tbn-runs: error: there is no folder 'runs' in ", done.stderr)
        (self.folder / "runs").mkdir()
        self.refused(3, "'runs' holds no runs", "list")
        self.refused(3, "'data' holds no runs", "table", "data")

    def test_damaged_runs_are_left_out_and_named(self):
        for seed, name in enumerate(("a", "b", "bad"), 1):
            self.add(f"runs/{name}", {"seed: 1\n  det": f"seed: {seed}\n  det"})
        bad = self.folder / "runs" / "bad" / "summary.json"
        bad.write_text("[1, 2]")
        for arguments in (["list"], ["compare", "runs"], ["table"]):
            with self.subTest(arguments=arguments):
                done = self.runs(*arguments)
                self.assertEqual(done.stderr, "note: 'runs/bad/summary.json': is no summary of a run; it is left out\n")
        self.assertEqual(list(self.states()), ["runs/a", "runs/b"])
        for command in ("list", "show", "table"):
            self.refused(3, "'runs/bad/summary.json': is no summary of a run", command, "runs/bad")

    def test_a_full_disk(self):
        self.add("runs/a")
        self.add("runs/b", {"seed: 1\n  det": "seed: 2\n  det"})
        for command in ("list", "list --json", "show runs/a", "show runs/a --json", "compare runs", "table"):
            with self.subTest(command=command), open("/dev/full", "w") as full:
                done = subprocess.run(self.command("tbn-runs", *command.split()), cwd=self.folder, stdout=full,
                                      stderr=subprocess.PIPE, text=True, timeout=60)
                self.assertEqual(done.returncode, 1)
                self.assertEqual(done.stderr, "tbn-runs: error: the standard output cannot be written (is the disk "
                                              "full?)\n")


class Shown(RunsTest):
    def test_a_run_is_what_its_files_say(self):
        folder = self.add("runs/tiny")
        summary = json.loads((folder / "summary.json").read_text())
        said = self.json_of("show", "runs/tiny")
        self.assertEqual((said["validation"], said["test"]), (summary["validation"]["top1"], summary["test"]["top1"]))
        for key in ("bytes", "bits_per_weight", "macs", "weights", "train_seconds"):
            self.assertEqual(said[key], summary[key])
        rows = list(csv.DictReader(io.StringIO((folder / "metrics.csv").read_text())))
        self.assertEqual(len(rows), 3)
        self.assertEqual(said["curve"], [{"epoch": int(each["epoch"]), "train_loss": float(each["train_loss"]),
                                          "val_loss": float(each["val_loss"]),
                                          "val_score": float(each["val_accuracy"])} for each in rows])
        text = self.runs("show", "runs/tiny").stdout
        self.assertIn(f"test accuracy        {summary['test']['top1']:.2f} %\n", text)
        self.assertIn("state                complete, 3 of 3 epochs\n", text)
        self.assertEqual([line.split("  ")[0] for line in text.splitlines() if "\u2581" in line],
                         ["training loss", "validation loss", "validation accuracy"])

    def test_settings_that_differ_from_the_defaults(self):
        self.add("runs/tiny")
        settings = self.json_of("show", "runs/tiny")["settings"]
        for key, part in (("weights.rules", "match: [classifier], encoding: binary"),
                          ("optim.groups", "match: [latents], type: adam, lr: 0.03")):
            self.assertIn(part, settings.pop(key))
        # Of an mlp, biases and no dropout are the defaults.
        self.assertEqual(settings, {
            "name": "tiny", "model.type": "mlp", "model.hidden": "[64]", "model.norm": "true", "data.root": "data",
            "data.validation": "100", "optim.lr": "0.05", "train.epochs": "3", "train.batch_size": "50",
            "train.deterministic": "true", "train.device": "cpu", "train.threads": "1"})

    def test_runs_of_other_kinds(self):
        with self.subTest(what="no validation"):
            self.train("data.validation=0", "train.epochs=2")
            said = self.json_of("show", "runs/tiny")
            summary = json.loads((self.run_folder / "summary.json").read_text())
            self.assertNotIn("validation", said)
            self.assertEqual(said["test"], summary["test"]["top1"])
            self.assertEqual([set(each) for each in said["curve"]], [{"epoch", "train_loss"}] * 2)
            self.assertNotIn("validation", self.runs("show", "runs/tiny").stdout.split("settings that")[0])
        with self.subTest(what="one epoch"):
            self.train("train.epochs=1", "--overwrite")
            self.assertEqual(len(self.json_of("show", "runs/tiny")["curve"]), 1)
            self.assertIn("complete, 1 of 1 epochs", self.runs("show", "runs/tiny").stdout)
        with self.subTest(what="a forecast"):
            summary = json.loads((self.add("runs/flow", source="flow") / "summary.json").read_text())
            said = self.json_of("show", "runs/flow")
            self.assertEqual((said["measure"], said["test"]), ("mse", summary["test"]["mse"]))
            self.assertIn(f"test mse           {summary['test']['mse']:.4f}\n".split()[2],
                          self.runs("show", "runs/flow").stdout)
            self.assertNotIn(" %", self.runs("list", "runs/flow").stdout)
        self.refused(2, "show: name one run's folder", "show", "runs/tiny", "runs/flow")
        self.refused(3, "'runs' is no run's folder", "show", "runs")


class Compared(RunsTest):
    def test_only_what_differs(self):
        self.add("runs/a")
        self.add("runs/b", {"  lr: 0.05": "  lr: 0.1", "device: cpu\n": "device: cuda\n",
                            "      lr: 0.03": "      lr: 0.5", "max_steps": "max_stept"})
        first, second = self.json_of("compare", "runs/a", "runs/b")["runs"]
        self.assertEqual(list(first["settings"]), ["optim.lr", "optim.groups", "train.max_steps", "train.max_stept"])
        self.assertEqual((first["settings"]["optim.lr"], second["settings"]["optim.lr"]), ("0.05", "0.1"))
        self.assertIn("lr: 0.5", second["settings"]["optim.groups"])
        self.assertEqual((first["settings"]["train.max_stept"], second["settings"]["train.max_stept"]), ("", "0"))
        every = self.json_of("compare", "--all", "runs")["runs"][1]["settings"]
        self.assertEqual(every["train.device"], "cuda")
        # A few runs stand side by side, and one per line elsewhere.
        turned = [line.split()[0] for line in self.runs("compare", "runs").stdout.splitlines()]
        self.assertEqual(turned, ["run", *first["settings"], "state", "validation", "test"])
        lines = self.rows("compare", "runs")
        self.assertEqual([line["run"] for line in lines], ["a", "b"])
        self.assertEqual([line["optim.lr"] for line in lines], ["0.05", "0.1"])

    def test_one_run_is_no_comparison(self):
        self.add("runs/a")
        self.refused(2, "compare: name two runs or more, or a folder of them", "compare", "runs/a")
        self.add("runs/b")
        same = self.json_of("compare", "runs")["runs"]
        self.assertEqual([run["settings"] for run in same], [{}, {}])

    def test_runs_of_one_name_are_told_apart(self):
        self.add("old/tiny")
        self.add("new/tiny", {"  lr: 0.05": "  lr: 0.1"})
        names = [line["run"] for line in self.rows("compare", "old/tiny", "new/tiny")]
        self.assertEqual(len(set(names)), 2, names)


class Tables(RunsTest):
    def add_seeds(self):
        """Two settings of three seeds, the smaller p last, and their summaries by p."""
        scores = {"4": [91.25, 92.5, 90.125], "2": [95.0, 94.0, 96.5]}
        found = {}
        for p, values in scores.items():
            for seed, value in enumerate(values, 1):
                settings = {"  p: 4": f"  p: {p}", "seed: 1\n  det": f"seed: {seed}\n  det"}
                folder = self.add(f"runs/{'ab'[p == '2']}{seed}", settings, test={"top1": value},
                                  validation={"top1": value + 1}, bytes=1000 * seed, train_seconds=100.0 + seed)
                found.setdefault(p, []).append(json.loads((folder / "summary.json").read_text()))
        return found

    def test_means_and_deviations(self):
        found = self.add_seeds()
        for arguments in (["table", "--by", "weights.p"], ["table"], ["table", "runs", "--by=weights.p"]):
            with self.subTest(arguments=arguments):
                lines = self.rows(*arguments)
                self.assertEqual([line["weights.p"] for line in lines], ["4", "2"])
                for line in lines:
                    summaries = found[line["weights.p"]]
                    for split in ("validation", "test"):
                        values = [summary[split]["top1"] for summary in summaries]
                        self.assertAlmostEqual(float(line[f"{split}_accuracy"]), statistics.mean(values), 7)
                        self.assertAlmostEqual(float(line[f"{split}_accuracy_deviation"]), statistics.stdev(values), 7)
                    self.assertEqual((line["runs"], line["complete"]), ("3", "3"))
                    self.assertEqual(line["train_seconds"], "102")
                    self.assertAlmostEqual(float(line["bits_per_weight"]), summaries[0]["bits_per_weight"], 9)
                    self.assertEqual(line["bytes"], "2000")
        values = [summary["test"]["top1"] for summary in found["4"]]
        text = self.runs("table", "--by", "weights.p").stdout.splitlines()
        self.assertIn(f"{statistics.mean(values):.2f} \u00b1 {statistics.stdev(values):.2f}", text[1])
        self.assertRegex(text[1], r" 102$")
        by_seed = self.rows("table", "--by", "train.seed,weights.p")
        self.assertEqual([(line["train.seed"], line["weights.p"]) for line in by_seed],
                         [(str(s), p) for p in "42" for s in (1, 2, 3)])
        self.assertEqual((by_seed[0]["test_accuracy"], by_seed[0]["test_accuracy_deviation"]), ("91.25", ""))
        rows = self.json_of("table", "--by", "weights.p")["rows"]
        self.assertEqual([each["weights.p"] for each in rows], ["4", "2"])
        self.assertEqual(rows[0]["runs"], 3)
        self.assertAlmostEqual(rows[0]["test_accuracy"], statistics.mean(values), 7)

    def test_the_same_run_again_counts_once_and_is_noted(self):
        self.add_seeds()
        self.add("runs/again", test={"top1": 10.0})
        done = self.runs("table", "--by", "weights.p", "--format", "csv")
        self.assertEqual(done.stderr, "note: 'runs/again' has the settings of another run and is not counted\n")
        self.assertEqual([line["runs"] for line in csv.DictReader(io.StringIO(done.stdout))], ["3", "3"])

    def test_rows_that_mix_other_settings_are_noted(self):
        self.add_seeds()
        self.assertEqual(self.runs("table", "--by", "data.name").stderr,
                         "note: runs of a row differ in weights.p as well; name it in --by to have rows apart\n")
        self.assertEqual(self.runs("table", "--by", "data.name,weights.p").stderr, "")

    def test_the_best_run_comes_first(self):
        self.add_seeds()
        best = [line["run"] for line in self.rows("list", "--sort", "test")]
        self.assertEqual(best, [f"runs/{name}" for name in ("b3", "b1", "b2", "a2", "a1", "a3")])
        self.refused(2, "--sort: 'size' is not one of validation, test, date", "list", "--sort", "size")

    def test_what_is_not_complete_counts_in_no_figure(self):
        found = self.add_seeds()
        (self.folder / "runs/a2/summary.json").unlink()
        line = self.rows("table", "--by", "weights.p")[0]
        values = [found["4"][i]["test"]["top1"] for i in (0, 2)]
        self.assertEqual((line["runs"], line["complete"]), ("3", "2"))
        self.assertAlmostEqual(float(line["test_accuracy"]), statistics.mean(values), 7)
        self.assertAlmostEqual(float(line["test_accuracy_deviation"]), statistics.stdev(values), 7)
        self.assertIn("2 of 3", self.runs("table", "--by", "weights.p").stdout)
        for name in ("a1", "a3"):
            (self.folder / f"runs/{name}/summary.json").unlink()
        line = self.rows("table", "--by", "weights.p")[0]
        self.assertEqual((line["complete"], line["test_accuracy"], line["bytes"]), ("0", "", ""))

    def test_numbers_of_a_csv_are_read_by_programs(self):
        self.add("runs/a", bytes=1234567, train_seconds=12345.0)
        line = self.rows("table", "--by", "weights.p")[0]
        self.assertEqual((line["bytes"], line["train_seconds"]), ("1234567", "12345"))

    def test_a_run_that_is_named_twice_counts_once(self):
        self.add_seeds()
        self.assertEqual([line["runs"] for line in self.rows("table", "runs", "runs/a1", "runs/", "--by", "weights.p")],
                         ["3", "3"])

    def test_keys_that_no_run_has(self):
        self.add("runs/a")
        self.refused(2, "--by: no run has the setting 'weights.pp' (did you mean 'weights.p'?)", "table", "--by",
                     "weights.pp")
        self.refused(2, "--by: a setting between commas is missing", "table", "--by", "weights.p,")

    def test_what_a_format_gives_a_meaning_is_escaped(self):
        for name, value in (("a", "[64]"), ("b", "[32, 16]"), ("c", "[8]")):
            self.add(f"runs/{name}", {"hidden: [64]": f"hidden: {value}",
                                      "  from: \"\"\n  share": f"  from: \"{name}|_%&x, \\\"y\\\"\"\n  share"})
        by = ["table", "--by", "model.hidden,init.from"]
        lines = self.rows(*by)
        self.assertEqual([line["model.hidden"] for line in lines], ["[64]", "[32, 16]", "[8]"])
        self.assertEqual(lines[0]["init.from"], "a|_%&x, \"y\"")
        marked = self.runs(*by, "--format", "md").stdout.splitlines()
        self.assertEqual({line.replace("\\|", "").count("|") for line in marked}, {9})
        self.assertIn("a\\|\\_%&x", marked[2])
        latex = self.runs(*by, "--format", "latex").stdout.splitlines()
        body = [line for line in latex if line.endswith(" \\\\")]
        self.assertEqual(len(body), 4)
        self.assertEqual({line.replace("\\&", "").count("&") for line in body}, {7})
        self.assertIn("init.from & runs", body[0])
        self.assertIn("a|\\_\\%\\&x", body[1])
        # Behind the end of a row, a bracket is the length of a skip.
        self.assertNotIn("\\\\\n[", "\n".join(latex))

    def test_measures_are_not_mixed(self):
        self.add("runs/b")
        self.add("runs/c", source="flow")
        sentence = "'runs/b' is measured by accuracy and 'runs/c' by mse; tabulate them apart"
        self.refused(3, sentence, "table")
        # One that has none yet is no reason to mix the others.
        self.add_stopped("runs/a", "")
        (self.folder / "runs/a/metrics.csv").unlink()
        self.refused(3, sentence, "table", "--by", "weights.p")
        self.assertEqual(self.runs("table", "runs/c").stdout.count("%"), 0)


class Sweeps(RunsTest):
    def sweep(self, *arguments, **options):
        return self.runs("sweep", "tiny.yaml", *arguments, **options)

    def names(self):
        return sorted(path.name for path in (self.folder / "runs").iterdir())

    def started(self, name):
        """When the run was trained."""
        folder = self.folder / "runs" / name
        return [(folder / file).read_bytes()
                for file in ("metrics.csv", "environment.json", "checkpoints/last.safetensors")]

    def start_sweep(self, *arguments, **options):
        process = self.start("tbn-runs", "sweep", "tiny.yaml", *arguments, **options)
        self.addCleanup(process.kill)
        self.wait_for(self.folder / "runs/tiny_seed1/checkpoints/last.safetensors", process)
        return process

    def finish(self, process, timeout=60):
        # A training that lives on holds the pipes.
        self.addCleanup(self.end_trainings)
        try:
            return process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.end_trainings()
            process.kill()
            process.communicate(timeout=60)
            self.fail("a training lived on")

    def test_every_combination_is_trained_once(self):
        settings = ("weights.p=2,4", "train.seed=1..2", "train.epochs=2")
        plan = self.sweep(*settings, "--dry-run").stdout.splitlines()
        self.assertFalse((self.folder / "runs").exists())
        names = ["tiny_p2_seed1", "tiny_p2_seed2", "tiny_p4_seed1", "tiny_p4_seed2"]
        self.assertEqual(plan[1], "runs/tiny_p2_seed2 weights.p=2 train.seed=2 train.epochs=2")
        self.assertEqual([line.split()[0] for line in plan], [f"runs/{name}" for name in names])
        first = self.sweep(*settings).stdout
        self.assertEqual(self.names(), names)
        summaries = {}
        for name in names:
            settings_of = self.json_of("show", f"runs/{name}")["settings"]
            said = (settings_of.get("weights.p", "4"), settings_of.get("train.seed", "1"), settings_of["train.epochs"])
            self.assertEqual(said, (name[6], name[-1], "2"))
            summary = json.loads((self.folder / "runs" / name / "summary.json").read_text())
            summaries.setdefault(name[6], []).append(summary["test"]["top1"])
        for line in self.rows("table", "--by", "weights.p"):
            values = summaries[line["weights.p"]]
            cell = f"{statistics.mean(values):.2f} \u00b1 {statistics.stdev(values):.2f}"
            self.assertAlmostEqual(float(line["test_accuracy"]), statistics.mean(values), 7)
            self.assertIn(cell, first.split("\n\n")[1])
        before = [self.started(name) for name in names]
        again = self.sweep(*settings).stdout
        self.assertEqual(again, first)
        self.assertEqual(before, [self.started(name) for name in names])

    def test_what_is_wrong_is_said_before_anything_is_trained(self):
        cases = {
            ("weights.p=2,3.5",): "command line: weights.p: must be a whole number, is 3.5",
            ("weights.p=2", "weights.q=2,4"): "command line: weights.q: unknown key (did you mean weights.p?)",
            ("weights.p=2,,4",): "weights.p=2,,4: a value between commas is missing",
            ("weights.p=2,4,2",): "weights.p=2,4,2: the value '2' is there twice",
            ("train.seed=1..2,2",): "train.seed=1..2,2: the value '2' is there twice",
            ("train.seed=3..1",): "train.seed=3..1: a range runs up, over 1000 values at most",
            ("train.seed=1..1001",): "train.seed=1..1001: a range runs up, over 1000 values at most",
            ("train.seed=1..1000", "train.epochs=1..11"): "a sweep of more than 10000 runs",
            ("weights.p=2", "weights.p=4"): "sweep: weights.p is given twice",
            ("tiny.yaml", "weights.p=2"): "sweep: two configurations, 'tiny.yaml' and 'tiny.yaml'; a sweep is of one",
            ("init.from=a/,a",): "two runs of the sweep would be called 'tiny_froma'; give them values that differ in "
                                 "letters and digits",
            ("name=a/b",): "command line: name: must be a plain folder name of at most 200 bytes, is 'a/b'"}
        for arguments, sentence in cases.items():
            with self.subTest(arguments=arguments):
                self.refused(2, sentence, "sweep", "tiny.yaml", *arguments)
                self.assertFalse((self.folder / "runs").exists())
        self.refused(2, "sweep: which configuration?", "sweep", "weights.p=2")
        self.refused(2, "nope.yaml: no such file", "sweep", "nope.yaml", "weights.p=2")
        with self.subTest(what="two names"):
            self.sweep("name=a", "name=b", "--dry-run", code=2)

    def test_ranges_at_the_ends_of_whole_numbers(self):
        least, most = -2 ** 63, 2 ** 63 - 1
        for text in (f"{least}..{most}", f"{least}..0"):
            with self.subTest(text=text):
                done = self.sweep(f"train.seed={text}", "--dry-run", code=2, preexec_fn=little_memory)
                self.assertIn("train.seed", done.stderr)
        plan = self.sweep(f"train.seed={most - 3}..{most}", "--dry-run", preexec_fn=little_memory).stdout
        self.assertEqual(len(plan.splitlines()), 4)

    def test_values_with_commas_and_a_name(self):
        self.sweep("model.hidden=[32,16],[64]", "name=x", "train.epochs=1")
        self.assertEqual(self.names(), ["x_hidden32-16", "x_hidden64"])
        for name, hidden in (("x_hidden32-16", "[32, 16]"), ("x_hidden64", "[64]")):
            self.assertIn(f"  hidden: {hidden}\n", (self.folder / "runs" / name / "config.yaml").read_text())
        plan = self.sweep("optim.groups=[{match: latents, lr: 0.1}],[]", "name=x", "--dry-run").stdout
        self.assertEqual(len(plan.splitlines()), 2)
        said = self.json_of("sweep", "tiny.yaml", "model.hidden=[32,16],[64]", "name=x", "train.epochs=1")
        self.assertEqual([run["name"] for run in said["runs"]], ["x_hidden32-16", "x_hidden64"])
        self.assertEqual(said["failed"], [])

    def test_a_plan_as_json(self):
        json.loads(self.sweep("weights.p=2,4", "--dry-run", "--json").stdout)

    def test_the_folder_of_runs_is_each_run_s_own(self):
        # Either a plan that says where the runs will be, or a refusal.
        done = subprocess.run(self.command("tbn-runs", "sweep", "tiny.yaml", "output=a,b", "--dry-run"), text=True,
                              cwd=self.folder, capture_output=True, timeout=60)
        if done.returncode != 2:
            self.assertEqual([line.split("/")[0] for line in done.stdout.splitlines()], ["a", "b"])

    def test_a_run_that_fails_does_not_end_the_sweep(self):
        with self.subTest(what="a loss that is not finite"):
            settings = ["weights={encoding: float}", "optim.groups=[]", "optim.lr=1000", "optim.momentum=0",
                        "train.epochs=1", "optim.weight_decay=0,1e36,1e-4"]
            done = self.sweep(*settings, code=4)
            self.assertIn("tbn-runs: 'tiny_weight-decay1e36' failed with exit code 4\ntbn-runs: error: 1 of 3 runs "
                          "failed; the same command tries them again\n", done.stderr)
            self.assertIn("[2/3] tiny_weight-decay1e36: exit code 4\n", done.stdout)
            complete = [name for name in self.names() if (self.folder / "runs" / name / "summary.json").exists()]
            self.assertEqual(complete, ["tiny_weight-decay0", "tiny_weight-decay1e-4"])
            said = self.json_of("sweep", "tiny.yaml", *settings, code=4)
            self.assertEqual(said["failed"], [{"name": "tiny_weight-decay1e36", "code": 4}])
        with self.subTest(what="damaged data"):
            shutil.copytree(self.folder / "data", self.folder / "bad")
            images = self.folder / "bad" / "train-images-idx3-ubyte"
            good = images.read_bytes()
            images.write_bytes(good[:-5])
            settings = ["name=d", "train.epochs=1", "data.root=bad,data"]
            done = self.sweep(*settings, code=3)
            self.assertIn("tbn-runs: error: 'd_rootbad' is refused, see above; nothing was trained\n", done.stderr)
            self.assertFalse((self.folder / "runs/d_rootdata").exists())
            images.write_bytes(good)
            self.sweep(*settings)
            self.assertEqual(self.states("runs/d_rootbad"), {"runs/d_rootbad": "complete"})

    def test_an_interrupt_saves_and_the_same_command_goes_on(self):
        settings = [*CONV_SETTINGS, "train.epochs=60", "train.seed=1,2"]
        for group in (False, True):
            with self.subTest(group=group):
                shutil.rmtree(self.folder / "runs", ignore_errors=True)
                process = self.start_sweep(*settings, start_new_session=True)
                (os.killpg if group else os.kill)(process.pid, signal.SIGINT)
                out, error = self.finish(process)
                self.assertEqual(process.returncode, 130, out + error)
                self.assertEqual(error, "tbn-runs: stopped; the same command goes on\n")
                self.assertEqual(self.states(), {"runs/tiny_seed1": "stopped"})
                self.assertFalse((self.folder / "runs/tiny_seed1/lock").exists())
        self.sweep(*settings)
        self.assertEqual(self.states(), {"runs/tiny_seed1": "complete", "runs/tiny_seed2": "complete"})
        self.assertIn("resuming at epoch", (self.folder / "runs/tiny_seed1/train.log").read_text())

    def test_other_signals_stop_it_too(self):
        settings = [*CONV_SETTINGS, "train.epochs=1000000", "train.seed=1,2"]
        for stop in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
            with self.subTest(signal=stop.name):
                shutil.rmtree(self.folder / "runs", ignore_errors=True)
                process = self.start_sweep(*settings)
                process.send_signal(stop)
                out, error = self.finish(process, timeout=15)
                self.assertEqual(process.returncode, 128 + stop, out + error)
                self.assertEqual(self.states(), {"runs/tiny_seed1": "stopped"})

    def test_signals_that_it_was_started_to_ignore(self):
        # As nohup does.
        process = self.start_sweep(*CONV_SETTINGS, "train.epochs=60", "train.seed=1,2",
                                   preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        process.send_signal(signal.SIGHUP)
        out, error = self.finish(process)
        self.assertEqual(process.returncode, 0, out + error)
        self.assertEqual(self.states(), {"runs/tiny_seed1": "complete", "runs/tiny_seed2": "complete"})

    def test_a_training_that_is_killed_is_a_failure(self):
        settings = [*CONV_SETTINGS, "train.epochs=60", "train.seed=1,2"]
        process = self.start_sweep(*settings)
        os.kill(int((self.folder / "runs/tiny_seed1/lock").read_text().split()[0]), signal.SIGKILL)
        out, error = self.finish(process)
        self.assertEqual(process.returncode, 137, out + error)
        self.assertIn("tbn-runs: 'tiny_seed1' failed with exit code 137\n", error)
        self.assertEqual(self.states(), {"runs/tiny_seed1": "stopped", "runs/tiny_seed2": "complete"})

    def test_a_pipe_that_goes_away_stops_no_training(self):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(self.command("tbn-runs", "sweep", "tiny.yaml", "train.epochs=1", "train.seed=1,2"),
                              cwd=self.folder, stdout=write, stderr=subprocess.PIPE, text=True, timeout=60)
        os.close(write)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(self.names(), ["tiny_seed1", "tiny_seed2"])


class Hostile(RunsTest):
    COMMANDS = (["list"], ["list", "--json"], ["show", "runs/bad"], ["show", "runs/bad", "--json"], ["compare", "runs"],
                ["compare", "runs", "--json"], ["table"], ["table", "--json"], ["table", "--format", "csv"])

    def readable(self):
        """Every command prints what it can, and ends with 0."""
        for command in self.COMMANDS:
            with self.subTest(command=command):
                done = self.runs(*command, timeout=20)
                # The damaged run is a copy of a good one.
                said = [each for each in done.stderr.splitlines() if "has the settings of another run" not in each]
                self.assertEqual(said, [])
                self.assertNotRegex(done.stdout, r"\b(nan|inf|NaN|Infinity)\b")
                self.assertNotRegex(done.stdout, r"9,?223,?372,?036|18,?446,?744,?073")
                if "--json" in command:
                    json.loads(done.stdout)

    def damaged(self):
        """The run is left out among others, and refused alone."""
        for command in self.COMMANDS:
            with self.subTest(command=command):
                alone = command[0] == "show"
                done = self.runs(*command, timeout=20, code=3 if alone else 0)
                said = "".join(line for line in done.stderr.splitlines(True)
                               if "has the settings of another run" not in line)
                self.assertRegex(said, r"^tbn-runs: error: .*\n$" if alone else r"^note: .*; it is left out\n$")
                self.assertIn("runs/bad", said)

    def test_names_that_would_draw_on_a_terminal(self):
        self.add(f"runs/{HOSTILE}")
        self.add(f"runs/bad {HOSTILE}")
        self.add("runs/good", {"  from: \"\"\n  share": "  from: \"x\u202ey\"\n  share"})
        (self.folder / f"runs/bad {HOSTILE}/summary.json").write_text("[]")
        for command in (["list"], ["compare", "runs"], ["table"], ["show", f"runs/{HOSTILE}"], ["show", "runs/good"],
                        ["list", "--format", "csv"], ["list", "--format", "latex"], ["list", "--json"]):
            with self.subTest(command=command):
                self.runs(*command)  # which looks for them
        self.assertIn(HOSTILE, [run["name"] for run in self.json_of("list")["runs"]])
        self.runs("show", f"runs/bad {HOSTILE}", code=3)
        self.runs("list", f"runs/no {HOSTILE}", code=3)
        self.runs("table", "--by", HOSTILE, code=2)
        self.runs("sweep", "tiny.yaml", f"weights.p={HOSTILE},2", code=2)
        self.runs("sweep", HOSTILE, "weights.p=2", code=2)
        self.runs(HOSTILE, code=2)
        self.runs("sweep", "tiny.yaml", f"init.from={HOSTILE},b", "--dry-run")

    def test_summaries(self):
        self.add("runs/a")
        self.add("runs/c")
        cases = {"text": {"bytes": "a", "train_seconds": "x", "bits_per_weight": None, "test": 3,
                          "validation": {"top1": "9"}},
                 "large": {"bytes": 1e300, "train_seconds": 1e300, "macs": 1e300, "best_epoch": -1e300},
                 "negative": {"bytes": -5000, "train_seconds": -3000},
                 "lists": {"bytes": [], "test": [], "validation": {"top1": {}}, "train_seconds": {}}}
        for name, values in cases.items():
            with self.subTest(name=name):
                folder = self.add("runs/bad", **values)
                self.readable()
                if name == "text":
                    self.assertEqual(self.json_of("list", "runs/bad")["runs"][0]["validation"],
                                     self.json_of("list", "runs/a")["runs"][0]["validation"])
        for name, text in {"a list": "[1]", "half": '{"name": ', "1e999": '{"bytes": 1e999}', "deep": "[" * 100000,
                           "nothing": "", "NaN": '{"bytes": NaN}'}.items():
            with self.subTest(name=name):
                folder = self.add("runs/bad")
                (folder / "summary.json").write_text(text)
                self.damaged()

    def test_curves(self):
        self.add("runs/a")
        self.add("runs/c")
        # The rows, and the epochs and the score that they say.
        cases = {"half a line": (row(1) + row(2, score="95")[:-12], 1, 24), "a line's start": (row(1) + "2", 1, 24),
                 "few cells": (row(1) + "2,4\n\n,,,\n" + row(3, score="30"), 3, 30),
                 "nan first": (row(1, "nan", "nan") + row(2), 2, 24),
                 "nan last": (row(1) + row(2, "nan", "nan"), 2, 24),
                 "inf": (row(1) + row(2, "inf", "inf"), 2, 24), "1e999": (row(1, "1e999", "1e999") + row(2), 2, 24),
                 "a large epoch": (row(1) + row(2).replace("2", "1e300", 1), 1, 24),
                 "an epoch nan": (row(1) + row(2).replace("2", "nan", 1), 1, 24),
                 "a negative epoch": (row(1) + row(2).replace("2", "-5", 1), 1, 24),
                 "other line ends": ((row(1) + row(2)).replace("\n", "\r\n"), 2, 24),
                 "nothing": ("", 0, None), "bytes": (row(1) + "\x00\x01,\n", 1, 24)}
        for name, (rows, epochs, score) in cases.items():
            with self.subTest(name=name):
                folder = self.add_stopped("runs/bad", rows)
                self.readable()
                said = self.json_of("show", "runs/bad")
                self.assertEqual((said["trained"], said.get("validation")), (epochs, score))
                if name == "1e999":
                    self.assertNotIn("train_loss", said["curve"][0])

    def test_environments(self):
        self.add("runs/a")
        self.add("runs/c")
        folder = self.add("runs/bad")
        path = folder / "environment.json"
        for text in ("[1]", "{}", '{"date": 5, "device": []}',
                     '{"date": "\\u001b[2J\\u202e", "cpu": "\\u001b[2J\\u202e\\u0000"}'):
            with self.subTest(text=text):
                path.write_text(text)
                self.readable()
        path.unlink()
        self.readable()
        path.write_text("{")
        self.damaged()

    def test_configurations(self):
        self.add("runs/a")
        self.add("runs/c")
        path = self.add("runs/bad") / "config.yaml"
        text = path.read_text()
        for name, content in {"2 MB": text + "#" * 2000000 + "\n", "no YAML": "{{{", "a list": "- a\n", "empty": "",
                              "deep": "a: " + "[" * 10000, "aliases": "a: &x [1]\nb: *x\n"}.items():
            with self.subTest(name=name):
                path.write_text(content)
                self.damaged()
        for name, content in {"one key": "name: x\n", "many epochs": text.replace("epochs: 3", "epochs: 1e300"),
                              "no number": text.replace("epochs: 3", "epochs: [3]")}.items():
            with self.subTest(name=name):
                path.write_text(content)
                self.readable()

    def test_other_things_in_place_of_files(self):
        self.add("runs/a")
        self.add("runs/c")
        for name in ("metrics.csv", "summary.json", "environment.json"):
            for make in (os.mkfifo, os.mkdir):
                with self.subTest(name=name, make=make.__name__):
                    folder = self.add("runs/bad")
                    (folder / name).unlink()
                    make(folder / name)
                    self.damaged()
        for make in (os.mkfifo, os.mkdir):
            with self.subTest(name="lock", make=make.__name__):
                folder = self.add_stopped("runs/bad", row(1))
                make(folder / "lock")
                self.readable()
                self.assertEqual(self.states("runs/bad"), {"runs/bad": "stopped"})
        with self.subTest(name="config.yaml"):
            os.remove(self.add("runs/bad") / "config.yaml")
            os.mkfifo(self.folder / "runs/bad/config.yaml")
            self.assertEqual(list(self.states()), ["runs/a", "runs/c"])
            self.refused(3, "'runs/bad' is no run's folder", "show", "runs/bad")


if __name__ == "__main__":
    main()
