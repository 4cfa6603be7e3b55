// Tables of numbers: every spelling that is right, and where each wrong one is said to be wrong.
#include <filesystem>
#include <limits>

#include "data/series/csv_table.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

struct File {
  TempDir dir;
  std::filesystem::path path = dir / "t.csv";
  explicit File(std::string_view text) { write_file(path, text); }

  CsvTable read(OnError on_error = OnError::kStop, const CsvLimits& limits = {}) const {
    return read_csv(path, on_error, limits);
  }
  // The error without the file's name, which it must begin with.
  std::string error(OnError on_error = OnError::kStop, const CsvLimits& limits = {}) const {
    const std::string message = message_of<DataError>([&] { read(on_error, limits); });
    const std::string start = "'" + path.string() + "': ";
    REQUIRE_THAT(message, StartsWith(start));
    return message.substr(start.size());
  }
};

using Names = std::vector<std::string>;
using Values = std::vector<double>;

const std::string kWayOut =
    "; repair it, or name the columns to take as data.series.columns='[...]'";

}  // namespace

TEST_CASE("a table has the names and numbers of the file without its date column") {
  const CsvTable table =
      File("date,a,b c\n2016-07-01 00:00:00,1,-2.5\n2016-07-01,3e2,+0.25\n").read();
  CHECK(table.names == Names{"a", "b c"});
  CHECK(table.rows == 2);
  CHECK(table.values == Values{1, -2.5, 300, 0.25});
  CHECK(table.skipped == 0);
}

TEST_CASE("a table without dates keeps its first column") {
  const CsvTable table = File("x,y\n1,2\n").read();
  CHECK(table.names == Names{"x", "y"});
  CHECK(table.values == Values{1, 2});
}

TEST_CASE("quotes, CRLF, a byte order mark, spaces and a missing last line feed are understood") {
  const CsvTable table =
      File("\xEF\xBB\xBF\"Date\",\"a, b\", c\r\n\"2016, July\",\"1.5\", 2 \r\nx,3,4").read();
  CHECK(table.names == Names{"a, b", "c"});
  CHECK(table.values == Values{1.5, 2, 3, 4});
}

TEST_CASE("names that are not UTF-8 or could harm a terminal are made harmless") {
  const CsvTable table = File("SWDR (W/m\xB2),\xC3\xA9t\xC3\xA9,a\x1B[1m,\n1,2,3,4\n").read();
  CHECK(table.names == Names{"SWDR (W/m?)", "\xC3\xA9t\xC3\xA9", "a?[1m", "column 4"});
}

TEST_CASE("a bad cell is named by line and column") {
  CHECK(File("date,a,b\nd,1,2\nd,1,x\n").error() ==
        "line 3: column 3 ('b'): 'x' is not a number" + kWayOut);
  CHECK(File("a,b\n1,\n").error() == "line 2: column 2 ('b'): the cell is empty" + kWayOut);
  for (const std::string cell : {"+-5", "++5", "-+5", "--5", "+", "-"}) {
    CHECK(File("a,b\n1," + cell + "\n").error() ==
          "line 2: column 2 ('b'): '" + cell + "' is not a number" + kWayOut);
  }
  CHECK(File("a,b\nnan,1\n").error() == "line 2: column 1 ('a'): 'nan' is not a number" + kWayOut);
  CHECK(File("a,b\n1,2 3\n").error() == "line 2: column 2 ('b'): '2 3' is not a number" + kWayOut);
  for (const char* number : {"inf", "-inf", "1e400", "-3.5e38"}) {
    CHECK(File(std::string("a,b\n1,") + number + "\n").error() ==
          std::string("line 2: column 2 ('b'): '") + number +
              "' is infinite or too large for a float" + kWayOut);
  }
  CHECK(File(std::string("a,b\n1,2\0\n", 9)).error() ==
        "line 2: column 2 ('b'): '2?' is not a number" + kWayOut);
}

TEST_CASE("a ragged row is named by its line") {
  CHECK(File("date,a,b\nd,1,2\nd,1\n").error() == "line 3: 2 cells where the header has 3");
  CHECK(File("a,b\n1,2,3\n").error() == "line 2: 3 cells where the header has 2");
  CHECK(File("a,b\n1,2,\n").error() ==
        "line 2: 3 cells where the header has 2 (it ends with a comma: take it out)");
}

TEST_CASE("a comma at the end of the header, of rows or of both is said to be one") {
  CHECK(File("a,b,\n1,2\n").error() ==
        "line 2: 2 cells where the header has 3 (the header ends with a comma: take it out)");
  CHECK(File("a,b,\n1,2,\n").error() ==
        "line 2: column 3 has neither a name nor a number: header and rows end with a comma" +
            kWayOut);
  CHECK(File("a,b,\n1,2,3\n").read().names == Names{"a", "b", "column 3"});
  const File file("a,b,\n1,2,\n3,4,\n");
  const auto named = [](const Names&) { return std::vector<std::size_t>{0, 1}; };
  CHECK(read_csv(file.path, OnError::kStop, {}, named).values == Values{1, 2, 3, 4});
}

TEST_CASE("the way out of a bad cell is one that is left") {
  const auto named = [](const Names&) { return std::vector<std::size_t>{1}; };
  const auto error = [&](OnError on_error) {
    const File file("a,b\n1,x\n");
    return message_of<DataError>([&] { read_csv(file.path, on_error, {}, named); });
  };
  CHECK_THAT(error(OnError::kStop),
             EndsWith("'x' is not a number; repair it, or set data.on_error: "
                      "skip to leave such rows out"));
  CHECK_THAT(error(OnError::kSkip), EndsWith("'x' is not a number"));
  CHECK_THAT(File("a,b\n1,x\n").error(OnError::kSkip), EndsWith("'x' is not a number" + kWayOut));
}

TEST_CASE("another separator than a comma is named") {
  const std::string rest =
      "; cells are separated by commas, and decimals written with points: save it so";
  CHECK(File("date;a;b\nd;1;2\n").error() == "its header has no comma, but semicolons" + rest);
  CHECK(File("a\tb\n1\t2\n").error() == "its header has no comma, but tabs" + rest);
  CHECK(File("a|b\n1|2\n").error() == "its header has no comma, but vertical bars" + rest);
  CHECK(File("date,a,b\nd;1;2\n").error() ==
        "line 2: 1 cell where the header has 3 (it has semicolons in place of commas)");
}

TEST_CASE("blank lines may end a table but not part it") {
  CHECK(File("a\n1\n2\n\n  \n").read().rows == 2);
  const File parted("a\n1\n\n2\n");
  CHECK(parted.error() == "line 3: is blank, and the table goes on after it");
  const CsvTable table = parted.read(OnError::kSkip);
  CHECK(table.values == Values{1, 2});
  CHECK(table.skipped == 1);
}

TEST_CASE("a file without a header or without rows is refused") {
  CHECK(File("").error() == "is empty; its first line must be a header");
  CHECK(File("\n1\n").error() == "has no header: line 1 is blank");
  CHECK(File("1,2.5\n3,4\n").error() ==
        "has no header: its first line holds numbers where the columns' names must be");
  CHECK(File("date\n2016\n").error() == "has no column of numbers, only 'date'");
  CHECK(File("a,b\n").error() == "has a header and no rows");
}

TEST_CASE("bad rows are left out and counted where the options say to skip them") {
  const File file("date,a,b\nd,1,2\nd,x,2\nd,3\nd,5,6\nd,nan,1\n");
  const CsvTable table = file.read(OnError::kSkip);
  CHECK(table.rows == 2);
  CHECK(table.values == Values{1, 2, 5, 6});
  CHECK(table.skipped == 3);
  CHECK_THAT(table.first_skipped, EndsWith("line 3: column 2 ('a'): 'x' is not a number"));
  CHECK_THAT(File("a\nx\ny\n").error(OnError::kSkip),
             StartsWith("of 2 rows none can be read; the first: "));
}

TEST_CASE("one date that is not understood among others is a bad row") {
  const std::string good = "date,a\n2020-01-01,1\n2020-01-02,2\n";
  CHECK_THAT(File(good + "2020-01-3x,3\n").error(),
             StartsWith("line 4: the date '2020-01-3x' is not understood, as those above are"));
  const CsvTable table = File(good + "2020-01-3x,3\n2020-01-04,4\n").read(OnError::kSkip);
  CHECK(table.values == Values{1, 2, 4});
  CHECK(table.skipped == 1);
  CHECK(table.unread_dates == 0);
  CHECK_THAT(File("date,a\n1.2.x,1\n2020-01-02,2\n").error(),
             StartsWith("line 3: the date '2020-01-02' is understood, and that of line 2: '1.2.x' "
                        "is not"));
  CHECK(File("date,a\nx,1\ny,2\n").read(OnError::kStop).unread_dates == 2);
}

TEST_CASE("lines and files beyond the limits are refused before they are held") {
  const std::string wide(200000, '1');
  CHECK(File("a\n1\n" + wide + "\n").error(OnError::kSkip, {.line_bytes = 1000}) ==
        "line 3 is longer than 1000 bytes; is it a CSV file?");
  CHECK(File("a\n1\n" + wide + "\n").error(OnError::kSkip, {.bytes = 100000}) ==
        "is larger than 100,000 bytes, the limit for a table");
  CHECK_THAT(message_of<DataError>([] { read_csv("/dev/zero", OnError::kStop); }),
             EndsWith("is no regular file"));
  CHECK_THAT(message_of<DataError>([] { read_csv("/no/such.csv", OnError::kStop); }),
             EndsWith("the file does not exist"));
}

TEST_CASE("a line as long as the pieces that are read is put together again") {
  std::string text = "a,b\n";
  Values expected;
  for (int i = 0; i < 40000; ++i) {
    text += std::to_string(i) + "," + std::to_string(-i) + "\n";
    expected.push_back(i);
    expected.push_back(-i);
  }
  const CsvTable table = File(text).read();
  CHECK(table.rows == 40000);
  CHECK(table.values == expected);
}

TEST_CASE("the names and the step between rows are read without the numbers") {
  const File file("date,a,b\nthis is no row\n2016-07-01 00:00,x\n2016-07-01 00:15,y\n");
  CHECK(read_csv_head(file.path).names == Names{"a", "b"});
  CHECK(read_csv_head(file.path).seconds == 900);
  CHECK(read_csv_head(File("date,a\n").path).seconds == 0);
  CHECK(read_csv_head(File("a\n1\n2\n").path).seconds == 0);
  std::string blank = "date,a\n" + std::string(100000, '\n');
  CHECK(read_csv_head(File(blank).path).seconds == 0);
}
