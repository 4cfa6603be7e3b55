"""tbn-search without training: configurations within a budget, their files, 1-bit twins."""

import re
import resource

from search_support import NETWORK, SearchTest
from tools_support import ROOT, main


class Budgets(SearchTest):
    def test_every_budget_is_kept_and_filled_and_the_costs_are_those_of_the_configuration(self):
        least, most = self.ends(*NETWORK)
        for number, kind in enumerate(("bytes", "bits", "macs")):
            for share in (0.1, 0.5, 0.9):
                with self.subTest(kind=kind, share=share):
                    limit = int(least[kind] + share * (most[kind] - least[kind]))
                    found = self.found(f"--{kind}", limit, "-o", "found.yaml", *NETWORK)
                    costs = found["costs"]
                    self.assertLessEqual(costs[kind], limit)
                    self.assertGreater(costs[kind], least[kind] if share > 0.1 else 0)
                    plan = self.promise("found.yaml")
                    self.assertEqual(plan["file"]["bytes"], costs["bytes"])
                    self.assertEqual(plan["totals"]["bits"], costs["bits"])
                    self.assertEqual(plan["totals"]["macs"], costs["macs"])
                    self.assertEqual(plan["layers"], found["layers"])

    def test_a_configuration_that_was_found_trains_and_packs_to_the_promised_bytes(self):
        least, most = self.ends(*NETWORK)
        promised = self.found("--bytes", (least["bytes"] + most["bytes"]) // 2, "-o", "found.yaml",
                              "train.epochs=1", *NETWORK)["costs"]["bytes"]
        self.call("tbn-train", "--config", "found.yaml")
        self.call("tbn-export", "runs/found", "-o", "found.tbn")
        # Figures of accuracy may be a digit longer or shorter, and the header is padded to 64.
        self.assertIn((self.folder / "found.tbn").stat().st_size - promised, (-64, 0, 64))

    def test_ram_and_flash_are_those_of_the_c_export(self):
        least, most = self.ends(*NETWORK)
        found = self.found("--bytes", (least["bytes"] + most["bytes"]) // 2, "--ram", "1M", "--flash", "1M",
                           "-o", "found.yaml", "train.epochs=1", *NETWORK)
        self.call("tbn-train", "--config", "found.yaml")
        self.call("tbn-export", "runs/found", "-o", "found.tbn", "--calibrate", 20)
        source = self.call_json("tbn-export", "found.tbn", "--format", "c", "-o", "c", "--name", "net")
        self.assertEqual(found["costs"]["flash"], source["flash_bytes"])
        self.assertEqual(found["costs"]["ram"], source["ram_bytes"])

    def test_a_budget_outside_the_space_names_both_ends(self):
        least, most = self.ends()
        ends = f"those that this search chooses from take {least['bytes']:,} to {most['bytes']:,}"
        self.fails(2, f"--bytes: no network takes as little as 100 bytes; {ends}",
                   "tbn-search", "--config", "tiny.yaml", "--bytes", 100, "-o", "found.yaml")
        self.fails(2, f"--bytes: the largest network of the space keeps 1,000,000 bytes; {ends}",
                   "tbn-search", "--config", "tiny.yaml", "--bytes", "1M", "-o", "found.yaml")
        self.assertFalse((self.folder / "found.yaml").exists())

    def test_what_is_no_budget_is_refused(self):
        for amount in ("", "0", "-5", "48 k", "1e6", "many", "1e400", "9" * 400, "\x1b[2J"):
            done = self.search(f"--bytes={amount}", "-o", "f.yaml", code=2)
            self.assertIn("--bytes: must be a number of bytes such as 48k, 1.5M or 50257, is ", done.stderr)
            self.assertNotIn("\x1b", done.stderr)
        self.fails(2, "which budget? Give it as --bytes <n>, or as --bits, --macs, --ram or --flash",
                   "tbn-search", "--config", "tiny.yaml", "-o", "f.yaml")

    def test_lists_of_choices_are_whole_numbers_in_their_range(self):
        for option, values in (("--p", ("0", "2,", ",2", "2,,4", "a", "2 4", "99999999999999999999")),
                               ("--levels", ("1", "9", "4;6"))):
            for value in values:
                with self.subTest(option=option, value=value):
                    done = self.search("--dry-run", f"{option}={value}", code=2)
                    self.assertIn(f"{option}: must be whole numbers from ", done.stderr)
        space = self.found("--dry-run", "--p", "8,2", "--rows", 8)
        self.assertEqual([(layer["name"], layer["choices"]) for layer in space["layers"]], [("linear1", [2, 8])])


class Files(SearchTest):
    def test_the_file_has_its_base_and_rules_by_names_and_says_how_it_was_found(self):
        self.search("--bits", "16k", "-o", "found.yaml")
        text = (self.folder / "found.yaml").read_text()
        lines = text.splitlines()
        self.assertEqual(lines[0], "# Found by tbn-search: tbn-search --config tiny.yaml --method rule "
                                   "--bits 16k -o found.yaml")
        self.assertRegex(lines[1], r"^# budget: 16,000 bits; this network: [\d,]+ bytes, [\d,]+ bits, [\d,]+ multiply")
        self.assertEqual(lines[2], "# by each layer's size, without training; seed 1")
        self.assertEqual(lines[3:], ["base: tiny.yaml", "name: found", "weights:", "  rules:",
                                     "    - match: [linear1]", "      encoding: tiled", "      p: 4",
                                     "    - match: [classifier]", "      encoding: binary"])

    def test_settings_of_the_command_line_become_part_of_the_file(self):
        self.search("--bits", "16k", "-o", "found.yaml", "optim.lr=0.07", "train.epochs=2", "data.validation=50")
        config = self.call("tbn-train", "--config", "found.yaml", "--print-config").stdout
        for line in ("  lr: 0.07\n", "  epochs: 2\n", "  validation: 50\n", "name: found\n"):
            self.assertIn(line, config)

    def test_a_base_in_another_folder_is_found_from_there(self):
        (self.folder / "a b").mkdir()
        (self.folder / "tiny.yaml").rename(self.folder / "a b" / "tiny.yaml")
        (self.folder / "out").mkdir()
        self.call("tbn-search", "--method", "rule", "--config", "a b/tiny.yaml", "--bits", "16k", "-o", "out/found.yaml")
        self.assertIn('base: "../a b/tiny.yaml"\n', (self.folder / "out" / "found.yaml").read_text())
        self.call("tbn-train", "--config", "out/found.yaml", "--validate")

    def test_only_what_tbn_search_wrote_is_written_over(self):
        self.search("--bits", "16k", "-o", "found.yaml")
        self.search("--bits", "17k", "-o", "found.yaml")
        before = (self.folder / "tiny.yaml").read_text()
        done = self.search("--bits", "16k", "-o", "tiny.yaml", code=2)
        self.assertIn("'tiny.yaml' is there and was not written by tbn-search", done.stderr)
        self.assertEqual((self.folder / "tiny.yaml").read_text(), before)
        for path, words in (("data", "is a folder"), ("-", "is no file"), ("found.tbn", "is not named as a config"),
                            ("/dev/null", "is a device")):
            self.assertIn(words, self.search("--bits", "16k", "-o", path, code=2).stderr)

    def test_what_is_searched_and_its_bases_are_never_written_over(self):
        self.search("--bits", "16k", "-o", "found.yaml")
        (self.folder / "child.yaml").write_text("base: found.yaml\ntrain: {epochs: 2}\n")
        (self.folder / "grandchild.yaml").write_text("base: [child.yaml]\n")
        (self.folder / "link.yaml").symlink_to("found.yaml")
        before = (self.folder / "found.yaml").read_text()
        ways = (["--method", "rule", "--bits", "17k"], ["--method", "supernet", "--bits", "17k"],
                ["--twin"], ["--choices", "4/1"])
        for config, words in (("found.yaml", "the configuration that is searched"),
                              ("child.yaml", "a base of 'child.yaml'"),
                              ("grandchild.yaml", "a base of 'grandchild.yaml'")):
            for output in ("found.yaml", "link.yaml", self.folder / "found.yaml"):
                for way_there in ways:
                    with self.subTest(config=config, output=output, way=way_there):
                        self.fails(2, f"--output: '{output}' is {words}; choose another name",
                                   "tbn-search", "--config", config, *way_there, "-o", output)
        self.assertEqual((self.folder / "found.yaml").read_text(), before)
        self.assertFalse((self.folder / "runs").exists())
        self.call("tbn-search", "--config", "grandchild.yaml", "--choices", "4/1", "-o", "other.yaml")
        self.call("tbn-train", "--config", "other.yaml", "--validate")

    def test_what_cannot_be_written_or_named_is_refused_before_anything_is_done(self):
        (self.folder / "file").write_text("x")
        for output, words in (("missing/found.yaml", "/missing', is not there; make it first"),
                              ("file/found.yaml", "/file', is no folder; name a file in one"),
                              ("a\nb.yaml", "'a?b' would name runs, which a plain folder name "),
                              ("a\\b.yaml", "would name runs, which a plain folder name of at most 200 bytes does"),
                              ("x" * 201 + ".yaml", " would name runs, which a plain folder name ")):
            for way_there in (["--method", "rule", "--bits", "16k"], ["--method", "supernet", "--bits", "16k"],
                              ["--twin"], ["--choices", "4/1"]):
                with self.subTest(output=output, way=way_there):
                    done = self.search(*way_there, "-o", output, code=2)
                    self.assertIn(words, done.stderr)
                    self.assertEqual(done.stdout, "")
        self.assertFalse((self.folder / "runs").exists())

    def test_a_hostile_command_line_stays_in_its_comment(self):
        self.search("--bits", "16k", "-o", "found.yaml", "data.root=data\nname: evil", code=0)
        text = (self.folder / "found.yaml").read_text()
        self.assertNotIn("\nname: evil", text)
        self.assertIn("name: found\n", text)

    def test_layers_that_are_fixed_stay(self):
        least, most = self.ends("--fix", "classifier,conv1", *NETWORK)
        found = self.found("--bytes", (least["bytes"] + most["bytes"]) // 2, "--fix", "classifier,conv1", "-o",
                           "found.yaml", *NETWORK)
        forms = {layer["name"]: layer["form"] for layer in found["layers"]}
        self.assertEqual((forms["conv1"], forms["classifier"]), ("8 bits", "8 bits"))
        self.fails(2, "--fix: 'nothing*' matches no layer",
                   "tbn-search", "--config", "tiny.yaml", "--dry-run", "--fix", "nothing*")

    def test_without_data_the_file_says_what_is_missing_in_its_size(self):
        said = "the data cannot be read: data set 'fashion_mnist' not found"
        for way_there in (["--bits", "16k"], ["--twin"], ["--choices", "4/1"]):
            with self.subTest(way=way_there):
                here = self.found(*way_there, "-o", "found.yaml")
                self.assertNotIn("without_rule", here)
                self.assertNotIn("could not be read", (self.folder / "found.yaml").read_text())
                arguments = [*way_there, "-o", "found.yaml", "data.root=/nowhere"]
                out = self.search(*arguments).stdout
                self.assertIn(said, out)
                self.assertIn("the file will have their names and rules besides, and be some hundred bytes larger", out)
                self.assertIn("the data are not here: images of 28 x 28 pixels assumed", out)
                found = self.found(*arguments)
                self.assertIn("not found", found["without_rule"])
                self.assertEqual(found["assumed"], "images of 28 x 28 pixels")
                self.assertIn("# The data could not be read: the file will have their names and rules besides.\n",
                              (self.folder / "found.yaml").read_text())
        self.assertIn(said, self.search("--dry-run", "data.root=/nowhere").stdout)
        self.assertIn("not found", self.found("--dry-run", "data.root=/nowhere")["without_rule"])
        self.assertNotIn("cannot be read", self.search("--dry-run").stdout)

    def test_data_that_are_there_and_cannot_be_read_end_with_3(self):
        images = self.folder / "data" / "train-images-idx3-ubyte"
        images.write_bytes(images.read_bytes()[:-100])
        for way_there in (["--dry-run"], ["--bits", "16k", "-o", "found.yaml"], ["--twin", "-o", "found.yaml"],
                          ["--choices", "4/1", "-o", "found.yaml"],
                          ["--method", "supernet", "--bits", "16k", "-o", "found.yaml"]):
            with self.subTest(way=way_there):
                done = self.search(*way_there, code=3)
                self.assertRegex(done.stderr, r"^tbn-search: error: .*train-images-idx3-ubyte.*\n$")
        self.assertFalse((self.folder / "found.yaml").exists())
        self.assertFalse((self.folder / "runs").exists())

    def test_a_forecast_keeps_the_order_of_its_tiles(self):
        config = ROOT / "configs" / "etth1" / "dlinear_96_p4.yaml"
        space = self.call_json("tbn-search", "--config", config, "--dry-run")
        middle = (space["least"]["bits"] + space["most"]["bits"]) // 2
        names = [layer["name"] for layer in space["layers"]]
        # 96 hours: at p = 1, 2 and 4 those a day apart share a row, and at p = 8 neighbours.
        forms = {1: "rows", 2: "rows", 4: "rows", 8: "interleaved", 16: "interleaved"}
        met = set()
        for way_there in (["--method", "rule", "--bits", middle], ["--choices", "8/8"], ["--choices", "2/16"],
                          ["--choices", "1/4"]):
            with self.subTest(way=way_there):
                found = self.call_json("tbn-search", "--config", config, *way_there, "-o", "found.yaml")
                plan = self.promise("found.yaml")
                self.assertEqual(plan["layers"], found["layers"])
                self.assertEqual(plan["file"]["bytes"], found["costs"]["bytes"])
                for layer in plan["layers"]:
                    if layer["name"] in names:
                        self.assertEqual(layer["form"], forms[layer["p"]], layer)
                        met.add(layer["form"])
                text = self.call("tbn-train", "--config", "found.yaml", "--print-config").stdout
                rules = re.findall(r"match: \[(.*)\]\n\s+encoding: (\w+)", text)
                self.assertEqual({name for match, _ in rules for name in match.split(", ")} & set(names), set(names))
        self.assertEqual(met, {"rows", "interleaved"})

    def test_a_network_is_named_by_its_choices(self):
        found = self.found("--choices", "8/2", "-o", "found.yaml")
        self.assertEqual([layer["p"] for layer in found["layers"]], [8, 2])
        self.assertEqual(self.promise("found.yaml")["file"]["bytes"], found["costs"]["bytes"])
        self.fails(2, "--choices: '3/2' names no network of this search; --dry-run lists the layers and their "
                      "choices, in order", "tbn-search", "--config", "tiny.yaml", "--choices", "3/2", "-o", "f.yaml")


class Twins(SearchTest):
    def test_the_twin_is_the_widest_1_bit_network_of_the_configurations_bytes(self):
        for number, network in enumerate(([], NETWORK, [NETWORK[0].replace("}", ", width: 2}"), NETWORK[1]],
                                          ["model={type: vgg_small, width: 0.125}"])):
            with self.subTest(network=network):
                size = self.call_json("tbn-train", "--config", "tiny.yaml", "--dry-run", *network)["file"]["bytes"]
                twin = self.found("--twin", "-o", "twin.yaml", *network)
                self.assertLessEqual(twin["costs"]["bytes"], size)
                self.assertGreater(twin["costs"]["bytes"], 0.8 * size)
                plan = self.promise("twin.yaml")
                self.assertEqual(plan["file"]["bytes"], twin["costs"]["bytes"])
                self.assertNotIn("tiled", {layer["encoding"] for layer in plan["layers"]})

    def test_one_unit_more_would_break_the_budget(self):
        twin = self.found("--twin", "--bytes", "9k", "-o", "twin.yaml")
        hidden = int(re.search(r"hidden: \[(\d+)\]", (self.folder / "twin.yaml").read_text())[1])
        more = self.call_json("tbn-train", "--config", "twin.yaml", "--dry-run", f"model.hidden=[{hidden + 1}]")
        self.assertLessEqual(twin["costs"]["bytes"], 9000)
        self.assertGreater(more["file"]["bytes"], 9000)

    def test_a_budget_of_memory_alone_ends_where_microcontrollers_do(self):
        twin = self.found("--twin", "--ram", "1000M", "-o", "twin.yaml")
        # 2^24 weights of a layer are the most that they take.
        self.assertIn(f"hidden: [{2 ** 24 // 784}]", (self.folder / "twin.yaml").read_text())
        self.assertLess(twin["costs"]["ram"], 1000 * 10 ** 6)

    def test_a_budget_beyond_what_can_be_packed_takes_bounded_memory(self):
        # At 2,048 units per layer their weights take almost 1 GiB in training, and twice as many four times that.
        hidden = ", ".join(["2"] * 64 + ["1"])
        most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        twin = self.found("--twin", "--bytes", "1000M", "-o", "twin.yaml", "weights={encoding: binary, rules: []}",
                          f"model={{type: mlp, hidden: [{hidden}]}}")
        # The last, after that of the command in the file's comment.
        width = int(re.findall(r"hidden: \[(\d+),", (self.folder / "twin.yaml").read_text())[-1])
        self.assertIn(width, range(2045, 2053))
        self.assertEqual(self.promise("twin.yaml")["file"]["bytes"], twin["costs"]["bytes"])
        # Of all children so far, in KiB.
        self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, max(most, 6 << 20))

    def test_a_twin_that_cannot_be_is_refused(self):
        done = self.search("--twin", "--bytes", 100, "-o", "twin.yaml", code=2)
        self.assertIn("--bytes: the narrowest 1-bit twin takes ", done.stderr)
        done = self.search("--twin", "-o", "twin.yaml", "model={type: mlp_mixer, patch: 7}", code=2)
        self.assertIn("--twin: model.type mlp_mixer has no channels or hidden widths of several layers and no width", done.stderr)


if __name__ == "__main__":
    main()
