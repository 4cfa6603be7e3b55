"""docs/configuration.md: its examples are accepted and do what it says of them, its tables are the sources', and
the keys that it names exist."""

import re

import tools_support
from tools_support import ROOT, ToolTest

DOCUMENT = (ROOT / "docs" / "configuration.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", DOCUMENT, re.M | re.S)
KINDS = ("kStoredImageData", "kPictureData", "kCloudData", "kPartCloudData", "kSolidData", "kSeriesData")


def table(after):
    """The rows of the first table behind a text, a list of cells each, without its head."""
    lines = DOCUMENT.split(after, 1)[1].split("\n|---", 1)[1].split("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def words(cell):
    return re.findall(r"`([\w.]+)`", cell)


class Examples(ToolTest):
    train_images = test_images = 10  # of the data that no test here reads

    def setUp(self):
        super().setUp()
        (self.folder / "configs").symlink_to(ROOT / "configs")

    def plan(self, example, *settings):
        (self.folder / "my.yaml").write_text(example)
        return self.call_json("tbn-train", "--config", "my.yaml", "--dry-run", *settings)

    def encodings(self, *settings, example):
        return {layer["name"]: (layer["encoding"], layer["p"]) for layer in self.plan(example, *settings)["layers"]}

    def test_each_is_accepted(self):
        self.assertGreater(len(EXAMPLES), 9)
        for example in EXAMPLES:
            with self.subTest(example):
                self.plan(example)

    def test_settings_that_it_shows_for_them_are_accepted(self):
        student = next(example for example in EXAMPLES if "teacher:" in example)
        for line in re.findall(r"^    tbn-train --config (?:my|student)\.yaml (.*=.*)$", DOCUMENT, re.M):
            settings = [word.strip("'") for word in re.findall(r"(?:'[^']*'|\S)+", line.split(" #")[0])]
            if any(setting.startswith("--") for setting in settings):
                continue
            with self.subTest(settings):
                self.plan(student if "teacher.from=" in settings else EXAMPLES[0], *settings)

    def test_the_first_rule_that_matches_wins(self):
        example = next(text for text in EXAMPLES if "layer1.0.*" in text)
        found = self.encodings(example=example)
        self.assertEqual(found["layer1.0.conv1"], ("binary", 1))
        self.assertEqual(found["layer1.1.conv1"], ("tiled", 2))
        self.assertEqual(found["layer2.0.conv1"], ("tiled", 4))
        self.assertEqual({found["conv1"][0], found["classifier"][0]}, {"uniform"})

    def test_small_layers_without_a_rule_take_small(self):
        found = self.encodings("weights.min_size=1000000", example=next(t for t in EXAMPLES if "layer1.0.*" in t))
        self.assertEqual(found["layer2.0.conv1"], ("binary", 1))
        self.assertEqual(found["layer1.1.conv1"], ("tiled", 2))
        self.assertEqual(found["layer4.1.conv2"], ("tiled", 4))

    def test_a_mistake_is_reported_as_shown(self):
        (self.folder / "my.yaml").write_text(EXAMPLES[0] + "optim:\n  lrr: 0.1\n")
        (shown,) = re.findall(r"^    (tbn-train: error: .*)$", DOCUMENT, re.M)
        done = self.call("tbn-train", "--config", "my.yaml", "--validate", code=2)
        self.assertEqual(done.stderr, shown + "\n")


class Tables(ToolTest):
    train_images = test_images = 10

    def test_keys_of_data_are_for_the_kinds_of_the_sources(self):
        source = (ROOT / "src" / "config" / "key_use.cpp").read_text()
        sets = {kind: {kind} for kind in KINDS} | {"kAnyData": set(KINDS)}
        for name, text in re.findall(r"^constexpr unsigned (k\w+) = (k[^;]*);", source, re.M):
            parts = re.findall(r"(~unsigned\{)?(k\w+)", text)
            if all(part in sets for _, part in parts):
                taken = set().union(*(sets[part] for sign, part in parts if not sign))
                sets[name] = taken.difference(*(sets[part] for sign, part in parts if sign))
        code = {}
        for kinds, keys in re.findall(r"\{(k\w+),\s+[^{}]*(?:\{\w+\})?[^{}]*,\s+\{([^{}]*)\}\}", source):
            code.update((key, sets[kinds]) for key in re.findall(r'"(data\.[\w.]+)"', keys))
        self.assertGreater(len(code), 30)
        said = {}
        for keys, stored, pictures, clouds, solids, series in table("Each kind of data has keys of its own"):
            with_parts = set() if "shapenet_part" in clouds else {"kPartCloudData"}
            kinds = {kind for cell, kind in zip((stored, pictures, clouds, solids, series), KINDS[:3] + KINDS[4:])
                     if cell}
            kinds |= with_parts if clouds else set()
            said.update((f"data.{key}", kinds) for key in words(keys))
        self.assertEqual(said, code)

    def test_words_of_groups_are_the_sources(self):
        source = (ROOT / "src" / "train" / "optim" / "optimizer_groups.cpp").read_text()
        known = re.search(r"kRoleWords = \{(.*?)\}", source, re.S)[1]
        said = [words(cells[0])[0] for cells in table("`match` takes these words")]
        self.assertEqual(said, re.findall(r'"(\w+)"', known))

    def test_keys_that_it_names_exist(self):
        reference = (ROOT / "configs" / "reference.yaml").read_text()
        sections, known, path = set(), set(), []
        for indent, key in re.findall(r"^( *)(?:# - |# +)?(\w+):(?: |$)", reference, re.M):
            path = path[:len(indent) // 2] + [key]
            known.add(".".join(path))
            sections.add(path[0])
        named = re.findall(rf"`((?:{'|'.join(sorted(sections))})\.[a-z_.]+)", DOCUMENT)
        self.assertGreater(len(named), 12)
        for key in named:
            with self.subTest(key):
                self.assertIn(key, known)


if __name__ == "__main__":
    tools_support.main()
