// The size of a packed file before its training, against the file that a trained network becomes.
#include "export/packed_size.h"

#include <filesystem>

#include "export/packed_model.h"
#include "graph/passes/half_scalars.h"
#include "graph/passes/passes.h"
#include "support/catch.h"
#include "support/random_model.h"
#include "support/temp_dir.h"
#include "support/zoo_cases.h"
#include "tbn/models.h"
#include "tbn/policy.h"

using namespace tbn;

namespace {

// Every form that weights are stored in.
std::vector<WeightPolicy> policies() {
  std::vector<WeightPolicy> all;
  for (const WeightEncoding& standard :
       {WeightEncoding(FloatWeights{}), WeightEncoding(TiledWeights{.p = 1}),
        WeightEncoding(TiledWeights{.p = 4}),
        WeightEncoding(TiledWeights{.p = 2, .alpha = AlphaScope::kLayer}),
        WeightEncoding(TiledWeights{.p = 2, .alpha = AlphaScope::kOutput}),
        WeightEncoding(TiledWeights{
            .p = 2, .alpha_from = AlphaSource::kWeight, .latent = LatentForm::kFull})}) {
    all.push_back({.standard = standard});
  }
  return all;
}

std::int64_t sum_of_parts(const PackedSize& s) {
  return s.tiles + s.scalars + s.norms + s.floats + s.graph + s.header + s.test_vectors +
         s.prepared + s.padding;
}

const std::map<std::string, std::string> kMetadata = {{"tbn.producer", "a test"},
                                                      {"tbn.accuracy", "91.23"}};

}  // namespace

TEST_CASE("the size that is promised is that of the exported file, over the zoo and every form") {
  const test::TempDir folder;
  std::uint64_t seed = 1;
  for (const ModelSpec& spec : test::zoo_cases()) {
    for (const WeightPolicy& policy : policies()) {
      Graph graph = build_model(spec);
      apply_policy(graph, policy);
      CAPTURE(spec.type, seed);
      Model packed = pack_model(test::random_trained(graph, ++seed));
      for (const DType scalars : {DType::kF32, DType::kF16}) {
        const PackedFile future = future_file(graph, kMetadata, 2, {}, scalars);
        const PackedSize promised = packed_size(future);
        if (scalars == DType::kF16) narrow_scalars(packed, "m");
        PackedFile file = make_packed_file(packed, kMetadata, {});
        make_compact(file, "m");
        file.test_vectors = future.test_vectors;
        write_packed(folder / "m.tbn", file);
        CHECK(promised == packed_size(file));
        CHECK(promised.file ==
              static_cast<std::int64_t>(std::filesystem::file_size(folder / "m.tbn")));
        CHECK(promised.file == sum_of_parts(promised));
      }
    }
  }
}

TEST_CASE("the parts of a file are what its tensors and its header take") {
  GraphBuilder b("net");
  const Value x = b.input({16}).linear(8, {.weights = tiled(4)}).named("a").batch_norm();
  const Graph graph = b.finish(x.relu().linear(3).named("b"));
  const PackedSize size = packed_size(future_file(graph, {}, 1));
  CHECK(size.tiles == 2 * 16 / 8);
  CHECK(size.scalars == 8 * 4);      // of the norm, one per output, with the tile's in them
  CHECK(size.norms == (8 + 3) * 4);  // biases
  CHECK(size.floats == 3 * 8 * 4);
  CHECK(size.test_vectors == 3 * 4);  // a generator makes the inputs
  CHECK(size.prepared == 0);
  CHECK(size.padding < 64);
  CHECK((size.graph + size.header + size.padding) % 64 == 0);
  CHECK(packed_size(future_file(graph, {}, 0)).test_vectors == 0);
  const PackedSize half = packed_size(future_file(graph, {}, 1, {}, DType::kF16));
  CHECK(half.scalars == 8 * 2);
  CHECK(half.norms == (8 + 3) * 2);
  CHECK(half.tiles == size.tiles);
  CHECK(half.floats == size.floats);
}
