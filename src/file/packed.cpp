// Reads and writes packed model files; include/tbn/file.h specifies them.
#include <algorithm>
#include <charconv>
#include <functional>
#include <set>
#include <utility>

#include "base/text.h"
#include "file/atomic_write.h"
#include "file/checksums.h"
#include "file/compact.h"
#include "file/json.h"
#include "file/reader.h"
#include "file/safetensors_header.h"
#include "tbn/error.h"
#include "tbn/file.h"
#include "tbn/rule.h"

namespace tbn {
namespace {

static_assert(std::ranges::is_sorted(kPackedFeatures));

constexpr std::string_view kFormatKey = "tbn.format";
constexpr std::string_view kFeaturesKey = "tbn.features";
constexpr std::string_view kGraphKey = "tbn.graph";

constexpr std::string_view kGeneratorKey = "tbn.verify";
// Whether a graph's JSON is in short form: its member that is always there.
constexpr std::string_view kShortMark = "common";

constexpr std::string_view kVerifyPrefix = "verify.";
constexpr std::string_view kVerifyInput = "verify.input";
constexpr std::string_view kVerifyOutput = "verify.output";

// Takes a string out of the metadata that every packed file must have.
std::string take(const Reader& reader, std::map<std::string, std::string>& metadata,
                 std::string_view key) {
  auto node = metadata.extract(std::string(key));
  if (node.empty()) reader.fail("header: metadata '" + std::string(key) + "' is missing");
  return std::move(node.mapped());
}

void check_format(const Reader& reader, const std::string& format) {
  const char* const end = format.data() + format.size();
  int major = 0;
  int minor = 0;
  const auto dot = std::from_chars(format.data(), end, major);
  const bool has_dot = dot.ec == std::errc() && dot.ptr != end && *dot.ptr == '.';
  const auto last = has_dot ? std::from_chars(dot.ptr + 1, end, minor) : dot;
  if (!has_dot || last.ec != std::errc() || last.ptr != end || major < 1 || minor < 0) {
    reader.fail("format " + in_quotes(format) + " is no version such as " +
                std::string(kPackedFormat) + "; the file is damaged");
  }
  if (major > kPackedMajorVersion) {
    const std::string known = std::to_string(kPackedMajorVersion);
    reader.fail("written by a newer tbn (format " + format + "; this one reads up to " + known +
                ".x); upgrade tbn, or ask for a file of format " + known);
  }
}

std::vector<std::string> split_features(const Reader& reader, const std::string& list) {
  std::vector<std::string> features;
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    features.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  for (const std::string& feature : features) {
    if (!std::ranges::binary_search(kPackedFeatures, std::string_view(feature))) {
      reader.fail("needs the feature " + in_quotes(feature) +
                  ", which this tbn does not know; upgrade tbn, or export without it");
    }
  }
  const bool sorted = std::ranges::adjacent_find(features, std::greater_equal()) == features.end();
  if (!sorted || list.ends_with(',')) {
    reader.fail("header: tbn.features " + in_quotes(list) + " is not a sorted list of names");
  }
  return features;
}

bool has_feature(const PackedFile& file, std::string_view feature) {
  return std::ranges::find(file.features, feature) != file.features.end();
}

// Whether both are batches of one size. What a generator makes is none yet.
bool is_consistent(const TestVectors& vectors) {
  const Shape& input = vectors.input.shape();
  const Shape& output = vectors.output.shape();
  if (!vectors.generator.empty()) return vectors.input.count() == 0 && !output.empty();
  return !input.empty() && !output.empty() && input[0] == output[0];
}

void check_consistent(const Reader& reader, const TestVectors& vectors) {
  if (is_consistent(vectors)) return;
  reader.fail("the test vectors are no batches of one size: verify.input is " +
              to_string(vectors.input.shape()) + ", verify.output " +
              to_string(vectors.output.shape()));
}

// The test vectors whose inputs a generator makes.
TestVectors take_generated(const Reader& reader, PackedFile& file) {
  TestVectors vectors{.input = {}, .output = {}, .generator = {}};
  vectors.generator = take(reader, file.metadata, kGeneratorKey);
  auto output = file.tensors.extract(std::string(kVerifyOutput));
  if (vectors.generator.empty()) reader.fail("names no generator of its test vectors");
  if (output.empty()) reader.fail("names a generator of test vectors and holds no verify.output");
  if (file.tensors.contains(std::string(kVerifyInput))) {
    reader.fail("holds verify.input and names a generator of it as well");
  }
  vectors.output = std::move(output.mapped());
  check_consistent(reader, vectors);
  return vectors;
}

// Moves the test vectors out of the tensors, if there are any.
std::optional<TestVectors> take_test_vectors(const Reader& reader, PackedFile& file) {
  std::optional<TestVectors> vectors;
  if (has_feature(file, kGeneratedFeature)) vectors = take_generated(reader, file);
  TensorMap& tensors = file.tensors;
  auto input = tensors.extract(std::string(kVerifyInput));
  auto output = tensors.extract(std::string(kVerifyOutput));
  const auto left = tensors.lower_bound(std::string(kVerifyPrefix));
  if (left != tensors.end() && left->first.starts_with(kVerifyPrefix)) {
    reader.fail("tensor " + in_quotes(left->first) + " has a reserved name");
  }
  if (input.empty() && output.empty()) return vectors;
  if (input.empty() || output.empty()) {
    reader.fail("has only one of the test vectors verify.input and verify.output");
  }
  vectors = TestVectors{
      .input = std::move(input.mapped()), .output = std::move(output.mapped()), .generator = {}};
  check_consistent(reader, *vectors);
  return vectors;
}

// The graph as JSON, from the form in which the file holds it.
std::string take_graph(const Reader& reader, PackedFile& file) {
  const bool is_compact = has_feature(file, kCompactFeature);
  std::string text = take(reader, file.metadata, kGraphKey);
  if (is_compact) text = with_quotes_swapped(std::move(text));
  const Json graph = parse_json(text, reader.where() + ": tbn.graph");
  if (graph.contains(kShortMark) != is_compact) {
    reader.fail(is_compact ? "names the feature 'compact', and its graph is in full"
                           : "its graph is in short form, and it does not name the feature "
                             "'compact'");
  }
  return text;
}

// Moves the prepared weights out of the tensors. The kernels that use one check it.
TensorMap take_prepared(TensorMap& tensors) {
  TensorMap prepared;
  auto next = tensors.lower_bound(std::string(kPreparedPrefix));
  while (next != tensors.end() && next->first.starts_with(kPreparedPrefix)) {
    prepared.insert(tensors.extract(next++));
  }
  return prepared;
}

PackedFile read_all(Reader& reader) {
  SafetensorsHeader header = read_safetensors_header(reader);
  PackedFile file;
  file.metadata = std::move(header.metadata);
  if (!file.metadata.contains(std::string(kFormatKey))) {
    reader.fail(
        "is a plain safetensors file, perhaps a checkpoint, and no packed model; "
        "tbn-export makes .tbn files from checkpoints");
  }
  file.format = take(reader, file.metadata, kFormatKey);
  check_format(reader, file.format);  // first: a newer format may have other checksums
  check_header_crc(reader, header.text);
  take(reader, file.metadata, kHeaderCrcKey);
  const std::string expected_crc = take(reader, file.metadata, kDataCrcKey);
  file.features = split_features(reader, take(reader, file.metadata, kFeaturesKey));
  file.graph_json = take_graph(reader, file);

  reader.start_crc();
  file.tensors = read_safetensors_data(reader, header);
  check_data_crc(reader, expected_crc);
  if (has_feature(file, kCompactFeature)) split_pairs(reader, file.tensors);
  file.test_vectors = take_test_vectors(reader, file);
  file.prepared = take_prepared(file.tensors);
  return file;
}

std::string features_of(const PackedFile& file) {
  std::set<std::string> features(file.features.begin(), file.features.end());
  features.erase(std::string(kGeneratedFeature));
  if (file.test_vectors && !file.test_vectors->generator.empty()) {
    features.emplace(kGeneratedFeature);
  }
  std::string list;
  for (const std::string& feature : features) {
    TBN_CHECK(std::ranges::binary_search(kPackedFeatures, std::string_view(feature)),
              "unknown feature " + feature);
    list += (list.empty() ? "" : ",") + feature;
  }
  return list;
}

// `pairs` are those of a compact file, and must outlive what is returned.
TensorRefs collect_tensors(const PackedFile& file, const TensorPairs& pairs) {
  TensorRefs tensors;
  for (const auto& [name, tensor] : file.tensors) {
    TBN_CHECK(!name.starts_with(kVerifyPrefix) && !name.starts_with(kPreparedPrefix),
              "parameter '" + name + "' has a reserved name");
    if (!pairs.members.contains(name)) tensors.emplace_back(name, &tensor);
  }
  for (const auto& [name, tensor] : pairs.tensors) tensors.emplace_back(name, &tensor);
  for (const auto& [name, tensor] : file.prepared) {
    TBN_CHECK(name.starts_with(kPreparedPrefix), "'" + name + "' is no name of prepared weights");
    tensors.emplace_back(name, &tensor);
  }
  if (file.test_vectors) {
    TBN_CHECK(is_consistent(*file.test_vectors), "the test vectors are no batches of one size");
    if (file.test_vectors->generator.empty()) {
      tensors.emplace_back(kVerifyInput, &file.test_vectors->input);
    }
    tensors.emplace_back(kVerifyOutput, &file.test_vectors->output);
  }
  sort_for_safetensors(tensors);
  return tensors;
}

// By what the file holds, so that a file without the newer things has the bytes that it always had.
std::string_view format_of(const PackedFile& file) {
  for (const std::string_view key : kRuleKeys) {
    if (file.metadata.contains(std::string(key))) return kRuleFormat;
  }
  return file.prepared.empty() ? kPackedFormat : kPreparedFormat;
}

// The graph as the file holds it.
std::string packed_graph_text(const PackedFile& file) {
  const Json graph = parse_json(file.graph_json, "the packed graph");
  const bool is_compact = has_feature(file, kCompactFeature);
  TBN_CHECK(graph.contains(kShortMark) == is_compact,
            "the graph is in short form exactly in compact files");
  return is_compact ? with_quotes_swapped(graph.canonical()) : graph.canonical();
}

MetadataList make_metadata(const PackedFile& file, const TensorRefs& tensors) {
  std::map<std::string, std::string> sorted = file.metadata;
  const auto add = [&](std::string_view key, std::string value) {
    const bool is_new = sorted.emplace(key, std::move(value)).second;
    TBN_CHECK(is_new, "metadata '" + std::string(key) + "' is the file format's own");
  };
  add(kDataCrcKey, data_crc_of(tensors));
  add(kFormatKey, std::string(format_of(file)));
  add(kFeaturesKey, features_of(file));
  add(kGraphKey, packed_graph_text(file));
  if (file.test_vectors && !file.test_vectors->generator.empty()) {
    add(kGeneratorKey, file.test_vectors->generator);
  }
  TBN_CHECK(!sorted.contains(std::string(kHeaderCrcKey)), "metadata holds the header's checksum");

  MetadataList list = {{std::string(kHeaderCrcKey), std::string(kZeroDigits)}};
  list.insert(list.end(), sorted.begin(), sorted.end());
  return list;
}

// Gives the file's pieces, in order, to `write`.
template <class Write>
void write_pieces(const PackedFile& file, Write write) {
  const TensorPairs pairs =
      has_feature(file, kCompactFeature) ? pairs_of(file.tensors) : TensorPairs{};
  const TensorRefs tensors = collect_tensors(file, pairs);
  std::string head = make_safetensors_header(tensors, make_metadata(file, tensors));
  seal_header(head);
  write(std::as_bytes(std::span(head)));
  for (const auto& [name, tensor] : tensors) write(tensor->bytes());
}

}  // namespace

PackedFile read_packed(const std::filesystem::path& path) {
  Reader reader(path);
  reader.map();
  return read_all(reader);
}

PackedFile parse_packed(std::span<const std::byte> bytes, const std::string& where) {
  Reader reader(bytes, where);
  return read_all(reader);
}

std::vector<std::byte> serialize_packed(const PackedFile& file) {
  std::vector<std::byte> bytes;
  write_pieces(file, [&](std::span<const std::byte> piece) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  });
  return bytes;
}

void write_packed(const std::filesystem::path& path, const PackedFile& file) {
  AtomicFile out(path);
  write_pieces(file, [&](std::span<const std::byte> piece) { out.write(piece); });
  out.commit();
}

}  // namespace tbn
