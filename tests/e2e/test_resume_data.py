"""What a resumed run makes of data that is no longer what it began with: it is read as the run began, or
refused, and every file of the run says the same of it."""

import json
import shutil

from rule_support import CNN, RuleTest, write_csv, write_folders
from tools_support import ToolTest, main, read_safetensors_header


def metadata(run, name):
    return read_safetensors_header(run / "checkpoints" / f"{name}.safetensors")["__metadata__"]


def contents(run):
    """The files that say what the run is, with their bytes."""
    names = ["checkpoints/best.safetensors", "checkpoints/last.safetensors", "summary.json", "config.yaml",
             "environment.json"]
    return {name: (run / name).read_bytes() for name in names}


class Tables(RuleTest):
    def setUp(self):
        super().setUp()
        self.run = self.folder / "runs" / "r"
        self.csv = self.folder / "s.csv"
        write_csv(self.csv)
        self.run_of("data.root=s.csv", "data.name=csv", "data.series.window=24", "data.series.horizon=6",
                    "model={type: dlinear, kernel: 5}", "train.epochs=2")
        self.before = contents(self.run)
        self.input = metadata(self.run, "last")["tbn.input"]

    def resume(self, *settings, **options):
        return self.call("tbn-train", "--resume", "runs/r", *settings, **options).stdout

    def elsewhere_and_in_place(self, **changes):
        """The settings under which the changed table is met."""
        write_csv(self.folder / "changed.csv", **changes)
        yield ["data.root=changed.csv"]
        write_csv(self.csv, **changes)
        yield []

    def test_where_nothing_is_left_to_train_no_file_changes(self):
        for settings in self.elsewhere_and_in_place(scale=100):
            with self.subTest(settings=settings):
                said = self.resume(*settings)
                self.assertIn("3 of 3 columns have other values than the network was trained on", said)
                self.assertIn("nothing was left to train: the run's files stay as they are, with the test mse ",
                              said)
                self.assertEqual(contents(self.run), self.before)
        write_csv(self.csv)
        self.assertRegex(self.resume(), "nothing was left to train: the run's files stay as they are\n")
        self.assertEqual(contents(self.run), self.before)

    def test_what_is_trained_on_goes_by_the_means_of_then(self):
        for epochs, settings in enumerate(self.elsewhere_and_in_place(scale=100), 3):
            with self.subTest(settings=settings):
                said = self.resume(*settings, f"train.epochs={epochs}")
                self.assertIn("3 of 3 columns have other values than the network was trained on", said)
                for name in ("last", "best"):
                    self.assertEqual(metadata(self.run, name)["tbn.input"], self.input)
                summary = json.loads((self.run / "summary.json").read_text())
                evaluated = self.call_json("tbn-eval", "runs/r")["metrics"]["mse"]
                self.assertAlmostEqual(evaluated, summary["test"]["mse"], delta=1e-5 * evaluated)

    def test_columns_go_by_name_and_rows_that_came_later_are_left(self):
        first = json.loads((self.run / "summary.json").read_text())["test"]
        for changes, note in (({"order": (2, 0, 1)}, "another order"),
                              ({"rows": 500}, "the table has 500 rows")):
            for settings in self.elsewhere_and_in_place(**changes):
                with self.subTest(changes=changes, settings=settings):
                    self.assertIn(note, self.resume(*settings))
                    again = self.call_json("tbn-train", "--resume", "runs/r", *settings)["test"]
                    self.assertAlmostEqual(again["mse"], first["mse"], delta=1e-6)
                    self.assertEqual(again["samples"], first["samples"])
                    self.assertEqual(contents(self.run), self.before)

    def test_a_table_that_the_network_cannot_read_is_refused(self):
        text = self.csv.read_text()
        (self.folder / "s.csv").write_text(text.replace("oil", "gas", 1))
        self.assertIn("has no column 'oil'", self.call("tbn-train", "--resume", "runs/r", "train.epochs=3",
                                                       code=3).stderr)
        self.csv.write_text("\n".join(text.splitlines()[:300]) + "\n")
        self.assertIn("as the network recorded them", self.call("tbn-train", "--resume", "runs/r",
                                                                "train.epochs=3", code=3).stderr)
        self.assertEqual(contents(self.run), self.before)


class Images(ToolTest):
    def test_images_of_other_means_are_refused_with_both(self):
        self.train("train.epochs=1")
        before = contents(self.run_folder)
        path = self.folder / "data" / "train-images-idx3-ubyte"
        data = path.read_bytes()
        path.write_bytes(data[:16] + bytes(byte // 2 for byte in data[16:]))
        failed = self.train("train.epochs=2", "--resume", code=3).stderr
        self.assertRegex(failed, r"its network normalises images of means [\d.]+ and deviations [\d.]+, and the "
                                 r"training images at hand have [\d.]+ and [\d.]+; a run goes on with the images")
        self.assertEqual(contents(self.run_folder), before)
        # Without them there is nothing of the images in the network.
        self.train("train.epochs=1", "data.normalize=false", "name=raw")
        self.train("train.epochs=2", "data.normalize=false", "name=raw", "--resume")


class Folders(RuleTest):
    PETS = ["data.root=pets", "data.name=image_folder", "data.image_size=24", "data.resize=30", *CNN]

    def setUp(self):
        super().setUp()
        self.pets = self.folder / "pets"
        self.run = self.folder / "runs" / "r"

    def write(self, **counts):
        write_folders(self.pets, counts)

    def test_after_a_resume_elsewhere_the_figure_is_that_of_the_summary(self):
        """With a rate of nearly nothing no epoch beats the first."""
        self.write(train=6, test=4)
        self.run_of(*self.PETS, "data.validation=3", "optim.lr=1e-30", "weights.encoding=float")
        more = self.folder / "more"
        shutil.copytree(self.pets, more)
        for i in range(3):
            shutil.copy(more / "test" / "blue" / f"{i}.jpg", more / "test" / "blue" / f"new{i}.jpg")
        done = self.call("tbn-train", "--resume", "runs/r", "data.root=more", "train.epochs=3")
        self.assertIn("knew 12 test samples, and there are 15 now", done.stdout)
        summary = json.loads((self.run / "summary.json").read_text())
        self.assertEqual(summary["best_epoch"], 1)
        self.assertEqual((summary["data"], summary["root"]), ("image_folder", "more"))
        self.assertIn("\n  root: more\n", (self.run / "config.yaml").read_text())
        best = metadata(self.run, "best")
        self.assertIn("\n  root: more\n", best["tbn.config"])
        self.assertIn("\n  epochs: 1\n", best["tbn.config"])
        self.assertEqual(json.loads(best["tbn.measured"])["count"]["test"], 15)
        evaluated = self.call("tbn-eval", "runs/r", "--json")
        self.assertNotIn("note", evaluated.stderr)
        metrics = json.loads(evaluated.stdout)["metrics"]
        self.assertEqual(sum(row["images"] for row in metrics["per_class"]), 15)
        self.assertEqual(metrics["top1"], summary["test"]["top1"])

    def test_data_with_a_validation_folder_holds_nothing_out(self):
        self.write(train=6, val=5, test=4)
        self.run_of(*self.PETS, "data.validation=3")
        split = json.loads(metadata(self.run, "best")["tbn.measured"])["split"]
        self.assertEqual((split["validation"], split["seed"]), (0, 0))
        self.export()
        for what in ("runs/r", "r.tbn"):
            root = [] if what == "runs/r" else ["--root", "pets"]
            read = self.call_json("tbn-eval", what, *root, "--split", "validation")
            self.assertEqual(sum(row["images"] for row in read["metrics"]["per_class"]), 15)
            self.assertEqual(read["notes"], [])
            for setting in ("data.validation=5", "data.split_seed=7"):
                self.fails(2, f"{setting.split('=')[0]}: does nothing for data with a validation split of its own; "
                              "leave it out", "tbn-eval", what, *root, "--split", "validation", setting)
        said = "data.validation does nothing for data with a validation split of its own; leave it out\n"
        log = (self.run / "train.log").read_text()
        self.assertIn(said, log)
        self.run_of(*self.PETS, "name=plain")
        self.assertNotIn("does nothing", (self.folder / "runs" / "plain" / "train.log").read_text())

    def test_a_limit_by_class_is_drawn_by_the_seed_beside_a_validation_folder(self):
        self.write(train=6, val=5, test=4)
        self.run_of(*self.PETS, "data.train_limit=9", "data.split_seed=4")
        split = json.loads(metadata(self.run, "best")["tbn.measured"])["split"]
        self.assertEqual((split["validation"], split["seed"]), (0, 4))
        self.assertNotIn("does nothing", (self.run / "train.log").read_text())

    def test_a_validation_folder_that_came_later_or_went_is_refused(self):
        self.write(train=6, test=4)
        self.run_of(*self.PETS, "data.validation=3")
        shutil.copytree(self.pets / "test", self.pets / "val")
        came = "held its validation samples out of training, and the data has a validation split of its own now"
        resume = ["tbn-train", "--resume", "runs/r", "train.epochs=2"]
        self.assertIn(came, self.call(*resume, code=3).stderr)
        self.assertIn(came, self.call("tbn-eval", "runs/r", "--split", "validation", code=3).stderr)
        self.call("tbn-eval", "runs/r")
        self.run_of(*self.PETS, "data.validation=3", "name=own")
        shutil.rmtree(self.pets / "val")
        went = "was trained beside a validation split of the data's own, and there is none now"
        resume[2] = "runs/own"
        self.assertIn(went, self.call(*resume, code=3).stderr)


if __name__ == "__main__":
    main()
