"""The figures of documents agree with the logs of their runs: every row that ends in a log, every digit of it."""

import importlib.util
import json
import pathlib
import re
import shlex
import subprocess
import sys
import unittest

from tools_support import ROOT, ToolTest, bin_folder, main

LOGS = ROOT / "docs" / "logs"
FOLDERS = sorted(path.parent for path in LOGS.rglob("config.yaml"))
FIELDS = ["name", "date", "seed", "device", "samples", "epochs", "steps", "best_epoch", "train_seconds", "weights",
          "bits", "bits_per_weight", "bytes", "macs", "dense_macs", "file_bytes", "test", "metrics"]
RESULTS = ROOT / "docs" / "results.md"
CARDS = ROOT / "models" / "pretrained" / "README.md"
DOCUMENTS = [ROOT / "README.md", CARDS, *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("docs/notebook/*.md"))]

# What a column says, by how its header begins: where the summary has it, and the factor of what is printed.
METRICS = {"test accuracy": ("test", "top1"), "test MSE": ("test", "mse"),
           "test instance mIoU": ("test", "instance_miou")}
COLUMNS = METRICS | {"packed file": ("packed", "top1"), "bits per weight": ("bits_per_weight",),
                     "file bytes": ("file_bytes",), "multiply-adds": ("macs",), "training, s": ("train_seconds",)}
# Columns of figures that other tests hold to what they say: test_pretrained.py (int8), tests/mcu (the rest).
MEASURED_ELSEWHERE = {"int8, %", "bytes of weights and scales", "arena, bytes", "RAM, bytes, M0 / M4",
                      "instructions, M0 / M4", "predictions that differ, exact", "int8"}
# Ratios that tables of times print, and the columns whose quotient each is.
RATIOS = {"exact, ratio": ("LibTorch fp32, us", "exact, us"), "int8, ratio": ("LibTorch fp32, us", "int8, us"),
          "exact to fp32": ("LibTorch fp32, us", "exact, us"), "int8 to fp32": ("LibTorch fp32, us", "int8, us"),
          "int8 to int8": ("LibTorch int8, us", "int8, us"), "time, ratio": ("step, ms", "float twin, ms"),
          "memory, ratio": ("weights, gradients, optimiser, MB", "float twin, MB")}
# Columns that hold no figure of the run.
WORDS = {"task", "network", "attempt", "p", "metric", "config", "settings", "file", "log", "configuration", "data set"}
LINK = re.compile(r"\[[^\]]*\]\(([^)#]+)\)")


def summary_of(folder):
    return json.loads((folder / "summary.json").read_text())


def name_of(folder):
    return folder.relative_to(LOGS).as_posix()


def script_module(name):
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tables(path):
    """(text between the last heading and the table, header, rows) of each table of a document."""
    section, table = [], []
    for line in [*path.read_text().splitlines(), ""]:
        if line.startswith("|"):
            table.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
            continue
        if table:
            yield "\n".join(section), table[0], table[2:]
        table = []
        section = [line] if line.startswith("#") else [*section, line]


def log_links(path, cell):
    """The folders of logs that a cell of a document links to."""
    targets = [(path.parent / target).resolve() for target in LINK.findall(cell)]
    return [target for target in targets if LOGS in target.parents]


def rows_with_logs():
    """(document, {column: cell}, [folders]) of each row whose last cell links to logs."""
    for path in DOCUMENTS:
        for _, header, rows in tables(path):
            for cells in rows:
                folders = log_links(path, cells[-1])
                if folders:
                    yield path, dict(zip(header, cells)), folders


def mean(folders, keys):
    """The mean of a field over the summaries of some logs."""
    values = []
    for folder in folders:
        value = summary_of(folder)
        for key in keys:
            value = value[key]
        values.append(value)
    return sum(values) / len(values)


def printed_like(value, text):
    """A value in the form of the figure that a cell prints: as many decimals, thousands apart, in millions."""
    decimals = len(text.split(".")[1].split()[0]) if "." in text else 0
    if text.endswith(" M"):
        return f"{value / 1e6:.{decimals}f} M"
    return f"{value:,.{decimals}f}"


def figure_of(cell):
    """The first figure of a cell, without its unit, its links and what stresses it."""
    return LINK.sub("", cell).split(";")[0].replace("%", "").replace("*", "").strip()


def column_keys(column, row):
    """Where a summary has what a column says; None for one that says something else."""
    if column in ("tiled", "result"):
        column = row["metric"]
    return next((keys for begin, keys in COLUMNS.items() if column.startswith(begin)), None)


def claims(path, row, folders):
    """(column, printed, what the logs say) of each figure of a row that a log holds."""
    for column, cell in row.items():
        text = figure_of(cell)
        if not re.search(r"\d", text):
            continue
        if column.startswith("float twin"):
            keys = next(keys for other in row if (keys := column_keys(other, row)) in METRICS.values())
            yield column, text, printed_like(mean(log_links(path, cell), keys), text)
        elif keys := column_keys(column, row):
            yield column, text, printed_like(mean(folders, keys), text)


class Logs(unittest.TestCase):
    def test_a_log_is_a_configuration_and_a_summary(self):
        self.assertGreater(len(FOLDERS), 100)
        kept = {folder / name for folder in FOLDERS for name in ("config.yaml", "summary.json")}
        kept.add(LOGS / "README.md")
        self.assertEqual({path for path in LOGS.rglob("*") if path.is_file()}, kept)

    def test_each_summary_says_what_a_row_needs(self):
        for folder in FOLDERS:
            with self.subTest(name_of(folder)):
                summary = summary_of(folder)
                self.assertEqual([key for key in FIELDS if key not in summary], [])
                self.assertRegex(summary["date"], r"^20\d\d-\d\d-\d\d$")
                self.assertAlmostEqual(summary["bits_per_weight"], summary["bits"] / summary["weights"])
                columns, rows = summary["metrics"]["columns"], summary["metrics"]["rows"]
                self.assertEqual([row[0] for row in rows], list(range(1, summary["epochs"] + 1)))
                self.assertEqual({len(row) for row in rows}, {len(columns)})

    def test_no_log_has_a_path_of_a_machine(self):
        for folder in FOLDERS:
            for path in folder.iterdir():
                self.assertNotRegex(path.read_text(), r"[ \"'](/|~)[a-z]", path)

    def test_each_log_is_named_by_a_document(self):
        named = {target for path in DOCUMENTS for target in log_links(path, path.read_text())}
        self.assertEqual([name_of(folder) for folder in FOLDERS if folder not in named], [])


class Documents(unittest.TestCase):
    def test_each_figure_is_the_logs(self):
        seen = 0
        for path, row, folders in rows_with_logs():
            for column, printed, logged in claims(path, row, folders):
                seen += 1
                with self.subTest(document=path.name, log=name_of(folders[0]), column=column):
                    self.assertEqual(printed, logged)
        self.assertGreater(seen, 250)

    def test_plots_show_the_tables(self):
        plots = script_module("plot_results")
        for data in plots.DATA:
            with self.subTest(data):
                self.assertGreater(len(plots.measured(data, RESULTS.read_text())), 5)
                self.assertTrue(plots.is_current(data), "scripts/plot_results.py draws it")
        changed = RESULTS.read_text().replace("| 60,600 |", "| 60,601 |")
        self.assertNotEqual(plots.measured("Fashion-MNIST", changed),
                            plots.measured("Fashion-MNIST", RESULTS.read_text()))

    def test_another_digit_would_be_found(self):
        for path, row, folders in rows_with_logs():
            for column, printed, logged in claims(path, row, folders):
                for place in [i for i, digit in enumerate(printed) if digit.isdigit()]:
                    other = printed[:place] + str((int(printed[place]) + 1) % 10) + printed[place + 1:]
                    wrong = row | {column: row[column].replace(printed, other, 1)}
                    found = [claim[1] != claim[2] for claim in claims(path, wrong, folders) if claim[0] == column]
                    self.assertEqual(found, [True], (path.name, column, other))

    def test_no_figure_of_results_is_without_log_or_command(self):
        for section, header, rows in tables(RESULTS):
            with self.subTest(header=header, section=section.splitlines()[0]):
                if header[-1] == "log":
                    for cells in rows:
                        row, folders = dict(zip(header, cells)), log_links(RESULTS, cells[-1])
                        self.assertTrue(folders, cells)
                        known = {claim[0] for claim in claims(RESULTS, row, folders)} | WORDS | MEASURED_ELSEWHERE
                        self.assertEqual({column for column, cell in row.items() if cell} - known, set())
                elif header[-1] != "section":
                    self.assertRegex(section, r"tbn[-_]\w+ |scripts/\w+\.sh")

    def test_the_figures_of_whole_integers_are_those_of_the_cards(self):
        cards = CARDS.read_text()
        checked = 0
        for path, row, _ in rows_with_logs():
            if "int8, %" in row and (file := LINK.search(row.get("file", ""))):
                card = next(line for line in cards.splitlines() if pathlib.Path(file[1]).name in line)
                self.assertIn(f"{row['int8, %']} % in int8", card)
                self.assertIn(row["bytes of weights and scales"], cards)
                checked += 1
        self.assertEqual(checked, 3)

    def test_ratios_are_the_quotients_of_their_columns(self):
        seen = 0
        for _, header, rows in tables(RESULTS):
            for cells in rows:
                row = {column: cell.rstrip("x").replace(",", "") for column, cell in zip(header, cells)}
                for column in RATIOS.keys() & row.keys():
                    if row[column]:
                        seen += 1
                        above, below = (float(row[part]) for part in RATIOS[column])
                        with self.subTest(row=cells, column=column):
                            self.assertEqual(printed_like(above / below, row[column]), row[column])
        self.assertGreaterEqual(seen, 30)

    def test_ratios_in_prose_are_those_of_the_tables(self):
        results = RESULTS.read_text()
        told = re.findall(r"([\d.]+) times\s+as\s+fast", results + (ROOT / "README.md").read_text())
        self.assertGreaterEqual(len(told), 3)
        for ratio in told:
            self.assertIn(f"| {ratio}x |", results)

    def test_heads_of_configurations_give_the_figure_of_the_log_that_they_name(self):
        seen = 0
        for path in sorted((ROOT / "configs").rglob("*.yaml")):
            head = " ".join(re.findall(r"^# ?(.*)", path.read_text(), re.M))
            for log in re.findall(r"log: (docs/logs/[\w/.-]+)\)", head):
                seen += 1
                with self.subTest(path.name):
                    accuracy = summary_of(ROOT / log)["test"]["top1"]
                    self.assertEqual(re.findall(r"\d+\.\d\d(?= %)", head), [f"{accuracy:.2f}"])
        self.assertEqual(seen, 5)

    def test_each_note_is_in_the_index_of_the_notebook(self):
        notes = {path.name for path in (ROOT / "docs" / "notebook").glob("20*.md")}
        index = (ROOT / "docs" / "notebook" / "README.md").read_text()
        self.assertEqual(set(LINK.findall(index)) & notes, notes)
        for note in notes:
            self.assertRegex(note, r"^20\d\d-\d\d-\d\d-[a-z0-9-]+\.md$")

    def test_the_cards_say_the_bytes_of_their_files(self):
        files = {path.name: path.stat().st_size for path in CARDS.parent.glob("*.tbn")}
        said = {cells[0].strip("`"): dict(zip(header, cells))["bytes"]
                for _, header, rows in tables(CARDS) for cells in rows}
        self.assertEqual(said, {name: f"{size:,}" for name, size in files.items()})

    def test_the_comparison_is_what_its_script_writes(self):
        script = script_module("compare_table")
        written = f"{script.BEGIN}\n{script.table(LOGS / 'fashion_mnist')}\n{script.END}"
        self.assertIn(written, RESULTS.read_text())


class Commands(ToolTest):
    """The configuration and the settings of a row make the run that its log recorded."""

    # What decides a training, beside the weights: their order may be recorded as `auto` or as what it chose.
    SECTIONS = ("model", "init", "optim", "schedule", "teacher")
    TRAIN = ("epochs", "batch_size", "seed", "ema", "clip_norm", "label_smoothing", "orthogonal_penalty")

    def print_config(self, *arguments):
        printed = self.call("tbn-train", *arguments, "--print-config", cwd=ROOT).stdout
        sections = dict(re.findall(r"^(\w+):\n((?:  .*\n)+)", printed, re.M))
        train = [line for line in sections["train"].splitlines() if line.split(":")[0].strip() in self.TRAIN]
        return {key: sections[key] for key in self.SECTIONS} | {"train": train}

    def test_each_row_of_results_is_reproduced_by_its_command(self):
        seen = 0
        for path, row, folders in rows_with_logs():
            if path != RESULTS or "config" not in row or "as recorded" in row["config"]:
                continue
            config = (path.parent / LINK.search(row["config"])[1]).resolve()
            settings = shlex.split(row.get("settings", "").strip("`"))
            for folder in folders:
                seen += 1
                summary = summary_of(folder)
                command = ["--config", config, *settings, f"train.seed={summary['seed']}"]
                with self.subTest(log=name_of(folder)):
                    plan = script_module("keep_run").dry_run(bin_folder(), *command[1:])
                    self.assertEqual({key: plan["totals"][key] for key in ("weights", "bits", "macs")},
                                     {key: summary[key] for key in ("weights", "bits", "macs")})
                    # A recorded file may hold the input of its test vector and a longer header; a later tbn may say
                    # a little more in it.
                    data = sum(plan["file"][part] for part in ("tiles", "levels", "scalars", "norms", "floats"))
                    self.assertLessEqual(data, summary["file_bytes"])
                    self.assertLess(plan["file"]["bytes"], 1.01 * summary["file_bytes"])
                    self.assertEqual(self.print_config(*command),
                                     self.print_config("--config", folder / "config.yaml"))
        self.assertGreaterEqual(seen, 15)

    def test_each_log_is_a_configuration_of_today(self):
        for folder in FOLDERS:
            with self.subTest(name_of(folder)):
                self.call("tbn-train", "--config", folder / "config.yaml", "--validate", cwd=ROOT)


class KeepRun(ToolTest):
    def keep(self, *arguments):
        return subprocess.run([sys.executable, ROOT / "scripts" / "keep_run.py", "--tools", bin_folder(), *arguments],
                              cwd=self.folder, text=True, capture_output=True, check=False)

    def test_it_keeps_what_reproduces_a_run(self):
        self.train("train.epochs=2")
        done = self.keep("runs/tiny", "logs/tiny_seed1")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        log = self.folder / "logs" / "tiny_seed1"
        self.assertEqual(sorted(path.name for path in log.iterdir()), ["config.yaml", "summary.json"])
        self.assertEqual((log / "config.yaml").read_text(), (self.run_folder / "config.yaml").read_text())
        summary = summary_of(log)
        self.assertEqual([key for key in FIELDS if key not in summary], [])
        self.assertEqual(summary["samples"], {"train": 500, "validation": 100, "test": 200})
        self.assertEqual(len(summary["metrics"]["rows"]), 2)
        result = json.loads((self.run_folder / "summary.json").read_text())
        for key in ("bits", "bytes", "macs", "best_epoch", "steps"):
            self.assertEqual(summary[key], result[key], key)
        self.assertEqual(summary["test"]["top1"], result["test"]["top1"])
        self.call("tbn-export", "runs/tiny", "-o", "tiny.tbn", "--rule", "none")
        self.assertAlmostEqual(summary["file_bytes"], (self.folder / "tiny.tbn").stat().st_size, delta=128)

    def test_it_keeps_the_figures_of_the_packed_file(self):
        self.train("train.epochs=1")
        self.call("tbn-export", "runs/tiny", "-o", "tiny.tbn")
        for kind, model in (("packed", "tiny.tbn"), ("checkpoint", "runs/tiny")):
            (self.folder / f"{kind}.json").write_text(self.call("tbn-eval", model, "--root", "data", "--json").stdout)
        self.assertEqual(self.keep("--packed", "packed.json", "runs/tiny", "log").returncode, 0)
        summary = summary_of(self.folder / "log")
        self.assertEqual(summary["packed"]["images"], 200)
        self.assertAlmostEqual(summary["packed"]["top1"], summary["test"]["top1"], delta=1)
        self.assertIn("'checkpoint.json' is of a", self.keep("--packed", "checkpoint.json", "runs/tiny", "x").stderr)

    def test_it_replaces_nothing_unasked_and_keeps_no_part_of_a_run(self):
        self.train("train.epochs=1")
        self.assertEqual(self.keep("runs/tiny", "log").returncode, 0)
        self.assertIn("'log' exists", self.keep("runs/tiny", "log").stderr)
        self.assertEqual(self.keep("--overwrite", "runs/tiny", "log").returncode, 0)
        (self.run_folder / "summary.json").unlink()
        done = self.keep("runs/tiny", "other")
        self.assertEqual(done.returncode, 1)
        self.assertIn("holds no summary.json", done.stderr)
        self.assertFalse((self.folder / "other").exists())
        self.assertEqual(self.keep("runs/tiny").returncode, 2)


if __name__ == "__main__":
    main()
