"""tbn-predict on tables of series and clouds of points: what numpy says of the same rows and points."""

import csv
import datetime
import json

import numpy as np

from packed_ops import evaluate
from packed_support import read_tensors
from predict_support import probabilities, Predict
from read_packed import DTYPES, read_packed
from rule_support import write_csv
from tools_support import main


class Forecasts(Predict):
    forecasts = True
    settings = ["data.name=csv", "data.root=s.csv", "data.series.window=24", "data.series.horizon=6",
                "data.series.columns=[wind, load]", "model={type: dlinear, kernel: 5}"]

    def make(self):
        write_csv(self.folder / "s.csv")
        self.run_of(*self.settings)
        self.export()

    def setUp(self):
        super().setUp()
        self.table = (self.folder / "s.csv").read_text()
        self.rows = np.loadtxt(self.folder / "s.csv", delimiter=",", skiprows=1, usecols=(3, 1))

    def plain(self):
        """The graph and the tensors of the exported file, in the table's own units."""
        self.export("r.tbn", "plain.tbn", "--layout", "plain")
        metadata, tensors = read_tensors(self.folder / "plain.tbn")
        return json.loads(metadata["tbn.graph"]), {name: np.frombuffer(content, DTYPES[dtype]).reshape(shape)
                                                   for name, (dtype, shape, content) in tensors.items()}

    def write(self, name, head, lines):
        (self.folder / name).write_text("\n".join([head, *lines]) + "\n")

    def test_file_standard_input_and_array_give_what_numpy_gives(self):
        found = self.answer("r.tbn", "s.csv")
        self.assertEqual(self.said, "")
        self.assert_near(found["forecast"], evaluate(*self.plain(), self.rows[-24:]), relative=1e-4)
        self.assertEqual(found["columns"], ["wind", "load"])
        last = datetime.datetime.fromisoformat(self.table.splitlines()[-1].split(",")[0])
        self.assertEqual(found["times"], [str(last + datetime.timedelta(hours=1 + i)) for i in range(6)])
        # A run is packed in standardised units, so that the last digit may be another.
        run = self.answer("runs/r", "s.csv")
        self.assertEqual(self.answer("runs/r/checkpoints/best.safetensors", "s.csv"), run)
        self.assert_near(run["forecast"], found["forecast"], relative=1e-6)
        self.assertEqual({**run, "forecast": found["forecast"]}, found)
        self.assertEqual(self.answer("r.tbn", "-", input=self.table), found)
        for values in (self.rows, self.rows[-24:], self.rows[None], self.rows.astype(">f8")):
            for each in self.of_array("r.tbn", values):
                self.assertEqual(each, {**found, "times": []})
        both = self.of_array("r.tbn", np.stack([self.rows[:-1], self.rows[1:]]))
        self.assertEqual(both[1]["forecast"], found["forecast"])
        self.assertNotEqual(both[0]["forecast"], found["forecast"])

    def test_a_line_per_step(self):
        found = self.answer("r.tbn", "s.csv")
        rows = list(csv.reader(self.predict("r.tbn", "s.csv", "--format=csv")))
        self.assertEqual(rows[0], ["input", "time", "wind", "load"])
        self.assertEqual([row[:2] for row in rows[1:]], [["s.csv", time] for time in found["times"]])
        self.assert_near([[float(cell) for cell in row[2:]] for row in rows[1:]], found["forecast"], relative=1e-6)
        text = self.predict("r.tbn", "s.csv")
        self.assertEqual([line.split("\t")[:2] for line in text], [row[:2] for row in rows[1:]])
        self.assertRegex(text[0], r"\twind [0-9.]+\tload [0-9.]+$")
        # Without dates a step has its number.
        np.save(self.folder / "x.npy", self.rows)
        rows = list(csv.reader(self.predict("r.tbn", "x.npy", "--format=csv")))
        self.assertEqual([row[:2] for row in rows[1:]], [["x.npy", str(1 + i)] for i in range(6)])
        head, *lines = self.table.splitlines()
        self.write("plain.csv", head[5:], [line.split(",", 1)[1] for line in lines])
        rows = list(csv.reader(self.predict("r.tbn", "plain.csv", "--format=csv")))
        self.assertEqual([row[1] for row in rows[1:]], [str(1 + i) for i in range(6)])

    def test_columns_are_taken_by_name(self):
        found = self.answer("r.tbn", "s.csv")
        write_csv(self.folder / "permuted.csv", order=(2, 1, 0))
        self.assertEqual(self.answer("r.tbn", "permuted.csv"), found)
        head, *lines = self.table.splitlines()
        self.write("more.csv", head + ",remark", [line + ",none" for line in lines])
        self.assertEqual(self.answer("r.tbn", "more.csv"), found)
        # The last rows alone, with a byte order mark, CRLF and quotes.
        text = "\r\n".join([head.replace("load", '"load"'), *lines[-24:]]) + "\r\n"
        (self.folder / "last.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
        self.assertEqual(self.answer("r.tbn", "last.csv"), found)

    def test_times_go_on_by_the_step_of_the_table(self):
        head, *lines = self.table.splitlines()
        days = [f"{datetime.date(2021, 1, 1) + datetime.timedelta(days=i)},{line.split(',', 1)[1]}"
                for i, line in enumerate(lines)]
        self.write("days.csv", head, days)
        found = self.answer("r.tbn", "days.csv")
        self.assertEqual(found["times"][:2], ["2022-02-05 00:00:00", "2022-02-06 00:00:00"])
        self.assertIn("note: 'days.csv': its rows are 86400 seconds apart", self.said)
        self.assertEqual(found["forecast"], self.answer("r.tbn", "s.csv")["forecast"])
        self.answer("r.tbn", "days.csv", "--quiet")
        self.assertEqual(self.said, "")

    def test_other_units_are_noted(self):
        write_csv(self.folder / "small.csv", scale=0.001)
        self.answer("r.tbn", "small.csv")
        for column in ("wind", "load"):
            self.assertRegex(self.said, f"note: 'small.csv': column '{column}' has a mean of .* other units")
        self.answer("r.tbn", "small.csv", "-q")
        self.assertEqual(self.said, "")

    def test_tables_that_are_refused(self):
        head, *lines = self.table.splitlines()
        write_csv(self.folder / "missing.csv", order=(0, 1))
        self.write("twice.csv", head.replace("oil", "wind"), lines)
        self.write("short.csv", head, lines[:23])
        self.write("word.csv", head, lines[:50] + [lines[50].rsplit(",", 1)[0] + ",none"] + lines[51:])
        self.write("back.csv", head, lines[::-1])
        self.write("head.csv", head, [])
        (self.folder / "void.csv").write_text("")
        for sentence, name in (("'missing.csv': has no column 'wind', which the network takes", "missing.csv"),
                               ("'twice.csv': has the column 'wind' twice", "twice.csv"),
                               ("'short.csv': has 23 rows, and the network sees 24", "short.csv"),
                               ("'word.csv': line 52: column 4 ('wind'): 'none' is not a number", "word.csv"),
                               ("'back.csv': ", "back.csv"), ("'head.csv': has a header and no rows", "head.csv"),
                               ("'void.csv': is empty", "void.csv")):
            with self.subTest(name=name):
                self.refuses(sentence, "r.tbn", name)
        self.refuses("'-': has 23 rows", "r.tbn", "-", input="\n".join([head, *lines[:23]]))
        self.refuses_array("r.tbn", "its shape is [23, 2]", self.rows[:23])
        self.refuses_array("r.tbn", "its shape is [400, 1]", self.rows[:, :1].copy())
        self.refuses_array("r.tbn", "holds nan", self.rows * np.nan)
        self.refuses_array("r.tbn", "no finite number of single precision", self.rows * 1e300)

    def test_in_standardised_units_the_forecast_is_the_same(self):
        self.export("runs/r", "plain.tbn", "--units", "standardised")
        found, plain = self.answer("r.tbn", "s.csv"), self.answer("plain.tbn", "s.csv")
        self.assert_near(plain.pop("forecast"), found.pop("forecast"), relative=1e-4)
        self.assertEqual(plain, found)
        write_csv(self.folder / "small.csv", scale=0.001)
        self.answer("plain.tbn", "small.csv")
        self.assertIn("is it in other units?", self.said)

    def test_outputs_that_are_not_finite(self):
        np.save(self.folder / "x.npy", self.rows * 0 + 3e38)
        found = self.documents("r.tbn", "s.csv", "x.npy", "s.csv", code=4)
        self.assertEqual(["error" in each for each in found], [False, True, False])
        self.assertIn("'x.npy': the network gives what is infinite or not a number", self.said)

    def test_options_for_classes_do_nothing_for_a_forecast(self):
        for option in (["--top=3"], ["--category=chair"]):
            with self.subTest(option=option):
                self.refuses(option[0].split("=")[0], "r.tbn", "s.csv", *option, code=2)


class Clouds(Predict):
    settings = ["data.points.count=16", "data.validation=10", "data.train_limit=40", "data.test_limit=9",
                "weights.encoding=float"]

    def make(self):
        self.run_of("data.name=shapes", *self.settings, "model={type: pointnet, width: 0.125}")
        self.run_of("data.name=shape_parts", "name=parts", *self.settings,
                    "model={type: pointnet_part_seg, width: 0.125}")
        self.export()
        self.export("runs/parts", "parts.tbn")

    def setUp(self):
        super().setUp()
        # Numbers that a few decimal digits write to the bit.
        self.points = np.random.default_rng(1).integers(-999, 1000, (40, 3)).astype("f4") / 256
        self.normals = self.points[:, ::-1]

    def write(self, name, values, between=" ", head="", end="\n"):
        lines = [between.join(f"{value:.10f}" for value in row) for row in values]
        (self.folder / name).write_bytes((head + end.join(lines) + end).encode())

    def test_text_and_arrays_of_the_same_points(self):
        found = self.of_array("r.tbn", self.points, "--top=10")
        graph, tensors = read_packed(self.folder / "r.tbn")
        centred = self.points - self.points.mean(axis=0, dtype="f8")
        seen = (centred / np.linalg.norm(centred, axis=1).max())[:16]
        self.assert_near(self.shares(found[0]), probabilities(evaluate(graph, tensors, seen)), absolute=1e-5)
        for values in (self.points[None], self.points.astype(">f4"), self.points.astype("f8")):
            self.assertEqual(self.of_array("r.tbn", values, "--top=10"), found)
        labelled = np.hstack([self.points, self.normals, self.points[:, :1]])
        self.write("blanks.txt", self.points, "  ")
        self.write("tabs.pts", self.points, "\t", end="\r\n")
        self.write("commas.csv", self.points, ",")
        self.write("both.txt", self.points, " , ")
        self.write("heading.csv", self.points, ",", "x,y,z\n")
        self.write("remark.xyz", self.points, " ", "# made by hand\n\n")
        self.write("normals.txt", labelled[:, :6])
        self.write("labels.txt", labelled)
        self.write("mark.csv", self.points, ",", "\ufeff")
        for name in ("blanks.txt", "tabs.pts", "commas.csv", "both.txt", "heading.csv", "remark.xyz", "normals.txt",
                     "labels.txt", "mark.csv"):
            with self.subTest(name=name):
                self.assertEqual(self.answers("r.tbn", name, "--top=10"), found)
        self.assertEqual(self.answers("r.tbn", "-", "--top=10", input=(self.folder / "blanks.txt").read_text()), found)
        self.assertEqual(self.answers("runs/r", "blanks.txt", "--top=10"), found)

    def test_clouds_that_are_refused(self):
        self.write("four.txt", np.hstack([self.points, self.points[:, :1]]))
        self.write("two.txt", self.points[:, :2])
        self.write("few.txt", self.points[:5])
        (self.folder / "word.txt").write_text("1 2 3\n" * 20 + "1 two 3\n")
        (self.folder / "inf.txt").write_text("1 2 3\n" * 20 + "1 inf 3\n")
        (self.folder / "head.txt").write_text("x y z\n")
        for sentence, name in (("'four.txt': line 1: 4 numbers; a point of the network has 3", "four.txt"),
                               ("'two.txt': line 1: 2 numbers", "two.txt"), ("'few.txt': 5 points", "few.txt"),
                               ("'word.txt': line 21: 'two' is no number", "word.txt"),
                               ("'inf.txt': line 21: 'inf' is no finite number", "inf.txt"),
                               ("'head.txt': 0 points", "head.txt")):
            with self.subTest(name=name):
                self.refuses(sentence, "r.tbn", name)
        self.refuses_array("r.tbn", "its shape is [40, 5]", np.hstack([self.points, self.normals[:, :2]]))
        self.refuses_array("r.tbn", "holds nan", self.points * np.nan)
        self.refuses_array("r.tbn", "holds nothing, its shape is [0, 3]", self.points[:0])

    def test_kinds_of_objects_have_labels_of_their_own(self):
        rule = self.call_json("tbn-inspect", "parts.tbn")["rule"]["output"]
        self.write("a.txt", self.points)
        for name, first, count in rule["categories"]:
            with self.subTest(name=name):
                found = self.answer("parts.tbn", "a.txt", "--category", name, "--top=100")
                self.assertEqual(len(found["labels"]), 16)
                self.assertLessEqual(set(found["labels"]), set(range(first, first + count)))
                self.assertLessEqual(set(found["points"]), set(range(40)))
                self.assertEqual(len(set(found["points"])), 16)
                counts = {each["label"]: each["share"] * 16 for each in found["shares"]}
                self.assertEqual(counts, {label: found["labels"].count(label) for label in set(found["labels"])})
                self.assertEqual([each["class"] for each in found["shares"]],
                                 [rule["classes"][each["label"]] for each in found["shares"]])
                self.assertEqual(self.answer("runs/parts", "a.txt", "--category", name, "--top=100"), found)
        self.assertEqual(self.predict("parts.tbn", "a.txt", "--category=mug", "--format=csv")[0],
                         "input,class,share")

    def test_category_is_asked_for_and_known(self):
        self.write("a.txt", self.points)
        for form in ("parts.tbn", "runs/parts"):
            self.refuses("give it as --category: 'table', 'chair', 'mug',", form, "a.txt", code=2)
            self.refuses("--category: the network knows no 'chiar' (did you mean 'chair'?)", form, "a.txt",
                         "--category=chiar", code=2)
        self.refuses("--category: the network is told no kind of object", "r.tbn", "a.txt", "--category=chair",
                     code=2)


if __name__ == "__main__":
    main()
