// The rule of a packed file: how what a user has (a picture, a cloud of points, rows of a table)
// becomes the tensor that a network takes, what the numbers that come out stand for, and what its
// figure was measured on. The graph says sizes and constants, and the rule does not repeat them.
//
//   auto network = tbn::Network::load("pets.tbn");
//   if (network->rule().output) std::cout << network->classes().at(predicted) << '\n';
//
// A file holds it as three texts of its metadata, tbn.input, tbn.output and tbn.measured;
// tbn/file.h specifies them, prepare.h has what carries the steps out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tbn/tensor.h"

namespace tbn {

inline constexpr std::string_view kInputRuleKey = "tbn.input";
inline constexpr std::string_view kOutputRuleKey = "tbn.output";
inline constexpr std::string_view kMeasuredRuleKey = "tbn.measured";
inline constexpr std::string_view kRuleKeys[] = {kInputRuleKey, kOutputRuleKey, kMeasuredRuleKey};
bool is_rule_key(std::string_view key);

// ---------------------------------------------------------------- steps, in the order of the rule

// Images: a JPEG was decoded at 1/2, 1/4 or 1/8 of its size where the network's view still has as
// many pixels, 1/reduce at the smallest. Whoever hands over decoded pixels may leave this out.
struct DecodeStep {
  std::int64_t reduce = 8;  // 2, 4 or 8
  bool operator==(const DecodeStep&) const = default;
};
// Images: turned upright by the EXIF orientation. Without it the pixels are taken as stored.
struct OrientStep {
  bool operator==(const OrientStep&) const = default;
};
// Images: the shorter side becomes so many pixels; the arithmetic is that of Pillow's BILINEAR.
struct ResizeStep {
  std::int64_t shorter = 0;  // 1 to 4096
  bool operator==(const ResizeStep&) const = default;
};
// Images: the centre, as high and wide as the network's input.
struct CropStep {
  bool operator==(const CropStep&) const = default;
};
// Points: no more than the first so many of the file.
struct FirstStep {
  std::int64_t most = 0;  // at least 1
  bool operator==(const FirstStep&) const = default;
};
// Points: the mean of the coordinates is moved to 0.
struct CentreStep {
  bool operator==(const CentreStep&) const = default;
};
// Points: the farthest is brought to distance 1.
struct ScaleStep {
  bool operator==(const ScaleStep&) const = default;
};
// Points: as many as the network takes, the first ones or drawn ones; of fewer, some again.
struct ChooseStep {
  bool drawn = false;
  bool operator==(const ChooseStep&) const = default;
};
// Series: (value - mean) / deviation, column by column.
struct StandardiseStep {
  std::vector<double> mean;
  std::vector<double> deviation;  // above 0
  bool operator==(const StandardiseStep&) const = default;
};
// A step that this tbn does not know: the network runs, but nothing here prepares its inputs.
struct UnknownStep {
  std::string name;
  bool operator==(const UnknownStep&) const = default;
};

using InputStep = std::variant<DecodeStep, OrientStep, ResizeStep, CropStep, FirstStep, CentreStep,
                               ScaleStep, ChooseStep, StandardiseStep, UnknownStep>;

// ---------------------------------------------------------------- the three parts

struct InputRule {
  std::string kind;  // image, points, series
  std::vector<InputStep> steps;
  std::vector<std::string> columns;  // of points and series: what each value of a row is
  std::string up;                    // points: the vertical axis, x, y or z; empty: unsaid
  double seconds = 0;                // series: from a row to the next; 0: unsaid
  bool units_in_graph = false;       // series: the network itself takes and gives original units
  // CRC-32C of what the steps make of an example (prepare.h): whoever prepares inputs elsewhere, or
  // on another processor, can tell whether it is done alike.
  std::optional<std::uint32_t> check;
  bool operator==(const InputRule&) const = default;
};

// The labels that one kind of object can have: [first, first + count).
struct LabelRange {
  std::string name;
  std::int64_t first = 0;
  std::int64_t count = 0;
  bool operator==(const LabelRange&) const = default;
};

struct OutputRule {
  std::string kind;                  // class, point_class, forecast
  std::vector<std::string> classes;  // a name a logit
  std::vector<std::string> folders;  // where the classes' folders are called otherwise; or empty
  // Parts of objects: in this order a point's last columns (one-hot) and the labels that its
  // largest logit is among.
  std::vector<LabelRange> categories;

  // What tells the classes apart on disk.
  const std::vector<std::string>& keys() const { return folders.empty() ? classes : folders; }
  bool operator==(const OutputRule&) const = default;
};

// What was found of a split before samples were held out of it or left away by a limit.
struct MeasuredSplit {
  std::int64_t count = 0;
  std::optional<std::uint32_t> listing;  // CRC-32C of its samples' names or labels, a line each
  bool operator==(const MeasuredSplit&) const = default;
};

struct MeasuredRule {
  std::string data;             // name of the data set
  std::int64_t validation = 0;  // samples held out of training
  std::int64_t seed = 0;        // that chose them
  std::int64_t train_limit = 0;
  std::int64_t test_limit = 0;
  std::string limits;    // first, class: which samples a limit keeps; empty: there is none
  std::string on_error;  // skip: damaged samples were left out; empty: there were none
  double skip_most = 0;  // with on_error: the largest share of a split that was let be; 0: unsaid
  std::string test_folder;  // folders of images: the one tested on; empty: unsaid
  // By "train", "validation" and "test", so far as they were there.
  std::map<std::string, MeasuredSplit> splits;
  std::vector<std::int64_t> rows;  // series: training, validation and test rows; or empty
  bool chosen_columns = false;     // series: the columns were named, and the table had others too
  bool operator==(const MeasuredRule&) const = default;
};

struct Rule {
  std::optional<InputRule> input;
  std::optional<OutputRule> output;
  std::optional<MeasuredRule> measured;

  bool empty() const { return !input && !output && !measured; }
  bool operator==(const Rule&) const = default;
};

// The texts under their keys, those of the parts that there are: canonical JSON, equal rules give
// equal texts. Throws InternalError for a rule that rule_from() would refuse.
std::map<std::string, std::string> metadata_of(const Rule& rule);

// What the three keys of a file's metadata say; members that this tbn does not know are passed
// over. Throws DataError, beginning with `where`, for a text that is not as specified.
Rule rule_from(const std::map<std::string, std::string>& metadata, const std::string& where);

// Throws DataError, beginning with `where`, for a rule of a network of other sizes: names that are
// not as many as its outputs, columns that are not as many as its inputs, a resized picture that is
// smaller than the network's.
void check_rule_fits(const Rule& rule, const Shape& input, const Shape& output,
                     const std::string& where);

// The name of a step as it is written in a rule: "resize".
std::string_view name_of(const InputStep& step);

// 1 to 256 bytes of UTF-8 without control characters: what a class or a column may be called.
bool is_rule_name(std::string_view name);

}  // namespace tbn
