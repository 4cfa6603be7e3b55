// When a run's files change: with the first thing that is saved, and not before.
#include "train/run/run_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

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
  tbn::OpenRun open{.config = tbn::parse_config("{name: r, train: {epochs: 9}}", "test"),
                    .directory = run,
                    .lock = std::make_unique<tbn::RunLock>(folder.path())};
  Folder() {
    run.prepare();
    for (const fs::path& path : {run.config(), run.environment(), run.summary()}) {
      write_file(path, "earlier");
    }
  }
  enum Start { kBegins, kContinues, kReplaces };
  tbn::RunFiles files(Start start) {
    open.from = start == kContinues ? std::optional(checkpoint()) : std::nullopt;
    open.replaces = start == kReplaces;
    return {open, "cpu", {"tbn-train"}};
  }
  bool is_earlier() const {
    return read_file(run.config()) == "earlier" && read_file(run.environment()) == "earlier" &&
           fs::exists(run.summary()) && read_file(run.summary()) == "earlier";
  }
};

}  // namespace

TEST_CASE("a run that begins says at once what it is") {
  Folder folder;
  folder.files(Folder::kBegins).begin();
  CHECK(tbn::test::says(read_file(folder.run.config()), {"epochs: 9"}));
  CHECK(tbn::test::says(read_file(folder.run.environment()), {"\"tbn-train\""}));
}

TEST_CASE("a run that is continued stays what it was until something new of it is saved") {
  Folder folder;
  tbn::RunFiles files = folder.files(Folder::kContinues);
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
  tbn::RunFiles files = folder.files(Folder::kContinues);
  files.save(folder.run.last(), checkpoint());
  const std::string state = read_file(folder.run.last());
  write_file(folder.run.summary(), "earlier");
  fs::remove(folder.run.config());
  fs::create_directories(folder.run.config());
  tbn::RunFiles next = folder.files(Folder::kContinues);
  tbn::Checkpoint further = checkpoint();
  further.progress.epoch = 7;
  CHECK_THROWS_AS(next.save(folder.run.last(), further), tbn::SystemError);
  CHECK(read_file(folder.run.last()) == state);
  CHECK(read_file(folder.run.summary()) == "earlier");
}

TEST_CASE("a run that is replaced stays whole until the first checkpoint of the next one is") {
  Folder folder;
  const tbn::RunDirectory& run = folder.run;
  const std::vector<fs::path> earlier = {run.log(),  run.metrics(), run.events() / "events.1",
                                         run.last(), run.best(),    run.folder() / "notes.txt"};
  for (const fs::path& path : earlier) write_file(path, "earlier");
  const auto all_is_there = [&] {
    return folder.is_earlier() && std::ranges::all_of(earlier, [](const fs::path& path) {
             return fs::exists(path) && read_file(path) == "earlier";
           });
  };
  const auto report = [](const tbn::RunFiles& files) {
    const tbn::RunDirectory reports = files.reports();
    write_file(reports.log(), "new");
    write_file(reports.metrics(), "new");
    write_file(reports.events() / "events.2", "new");
  };
  {
    tbn::RunFiles comes_to_nothing = folder.files(Folder::kReplaces);
    comes_to_nothing.begin();
    report(comes_to_nothing);
    CHECK(all_is_there());
    CHECK_FALSE(comes_to_nothing.is_of_this_run());
  }
  CHECK(all_is_there());
  CHECK_FALSE(fs::exists(run.incoming().folder()));

  tbn::RunFiles files = folder.files(Folder::kReplaces);
  files.begin();
  report(files);
  fs::rename(run.checkpoints(), folder.folder / "away");
  CHECK_THROWS_AS(files.save(run.last(), checkpoint()), tbn::SystemError);
  fs::rename(folder.folder / "away", run.checkpoints());
  CHECK(all_is_there());
  files.save(run.last(), checkpoint());
  CHECK(files.is_of_this_run());
  CHECK(files.reports().folder() == run.folder());
  CHECK(tbn::test::says(read_file(run.config()), {"epochs: 9"}));
  CHECK(tbn::test::says(read_file(run.environment()), {"\"tbn-train\""}));
  for (const fs::path& path : {run.log(), run.metrics(), run.events() / "events.2"}) {
    CHECK(read_file(path) == "new");
  }
  for (const fs::path& path :
       {run.summary(), run.best(), run.events() / "events.1", run.incoming().folder()}) {
    CHECK_FALSE(fs::exists(path));
  }
  CHECK(read_file(run.folder() / "notes.txt") == "earlier");
  CHECK(read_file(run.last()) != "earlier");
}

TEST_CASE("what a start that was killed had begun to write is swept, and is no run by itself") {
  Folder folder;
  const tbn::RunDirectory next = folder.run.incoming();
  write_file(next.metrics(), "new");
  write_file(next.events() / "events.2", "new");
  folder.run.sweep();
  CHECK_FALSE(fs::exists(next.folder()));
  const tbn::test::TempDir other;
  const tbn::RunDirectory run(other.path());
  write_file(run.incoming().metrics(), "new");
  CHECK(run.look().state == tbn::RunState::kNothing);
}

TEST_CASE("nothing is written into a run whose lock was taken away") {
  for (const Folder::Start start : {Folder::kContinues, Folder::kReplaces}) {
    Folder folder;
    tbn::RunFiles files = folder.files(start);
    files.begin();
    fs::remove(tbn::RunLock::file_of(folder.run.folder()));
    CHECK_THROWS_AS(files.save(folder.run.last(), checkpoint()), tbn::SystemError);
    CHECK_THROWS_AS(files.finish(tbn::Json::object()), tbn::SystemError);
    // What is said is what helps: a run that was to be replaced has a state of another one.
    CHECK(tbn::test::says(
        tbn::test::message_of<tbn::SystemError>([&] { files.expect_locked(); }),
        {start == Folder::kContinues ? "runs, and continue with --resume"
                                     : "and begin again with --overwrite, since nothing was"}));
    CHECK(folder.is_earlier());
    CHECK_FALSE(fs::exists(folder.run.last()));
  }
}

TEST_CASE("a run whose lock was taken away before its first save is not told to resume") {
  for (const bool saves : {false, true}) {
    Folder folder;
    tbn::RunFiles files = folder.files(Folder::kBegins);
    files.begin();
    if (saves) files.save(folder.run.last(), checkpoint());
    fs::remove(tbn::RunLock::file_of(folder.run.folder()));
    CHECK(tbn::test::says(
        tbn::test::message_of<tbn::SystemError>([&] { files.expect_locked(); }),
        {saves
             ? "a training runs, and continue with --resume"
             : "and begin again with --resume=auto or --overwrite, since nothing was saved yet"}));
  }
}
