"""A forecaster from its table to its packed file: the figure is the same wherever it is computed, and
whatever has happened to the table since is either undone or said."""

import datetime
import math
import random
import struct

from packed_support import of_tensors, read_tensors
from tools_support import ToolTest, main

CONFIG = """\
name: %s
model: %s
data: {name: %s, root: %s, series: {window: 24, horizon: 6}}
weights: {encoding: tiled, p: 2}
optim: {type: adam, lr: 3e-3}
train: {epochs: 1, batch_size: 32, max_steps: 12, device: cpu, threads: 1, deterministic: true}
"""

MODELS = {"dlinear": "{type: dlinear, kernel: 5}",
          "tsmixer": "{type: tsmixer, depth: 1, hidden: 8, dropout: 0}"}

# name, file, columns, rows, minutes of a step
TABLES = [("csv", "table.csv", ["flow", "level", "temp (C)"], 700, 15),
          ("etth1", "ETTh1.csv", ["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"], 14420, 60),
          ("weather", "weather.csv", [f"w{i}" for i in range(21)], 700, 10)]


def value(column, row):
    """Means and deviations from column to column as in data of all kinds: 1013 mbar, 0.02 mm."""
    scale = 10.0 ** (column % 4 - 1)
    return scale * (9 * column + math.sin(row / 7 + column) + 0.3 * math.sin(row * row / 11))


def write_table(path, names, rows, minutes, order=None, change=lambda x: x):
    order = list(range(len(names))) if order is None else order
    lines = ["date," + ",".join(names[c] for c in order)]
    for row in range(rows):
        time = datetime.datetime(2016, 7, 1) + datetime.timedelta(minutes=row * minutes)
        lines.append(f"{time}," + ",".join(f"{change(value(c, row)):.6f}" for c in order))
    path.write_text("\n".join(lines) + "\n")


# Two maps over time whose outputs, 96 steps ahead, share the rows of tiles.
FORECAST = """\
name: days
model: {type: dlinear}
data: {name: csv, root: days.csv, series: {window: 96, horizon: 96}}
weights: {encoding: tiled, p: 4, alpha: output}
optim: {type: adam, lr: 5e-4, groups: [{match: latents, type: adam, lr: 3e-3}]}
train: {epochs: 3, batch_size: 32, device: cpu, threads: 1, deterministic: true}
"""


def write_days(path, minutes, rows=4000):
    """Two columns of which each day is like the last, and what drifts."""
    rng = random.Random(1)
    lines, drift = ["date,a,b"], 0.0
    for row in range(rows):
        time = datetime.datetime(2016, 7, 1) + datetime.timedelta(minutes=row * minutes)
        turn = 2 * math.pi * row * minutes / 1440
        drift = 0.98 * drift + 0.2 * rng.gauss(0, 1)
        a = math.sin(turn) + 0.5 * math.sin(2 * turn + 1) + drift
        b = math.cos(turn) - 0.4 * math.sin(3 * turn) + 0.3 * drift
        lines.append(f"{time},{a + 0.1 * rng.gauss(0, 1):.5f},{b + 0.1 * rng.gauss(0, 1):.5f}")
    path.write_text("\n".join(lines) + "\n")


class Forecasts(ToolTest):
    train_images = 0

    def forecast(self, *settings):
        (self.folder / "days.yaml").write_text(FORECAST)
        run = ("tbn-train", "--config", "days.yaml", "--overwrite", *settings)
        return self.call_json(*run)["test"]["mse"]

    def forms(self):
        self.call("tbn-export", "runs/days", "-o", "days.tbn")
        return {layer["form"] for layer in self.call_json("tbn-inspect", "days.tbn")["layers"]}

    def test_tiles_cost_a_forecast_little_without_a_word_about_their_order(self):
        """At p = 4 a row serves four steps: of quarters of an hour, neighbours, since rows that lie six
        hours apart cost half of the figure; of hours, those of the same hour."""
        write_days(self.folder / "days.csv", 15)
        exact = self.forecast("weights.encoding=float")
        self.assertLess(self.forecast(), 1.05 * exact)
        self.assertEqual(self.forms(), {"interleaved"})
        self.assertGreater(self.forecast("weights.order=repeat"), 1.3 * exact)
        write_days(self.folder / "days.csv", 60)
        exact = self.forecast("weights.encoding=float")
        self.assertLess(self.forecast(), 1.05 * exact)
        self.assertEqual(self.forms(), {"rows"})


class Measured(ToolTest):
    """What a figure is of, where the file does not say what it was measured on."""
    train_images = 0

    def notes(self, *arguments):
        return self.call_json("tbn-eval", *arguments)["notes"]

    def test_the_rows_that_are_forecast_are_said(self):
        names = TABLES[0][2]
        write_table(self.folder / "table.csv", names, 700, 15)
        write_table(self.folder / "other.csv", names, 1000, 15)
        (self.folder / "c.yaml").write_text(CONFIG % ("r", MODELS["dlinear"], "csv", "table.csv"))
        self.call("tbn-train", "--config", "c.yaml")
        self.call("tbn-export", "runs/r", "-o", "full.tbn")
        self.assertEqual(self.notes("full.tbn", "--root", "table.csv"), [])
        for rule in ("use", "none"):
            self.call("tbn-export", "full.tbn", "-o", "less.tbn", "--rule", rule)
            for table, split, rows in (("table.csv", "test", "561 to 700 are forecast, the test split of the 700 at hand "
                                        "(489 train, 71 validate, 140 test)"),
                                       ("other.csv", "validation", "701 to 800 are forecast, the validation split of the "
                                        "1,000 at hand (700 train, 100 validate, 200 test)")):
                found = self.notes("less.tbn", "--root", table, "--split", split)
                self.assertIn(f"'less.tbn' does not say which samples its figure was measured on: rows {rows}", found)
        # Of another data set the rows are said as well.
        (self.folder / "weather").mkdir()
        write_table(self.folder / "weather" / "weather.csv", names, 1000, 15)
        found = self.notes("full.tbn", "--data", "weather", "--root", "weather")
        self.assertIn("of 'weather' rows 801 to 1,000 are forecast, the test split of the 1,000 at hand (700 train, "
                      "100 validate, 200 test)", found)


class Series(ToolTest):
    train_images = 0

    def trained(self, data, file, names, rows, minutes, model):
        root = self.folder / f"{data}_{model}"
        root.mkdir()
        write_table(root / file, names, rows, minutes)
        run = f"{data}_{model}"
        config = self.folder / f"{run}.yaml"
        config.write_text(CONFIG % (f"{run}_run", MODELS[model], data, root))
        self.call("tbn-train", "--config", config)
        self.call("tbn-export", f"runs/{run}_run", "-o", f"{run}.tbn")
        self.call("tbn-export", f"{run}.tbn", "-o", f"{run}_again.tbn")
        forms = [f"runs/{run}_run", f"runs/{run}_run/checkpoints/last.safetensors", f"{run}.tbn",
                 f"{run}_again.tbn"]
        return root, forms

    def mse(self, form, root, *arguments):
        return self.call_json("tbn-eval", form, "--root", root, *arguments)["metrics"]["mse"]

    def all_agree(self, forms, root, expected):
        for form in forms:
            with self.subTest(form=str(form)):
                found = self.mse(form, root)
                self.assertLess(abs(found - expected), 1e-5 * max(1, expected))

    def test_a_teacher_and_a_start_of_another_table_are_refused_and_said(self):
        names = ["flow", "level", "temp"]
        tables = {"same.csv": {}, "permuted.csv": {"order": [2, 0, 1]},
                  "units.csv": {"change": lambda x: 1000 * x}}
        for name, options in tables.items():
            write_table(self.folder / name, names, 700, 15, **options)
        (self.folder / "teacher.yaml").write_text(CONFIG % ("teacher", MODELS["tsmixer"], "csv", "same.csv"))
        self.call("tbn-train", "--config", "teacher.yaml")

        def train(table, key, **options):
            return self.call("tbn-train", "--config", "teacher.yaml", f"name={table}", f"data.root={table}",
                             f"{key}=runs/teacher", "--overwrite", **options)

        write_table(self.folder / "fewer.csv", names[:2], 700, 15)
        done = train("fewer.csv", "teacher.from", code=3)
        self.assertIn("teacher.from: 'runs/teacher/checkpoints/best.safetensors': its columns are others (none is "
                      "where 'temp' was); a teacher must have been trained on the inputs of the student", done.stderr)
        done = self.call("tbn-train", "--config", "teacher.yaml", "name=longer", "data.root=same.csv",
                         "teacher.from=runs/teacher", "data.series.window=48", code=3)
        self.assertIn("; a teacher must take the inputs of the student and give its outputs", done.stderr)
        said = {"permuted.csv": "its columns are in another order ('temp' is where 'flow' was)",
                "units.csv": "its columns had other units ('"}
        for table, words in said.items():
            done = train(table, "teacher.from", code=3)
            self.assertIn(f"teacher.from: 'runs/teacher/checkpoints/best.safetensors': {words}", done.stderr)
            self.assertFalse((self.folder / "runs" / table).exists())
            done = train(table, "init.from")
            self.assertIn(f"init.from: runs/teacher/checkpoints/best.safetensors: {words}", done.stdout)
            self.assertIn("its weights are taken as they are", done.stdout)
        for key in ("teacher.from", "init.from"):
            out = train("same.csv", key).stdout
            self.assertNotIn("its columns", out)

    def test_kept_outputs_are_not_those_of_a_table_whose_rows_were_corrected(self):
        names = ["flow", "level", "temp"]
        write_table(self.folder / "table.csv", names, 700, 15)
        (self.folder / "student.yaml").write_text(CONFIG % ("teacher", MODELS["tsmixer"], "csv", "table.csv"))
        self.call("tbn-train", "--config", "student.yaml")
        student = ("tbn-train", "--config", "student.yaml", "teacher.from=runs/teacher", "teacher.views=1",
                   "teacher.cache=kept")
        self.call(*student, "name=first")
        kept = (self.folder / "kept").read_bytes()
        write_table(self.folder / "table.csv", names, 700, 15, change=lambda x: x + 0.001 * abs(x))
        done = self.call(*student, "name=second", code=3)
        self.assertIn("teacher.cache: 'kept' was made with training data 'CRC-32C ", done.stderr)
        self.assertEqual(kept, (self.folder / "kept").read_bytes())

    def test_the_figure_is_one_on_run_checkpoint_file_and_file_of_file(self):
        for data, file, names, rows, minutes in TABLES:
            for model in MODELS:
                with self.subTest(data=data, model=model):
                    root, forms = self.trained(data, file, names, rows, minutes, model)
                    expected = self.mse(forms[1], root)
                    best = self.mse(forms[0], root)
                    self.all_agree(forms[2:], root, best)
                    self.assertGreater(expected, 0)
                    packed = self.call_json("tbn-inspect", forms[2])
                    self.assertIn("units", packed["header"]["features"])
                    # Nothing is held out of a series at random.
                    self.assertNotIn("split_seed", self.call("tbn-inspect", forms[2]).stdout)
                    self.assertEqual(packed["rule"]["measured"]["split"], {"validation": 0, "seed": 0})
                    self.call("tbn-eval", "--verify", forms[3])
                    validation = [self.mse(form, root, "--split", "validation")
                                  for form in (forms[0], forms[2])]
                    self.assertAlmostEqual(*validation, delta=1e-5 * max(1, validation[0]))

                    # The same table, longer, and with its columns in another order.
                    more = rows + 500
                    write_table(root / file, names, more, minutes)
                    self.all_agree([forms[0], forms[2]], root, best)
                    write_table(root / file, names, rows, minutes,
                                order=list(reversed(range(len(names)))))
                    self.all_agree([forms[0], forms[2]], root, best)
                    said = self.call("tbn-eval", forms[2], "--root", root).stderr
                    self.assertIn("another order", said)

    def test_a_table_in_other_units_is_noted(self):
        data, file, names, rows, minutes = TABLES[0]
        root, forms = self.trained(data, file, names, rows, minutes, "tsmixer")
        write_table(root / file, names, rows, minutes, change=lambda x: 1000 * x + 50000)
        for form in (forms[0], forms[2]):
            with self.subTest(form=str(form)):
                said = self.call("tbn-eval", form, "--root", root).stderr
                self.assertIn("columns have other values than the network was trained on", said)

    def test_a_table_with_other_columns_is_refused_by_name(self):
        data, file, names, rows, minutes = TABLES[0]
        root, forms = self.trained(data, file, names, rows, minutes, "dlinear")
        write_table(root / file, ["flow", "level", "temp (F)"], rows, minutes)
        for form in (forms[0], forms[2]):
            with self.subTest(form=str(form)):
                failed = self.call("tbn-eval", form, "--root", root, code=3)
                self.assertIn("has no column 'temp (C)'", failed.stderr)
                taken = self.mse(form, root, "data.series.columns=[flow, level, temp (F)]")
                self.assertGreater(taken, 0)

    def test_rows_out_of_order_gaps_and_an_index_are_refused_or_noted(self):
        _, file, names, rows, minutes = TABLES[0]
        root = self.folder / "table"
        root.mkdir()
        write_table(root / file, names, rows, minutes)
        head, *lines = (root / file).read_text().splitlines()
        config = self.folder / "table.yaml"
        config.write_text(CONFIG % ("table", MODELS["tsmixer"], "csv", root))

        def train(head, lines, code):
            (root / file).write_text("\n".join([head, *lines]) + "\n")
            done = self.call("tbn-train", "--config", config, "--overwrite", code=code)
            return done.stdout + done.stderr

        self.assertIn("rows must run from old to new", train(head, lines[::-1], 3))
        swapped = lines[:50] + [lines[51], lines[50]] + lines[52:]
        self.assertIn("line 53: the date '2016-07-01 12:30:00' lies before 2016-07-01 12:45:00",
                      train(head, swapped, 3))
        self.assertIn("rows are missing", train(head, lines[:300] + lines[340:], 0))
        counted = [f"{i},{line.split(',', 1)[1]}" for i, line in enumerate(lines)]
        self.assertIn("the first column, 'column 1', changes by 1 from row to row",
                      train("," + head.split(",", 1)[1], counted, 3))
        self.assertNotIn("rows are missing", train(head, lines, 0))

    def test_what_is_for_classes_or_images_is_refused_for_a_forecast(self):
        data, file, names, rows, minutes = TABLES[0]
        root, forms = self.trained(data, file, names, rows, minutes, "dlinear")
        for form in (forms[0], forms[2]):
            for option in (["--per-class"], ["--match", "places"], ["--predictions", "p.txt"]):
                failed = self.call("tbn-eval", form, "--root", root, *option, code=2)
                self.assertIn(f"{option[0]}: a forecast has no classes", failed.stderr)
            for setting in ("data.image_size=32", "data.validation=3", "data.split_seed=3", "data.limits=first"):
                failed = self.call("tbn-eval", form, "--root", root, setting, "--split", "validation", code=2)
                self.assertIn(f"{setting.split('=')[0]}: ", failed.stderr)
                self.assertIn("does nothing for 'csv' (a series); leave it out", failed.stderr)
            said = self.call("tbn-eval", form, "--root", root).stdout
            self.assertIn("\ninput: series, ", said)

    def test_units_may_be_left_out(self):
        data, file, names, rows, minutes = TABLES[0]
        root, forms = self.trained(data, file, names, rows, minutes, "dlinear")
        best = self.mse(forms[0], root)
        self.call("tbn-export", forms[0], "-o", "plain.tbn", "--units", "standardised")
        self.assertNotIn("units", self.call_json("tbn-inspect", "plain.tbn")["header"]["features"])
        self.call("tbn-export", forms[2], "-o", "taken.tbn", "--units", "standardised")
        self.call("tbn-export", "plain.tbn", "-o", "back.tbn", "--units", "original")
        self.all_agree(["plain.tbn", "taken.tbn", "back.tbn"], root, best)
        for file_name in ("plain.tbn", "taken.tbn", "back.tbn"):
            self.call("tbn-eval", "--verify", file_name)

    def test_units_leave_every_scalar_the_type_that_it_has(self):
        data, file, names, rows, minutes = TABLES[0]
        _, forms = self.trained(data, file, names, rows, minutes, "dlinear")
        self.call("tbn-export", forms[0], "-o", "plain.tbn", "--units", "standardised", "--layout", "plain")
        metadata, tensors = read_tensors(self.folder / "plain.tbn")
        mixed = next(name for name in sorted(tensors) if name.endswith(".bias"))
        _, shape, content = tensors[mixed]
        count = len(content) // 4
        tensors[mixed] = ("F16", shape, struct.pack(f"<{count}e", *struct.unpack(f"<{count}f", content)))
        metadata["tbn.features"] = ",".join(sorted([*metadata["tbn.features"].split(","), "f16"]))
        # The writer's order: halves before bytes.
        order = ["F32", "F16", "U8"]
        tensors = dict(sorted(tensors.items(), key=lambda entry: order.index(entry[1][0])))
        (self.folder / "mixed.tbn").write_bytes(of_tensors(metadata, tensors))
        self.call("tbn-export", "mixed.tbn", "-o", "out.tbn", "--units", "original")
        self.call("tbn-eval", "--verify", "out.tbn")
        _, found = read_tensors(self.folder / "out.tbn")
        kept = {name: tensor for name, tensor in found.items() if not name.startswith(("verify.", "output_units."))}
        self.assertEqual(kept, {name: tensor for name, tensor in tensors.items() if not name.startswith("verify.")})
        self.assertEqual({tensor[0] for tensor in kept.values()}, {"F32", "F16", "U8"})
        self.assertEqual(found["output_units.scale"][0], "F32")

    def test_means_far_from_zero_are_noted_or_refused(self):
        data, file, names, rows, minutes = TABLES[0]
        for offset, code in ((3e5, 0), (1e8, 2)):
            with self.subTest(offset=offset):
                name = f"far{int(offset)}"
                path = self.folder / f"{name}.csv"
                write_table(path, names[:1], rows, minutes,
                            change=lambda x: 10 * x + offset)  # a deviation near 1
                config = self.folder / f"{name}.yaml"
                config.write_text(CONFIG % (name, MODELS["dlinear"], data, path))
                self.call("tbn-train", "--config", config)
                done = self.call("tbn-export", f"runs/{name}", "-o", f"{name}.tbn", code=code)
                self.assertIn("--units standardised", done.stderr)
                self.call("tbn-export", f"runs/{name}", "-o", f"{name}.tbn", "--units",
                          "standardised")


if __name__ == "__main__":
    main()
