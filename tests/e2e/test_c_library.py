"""libtbn, the C interface as a library: it shows the functions of tbn_c.h and nothing else, and Python's
ctypes, a C program found by pkg-config or CMake, a static one and one that loads it by itself all get
the logits of the C++ interface, bit for bit."""

import os
import re
import shutil
import struct
import sys

from install_support import PRETRAINED, ROOT, InstallTest, main, run, test_vectors

EXAMPLES = ROOT / "examples" / "python"
sys.path.insert(0, str(EXAMPLES))
from classify import Network  # noqa: E402: the example shows how to call libtbn

SOURCES = ROOT / "tests" / "e2e" / "c_library"
MODEL = ROOT / "models" / "pretrained" / "mnist_mlp_p4.tbn"


def declared_functions():
    """The names of the functions that tbn_c.h declares."""
    header = (ROOT / "include" / "tbn" / "tbn_c.h").read_text()
    code = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    return set(re.findall(r"\b(tbn_\w+)\s*\([^()]*\)\s*;", code))


class CLibrary(InstallTest):
    components = ("runtime",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.library,) = cls.prefix.rglob("libtbn.so")
        cls.lib = cls.library.parent
        build = cls.folder / "cpp"
        cls.cpp = cls().build_cmake(build.name, "logits_cpp")

    def build_cmake(self, name, program):
        build = self.configure(SOURCES, name, f"-DPROGRAM={program}")
        run("cmake", "--build", build)
        return build / program

    def build_pkg_config(self, name, source, *flags, static=False):
        """Compiles as the manual says, without CMake."""
        words = run("pkg-config", *(["--static"] if static else []), "--cflags", "--libs", "tbn",
                    env={**os.environ, "PKG_CONFIG_PATH": str(self.lib / "pkgconfig")}).split()
        program = self.folder / name
        run(self.c_compiler(), "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror",
            *self.sanitizers().split(), SOURCES / source, "-o", program, *words, *flags)
        return program

    def each_model(self):
        """Each trained file with its inputs, as a file and as lists, and the logits of the C++ interface."""
        for model in PRETRAINED:
            vectors = test_vectors(model)
            inputs = [values for values, _ in vectors]
            raw = self.folder / "inputs.raw"
            raw.write_bytes(b"".join(struct.pack(f"<{len(row)}f", *row) for row in inputs))
            expected = run(self.cpp, model, raw)
            # The file's own vectors come from the trainer's machine: near, and not to the bit.
            near = [value for _, logits in vectors for value in logits]
            for a, b in zip(map(float.fromhex, expected.split()), near, strict=True):
                self.assertAlmostEqual(a, b, delta=1e-3 * max(1, abs(b)))
            yield model, inputs, raw, expected

    def test_exactly_the_functions_of_the_header_are_exported(self):
        symbols = run("nm", "-D", "--defined-only", "--format=posix", self.library).splitlines()
        self.assertGreater(len(declared_functions()), 15)
        self.assertEqual({line.split()[0] for line in symbols}, declared_functions())

    def test_it_is_found_by_its_version(self):
        version = re.search(r"project\(tbn VERSION (\d+)\.(\d+)\.(\d+) ",
                            (ROOT / "CMakeLists.txt").read_text()).groups()
        name = f"libtbn.so.{version[0]}.{version[1]}"
        self.assertIn(f"soname: [{name}]", run("readelf", "-d", self.library))
        self.assertIn(name, (ROOT / "include" / "tbn" / "tbn_c.h").read_text())
        self.assertEqual(self.library.resolve().name, f"libtbn.so.{'.'.join(version)}")
        self.assertTrue((self.lib / name).is_file())

    def test_it_needs_the_standard_libraries_alone(self):
        needed = re.findall(r"NEEDED.*\[(.*)\]", run("readelf", "-d", self.library))
        strange = [name for name in needed if not re.match(
            r"(libstdc\+\+|libgcc_s|libm|libc|libpthread|ld-linux.*|lib[au]bsan|libasan)\.so", name)]
        self.assertEqual(strange, [])

    def test_ctypes_gives_the_logits_of_cpp(self):
        if self.sanitizers():
            self.skipTest("Python is not built with sanitizers")
        for model, inputs, raw, expected in self.each_model():
            with self.subTest(model.name):
                logits = Network(model, self.library).run([v for values in inputs for v in values])
                self.assertEqual([float.fromhex(word) for word in expected.split()], logits)
        raw.write_bytes(struct.pack(f"<{len(inputs[0])}f", *inputs[0]))
        words = run(sys.executable, EXAMPLES / "classify.py", model, raw, self.library)
        first = logits[:len(logits) // len(inputs)]
        self.assertEqual(words, f"{first.index(max(first))}\n")
        with self.assertRaisesRegex(RuntimeError, "/nowhere/x.tbn"):
            Network("/nowhere/x.tbn", self.library)

    def test_programs_in_c_give_the_logits_of_cpp(self):
        programs = {
            "pkg-config": self.build_pkg_config("shared", "logits.c", f"-Wl,-rpath,{self.lib}"),
            "CMake": self.build_cmake("c", "logits_c"),
        }
        if not self.sanitizers():
            programs["static"] = self.build_pkg_config("static", "logits.c", "-static", static=True)
            self.assertNotIn("libtbn", self.needed(programs["static"]))
        self.assertIn("libtbn", self.needed(programs["pkg-config"]))
        self.assertIn("libtbn", self.needed(programs["CMake"]))
        for model, _, raw, expected in self.each_model():
            for name, program in programs.items():
                with self.subTest(f"{model.name} {name}"):
                    self.assertEqual(run(program, model, raw), expected)

    def needed(self, program):
        return run("readelf", "-d", program)

    def test_the_pkg_config_file_moves_with_its_folder(self):
        moved = self.folder / "moved"
        shutil.copytree(self.prefix, moved, symlinks=True)
        (pc,) = moved.rglob("tbn.pc")
        words = run("pkg-config", "--cflags", "--libs", "tbn",
                    env={**os.environ, "PKG_CONFIG_PATH": str(pc.parent)}).split()
        folders = [os.path.realpath(word[2:]) for word in words if word[:2] in ("-I", "-L")]
        self.assertEqual(folders, [str(moved / "include"), str(moved / self.lib.relative_to(self.prefix))])

    def test_it_can_be_unloaded(self):
        program = self.build_pkg_config("unload", "unload.c", "-ldl", "-pthread", "-D_GNU_SOURCE",
                                        "-Wl,--as-needed", "-Wno-pedantic", "-Wno-unused-function")
        self.assertEqual(run(program, self.library, MODEL), "unloaded\n")


if __name__ == "__main__":
    main()
