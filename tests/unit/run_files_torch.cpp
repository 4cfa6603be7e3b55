// When a run's files change: with the first thing that is saved, and not before.
#include "train/run/run_files.h"

#include <filesystem>
#include <fstream>

#include "config/load.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_dir.h"
#include "tbn/error.h"
#include "tbn/model.h"

namespace fs = std::filesystem;
using tbn::test::read_file;
using tbn::test::write_file;

namespace {

tbn::Checkpoint checkpoint() {
  tbn::GraphBuilder b("tiny");
  tbn::Checkpoint checkpoint;
  checkpoint.graph = b.finish(b.input({4}).linear(2, {}).named("fc"));
  return checkpoint;
}

// A run directory with an earlier training's files.
struct Folder {
  tbn::test::TempDir folder;
  tbn::RunDirectory run{folder.path()};
  tbn::Config config = tbn::parse_config("{name: r, train: {epochs: 9}}", "test");
  Folder() {
    run.prepare(false);
    for (const fs::path& path : {run.config(), run.environment(), run.summary()}) {
      write_file(path, "earlier");
    }
  }
  tbn::RunFiles files(bool continues) { return {config, run, "cpu", {"tbn-train"}, continues}; }
  bool is_earlier() const {
    return read_file(run.config()) == "earlier" && read_file(run.environment()) == "earlier" &&
           fs::exists(run.summary()) && read_file(run.summary()) == "earlier";
  }
};

}  // namespace

TEST_CASE("a run that begins says at once what it is") {
  Folder folder;
  folder.files(false).begin();
  CHECK(tbn::test::says(read_file(folder.run.config()), {"epochs: 9"}));
  CHECK(tbn::test::says(read_file(folder.run.environment()), {"\"tbn-train\""}));
}

TEST_CASE("a run that is continued stays what it was until something new of it is saved") {
  Folder folder;
  tbn::RunFiles files = folder.files(true);
  files.begin();
  CHECK(folder.is_earlier());
  // The folder of checkpoints is gone: nothing can be saved.
  fs::rename(folder.run.checkpoints(), folder.folder / "away");
  CHECK_THROWS_AS(files.save(folder.run.last(), checkpoint()), tbn::SystemError);
  CHECK(folder.is_earlier());
  fs::rename(folder.folder / "away", folder.run.checkpoints());
  files.save(folder.run.last(), checkpoint());
  CHECK(fs::exists(folder.run.last()));
  CHECK_FALSE(fs::exists(folder.run.summary()));
  CHECK(tbn::test::says(read_file(folder.run.config()), {"epochs: 9"}));
  // From then on the folder is this training's.
  write_file(folder.run.summary(), "later");
  files.save(folder.run.best(), checkpoint());
  CHECK(read_file(folder.run.summary()) == "later");
}

TEST_CASE("a run whose description cannot be written keeps its state and its summary") {
  Folder folder;
  tbn::RunFiles files = folder.files(true);
  files.save(folder.run.last(), checkpoint());
  const std::string state = read_file(folder.run.last());
  write_file(folder.run.summary(), "earlier");
  fs::remove(folder.run.config());
  fs::create_directories(folder.run.config());
  tbn::RunFiles next = folder.files(true);
  tbn::Checkpoint further = checkpoint();
  further.progress.epoch = 7;
  CHECK_THROWS_AS(next.save(folder.run.last(), further), tbn::SystemError);
  CHECK(read_file(folder.run.last()) == state);
  CHECK(read_file(folder.run.summary()) == "earlier");
}
