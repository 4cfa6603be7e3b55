// What rooms say of their encodings, over the table of all.
#include <algorithm>
#include <set>

#include "encodings/encoding.h"
#include "export/packed_model.h"
#include "graph/node_rows.h"
#include "graph/passes/passes.h"
#include "support/catch.h"
#include "support/encoding_cases.h"
#include "support/errors.h"
#include "support/naive_eval.h"
#include "support/random_model.h"
#include "tbn/error.h"

using namespace tbn;
using tbn::test::encoding_cases;
using tbn::test::EncodingCase;

namespace {

// Of the first layer of layers_of(), 12 x 15.
LayerDims linear_dims() {
  return {.outputs = 12, .inputs = 15, .weight = {12, 15}, .where = "linear 'fc'"};
}

const Node& layer_node(const Graph& graph) {
  return *std::ranges::find_if(graph.nodes,
                               [](const Node& node) { return weights_of(node.op) != nullptr; });
}

std::string line_of(const Graph& graph) {
  const std::string text = to_text(graph);
  const std::string key = "weights=";
  const std::size_t begin = text.find(key) + key.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

// Bytes of the layer's weights and scalars in the file.
std::int64_t stored_bytes(const Model& packed) {
  const Node& node = layer_node(packed.graph);
  const WeightEncoding& encoding = *weights_of(node.op);
  std::int64_t bytes = 0;
  for (const TensorSpec& spec :
       encoding_of(encoding).packed_tensors(encoding, dims_of(packed.graph, node), false)) {
    bytes += std::ssize(packed.tensors.at(node.name + "." + spec.name).bytes());
  }
  return bytes;
}

}  // namespace

TEST_CASE("the table has a row for every encoding, and each field at two values") {
  std::set<std::size_t> kinds;
  std::set<std::pair<std::string_view, FieldValue>> values;
  for (const EncodingCase& c : encoding_cases()) {
    kinds.insert(c.weights.index());
    for (const Field& field : encoding_of(c.weights).fields()) {
      values.insert({field.key, field.get(c.weights)});
    }
  }
  CHECK(kinds.size() == std::variant_size_v<WeightEncoding>);
  for (const Encoding* room : encodings()) {
    for (const Field& field : room->fields()) {
      CAPTURE(field.key);
      CHECK(std::ranges::count(values, field.key, [](const auto& v) { return v.first; }) >= 2);
    }
  }
}

TEST_CASE("an encoding costs what it takes in the file, and what papers count") {
  for (const EncodingCase& c : encoding_cases()) {
    CAPTURE(c.text);
    const EncodingCost cost = encoding_of(c.weights).cost(c.weights, linear_dims());
    CHECK(cost.bits == c.bits);
    CHECK(cost.bytes == c.bytes);
    CHECK(cost.sums == c.sums);
    const Model packed = pack_model(test::random_trained(test::layers_of(c.weights)[0], 1));
    CHECK(stored_bytes(packed) == c.bytes);
    CHECK(summarize(packed.graph).layers[0].bytes == c.bytes);
    CHECK(summarize(packed.graph).layers[0].macs == 15 * c.sums);
  }
}

TEST_CASE("an encoding has a name in text and JSON, and JSON gives it back") {
  for (const EncodingCase& c : encoding_cases()) {
    CAPTURE(c.text);
    GraphBuilder b("net");
    const Graph graph = b.finish(b.input({18}).linear(9, {.weights = c.weights}));
    const std::string json = to_json(graph);
    const bool is_default = c.weights == Linear{}.weights;  // which is left out
    CHECK((line_of(graph) == c.text || is_default));
    CHECK((json.find("\"weights\":" + c.json) != std::string::npos || is_default));
    CHECK(*weights_of(graph_from_json(json, "file").node(1).op) == c.weights);
  }
}

TEST_CASE("an encoding's packed weights are those that it trained with") {
  for (const EncodingCase& c : encoding_cases()) {
    for (const Graph& graph : test::layers_of(c.weights)) {
      CAPTURE(c.text, to_text(graph));
      const Model trained = test::random_trained(graph, 7);
      const Model packed = pack_model(trained);
      const std::vector<float> input =
          test::random_values(element_count(graph.input_shape()), 3, -2, 2);
      CHECK(test::relative_error(test::naive_eval(packed, input),
                                 test::naive_eval(trained, input)) < 1e-6);
    }
  }
}

TEST_CASE("a packed file names the features of its encodings, which readers know") {
  for (const EncodingCase& c : encoding_cases()) {
    for (const Graph& graph : test::layers_of(c.weights)) {
      CAPTURE(c.text);
      const Model packed = pack_model(test::random_trained(graph, 5));
      const PackedFile file = make_packed_file(packed, {});
      CHECK(file.features == c.features);
      for (const std::string& feature : file.features) {
        CHECK(std::ranges::find(kPackedFeatures, feature) != std::end(kPackedFeatures));
      }
      const auto back = Network::parse(serialize_packed(file), "file");
      CHECK(back->graph() == packed.graph);
      CHECK(back->tensors() == packed.tensors);
    }
  }
}

TEST_CASE("how an encoding was trained is forgotten in the file") {
  for (const EncodingCase& c : encoding_cases()) {
    CAPTURE(c.text);
    const Model packed = pack_model(test::random_trained(test::layers_of(c.weights)[1], 5));
    const WeightEncoding& encoding = *weights_of(layer_node(packed.graph).op);
    CHECK(encoding.index() == c.weights.index());
    for (const Field& field : encoding_of(encoding).fields()) {
      const bool trains_only = field.key == "alpha_from" || field.key == "latent";
      const WeightEncoding& wanted = trains_only ? encoding_of(encoding).standard() : c.weights;
      CHECK(field.get(encoding) == field.get(wanted));
    }
  }
}

TEST_CASE("there is a room for every encoding") {
  CHECK(encodings().size() == std::variant_size_v<WeightEncoding>);
  std::set<std::string_view> words;
  for (const Encoding* room : encodings()) {
    CHECK(&encoding_of(room->standard()) == room);
    CHECK(find_encoding(room->word()) == room);
    for (const std::string_view word : room->words()) {
      CHECK(&encoding_named(word) == room);
      CHECK(words.insert(word).second);
    }
  }
  CHECK(find_encoding("binary") == nullptr);  // JSON says tiled
  CHECK(to_string(WeightEncoding(FloatWeights{})) == "float");
  CHECK(to_string(binary()) == "binary");
  CHECK(to_string(tiled(4)) == "tiled(p=4)");
  CHECK(to_string(uniform(6)) == "uniform(bits=6)");
}
