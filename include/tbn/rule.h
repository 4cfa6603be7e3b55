/// @file
/// The rule of a packed file: how a picture, a point cloud or rows of a table become the input of
/// the network, what its outputs mean, and which data its figure was measured on. Sizes and
/// constants are in the graph, and the rule does not repeat them.
///
///     auto network = tbn::Network::load("pets.tbn");
///     if (network->rule().output) std::cout << network->classes().at(predicted) << '\n';
///
/// A file holds it as three texts of its metadata, tbn.input, tbn.output and tbn.measured;
/// tbn/file.h specifies them, and the functions of tbn/prepare.h carry the steps out.
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

/// The key of the text that says how inputs are made.
inline constexpr std::string_view kInputRuleKey = "tbn.input";
/// The key of the text that says what outputs mean.
inline constexpr std::string_view kOutputRuleKey = "tbn.output";
/// The key of the text that says what the file's figure was measured on.
inline constexpr std::string_view kMeasuredRuleKey = "tbn.measured";
/// All three.
inline constexpr std::string_view kRuleKeys[] = {kInputRuleKey, kOutputRuleKey, kMeasuredRuleKey};
/// Whether a key of a file's metadata is one of the three.
bool is_rule_key(std::string_view key);

// ---------------------------------------------------------------- steps, in the order of the rule

/// Images: a JPEG was decoded at 1/2, 1/4 or 1/8 of its size where the network's view still has as
/// many pixels, 1/reduce at the smallest. Whoever hands over decoded pixels may leave this out.
struct DecodeStep {
  std::int64_t reduce = 8;  ///< 2, 4 or 8
  bool operator==(const DecodeStep&) const = default;
};
/// Images: turned upright by the EXIF orientation. Without it the pixels are taken as stored.
struct OrientStep {
  bool operator==(const OrientStep&) const = default;
};
/// Images: resized so that the shorter side has `shorter` pixels, with the arithmetic of Pillow's
/// BILINEAR.
struct ResizeStep {
  std::int64_t shorter = 0;  ///< pixels, 1 to 4096
  bool operator==(const ResizeStep&) const = default;
};
/// Images: the centre, as high and wide as the network's input.
struct CropStep {
  bool operator==(const CropStep&) const = default;
};
/// Points: only the first ones of the file are taken.
struct FirstStep {
  std::int64_t most = 0;  ///< points that are taken at most, at least 1
  bool operator==(const FirstStep&) const = default;
};
/// Points: the mean of the coordinates is moved to 0.
struct CentreStep {
  bool operator==(const CentreStep&) const = default;
};
/// Points: the farthest is brought to distance 1.
struct ScaleStep {
  bool operator==(const ScaleStep&) const = default;
};
/// Points: as many as the network takes, the first ones or drawn ones. A cloud with fewer points
/// gives some of them twice.
struct ChooseStep {
  bool drawn = false;  ///< drawn at random, with a fixed seed, and not the first ones
  bool operator==(const ChooseStep&) const = default;
};
/// Series: (value - mean) / deviation, column by column.
struct StandardiseStep {
  std::vector<double> mean;       ///< one per column
  std::vector<double> deviation;  ///< one per column, above 0
  bool operator==(const StandardiseStep&) const = default;
};
/// A step that this tbn does not know: the network runs, but nothing here prepares its inputs.
struct UnknownStep {
  std::string name;  ///< as the file says it
  bool operator==(const UnknownStep&) const = default;
};

/// A step of a rule, in the order in which they stand.
using InputStep = std::variant<DecodeStep, OrientStep, ResizeStep, CropStep, FirstStep, CentreStep,
                               ScaleStep, ChooseStep, StandardiseStep, UnknownStep>;

// ---------------------------------------------------------------- the three parts

/// How an input of the network is made.
struct InputRule {
  std::string kind;                  ///< image, points or series
  std::vector<InputStep> steps;      ///< carried out in this order
  std::vector<std::string> columns;  ///< points and series: what each value of a row is
  std::string up;                    ///< points: the vertical axis, x, y or z; empty: not known
  double seconds = 0;                ///< series: from one row to the next; 0: not known
  bool units_in_graph = false;       ///< series: the network takes and gives the table's units
  /// CRC-32C of what the steps make of a fixed example (tbn/file.h). Code that prepares inputs
  /// elsewhere can compare it and so check that it does the same.
  std::optional<std::uint32_t> check;
  bool operator==(const InputRule&) const = default;
};

/// The labels that one kind of object can have: [first, first + count).
struct LabelRange {
  std::string name;        ///< of the kind of object
  std::int64_t first = 0;  ///< its first label
  std::int64_t count = 0;  ///< how many labels it has
  bool operator==(const LabelRange&) const = default;
};

/// What the outputs of the network mean.
struct OutputRule {
  std::string kind;                  ///< class, point_class, forecast
  std::vector<std::string> classes;  ///< one name per logit
  std::vector<std::string> folders;  ///< names of the classes' folders where they differ; or empty
  /// Parts of objects: the kinds of object. In this order the last columns of a point stand for
  /// them (one-hot), and a point's label is searched among those of its object's kind.
  std::vector<LabelRange> categories;

  /// The names by which classes are told apart on disk.
  const std::vector<std::string>& keys() const { return folders.empty() ? classes : folders; }
  bool operator==(const OutputRule&) const = default;
};

/// What a split held before samples were held out of it or dropped by a limit.
struct MeasuredSplit {
  std::int64_t count = 0;                ///< samples
  std::optional<std::uint32_t> listing;  ///< CRC-32C of its samples' names or labels, one per line
  bool operator==(const MeasuredSplit&) const = default;
};

/// The data that the file's figure was measured on.
struct MeasuredRule {
  std::string data;              ///< name of the data set
  std::int64_t validation = 0;   ///< samples held out of training
  std::int64_t seed = 0;         ///< of the generator that chose them
  std::int64_t train_limit = 0;  ///< training samples used at most; 0: all
  std::int64_t test_limit = 0;   ///< test samples used at most; 0: all
  std::string limits;    ///< first, class: which samples a limit keeps; empty: there is none
  std::string on_error;  ///< skip: damaged samples were left out; empty: there were none
  double skip_most = 0;  ///< on_error: largest share of a split that may be damaged; 0: not known
  std::string test_folder;  ///< folders of images: the one tested on; empty: not known
  /// By "train", "validation" and "test"; those that exist.
  std::map<std::string, MeasuredSplit> splits;
  std::vector<std::int64_t> rows;  ///< series: training, validation and test rows; or empty
  bool chosen_columns = false;     ///< series: the columns were named, and the table had others too
  bool operator==(const MeasuredRule&) const = default;
};

/// All that a file says of its data.
struct Rule {
  std::optional<InputRule> input;        ///< how inputs are made
  std::optional<OutputRule> output;      ///< what outputs mean
  std::optional<MeasuredRule> measured;  ///< what the figure was measured on

  /// Whether the file says nothing.
  bool empty() const { return !input && !output && !measured; }
  bool operator==(const Rule&) const = default;
};

/// The texts of the parts that `rule` has, by their keys, as canonical JSON: equal rules give equal
/// texts. Throws InternalError for a rule that rule_from() would refuse.
std::map<std::string, std::string> metadata_of(const Rule& rule);

/// The rule that the three keys of a file's metadata say; members that this tbn does not know are
/// ignored. Throws DataError, beginning with `where`, for a text that is not as specified.
Rule rule_from(const std::map<std::string, std::string>& metadata, const std::string& where);

/// Checks that a rule fits a network with these shapes. Throws DataError, beginning with `where`,
/// where the number of classes differs from that of the outputs, the number of columns from that of
/// the inputs, or a resized picture would be smaller than the network's.
void check_rule_fits(const Rule& rule, const Shape& input, const Shape& output,
                     const std::string& where);

/// The name of a step as it is written in a rule: "resize".
std::string_view name_of(const InputStep& step);

/// Whether `name` may be that of a class or a column: 1 to 256 bytes of UTF-8 without control
/// characters.
bool is_rule_name(std::string_view name);

}  // namespace tbn
