// Draws rows and gains, and adds their terms up in double.
#include "support/made_rows.h"

#include <memory>

#include "support/random_model.h"

namespace tbn::test {
namespace {

// Where the layer stands: what it reads, the layer itself, and whether a value of the layer's shape
// that nobody reads afterwards is added to its outputs.
struct Place {
  std::string what;
  Shape input;
  Op op;
  bool residual = false;
};

std::vector<Place> places() {
  return {
      {"vector", {37}, Linear{.out_features = 21}},
      {"vector of one value", {1}, Linear{.out_features = 4}},
      {"sequence", {7, 31}, Linear{.out_features = 36, .activation = ActivationKind::kGelu}},
      {"long sequence", {70, 20}, Linear{.out_features = 264, .bias = false}},
      {"maps", {5, 9, 7}, Conv2d{.out_channels = 64, .kernel = 3}},
      {"stem", {3, 17, 15}, Conv2d{.out_channels = 33, .kernel = 5, .stride = 2, .bias = true}},
      {"uneven maps",
       {6, 11, 8},
       Conv2d{.out_channels = 12,
              .kernel = {3, 2},
              .stride = {2, 3},
              .padding = {2, 0},
              .bias = true,
              .activation = ActivationKind::kSilu}},
      {"padding larger than the map",
       {3, 2, 2},
       Conv2d{.out_channels = 4, .kernel = 2, .padding = 3}},
      {"bands", {70, 40, 33}, Conv2d{.out_channels = 8, .kernel = 3}},
      {"pixels", {14, 5, 3}, Conv2d{.out_channels = 10}},
      {"one pixel", {5, 1, 1}, Conv2d{.out_channels = 6, .kernel = 3}},
      {"groups", {12, 5, 6}, Conv2d{.out_channels = 8, .kernel = 3, .groups = 4, .bias = true}},
      {"depthwise", {22, 9, 8}, Conv2d{.out_channels = 22, .kernel = 5, .groups = 22}},
      {"depthwise, twice the channels",
       {6, 5, 4},
       Conv2d{.out_channels = 12, .kernel = 3, .groups = 6}},
      {"vector and residual", {34}, Linear{.out_features = 34}, true},
      {"maps and residual", {16, 9, 9}, Conv2d{.out_channels = 16, .kernel = 3}, true},
  };
}

Graph graph_of(const Place& place) {
  GraphBuilder b("made");
  const Value x = b.input(place.input);
  const Value residual = x.activation(ActivationKind::kTanh);
  const Value y = b.add(place.op, {x}).named("layer");
  return b.finish(place.residual ? (y + residual).relu() : y);
}

// The weights of the stored rows as numbers.
std::vector<double> values_of(const LayerRows& rows) {
  const auto& integers = std::get<IntegerRows>(rows.values).values;
  return {integers.begin(), integers.end()};
}

// W [n, m], by the formula: copy i of row r is output r * row_step + i * copy_step.
std::vector<float> whole_weight(const LayerRows& rows) {
  const std::vector<double> values = values_of(rows);
  std::vector<double> sum(static_cast<std::size_t>(rows.outputs * rows.inputs), 0.0);
  const Term& term = rows.term;
  for (std::int64_t r = 0; r < term.rows; ++r) {
    for (std::int64_t i = 0; i < rows.outputs / term.rows; ++i) {
      const std::int64_t c = r * term.row_step + i * term.copy_step;
      const std::int64_t which = term.gain.of == ScalarsOf::kLayer    ? 0
                                 : term.gain.of == ScalarsOf::kCopies ? i
                                                                      : c;
      for (std::int64_t k = 0; k < rows.inputs; ++k) {
        sum[static_cast<std::size_t>(c * rows.inputs + k)] +=
            double{term.gain.values[static_cast<std::size_t>(which)]} *
            values[static_cast<std::size_t>(r * rows.inputs + k)];
      }
    }
  }
  return {sum.begin(), sum.end()};
}

Term term_of(std::int64_t outputs, std::int64_t copies, bool interleaved, ScalarsOf scalars,
             std::uint64_t seed) {
  const std::int64_t rows = outputs / copies;
  const std::int64_t count = scalars == ScalarsOf::kLayer    ? 1
                             : scalars == ScalarsOf::kCopies ? copies
                                                             : outputs;
  return {.rows = rows,
          .row_step = interleaved ? copies : 1,
          .copy_step = interleaved ? 1 : rows,
          .gain = {.of = scalars, .values = random_values(count, seed, -0.1, 0.1)}};
}

IntegerRows random_integers(LayerRows& owner, std::int64_t rows, int bits, std::uint64_t seed) {
  const std::int64_t most = std::int64_t{1} << (bits - 1);
  const auto values = std::make_shared<std::vector<std::int8_t>>();
  const double range = static_cast<double>(most);
  for (const float v : random_values(rows * owner.inputs, seed, -range, range)) {
    values->push_back(static_cast<std::int8_t>(v < 0 ? v - 1 : v));  // both ends are reached
  }
  for (std::int8_t& v : *values) v = static_cast<std::int8_t>(std::max<std::int64_t>(v, -most));
  owner.keep = values;
  return {*values, bits};
}

std::int64_t least_factor(std::int64_t n) {
  std::int64_t p = 2;
  while (n % p != 0) ++p;
  return p;
}

}  // namespace

RowsOf MadeRows::rows_of() const {
  return [this](const Graph& graph, const TensorMap& tensors, const Node& node) {
    return node.name == "layer" ? rows : layer_rows(graph, tensors, node);
  };
}

std::vector<MadeRows> made_integers() {
  std::vector<MadeRows> all;
  for (const Place& place : places()) {
    const Model model = random_packed(graph_of(place), all.size() + 1);
    const LayerDims dims = dims_of(
        model.graph, *std::ranges::find(model.graph.nodes, std::string("layer"), &Node::name));
    for (const std::int64_t copies : {std::int64_t{1}, least_factor(dims.outputs)}) {
      for (const bool interleaved : {false, true}) {
        for (const ScalarsOf scalars :
             {ScalarsOf::kLayer, ScalarsOf::kCopies, ScalarsOf::kOutputs}) {
          const std::uint64_t seed = all.size() + 1;
          const int bits = 2 + static_cast<int>(seed % 7);
          MadeRows made = {
              .what = place.what + ", " + std::to_string(bits) + " bits, " +
                      std::to_string(copies) + (interleaved ? " beside" : ""),
              .model = model,
              .rows = {.outputs = dims.outputs,
                       .inputs = dims.inputs,
                       .groups = dims.groups,
                       .values = {},
                       .term = term_of(dims.outputs, copies, interleaved, scalars, seed)}};
          made.rows.values = random_integers(made.rows, dims.outputs / copies, bits, seed + 1000);
          made.model.tensors.at("layer.weight") =
              HostTensor::of<float>(dims.weight, whole_weight(made.rows));
          all.push_back(std::move(made));
        }
      }
    }
  }
  return all;
}

}  // namespace tbn::test
