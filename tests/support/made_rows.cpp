// Draws rows and gains, and adds their terms up in double.
#include "support/made_rows.h"

#include <algorithm>
#include <cmath>
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
  if (const auto* signs = std::get_if<SignRows>(&rows.values)) {
    std::vector<double> values;
    for (std::int64_t i = 0; i < rows.rows() * rows.inputs; ++i) {
      const std::int64_t row = i / rows.inputs, k = i % rows.inputs;
      const int byte = signs->bits[static_cast<std::size_t>(row * signs->row_bytes + k / 8)];
      values.push_back((byte >> (k % 8)) % 2 == 1 ? 1 : -1);
    }
    return values;
  }
  if (const auto* integers = std::get_if<IntegerRows>(&rows.values)) {
    return {integers->values.begin(), integers->values.end()};
  }
  const auto& floats = std::get<FloatRows>(rows.values).values;
  return {floats.begin(), floats.end()};
}

// W [n, m], by the formula: copy i of row r goes to output r * row_step + i * copy_step.
std::vector<float> whole_weight(const LayerRows& rows) {
  const std::vector<double> values = values_of(rows);
  std::vector<double> sum(static_cast<std::size_t>(rows.outputs * rows.inputs), 0.0);
  for (const Term& term : rows.terms) {
    for (std::int64_t at = 0; at < rows.outputs; ++at) {
      const std::int64_t r = at % term.rows, i = at / term.rows;
      const std::int64_t c = r * term.row_step + i * term.copy_step;
      const std::int64_t which = term.gain.of == ScalarsOf::kLayer    ? 0
                                 : term.gain.of == ScalarsOf::kCopies ? i
                                                                      : c;
      for (std::int64_t k = 0; k < rows.inputs; ++k) {
        sum[static_cast<std::size_t>(c * rows.inputs + k)] +=
            double{term.gain.values[static_cast<std::size_t>(which)]} *
            values[static_cast<std::size_t>((term.first_row + r) * rows.inputs + k)];
      }
    }
  }
  return {sum.begin(), sum.end()};
}

enum class Order { kRepeat, kInterleave };

Term term_of(std::int64_t outputs, std::int64_t first_row, std::int64_t copies, Order order,
             ScalarsOf scalars, std::uint64_t seed) {
  const std::int64_t rows = outputs / copies;
  const bool interleaved = order == Order::kInterleave;
  const std::int64_t count = scalars == ScalarsOf::kLayer    ? 1
                             : scalars == ScalarsOf::kCopies ? copies
                                                             : outputs;
  return {.first_row = first_row,
          .rows = rows,
          .row_step = interleaved ? copies : 1,
          .copy_step = interleaved ? 1 : rows,
          .gain = {.of = scalars, .values = random_values(count, seed, -0.1, 0.1)}};
}

// Random values for all rows of the terms.
void draw_integers(LayerRows& rows, int bits, std::uint64_t seed) {
  const auto values = std::make_shared<std::vector<std::int8_t>>();
  const std::int64_t most = std::int64_t{1} << (bits - 1);
  // As often each; the upper end itself is what encodings of so many bits leave out.
  for (const float v : random_values(rows.rows() * rows.inputs, seed, 0, std::ldexp(1.0, bits))) {
    values->push_back(static_cast<std::int8_t>(static_cast<std::int64_t>(v) - most));
  }
  rows.values = IntegerRows{*values, bits};
  rows.keep = values;
}
void draw_floats(LayerRows& rows, std::uint64_t seed) {
  const auto values =
      std::make_shared<std::vector<float>>(random_values(rows.rows() * rows.inputs, seed));
  rows.values = FloatRows{*values};
  rows.keep = values;
}
void draw_signs(LayerRows& rows, std::uint64_t seed) {
  const std::int64_t row_bytes = (rows.inputs + 7) / 8;
  const auto bits = std::make_shared<std::vector<std::uint8_t>>();
  for (const float v : random_values(rows.rows() * row_bytes, seed, 0, 256)) {
    bits->push_back(static_cast<std::uint8_t>(v));
  }
  rows.values = SignRows{*bits, row_bytes};
  rows.keep = bits;
}

std::int64_t least_factor(std::int64_t n) {
  std::int64_t p = 2;
  while (n % p != 0) ++p;
  return p;
}

// A place's network, and cases of it.
class Cases {
 public:
  explicit Cases(const Place& place)
      : what_(place.what), model_(random_packed(graph_of(place), 7)) {
    dims_ = dims_of(model_.graph,
                    *std::ranges::find(model_.graph.nodes, std::string("layer"), &Node::name));
  }

  std::int64_t outputs() const { return dims_.outputs; }
  LayerRows rows(std::vector<Term> terms) const {
    return {.outputs = dims_.outputs,
            .inputs = dims_.inputs,
            .groups = dims_.groups,
            .values = {},
            .terms = std::move(terms)};
  }
  MadeRows make(const std::string& what, LayerRows rows) const {
    MadeRows made = {.what = what_ + ", " + what, .model = model_, .rows = std::move(rows)};
    made.model.tensors.at("layer.weight") =
        HostTensor::of<float>(dims_.weight, whole_weight(made.rows));
    return made;
  }

 private:
  std::string what_;
  Model model_;
  LayerDims dims_;
};

constexpr ScalarsOf kScalars[] = {ScalarsOf::kLayer, ScalarsOf::kCopies, ScalarsOf::kOutputs};

}  // namespace

RowsOf MadeRows::rows_of() const {
  return [this](const Graph& graph, const TensorMap& tensors, const Node& node) {
    return node.name == "layer" ? rows : layer_rows(graph, tensors, node);
  };
}

std::vector<MadeRows> made_integers() {
  std::vector<MadeRows> all;
  for (const Place& place : places()) {
    const Cases cases(place);
    for (const std::int64_t copies : {std::int64_t{1}, least_factor(cases.outputs())}) {
      for (const Order order : {Order::kRepeat, Order::kInterleave}) {
        for (const ScalarsOf scalars : kScalars) {
          const std::uint64_t seed = all.size() + 1;
          const int bits = 2 + static_cast<int>(seed % 7);
          LayerRows rows = cases.rows({term_of(cases.outputs(), 0, copies, order, scalars, seed)});
          draw_integers(rows, bits, seed);
          all.push_back(cases.make(std::to_string(bits) + " bits, " + std::to_string(copies) +
                                       (order == Order::kInterleave ? " beside" : " apart"),
                                   std::move(rows)));
        }
      }
    }
  }
  return all;
}

std::vector<MadeRows> made_terms() {
  std::vector<MadeRows> all;
  for (const Place& place : places()) {
    const Cases cases(place);
    const std::int64_t n = cases.outputs(), p = least_factor(n);
    for (const ScalarsOf scalars : kScalars) {
      std::uint64_t seed = all.size() * 10;
      const auto term = [&](std::int64_t first, std::int64_t copies, Order order) {
        return term_of(n, first, copies, order, scalars, ++seed);
      };
      // Two planes and an offset: ternary weights.
      LayerRows planes = cases.rows(
          {term(0, 1, Order::kRepeat), term(n, 1, Order::kRepeat), term(2 * n, n, Order::kRepeat)});
      draw_signs(planes, ++seed);
      all.push_back(cases.make("two planes and a row", planes));
      LayerRows tiles =
          cases.rows({term(0, p, Order::kInterleave), term(n / p, n, Order::kRepeat)});
      draw_signs(tiles, ++seed);
      all.push_back(cases.make("two tiles", tiles));
      LayerRows twice = cases.rows({term(0, p, Order::kRepeat), term(0, p, Order::kInterleave)});
      draw_integers(twice, 8, ++seed);
      all.push_back(cases.make("the same rows twice", twice));
      LayerRows rest = cases.rows({term(n / p, 1, Order::kRepeat), term(0, p, Order::kInterleave)});
      draw_floats(rest, ++seed);
      all.push_back(cases.make("rows and a rest", rest));
    }
  }
  return all;
}

}  // namespace tbn::test
