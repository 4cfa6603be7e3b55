// The table of states of a run directory: every state with every way to begin, and what each says.
#include "train/run/open_run.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "config/load.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_dir.h"
#include "tbn/error.h"
#include "tbn/model.h"
#include "train/executor/device.h"

namespace fs = std::filesystem;
using tbn::RunMode;
using tbn::test::message_of;
using tbn::test::says;
using tbn::test::write_file;

namespace {

constexpr int kLongRun = 9;  // epochs of the configuration, where a run of 4 is to become longer

tbn::Config config_in(const fs::path& folder, int epochs = 4) {
  return tbn::parse_config("{name: r, train: {epochs: " + std::to_string(epochs) + "}}", "test",
                           {"output=" + folder.string()});
}

tbn::Checkpoint checkpoint_of(const fs::path& folder, std::int64_t epoch, std::int64_t best_epoch) {
  tbn::GraphBuilder b("tiny");
  tbn::Checkpoint checkpoint;
  checkpoint.graph = b.finish(b.input({4}).linear(2, {}).named("fc"));
  for (const tbn::Node& node : checkpoint.graph.nodes) {
    for (const tbn::TensorSpec& spec : tbn::training_tensors(checkpoint.graph, node)) {
      checkpoint.model.emplace(spec.name, tbn::HostTensor(spec.dtype, spec.shape));
    }
  }
  checkpoint.config_yaml = tbn::print_config(config_in(folder));
  checkpoint.progress.epoch = epoch;
  checkpoint.progress.global_step = 10 * epoch;
  checkpoint.progress.best_epoch = best_epoch;
  checkpoint.progress.best_score = 90;
  return checkpoint;
}

void save(const fs::path& folder, const char* name, std::int64_t epoch) {
  fs::create_directories(folder / "r/checkpoints");
  tbn::write_checkpoint(folder / "r/checkpoints" / name, checkpoint_of(folder, epoch, 1));
}

void damage(const fs::path& path) {
  std::string bytes = tbn::test::read_file(path);
  bytes[bytes.size() - 3] ^= 4;
  write_file(path, bytes);
}

pid_t dead_process() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  int status = 0;
  ::waitpid(child, &status, 0);
  return child;
}

// Makes a state of the table below `folder`; the run directory is `folder`/r.
void make_state(const std::string& state, const fs::path& folder) {
  const fs::path run = folder / "r";
  const auto has = [&](const char* part) { return state.find(part) != std::string::npos; };
  if (state == "absent") return;
  fs::create_directories(run);
  if (has("ours alone")) {
    fs::create_directories(run / "checkpoints");
    const std::string aside = ".tmp." + std::to_string(dead_process());
    write_file(run / "lock", "12 a\n");
    write_file(run / ("config.yaml" + aside), "na");
    write_file(run / ("checkpoints/last.safetensors" + aside), "{");
  }
  if (has("others")) write_file(run / "thesis.tex", "years of work");
  if (has("config") || has("last") || has("best")) write_file(run / "config.yaml", "name: r\n");
  if (has("last")) save(folder, "last.safetensors", 3);
  if (has("best")) save(folder, "best.safetensors", 2);
  if (has("damaged last")) damage(run / "checkpoints/last.safetensors");
  if (has("damaged best")) damage(run / "checkpoints/best.safetensors");
  if (has("complete")) {
    write_file(run / "summary.json", R"({"complete": true, "epochs": 4, "steps": 40})");
  }
}

// Every file below a folder with its contents: a refusal must change none.
std::map<std::string, std::string> files_in(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const bool is_file = entry.is_regular_file();
    files[entry.path().string()] = is_file ? tbn::test::read_file(entry.path()) : "";
  }
  return files;
}

// What opening gave: "begins", "replaces", "last", "best", "done"; or "2: <sentence>".
std::string opened(const fs::path& folder, RunMode mode, int epochs) {
  try {
    const tbn::OpenRun run =
        tbn::open_run(config_in(folder, epochs), mode, {}, std::chrono::milliseconds(300));
    if (run.is_done) return "done";
    if (run.from) return run.is_best ? "best" : "last";
    return run.replaces ? "replaces" : "begins";
  } catch (const tbn::ConfigError& error) {
    return std::string("2: ") + error.what();
  } catch (const tbn::DataError& error) {
    return std::string("3: ") + error.what();
  }
}

struct Row {
  const char* state;
  // kNew, kResume, kResumeAuto, kResumeBest, kOverwrite: a result, or the code and a part of the
  // sentence after a blank.
  const char* expected[5];
  int epochs = 4;
};

constexpr const char* kExists = "2 exists; continue it with --resume, replace it with --overwrite";
constexpr const char* kNoRun = "2 there is no run in ";
constexpr const char* kForeign = "2 holds files, but no run of tbn-train; choose another";
constexpr const char* kUnsaved = "2 stopped before its first save; --resume=auto or --overwrite";
constexpr const char* kNoBest = "2 there is no best.safetensors in ";
constexpr const char* kComplete = "2 holds a run that is complete; make it longer with --resume";
constexpr const char* kBestIs = "2 best.safetensors is of epoch 2: --resume=best continues from it";
constexpr const char* kUseBest = "3 damaged: the checksum of its data is ";

const Row kTable[] = {
    {"absent", {"begins", kNoRun, "begins", kNoRun, "begins"}},
    {"empty", {"begins", kNoRun, "begins", kNoRun, "begins"}},
    {"ours alone", {"begins", kNoRun, "begins", kNoRun, "begins"}},
    {"others", {kForeign, kForeign, kForeign, kForeign, kForeign}},
    {"others beside ours alone", {kForeign, kForeign, kForeign, kForeign, kForeign}},
    {"config", {kExists, kUnsaved, "replaces", kUnsaved, "replaces"}},
    {"last", {kExists, "last", "last", kNoBest, "replaces"}},
    {"last and best", {kExists, "last", "last", "best", "replaces"}},
    {"last, best, others", {kExists, "last", "last", "best", "replaces"}},
    {"best", {kExists, kBestIs, "best", "best", "replaces"}},
    {"damaged last",
     {kExists, "3 --overwrite begins anew", "3 --overwrite begins anew", kNoBest, "replaces"}},
    {"damaged last, best",
     {kExists, "3 --resume=best goes back to best.safetensors, of epoch 2", kUseBest, "best",
      "replaces"}},
    {"damaged last, damaged best",
     {kExists, "3 best.safetensors is damaged too; --overwrite begins anew", kUseBest,
      "3 --overwrite begins anew", "replaces"}},
    {"damaged best",
     {kExists, "3 --overwrite begins anew", "3 --overwrite begins anew",
      "3 --overwrite begins anew", "replaces"}},
    {"complete: last, best", {kComplete, "last", "done", "best", "replaces"}},
    {"complete: last, best", {kComplete, "last", "last", "best", "replaces"}, kLongRun},
    {"complete: best", {kComplete, kBestIs, "done", "best", "replaces"}},
    {"complete: best", {kComplete, kBestIs, "best", "best", "replaces"}, kLongRun},
};

constexpr RunMode kModes[] = {RunMode::kNew, RunMode::kResume, RunMode::kResumeAuto,
                              RunMode::kResumeBest, RunMode::kOverwrite};

bool is_refusal(const std::string& result) { return result[0] == '2' || result[0] == '3'; }

}  // namespace

TEST_CASE("each state of a run directory does what its table says, and a refusal changes nothing") {
  for (const Row& row : kTable) {
    for (std::size_t m = 0; m < std::size(kModes); ++m) {
      const tbn::test::TempDir folder;
      make_state(row.state, folder.path());
      auto before = files_in(folder.path());
      const std::string expected = row.expected[m];
      const std::string result = opened(folder.path(), kModes[m], row.epochs);
      INFO(row.state << ", way " << m << ": expected '" << expected << "', got '" << result << "'");
      if (!is_refusal(expected)) {
        CHECK(result == expected);
        continue;
      }
      CHECK(result[0] == expected[0]);
      CHECK(says(result, {std::string_view(expected).substr(2)}));
      // A lock that a dead process left is looked into, and goes; so does what it was writing.
      auto after = files_in(folder.path());
      for (auto* files : {&before, &after}) {
        if (std::string(row.state) == "ours alone") files->erase((folder / "r/lock").string());
      }
      CHECK(before == after);
    }
  }
}

TEST_CASE("a run that is in use is refused however it is begun") {
  for (const char* state : {"absent", "config", "last and best", "complete: last, best"}) {
    const tbn::test::TempDir folder;
    make_state(state, folder.path());
    const tbn::RunLock owner(folder / "r");
    for (const RunMode mode : kModes) {
      const auto before = files_in(folder.path());
      CHECK(says(opened(folder.path(), mode, 4), {"2: run directory ", " is in use by process "}));
      CHECK(before == files_in(folder.path()));
    }
  }
}

TEST_CASE("what dead processes were writing is swept, and nobody else's files") {
  const tbn::test::TempDir folder;
  make_state("last and best", folder.path());
  const fs::path run = folder / "r";
  const std::string dead = ".tmp." + std::to_string(dead_process());
  for (const std::string name :
       {"checkpoints/last.safetensors", "checkpoints/best.safetensors", "summary.json",
        "config.yaml", "metrics.csv", "environment.json"}) {
    write_file(run / (name + dead), "half");
  }
  const std::vector<std::string> kept = {"thesis.tex" + dead, "summary.json.tmp.12x",
                                         "summary.json.tmp.1"};  // process 1 lives
  for (const std::string& name : kept) write_file(run / name, "kept");
  tbn::open_run(config_in(folder.path()), RunMode::kResume);
  for (const auto& [path, content] : files_in(run)) CHECK(content != "half");
  for (const std::string& name : kept) CHECK(fs::exists(run / name));
}

TEST_CASE("what a later epoch must beat is what best.safetensors is, not what last knew") {
  const tbn::test::TempDir folder;
  make_state("last and best", folder.path());
  tbn::Checkpoint better = checkpoint_of(folder.path(), 4, 3);
  better.progress.best_score = 95;
  tbn::write_checkpoint(folder / "r/checkpoints/best.safetensors", better);
  const tbn::OpenRun run = tbn::open_run(config_in(folder.path()), RunMode::kResume);
  REQUIRE(run.best);
  CHECK(run.best->best_score == 95);
  CHECK(run.best->best_epoch == 3);
  CHECK(run.from->progress.best_score == 90);
}

TEST_CASE(
    "a best knows the loss to beat, by its metrics where it is old, and a part claims nothing") {
  const tbn::test::TempDir folder;
  make_state("last and best", folder.path());
  tbn::Checkpoint best = checkpoint_of(folder.path(), 2, 1);
  const auto claim = [&] {
    tbn::write_checkpoint(folder / "r/checkpoints/best.safetensors", best);
    return tbn::open_run(config_in(folder.path()), RunMode::kResume).best.value();
  };
  CHECK(claim().is_beaten_by(90.5, 9));
  CHECK_FALSE(claim().is_beaten_by(90, 0.1));  // no loss is known: the earlier one stays
  best.metrics.val_loss = 0.7;
  CHECK(claim().best_loss == 0.7);
  best.progress.best_loss = 0.5;
  CHECK(claim().best_loss == 0.5);
  CHECK(claim().is_beaten_by(90, 0.4));
  CHECK_FALSE(claim().is_beaten_by(90, 0.5));
  CHECK_FALSE(claim().is_beaten_by(89, 0.1));
  best.progress.step_in_epoch = 3;
  best.progress.samples = 30;
  CHECK(claim().is_beaten_by(1, 9));
}

TEST_CASE("a best that is damaged or of another network is said, and beaten by the next epoch") {
  const tbn::test::TempDir folder;
  make_state("last and damaged best", folder.path());
  const tbn::OpenRun damaged = tbn::open_run(config_in(folder.path()), RunMode::kResume);
  CHECK_FALSE(damaged.best);
  REQUIRE(damaged.notes.size() == 1);
  CHECK(says(damaged.notes[0], {"best.safetensors: damaged: ", "the next epoch replaces it"}));
}

TEST_CASE("a summary with values of other types is no result, and the run is judged by its state") {
  for (const char* summary :
       {"[]", R"({"complete": "yes", "epochs": 4, "steps": 40})",
        R"({"complete": true, "epochs": "4", "steps": 40})",
        R"({"complete": true, "epochs": 4, "steps": -1})",
        R"({"complete": true, "epochs": 4, "steps": 40, "test": 91})",
        R"({"complete": true, "epochs": 4, "steps": 40, "test": {"top1": "91"}})",
        R"({"complete": true, "epochs": 4, "steps": 40, "test": {"mse": [1]}})",
        R"({"complete": true, "epochs": 4, "steps": 40, "test": {}})"}) {
    INFO(summary);
    const tbn::test::TempDir folder;
    make_state("complete: last, best", folder.path());
    write_file(folder / "r/summary.json", summary);
    const tbn::OpenRun run = tbn::open_run(config_in(folder.path()), RunMode::kResumeAuto);
    CHECK_FALSE(run.result);
    CHECK_FALSE(run.is_done);
    CHECK(run.from);
  }
}

TEST_CASE("--resume=auto says what it begins or goes back to") {
  const std::map<std::string, std::string> sentences = {
      {"absent", "there is no run in "},
      {"config", "stopped before its first save: it begins again"},
      {"best", "there is no last.safetensors: resuming from best.safetensors, of epoch 2"}};
  for (const auto& [state, sentence] : sentences) {
    const tbn::test::TempDir folder;
    make_state(state, folder.path());
    const tbn::OpenRun run = tbn::open_run(config_in(folder.path()), RunMode::kResumeAuto);
    REQUIRE(run.notes.size() == 1);
    CHECK(says(run.notes[0], {sentence}));
  }
}

TEST_CASE("a precision that is to be chosen is chosen once, and recorded") {
  using tbn::TrainPrecision;
  const tbn::test::TempDir folder;
  tbn::Config config = config_in(folder.path());
  config.train.precision = TrainPrecision::kAuto;
  const TrainPrecision chosen =
      tbn::choose_precision(TrainPrecision::kAuto, c10::Device(c10::kCPU)).precision;
  CHECK(chosen != TrainPrecision::kAuto);
  {
    const tbn::OpenRun run = tbn::open_run(config, RunMode::kNew);
    CHECK(run.config.train.precision == chosen);
    REQUIRE(run.notes.size() == 1);
    CHECK(says(run.notes[0], {"train.precision: auto is ", "this processor has"}));
  }
  // The other machine's choice, whatever this one would choose.
  for (const TrainPrecision began : {TrainPrecision::kFp32, TrainPrecision::kBf16}) {
    tbn::Checkpoint checkpoint = checkpoint_of(folder.path(), 2, 1);
    tbn::Config recorded = config_in(folder.path());
    recorded.train.precision = began;
    checkpoint.config_yaml = tbn::print_config(recorded);
    fs::create_directories(folder.path() / "r/checkpoints");
    tbn::write_checkpoint(folder.path() / "r/checkpoints/last.safetensors", checkpoint);
    const tbn::OpenRun run = tbn::open_run(config, RunMode::kResume);
    CHECK(run.config.train.precision == began);
    REQUIRE_FALSE(run.notes.empty());
    CHECK(says(run.notes[0], {"as the run began"}));
  }
}

TEST_CASE("what may not be looked into is no run that is absent") {
  const tbn::test::TempDir folder;
  fs::create_directories(folder / "r");
  write_file(folder / "r/config.yaml", "name: r\n");
  // A loop of links is an error for every user, as missing permissions are for all but root.
  fs::create_symlink("checkpoints", folder / "r/checkpoints");
  for (const RunMode mode : kModes) {
    const std::string text =
        message_of<tbn::SystemError>([&] { tbn::open_run(config_in(folder.path()), mode); });
    CHECK(says(text, {"cannot look into '", "/r/checkpoints': Too many levels of symbolic links"}));
  }
  CHECK(says(message_of<tbn::SystemError>([&] { tbn::find_checkpoint(folder / "r"); }),
             {"cannot be looked at: Too many levels of symbolic links"}));
}

TEST_CASE("what is prepared stays as it is, and places are tried") {
  const tbn::test::TempDir folder;
  make_state("complete: last, best", folder.path());
  const tbn::OpenRun run = tbn::open_run(config_in(folder.path(), kLongRun), RunMode::kResume);
  const auto before = files_in(folder.path());
  run.directory.prepare();
  CHECK(before == files_in(folder.path()));
  fs::remove(folder / "r/checkpoints/best.safetensors");
  fs::create_directories(folder / "r/checkpoints/best.safetensors");
  CHECK(says(message_of<tbn::SystemError>([&] { run.directory.prepare(); }),
             {"cannot write '", "/best.safetensors': Is a directory"}));
}

TEST_CASE("something else in the place of a run's file is refused however it is begun") {
  const std::map<std::string, std::function<void(const fs::path&)>> kinds = {
      {"is a folder", [](const fs::path& path) { fs::create_directories(path); }},
      {"is a pipe", [](const fs::path& path) { REQUIRE(::mkfifo(path.c_str(), 0600) == 0); }},
      {"is a device", [](const fs::path& path) { fs::create_symlink("/dev/null", path); }},
      {"is a symbolic link that leads nowhere",
       [](const fs::path& path) { fs::create_symlink("absent", path); }}};
  for (const char* file :
       {"lock", "config.yaml", "environment.json", "metrics.csv", "train.log", "summary.json",
        "checkpoints/last.safetensors", "checkpoints/best.safetensors"}) {
    for (const auto& [kind, make] : kinds) {
      const tbn::test::TempDir folder;
      make_state("complete: last, best", folder.path());
      const fs::path path = folder / "r" / file;
      fs::remove(path);
      make(path);
      for (const RunMode mode : kModes) {
        INFO(file << " " << kind);
        CHECK(says(opened(folder.path(), mode, kLongRun),
                   {"2: '", file, "' " + kind + ", where a run has something else; move it away"}));
        CHECK(fs::exists(fs::symlink_status(path)));
      }
      CHECK(says(
          message_of<tbn::ConfigError>([&] { tbn::stored_config(folder / "r", RunMode::kResume); }),
          {kind}));
    }
  }
  for (const char* name : {"checkpoints", "events"}) {
    const tbn::test::TempDir folder;
    fs::create_directories(folder / "r");
    write_file(folder / "r/config.yaml", "name: r\n");
    write_file(folder / "r" / name, "a file");
    CHECK(says(opened(folder.path(), RunMode::kOverwrite, 4), {"2: '", name, "' is a file, "}));
  }
  const tbn::test::TempDir folder;
  fs::create_symlink("absent", folder / "r");
  CHECK(says(opened(folder.path(), RunMode::kNew, 4),
             {"2: run directory '", "' is a symbolic link that leads nowhere; choose another"}));
}

TEST_CASE("--resume=auto of a run that is complete says which settings were not taken up") {
  const tbn::test::TempDir folder;
  make_state("complete: last, best", folder.path());
  const auto notes = [&](const std::string& train) {
    const tbn::Config config = tbn::parse_config("{name: r, train: " + train + "}", "test",
                                                 {"output=" + folder.path().string()});
    const tbn::OpenRun run = tbn::open_run(config, RunMode::kResumeAuto);
    CHECK(run.is_done);
    return run.notes;
  };
  CHECK(notes("{epochs: 4}").empty());
  CHECK(notes("{epochs: 3, threads: 2}") ==
        std::vector<std::string>{"the run is complete and was not continued, with other settings: "
                                 "train.epochs=3 (was 4), train.threads=2 (was 0)"});
  CHECK(says(message_of<tbn::ConfigError>([&] { notes("{epochs: 4, batch_size: 7}"); }),
             {"'batch_size: 7' in section 'train' was ", "start another run with name=..."}));
  damage(folder / "r/checkpoints/last.safetensors");
  const std::vector<std::string> damaged = notes("{epochs: 4, batch_size: 7}");
  REQUIRE(damaged.size() == 1);
  CHECK(says(damaged[0], {"damaged: ", "the result is that of summary.json"}));
}

TEST_CASE("the configuration of a run is that of the state that is continued") {
  const tbn::test::TempDir folder;
  make_state("last and best", folder.path());
  const fs::path run = folder / "r";
  CHECK(tbn::stored_config(run, RunMode::kResume).source == run / "checkpoints/last.safetensors");
  CHECK(tbn::stored_config(run, RunMode::kResumeBest).source ==
        run / "checkpoints/best.safetensors");
  fs::remove_all(run / "checkpoints");
  CHECK(tbn::stored_config(run, RunMode::kResumeAuto).yaml == "name: r\n");
  fs::remove_all(run);
  CHECK(says(message_of<tbn::ConfigError>([&] { tbn::stored_config(run, RunMode::kResume); }),
             {"there is no run in ", "--config <file> says what to train"}));
}
