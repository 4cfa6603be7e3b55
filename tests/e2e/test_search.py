"""tbn-search: configurations within a budget, without training and with it."""

import re
import shutil
import signal

from tools_support import ROOT, ToolTest, main

# A network with convolutions: two blocks, stem and classifier in integers.
NETWORK = ["model={type: resnet_small, channels: [16, 32], strides: [2, 2]}",
           "weights.rules=[{match: [conv1, classifier], encoding: uniform, bits: 8}]"]


def way(arguments):
    """Choices by size, unless the arguments choose another way."""
    return [] if {"--twin", "--dry-run", "--method", "--choices"} & set(arguments) else ["--method", "rule"]


class SearchTest(ToolTest):
    def search(self, *arguments, **options):
        return self.call("tbn-search", "--config", "tiny.yaml", *way(arguments), *arguments, **options)

    def found(self, *arguments):
        return self.call_json("tbn-search", "--config", "tiny.yaml", *way(arguments), *arguments)

    def ends(self, *arguments):
        space = self.found("--dry-run", *arguments)
        return space["least"], space["most"]

    def promise(self, config):
        """What tbn-train says of the file of a configuration."""
        return self.call_json("tbn-train", "--config", config, "--dry-run")


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
        self.search("--bits", "16k", "-o", "found.yaml", "data.root=/nowhere")
        self.assertIn("# The data could not be read: the file will have their names and rules besides.\n",
                      (self.folder / "found.yaml").read_text())

    def test_a_forecast_keeps_the_order_of_its_tiles(self):
        config = ROOT / "configs" / "etth1" / "dlinear_96_p4.yaml"
        space = self.call_json("tbn-search", "--config", config, "--dry-run")
        middle = (space["least"]["bits"] + space["most"]["bits"]) // 2
        self.call("tbn-search", "--method", "rule", "--config", config, "--bits", middle, "-o", "found.yaml")


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

    def test_a_twin_that_cannot_be_is_refused(self):
        done = self.search("--twin", "--bytes", 100, "-o", "twin.yaml", code=2)
        self.assertIn("--bytes: the narrowest 1-bit twin takes ", done.stderr)
        done = self.search("--twin", "-o", "twin.yaml", "model={type: mlp_mixer, patch: 7}", code=2)
        self.assertIn("--twin: model.type mlp_mixer has none of the options channels, hidden and width", done.stderr)


# Small spaces, and searches of seconds.
QUICK = ["--p", "1,2,4,8", "--epochs", 2, "--population", 12, "--generations", 2, "--recalibrate", 200]
SENSITIVITY = ["--method", "sensitivity", "--p", "1,2", "--epochs", 1]


class Training(SearchTest):
    train_images = 400
    settings = ["model.hidden=[64, 32, 32]"]

    def setUp(self):
        super().setUp()
        least, most = self.ends("--p", "1,2", *self.settings)
        self.bytes = (least["bytes"] + most["bytes"]) // 2
        self.budget = ["--bytes", self.bytes]

    def start_search(self, *arguments, **options):
        return self.search("--method", "supernet", *QUICK, *self.budget, "-o", "found.yaml", *self.settings, *arguments,
                           **options)

    @property
    def folder_of_search(self):
        return self.folder / "runs" / "found_search"

    def rows(self):
        """search.csv without the seconds."""
        return [line.rpartition(",")[0] for line in (self.folder_of_search / "search.csv").read_text().splitlines()]

    def test_a_supernet_finds_a_network_within_the_budget_that_trains_from_scratch(self):
        out = self.start_search().stdout
        self.assertRegex(out, r"supernet: epoch 2/2  loss \d")
        self.assertRegex(out, r"sums of single losses explain \d\.\d\d of the variance of 20 random networks")
        head = (self.folder / "found.yaml").read_text().splitlines()[:3]
        self.assertRegex(head[2], r"^# supernet of 2 epochs: first of \d judged, rank \d+ of \d+, score [\d.]+; seed 1$")
        plan = self.promise("found.yaml")
        self.assertLessEqual(plan["file"]["bytes"], self.bytes)
        self.assertIn(f"this network: {plan['file']['bytes']:,} bytes", head[1])
        rows = self.rows()
        self.assertEqual(rows[0], "trial,stage,images,choices,bytes,bits,macs,score,loss")
        keys = [tuple(row.split(",")[2:4]) for row in rows[1:]]
        self.assertEqual(len(keys), len(set(keys)), "a network was measured twice")
        self.assertEqual({row.split(",")[1] for row in rows[1:]} - {"random"}, {"alone", "evolution", "judge"})
        for row in rows[1:]:
            if row.split(",")[1] == "evolution":
                self.assertLessEqual(int(row.split(",")[4]), self.bytes)
        self.call("tbn-train", "--config", "found.yaml", "train.epochs=1")
        self.call("tbn-export", "runs/found", "-o", "found.tbn")
        self.assertIn((self.folder / "found.tbn").stat().st_size - plan["file"]["bytes"], (-64, 0, 64))

    def test_a_search_that_is_killed_anywhere_goes_on_to_what_it_would_have_found(self):
        self.start_search()
        wanted, found = self.rows(), (self.folder / "found.yaml").read_text()
        shutil.rmtree(self.folder_of_search)
        for moment, stop in ((r"step 1/", signal.SIGTERM), (r"epoch 1/2  loss", signal.SIGKILL),
                             (r"alone 3:", signal.SIGTERM), (r"evolution \d+:", signal.SIGKILL),
                             (r"judge \d+:", signal.SIGTERM)):
            resume = ["--resume"] if self.folder_of_search.exists() else []
            process = self.start("tbn-search", "--config", "tiny.yaml", "--method", "supernet", *QUICK, *self.budget,
                                 "-o", "found.yaml", *self.settings, *resume)
            for line in process.stdout:
                if re.search(moment, line):
                    process.send_signal(stop)
                    break
            process.communicate()
        self.start_search("--resume")
        self.assertEqual(self.rows(), wanted)
        text = (self.folder / "found.yaml").read_text()
        self.assertEqual(text.splitlines()[1:], found.splitlines()[1:])
        before = self.rows()
        self.start_search("--resume")  # of a search that is complete
        self.assertEqual(self.rows(), before)

    def test_sensitivity_trains_each_choice_of_each_layer_alone(self):
        arguments = [*SENSITIVITY, *self.budget, "-o", "found.yaml", *self.settings]
        self.search(*arguments)
        rows = [row.split(",") for row in self.rows()[1:]]
        self.assertEqual([row[3] for row in rows], ["1/1/1/1", "2/1/1/1", "1/2/1/1", "1/1/2/1", "1/1/1/2"])
        self.assertEqual({(row[1], row[2]) for row in rows}, {("alone", "all")})
        self.assertLessEqual(self.promise("found.yaml")["file"]["bytes"], self.bytes)
        self.assertIn("# sensitivity: 5 networks trained for 1 epoch each, losses added up; seed 1\n",
                      (self.folder / "found.yaml").read_text())
        # The first is what tbn-train makes of the same epochs, measured on the same samples.
        self.train("weights.p=1", "weights.rules=[]", "train.epochs=1", "name=one", *self.settings)
        score = float((self.folder / "runs" / "one" / "metrics.csv").read_text().splitlines()[1].split(",")[5])
        self.assertAlmostEqual(float(rows[0][7]), score, places=4)
        # The table cut short is filled up again, row by row.
        path = self.folder_of_search / "search.csv"
        path.write_text("\n".join(path.read_text().splitlines()[:4]) + "\n4,alo")
        self.search(*arguments, "--resume")
        self.assertEqual([row.split(",") for row in self.rows()[1:]], rows)

    def test_a_search_begins_once_and_goes_on_as_it_began(self):
        folder = "runs/found_search"
        self.assertIn(f"--resume: '{folder}' holds no search", self.start_search("--resume", code=2).stderr)
        self.assertFalse(self.folder_of_search.exists())
        begun = [*SENSITIVITY, *self.budget]
        self.search(*begun, "-o", "found.yaml", *self.settings)
        self.fails(2, f"'{folder}' holds a search already; continue it with --resume, or give -o another name",
                   "tbn-search", "--config", "tiny.yaml", *begun, "-o", "found.yaml", *self.settings)
        for changed, words in ((["--method", "supernet", *QUICK, *self.budget],
                                'method "sensitivity", and this one has "supernet"'),
                               ([*SENSITIVITY, "--bytes", self.bytes + 1],
                                f"bytes {self.bytes}, and this one has {self.bytes + 1}")):
            done = self.search(*changed, "-o", "found.yaml", "--resume", *self.settings, code=2)
            self.assertIn(f"--resume: the search in '{folder}' was begun with {words}", done.stderr)
        done = self.search(*begun, "-o", "found.yaml", "--resume", "optim.lr=0.9", *self.settings, code=2)
        self.assertIn("--resume: 'lr: 0.9' in section 'optim' was 'lr: 0.05' when the run began", done.stderr)

    def test_a_search_without_validation_samples_is_refused(self):
        done = self.start_search("data.validation=0", code=2)
        self.assertIn("a search compares networks on validation samples, and there are none", done.stderr)

    def test_latents_that_are_signs_cannot_be_added_up(self):
        done = self.start_search("optim.groups=[{match: latents, type: bop, lr: 1e-3}]", code=2)
        self.assertIn("--method supernet adds up latents, of which optim type bop keeps the signs alone; ", done.stderr)

    def test_a_loss_that_diverges_ends_with_4(self):
        done = self.start_search("optim={type: sgd, lr: 1000, weight_decay: 10, groups: []}", code=4)
        self.assertRegex(done.stderr, r"the loss is not finite at epoch \d, step ")

    def test_damaged_files_of_a_search_end_with_3(self):
        self.start_search()
        for name, content in (("supernet.safetensors", b"x" * 100), ("search.json", b"{"), ("search.csv", b"a,b\n")):
            path = self.folder_of_search / name
            before = path.read_bytes()
            path.write_bytes(content)
            self.assertIn(name, self.start_search("--resume", code=3).stderr)
            path.write_bytes(before)
        self.start_search("--resume")


if __name__ == "__main__":
    main()
