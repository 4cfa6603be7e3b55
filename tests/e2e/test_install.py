"""Installs the build into an empty folder, moves the folder, and uses what is in it as on a machine that never saw
the build: its tools, and small programs of somebody else's: one with the runtime, which must not need
LibTorch, the examples in C and C++, and one with the training part."""

import os
import pathlib
import re
import struct
import subprocess

from install_support import PRETRAINED, ROOT, InstallTest, main, run, test_vectors

CONSUMER = ROOT / "tests" / "e2e" / "install_consumer"


class Install(InstallTest):
    @classmethod
    def install(cls, prefix):
        first = cls.folder / "first"
        super().install(first)
        first.rename(prefix)

    def setUp(self):
        # Nothing may be found in the home folder of who built it.
        caches = {"CCACHE_DIR": str(pathlib.Path.home() / ".cache" / "tbn" / "ccache")}
        self.elsewhere = {**caches, **os.environ, "HOME": str(self.folder / "nobody")}
        for name in ("XDG_CACHE_HOME", "LD_LIBRARY_PATH"):
            self.elsewhere.pop(name, None)

    def build_consumer(self, name, *options):
        build = self.configure(CONSUMER, name, *options, env=self.elsewhere)
        run("cmake", "--build", build, env=self.elsewhere)
        return build / "consumer"

    def check_class(self, programs, model, raw, logits):
        path = self.folder / "input.raw"
        path.write_bytes(raw)
        expected = f"{logits.index(max(logits))}\n"
        for program in programs:
            self.assertEqual(run(program, model, path), expected, f"{program.name} {model.name}")

    def test_a_program_of_the_runtime_alone_runs_without_libtorch(self):
        program = self.build_consumer("runtime")
        self.assertEqual(run(program), "14 29\n")
        self.assertNotIn("torch", run("ldd", program))

    def test_the_examples_see_the_classes_that_trained_files_hold(self):
        # tbn-eval --verify replays the same vectors, see test_pretrained.py.
        build = self.build_consumer("examples", f"-DCONSUMER_EXAMPLES={ROOT / 'examples'}").parent
        programs = [build / "classify_cpp", build / "classify_c"]
        self.assertTrue(PRETRAINED)
        for model in PRETRAINED:
            for values, logits in test_vectors(model)[:10]:
                self.check_class(programs, model, struct.pack(f"<{len(values)}f", *values), logits)
                if all(value in range(256) for value in values):
                    self.check_class(programs, model, bytes(map(int, values)), logits)
        for program in programs:
            self.fails(program, 1 if program.name == "classify_cpp" else 3,
                       self.folder / "none.tbn", self.folder / "input.raw")
            (self.folder / "short.raw").write_bytes(b"short")
            self.fails(program, 1 if program.name == "classify_cpp" else 3, PRETRAINED[0],
                       self.folder / "short.raw")

    def fails(self, program, code, *arguments):
        done = subprocess.run([program, *arguments], capture_output=True, text=True)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertTrue(done.stderr.startswith("classify: "), done.stderr)

    def test_a_program_of_the_training_part_finds_libtorch(self):
        if not self.is_on("TBN_TRAIN"):
            self.skipTest("built without the trainer")
        program = self.build_consumer("train", "-DCONSUMER_TRAIN=ON")
        self.assertEqual(self.libtorch_of(program), self.libtorch_in_prefix())
        self.assertEqual(run(program), "8 outputs\n")

    def libtorch_in_prefix(self):
        """The folder of the LibTorch that belongs to what is installed."""
        if not self.is_on("TBN_INSTALL_LIBTORCH"):
            return self.libtorch()
        return self.prefix / self.cache["CMAKE_INSTALL_LIBDIR"] / "tbn" / "libtorch" / "torch"

    def libtorch_of(self, program):
        (path,) = re.findall(r"libtorch_cpu\.so => (\S+)", run("ldd", program, env=self.elsewhere))
        return pathlib.Path(path).resolve().parents[1]

    def tools(self):
        return sorted((self.prefix / "bin").glob("tbn-*"))

    def test_the_installed_tools_find_their_libraries(self):
        self.assertIn("tbn-inspect", [tool.name for tool in self.tools()])
        for tool in self.tools():
            libraries = run("ldd", tool, env=self.elsewhere)
            self.assertNotIn("not found", libraries)
            if "libtorch_cpu" in libraries:
                self.assertEqual(self.libtorch_of(tool), self.libtorch_in_prefix())
            self.assertIn("usage", run(tool, "--help", env=self.elsewhere).lower())

    def test_the_installed_tools_work(self):
        model, packed = PRETRAINED[0], self.folder / "prepared.tbn"
        bin = self.prefix / "bin"
        run(bin / "tbn-export", model, "--prepare", "exact", "-o", packed, env=self.elsewhere)
        self.assertIn('"input_shape"', run(bin / "tbn-inspect", packed, "--json", env=self.elsewhere))
        if self.is_on("TBN_TRAIN"):
            run(bin / "tbn-eval", packed, "--verify", env=self.elsewhere)

    def test_no_installed_file_names_a_folder_of_the_builders(self):
        for path in self.prefix.rglob("*"):
            if path.is_file() and not path.is_symlink() and "libtorch" not in path.parts:
                self.check_no_builder(path)

    def check_no_builder(self, path):
        content = path.read_bytes()
        if content[:4] == b"\x7fELF":
            for paths in re.findall(r"R(?:UN)?PATH\).*\[(.*)\]", run("readelf", "-d", path)):
                for folder in paths.split(":"):
                    self.assertRegex(folder, self.allowed_run_path(), path)
        if self.cache["CMAKE_BUILD_TYPE"] != "Release" and content[:4] in (b"\x7fELF", b"!<ar"):
            return  # debug information and error texts name files of the source there
        for folder in [ROOT, self.build] + ([self.libtorch()] if self.has_libtorch() else []):
            self.assertNotIn(os.fsencode(folder), content, path)

    def has_libtorch(self):
        return self.is_on("TBN_TRAIN") and self.is_on("TBN_INSTALL_LIBTORCH")

    def allowed_run_path(self):
        if self.has_libtorch() or not self.is_on("TBN_TRAIN"):
            return r"^\$ORIGIN/\.\./"
        return f"^{re.escape(str(self.libtorch() / 'lib'))}$"

    def test_without_a_word_about_it_a_libtorch_in_a_home_folder_is_none_that_tools_need(self):
        home = os.fsencode(pathlib.Path.home())
        if not self.is_on("TBN_TRAIN") or pathlib.Path.home() not in self.libtorch().parents:
            self.skipTest("LibTorch lies where everybody finds it")
        if self.cache.get("TBN_INSTALL_LIBTORCH") == "OFF":
            self.skipTest("the build was told to leave LibTorch where it is")
        for tool in self.tools():
            for folders in re.findall(r"R(?:UN)?PATH\).*\[(.*)\]", run("readelf", "-d", tool)):
                self.assertRegex(folders, r"^\$ORIGIN/\.\./[^:]*$", tool)
        for path in self.prefix.rglob("*.cmake"):
            self.assertNotIn(home, path.read_bytes(), path)

    def test_no_installed_header_but_train_h_names_libtorch(self):
        headers = sorted((self.prefix / "include").rglob("*.h"))
        self.assertGreater(len(headers), 5)
        for header in headers:
            if header.name != "train.h":
                self.assertNotIn("#include <torch", header.read_text(), header)


if __name__ == "__main__":
    main()
