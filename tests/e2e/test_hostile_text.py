"""What names of files and what stands in files reaches nobody's terminal as it is: no tool prints a control
character of theirs, and an error stays one line."""

import json
import shutil

from packed_support import with_metadata
from rule_support import CNN, RuleTest, write_csv, write_folders
from tools_support import ROOT, main

PRETRAINED = ROOT / "models" / "pretrained" / "fashion_mnist_resnet_p4.tbn"
# Has no width, clears the screen, ends the line, writes from right to left, and is no UTF-8.
HOSTILE = b"bad\xe2\x80\x8b\x1b[2J\nname\xe2\x80\xae\xff\x9b"
SHOWN = "bad??[2J?name?"
# As the configuration of a run may hold it, which is UTF-8.
HOSTILE_UTF8 = "bad\u200b\x1b[2J\nname\u202e"


class HostileText(RuleTest):
    def setUp(self):
        super().setUp()
        self.name = HOSTILE.decode("utf-8", "surrogateescape")

    def call(self, tool, *arguments, code=0, **options):
        options.setdefault("errors", "surrogateescape")
        done = super().call(tool, *arguments, code=code, **options)
        for text in (done.stderr, done.stdout):
            for sign in text:
                self.assertTrue(sign == "\n" or sign.isprintable(), (arguments, text))
        self.assertNotIn("\x1b", done.stdout)
        return done

    def refused(self, code, tool, *arguments):
        """One line of error, which shows the name without what it would do."""
        done = self.call(tool, *arguments, code=code)
        *notes, error = done.stderr.splitlines()
        self.assertTrue(all(line.startswith("note: ") for line in notes), done.stderr)
        self.assertTrue(error.startswith(f"{tool}: error: "), done.stderr)
        self.assertNotIn("problems", error)
        self.assertIn(SHOWN, error)

    def test_files_that_are_not_there(self):
        tbn = self.name + ".tbn"
        for code, tool, *arguments in (
                (3, "tbn-inspect", tbn), (3, "tbn-eval", tbn), (3, "tbn-export", tbn, "-o", "o.tbn"),
                (3, "tbn-bench", tbn), (3, "tbn-eval", self.name + "/checkpoints/x.safetensors"),
                (2, "tbn-train", "--config", self.name + ".yaml"),
                (2, "tbn-train", "--config", "tiny.yaml", "name=" + HOSTILE_UTF8),
                (2, "tbn-train", "--config", "tiny.yaml", self.name + "=1"),
                (2, "tbn-train", "--config", "tiny.yaml", "--" + self.name),
                (2, "tbn-eval", PRETRAINED, "--backend", self.name),
                (2, "tbn-eval", PRETRAINED, "--split", self.name),
                (2, "tbn-eval", PRETRAINED, "--data", self.name),
                (3, "tbn-eval", PRETRAINED, "--root", HOSTILE_UTF8),
                (3, "tbn-train", "--config", "tiny.yaml", "data.root=" + HOSTILE_UTF8),
                (2, "tbn-export", PRETRAINED, "-o", "o.tbn", "--rule", self.name),
                (2, "tbn-export", PRETRAINED, "-o", "o", "--format", self.name),
                (2, "tbn-export", PRETRAINED, "-o", "o", "--format", "c", "--name", self.name)):
            with self.subTest(arguments=(tool, *arguments)):
                self.refused(code, tool, *arguments)
        self.call("tbn-train", "--config", "tiny.yaml", "--resume=" + self.name, code=2)
        # The sentences on these do not quote it: no UTF-8, and no option of such a network.
        self.call("tbn-eval", PRETRAINED, "--root", self.name, code=2)
        self.call("tbn-export", PRETRAINED, "-o", "o.tbn", "--units", self.name, code=2)

    def test_files_that_are_damaged(self):
        for ending in (".tbn", ".safetensors", ".yaml", ".csv"):
            for name in (self.name, HOSTILE_UTF8):
                (self.folder / (name + ending)).write_bytes(b"[\x1b]")
        for code, tool, *arguments in (
                (3, "tbn-inspect", self.name + ".tbn"), (3, "tbn-eval", self.name + ".tbn"),
                (3, "tbn-eval", self.name + ".safetensors"),
                (2, "tbn-train", "--config", self.name + ".yaml"),
                (3, "tbn-train", "--config", "tiny.yaml", "data.name=csv",
                 "data.root=" + HOSTILE_UTF8 + ".csv", "model={type: dlinear}", "weights.rules=[]")):
            with self.subTest(arguments=(tool, *arguments)):
                self.refused(code, tool, *arguments)

    def test_a_file_and_a_folder_of_such_a_name_do_their_work(self):
        shutil.copy(PRETRAINED, self.folder / (self.name + ".tbn"))
        out = self.call("tbn-inspect", self.name + ".tbn").stdout
        self.assertIn(SHOWN, out)
        out = self.call("tbn-export", self.name + ".tbn", "-o", self.name + "2.tbn").stdout
        self.assertIn(SHOWN, out)
        self.assertIn(SHOWN, self.call("tbn-eval", self.name + ".tbn", "--verify").stdout)
        (self.folder / "data").rename(self.folder / HOSTILE_UTF8)
        out = self.call("tbn-eval", self.name + ".tbn", "--root", HOSTILE_UTF8).stdout
        self.assertIn(SHOWN, out)
        self.assertEqual(json.loads(self.call("tbn-inspect", self.name + ".tbn", "--json").stdout)["path"],
                         HOSTILE_UTF8 + "\ufffd\ufffd.tbn")
        printed = self.call("tbn-train", "--config", "tiny.yaml", "--print-config", "data.root=" + HOSTILE_UTF8)
        self.assertIn(r'root: "bad\u200b\x1b[2J\x0aname\u202e"', printed.stdout)
        self.call("tbn-train", "--config", "tiny.yaml", "train.epochs=1", "data.validation=5",
                  "train.batch_size=5", "data.root=" + HOSTILE_UTF8, "output=" + HOSTILE_UTF8 + "/runs")
        out = self.call("tbn-eval", HOSTILE_UTF8 + "/runs/tiny").stdout
        self.assertIn(SHOWN, out)

    def test_what_stands_in_a_packed_file(self):
        (self.folder / "m.tbn").write_bytes(with_metadata(PRETRAINED, {
            "tbn.trained_on": "a\u001b[2J\nb\u202e", "k\u001b[2J\ny\u009b": "v", "tbn.input": None}))
        out = self.call("tbn-inspect", "m.tbn").stdout
        self.assertIn("tbn.trained_on: a?[2J?b?\n", out)
        self.assertIn("k?[2J?y?: v\n", out)
        done = self.call("tbn-eval", "m.tbn", "--root", "data", code=2)
        self.assertEqual(done.stderr.count("\n"), 1)
        self.call("tbn-export", "m.tbn", "-o", "n.tbn")
        self.call("tbn-inspect", "m.tbn", "--json")

    def test_what_is_plain_text_of_any_language_is_shown_as_it_is(self):
        (self.folder / "m.tbn").write_bytes(with_metadata(PRETRAINED, {
            "tbn.trained_on": "r\u00e9d \u96ea\u202e", "tbn.input": None}))
        self.assertIn("tbn.trained_on: r\u00e9d \u96ea?\n", self.call("tbn-inspect", "m.tbn").stdout)
        done = self.call("tbn-eval", "m.tbn", "--root", "data", code=2)
        self.assertIn("was trained on 'r\u00e9d \u96ea?', which this tbn does not know", done.stderr)
        done = self.call("tbn-export", "m.tbn", "-o", "r\u00e9d.pt", code=2)
        self.assertIn("--output: 'r\u00e9d.pt' is named as another format", done.stderr)

    def test_pictures_and_tables(self):
        write_folders(self.folder / "pets", {"train": 4, "test": 4})
        settings = ["data.root=pets", "data.name=image_folder", "data.image_size=24",
                    "data.validation=3", *CNN]
        self.run_of(*settings)
        (self.folder / "pets" / "test" / "blue" / (self.name + ".jpg")).write_bytes(b"no JPEG")
        self.refused(3, "tbn-eval", "runs/r", "--root", "pets")
        done = self.call("tbn-eval", "runs/r", "--root", "pets", "data.on_error=skip")
        self.assertIn(SHOWN, done.stderr)
        write_csv(self.folder / "s.csv")
        table = (self.folder / "s.csv").read_text().replace("load", "lo\x1bad", 1)
        (self.folder / "s.csv").write_text(table.replace("00:00,", "00:00\x1b,", 3))
        self.call("tbn-train", "--config", "tiny.yaml", "data.name=csv", "data.root=s.csv",
                  "model={type: dlinear}", "weights.rules=[]", code=3)

    def test_a_header_of_metrics_that_somebody_changed(self):
        self.train("train.epochs=1", "train.batch_size=5", "data.validation=5")
        metrics = self.run_folder / "metrics.csv"
        metrics.write_bytes(metrics.read_bytes().replace(b"epoch", b"ep\x1b[2Joch", 1))
        done = self.call("tbn-train", "--config", "tiny.yaml", "train.epochs=2", "data.validation=5",
                         "train.batch_size=5", "--resume", code=3)
        self.assertIn("ep?[2Joch", done.stderr)


if __name__ == "__main__":
    main()
