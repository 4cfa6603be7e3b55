#!/usr/bin/env python3
"""Prints "<key> <file>" for the files that clang-tidy has not yet passed as they are now.

  scripts/lint_keys.py <build folder> <folder of passed keys> <version of clang-tidy>
                       [--quick] [--without-libtorch]

A key is the SHA-256 of the file's text, of every header of ours that it includes, however far away, of
its compiler's options, of .clang-tidy and of the linter's version: a file that passed stays passed until
one of them changes. --quick is the pass without the static analyzer: its keys end with "-quick", and what
has passed with the analyzer has passed. Files of the compilation database alone: others are not compiled here.
"""

import hashlib
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
INCLUDE = re.compile(rb'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
TORCH = re.compile(rb"^(torch|ATen|c10)/")
ROOTS = (ROOT / "include", ROOT / "src", ROOT, ROOT / "tests")


class Texts:
    """Files of ours with what they include, each read once."""

    def __init__(self):
        self.known = {}

    def read(self, path):
        if path not in self.known:
            text = path.read_bytes()
            includes = INCLUDE.findall(text)
            ours = set()
            for _, header in includes:
                name = header.decode("utf-8", "replace")
                for folder in (path.parent, *ROOTS):
                    if (folder / name).is_file():
                        ours.add((folder / name).resolve())
                        break
            torch = any(TORCH.match(header) for _, header in includes)
            self.known[path] = (hashlib.sha256(text).hexdigest(), ours, torch)
        return self.known[path]

    def closure(self, path):
        seen, waiting = {path}, [path]
        while waiting:
            fresh = self.read(waiting.pop())[1] - seen
            seen |= fresh
            waiting += fresh
        return seen


def main():
    build, passed, version = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    without_torch = "--without-libtorch" in sys.argv[4:]
    quick = "--quick" in sys.argv[4:]
    settings = [ROOT / ".clang-tidy", *sorted((ROOT / "tests").rglob(".clang-tidy"))]
    rules = version + "".join(file.read_text(encoding="utf-8") for file in settings)
    texts = Texts()
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        path = (pathlib.Path(entry["directory"]) / entry["file"]).resolve()
        if path.suffix != ".cpp" or not path.is_relative_to(ROOT) or path.is_relative_to(ROOT / "build"):
            continue
        files = texts.closure(path)
        if without_torch and any(texts.read(file)[2] for file in files):
            continue
        options = re.sub(r"\S*" + re.escape(str(ROOT)) + r"\S*", "", entry["command"])
        parts = [rules, options] + sorted(
            f"{file.relative_to(ROOT)} {texts.read(file)[0]}" for file in files)
        key = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        keys = [key] + ([f"{key}-quick"] if quick else [])
        if not any((passed / name).exists() for name in keys):
            print(keys[-1], path.relative_to(ROOT))


if __name__ == "__main__":
    main()
