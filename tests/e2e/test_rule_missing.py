"""Packed files without a rule, over the kinds of data: what is taken for granted of their inputs and outputs is
said, and calibration and evaluation do the rest as the run did."""

import shutil

from rule_support import RuleTest, write_csv, write_folders, write_idx
from tools_support import main

GRANTED = "note: '{}' does not say how its inputs are made: those of '{}' are made as by default, or as the command line says ({}){}\n"
PICTURES = ["data.name=image_folder", "data.validation=3", "train.channels_last=false",
            "model={type: resnet_small, channels: [4], strides: [4]}"]
RESIZED = "image, resized bilinearly (as Pillow) to a shorter side of {} pixels, the centre cut out"


class WithoutRule(RuleTest):
    def exported(self, *settings):
        """A run's file without a rule."""
        shutil.rmtree(self.folder / "runs", ignore_errors=True)
        self.run_of(*settings)
        return self.export("runs/r", "none.tbn", "--rule", "none")

    def granted(self, data, steps, order=""):
        return GRANTED.format("none.tbn", data, steps, order)

    def test_pictures_of_the_usual_size(self):
        write_folders(self.folder / "pets", {"train": 6, "test": 4})
        self.exported("data.root=pets", "data.image_size=224", "data.resize=230", *PICTURES)
        order = ", its classes in the order of the data's"
        for tool in (["tbn-eval", "none.tbn"], ["tbn-export", "none.tbn", "-o", "c.tbn", "--calibrate", "4"],
                     ["tbn-export", "none.tbn", "-o", "c", "--format", "c"]):
            with self.subTest(tool=tool):
                done = self.call(*tool, "--root", "pets")
                self.assertIn(self.granted("image_folder", RESIZED.format(256), order), done.stderr)
                self.assertEqual(done.stderr.count("how its inputs are made"), 1)
        done = self.call("tbn-eval", "none.tbn", "--root", "pets", "data.resize=230")
        self.assertIn(self.granted("image_folder", RESIZED.format(230), order), done.stderr)
        self.assertEqual(self.call("tbn-eval", "none.tbn", "--root", "pets", "--quiet").stderr, "")
        notes = self.call_json("tbn-eval", "none.tbn", "--root", "pets")["notes"]
        self.assertIn(self.granted("image_folder", RESIZED.format(256), order), [f"note: {note}\n" for note in notes])
        # A file with a rule says it itself.
        self.export("runs/r", "full.tbn")
        self.assertNotIn("how its inputs", self.call("tbn-eval", "full.tbn", "--root", "pets").stderr)
        self.call("tbn-export", "full.tbn", "-o", "c.tbn", "--calibrate", "4", "--root", "pets")

    def test_pictures_of_another_size_are_asked_about(self):
        write_folders(self.folder / "pets", {"train": 6, "test": 4})
        self.exported("data.root=pets", "data.image_size=24", "data.resize=30", *PICTURES)
        for tool in (["tbn-eval", "none.tbn"], ["tbn-export", "none.tbn", "-o", "c.tbn", "--calibrate", "4"]):
            done = self.call(*tool, "--root", "pets", code=2)
            self.assertIn("does not say how its pictures are resized; give data.resize=...", done.stderr)
            done = self.call(*tool, "--root", "pets", "data.resize=30")
            self.assertIn(self.granted("image_folder", RESIZED.format(30),
                                       ", its classes in the order of the data's"), done.stderr)

    def test_images_of_fixed_size_are_made_in_one_way(self):
        write_idx(self.folder / "idx", 12, 12)
        self.exported("data.root=idx", "data.name=mnist", "data.validation=20", "model={type: mlp, hidden: [8]}")
        for tool in (["tbn-eval", "none.tbn"], ["tbn-export", "none.tbn", "-o", "c.tbn", "--calibrate", "4"]):
            self.assertNotIn("how its inputs", self.call(*tool, "--root", "idx").stderr)
        # Those of another data set are made otherwise, for all that is known.
        done = self.call("tbn-eval", "none.tbn", "--root", "idx", "--data", "fashion_mnist")
        self.assertIn(self.granted("fashion_mnist", "image, as they are stored",
                                   ", its classes in the order of the data's"), done.stderr)

    def test_points(self):
        self.exported("data.name=shapes", "data.points.count=16", "data.train_limit=40", "data.test_limit=20",
                      "data.validation=20", "weights.encoding=float", "model={type: pointnet, width: 0.125}")
        done = self.call("tbn-eval", "none.tbn", "data.test_limit=20")
        self.assertIn("note: 'none.tbn' does not say how its inputs are made: those of 'shapes' are made as by default, "
                      "or as the command line says (points, the mean of the coordinates moved to 0, ", done.stderr)

    def test_series(self):
        write_csv(self.folder / "s.csv")
        self.forecasts = True
        self.exported("data.root=s.csv", "data.name=csv", "data.series.window=24", "data.series.horizon=6",
                      "model={type: tsmixer, depth: 1, hidden: 8}", "weights.encoding=float")
        done = self.call("tbn-eval", "none.tbn", "--root", "s.csv")
        self.assertIn(", its columns in the table's order\n", done.stderr)

    def test_a_file_of_ones_own_data_asks_where_they_are(self):
        write_folders(self.folder / "pets", {"train": 6, "test": 4})
        write_csv(self.folder / "s.csv")
        for settings in (["data.root=pets", "data.image_size=24", *PICTURES],
                         ["data.root=s.csv", "data.name=csv", "data.series.window=24", "data.series.horizon=6",
                          "model={type: tsmixer, depth: 1, hidden: 8}", "weights.encoding=float"]):
            shutil.rmtree(self.folder / "runs", ignore_errors=True)
            self.run_of(*settings)
            self.export()
            done = self.call("tbn-eval", "r.tbn", code=3)
            self.assertIn("; 'r.tbn' does not say where its data are: --root names the place\n", done.stderr)


class BeyondIntegers(RuleTest):
    def test_what_no_ranges_make_integers_of_is_refused_before_any_data_are_read(self):
        write_idx(self.folder / "wide", 182, 182, train=20, test=10)
        self.run_of("data.root=wide", "data.name=mnist", "data.validation=4", "model={type: mlp, hidden: [2]}",
                    "weights.encoding=float")
        sentence = ("step 'linear1': more than 32,768 inputs per output are too many for 32-bit sums of bytes; "
                    "export --form f32")
        self.fails(2, sentence, "tbn-export", "runs/r", "-o", "r.tbn", "--calibrate", "4")
        self.assertFalse((self.folder / "r.tbn").exists())
        self.export()
        for more in (["-o", "c.tbn", "--calibrate", "4"], ["-o", "c", "--format", "c"],
                     ["-o", "c", "--format", "c", "--calibrate", "4"]):
            self.fails(2, sentence, "tbn-export", "r.tbn", "--root", "nowhere", *more)
        self.call("tbn-export", "r.tbn", "-o", "c", "--format", "c", "--form", "f32")


if __name__ == "__main__":
    main()
