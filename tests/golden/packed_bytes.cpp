// The bytes that leave the library, over every form that weights can take: packed files, prepared
// weights, C sources, and what the reference runtime answers. Golden files hold their CRC-32C,
// one line per layer; whoever changes a line changes what old files mean, or what was published of
// them.
//
// Only the reference's answers depend on how a processor multiplies and adds, and are compared on
// x86-64 alone. Prepared weights are compared with the instructions that the processor has.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <set>

#include "export/c_source.h"
#include "export/packed_model.h"
#include "file/crc32c.h"
#include "graph/passes/passes.h"
#include "micro/lower.h"
#include "runtime/prepare.h"
#include "support/golden.h"
#include "support/micro_cases.h"
#include "support/random_model.h"
#include "support/zoo_cases.h"
#include "tbn/error.h"
#include "tbn/policy.h"

using namespace tbn;

namespace {

// Where a layer stands, its outputs, and two factors that cut rows: fewer slices than outputs, and
// more.
struct Place {
  const char* name;
  std::int64_t outputs;
  std::int64_t flat[2];
  std::function<Value(GraphBuilder&, WeightEncoding, bool bias)> build;
};

Place conv_place(const char* name, const Shape& image, std::int64_t outputs, std::int64_t few,
                 std::int64_t many, std::int64_t groups) {
  return {name, outputs, {few, many}, [=](GraphBuilder& b, WeightEncoding weights, bool bias) {
            return b.input(image).conv(
                outputs, {.kernel = 3, .groups = groups, .bias = bias, .weights = weights});
          }};
}

std::vector<Place> places() {
  const auto linear = [](GraphBuilder& b, WeightEncoding weights, bool bias) {
    return b.input({1, 1, 13}).flatten().linear(12, {.bias = bias, .weights = weights});
  };
  return {{"linear", 12, {13, 52}, linear},
          conv_place("conv", {5, 6, 5}, 12, 5, 45, 1),
          conv_place("wide", {20, 5, 4}, 96, 5, 160, 1),
          conv_place("groups", {6, 5, 5}, 12, 9, 27, 2),
          conv_place("depthwise", {12, 5, 4}, 12, 9, 54, 12)};
}

struct Form {
  std::string name;
  WeightEncoding weights;
};

// As they are packed: scopes, orders and factors.
std::vector<Form> forms(const Place& place) {
  std::vector<Form> all = {{"float", FloatWeights{}}};
  const std::int64_t n = place.outputs;
  for (const AlphaScope alpha : {AlphaScope::kTile, AlphaScope::kLayer, AlphaScope::kOutput}) {
    const auto add = [&](std::int64_t p, TileOrder order) {
      all.push_back({"p" + std::to_string(p) + " " + std::string(to_string(order)) + " " +
                         std::string(to_string(alpha)),
                     TiledWeights{.p = p, .alpha = alpha, .order = order}});
    };
    for (const std::int64_t p : {std::int64_t{1}, std::int64_t{3}, n}) {
      add(p, TileOrder::kRepeat);
      add(p, TileOrder::kInterleave);
    }
    for (const std::int64_t p : place.flat) add(p, TileOrder::kRepeat);
  }
  for (const std::int64_t bits : {2, 5, 8}) {
    all.push_back({"uniform " + std::to_string(bits), uniform(bits)});
  }
  return all;
}

// The same as they may be trained.
std::vector<WeightEncoding> trainings(const WeightEncoding& weights) {
  const auto* tiled = std::get_if<TiledWeights>(&weights);
  if (tiled == nullptr) return {weights};
  std::vector<WeightEncoding> all;
  for (const AlphaSource from :
       {AlphaSource::kLearned, AlphaSource::kWeight, AlphaSource::kScores}) {
    for (const LatentForm latent : {LatentForm::kShared, LatentForm::kFull}) {
      TiledWeights trained = *tiled;
      trained.alpha_from = from;
      trained.latent = latent;
      all.emplace_back(trained);
    }
  }
  return all;
}

// Alone with a bias, and with a norm to fold.
std::vector<Model> packed_models(const Place& place, const WeightEncoding& weights) {
  std::vector<Model> models;
  for (const bool norm : {false, true}) {
    GraphBuilder b("layer");
    Value y = place.build(b, weights, !norm);
    if (norm) y = y.batch_norm().relu();
    models.push_back(pack_model(test::random_trained(b.finish(y), models.size() + 1)));
  }
  return models;
}

class Crc {
 public:
  void add(std::span<const std::byte> bytes) { crc_ = crc32c(bytes, crc_); }
  void add(std::string_view text) { crc_ = crc32c(text, crc_); }
  std::string digits() const {
    char text[9];
    std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(crc_));
    return text;
  }

 private:
  std::uint32_t crc_ = 0;
};

std::string packed_crc(const std::vector<Model>& models) {
  Crc crc;
  for (const Model& model : models) crc.add(serialize_packed(make_packed_file(model, {})));
  return crc.digits();
}

std::string compact_crc(const std::vector<Model>& models) {
  Crc crc;
  for (const Model& model : models) {
    PackedFile file = make_packed_file(model, {});
    make_compact(file, "m");
    // Zeros, since answers depend on how a processor multiplies and adds.
    Shape outputs = model.graph.output_shape();
    outputs.insert(outputs.begin(), 2);
    file.test_vectors = TestVectors{.input = {},
                                    .output = HostTensor(DType::kF32, outputs),
                                    .generator = std::string(kExampleGenerator)};
    crc.add(serialize_packed(file));
  }
  return crc.digits();
}

std::string prepared_crc(const std::vector<Model>& models, const std::string& instructions) {
  Crc crc;
  for (const Model& model : models) {
    for (const Backend backend : {Backend::kExact, Backend::kInt8}) {
      for (const auto& [name, lines] :
           prepare_weights(*Network::from(model), backend, instructions)) {
        crc.add(name);
        crc.add(lines.bytes());
      }
    }
  }
  return crc.digits();
}

// Of x86-64 alone, since processors that fuse products round otherwise.
[[maybe_unused]] std::string answers_crc(const std::vector<Model>& models) {
  Crc crc;
  for (const Model& model : models) {
    const HostTensor input = example_inputs(model.graph, 2);
    crc.add(make_packed_file(model, {}, input).test_vectors->output.bytes());
  }
  return crc.digits();
}

// Both forms; ranges are made up, since observed ones would depend on the processor.
std::string c_crc(const std::vector<Model>& models) {
  Crc crc;
  const auto add = [&](const CSource& source) {
    crc.add(source.header);
    crc.add(source.source);
    for (const CStepCost& step : source.steps) {
      crc.add(std::to_string(step.weights + step.scalars + step.descriptors) + " " +
              std::to_string(step.multiply_adds) + " " + std::to_string(step.live_bytes));
    }
  };
  try {
    for (const Model& model : models) {
      const micro::Network network = micro::lower(model);
      add(c_source_f32(network, "net"));
      add(c_source(micro::quantize(network, micro::Ranges(network.sizes.size(), {-8, 8})), "net"));
    }
  } catch (const ConfigError&) {
    return "refused";
  }
  return crc.digits();
}

// A line a place and form: `crc_of` the models of that form.
std::string lines_of_forms(const std::function<std::string(const std::vector<Model>&)>& crc_of) {
  std::string text;
  for (const Place& place : places()) {
    for (const Form& form : forms(place)) {
      text += std::string(place.name) + " " + form.name + ": " +
              crc_of(packed_models(place, form.weights)) + "\n";
    }
  }
  return text;
}

std::vector<Model> packed_zoo() {
  std::vector<Model> models;
  for (const ModelSpec& spec : test::zoo_cases()) {
    Graph graph = build_model(spec);
    apply_policy(graph, {.standard = tiled(4), .min_size = 500, .rules = {}});
    models.push_back(pack_model(test::random_trained(std::move(graph), models.size() + 1)));
  }
  models.push_back(pack_model(test::random_trained(test::odd_network(), 1)));
  return models;
}

}  // namespace

TEST_CASE("every encoding has golden bytes") {
  std::set<std::size_t> kinds;
  for (const Form& form : forms(places()[0])) kinds.insert(form.weights.index());
  CHECK(kinds.size() == std::variant_size_v<WeightEncoding>);
}

TEST_CASE("packed files have the bytes that they always had") {
  std::string text;
  for (const Place& place : places()) {
    for (const Form& form : forms(place)) {
      text += std::string(place.name) + " " + form.name + ":";
      for (const WeightEncoding& trained : trainings(form.weights)) {
        text += " " + packed_crc(packed_models(place, trained));
      }
      text += '\n';
    }
  }
  for (const Model& model : packed_zoo()) {
    text += model.graph.name + ": " + packed_crc({model}) + "\n";
  }
  test::check_golden("bytes_packed.txt", text);
}

TEST_CASE("compact packed files have the bytes that they always had") {
  std::string text = lines_of_forms(compact_crc);
  for (const Model& model : packed_zoo()) {
    text += model.graph.name + ": " + compact_crc({model}) + "\n";
  }
  test::check_golden("bytes_compact.txt", text);
}

TEST_CASE("prepared weights have the bytes that they always had") {
  const std::vector<std::string> usable = instruction_sets();
  for (const std::string set : {"avx512vnni", "avx512", "avx2", "portable"}) {
    if (std::ranges::find(usable, set) == usable.end()) continue;
    DYNAMIC_SECTION(set) {
      std::string text = lines_of_forms(
          [&](const std::vector<Model>& models) { return prepared_crc(models, set); });
      for (const Model& model : packed_zoo()) {
        text += model.graph.name + ": " + prepared_crc({model}, set) + "\n";
      }
      test::check_golden("bytes_prepared_" + set + ".txt", text);
    }
  }
}

TEST_CASE("C sources have the bytes that they always had") {
  std::string text = lines_of_forms(c_crc);
  for (const test::MicroCase& each : test::micro_cases()) {
    text += each.name + ": " + c_crc({each.packed}) + "\n";
  }
  test::check_golden("bytes_c.txt", text);
}

#if defined(__x86_64__)
TEST_CASE("test vectors have the bytes that they always had") {
  test::check_golden("bytes_answers.txt", lines_of_forms(answers_crc));
}
#endif
