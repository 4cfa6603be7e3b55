"""What the tests of documents share: which pages there are, and what stands in them: programs, commands, links,
headings, keys."""

import functools
import re
import shlex

from tools_support import ROOT

# Told to people who use tbn now; docs/notebook tells what was tried, with the commands of then.
NOTEBOOK = sorted((ROOT / "docs" / "notebook").glob("**/*.md"))
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), ROOT / "data" / "README.md",
             *sorted((ROOT / "examples").glob("**/*.md")), *sorted((ROOT / "models").glob("**/*.md"))]
ALL_PAGES = [*DOCUMENTS, *NOTEBOOK, *sorted((ROOT / "docs" / "logs").glob("*.md"))]


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def snippets(language, document):
    """The fenced programs of a language in a document."""
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(), re.M | re.S)


def snippet(language, document, word):
    """The only one that has the word."""
    (text,) = [text for text in snippets(language, ROOT / document) if word in text]
    return text


def prose(text):
    """A page without its fenced programs; as many lines."""
    return re.sub(r"^```.*?^```", lambda found: "\n" * found[0].count("\n"), text, flags=re.M | re.S)


def quoted(text):
    """What stands in backticks on a line of prose."""
    return re.findall(r"`([^`\n]+)`", prose(text))


def commands(text):
    """(tool, [its arguments]) of each command line in a text, its comment left out."""
    for line in text.splitlines():
        for found in re.finditer(r"\b(tbn-(?:train|eval|export|inspect|bench|search)) +(.*)", line):
            words = re.split(r"  +#| # |`|\|", found[2])[0]
            try:
                yield found[1], shlex.split(words)
            except ValueError:
                continue  # a sentence


def links(text):
    """(place, anchor) of each link and each picture in a page that leads into this repository; one may be empty."""
    text = re.sub(r"`[^`\n]*`", "code", prose(text))
    targets = re.findall(r"\]\(\s*<?([^)\s>]+)>?[^)]*\)", text)
    targets += re.findall(r"^\[[^\]]+\]:\s+(\S+)", text, re.M)
    targets += re.findall(r"<(?:a|img|source)\b[^>]*?\b(?:href|src|srcset)=\"([^\"]+)\"", text)
    for target in targets:
        if not re.match(r"[a-z]+:", target):
            place, _, anchor = target.partition("#")
            yield place, anchor


@functools.lru_cache(maxsize=None)
def anchors(path):
    """The anchors that GitHub gives to the headings of a page."""
    found, seen = set(), {}
    for heading in re.findall(r"^#{1,6} +(.*?)(?: +#+)? *$", prose(path.read_text()), re.M):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
        slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        count = seen.setdefault(slug, 0)
        seen[slug] += 1
        found.add(f"{slug}-{count}" if count else slug)
    return found | set(re.findall(r'<a (?:id|name)="([^"]+)"', path.read_text()))


@functools.lru_cache(maxsize=None)
def keys():
    """The keys of a configuration, as configs/reference.yaml has them: {"model", "model.type", ...}; those of the
    entries of lists, such as weights.rules.match, too."""
    found, open_keys = set(), []
    for line in (ROOT / "configs" / "reference.yaml").read_text().splitlines():
        entry = re.match(r"^( *)(# - |# )?(\w+):", line)
        if not entry:
            continue
        depth = len(entry[1]) + (2 if entry[2] == "# - " else 0)
        open_keys = [(at, key) for at, key in open_keys if at < depth] + [(depth, entry[3])]
        found.add(".".join(key for _, key in open_keys))
    return found
