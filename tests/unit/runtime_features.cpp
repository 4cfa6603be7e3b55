// The features that a file names against what it holds: a reader goes by the names.
#include <algorithm>
#include <string>
#include <vector>

#include "base/half.h"
#include "export/packed_model.h"
#include "graph/passes/half_scalars.h"
#include "graph/passes/passes.h"
#include "graph/passes/units.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/random_model.h"
#include "tbn/error.h"
#include "tbn/file.h"
#include "tbn/runtime.h"

using namespace tbn;

namespace {

PackedFile file_of(const Model& packed) {
  return make_packed_file(packed, {}, example_inputs(packed, 1));
}

Model layer_of(const WeightEncoding& weights) {
  GraphBuilder b("layer");
  return pack_model(
      test::random_trained(b.finish(b.input({8}).linear(6, {.weights = weights})), 2));
}

// Means and deviations that half precision holds exactly.
Model with_units() {
  GraphBuilder b("series");
  Model packed = pack_model(test::random_trained(b.finish(b.input({6, 2}).linear(2)), 3));
  add_units(packed, {.mean = {100, -3}, .deviation = {25, 0.5}}, "m");
  return packed;
}

// Files that need all features between them, but for those of the file's own form.
std::vector<PackedFile> files() {
  Model halves = layer_of(tiled(2));
  narrow_scalars(halves, "m");
  std::vector<PackedFile> all;
  for (const Model& packed :
       {layer_of(binary()), layer_of(tiled(2)), layer_of(uniform(3)),
        layer_of(TiledWeights{.p = 3, .order = TileOrder::kInterleave}),
        layer_of(TiledWeights{.p = 2, .alpha = AlphaScope::kOutput}), halves, with_units()}) {
    all.push_back(file_of(packed));
  }
  return all;
}

bool is_of_form(std::string_view feature) { return feature == "compact" || feature == "generated"; }

void parse(const PackedFile& file) { Network::parse(serialize_packed(file), "m.tbn"); }

std::string refusal(const PackedFile& file) {
  return test::message_of<DataError>([&] { parse(file); });
}

}  // namespace

TEST_CASE("a file that does not name a feature of its contents is refused") {
  std::vector<std::string> seen;
  for (const PackedFile& file : files()) {
    CHECK_NOTHROW(parse(file));
    for (const std::string& feature : file.features) {
      CAPTURE(feature);
      PackedFile silent = file;
      std::erase(silent.features, feature);
      CHECK(test::says(refusal(silent),
                       {"m.tbn: ", "the feature '" + feature + "'", "export it again"}));
      seen.push_back(feature);
    }
  }
  for (const std::string_view feature : kPackedFeatures) {
    CAPTURE(feature);
    CHECK((std::ranges::count(seen, feature) > 0 || is_of_form(feature)));
  }
}

TEST_CASE("a file may name more than it needs, but for what says how its numbers are taken") {
  for (const PackedFile& file : files()) {
    PackedFile more = file;
    const bool has_units = std::ranges::count(file.features, "units") > 0;
    for (const std::string_view feature : kPackedFeatures) {
      if (!is_of_form(feature) && feature != "units") more.features.emplace_back(feature);
    }
    CHECK_NOTHROW(parse(more));
    if (has_units) continue;
    more.features.emplace_back("units");
    CHECK(test::says(refusal(more), {"m.tbn: names the feature 'units', and its network has no"}));
  }
}

TEST_CASE("the numbers of a forecaster's units are refused in half precision") {
  const PackedFile sound = file_of(with_units());
  for (const std::string name : {"output_units.scale", "output_units.bias"}) {
    PackedFile file = sound;
    file.tensors.at(name) = narrowed(file.tensors.at(name));
    file.features.emplace_back("f16");
    CHECK(refusal(file) ==
          "m.tbn: tensor '" + name + "' is F16; the numbers of a forecaster's units are F32");
  }
  // What is no unit may be half.
  PackedFile file = sound;
  file.tensors.at("linear1.bias") = narrowed(file.tensors.at("linear1.bias"));
  file.features.emplace_back("f16");
  CHECK_NOTHROW(parse(file));
}
