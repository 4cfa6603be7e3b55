"""A project that has a LibTorch of its own before it finds tbn's training part: that one is linked, and no
second beside it; another version is refused in a sentence."""

import re
import shutil
import unittest

from install_support import ROOT, InstallTest, main, run

CONSUMER = ROOT / "tests" / "e2e" / "install_consumer"
WAYS = ["torch", "torch without includes", "torch_cpu", "LibTorch::cpu", "variables"]


class TwoLibTorches(InstallTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not cls.is_on("TBN_TRAIN") or cls.is_on("TBN_TRAIN_CUDA"):
            raise unittest.SkipTest("for a tbn that trains on the CPU")
        cls.own = cls.libtorch()

    def configure_with(self, way, folder, **options):
        return self.configure(CONSUMER, re.sub(r"\W+", "_", way), "-DCONSUMER_TRAIN=ON",
                              f"-DCONSUMER_TORCH={way}", f"-DCONSUMER_TORCH_FOLDER={folder}",
                              f"-DTBN_LIBTORCH={self.another()}", **options)

    def another(self):
        """A second LibTorch, where tbn would look if the project had none: links to the same files."""
        other = self.folder / "another" / "torch"
        if not other.exists():
            other.mkdir(parents=True)
            for part in ("lib", "include"):
                (other / part).symlink_to(self.own / part)
        return other

    def check_one_is_linked(self, build):
        linked = set(re.findall(r"\S*libtorch_cpu\.so", (build / "build.ninja").read_text()))
        self.assertEqual(linked, {str(self.own / "lib" / "libtorch_cpu.so")})

    def test_without_one_of_its_own_a_project_gets_that_which_it_names(self):
        build = self.configure(CONSUMER, "none", "-DCONSUMER_TRAIN=ON", f"-DTBN_LIBTORCH={self.another()}")
        self.assertIn(f"{self.another()}/lib/libtorch_cpu.so", (build / "build.ninja").read_text())

    def test_each_way_to_have_one_is_seen(self):
        for way in WAYS:
            with self.subTest(way):
                self.check_one_is_linked(self.configure_with(way, self.own))

    def test_a_target_of_the_project_is_linked_and_works(self):
        build = self.configure_with("torch", self.own)
        run("cmake", "--build", build)
        self.assertEqual(run(build / "consumer"), "8 outputs\n")

    def test_what_find_package_torch_found_is_linked_and_works(self):
        if not shutil.which("nvcc") or not (self.own / "share" / "cmake" / "Torch").is_dir():
            self.skipTest("find_package(Torch) of this LibTorch needs nvcc")
        build = self.configure_with("package", self.own)
        self.check_one_is_linked(build)
        run("cmake", "--build", build)
        self.assertEqual(run(build / "consumer"), "8 outputs\n")

    def test_another_version_is_refused(self):
        old = self.folder / "old"
        (old / "include" / "torch" / "headeronly").mkdir(parents=True)
        (old / "include" / "torch" / "headeronly" / "version.h").write_text(
            "".join(f"#define TORCH_VERSION_{name} {number}\n"
                    for name, number in (("MAJOR", 2), ("MINOR", 5), ("PATCH", 1))))
        for way in WAYS:
            with self.subTest(way):
                self.refused(way, old, rf"in '{re.escape(str(old))}'\), version 2\.5\.1, and tbn is "
                             r"written for 2\.11, whose internal interfaces it uses: let the project find")

    def test_one_that_does_not_say_its_version_is_refused(self):
        self.refused("torch", self.folder / "nothing", r"none of its include folders has a torch/version\.h")

    def refused(self, way, folder, sentence):
        said = self.configure_with(way, folder, check=False)
        self.assertNotEqual(said.returncode, 0)
        self.assertRegex(" ".join(said.stderr.split()), sentence)


if __name__ == "__main__":
    main()
