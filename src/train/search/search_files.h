// The folder of a search: who may write there, what began it, and its log.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "file/json.h"
#include "log/progress.h"
#include "train/search/search_run.h"
#include "train/state/run_lock.h"

namespace tbn {

class SearchFiles {
 public:
  // Locks the folder and checks what it holds, see run_search(). Writes nothing, so that a search
  // that is refused before begin() leaves no folder.
  SearchFiles(const Config& config, const SearchSpace& space, const SearchSettings& settings,
              const SearchPlace& place);

  // Writes what begins the search, where it goes on from no earlier one, and opens the log. `from`
  // says what it measures by: the data, the teacher. Throws DataError where a search that goes on
  // had others.
  void begin(const Json& from);

  std::filesystem::path trials() const { return folder_ / "search.csv"; }
  std::filesystem::path supernet() const { return folder_ / "supernet.safetensors"; }

  // A sentence for the console and the log.
  void say(const std::string& text);
  void progress(const Progress& progress) { printer_.update(progress); }
  // Before anything is written: throws SystemError where the lock was taken away.
  void expect_locked() const { lock_.expect_held("continue with --resume"); }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  void check(const Config& config, const Json& settings, bool resumes) const;
  void check_same(const Json& from) const;
  std::filesystem::path record() const { return folder_ / "search.json"; }

  std::filesystem::path folder_;
  Json began_;  // what search.json says
  RunLock lock_;
  std::unique_ptr<std::FILE, Close> log_;
  ProgressPrinter printer_;
};

}  // namespace tbn
