"""tbn-runs sweep trains each of its runs once, whatever happens to it on the way."""

import json
import os
import shutil
import signal
import statistics
import subprocess

from runs_support import little_memory, RunsTest
from tools_support import CONV_SETTINGS, main


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


if __name__ == "__main__":
    main()
