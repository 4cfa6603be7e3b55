// The metrics table: what is written, and what a resumed run keeps.
#include <iterator>
#include <limits>

#include "log/csv.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

const std::vector<std::string> kColumns = {"epoch", "step", "loss"};

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

}  // namespace

TEST_CASE("a metrics table has a header and one line per row, on disk at once") {
  const TempDir dir;
  CsvLog log = CsvLog::create(dir / "metrics.csv", {"step", "loss", "note", "time"});
  CHECK(read_file(dir / "metrics.csv") == "step,loss,note,time\n");
  log.write({std::int64_t{-7}, 0.1, std::string("a, \"b\"\nc"), std::monostate{}});
  log.write({std::int64_t{8}, std::numeric_limits<double>::infinity(), std::string(), 1e-300});
  CHECK(read_file(dir / "metrics.csv") ==
        "step,loss,note,time\n-7,0.1,\"a, \"\"b\"\" c\",\n8,inf,,1e-300\n");
  CHECK(files_in(dir.path()) == 1);
}

TEST_CASE("numbers in a metrics table read back bit for bit") {
  const TempDir dir;
  const double value = 0.1 + 0.2;
  CsvLog::create(dir / "m.csv", {"x"}).write({value});
  CHECK(std::stod(read_file(dir / "m.csv").substr(2)) == value);
}

TEST_CASE("creating a metrics table replaces an older one") {
  const TempDir dir;
  write_file(dir / "m.csv", "old\n1\n2\n");
  CsvLog::create(dir / "m.csv", {"new"});
  CHECK(read_file(dir / "m.csv") == "new\n");
}

TEST_CASE("a resumed table keeps rows up to the step and appends from there") {
  const TempDir dir;
  write_file(dir / "m.csv", "epoch,step,loss\n1,10,0.5\n1,20,0.4\n2,30,0.3\n2,40,0.2\n");
  {
    CsvLog log = CsvLog::resume(dir / "m.csv", kColumns, "step", 20);
    CHECK(read_file(dir / "m.csv") == "epoch,step,loss\n1,10,0.5\n1,20,0.4\n");
    log.write({std::int64_t{2}, std::int64_t{30}, 0.25});
  }
  CHECK(read_file(dir / "m.csv") == "epoch,step,loss\n1,10,0.5\n1,20,0.4\n2,30,0.25\n");
  CsvLog::resume(dir / "m.csv", kColumns, "epoch", 1);
  CHECK(read_file(dir / "m.csv") == "epoch,step,loss\n1,10,0.5\n1,20,0.4\n");
  CsvLog::resume(dir / "m.csv", kColumns, "step", 0);
  CHECK(read_file(dir / "m.csv") == "epoch,step,loss\n");
  CHECK(files_in(dir.path()) == 1);
}

TEST_CASE("a resumed table drops a line that was being written, wherever it broke off") {
  const TempDir dir;
  const std::string whole = "epoch,step,loss\n1,10,0.5\n1,200,0.4\n";
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    write_file(dir / "m.csv", whole.substr(0, size));
    CsvLog::resume(dir / "m.csv", kColumns, "step", 1000);
    const std::size_t complete = whole.substr(0, size).rfind('\n');
    INFO(size);
    CHECK(read_file(dir / "m.csv") ==
          (complete == std::string::npos ? "epoch,step,loss\n" : whole.substr(0, complete + 1)));
  }
}

TEST_CASE("a missing table is begun anew on resume") {
  const TempDir dir;
  CsvLog::resume(dir / "m.csv", kColumns, "step", 5)
      .write({std::int64_t{1}, std::int64_t{6}, std::monostate{}});
  CHECK(read_file(dir / "m.csv") == "epoch,step,loss\n1,6,\n");
}

TEST_CASE("quoted cells before the key do not shift it") {
  const TempDir dir;
  write_file(dir / "m.csv", "note,step\n\"a, \"\"b\"\", c\",4\n\"x,9\",5\n");
  CsvLog::resume(dir / "m.csv", {"note", "step"}, "step", 4);
  CHECK(read_file(dir / "m.csv") == "note,step\n\"a, \"\"b\"\", c\",4\n");
}

TEST_CASE("a table with other columns or a damaged row is an error and stays as it is") {
  const TempDir dir;
  const std::string name = "'" + (dir / "m.csv").string() + "'";
  const auto error = [&](std::string_view text) {
    write_file(dir / "m.csv", text);
    const auto sentence =
        message_of<DataError>([&] { CsvLog::resume(dir / "m.csv", kColumns, "step", 5); });
    CHECK(read_file(dir / "m.csv") == text);
    return sentence;
  };
  CHECK(error("epoch,loss\n1,0.5\n") ==
        name +
            ": its columns are 'epoch,loss', but this run writes 'epoch,step,loss'; start a new "
            "run directory");
  for (const char* row : {"1", "1,,0.5", "1,x,0.5", "1,3.5,0.5", "1, 3,0.5", ""}) {
    CHECK(error(std::string("epoch,step,loss\n1,2,0.5\n") + row + "\n") ==
          name + " line 3: column 2 is no whole number; repair the line or move the file away");
  }
}

TEST_CASE("a row with a wrong number of cells is our own mistake") {
  const TempDir dir;
  CsvLog log = CsvLog::create(dir / "m.csv", kColumns);
  CHECK_THROWS_AS(log.write({std::int64_t{1}}), InternalError);
}

TEST_CASE("a full disk is a system error that names the file") {
  if (!std::filesystem::exists("/dev/full")) return;
  const TempDir dir;
  CsvLog::create(dir / "m.csv", {"x"});
  std::filesystem::remove(dir / "m.csv");
  std::filesystem::create_symlink("/dev/full", dir / "m.csv");
  const std::string error = message_of<SystemError>([&] { CsvLog::create(dir / "m.csv", {"x"}); });
  CHECK(error.find((dir / "m.csv").string()) != std::string::npos);
}
