"""One trainer at a time in a folder, whatever becomes of the others and of the lock."""

import os
import shutil
import signal

from run_support import RUN, RunDirectoryTest
from tools_support import CONV_SETTINGS, main


class Locks(RunDirectoryTest):
    def test_of_two_that_start_at_once_one_trains(self):
        for _ in range(20):
            shutil.rmtree(self.run_folder, ignore_errors=True)
            pair = [self.start(*RUN, "train.epochs=2") for _ in range(2)]
            ends = [process.communicate(timeout=120) for process in pair]
            codes = sorted(process.returncode for process in pair)
            self.assertEqual(codes, [0, 2], ends)
            refusal = ends[0][1] + ends[1][1]
            self.assertRegex(refusal, r"run directory 'runs/tiny' (is in use by (another process|"
                                      r"process \d+ on host \S+);|holds a run that is complete;)")
            rows = (self.run_folder / "metrics.csv").read_text().splitlines()
            self.assertEqual([row.split(",")[0] for row in rows], ["epoch", "1", "2"])
            self.assertFalse((self.run_folder / "lock").exists())

    def test_a_run_under_way_is_left_alone_and_a_dead_one_is_free(self):
        process = self.begin()
        before = (self.run_folder / "config.yaml").read_bytes()
        host = os.uname().nodename
        for way in (["--overwrite"], ["--resume"], ["--resume=best"], []):
            self.fails(2, f"run directory 'runs/tiny' is in use by process {process.pid} on host "
                          f"{host}; wait for it, end it, or choose another with name=...",
                       *RUN, *CONV_SETTINGS, *way)
        self.assertEqual(before, (self.run_folder / "config.yaml").read_bytes())
        process.kill()
        process.wait()
        self.train(*CONV_SETTINGS, "--resume", "train.epochs=1")

    def test_auto_waits_for_the_owner_and_then_continues(self):
        process = self.begin()
        other = self.start(*RUN, *CONV_SETTINGS, "--resume=auto", "train.epochs=1")
        waits = other.stdout.readline()
        self.assertEqual(waits, f"run directory 'runs/tiny' is in use by process {process.pid} on "
                                f"host {os.uname().nodename}: waiting up to 100 s for its end\n")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=60), 143)
        out, err = other.communicate(timeout=60)
        self.assertEqual(other.returncode, 0, err)
        self.assertIn("nothing is left to train", out)

    def test_a_trainer_whose_lock_was_removed_by_hand_writes_nothing_more(self):
        first = self.begin()
        (self.run_folder / "lock").unlink()
        second = self.start(*RUN, *CONV_SETTINGS, "train.epochs=1000000", "--resume")
        self.addCleanup(second.kill)
        out, err = first.communicate(timeout=60)
        self.assertEqual(first.returncode, 1, out + err)
        self.assertEqual(err, "tbn-train: error: 'runs/tiny/lock' was removed or replaced while this training "
                              "ran, so that another one may write there; this one ends, and writes nothing more; "
                              "leave the file alone while a training runs, and continue with --resume\n")
        # The first may end before the second begins.
        while line := second.stdout.readline():
            if line.startswith("epoch"):
                break
        self.assertTrue((self.run_folder / "lock").exists())
        second.send_signal(signal.SIGTERM)
        self.assertEqual(second.wait(timeout=60), 143)
        # The second's rows alone, one per epoch from that which it went on with.
        rows = [int(row.split(",")[0]) for row in (self.run_folder / "metrics.csv").read_text().splitlines()[1:]]
        self.assertEqual(rows, list(range(1, len(rows) + 1)))
        self.train(*CONV_SETTINGS, "--resume", "train.epochs=1")


if __name__ == "__main__":
    main()
