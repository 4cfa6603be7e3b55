"""tbn-runs list, show, compare and table: what they say of runs is what their folders say."""

import csv
import io
import json
import os
import shutil
import statistics
import subprocess

from run_support import RUN
from runs_support import row, RunsTest
from tools_support import CONV_SETTINGS, main


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


if __name__ == "__main__":
    main()
