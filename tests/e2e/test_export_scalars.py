"""Packed files with scalars in half precision: asked for by a configuration or by tbn-export, as large as a dry
run promised, verified by their own test vectors, and exported as C."""

from tools_support import ToolTest, main, read_safetensors_header

HALF = "export.scalars=f16"


def types(path, *endings):
    """The element types of a file's tensors, test vectors left out, whose names have these endings; "x.scale+bias" is
    two tensors in one."""
    header = read_safetensors_header(path)
    return {each["dtype"] for name, each in header.items()
            if not name.startswith(("__", "verify."))
            if any("." + suffix in endings for suffix in name.rpartition(".")[2].split("+"))}


class Scalars(ToolTest):
    def setUp(self):
        super().setUp()
        self.call("tbn-train", "--config", "tiny.yaml", "train.epochs=1", HALF)

    def test_a_run_that_goes_on_keeps_what_its_checkpoints_say(self):
        done = self.train("train.epochs=2", "--resume", "export.scalars=f32", code=2)
        self.assertIn("scalars: f32", done.stderr)

    def export(self, what, name, *options):
        self.call("tbn-export", what, "-o", name, *options)
        self.call("tbn-eval", name, "--verify")
        return self.folder / name

    def test_the_recorded_configuration_and_the_option_say_the_type(self):
        half = self.export("runs/tiny", "half.tbn")
        full = self.export("runs/tiny", "full.tbn", "--scalars", "f32")
        same = self.export("runs/tiny", "same.tbn", "--scalars", "f16")
        self.assertEqual(half.read_bytes(), same.read_bytes())
        self.assertEqual(types(half, ".alpha", ".scale", ".bias"), {"F16"})
        self.assertEqual(types(half, ".tile"), {"U8"})
        self.assertEqual(types(full, ".alpha", ".scale", ".bias"), {"F32"})
        self.assertLess(half.stat().st_size, full.stat().st_size)
        # A run that does not say it.
        self.call("tbn-train", "--config", "tiny.yaml", "train.epochs=1", "name=plain")
        self.assertEqual(self.export("runs/plain", "plain.tbn").read_bytes(), full.read_bytes())
        self.assertEqual(self.export("runs/plain", "other.tbn", "--scalars", "f16").read_bytes(), half.read_bytes())

    def test_a_dry_run_promises_the_bytes_and_inspect_says_them(self):
        self.call("tbn-train", "--config", "tiny.yaml", "train.epochs=1", "name=plain")
        for run, settings, kind in (("tiny", [HALF], "F16"), ("plain", [], "F32")):
            with self.subTest(kind=kind):
                promised = self.call_json("tbn-train", "--config", "tiny.yaml", "--dry-run", *settings)
                exported = self.call_json("tbn-export", f"runs/{run}", "-o", "x.tbn")
                seen = self.call_json("tbn-inspect", "x.tbn")
                self.assertEqual(seen["header"]["scalars"], kind)
                self.assertEqual("f16" in seen["header"]["features"], kind == "F16")
                self.assertIn(f"scalars {kind}", self.call("tbn-inspect", "x.tbn").stdout)
                self.assertEqual(promised["totals"], seen["totals"])
                self.assertEqual(exported["totals"], seen["totals"])
                # Figures and means have as many digits as they have.
                size = promised["file"]
                figures = {"bytes", "header", "graph", "padding"}
                header = read_safetensors_header(self.folder / "x.tbn")
                data = max(each["data_offsets"][1] for name, each in header.items() if name != "__metadata__")
                self.assertEqual(sum(bytes for part, bytes in size.items() if part not in figures), data)
                self.assertAlmostEqual(size["bytes"], exported["file_bytes"], delta=128)

    def test_files_are_packed_again_in_either_type(self):
        half = self.export("runs/tiny", "half.tbn")
        full = self.export("runs/tiny", "full.tbn", "--scalars", "f32")
        narrowed = self.export("full.tbn", "narrowed.tbn", "--scalars", "f16")
        self.assertEqual(narrowed.read_bytes(), half.read_bytes())
        self.assertEqual(self.export("half.tbn", "kept.tbn").read_bytes(), half.read_bytes())
        self.assertEqual(self.export("full.tbn", "kept.tbn", "--scalars", "f32").read_bytes(), full.read_bytes())
        widened = self.export("half.tbn", "widened.tbn", "--scalars", "f32")
        self.assertEqual(types(widened, ".alpha", ".scale", ".bias"), {"F32"})
        self.assertEqual(self.export("widened.tbn", "again.tbn", "--scalars", "f16").read_bytes(), half.read_bytes())
        self.export("half.tbn", "ready.tbn", "--prepare", "exact", "--calibrate", "50")

    def test_its_figure_is_that_of_the_run_and_one_on_every_backend(self):
        run = self.call_json("tbn-eval", "runs/tiny")["metrics"]
        self.export("runs/tiny", "half.tbn")
        for backend in ("exact", "reference"):
            packed = self.call_json("tbn-eval", "half.tbn", "--root", "data", "--backend", backend)["metrics"]
            self.assertAlmostEqual(packed["loss"], run["loss"], delta=2e-3)
            self.assertAlmostEqual(packed["top1"], run["top1"], delta=1)

    def test_c_of_the_run_is_that_of_its_file(self):
        self.export("runs/tiny", "half.tbn", "--calibrate", "50")
        for form in ("int8", "f32"):
            with self.subTest(form=form):
                for what, to, more in (("half.tbn", "file", []), ("runs/tiny", "run", ["--calibrate", "50"])):
                    more = more if form == "int8" else []
                    self.call("tbn-export", what, "--format", "c", "--form", form, "-o", f"{to}_{form}", *more)
                self.assertEqual((self.folder / f"file_{form}" / "model.c").read_text(),
                                 (self.folder / f"run_{form}" / "model.c").read_text())

    def test_what_is_no_type_or_does_nothing_is_refused(self):
        self.fails(2, "--scalars: 'f8' is not one of f32, f16", "tbn-export", "runs/tiny", "-o", "x.tbn",
                   "--scalars", "f8")
        self.fails(2, "'export.scalars=f16': is of trainings; say it as --scalars f16",
                   "tbn-export", "runs/tiny", "-o", "x.tbn", HALF)
        done = self.call("tbn-train", "--config", "tiny.yaml", "export.scalars=f64", "--validate", code=2)
        self.assertIn("export.scalars: must be f32 or f16, is 'f64'", done.stderr)

    def test_c_of_a_run_may_have_the_numbers_as_they_were_trained(self):
        plain = self.export("runs/tiny", "full.tbn", "--scalars", "f32", "--calibrate", "50")
        for form in ("int8", "f32"):
            more = ["--calibrate", "50"] if form == "int8" else []
            with self.subTest(form=form):
                texts = []
                for what, to, options in ((plain, "file", []), ("runs/tiny", "trained", ["--scalars", "f32", *more]),
                                          ("runs/tiny", "rounded", more)):
                    self.call("tbn-export", what, "--format", "c", "--form", form, "-o", f"{to}_{form}", *options)
                    texts.append((self.folder / f"{to}_{form}" / "model.c").read_text())
                self.assertEqual(texts[0], texts[1])
                self.assertNotEqual(texts[1], texts[2])
                self.fails(2, "--scalars f16: C holds no numbers in half precision; leave it out, for those of the "
                              "run's packed file, or say f32, for those that were trained",
                           "tbn-export", "runs/tiny", "--format", "c", "--form", form, "-o", "c", "--scalars", "f16")
                for scalars in ("f16", "f32"):
                    self.fails(2, "--scalars does nothing for --format c of a packed file, whose numbers were rounded, "
                                  "or not, when it was exported; leave it out",
                               "tbn-export", plain, "--format", "c", "--form", form, "-o", "c", "--scalars", scalars)


if __name__ == "__main__":
    main()
