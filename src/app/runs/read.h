// What the commands of tbn-runs share.
#pragma once

#include <string>
#include <vector>

#include "app/support/options.h"
#include "file/json.h"
#include "runs/run_record.h"
#include "runs/run_table.h"

namespace tbn::app {

// The runs at the paths, `runs` where there are none. One that cannot be read is a note, and the
// others go on; throws DataError where none can.
std::vector<RunRecord> read_runs(const std::vector<std::string>& paths);

// --format
TableFormat table_format(const CommandLine& line);
void print(const std::string& text);

// {"name", "folder", "state", "epochs", "trained", "measure", "validation", "test", "seconds", ...}
Json run_json(const RunRecord& run);
// Rows of number_table() as objects: the first `keys` cells as texts, the others as numbers where
// they are known.
Json rows_json(const TextTable& table, std::size_t keys);
// "91.28 %" or "0.3750"; empty for none.
std::string shown_score(const std::optional<double>& score, const std::string& measure);

}  // namespace tbn::app
