"""tbn-search with training: supernets and sensitivity, what stops them, and how they go on."""

import fcntl
import re
import shutil
import signal

from search_support import SearchTest
from tools_support import main, write_idx

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
        self.assertRegex(out, r"sums of single losses explain \d\.\d\d of the variance of \d+ random networks")
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
        # Whatever was measured and keeps the budget competes: of all such networks the best eight are judged.
        cells = [row.split(",") for row in rows[1:]]
        ranked = sorted(((-float(row[7]), float(row[8]), row[3]) for row in cells
                         if row[2] == "rank" and int(row[4]) <= self.bytes))
        judged = {row[3] for row in cells if row[1] == "judge"}
        self.assertEqual({choices for *_, choices in ranked[:8]}, judged)
        self.call("tbn-train", "--config", "found.yaml", "train.epochs=1")
        self.call("tbn-export", "runs/found", "-o", "found.tbn")
        self.assertIn((self.folder / "found.tbn").stat().st_size - plan["file"]["bytes"], (-64, 0, 64))

    def test_a_search_that_is_killed_anywhere_goes_on_to_what_it_would_have_found(self):
        self.start_search()
        wanted, found = self.rows(), (self.folder / "found.yaml").read_text()
        shutil.rmtree(self.folder_of_search)
        # Of those that are judged the last may be the one that was seen: then the search is at its end.
        for moment, stop, may_end in ((r"step 1/", signal.SIGTERM, False), (r"epoch 1/2  loss", signal.SIGKILL, False),
                                      (r"alone 3:", signal.SIGTERM, False),
                                      (r"evolution \d+:", signal.SIGKILL, False),
                                      (r"judge \d+:", signal.SIGTERM, True)):
            with self.subTest(moment=moment):
                resume = ["--resume"] if self.folder_of_search.exists() else []
                process = self.start("tbn-search", "--config", "tiny.yaml", "--method", "supernet", *QUICK,
                                     *self.budget, "-o", "found.yaml", *self.settings, *resume)
                seen = False
                for line in process.stdout:
                    seen = re.search(moment, line) is not None
                    if seen:
                        process.send_signal(stop)
                        break
                out, err = process.communicate(timeout=120)
                self.assertTrue(seen, out + err)
                killed = -signal.SIGKILL if stop == signal.SIGKILL else 128 + stop
                self.assertIn(process.returncode, {killed, 0} if may_end else {killed}, out + err)
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

    def test_a_search_goes_on_with_the_data_and_the_teacher_that_it_began_with(self):
        self.train("train.epochs=1", "name=teacher")
        taught = ["teacher.from=runs/teacher"]
        self.search(*SENSITIVITY, *self.budget, "-o", "found.yaml", *self.settings, *taught)
        self.search(*SENSITIVITY, *self.budget, "-o", "found.yaml", *self.settings, *taught, "--resume")
        self.train("train.epochs=1", "name=teacher", "train.seed=2", "--overwrite")
        done = self.search(*SENSITIVITY, *self.budget, "-o", "found.yaml", *self.settings, *taught, "--resume", code=3)
        self.assertIn("was begun with another teacher", done.stderr)
        self.search(*SENSITIVITY, *self.budget, "-o", "alone.yaml", *self.settings)
        write_idx(self.folder / "data", "train", self.train_images, 5)
        done = self.search(*SENSITIVITY, *self.budget, "-o", "alone.yaml", *self.settings, "--resume", code=3)
        self.assertIn("was begun with another data", done.stderr)

    def test_what_is_no_file_in_the_place_of_one_of_a_search_is_refused(self):
        for name in ("search.json", "search.csv", "search.log", "supernet.safetensors"):
            with self.subTest(name=name):
                (self.folder_of_search / name).mkdir(parents=True)
                done = self.start_search(code=2)
                self.assertIn(f"{name}' is a folder, where a search has a file", done.stderr)
                shutil.rmtree(self.folder_of_search)

    def test_a_search_without_validation_samples_is_refused(self):
        for arguments in ([*QUICK, *self.budget], [*SENSITIVITY, *self.budget]):
            arguments += ["-o", "found.yaml", *self.settings]
            if "--method" not in arguments:
                arguments += ["--method", "supernet"]
            with self.subTest(arguments=arguments):
                for refused, words in (("data.validation=0", "a search compares networks on validation samples, and "
                                                             "there are none"),
                                       ("train.device=cuda:99", "train.device")):
                    done = self.search(*arguments, refused, code=2)
                    self.assertIn(words, done.stderr)
                    self.assertFalse((self.folder / "runs").exists())
                self.search(*arguments, "data.validation=50")
                shutil.rmtree(self.folder / "runs")

    def test_what_is_in_the_way_of_a_search_is_said_with_its_own_options(self):
        begun = [*SENSITIVITY, *self.budget, "-o", "found.yaml", *self.settings]
        self.search(*begun)
        done = self.search(*begun, "--resume", "optim.lr=0.9", code=2)
        self.assertTrue(done.stderr.endswith("; change it back, or start another run with -o\n"), done.stderr)
        with open(self.folder_of_search / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = self.search(*begun, "--resume", code=2)
        self.assertIn("run directory 'runs/found_search' is in use by ", done.stderr)
        self.assertTrue(done.stderr.endswith("; wait for it, end it, or choose another with -o\n"), done.stderr)

    def test_latents_that_are_signs_cannot_be_added_up(self):
        done = self.start_search("optim.groups=[{match: latents, type: bop, lr: 1e-3}]", code=2)
        self.assertIn("--method supernet adds up latents, of which optim type bop keeps the signs alone; ", done.stderr)

    def test_a_loss_that_diverges_ends_with_4(self):
        done = self.start_search("optim={type: sgd, lr: 1000, weight_decay: 10, groups: []}", code=4)
        self.assertRegex(done.stderr, r"the loss is not finite at epoch \d, step ")

    def test_a_largest_network_without_a_loss_ends_with_4(self):
        self.search(*SENSITIVITY, *self.budget, "-o", "found.yaml", *self.settings)
        path = self.folder_of_search / "search.csv"
        lines = path.read_text().splitlines()
        cells = lines[1].split(",")
        for number in ("nan", "inf"):
            path.write_text("\n".join([lines[0], ",".join([*cells[:8], number, cells[9]]), *lines[2:]]) + "\n")
            done = self.search(*SENSITIVITY, *self.budget, "-o", "found.yaml", "--resume", *self.settings, code=4)
            self.assertIn("the loss is not finite on validation samples, with the largest network; ", done.stderr)

    def test_damaged_files_of_a_search_end_with_3(self):
        self.start_search()
        for name, content in (("supernet.safetensors", b"x" * 100), ("search.json", b"{"), ("search.json", b"{}"),
                              ("search.json", b'{"search": 5}'), ("search.json", b'{"search": {}}'),
                              ("search.json", b'[]'), ("search.csv", b"a,b\n")):
            path = self.folder_of_search / name
            before = path.read_bytes()
            path.write_bytes(content)
            with self.subTest(name=name, content=content):
                self.assertIn(f"runs/found_search/{name}", self.start_search("--resume", code=3).stderr)
            path.write_bytes(before)
        self.start_search("--resume")


if __name__ == "__main__":
    main()
