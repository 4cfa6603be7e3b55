"""What documents and messages tell people to type works: options exist, commands in the heads of
configurations run, programs in documents compile, recipes name all files. test_pages.py has what holds of each
page by itself."""

import json
import pathlib
import re
import shlex
import struct
import subprocess
import tempfile
import unittest

from documents_support import DOCUMENTS, commands, snippet, snippets
from tools_support import ROOT, bin_folder, main

TOOLS = ("tbn-train", "tbn-eval", "tbn-export", "tbn-inspect", "tbn-bench", "tbn-search", "tbn-predict",
         "tbn-runs")
CONFIGS = sorted((ROOT / "configs").rglob("*.yaml"))
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def run(*command, **options):
    return subprocess.run([str(part) for part in command], text=True, capture_output=True, **options)


def scripts_text():
    paths = [*(ROOT / "scripts").glob("*"), ROOT / ".ci" / "run"]
    return "".join(path.read_text() for path in paths if path.is_file())


def options_of(tool):
    """The options that --help lists, and those of one letter: {"--config", "-c", ...}."""
    listed = run(bin_folder() / tool, "--help").stdout
    letters = re.findall(r"^ +-(\w),? ", listed, re.M)
    return set(OPTION.findall(listed)) | {dashes + letter for letter in letters for dashes in ("-", "--")}


class Options(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.options = {tool: options_of(tool) for tool in TOOLS}

    def test_commands_in_documents_and_configurations_use_options_that_exist(self):
        seen = 0
        for path in DOCUMENTS + CONFIGS + sorted((ROOT / "scripts").glob("*.sh")):
            for tool, words in commands(path.read_text()):
                for word in words:
                    if not re.match(r"--?[a-z]", word):
                        continue
                    seen += 1
                    option = word.split("=")[0]
                    with self.subTest(path=path.name, tool=tool, option=option):
                        self.assertIn(option.rstrip(",.;:)"), self.options[tool])
        self.assertGreater(seen, 60)

    def test_options_in_messages_exist(self):
        known = set().union(*self.options.values())
        # Of scripts, which messages send people to.
        scripts = scripts_text() + "h5repack --low --high" + " --describe"
        sources = [path for top in ("src", "models", "include") for path in sorted((ROOT / top).rglob("*"))
                   if path.suffix in (".cpp", ".h", ".cu")]
        seen = 0
        for path in sources:
            for line in path.read_text().splitlines():
                if line.lstrip().startswith("//"):
                    continue
                for literal in re.findall(r'"((?:[^"\\]|\\.)*)"', line):
                    for option in OPTION.findall(literal):
                        seen += 1
                        with self.subTest(path=path.relative_to(ROOT).as_posix(), option=option):
                            self.assertTrue(option in known or option in scripts, line.strip())
        self.assertGreater(seen, 50)

    def test_options_in_prose_exist(self):
        known = set().union(*self.options.values())
        others = scripts_text()
        foreign = {"--preset", "--build", "--test-dir", "--prefix", "--install", "--target",
                   "--component",  # of CMake
                   "--cflags", "--libs", "--static",  # of pkg-config
                   "--signal",  # of Slurm
                   "--describe"}  # of every tool, alone, and so not in its --help
        for path in DOCUMENTS:
            for option in OPTION.findall(path.read_text()):
                with self.subTest(path=path.name, option=option):
                    self.assertTrue(option in known or option in others or option in foreign)


class Configurations(unittest.TestCase):
    def test_the_commands_in_their_heads_are_accepted(self):
        seen = 0
        for path in CONFIGS:
            head = "".join(line for line in path.read_text().splitlines(True) if line.startswith("#"))
            for tool, words in commands(head):
                if "--config" not in words:
                    continue
                seen += 1
                extra = ["--dry-run"] if tool == "tbn-train" else []
                with self.subTest(path=path.relative_to(ROOT).as_posix(), command=words):
                    self.assertEqual(tool, "tbn-train")
                    self.assertIn(path.relative_to(ROOT).as_posix(), " ".join(words) + " " + head)
                    done = run(bin_folder() / tool, *words, *extra, cwd=ROOT)
                    self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreaterEqual(seen, 8)

    def test_trainings_in_documents_are_accepted(self):
        seen = 0
        for path in DOCUMENTS:
            for tool, words in commands(path.read_text()):
                if tool != "tbn-train" or "--config" not in words or "..." in words:
                    continue
                if not any(word.startswith("configs/") for word in words) or "--dry-run" in words:
                    continue
                seen += 1
                trains = not {"--print-config", "--validate"} & set(words)
                with self.subTest(path=path.name, command=words):
                    done = run(bin_folder() / tool, *words, *(["--dry-run"] if trains else []), cwd=ROOT)
                    self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreaterEqual(seen, 5)


def cache(name):
    text = (bin_folder().parent / "CMakeCache.txt").read_text()
    found = re.search(rf"^{name}:\w+=(.*)$", text, re.M)
    return found[1] if found else ""


# Calls the functions of README, in C++ and in C, for the pixels of a file.
README_CALLER = """\
#include <cstdint>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

std::vector<float> run_digits(const std::vector<std::uint8_t>& pixels);
extern "C" int run_digits(const std::uint8_t* pixels, float* logits);

int main(int, char** argv) {
  std::ifstream file(argv[1], std::ios::binary);
  const std::vector<std::uint8_t> pixels(std::istreambuf_iterator<char>(file), {});
  std::vector<float> logits(10);
  if (run_digits(pixels.data(), logits.data()) != 0) return 1;
  for (const float logit : run_digits(pixels)) std::cout << logit << ' ';
  for (const float logit : logits) std::cout << logit << ' ';
}
"""


class Programs(unittest.TestCase):
    """The programs in documents, as they stand there."""

    model = ROOT / "models" / "pretrained" / "mnist_cnn_p4.tbn"
    warnings = ["-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'include'}"]

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.build = bin_folder().parent
        self.cxx = cache("CMAKE_CXX_COMPILER")
        self.sanitizers = ["-fsanitize=address,undefined"] if cache("TBN_SANITIZE") == "ON" else []
        self.runtime = [self.build / "libtbn_runtime.a", self.build / "libtbn_core.a", "-pthread"]

    def compiled(self, *command):
        done = run(*command, cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)

    def vectors(self):
        """The test vector of the model: writes its pixels into a file, returns that and the logits."""
        content = self.model.read_bytes()
        (length,) = struct.unpack("<Q", content[:8])
        header = json.loads(content[8:8 + length])

        def values(name):
            begin, end = header[name]["data_offsets"]
            count = (end - begin) // 4
            return struct.unpack(f"<{count}f", content[8 + length + begin:8 + length + end])

        pixels = self.folder / "pixels.raw"
        pixels.write_bytes(bytes(map(int, values("verify.input")[:28 * 28])))
        return pixels, list(values("verify.output")[:10])

    def test_all_compile(self):
        self.compiled(bin_folder() / "tbn-export", self.model, "--format", "c", "-o", ".", "--name", "digits")
        seen = 0
        for document in DOCUMENTS:
            for language, ending, command in (("cpp", "cpp", [self.cxx, "-std=c++20"]),
                                              ("c", "c", ["cc", "-std=c99", "-pedantic"])):
                for text in snippets(language, document):
                    if "tbn/train.h" in text:
                        continue  # below
                    seen += 1
                    (self.folder / f"snippet.{ending}").write_text(text)
                    with self.subTest(document=document.name, text=text):
                        self.compiled(*command, *self.warnings, "-fsyntax-only", f"snippet.{ending}")
        self.assertGreaterEqual(seen, 6)

    def test_the_program_of_the_runtime_sees_the_class_that_a_file_holds(self):
        (self.folder / "classify.cpp").write_text(snippet("cpp", "docs/api.md", "int main"))
        self.compiled(self.cxx, "-std=c++20", *self.warnings, *self.sanitizers, "classify.cpp", "-o", "classify",
                      *self.runtime)
        pixels, logits = self.vectors()
        done = run(self.folder / "classify", self.model, pixels)
        self.assertEqual(done.stdout, f"{logits.index(max(logits))}\n", done.stderr)
        self.assertEqual(run(self.folder / "classify", "none.tbn", "x").returncode, 1)

    def test_the_functions_of_readme_give_the_logits_that_a_file_holds(self):
        (self.folder / "digits.cpp").write_text(snippet("cpp", "README.md", "tbn/runtime.h"))
        (self.folder / "digits_c.c").write_text(snippet("c", "README.md", "tbn/tbn_c.h"))
        (self.folder / "main.cpp").write_text(README_CALLER)
        self.compiled("cc", "-std=c99", *self.warnings, *self.sanitizers, "-c", "digits_c.c", "-o", "digits_c.o")
        self.compiled(self.cxx, "-std=c++20", *self.warnings, *self.sanitizers, "main.cpp", "digits.cpp",
                      "digits_c.o", "-o", "digits", *self.runtime)
        pixels, logits = self.vectors()
        done = run(self.folder / "digits", pixels, cwd=ROOT)
        found = [float(word) for word in done.stdout.split()]
        self.assertEqual(len(found), 20, done.stderr)
        for value, expected in zip(found, logits + logits):
            self.assertAlmostEqual(value, expected, places=3)

    def test_the_program_of_the_training_part_compiles(self):
        if cache("TBN_TRAIN") != "ON":
            self.skipTest("built without the trainer")
        (self.folder / "net.cpp").write_text(snippet("cpp", "docs/api.md", "tbn/train.h"))
        listed = json.loads(run("ninja", "-C", self.build, "-t", "compdb").stdout)
        command = next(each["command"] for each in listed if each["file"].endswith("src/train/step/loss.cpp"))
        words = shlex.split(command)
        words = words[words.index(self.cxx):]
        source = next(word for word in words if word.endswith("src/train/step/loss.cpp"))
        end = words.index("-o")
        words = words[:end] + words[end + 2:]
        words = [self.folder / "net.cpp" if word == source else word for word in words if word != "-c"]
        done = run(*words, "-fsyntax-only", "-MF", self.folder / "net.d", cwd=self.build)
        self.assertEqual(done.returncode, 0, done.stderr)


class Networks(unittest.TestCase):
    def test_the_table_of_families_has_the_options_that_a_printed_configuration_has(self):
        table = (ROOT / "docs" / "models.md").read_text().split("| `model.type` | options |")[1].split("\n\n")[0]
        said = {}
        for names, options in re.findall(r"^\| (`.*?`) \| (`.*?) \|$", table, re.M):
            for name in re.findall(r"`(\w+)`", names):
                said[name] = re.findall(r"`(\w+)`", options)
        reference = (ROOT / "configs" / "reference.yaml").read_text()
        families = re.search(r"# family; (.*)$", reference, re.M)[1].split(" | ")
        self.assertEqual(sorted(said), sorted(families))
        for name in families:
            printed = run(bin_folder() / "tbn-train", "--config", ROOT / "configs" / "resnet.yaml",
                          f"model.type={name}", "--print-config").stdout
            keys = re.findall(r"^  (\w+):", printed.split("\nmodel:\n")[1].split("\nweights:")[0], re.M)
            with self.subTest(family=name):
                self.assertEqual(["type", *said[name]], keys)


class Data(unittest.TestCase):
    """What is said of data sets, and of pictures that others decode."""

    def test_the_checks_of_downloads_are_those_of_the_script(self):
        script = (ROOT / "scripts" / "download_data.sh").read_text()
        cases = script.split("\ncase $name in\n")[1].split("\nesac")[0]
        used = {}
        for names, body in re.findall(r"^  ([\w |]+)\)(.*?);;$", cases, re.M | re.S):
            digits = {len(found) for found in re.findall(r"\b[0-9a-f]{32,64}\b", body)}
            kind = {frozenset({64}): "SHA-256", frozenset({32}): "MD5", frozenset(): "CRC-32"}[frozenset(digits)]
            for name in names.split(" | "):
                used[name.strip()] = kind
        self.assertGreater(len(used), 12)
        table = (ROOT / "data" / "README.md").read_text().split("| checked by |")[1].split("\n\n")[0]
        said = {}
        for kind, names in re.findall(r"^\| (SHA-256|MD5|CRC-32)[^|]*\| ([^|]*) \|", table, re.M):
            said.update((name, kind) for name in re.findall(r"`(\w+)`", names))
        self.assertEqual(said, used)

    def test_the_lines_for_pillow_decode_what_tbn_decodes(self):
        from PIL import Image
        (lines,) = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "rule.md").read_text(), re.M | re.S)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "p.png"
            for mode, values, upper in (("I;16", range(0, 60000, 10000), [value >> 8 for value in range(0, 60000, 10000)]),
                                        ("L", range(0, 240, 40), list(range(0, 240, 40)))):
                picture = Image.new(mode, (3, 2))
                picture.putdata(list(values))
                exif = Image.Exif()
                exif[0x0112] = 6
                picture.save(path, exif=exif)
                names = {"Image": Image, "path": path}
                exec(lines, names)
                self.assertEqual(list(names["pixels"]), [value for value in upper for _ in range(3)])
                self.assertEqual(names["orientation"], 6)


class Recipes(unittest.TestCase):
    def test_recipes_name_every_file_that_lists_all_networks_or_all_data_sets(self):
        reference = (ROOT / "configs" / "reference.yaml").read_text()
        contributing = (ROOT / "CONTRIBUTING.md").read_text()
        files = [path for top in ("src", "include", "models", "tests", "configs")
                 for path in sorted((ROOT / top).rglob("*")) if path.suffix in (".cpp", ".h", ".py", ".yaml")]
        texts = {path.relative_to(ROOT).as_posix(): path.read_text()
                 for path in [*files, ROOT / "data" / "README.md"]}
        for recipe, kind in (("Add a network", "family"), ("Add a data set", "data set")):
            names = re.search(rf"# {kind}; (\w+(?: \| \w+){{9,}})$", reference, re.M)[1].split(" | ")
            words = [re.compile(rf"\b{name}\b") for name in names]
            steps = contributing.split(f"### {recipe}\n")[1].split("\n##")[0]
            lists = [path for path, text in texts.items() if all(word.search(text) for word in words)]
            self.assertGreater(len(lists), 2)
            for path in lists:
                with self.subTest(recipe=recipe, path=path):
                    self.assertIn(path, steps)


if __name__ == "__main__":
    main()
