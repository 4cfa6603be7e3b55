// Writes the file into memory and sums up its pieces by what they are for.
#include "export/packed_size.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "export/packed_model.h"
#include "file/compact.h"
#include "file/json.h"
#include "graph/passes/half_scalars.h"
#include "graph/passes/passes.h"
#include "tbn/error.h"

namespace tbn {
namespace {

std::int64_t bytes_of(const HostTensor& tensor) { return std::ssize(tensor.bytes()); }

std::int64_t& part_of(PackedSize& size, TensorRole role) {
  switch (role) {
    case TensorRole::kTile:
      return size.tiles;
    case TensorRole::kLevels:
      return size.levels;
    case TensorRole::kAlpha:
    case TensorRole::kScale:
      return size.scalars;
    case TensorRole::kBias:
    case TensorRole::kNormWeight:
    case TensorRole::kNormBias:
    case TensorRole::kRunningMean:
    case TensorRole::kRunningVar:
      return size.norms;
    case TensorRole::kWeight:
    case TensorRole::kLatent:
    case TensorRole::kAlphaLatent:
    case TensorRole::kEmbedding:
      return size.floats;
  }
  TBN_CHECK(false, "not a role");
}

// Every tensor that the graph needs in training. Ones, because no pass refuses them.
Model any_model(Graph graph) {
  Model model{.graph = std::move(graph), .tensors = {}};
  for (const Node& node : model.graph.nodes) {
    for (const TensorSpec& spec : training_tensors(model.graph, node)) {
      HostTensor tensor(spec.dtype, spec.shape);
      std::ranges::fill(tensor.values<float>(), 1.0f);
      model.tensors.emplace(spec.name, std::move(tensor));
    }
  }
  return model;
}

}  // namespace

PackedSize packed_size(const PackedFile& file) {
  const std::vector<std::byte> written = serialize_packed(file);
  PackedSize size{.file = std::ssize(written)};
  const Graph graph = graph_from_json(file.graph_json, "the packed graph");
  for (const Node& node : graph.nodes) {
    for (const TensorSpec& spec : packed_tensors(graph, node)) {
      part_of(size, spec.role) += bytes_of(file.tensors.at(spec.name));
    }
  }
  for (const auto& [name, tensor] : file.prepared) size.prepared += bytes_of(tensor);
  if (file.test_vectors) {
    size.test_vectors = bytes_of(file.test_vectors->input) + bytes_of(file.test_vectors->output);
  }
  const std::int64_t data = size.tiles + size.levels + size.scalars + size.norms + size.floats +
                            size.prepared + size.test_vectors;
  const std::int64_t head = size.file - data;
  for (std::int64_t at = head;
       at > 0 && written[static_cast<std::size_t>(at - 1)] == std::byte{' '}; --at) {
    ++size.padding;
  }
  std::string text = parse_json(file.graph_json, "the packed graph").canonical();
  if (is_compact(file)) text = with_quotes_swapped(std::move(text));
  size.graph = std::ssize(Json(std::move(text)).compact());
  size.header = head - size.padding - size.graph;
  return size;
}

PackedFile future_file(const Graph& training_graph, std::map<std::string, std::string> metadata,
                       std::int64_t test_vectors, const std::optional<Units>& units,
                       DType scalars) {
  Model packed = pack_model(any_model(training_graph));
  if (units) add_units(packed, *units, "the packed file");
  if (scalars == DType::kF16) narrow_scalars(packed, "the packed file");
  PackedFile file = make_packed_file(packed, std::move(metadata), {});
  if (test_vectors > 0) {
    Shape outputs = packed.graph.output_shape();
    outputs.insert(outputs.begin(), test_vectors);
    file.test_vectors = TestVectors{.input = example_inputs(packed, test_vectors),
                                    .output = HostTensor(DType::kF32, std::move(outputs)),
                                    .generator = {}};
  }
  make_compact(file, "the packed file");
  return file;
}

}  // namespace tbn
