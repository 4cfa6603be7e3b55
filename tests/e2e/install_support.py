"""What the tests of the installed tbn share: installing the build, running commands, compiling programs
of somebody else's, and the test vectors of packed files."""

import json
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Those that hold the inputs of their test vectors, for programs that make none.
PRETRAINED = [path for path in sorted((ROOT / "models" / "pretrained").glob("*.tbn"))
              if b'"verify.input"' in path.read_bytes()[:1 << 16]]


def main():
    """Runs the tests of the calling script; argv[1] is the folder of the tools."""
    unittest.main(module="__main__", argv=[sys.argv[0]] + sys.argv[2:], verbosity=2)


def run(*command, **options):
    """Runs a command that must succeed and returns what it printed."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def read_cache(build):
    """The variables of a CMake build folder."""
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


class InstallTest(unittest.TestCase):
    """Installs what `components` names (everything where it names nothing) into self.prefix, inside
    self.folder, once for all tests of a class."""

    components = ()

    @classmethod
    def setUpClass(cls):
        cls.build = pathlib.Path(sys.argv[1]).resolve().parent
        cls.cache = read_cache(cls.build)
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="tbn-install-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.prefix = cls.folder / "prefix"
        cls.install(cls.prefix)

    @classmethod
    def install(cls, prefix):
        for component in cls.components or [None]:
            chosen = ["--component", component] if component else []
            run("cmake", "--install", cls.build, "--prefix", prefix, *chosen)

    @classmethod
    def is_on(cls, option):
        return cls.cache.get(option, "OFF") == "ON"

    @classmethod
    def libtorch(cls):
        """The folder of the LibTorch that the build links."""
        (library,) = set(re.findall(r"\S*/libtorch_cpu\.so", (cls.build / "build.ninja").read_text()))
        return pathlib.Path(library).parents[1]

    @classmethod
    def sanitizers(cls):
        """What programs that link a tbn with sanitizers must be compiled with."""
        return "-fsanitize=address,undefined" if cls.is_on("TBN_SANITIZE") else ""

    def configure(self, source, name, *options, env=None, check=True):
        """Configures a CMake project with the installed tbn; returns its build folder, or what CMake said
        when it failed and may."""
        ccache = self.cache.get("TBN_CCACHE", "NOTFOUND")
        build = self.folder / name
        command = ["cmake", "-S", source, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                   f"-DCMAKE_PREFIX_PATH={self.prefix}",
                   f"-DCMAKE_C_COMPILER={self.c_compiler()}",
                   f"-DCMAKE_CXX_COMPILER={self.cache['CMAKE_CXX_COMPILER']}",
                   f"-DCMAKE_CXX_COMPILER_LAUNCHER={'' if ccache.endswith('NOTFOUND') else ccache}",
                   f"-DCMAKE_CXX_FLAGS={self.sanitizers()}", *options]
        if not check:
            return subprocess.run([str(part) for part in command], capture_output=True, text=True)
        run(*command, env=env)
        return build

    @classmethod
    def c_compiler(cls):
        return cls.cache.get("CMAKE_C_COMPILER", "cc")
