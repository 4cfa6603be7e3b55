// scripts/download_data.sh with a stand-in for curl: a data set appears whole or not at all.
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>

#include "support/catch.h"
#include "support/source_dir.h"
#include "support/temp_dir.h"

using namespace tbn::test;

namespace {

// A folder with a `bin` before the system's, in which curl is the given shell script. It runs with
// $out (the --output file) and $url set.
struct Shell {
  TempDir dir;
  int code = 0;

  explicit Shell(const std::string& curl) { set_curl(curl); }

  void set_curl(const std::string& script) {
    write_file(dir / "bin/curl",
               "#!/bin/bash\nwhile (($# > 1)); do [[ $1 == --output ]] && out=$2; shift; done\n"
               "url=$1\necho \"$url\" >>\"" +
                   (dir / "urls").string() + "\"\n" + script + "\n");
    std::filesystem::permissions(dir / "bin/curl", std::filesystem::perms::owner_all);
  }

  // Runs the script in the folder; returns what it printed.
  std::string run(const std::string& arguments) {
    const std::string command = "cd '" + dir.path().string() + "' && PATH='" +
                                (dir / "bin").string() + "':\"$PATH\" bash '" +
                                source_dir().string() + "/scripts/download_data.sh' " + arguments +
                                " >log 2>&1";
    const int status = std::system(command.c_str());
    code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return read_file(dir / "log");
  }
  bool exists(std::string_view name) const { return std::filesystem::exists(dir / name); }
};

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the download script explains itself and refuses unknown names") {
  Shell shell("exit 1");
  CHECK(contains(shell.run("--help"), "usage: scripts/download_data.sh NAME [FOLDER]"));
  CHECK(shell.code == 0);
  CHECK(contains(shell.run("cifar"), "unknown data set cifar"));
  CHECK(shell.code == 2);
  shell.run("");
  CHECK(shell.code == 2);
  shell.run("mnist a b");
  CHECK(shell.code == 2);
  CHECK_FALSE(shell.exists("urls"));
}

TEST_CASE("without a network the download script says what to do and leaves no data set") {
  Shell shell("echo 'could not resolve host' >&2; exit 6");
  const std::string log = shell.run("cifar10");
  CHECK(shell.code == 1);
  CHECK(contains(log,
                 "download_data: cannot download "
                 "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz; check the network "
                 "and call this again (it continues where it stopped), or put the files into "
                 "data/cifar10 by hand"));
  CHECK_FALSE(shell.exists("data/cifar10"));
}

TEST_CASE("a damaged download is removed and no data set appears") {
  Shell shell("echo damaged >\"$out\"");
  const std::string log = shell.run("mnist here");
  CHECK(shell.code == 1);
  CHECK(contains(log,
                 "arrived damaged (its SHA-256 is not "
                 "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609) and was "
                 "removed; call this again"));
  CHECK_FALSE(shell.exists("here"));
  CHECK_FALSE(shell.exists("here.download/train-images-idx3-ubyte.gz.partial"));
}

TEST_CASE("what a broken download left is kept for the next call") {
  Shell shell("printf half >>\"$out\"; exit 18");
  shell.run("mnist here");
  CHECK(shell.code == 1);
  CHECK(read_file(shell.dir / "here.download/train-images-idx3-ubyte.gz.partial") == "half");
  shell.run("mnist here");
  CHECK(read_file(shell.dir / "here.download/train-images-idx3-ubyte.gz.partial") == "halfhalf");
  CHECK_FALSE(shell.exists("here"));
}

TEST_CASE("a server that cannot continue a download makes it begin again") {
  Shell shell("printf half >\"$out\"; exit 18");
  shell.run("mnist here");
  shell.set_curl("[[ -e $out ]] && exit 33; printf new >\"$out\"; exit 18");
  shell.run("mnist here");
  CHECK(shell.code == 1);
  CHECK(read_file(shell.dir / "here.download/train-images-idx3-ubyte.gz.partial") == "new");
}

TEST_CASE("a whole download is put in place and not repeated") {
  // sha256sum answers with whatever the script expects next, so that small files pass for the real.
  Shell shell("printf '%s' \"$url\" >\"$out\"");
  write_file(
      shell.dir / "bin/sha256sum",
      "#!/bin/bash\ncase $(cat) in\n"
      "*train-images*) echo 440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609 ;;\n"
      "*train-labels*) echo 3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c ;;\n"
      "*t10k-images*) echo 8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6 ;;\n"
      "*t10k-labels*) echo f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6 "
      ";;\nesac\n");
  std::filesystem::permissions(shell.dir / "bin/sha256sum", std::filesystem::perms::owner_all);
  CHECK(contains(shell.run("mnist"), "mnist is in data/mnist"));
  CHECK(shell.code == 0);
  for (const char* name :
       {"train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"}) {
    const std::string file = std::string(name) + "-ubyte.gz";
    CHECK(read_file(shell.dir / ("data/mnist/" + file)) ==
          "https://ossci-datasets.s3.amazonaws.com/mnist/" + file);
  }
  CHECK_FALSE(shell.exists("data/mnist.download"));
  std::filesystem::remove(shell.dir / "urls");
  CHECK(contains(shell.run("mnist"), "data/mnist is there already; remove it to download again"));
  CHECK(shell.code == 0);
  CHECK_FALSE(shell.exists("urls"));
}

TEST_CASE("a CIFAR archive is unpacked without its top folder") {
  Shell shell(
      "cp \""
      "$(dirname \"$0\")/../a.tar.gz\" \"$out\"");
  write_file(shell.dir / "cifar-10-batches-bin/test_batch.bin", "records");
  REQUIRE(std::system(
              ("cd '" + shell.dir.path().string() + "' && tar -czf a.tar.gz cifar-10-batches-bin")
                  .c_str()) == 0);
  write_file(shell.dir / "bin/sha256sum",
             "#!/bin/bash\ncat >/dev/null; echo "
             "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd\n");
  std::filesystem::permissions(shell.dir / "bin/sha256sum", std::filesystem::perms::owner_all);
  shell.run("cifar10 made");
  CHECK(shell.code == 0);
  CHECK(read_file(shell.dir / "made/test_batch.bin") == "records");
  CHECK_FALSE(shell.exists("made.download"));
}

TEST_CASE("a table of transformers is put in place under its own name") {
  Shell shell("printf '%s' \"$url\" >\"$out\"");
  write_file(shell.dir / "bin/sha256sum",
             "#!/bin/bash\ncat >/dev/null; echo "
             "a3dc2c597b9218c7ce1cd55eb77b283fd459a1d09d753063f944967dd6b9218b\n");
  std::filesystem::permissions(shell.dir / "bin/sha256sum", std::filesystem::perms::owner_all);
  CHECK(contains(shell.run("etth2"), "etth2 is in data/etth2"));
  CHECK(shell.code == 0);
  CHECK(contains(read_file(shell.dir / "data/etth2/ETTh2.csv"), "/ETT-small/ETTh2.csv"));
  CHECK_FALSE(shell.exists("data/etth2.download"));
}

TEST_CASE("the download script says where a series that it cannot fetch is published") {
  Shell shell("exit 1");
  CHECK(contains(shell.run("weather"), "put weather.csv into data/weather"));
  CHECK(shell.code == 1);
  CHECK_FALSE(shell.exists("urls"));
  CHECK_FALSE(shell.exists("data"));
}

TEST_CASE("a zip archive appears without its top folder, or not at all") {
  Shell shell("cp \"$(dirname \"$0\")/../a.zip\" \"$out\"");
  write_file(shell.dir / "tiny-imagenet-200/val/val_annotations.txt", "labels");
  write_file(shell.dir / "tiny-imagenet-200/wnids.txt", "n01443537");
  REQUIRE(std::system(("cd '" + shell.dir.path().string() +
                       "' && python3 -m zipfile -c a.zip tiny-imagenet-200")
                          .c_str()) == 0);
  write_file(shell.dir / "bin/sha256sum",
             "#!/bin/bash\ncat >/dev/null; echo "
             "6198c8ae015e2b3e007c7841da39ec069199b9aa3bfa943a462022fe5e43c821\n");
  std::filesystem::permissions(shell.dir / "bin/sha256sum", std::filesystem::perms::owner_all);
  // Stopped while unpacking, for want of space or by a signal: the archive stays, the set is
  // absent.
  write_file(shell.dir / "bin/python3", "#!/bin/bash\nmkdir -p \"$5\"; echo full >&2; exit 1\n");
  std::filesystem::permissions(shell.dir / "bin/python3", std::filesystem::perms::owner_all);
  shell.run("tiny_imagenet");
  CHECK(shell.code != 0);
  CHECK_FALSE(shell.exists("data/tiny_imagenet"));
  std::filesystem::remove(shell.dir / "bin/python3");
  shell.set_curl("exit 1");
  CHECK(contains(shell.run("tiny_imagenet"), "tiny_imagenet is in data/tiny_imagenet"));
  CHECK(shell.code == 0);
  CHECK(read_file(shell.dir / "data/tiny_imagenet/val/val_annotations.txt") == "labels");
  CHECK(read_file(shell.dir / "data/tiny_imagenet/wnids.txt") == "n01443537");
  CHECK_FALSE(shell.exists("data/tiny_imagenet.download"));
}

TEST_CASE("every data set with a published SHA-256 is checked by it") {
  // What is downloaded is never the real thing here, so that each says which checksum it expects.
  for (const char* name : {"mnist", "fashion_mnist", "cifar10", "cifar100", "imagenette",
                           "tiny_imagenet", "etth1", "etth2", "ettm1", "ettm2"}) {
    Shell shell("printf nothing >\"$out\"");
    INFO(name);
    CHECK(contains(shell.run(name), "arrived damaged (its SHA-256 is not "));
  }
  Shell shell("printf nothing >\"$out\"");
  CHECK(contains(shell.run("modelnet40"),
                 "arrived damaged (its MD5 is not c9ab8e6dfb16f67afdab25e155c79e59)"));
}

TEST_CASE("the download script says how ImageNet is laid out, which needs an account") {
  Shell shell("exit 1");
  CHECK(contains(shell.run("imagenet"), "data/imagenet/val/CLASS/*.JPEG"));
  CHECK(shell.code == 1);
  CHECK_FALSE(shell.exists("urls"));
  CHECK_FALSE(shell.exists("data"));
}
