"""tbn-predict, whatever it is given: its formats, its order, its options; a sentence and an exit code."""

import csv
import json
import math
import os
import random
import shutil
import subprocess

import numpy as np

from packed_ops import evaluate
from predict_support import HOSTILE, HIDDEN, PICTURES, probabilities, view_by_pillow, Predict
from read_packed import read_packed
from rule_support import write_folders
from tools_support import main


class Output(Predict):
    """What is written, of which inputs, in which order."""

    def make(self):
        write_folders(self.folder / "pets", {"train": 8, "test": 3})
        self.run_of(*PICTURES)
        self.export()
        self.export("runs/r", "ranges.tbn", "--calibrate", "9", "--root", "pets")

    def setUp(self):
        super().setUp()
        self.good = "pets/test/green/0.jpg"

    def names(self, *arguments, **options):
        return [each["input"] for each in self.documents("r.tbn", *arguments, **options)]

    def test_csv_quotes_what_needs_it(self):
        names = ['a,"b".jpg', "a b.jpg", "\u96ea.jpg"]
        for name in names:
            shutil.copy(self.folder / self.good, self.folder / name)
        rows = list(csv.reader(self.predict("r.tbn", *names, "--format=csv", "--top=2")))
        self.assertEqual(rows[0], ["input", "class", "probability", "class_2", "probability_2"])
        self.assertEqual([row[0] for row in rows[1:]], names)
        found = self.document("r.tbn", self.good, "--top=2")
        for row in rows[1:]:
            self.assertEqual(row[1::2], [each["class"] for each in found["top"]])
            self.assert_near([float(cell) for cell in row[2::2]],
                             [each["probability"] for each in found["top"]], absolute=1e-6)

    def test_json_has_a_document_per_input_with_errors_in_their_place(self):
        (self.folder / "broken.jpg").write_bytes((self.folder / self.good).read_bytes()[:400])
        arguments = ["r.tbn", self.good, "broken.jpg", "nowhere.jpg", self.good]
        documents = self.documents(*arguments, code=3)
        self.assertEqual([each["input"] for each in documents], arguments[1:])
        for each in documents[1:3]:
            self.assertEqual(set(each), {"input", "error"})
            self.assertIn(f"'{each['input']}'", each["error"])
        self.assertEqual(documents[0], documents[3])
        self.assertIn("tbn-predict: 2 of 4 inputs", self.said)
        self.assertEqual(self.said.count("\n"), 3)
        done = self.call("tbn-predict", *arguments, "--json", code=3)
        whole = json.loads(done.stdout)
        self.assertEqual(whole, {"path": "r.tbn", "predictions": documents})
        # Where lines have no place for an error they are left out.
        for form in ("text", "csv"):
            lines = self.predict(*arguments, "--format", form, code=3)
            self.assertEqual(lines[-1], lines[-2])
            self.assertEqual(len(lines), 2 if form == "text" else 3)

    def test_hostile_names_are_escaped(self):
        content = (self.folder / self.good).read_bytes()
        for name, shown in HOSTILE.items():
            for broken in (False, True):
                with self.subTest(name=name, broken=broken):
                    with open(os.fsencode(self.folder) + b"/" + name, "wb") as file:
                        file.write(content[:300] if broken else content)
                    arguments = ["r.tbn", os.fsdecode(name)]
                    (document,) = self.documents(*arguments, code=3 if broken else 0)
                    self.assertEqual(document["input"], name.decode("utf-8", "replace"))
                    self.assertEqual("error" in document, broken)
                    for form in ("text", "csv", "jsonl"):
                        lines = self.predict(*arguments, "--format", form, code=3 if broken else 0)
                        self.assertEqual(len(lines), {"text": 1, "csv": 2, "jsonl": 1}[form]
                                         - (broken and form != "jsonl"))
                        for line in (*lines, *self.said.splitlines()):
                            self.assertFalse(set(line) & (HIDDEN - {"\ufffd"} if form == "jsonl" else HIDDEN), line)
                        if broken:
                            self.assertIn(shown, self.said)
                        elif form != "jsonl":
                            self.assertTrue(lines[-1].startswith(shown + ("\t" if form == "text" else ",")), lines)

    def test_text_and_more_classes_than_there_are(self):
        found = self.document("r.tbn", self.good, "--top=9")
        self.assertEqual(sorted(each["label"] for each in found["top"]), [0, 1, 2])
        self.assertAlmostEqual(sum(each["probability"] for each in found["top"]), 1, delta=1e-6)
        self.assertEqual((found["class"], found["label"], found["probability"]),
                         tuple(found["top"][0][key] for key in ("class", "label", "probability")))
        self.assertEqual(sorted(self.shares(found), reverse=True), [each["probability"] for each in found["top"]])
        expected = "".join(f"\t{each['class']} {each['probability']:.4f}" for each in found["top"])
        self.assertEqual(self.predict("r.tbn", self.good, "--top=9"), [self.good + expected])
        head, line = self.predict("r.tbn", self.good, "--top=9", "--format=csv")
        self.assertEqual(head, "input,class,probability,class_2,probability_2,class_3,probability_3")
        self.assertEqual(line.count(","), 6)

    def test_batches_change_nothing(self):
        (self.folder / "pets/test/green/x.jpg").write_text("none")
        found = self.predict("r.tbn", "pets/test", "--format=jsonl", code=3)
        self.assertEqual(len(found), 10)
        for size in (1, 2, 7, 10, 100000):
            with self.subTest(size=size):
                self.assertEqual(self.predict("r.tbn", "pets/test", "--format=jsonl", "--batch-size", size, code=3),
                                 found)
        self.assertEqual(self.predict("r.tbn", "pets/test", "--format=jsonl", "--threads=1", code=3), found)

    def test_order_of_inputs_and_what_folders_hold(self):
        for name in ("f/b/2.JPG", "f/b/10.jpg", "f/a.png.jpg", "f/.hidden.jpg", "f/.git/x.jpg", "f/c/d/e/1.JPEG",
                     "f/c/notes.txt", "f/c/jpg", "z.jpg"):
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.folder / self.good, self.folder / name)
        np.save(self.folder / "f/b/k.npy", np.zeros((2, 3, 24, 24), "u1"))
        os.mkfifo(self.folder / "f/pipe.jpg")
        (self.folder / "f/lost.jpg").symlink_to("nowhere.jpg")
        (self.folder / "f/loop").symlink_to(".")
        inside = ["f/a.png.jpg", "f/b/10.jpg", "f/b/2.JPG", "f/b/k.npy[0]", "f/b/k.npy[1]", "f/c/d/e/1.JPEG"]
        self.assertEqual(self.names("f"), inside)
        self.assertEqual(self.names("z.jpg", "f", self.good, "z.jpg"), ["z.jpg", *inside, self.good, "z.jpg"])
        # What is named itself is taken, whatever its name.
        self.assertEqual(self.names("f/.hidden.jpg", "f/c/jpg", "f/c/notes.txt"),
                         ["f/.hidden.jpg", "f/c/jpg", "f/c/notes.txt"])
        self.assertEqual(self.names("f/.git"), ["f/.git/x.jpg"])

    def test_folders_behind_links_are_seen_as_tbn_eval_sees_them(self):
        (self.folder / "linked" / "test").mkdir(parents=True)
        for name in ("blue", "green", "r\u00e9d"):
            (self.folder / "linked/test" / name).symlink_to(self.folder / "pets/test" / name)
        found = self.documents("r.tbn", "linked/test")
        self.assertEqual(len(found), 9)
        self.assert_same_as_eval("r.tbn", "linked", found)

    def test_backends(self):
        graph, tensors = read_packed(self.folder / "ranges.tbn")
        expected = probabilities(evaluate(graph, tensors, view_by_pillow(self.folder / self.good)))
        for backend, tolerance in (("exact", 1e-5), ("reference", 1e-5), ("int8", 0.05), ("micro", 0.1)):
            with self.subTest(backend=backend):
                documents = self.documents("ranges.tbn", "pets/test", "--top=3", "--backend", backend)
                found = next(each for each in documents if each["input"] == self.good)
                self.assert_near(self.shares(found), expected, absolute=tolerance)
                labels = np.arange(9) // 3
                loss = -np.mean([math.log(self.shares(each)[label]) for each, label in zip(documents, labels)])
                measured = self.assert_same_as_eval("ranges.tbn", "pets", documents, "--backend", backend)
                self.assertAlmostEqual(measured, loss, delta=1e-4)
        self.refuses("carries no ranges for --backend micro; export it again with --calibrate 512", "r.tbn", self.good,
                     "--backend=micro", code=2)


class Errors(Predict):
    def make(self):
        write_folders(self.folder / "pets", {"train": 4, "test": 2})
        self.run_of(*PICTURES, "train.epochs=1")
        self.export("runs/r", "r.tbn", "--calibrate", "9", "--root", "pets")

    def setUp(self):
        super().setUp()
        self.good = "pets/test/green/0.jpg"

    def test_command_lines_that_say_too_little_or_nonsense(self):
        for sentence, *arguments in (
                ("which run directory, checkpoint or .tbn file?",),
                ("which inputs?", "r.tbn"),
                ("which inputs?", "runs/r"),
                ("--format: 'xml' is not one of text, csv, jsonl", "r.tbn", self.good, "--format=xml"),
                ("--top", "r.tbn", self.good, "--top=0"), ("--top", "r.tbn", self.good, "--top=-1"),
                ("--top", "r.tbn", self.good, "--top=many"),
                ("--batch-size", "r.tbn", self.good, "--batch-size=0"),
                ("give one of them", "r.tbn", self.good, "--json", "--format=csv"),
                ("--backend: 'fast' is not one of", "r.tbn", self.good, "--backend=fast"),
                ("--precision", "r.tbn", self.good, "--precision=bf16"),
                ("--device", "r.tbn", self.good, "--device=tpu")):
            with self.subTest(arguments=arguments):
                self.refuses(sentence, *arguments, code=2)
                self.assertTrue(self.said.startswith("tbn-predict: error: "), self.said)

    def test_options_that_would_do_nothing(self):
        for option in (["--kernel=gemv"], ["--backend=micro", "--device=cuda"], ["--backend=micro", "--kernel=gemv"],
                       ["--backend=micro", "--precision=bf16"]):
            with self.subTest(option=option):
                self.assertEqual(self.predict("r.tbn", self.good, *option, code=2), [])

    def test_inputs_that_are_not_there_and_others_go_on(self):
        lines = self.predict("r.tbn", "nowhere.jpg", self.good, "pets/tset", code=3)
        self.assertEqual([line.split("\t")[0] for line in lines], [self.good])
        first, second, last = self.said.splitlines()
        self.assertTrue(first.startswith("tbn-predict: error: there is no 'nowhere.jpg'"), first)
        self.assertTrue(second.startswith("tbn-predict: error: there is no 'pets/tset'"), second)
        self.assertIn("2 of 3 inputs", last)
        self.refuses("there is no ''", "r.tbn", "")

    def test_pictures_that_are_damaged_or_none(self):
        whole = (self.folder / self.good).read_bytes()
        for name, content in (("cut.jpg", whole[:len(whole) // 2]), ("head.jpg", whole[:30]), ("two.jpg", whole[:2]),
                              ("void.jpg", b""), ("text.jpg", b"no picture"), ("gif.jpg", b"GIF89a" + bytes(20)),
                              ("noise.jpg", whole[:2] + random.Random(1).randbytes(2000)),
                              ("model.jpg", (self.folder / "r.tbn").read_bytes())):
            with self.subTest(name=name):
                (self.folder / name).write_bytes(content)
                lines = self.predict("r.tbn", self.good, name, self.good, code=3)
                self.assertEqual([line.split("\t")[0] for line in lines], [self.good] * 2)
                first, last = self.said.splitlines()
                self.assertTrue(first.startswith(f"tbn-predict: error: '{name}': "), first)
                self.assertIn("1 of 3 inputs", last)

    def test_folders_and_standard_input_without_anything(self):
        (self.folder / "void").mkdir()
        (self.folder / "void" / "notes.txt").write_text("none")
        self.refuses("'void': the folder holds no picture", "r.tbn", "void")
        self.refuses("'-': the standard input is empty", "r.tbn", "-", stdin=subprocess.DEVNULL)
        lines = self.predict("r.tbn", "void", self.good, code=3)
        self.assertEqual(len(lines), 1)
        self.refuses("'-': ", "r.tbn", "-", input="no picture")

    def test_models_that_are_none(self):
        (self.folder / "void").mkdir()
        (self.folder / "text.tbn").write_text("none")
        (self.folder / "cut.tbn").write_bytes((self.folder / "r.tbn").read_bytes()[:700])
        for name in ("void", "pets", "nowhere", "nowhere.tbn", "text.tbn", "cut.tbn", self.good):
            with self.subTest(name=name):
                self.refuses(name, name, self.good, code=3)
                self.assertTrue(self.said.startswith("tbn-predict: error: "), self.said)
        self.refuses("--max-memory", "r.tbn", self.good, "--max-memory=100")

    def test_a_packed_file_of_any_name_is_one(self):
        """As for tbn-eval."""
        shutil.copy(self.folder / "r.tbn", self.folder / "network")
        self.call("tbn-eval", "network", "--root", "pets")
        self.assertEqual(self.predict("network", self.good), self.predict("r.tbn", self.good))

    def test_pipes_and_devices_are_not_waited_for(self):
        os.mkfifo(self.folder / "pipe")
        os.mkfifo(self.folder / "pipe.tbn")
        for arguments in (["r.tbn", "pipe"], ["r.tbn", "/dev/zero"], ["r.tbn", "/dev/null"], ["pipe", self.good],
                          ["pipe.tbn", self.good], ["/dev/zero", self.good]):
            with self.subTest(arguments=arguments):
                tool = self.start("tbn-predict", *arguments, stdin=subprocess.DEVNULL)
                try:
                    out, said = tool.communicate(timeout=30)
                except subprocess.TimeoutExpired:
                    tool.kill()
                    tool.communicate()
                    self.fail(f"it waits: {arguments}")
                self.assertEqual((tool.returncode, out), (3, ""))
                self.assertRegex(said, "^tbn-predict: .* regular file\n$")


if __name__ == "__main__":
    main()
