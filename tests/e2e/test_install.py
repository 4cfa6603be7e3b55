"""Installs the build into an empty folder and builds small programs of somebody else's against it:
one with the runtime, which must not need LibTorch, the examples in C and C++, and one with the
training part."""

import struct
import subprocess

from install_support import PRETRAINED, ROOT, InstallTest, main, run, test_vectors

CONSUMER = ROOT / "tests" / "e2e" / "install_consumer"


class Install(InstallTest):
    def build_consumer(self, name, *options):
        build = self.configure(CONSUMER, name, *options)
        run("cmake", "--build", build)
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
        self.assertIn("libtorch_cpu", run("ldd", program))
        self.assertEqual(run(program), "8 outputs\n")

    def test_the_installed_tools_find_their_libraries(self):
        tools = sorted((self.prefix / "bin").glob("tbn-*"))
        self.assertIn("tbn-inspect", [tool.name for tool in tools])
        for tool in tools:
            self.assertNotIn("not found", run("ldd", tool))
            self.assertIn("usage", run(tool, "--help").lower())

    def test_no_installed_header_but_train_h_names_libtorch(self):
        headers = sorted((self.prefix / "include").rglob("*.h"))
        self.assertGreater(len(headers), 5)
        for header in headers:
            if header.name != "train.h":
                self.assertNotIn("#include <torch", header.read_text(), header)


if __name__ == "__main__":
    main()
