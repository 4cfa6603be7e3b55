"""Installs the build into an empty folder and builds small programs of somebody else's against it:
one with the runtime, which must not need LibTorch, and one with the training part."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

CONSUMER = pathlib.Path(__file__).resolve().parent / "install_consumer"


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def cache(build):
    lines = (build / "CMakeCache.txt").read_text().splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith(("#", "//")))
    return {name.split(":")[0]: value for name, value in pairs}


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

    def ccache(self):
        found = self.cache.get("TBN_CCACHE", "")
        return "" if found.endswith("NOTFOUND") else found

    def sanitizers(self):
        return "-fsanitize=address,undefined" if self.cache["TBN_SANITIZE"] == "ON" else ""

    def test_a_program_of_the_runtime_alone_runs_without_libtorch(self):
        program = self.build_consumer("runtime")
        self.assertEqual(run(program), "14 29\n")
        self.assertNotIn("torch", run("ldd", program))

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
