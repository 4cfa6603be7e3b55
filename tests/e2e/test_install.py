"""Installs the build into an empty folder and builds small programs of somebody else's against it:
one with the runtime, which must not need LibTorch, the examples in C and C++, and one with the
training part."""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

CONSUMER = pathlib.Path(__file__).resolve().parent / "install_consumer"
ROOT = CONSUMER.parents[2]


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def cache(build):
    lines = (build / "CMakeCache.txt").read_text().splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith(("#", "//")))
    return {name.split(":")[0]: value for name, value in pairs}


def test_vectors(path):
    """Pairs of the inputs and the logits that a packed file holds, read without tbn."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])

    def rows(name):
        begin, end = header[name]["data_offsets"]
        count = header[name]["shape"][0]
        values = struct.unpack(f"<{(end - begin) // 4}f",
                               content[8 + length + begin:8 + length + end])
        each = len(values) // count
        return [values[i * each:(i + 1) * each] for i in range(count)]

    return list(zip(rows("verify.input"), rows("verify.output")))


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.build = BIN.parent
        cls.cache = cache(cls.build)
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.prefix = cls.folder / "prefix"
        run("cmake", "--install", cls.build, "--prefix", cls.prefix)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def build_consumer(self, name, *options):
        build = self.folder / name
        run("cmake", "-S", CONSUMER, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
            f"-DCMAKE_PREFIX_PATH={self.prefix}", "-DCMAKE_CXX_COMPILER_LAUNCHER=" + self.ccache(),
            "-DCMAKE_CXX_FLAGS=" + self.sanitizers(), *options)
        run("cmake", "--build", build)
        return build / "consumer"

    def check_class(self, programs, model, raw, logits):
        path = self.folder / "input.raw"
        path.write_bytes(raw)
        expected = f"{logits.index(max(logits))}\n"
        for program in programs:
            self.assertEqual(run(program, model, path), expected, f"{program.name} {model.name}")

    def ccache(self):
        found = self.cache.get("TBN_CCACHE", "")
        return "" if found.endswith("NOTFOUND") else found

    def sanitizers(self):
        return "-fsanitize=address,undefined" if self.cache["TBN_SANITIZE"] == "ON" else ""

    def test_a_program_of_the_runtime_alone_runs_without_libtorch(self):
        program = self.build_consumer("runtime")
        self.assertEqual(run(program), "14 29\n")
        self.assertNotIn("torch", run("ldd", program))

    def test_the_examples_see_the_classes_that_trained_files_hold(self):
        # tbn-eval --verify replays the same vectors, see test_pretrained.py.
        build = self.build_consumer("examples", f"-DCONSUMER_EXAMPLES={ROOT / 'examples'}").parent
        programs = [build / "classify_cpp", build / "classify_c"]
        models = sorted((ROOT / "models" / "pretrained").glob("*.tbn"))
        self.assertTrue(models)
        for model in models:
            for values, logits in test_vectors(model)[:10]:
                self.check_class(programs, model, struct.pack(f"<{len(values)}f", *values), logits)
                if all(value in range(256) for value in values):
                    self.check_class(programs, model, bytes(map(int, values)), logits)
        for program in programs:
            self.fails(program, 1 if program.name == "classify_cpp" else 3,
                       self.folder / "none.tbn", self.folder / "input.raw")
            (self.folder / "short.raw").write_bytes(b"short")
            self.fails(program, 1 if program.name == "classify_cpp" else 3, models[0],
                       self.folder / "short.raw")

    def fails(self, program, code, *arguments):
        done = subprocess.run([program, *arguments], capture_output=True, text=True)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertTrue(done.stderr.startswith("classify: "), done.stderr)

    def test_a_program_of_the_training_part_finds_libtorch(self):
        if self.cache["TBN_TRAIN"] != "ON":
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
    BIN = pathlib.Path(sys.argv.pop(1))
    unittest.main()
