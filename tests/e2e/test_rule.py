"""A packed file is enough to use it: what a run knows of its data goes into its checkpoints and its packed
file, and whoever has another data set under the same name is told."""

import ctypes
import json
import resource
import shutil

from PIL import Image

from packed_support import with_metadata
from rule_support import CNN, NOTHING, RuleTest, write_csv, write_folders
from tools_support import bin_folder, main, read_safetensors_header


class Series(RuleTest):
    forecasts = True

    def setUp(self):
        super().setUp()
        write_csv(self.folder / "s.csv")
        self.run_of("data.root=s.csv", "data.name=csv", "data.series.window=24",
                    "data.series.horizon=6", "model={type: tsmixer, depth: 1, hidden: 8}",
                    "weights.encoding=float")
        self.export()

    def mse(self, what, csv, **options):
        return self.call_json("tbn-eval", what, "--root", csv, **options)["metrics"]["mse"]

    def test_a_file_takes_original_values_and_says_its_columns(self):
        header = read_safetensors_header(self.folder / "r.tbn")["__metadata__"]
        rule = json.loads(header["tbn.input"])
        self.assertEqual((rule["columns"], rule["seconds"], rule["units"], rule["steps"]),
                         (["load", "oil", "wind"], 3600, "graph", []))
        self.assertIn("units", header["tbn.features"])
        self.assertEqual(json.loads(header["tbn.measured"])["rows"], [280, 40, 80])
        self.export("runs/r", "plain.tbn", "--units", "standardised")
        header = read_safetensors_header(self.folder / "plain.tbn")["__metadata__"]
        self.assertNotIn("units", header["tbn.features"])
        steps = json.loads(header["tbn.input"])["steps"]
        self.assertEqual([len(steps[0][key]) for key in ("mean", "deviation")], [3, 3])
        self.assertAlmostEqual(self.mse("plain.tbn", "s.csv"), self.mse("r.tbn", "s.csv"), places=4)

    def test_columns_in_another_order_are_taken_by_name(self):
        write_csv(self.folder / "permuted.csv", order=(2, 0, 1))
        for what in ("runs/r", "r.tbn"):
            self.assertAlmostEqual(self.mse(what, "permuted.csv"), self.mse(what, "s.csv"), places=4)
        self.assertIn("another order",
                      self.call("tbn-eval", "r.tbn", "--root", "permuted.csv").stderr)

    def test_rows_that_came_later_change_no_figure(self):
        write_csv(self.folder / "longer.csv", rows=480)
        for what in ("runs/r", "r.tbn"):
            self.assertAlmostEqual(self.mse(what, "longer.csv"), self.mse(what, "s.csv"), places=4)

    def test_other_units_are_told_and_change_the_figure(self):
        write_csv(self.folder / "other.csv", scale=1000, shift=50000)
        for what in ("runs/r", "r.tbn"):
            done = self.call("tbn-eval", what, "--root", "other.csv")
            self.assertIn("note: ", done.stderr)
            self.assertGreater(self.mse(what, "other.csv"), 100 * self.mse(what, "s.csv"))

    def test_a_column_that_is_missing_is_refused(self):
        lines = (self.folder / "s.csv").read_text().replace("oil", "gas", 1)
        (self.folder / "gas.csv").write_text(lines)
        for what in ("runs/r", "r.tbn"):
            done = self.call("tbn-eval", what, "--root", "gas.csv", code=3)
            self.assertIn("'oil'", done.stderr)


class Classes(RuleTest):
    def setUp(self):
        super().setUp()
        self.pets = self.folder / "pets"
        write_folders(self.pets, {"train": 6, "test": 4})
        self.run_of("data.root=pets", "data.name=image_folder", "data.image_size=24",
                    "data.resize=30", "data.validation=3", *CNN)
        self.export()

    def test_a_file_says_what_its_classes_are_called(self):
        header = read_safetensors_header(self.folder / "r.tbn")["__metadata__"]
        self.assertEqual(header["tbn.format"], "1.2")
        self.assertEqual(json.loads(header["tbn.output"]),
                         {"classes": ["blue", "green", "r\u00e9d"], "kind": "class"})
        measured = json.loads(header["tbn.measured"])
        self.assertEqual(measured["data"], "image_folder")
        self.assertEqual(measured["split"], {"seed": 1, "test": "test", "validation": 3})
        self.assertEqual(measured["count"], {"test": 12, "train": 18})
        shown = self.call("tbn-inspect", "r.tbn").stdout
        self.assertIn("3 classes: blue, green, r\u00e9d", shown)
        self.assertIn("shorter side of 30 pixels", shown)
        inspected = self.call_json("tbn-inspect", "r.tbn")
        self.assertEqual(inspected["rule"]["output"]["classes"][1], "green")

    def test_a_renamed_class_is_refused_with_the_nearest(self):
        (self.pets / "test" / "blue").rename(self.pets / "test" / "zblue")
        (self.pets / "train" / "blue").rename(self.pets / "train" / "zblue")
        for what in ("runs/r", "r.tbn"):
            done = self.call("tbn-eval", what, "--root", "pets", code=3)
            self.assertIn("class 'zblue' of the data is none of the network's 3 (nearest 'blue')",
                          done.stderr)
            self.assertIn("--match places", done.stderr)
            done = self.call("tbn-eval", what, "--root", "pets", "--match", "places")
            self.assertIn("note: the data's classes stand for the network's of the same place, and 3 of "
                          "3 are called otherwise: 'green' for 'blue', 'r\u00e9d' for 'green', 'zblue' "
                          "for 'r\u00e9d'\n", done.stderr)

    def test_fewer_classes_and_another_order_are_matched_by_name(self):
        whole = self.outcome("r.tbn", "pets").splitlines()
        (self.folder / "some" / "test").mkdir(parents=True)
        shutil.copytree(self.pets / "test" / "r\u00e9d", self.folder / "some" / "test" / "r\u00e9d")
        some = self.call_json("tbn-eval", "r.tbn", "--root", "some", "--predictions", "p.txt")
        self.assertEqual((self.folder / "p.txt").read_text().splitlines(), whole[8:])
        self.assertEqual(some["metrics"]["images"], 4)
        self.assertIn("1 of the network's 3 classes", "".join(some["notes"]))
        right = 100 * whole[8:].count("2\tr\u00e9d") / 4
        self.assertAlmostEqual(some["metrics"]["top1"], right, places=3)

    def test_what_the_command_line_says_otherwise_is_told(self):
        done = self.call("tbn-eval", "r.tbn", "--root", "pets", "data.resize=44")
        self.assertIn("note: data.resize=44 instead of the 30 that 'r.tbn' was measured with",
                      done.stderr)
        told = self.call_json("tbn-eval", "runs/r", "--root", "pets", "data.resize=44")
        self.assertEqual(told["overridden"], ["data.resize"])
        self.assertEqual(self.call_json("tbn-eval", "r.tbn", "--root", "pets")["overridden"], [])

    def test_one_training_file_more_makes_other_splits_and_is_refused(self):
        shutil.copy(self.pets / "train" / "blue" / "0.jpg", self.pets / "train" / "blue" / "new.jpg")
        self.call("tbn-eval", "r.tbn", "--root", "pets")
        for what in ("runs/r", "r.tbn"):
            done = self.call("tbn-eval", what, "--root", "pets", "--split", "validation", code=3)
            self.assertIn("knew 18 train samples, and there are 19 now", done.stderr)
        done = self.call("tbn-train", "--config", "rule.yaml", *NOTHING[1:], "data.root=pets",
                         "data.name=image_folder", "data.image_size=24", "data.resize=30",
                         "data.validation=3", *CNN, "train.epochs=2", "--resume", code=3)
        self.assertIn("knew 18 train samples, and there are 19 now", done.stderr)

    def test_a_folder_for_testing_that_comes_later_is_refused(self):
        root = self.folder / "more"
        write_folders(root, {"train": 6, "val": 4})
        settings = ["data.root=more", "data.name=image_folder", "data.image_size=24",
                    "data.resize=30", "data.validation=3", *CNN, "name=later"]
        self.run_of(*settings)
        shutil.copytree(root / "val", root / "test")
        done = self.call("tbn-train", "--config", "rule.yaml", *NOTHING[1:], *settings,
                         "train.epochs=2", "--resume", code=3)
        self.assertIn("was tested on the folder 'val', and it is 'test'", done.stderr)
        done = self.call("tbn-eval", "runs/later", "--split", "validation", code=3)
        self.assertIn("was tested on the folder 'val'", done.stderr)
        self.assertIn("was tested on the folder 'val'", self.call("tbn-eval", "runs/later").stderr)

    def test_a_test_file_more_is_told(self):
        shutil.copy(self.pets / "test" / "blue" / "0.jpg", self.pets / "test" / "blue" / "new.jpg")
        done = self.call("tbn-eval", "r.tbn", "--root", "pets")
        self.assertIn("note: 'r.tbn' knew 12 test samples, and there are 13 now", done.stderr)

    def test_a_teacher_of_other_classes_is_refused(self):
        for split in ("train", "test"):
            (self.pets / split / "blue").rename(self.pets / split / "cyan")
        done = self.call("tbn-train", "--config", "rule.yaml", *NOTHING, "name=student",
                         "data.root=pets", "data.name=image_folder", "data.image_size=24",
                         "data.resize=30", "data.validation=3", *CNN, "teacher.from=runs/r", code=3)
        self.assertIn("teacher.from", done.stderr)
        self.assertIn("'cyan'", done.stderr)

    def test_a_file_may_say_less_and_then_asks(self):
        self.export("runs/r", "use.tbn", "--rule", "use")
        self.export("r.tbn", "none.tbn", "--rule", "none")
        header = read_safetensors_header(self.folder / "none.tbn")["__metadata__"]
        self.assertEqual(header["tbn.format"], "1.0")
        self.assertEqual([key for key in header if key in ("tbn.input", "tbn.output")], [])
        use = read_safetensors_header(self.folder / "use.tbn")["__metadata__"]
        self.assertIn("tbn.input", use)
        self.assertNotIn("tbn.measured", use)
        done = self.call("tbn-eval", "use.tbn", "--root", "pets", "--split", "validation", code=2)
        self.assertIn("data.validation=... and data.split_seed=...", done.stderr)
        done = self.call("tbn-eval", "none.tbn", "--root", "pets", code=2)
        self.assertIn("data.resize=...", done.stderr)
        self.assertEqual(self.outcome("none.tbn", "pets", "data.resize=30"),
                         self.outcome("r.tbn", "pets"))
        self.assertIn("'use.tbn' does not say which samples its figure was measured on: read now: 12 samples of the test "
                      "split of 'image_folder'", self.call_json("tbn-eval", "use.tbn", "--root", "pets")["notes"])
        self.call("tbn-export", "runs/r", "-o", "x.tbn", "--rule", "some", code=2)


class Contradictions(RuleTest):
    """A rule that contradicts itself or its network is read by no tool and no interface."""

    def setUp(self):
        super().setUp()
        write_folders(self.folder / "pets", {"train": 6, "test": 4})
        self.run_of("data.root=pets", "data.name=image_folder", "data.image_size=24",
                    "data.resize=30", "data.validation=3", *CNN)
        self.export()

    def changed(self, path, **rules):
        """The file with other texts for its rule, beside the old one."""
        path = self.folder / path
        to = path.with_name("changed" + path.suffix)
        to.write_bytes(with_metadata(path, {"tbn." + key: text for key, text in rules.items()}))
        return to

    def test_every_tool_refuses_it_in_one_sentence(self):
        crop, resize = '{"do":"crop"}', '{"do":"resize","shorter":30}'
        series = '{"do":"standardise","mean":[0,0,0],"deviation":[1,1,1]}'
        for steps in ([crop], [resize], [crop, resize], [resize, resize, crop], [series],
                      [resize, crop, '{"do":"choose","how":"first"}']):
            rule = '{"kind":"image","steps":[' + ",".join(steps) + "]}"
            for path, tools in (("r.tbn", (["tbn-inspect"], ["tbn-eval", "--root", "pets"],
                                           ["tbn-export", "-o", "o.tbn"])),
                                ("runs/r/checkpoints/best.safetensors",
                                 (["tbn-eval", "--root", "pets"], ["tbn-export", "-o", "o.tbn"]))):
                changed = self.changed(path, input=rule)
                for tool, *options in tools:
                    done = self.call(tool, changed, *options, code=3)
                    self.assertEqual(done.stderr.count("\n"), 1)
                    self.assertIn("changed" + changed.suffix + ": tbn.input: ", done.stderr)
        for key, text in (("input", '{"kind":"points","steps":[{"do":"choose","how":"first"}]}'),
                          ("input", '{"kind":"series","steps":[],"units":"graph"}'),
                          ("output", '{"kind":"class","classes":["a","b","a"]}'),
                          ("measured", '{"data":"image_folder","rows":[0,0,0]}')):
            done = self.call("tbn-eval", self.changed("r.tbn", **{key: text}), "--root", "pets", code=3)
            self.assertEqual(done.stderr.count("\n"), 1)
            self.assertIn("changed.tbn: tbn.", done.stderr)

    def test_classes_may_be_called_alike_where_their_folders_are_not(self):
        folders = '"folders":["blue","green","r\u00e9d"]'
        changed = self.changed("r.tbn", output='{"classes":["crane","crane","dog"],' + folders
                               + ',"kind":"class"}')
        self.assertEqual(self.outcome(changed, "pets"), self.outcome("r.tbn", "pets"))

    def test_inputs_that_the_data_makes_otherwise_are_told(self):
        changed = self.changed("r.tbn", input='{"kind":"image","steps":[]}')
        done = self.call("tbn-eval", changed, "--root", "pets", "data.resize=30")
        self.assertIn("was trained on inputs made with no steps, and those of data set 'image_folder' are "
                      "made with resize, crop", done.stderr)
        self.assertNotIn("made with", self.call("tbn-eval", "r.tbn", "--root", "pets").stderr)

    def test_who_needs_data_says_why(self):
        done = self.call("tbn-export", "r.tbn", "-o", "c", "--format", "c", code=3)
        self.assertIn("int8 needs the ranges of the network's values, 'r.tbn' carries none", done.stderr)
        self.assertIn("--form f32", done.stderr)
        self.assertIn("--root", done.stderr)

    def test_time_grows_with_the_number_of_keys_and_not_with_its_square(self):
        def seconds(count):
            name = f"k{count}.tbn"
            (self.folder / name).write_bytes(
                with_metadata(self.folder / "r.tbn", {f"key{i}": "v" for i in range(count)}))
            begin = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            self.call("tbn-inspect", name, "--json")
            self.call("tbn-export", name, "-o", "o.tbn", "--quiet")
            self.assertEqual(len(read_safetensors_header(self.folder / "o.tbn")["__metadata__"]),
                             len(read_safetensors_header(self.folder / name)["__metadata__"]))
            return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - begin

        self.assertLess(seconds(80_000), 10 * seconds(10_000) + 1)


class InC(RuleTest):
    """The shared library prepares pictures and clouds as tbn-eval does."""

    def library(self):
        found = sorted(bin_folder().parent.rglob("libtbn.so*"))
        if not found:
            self.skipTest("libtbn is not built")
        calls = ctypes.CDLL(str(found[0]))
        calls.tbn_last_error.restype = ctypes.c_char_p
        return calls

    def check(self, calls, status):
        self.assertEqual(status, 0, calls.tbn_last_error())

    def open(self, calls, name):
        network, session = ctypes.c_void_p(), ctypes.c_void_p()
        path = str(self.folder / name).encode()
        self.check(calls, calls.tbn_network_load(path, ctypes.byref(network)))
        self.check(calls, calls.tbn_session_create(network, 0, 1, ctypes.byref(session)))
        return network, session

    def test_each_picture(self):
        calls = self.library()
        write_folders(self.folder / "pets", {"train": 8, "test": 5})
        self.run_of("data.root=pets", "data.name=image_folder", "data.image_size=24",
                    "data.resize=37", "data.validation=6", *CNN)
        self.export()
        expected = [int(line.split("\t")[0]) for line in self.outcome("r.tbn", "pets").splitlines()]
        network, session = self.open(calls, "r.tbn")
        name = ctypes.c_char_p()
        self.check(calls, calls.tbn_network_class_name(network, ctypes.c_size_t(2),
                                                       ctypes.byref(name)))
        self.assertEqual(name.value.decode(), "r\u00e9d")
        predicted = []
        for path in sorted((self.folder / "pets" / "test").rglob("*.jpg"),
                           key=lambda p: (p.parent.name.encode(), p.name)):
            image = Image.open(path).convert("RGB")
            pixels, given = image.tobytes(), (ctypes.c_uint8 * (3 * 24 * 24))()
            self.check(calls, calls.tbn_prepare_image(
                network, pixels, ctypes.c_size_t(len(pixels)), ctypes.c_int64(image.height),
                ctypes.c_int64(image.width), 3, 1, 0, given, ctypes.c_size_t(len(given))))
            logits = (ctypes.c_float * 3)()
            self.check(calls, calls.tbn_session_run_u8(session, given, ctypes.c_size_t(len(given)),
                                                       ctypes.c_int64(1), logits,
                                                       ctypes.c_size_t(3)))
            predicted.append(max(range(3), key=lambda c: logits[c]))
        self.assertEqual(predicted, expected)


class C(RuleTest):
    def test_a_run_and_its_file_give_the_same_c_and_its_header_says_the_rule(self):
        write_folders(self.folder / "pets", {"train": 10, "test": 3})
        self.run_of("data.root=pets", "data.name=image_folder", "data.image_size=24",
                    "data.resize=31", "data.validation=6", "data.split_seed=3", *CNN)
        self.export()
        for what, folder in (("runs/r", "a"), ("r.tbn", "b")):
            self.call("tbn-export", what, "-o", folder, "--format", "c", "--calibrate", "12",
                      "--name", "pets", "--root", "pets")
        for name in ("pets.h", "pets.c"):
            self.assertEqual((self.folder / "a" / name).read_bytes(),
                             (self.folder / "b" / name).read_bytes(), name)
        header = (self.folder / "a" / "pets.h").read_text()
        self.assertIn('#define PETS_CLASS_NAMES {"blue", "green", "r\\303\\251d"}', header)
        self.assertIn("shorter side of 31 pixels", header.replace("\n *  ", ""))


if __name__ == "__main__":
    main()
