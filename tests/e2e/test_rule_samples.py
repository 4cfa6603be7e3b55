"""Which samples a figure is measured on: one rule for a run, its checkpoint and its packed file, whichever data
set, split and settings are named, and no figure of no samples."""

import shutil

from rule_support import CNN, RuleTest, write_folders, write_idx
from tools_support import main

FORMS = ("runs/r", "runs/r/checkpoints/best.safetensors", "r.tbn", "again.tbn")
MLP = "model={type: mlp, hidden: [8]}"


class Samples(RuleTest):
    def trained(self, *settings):
        self.run_of(*settings)
        self.export()
        self.export("r.tbn", "again.tbn")

    def figures(self, *arguments):
        """What each form of the network says, which must be one thing: its metrics, and its notes without the
        form's name."""
        said = []
        for form in FORMS:
            found = self.call_json("tbn-eval", form, *arguments)
            checkpoint = "runs/r/checkpoints/best.safetensors"
            notes = [note.replace(checkpoint if form.startswith("runs") else form, "X")
                     for note in found["notes"]]
            metrics = found["metrics"]
            said.append((round(metrics["top1"], 3), metrics["images"], notes, found["overridden"]))
        for form, each in zip(FORMS, said):
            self.assertEqual(each, said[0], f"{form} {arguments}")
        return said[0]

    def refused(self, sentence, *arguments, code=2):
        for form in FORMS:
            done = self.call("tbn-eval", form, *arguments, code=code)
            self.assertIn(sentence, done.stderr)
            self.assertEqual(done.stdout, "")


class Stored(Samples):
    """Images in memory: fashion_mnist, and another data set in the same format."""

    def setUp(self):
        super().setUp()
        write_idx(self.folder / "f", 8, 8, 120, 60)
        write_idx(self.folder / "m", 8, 8, 140, 70)
        self.own = ["data.root=f", "data.name=fashion_mnist", "data.validation=30", "data.split_seed=5",
                    "data.train_limit=40", "data.test_limit=20", MLP]

    def test_of_another_data_set_run_and_file_read_the_same_samples_and_say_which(self):
        self.trained(*self.own)
        other = ["--data=mnist", "--root=m", "--match=places"]
        for more, count, said in (
                ([], 70, "(data.test_limit=0)"),
                (["data.test_limit=9"], 9, "(data.test_limit=9)"),
                (["--split=validation", "data.validation=50"], 50,
                 "(data.validation=50, data.split_seed=1, data.train_limit=0)"),
                (["--split=train", "data.validation=50"], 90,
                 "(data.validation=50, data.split_seed=1, data.train_limit=0)")):
            with self.subTest(more=more):
                _, images, notes, overridden = self.figures(*other, *more)
                self.assertEqual((images, overridden), (count, []))
                self.assertIn("'X' was trained on 'fashion_mnist': of 'mnist' those samples are read that the "
                              f"command line and the defaults say {said}, whichever it knew of its own", notes)
        self.assertEqual(self.figures("--root=f")[1:], (20, [], []))

    def test_another_data_set_is_not_looked_for_where_the_own_one_lies(self):
        """Both have files of the same names."""
        self.trained(*self.own)
        self.refused("not found", "--data=mnist", "--match=places", code=3)

    def test_a_setting_is_judged_beside_what_the_rule_says(self):
        self.trained(*self.own)
        for arguments, count in ((["data.limits=first"], 20), (["data.split_seed=6"], 20),
                                 (["data.limits=first", "--split=train"], 40),
                                 (["data.split_seed=6", "--split=train"], 40)):
            with self.subTest(arguments=arguments):
                _, images, _, overridden = self.figures("--root=f", *arguments)
                self.assertEqual((images, overridden), (count, [arguments[0].split("=")[0]]))
        lone = "does nothing without a limit on the samples that are read"
        self.refused(lone, "--root=f", "data.limits=first", "data.test_limit=0")
        self.refused(lone, "--data=mnist", "--root=m", "data.limits=first")


class Folders(Samples):
    def setUp(self):
        super().setUp()
        write_folders(self.folder / "pets", {"train": 6, "test": 4},
                      ("blue", "green", "gro\u00dfe_ente"))

    def trained_with(self, validation):
        self.trained("data.root=pets", "data.name=image_folder", "data.image_size=24", "data.resize=30",
                     f"data.validation={validation}", *CNN)

    def test_there_is_no_figure_of_no_samples(self):
        self.trained_with(0)
        empty = ("the validation split of data set 'image_folder' has no samples, since data.validation=0 holds "
                 "none out of training; name another with --split")
        for options in ([], ["--json"], ["--quiet"]):
            self.refused(empty, "--split=validation", "--root=pets", *options)
        for backend in ("exact", "int8", "reference"):
            done = self.call("tbn-eval", "r.tbn", "--split=validation", "--root=pets", "--backend", backend,
                             code=2)
            self.assertIn(empty, done.stderr)
        self.assertEqual(self.figures("--root=pets", "--split=train")[1], 18)
        self.trained_again(3)
        self.assertEqual(self.figures("--root=pets", "--split=validation")[1], 3)
        self.refused(empty, "--root=pets", "--split=validation", "data.validation=0")

    def trained_again(self, validation):
        shutil.rmtree(self.folder / "runs")
        self.trained_with(validation)

    def test_where_none_is_held_out_other_training_samples_are_only_told(self):
        self.trained_with(0)
        (self.folder / "pets" / "train" / "blue").rename(self.folder / "pets" / "train" / "zblau")
        (self.folder / "pets" / "test" / "blue").rename(self.folder / "pets" / "test" / "zblau")
        told = "knew 18 train samples"
        for form in FORMS:
            done = self.call("tbn-eval", form, "--root=pets", "--split=train", "--match=places")
            self.assertIn(told, done.stderr)
            done = self.call("tbn-export", form, "-o", "c.tbn", "--calibrate", "4", "--root=pets",
                             "--match=places")
            self.assertIn(told, done.stderr)

    def test_calibration_is_content_with_other_training_samples_and_a_figure_is_not(self):
        self.trained_with(3)
        (self.folder / "pets" / "train" / "blue").rename(self.folder / "pets" / "train" / "zblau")
        (self.folder / "pets" / "test" / "blue").rename(self.folder / "pets" / "test" / "zblau")
        for form in FORMS:
            done = self.call("tbn-export", form, "-o", "c.tbn", "--calibrate", "4", "--root=pets",
                             "--match=places")
            self.assertIn("knew 18 train samples", done.stderr)
        for split in ("train", "validation"):
            self.refused("other samples would be held out", "--root=pets", "--match=places",
                         f"--split={split}", code=3)

    def test_a_table_of_classes_has_their_names(self):
        self.trained_with(3)
        for form in FORMS:
            table = self.call("tbn-eval", form, "--root=pets", "--per-class").stdout.split("\n\n")[1]
            lines = table.splitlines()
            self.assertEqual([line.split()[0] for line in lines], ["class", "blue", "green", "gro\u00dfe_ente"])
            self.assertEqual(len({len(line) for line in lines}), 1, table)


if __name__ == "__main__":
    main()
