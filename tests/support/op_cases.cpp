// The table: odd shapes of every op.
#include "support/op_cases.h"

#include "support/random_model.h"

namespace tbn::test {

namespace {

using Values = std::vector<Value>;

// What the op reads, made of the graph's input.
Values and_relu(Value x) { return {x, x.relu()}; }
Values twice(Value x) { return {x, x}; }
Values and_transposed(Value x) { return {x, x.activation(ActivationKind::kTanh).transpose()}; }
Values three(Value x) { return {x, x.activation(ActivationKind::kTanh), x.relu()}; }
Values part_and_all(Value x) { return {x.slice(1, 1, 2), x, x.slice(1, 0, 1)}; }

WeightEncoding layer_alpha(std::int64_t p) {
  return TiledWeights{.p = p, .alpha = AlphaScope::kLayer};
}

std::vector<OpCase> conv_cases() {
  const auto relu = ActivationKind::kRelu;
  return {
      {"float 3x3", {3, 7, 5}, Conv2d{.out_channels = 4, .kernel = 3}},
      {"float 1x1", {3, 7, 5}, Conv2d{.out_channels = 4, .bias = true}},
      {"uneven kernel, stride and padding",
       {2, 11, 8},
       Conv2d{.out_channels = 3, .kernel = {3, 2}, .stride = {2, 3}, .padding = {2, 0}}},
      {"stride 2 over an even width",
       {2, 8, 8},
       Conv2d{.out_channels = 3, .kernel = 3, .stride = 2}},
      {"stride larger than the kernel",
       {2, 9, 9},
       Conv2d{.out_channels = 3, .kernel = 1, .stride = 3}},
      {"padding larger than the kernel",
       {1, 2, 2},
       Conv2d{.out_channels = 2, .kernel = 2, .padding = 3}},
      {"kernel as large as the map",
       {4, 5, 6},
       Conv2d{.out_channels = 2, .kernel = {5, 6}, .padding = 0}},
      {"one pixel", {5, 1, 1}, Conv2d{.out_channels = 3, .kernel = 3}},
      {"more rows than a block",
       {1, 70, 65},
       Conv2d{.out_channels = 2, .kernel = 5, .scale = true}},
      {"groups", {6, 5, 5}, Conv2d{.out_channels = 4, .kernel = 3, .groups = 2, .bias = true}},
      {"depthwise", {6, 5, 5}, Conv2d{.out_channels = 6, .kernel = 3, .groups = 6}},
      {"integers of 8 bits",
       {3, 6, 6},
       Conv2d{.out_channels = 5, .kernel = 3, .weights = uniform(8)}},
      {"integers, groups, folded norm",
       {6, 6, 6},
       Conv2d{.out_channels = 6,
              .kernel = 3,
              .groups = 2,
              .bias = true,
              .weights = uniform(5),
              .scale = true}},
      {"binary", {3, 6, 6}, Conv2d{.out_channels = 5, .kernel = 3, .weights = binary()}},
      {"rows, p = 4, 27 bits per row",
       {3, 6, 6},
       Conv2d{.out_channels = 8, .kernel = 3, .weights = tiled(4)}},
      {"rows, one row", {3, 6, 6}, Conv2d{.out_channels = 8, .kernel = 3, .weights = tiled(8)}},
      {"rows, alpha of the layer",
       {3, 6, 6},
       Conv2d{.out_channels = 8, .kernel = 3, .bias = true, .weights = layer_alpha(4)}},
      {"rows, folded norm and activation",
       {7, 6, 6},
       Conv2d{.out_channels = 6,
              .kernel = 3,
              .stride = 2,
              .bias = true,
              .weights = tiled(3),
              .scale = true,
              .activation = relu}},
      {"rows and groups: not to be reused",
       {6, 6, 6},
       Conv2d{.out_channels = 6, .kernel = 3, .groups = 3, .weights = tiled(2)}},
      {"rows and groups with a folded norm",
       {6, 6, 6},
       Conv2d{.out_channels = 6,
              .kernel = 3,
              .groups = 2,
              .bias = true,
              .weights = tiled(3),
              .scale = true}},
      {"binary groups",
       {6, 6, 6},
       Conv2d{.out_channels = 6, .kernel = 3, .groups = 2, .weights = binary()}},
      {"integers, stride 2, folded norm",
       {7, 6, 6},
       Conv2d{.out_channels = 6,
              .kernel = 3,
              .stride = 2,
              .bias = true,
              .weights = uniform(5),
              .scale = true,
              .activation = relu}},
      {"integers, depthwise",
       {6, 5, 5},
       Conv2d{.out_channels = 6, .kernel = 3, .groups = 6, .bias = true, .weights = uniform(6)}},
      {"flat, 30 bits", {4, 6, 6}, Conv2d{.out_channels = 10, .kernel = 3, .weights = tiled(12)}},
      {"flat with a folded norm",
       {4, 6, 6},
       Conv2d{.out_channels = 10, .kernel = 3, .bias = true, .weights = tiled(8), .scale = true}},
      {"flat, alpha of the layer, groups",
       {4, 6, 6},
       Conv2d{.out_channels = 10, .kernel = 3, .groups = 2, .weights = layer_alpha(4)}},
  };
}

std::vector<OpCase> linear_cases() {
  return {
      {"float", {13}, Linear{.out_features = 7}},
      {"float without bias", {13}, Linear{.out_features = 7, .bias = false}},
      {"over a sequence", {3, 13}, Linear{.out_features = 6, .weights = tiled(3)}},
      {"binary, 65 bits per row", {65}, Linear{.out_features = 9, .weights = binary()}},
      {"rows, 33 bits", {33}, Linear{.out_features = 8, .bias = false, .weights = tiled(4)}},
      {"rows with a folded norm",
       {33},
       Linear{.out_features = 8,
              .weights = tiled(4),
              .scale = true,
              .activation = ActivationKind::kGelu}},
      {"flat, 63 bits", {21}, Linear{.out_features = 9, .weights = layer_alpha(3 * 7)}},
      {"flat, 35 bits", {21}, Linear{.out_features = 10, .weights = tiled(6), .scale = true}},
      {"integers of 2 bits", {33}, Linear{.out_features = 8, .weights = uniform(2)}},
      {"integers over a sequence",
       {3, 13},
       Linear{.out_features = 6,
              .weights = uniform(7),
              .scale = true,
              .activation = ActivationKind::kGelu}},
      {"one output", {5}, Linear{.out_features = 1}},
      {"integers, 63 bits per row", {21}, Linear{.out_features = 9, .weights = uniform(3)}},
  };
}

std::vector<OpCase> other_cases() {
  std::vector<OpCase> cases = {
      {"", {3, 4}, Input{{3, 4}}},
      {"", {2, 3, 3}, Normalize{.mean = {0.5f, -1}, .std = {2, 0.25f}}},
      {"of a sequence", {3, 2}, Normalize{.mean = {0.5f, -1}, .std = {2, 0.25f}}},
      {"of a map", {3, 4, 5}, Affine{}},
      {"of a vector", {7}, Affine{.activation = ActivationKind::kSilu}},
      {"of a sequence", {3, 5}, Affine{.activation = ActivationKind::kRelu}},
      {"", {3, 4, 5}, Add{}, and_relu},
      {"and relu", {11}, Add{.activation = ActivationKind::kRelu}, and_relu},
      {"", {3, 5}, Subtract{}, and_relu},
      {"", {3, 4, 5}, Multiply{}, and_relu},
      {"of one value with itself", {7}, Multiply{}, twice},
      {"2", {2, 5, 6}, MaxPool2d{}},
      {"3, stride 2, padding 1", {2, 8, 7}, MaxPool2d{.kernel = 3, .stride = 2, .padding = 1}},
      {"uneven", {2, 9, 7}, MaxPool2d{.kernel = {2, 4}, .stride = {3, 1}, .padding = {1, 2}}},
      {"2", {2, 5, 6}, AvgPool2d{}},
      {"uneven", {2, 9, 7}, AvgPool2d{.kernel = {2, 4}, .stride = {3, 1}}},
      {"", {5, 3, 7}, GlobalAvgPool{}},
      {"", {3, 2, 2}, Flatten{}},
  };
  for (const auto kind : {ActivationKind::kNone, ActivationKind::kRelu, ActivationKind::kGelu,
                          ActivationKind::kSilu, ActivationKind::kTanh, ActivationKind::kSigmoid}) {
    cases.push_back({std::string(to_string(kind)), {3, 5}, Activation{kind}});
  }
  return cases;
}

std::vector<OpCase> shaping_cases() {
  return {
      {"", {2, 3, 4}, Pad2d{.top = 1, .bottom = 2, .left = 3}},
      {"to the right", {1, 1, 1}, Pad2d{.right = 5}},
      {"", {2, 3, 5}, Reshape{{6, 5}}},
      {"", {3, 5}, Transpose{}},
      {"of several matrices", {2, 3, 5}, Transpose{}},
      {"the first dimension", {3, 5}, Concat{}, and_relu},
      {"uneven parts of the second", {3, 5}, Concat{.axis = 1}, part_and_all},
      {"between others", {2, 3, 5}, Concat{.axis = 1}, part_and_all},
      {"one value twice", {2, 3}, Concat{.axis = 1}, twice},
      {"rows", {5, 3}, Slice{.begin = 1, .length = 3}},
      {"the end of the middle", {2, 5, 3}, Slice{.axis = 1, .begin = 3, .length = 2}},
      {"one column", {4, 7}, Slice{.axis = 1, .begin = 6}},
      {"", {5}, Expand{.count = 3}},
  };
}

std::vector<OpCase> sequence_cases() {
  return {
      {"of a vector", {13}, LayerNorm{}},
      {"of a sequence", {5, 7}, LayerNorm{.eps = 0.125}},
      {"of an image's rows", {2, 3, 5}, LayerNorm{}},
      {"", {3, 5}, ClassToken{}},
      {"learned", {3, 5}, PositionEmbedding{}},
      {"sinusoidal", {7, 5}, PositionEmbedding{PositionKind::kSinusoidal}},
      {"", {5, 7}, MatMul{}, and_transposed},
      {"", {5, 5}, AddIdentity{}},
      {"mean", {7, 5}, SequencePool{}},
      {"maximum", {7, 5}, SequencePool{PoolKind::kMax}},
      {"of one token", {1, 5}, SequencePool{}},
      {"5", {9, 3}, MovingAverage{.kernel = 5}},
      {"1", {4, 3}, MovingAverage{.kernel = 1}},
      {"longer than the sequence", {4, 3}, MovingAverage{.kernel = 25}},
  };
}

std::vector<OpCase> attention_cases() {
  const auto windows = [](std::int64_t shift, bool bias) {
    return Attention{
        .heads = 3, .grid = {6, 4}, .window = 2, .shift = shift, .relative_bias = bias};
  };
  return {
      {"one head, one input", {5, 21}, Attention{}},
      {"three heads, one input", {7, 27}, Attention{.heads = 3}},
      {"three heads, three inputs", {7, 15}, Attention{.heads = 3}, three},
      {"heads of one feature", {5, 4}, Attention{.heads = 4}, three},
      {"one token", {1, 6}, Attention{.heads = 2}},
      {"windows", {24, 27}, windows(0, false)},
      {"windows with a bias", {24, 27}, windows(0, true)},
      {"shifted windows", {24, 27}, windows(1, false)},
      {"shifted windows with a bias", {24, 27}, windows(1, true)},
      {"shifted windows of three inputs", {24, 9}, windows(1, true), three},
      {"windows of 3 shifted by 2",
       {54, 12},
       Attention{.heads = 2, .grid = {6, 9}, .window = 3, .shift = 2, .relative_bias = true}},
      {"one window, shifted",
       {9, 6},
       Attention{.heads = 2, .grid = 3, .window = 3, .shift = 1, .relative_bias = true}},
  };
}

}  // namespace

std::vector<OpCase> op_cases() {
  std::vector<OpCase> all = conv_cases();
  for (const auto& cases :
       {linear_cases(), other_cases(), shaping_cases(), sequence_cases(), attention_cases()}) {
    all.insert(all.end(), cases.begin(), cases.end());
  }
  return all;
}

Model packed_case(const OpCase& c) {
  GraphBuilder b("case");
  if (std::holds_alternative<Input>(c.op))
    return {.graph = b.finish(b.input(c.input)), .tensors = {}};
  return random_packed(b.finish(b.add(c.op, c.inputs(b.input(c.input)))), 17);
}

}  // namespace tbn::test
