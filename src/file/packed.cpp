// Reads and writes packed model files; include/tbn/file.h specifies them.
#include <algorithm>
#include <charconv>
#include <functional>
#include <set>
#include <utility>

#include "base/text.h"
#include "file/atomic_write.h"
#include "file/checksums.h"
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

// Whether both are batches of one size.
bool is_consistent(const TestVectors& vectors) {
  const Shape& input = vectors.input.shape();
  const Shape& output = vectors.output.shape();
  return !input.empty() && !output.empty() && input[0] == output[0];
}

// Moves the test vectors out of the tensors, if there are any.
std::optional<TestVectors> take_test_vectors(const Reader& reader, TensorMap& tensors) {
  auto input = tensors.extract(std::string(kVerifyInput));
  auto output = tensors.extract(std::string(kVerifyOutput));
  const auto left = tensors.lower_bound(std::string(kVerifyPrefix));
  if (left != tensors.end() && left->first.starts_with(kVerifyPrefix)) {
    reader.fail("tensor " + in_quotes(left->first) + " has a reserved name");
  }
  if (input.empty() && output.empty()) return std::nullopt;
  if (input.empty() || output.empty()) {
    reader.fail("has only one of the test vectors verify.input and verify.output");
  }
  TestVectors vectors{std::move(input.mapped()), std::move(output.mapped())};
  if (!is_consistent(vectors)) {
    reader.fail("the test vectors are no batches of one size: verify.input is " +
                to_string(vectors.input.shape()) + ", verify.output " +
                to_string(vectors.output.shape()));
  }
  return vectors;
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
  file.graph_json = take(reader, file.metadata, kGraphKey);
  parse_json(file.graph_json, reader.where() + ": tbn.graph");

  reader.start_crc();
  file.tensors = read_safetensors_data(reader, header);
  check_data_crc(reader, expected_crc);
  file.test_vectors = take_test_vectors(reader, file.tensors);
  file.prepared = take_prepared(file.tensors);
  return file;
}

std::string join_features(const std::vector<std::string>& features) {
  std::string list;
  for (const std::string& feature : std::set<std::string>(features.begin(), features.end())) {
    TBN_CHECK(std::ranges::binary_search(kPackedFeatures, std::string_view(feature)),
              "unknown feature " + feature);
    list += (list.empty() ? "" : ",") + feature;
  }
  return list;
}

TensorRefs collect_tensors(const PackedFile& file) {
  TensorRefs tensors;
  for (const auto& [name, tensor] : file.tensors) {
    TBN_CHECK(!name.starts_with(kVerifyPrefix) && !name.starts_with(kPreparedPrefix),
              "parameter '" + name + "' has a reserved name");
    tensors.emplace_back(name, &tensor);
  }
  for (const auto& [name, tensor] : file.prepared) {
    TBN_CHECK(name.starts_with(kPreparedPrefix), "'" + name + "' is no name of prepared weights");
    tensors.emplace_back(name, &tensor);
  }
  if (file.test_vectors) {
    TBN_CHECK(is_consistent(*file.test_vectors), "the test vectors are no batches of one size");
    tensors.emplace_back(kVerifyInput, &file.test_vectors->input);
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

MetadataList make_metadata(const PackedFile& file, const TensorRefs& tensors) {
  std::map<std::string, std::string> sorted = file.metadata;
  const auto add = [&](std::string_view key, std::string value) {
    const bool is_new = sorted.emplace(key, std::move(value)).second;
    TBN_CHECK(is_new, "metadata '" + std::string(key) + "' is the file format's own");
  };
  add(kDataCrcKey, data_crc_of(tensors));
  add(kFormatKey, std::string(format_of(file)));
  add(kFeaturesKey, join_features(file.features));
  add(kGraphKey, parse_json(file.graph_json, "the packed graph").canonical());
  TBN_CHECK(!sorted.contains(std::string(kHeaderCrcKey)), "metadata holds the header's checksum");

  MetadataList list = {{std::string(kHeaderCrcKey), std::string(kZeroDigits)}};
  list.insert(list.end(), sorted.begin(), sorted.end());
  return list;
}

// Gives the file's pieces, in order, to `write`.
template <class Write>
void write_pieces(const PackedFile& file, Write write) {
  const TensorRefs tensors = collect_tensors(file);
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
