// Thousands of random damages to valid files, from a fixed seed: each is refused with a DataError
// or read as a valid file that can be written again. Nothing else may escape.
#include <random>

#include "export/packed_model.h"
#include "file/json.h"
#include "file/npy.h"
#include "file/safetensors.h"
#include "graph/passes/passes.h"
#include "runtime/prepare.h"
#include "support/bytes.h"
#include "support/catch.h"
#include "support/packed_files.h"
#include "support/random_model.h"
#include "tbn/error.h"
#include "tbn/file.h"
#include "tbn/rule.h"
#include "tbn/runtime.h"

using namespace tbn;
using test::to_bytes;
using test::to_text;

namespace {

class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  // One to four edits of the kinds that find bugs in parsers.
  std::string mutate(std::string text) {
    for (std::size_t edits = 1 + below(4); edits > 0; --edits) edit(text);
    return text;
  }

 private:
  void edit(std::string& text) {
    static const std::vector<std::string> kTokens = {"{",
                                                     "}",
                                                     "[",
                                                     "]",
                                                     "\"",
                                                     ":",
                                                     ",",
                                                     "-1",
                                                     "0",
                                                     "18446744073709551615",
                                                     "9223372036854775807",
                                                     "1e999",
                                                     "null",
                                                     "\\u0000",
                                                     "\\ud800",
                                                     "\xff",
                                                     "__metadata__",
                                                     "data_offsets",
                                                     "F64",
                                                     "BOOL",
                                                     "[[[[[[[[",
                                                     "4611686018427387904",
                                                     "tbn.format",
                                                     "2.0"};
    const std::size_t at = below(text.size());
    const std::size_t length = below(std::min<std::size_t>(text.size() - at + 1, 16));
    switch (below(6)) {
      case 0:
        if (!text.empty()) text[at] = static_cast<char>(random_());
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, kTokens[below(kTokens.size())]);
        break;
      case 3:
        text.replace(at, length, kTokens[below(kTokens.size())]);
        break;
      case 4:
        text.insert(below(text.size()), text.substr(at, length));
        break;
      default:
        text.resize(at);
        break;
    }
  }

  std::mt19937 random_;
};

struct Tally {
  int accepted = 0;
  int refused = 0;
};

// Runs `use` on `rounds` mutations. Whatever it throws fails the test, but a DataError, or a
// NonFiniteError where the damage made a value that is none.
template <class Use>
Tally hammer(const std::string& valid, int rounds, unsigned seed, Use use) {
  Mutator mutator(seed);
  Tally tally;
  for (int i = 0; i < rounds; ++i) {
    const std::string text = mutator.mutate(valid);
    try {
      use(text);
      ++tally.accepted;
    } catch (const DataError& error) {
      ++tally.refused;
      if (std::string_view(error.what()).empty()) FAIL("a refusal without a word");
    } catch (const NonFiniteError&) {
      ++tally.refused;
    }
  }
  return tally;
}

}  // namespace

TEST_CASE("mutated JSON is refused or round-trips", "[fuzz]") {
  const std::string valid =
      R"({"a":[1,-2.5e3,true,null,"x\u00e9\n"],"b":{"c":{"d":[[],{}]}},"e":"\ud83d\ude00"})";
  const Tally tally = hammer(valid, 30'000, 1, [](const std::string& text) {
    const Json json = parse_json(text, "t");
    if (!(parse_json(json.canonical(), "again") == json)) FAIL("no round trip: " << text);
  });
  CHECK(tally.accepted > 100);
  CHECK(tally.refused > 10'000);
}

TEST_CASE("mutated safetensors files are refused or round-trip", "[fuzz]") {
  const TensorMap tensors = {{"a", HostTensor(DType::kF32, {2, 3})},
                             {"b", HostTensor(DType::kU8, {5})},
                             {"c", HostTensor(DType::kBool, {1})}};
  const auto use = [](const std::string& text) {
    const SafetensorsFile file = parse_safetensors(to_bytes(text), "t");
    const auto again = serialize_safetensors(file.tensors, file.metadata);
    if (parse_safetensors(again, "again").tensors != file.tensors) FAIL("no round trip");
  };
  const std::string valid = to_text(serialize_safetensors(tensors, {{"k", "v"}}));
  const Tally whole = hammer(valid, 20'000, 2, use);
  CHECK(whole.refused > 10'000);
  // Damages in the header alone, with a length that fits: they reach the checks behind it.
  const std::string header = valid.substr(8, valid.find_last_of('}') - 7);
  const std::string data = valid.substr(valid.size() - 30);
  const Tally inner = hammer(
      header, 30'000, 3, [&](const std::string& text) { use(test::safetensors_text(text, data)); });
  CHECK(inner.accepted > 100);
  CHECK(inner.refused > 10'000);
}

TEST_CASE("mutated .npy files are refused or read within their bounds", "[fuzz]") {
  const auto use = [](const std::string& text) {
    const NpyArray array({text.begin(), text.end()}, "t: ");
    std::vector<double> values(static_cast<std::size_t>(element_count(array.shape())));
    array.read(0, values);
  };
  // Of version 2, with blanks behind the header as NumPy writes them.
  const auto file_of = [](const std::string& header) {
    return std::string("\x93NUMPY\2\0", 8) + test::little_endian_u64(header.size()).substr(0, 4) +
           header + std::string(24, '\1');
  };
  const std::string header =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }" + std::string(56, ' ') + "\n";
  use(file_of(header));
  const Tally whole = hammer(file_of(header), 20'000, 10, use);
  CHECK(whole.accepted > 100);
  CHECK(whole.refused > 10'000);
  // Damages in the header alone, with a length that fits.
  const Tally inner =
      hammer(header, 30'000, 11, [&](const std::string& text) { use(file_of(text)); });
  CHECK(inner.accepted > 100);
  CHECK(inner.refused > 10'000);
}

TEST_CASE("mutated packed files are refused", "[fuzz]") {
  PackedFile file = test::small_packed_file();
  file.prepared["prepared/signs-1-5-6-3/fc"] = HostTensor(DType::kI64, {2, 8});
  const std::string valid = to_text(serialize_packed(file));
  const Tally whole = hammer(valid, 20'000, 4, [&](const std::string& text) {
    parse_packed(to_bytes(text), "t");
    if (text != valid) FAIL("a damaged file was accepted");
  });
  CHECK(whole.refused > 15'000);
  // Damages to the metadata under right checksums.
  const std::string metadata = R"(,"tbn.features":"tiled","tbn.format":"1.0","tbn.graph":"{}")";
  const Tally inner = hammer(metadata, 20'000, 5, [](const std::string& text) {
    parse_packed(to_bytes(test::sealed(text, "", "")), "t");
  });
  CHECK(inner.accepted > 10);
  CHECK(inner.refused > 10'000);
}

TEST_CASE("mutated compact files are refused, or round-trip and verify within their bounds",
          "[fuzz]") {
  const Model packed =
      test::random_packed(pack_model(test::random_trained(test::odd_network(), 1)).graph, 1);
  PackedFile file = make_packed_file(packed, {}, example_inputs(packed, 1));
  make_compact(file, "t");
  // The metadata and the tensors' part of the header, under right checksums.
  const std::string valid = to_text(serialize_packed(file));
  const auto byte = [&](std::size_t at) {
    return static_cast<std::size_t>(static_cast<unsigned char>(valid[at]));
  };
  const std::size_t head = 8 + byte(0) + 256 * byte(1);
  const std::string data = valid.substr(head);
  const std::size_t metadata = valid.find(",\"tbn.features\"");
  const std::size_t tensors = valid.find("},\"", valid.find("tbn.verify")) + 1;
  const std::size_t end = valid.rfind('}', head - 1);
  const std::string texts = valid.substr(metadata, tensors - 1 - metadata);
  const std::string entries = valid.substr(tensors, end - tensors);
  const auto use = [&](const std::string& text, const std::string& entry) {
    const std::vector<std::byte> bytes = to_bytes(test::sealed(text, entry, data));
    const PackedFile parsed = parse_packed(bytes, "t");
    if (parse_packed(serialize_packed(parsed), "again").tensors != parsed.tensors) {
      FAIL("no round trip");
    }
    Network::parse(bytes, "t", {.memory_bytes = 1 << 20});
  };
  use(texts, entries);
  const Tally words = hammer(texts, 5'000, 8, [&](const std::string& text) { use(text, entries); });
  CHECK(words.refused > 2'000);
  const Tally names = hammer(entries, 5'000, 9, [&](const std::string& text) { use(texts, text); });
  CHECK(names.refused > 2'000);
}

TEST_CASE("mutated prepared weights are refused, ignored or used within their bounds", "[fuzz]") {
  GraphBuilder b("net");
  const Value x = b.input({3, 50}).linear(96, {.weights = tiled(2)}).linear(3);
  PackedFile file = make_packed_file(test::random_packed(b.finish(x), 1), {});
  prepare_file(file, std::vector{Backend::kExact, Backend::kInt8}, instruction_sets().front(), "t");
  // The tensors' part of the header, and the data; both are damaged, under right checksums.
  const std::string valid = to_text(serialize_packed(file));
  std::int64_t data_bytes = 0;
  for (const auto& [name, tensor] : file.prepared) data_bytes += std::ssize(tensor.bytes());
  for (const auto& [name, tensor] : file.tensors) data_bytes += std::ssize(tensor.bytes());
  const std::string data = valid.substr(valid.size() - static_cast<std::size_t>(data_bytes));
  const std::size_t length = valid.rfind('}', valid.size() - data.size()) + 1;
  const std::size_t metadata = valid.find(",\"tbn.features\""), tensors = valid.find("},\"") + 1;
  const std::vector<float> input(150, 1.0f);
  std::vector<float> output(9);
  const auto use = [&](const std::string& header, const std::string& bytes) {
    const std::string text =
        test::sealed(valid.substr(metadata, tensors - 1 - metadata), header, bytes);
    const auto network = Network::parse(to_bytes(text), "t");
    for (const Backend backend : kBackends) {
      Session(network, {.backend = backend}).run(input, 1, output);
    }
  };
  const std::string header = valid.substr(tensors, length - 1 - tensors);
  use(header, data);
  const Tally names = hammer(header, 2'000, 6, [&](const std::string& text) { use(text, data); });
  CHECK(names.accepted > 10);
  CHECK(names.refused > 1'000);
  const Tally words = hammer(data, 2'000, 7, [&](std::string text) {
    text.resize(data.size());
    use(header, text);
  });
  CHECK(words.accepted > 100);
}

TEST_CASE("mutated rules are refused or read back as they are written", "[fuzz]") {
  const MeasuredRule measured{.data = "image_folder",
                              .validation = 5,
                              .test_limit = 3,
                              .limits = "first",
                              .on_error = "skip",
                              .splits = {{"test", {7, 9u}}}};
  const Rule rules[] = {
      {.input = InputRule{.kind = "image",
                          .steps = {DecodeStep{4}, OrientStep{}, ResizeStep{72}, CropStep{}},
                          .check = 7},
       .output = OutputRule{.kind = "class", .classes = {"cat", "dog"}, .folders = {"n1", "n2"}},
       .measured = measured},
      {.input = InputRule{.kind = "points",
                          .steps = {FirstStep{9}, CentreStep{}, ScaleStep{}, ChooseStep{}},
                          .columns = {"x", "y", "z"},
                          .up = "y"},
       .output =
           OutputRule{
               .kind = "point_class", .classes = {"cat", "dog"}, .categories = {{"pet", 0, 2}}}},
      {.input = InputRule{.kind = "series",
                          .steps = {StandardiseStep{{1.5, 2}, {2, 1e-7}}},
                          .columns = {"a", "b"},
                          .seconds = 60},
       .output = OutputRule{.kind = "forecast"},
       .measured = MeasuredRule{.data = "csv", .rows = {1, 2, 3}}}};
  const Shape input{3, 64, 64}, output{2};
  for (const Rule& valid : rules) {
    for (const auto& [key, text] : metadata_of(valid)) {
      const Tally tally = hammer(text, 4'000, 8, [&, &name = key](const std::string& mutated) {
        const Rule rule = rule_from({{name, mutated}}, "t");
        if (rule_from(metadata_of(rule), "again") != rule) FAIL("no round trip: " << mutated);
        check_rule_fits(rule, input, output, "t");
      });
      CHECK(tally.refused > 2'000);
    }
  }
}
