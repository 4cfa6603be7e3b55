"""Every page of the documentation: its links and anchors lead somewhere, the files, keys, scripts and presets that it
names exist, its programs parse, and its lines are short."""

import json
import pathlib
import re
import subprocess
import tempfile
import unittest

from documents_support import (ALL_PAGES, DOCUMENTS, NOTEBOOK, anchors, commands, keys, links, name_of, prose, quoted,
                               snippets)
from tools_support import ROOT, bin_folder, main

# What looks like a path of the repository and is none, with the reason.
NO_PATHS = {
    "data/fashion_mnist": "downloads lie there, outside of git",
    "data/cifar10": "the same",
    "data/image_folder": "pictures of the reader's lie there",
    "docs/logs/...": "stands for any of them",
    "docs/notebook/YYYY-MM-DD-topic.md": "stands for any of them",
}
FOLDERS = "src|include|models|tests|configs|scripts|examples|docs|cmake|data|\\.ci"
FENCES = {"sh", "text", "cpp", "c", "python", "yaml", "json", "cmake", "make", ""}
SECTIONS = {"model", "weights", "init", "data", "optim", "schedule", "teacher", "train", "export"}
# Names with a section's word before the point that are no keys.
NO_KEYS = {"model.tbn": "a file", "model.pth": "a file", "model.safetensors": "a file",
           "train.bin": "a file", "train.log": "a file", "train.h": "a header",
           "optim.lrr": "an example of a mistake"}
MOST_COLUMNS = 120
# Pages with longer lines, and how many.
LONG_LINES = {"docs/gpu.md": 3}  # commands, written by scripts/gpu_check.sh
MOST_LINES_OF_README = 120


def run(*command, **options):
    return subprocess.run([str(part) for part in command], text=True, capture_output=True, **options)


class Links(unittest.TestCase):
    def test_every_link_leads_to_a_file_and_every_anchor_to_a_heading(self):
        seen = 0
        for page in ALL_PAGES:
            for place, anchor in links(page.read_text()):
                seen += 1
                with self.subTest(page=name_of(page), link=f"{place}#{anchor}"):
                    target = (page.parent / place).resolve() if place else page
                    self.assertTrue(target.exists(), "there is no such file")
                    self.assertTrue(target.is_relative_to(ROOT.resolve()), "it is outside of the repository")
                    if anchor and target.suffix == ".md":
                        self.assertIn(anchor, anchors(target))
                    elif anchor:
                        self.assertRegex(anchor, r"^L\d+(-L\d+)?$")
        self.assertGreater(seen, 60)

    def test_every_page_can_be_reached_from_readme(self):
        reached, waiting = set(), [ROOT / "README.md"]
        while waiting:
            page = waiting.pop()
            if page in reached or page.suffix != ".md" or not page.is_file():
                continue
            reached.add(page)
            waiting += [(page.parent / place).resolve() for place, _ in links(page.read_text()) if place]
        for page in ALL_PAGES:
            with self.subTest(page=name_of(page)):
                self.assertIn(page.resolve(), reached)

    def test_anchors_are_those_of_github(self):
        self.assertIn("samples-that-cannot-be-read", anchors(ROOT / "data" / "README.md"))
        self.assertIn("3-your-own-pictures", anchors(ROOT / "docs" / "tutorial.md"))
        self.assertEqual(list(links("[a](b.md#c-d) `[x](y)` ![z](../p.png) [w](https://e.org/x#y) [v](#here)")),
                         [("b.md", "c-d"), ("../p.png", ""), ("", "here")])


class Names(unittest.TestCase):
    def test_paths_in_backticks_exist(self):
        path = re.compile(rf"^(?:\./)?((?:{FOLDERS})/[\w./*<>{{}},-]*)$")
        seen = 0
        for page in DOCUMENTS:
            for words in quoted(page.read_text()):
                for word in words.split():
                    found = path.match(word.rstrip(",;:"))
                    if not found or found[1] in NO_PATHS or re.search(r"[<{]", found[1]):
                        continue
                    seen += 1
                    with self.subTest(page=name_of(page), path=found[1]):
                        # Rooms of the code are called without src/.
                        places = (ROOT, page.parent, ROOT / "src")
                        self.assertTrue(any(list(place.glob(found[1].rstrip("/"))) for place in places))
        self.assertGreater(seen, 60)

    def test_files_that_sources_name_exist(self):
        """In comments and messages, which send people to pages, scripts and recipes."""
        named = re.compile(r"(?<![\w/.])((?:docs|configs|scripts|examples|data|models)/[\w/.-]+\.(?:md|sh|py|yaml))"
                           r"(?:#([\w-]+))?")
        text = {".cpp", ".h", ".cu", ".c", ".yaml", ".sh", ".py", ".cmake", ""}
        seen = 0
        for top in ("src", "include", "models", "configs", "scripts", "cmake", "examples", ".ci"):
            for path in sorted((ROOT / top).rglob("*")):
                if not path.is_file() or path.suffix not in text:
                    continue
                for place, anchor in named.findall(path.read_text()):
                    seen += 1
                    with self.subTest(source=name_of(path), file=place):
                        self.assertTrue((ROOT / place).is_file())
                        if anchor:
                            self.assertIn(anchor, anchors(ROOT / place))
        self.assertGreater(seen, 20)

    def test_keys_of_configurations_exist(self):
        options = "".join(path.read_text() for path in sorted((ROOT / "models").glob("*.cpp")))
        key = re.compile(r"(?<![\w./-])((?:" + "|".join(SECTIONS) + r")(?:\.\w+)+)(?![\w/]|\.\w)")
        seen = 0
        for page in DOCUMENTS:
            for found in {name for words in [*quoted(page.read_text()), *page.read_text().splitlines()]
                          for name in key.findall(words)}:
                if found in NO_KEYS:
                    continue
                seen += 1
                with self.subTest(page=name_of(page), key=found):
                    if found.startswith("model.") and found not in keys():
                        self.assertIn(f'"{found.split(".")[1]}"', options)
                    else:
                        self.assertIn(found, keys())
        self.assertGreater(seen, 60)

    def test_settings_on_command_lines_exist(self):
        seen = 0
        for page in DOCUMENTS:
            for tool, words in commands(page.read_text()):
                for setting in re.findall(r"(?<!\S)([a-z][\w.]*)=", " ".join(words)):
                    seen += 1
                    with self.subTest(page=name_of(page), tool=tool, setting=setting):
                        self.assertTrue(setting in keys() or setting.startswith("model."))
        self.assertGreater(seen, 8)

    def test_scripts_and_presets_exist(self):
        listed = json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]
        presets = {preset["name"] for preset in listed}
        seen = set()
        for page in DOCUMENTS:
            text = page.read_text()
            for script in re.findall(r"(?<![\w/])(scripts/\w+\.(?:sh|py))\b", text):
                seen.add(script)
                with self.subTest(page=name_of(page), script=script):
                    self.assertTrue((ROOT / script).is_file())
            for preset in re.findall(r"--preset[ =](\w+)|\bbuild/(\w+)/(?:bin|lib)", text):
                with self.subTest(page=name_of(page), preset=preset):
                    self.assertIn(preset[0] or preset[1], presets)
        self.assertGreater(len(seen), 8)

    def test_options_of_scripts_exist(self):
        for page in DOCUMENTS:
            for script, words in re.findall(r"(?<![\w/])scripts/(\w+\.sh)((?: +--?[a-z][\w-]*)+)", page.read_text()):
                text = (ROOT / "scripts" / script).read_text() + (ROOT / "scripts" / "lib.sh").read_text()
                for option in words.split():
                    with self.subTest(page=name_of(page), script=script, option=option):
                        self.assertTrue(option in text or 'ctest' in text and option in ("-L", "-R", "-j"))


class Programs(unittest.TestCase):
    """Those in C++ and C are compiled by test_documents.py, and the tutorial is typed by test_tutorial.py."""

    def test_fences_name_a_language_that_is_checked(self):
        for page in DOCUMENTS:
            for language in re.findall(r"^```(.*)\n(?:.*\n)*?```$", page.read_text(), re.M):
                with self.subTest(page=name_of(page), language=language):
                    self.assertIn(language, FENCES)

    def test_python_shell_and_json_parse(self):
        for page in DOCUMENTS:
            for text in snippets("python", page):
                with self.subTest(page=name_of(page), text=text):
                    compile(text, name_of(page), "exec")
            for text in snippets("sh", page):
                with self.subTest(page=name_of(page), text=text):
                    done = run("bash", "-n", input=text)
                    self.assertEqual(done.returncode, 0, done.stderr)
            for text in snippets("json", page):
                with self.subTest(page=name_of(page), text=text):
                    json.loads(text)

    def test_configurations_are_accepted(self):
        """What trains is tried dry; it may say that the reader's data are not here."""
        seen = 0
        with tempfile.TemporaryDirectory() as folder:
            for page in DOCUMENTS:
                for text in snippets("yaml", page):
                    seen += 1
                    path = f"{folder}/snippet{seen}.yaml"
                    with open(path, "w", encoding="utf-8") as file:
                        file.write(re.sub(r"(?m)^base: (?=configs)", f"base: {ROOT}/", text))
                    whole = re.search(r"(?m)^model:", text) and re.search(r"(?m)^data:", text)
                    with self.subTest(page=name_of(page), text=text):
                        done = run(bin_folder() / "tbn-train", "--config", path,
                                   "--dry-run" if whole else "--validate", cwd=ROOT)
                        if not re.search(r"error: data set '(image_folder|csv)' not found", done.stderr):
                            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(seen, 0)

    def test_commands_on_trained_files_run(self):
        """Those that need no data set."""
        seen = 0
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "models").symlink_to(ROOT / "models")
            for page in DOCUMENTS:
                for tool, words in commands(page.read_text()):
                    if not words or not words[0].startswith("models/") or tool in ("tbn-train", "tbn-bench"):
                        continue
                    if tool == "tbn-eval" and "--verify" not in words:
                        continue
                    seen += 1
                    with self.subTest(page=name_of(page), command=[tool, *words]):
                        done = run(bin_folder() / tool, *words, cwd=folder)
                        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(seen, 2)


class Lines(unittest.TestCase):
    def test_lines_are_short(self):
        for page in [*DOCUMENTS, *NOTEBOOK]:
            text = page.read_text()
            long = [line for line in prose(text).splitlines()
                    if len(re.sub(r"\]\([^)]*\)", "]()", line)) > MOST_COLUMNS and not line.lstrip().startswith("|")]
            with self.subTest(page=name_of(page)):
                self.assertLessEqual(len(long), LONG_LINES.get(name_of(page), 0), "\n".join(long))

    def test_readme_is_short(self):
        self.assertLessEqual(len((ROOT / "README.md").read_text().splitlines()), MOST_LINES_OF_README)


if __name__ == "__main__":
    main()
