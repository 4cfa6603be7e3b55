// The shape rules of the ops on shapes and sequences, and what they say where inputs do not fit.
#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"
#include "tbn/graph.h"

using namespace tbn;

namespace {

std::string message(const Op& op, const std::vector<Shape>& inputs) {
  return test::message_of<ConfigError>([&] { infer_shape(op, "n", inputs); });
}

Shape shape(const Op& op, const std::vector<Shape>& inputs) { return infer_shape(op, "n", inputs); }

}  // namespace

TEST_CASE("padding widens an image by its sides") {
  CHECK(shape(Pad2d{.top = 1, .bottom = 2, .left = 3, .right = 4}, {{5, 6, 7}}) == Shape{5, 9, 14});
  CHECK(message(Pad2d{}, {{5, 6}}) == "pad2d 'n': input must be [C, H, W], is [5, 6]");
  CHECK(message(Pad2d{.left = -1}, {{1, 2, 2}}) == "pad2d 'n': padding must be at least 0, is -1");
  CHECK(message(Pad2d{.top = 2147483647}, {{1, 2, 2}}) ==
        "pad2d 'n': its output [1, 2147483649, 2] has more than 2147483647 values");
}

TEST_CASE("norms keep any shape they act on") {
  for (const Shape& x : {Shape{7}, Shape{3, 7}, Shape{2, 3, 7}}) {
    CHECK(shape(LayerNorm{}, {x}) == x);
    CHECK(shape(BatchNorm{}, {x}) == x);
  }
  CHECK(message(LayerNorm{.eps = 0}, {{7}}) == "layer_norm 'n': eps must be above 0");
  CHECK(message(LayerNorm{}, {{7}, {7}}) == "layer_norm 'n': takes 1 input, has 2");
  CHECK(message(BatchNorm{}, {{1, 2, 3, 4}}) ==
        "batch_norm 'n': input must be [F], [T, F] or [C, H, W], is [1, 2, 3, 4]");
  CHECK(shape(Normalize{{1, 2}, {1, 2}}, {{9, 2}}) == Shape{9, 2});
  CHECK(message(Normalize{{1, 2}, {1, 2}}, {{2, 9}}) ==
        "normalize 'n': has 2 means and 2 standard deviations for 9 channels");
}

TEST_CASE("attention takes one stacked input or three equal ones") {
  CHECK(shape(Attention{.heads = 2}, {{5, 12}}) == Shape{5, 4});
  CHECK(shape(Attention{.heads = 4}, {{5, 12}, {5, 12}, {5, 12}}) == Shape{5, 12});
  CHECK(message(Attention{.heads = 0}, {{5, 12}}) ==
        "attention 'n': heads must be at least 1, is 0");
  CHECK(message(Attention{.heads = 3}, {{5, 12}}) ==
        "attention 'n': 4 features cannot be split into 3 equal heads");
  CHECK(message(Attention{}, {{5, 13}}) ==
        "attention 'n': one input holds queries, keys and values, but 3 does not divide its 13 "
        "features");
  CHECK(message(Attention{}, {{12}}) == "attention 'n': input must be [T, F], is [12]");
  CHECK(message(Attention{}, {{5, 4}, {5, 4}}) == "attention 'n': takes 3 inputs, has 2");
  CHECK(
      message(Attention{}, {{5, 4}, {6, 4}, {5, 4}}) ==
      "attention 'n': queries, keys and values must have one shape [T, F], are [5, 4], [6, 4] and "
      "[5, 4]");
}

TEST_CASE("windows of attention fill their grid, and the grid is the tokens") {
  const auto windows = [](Size2 grid, std::int64_t window, std::int64_t shift) {
    return Attention{.grid = grid, .window = window, .shift = shift};
  };
  CHECK(shape(windows({6, 4}, 2, 1), {{24, 9}}) == Shape{24, 3});
  CHECK(message(windows({6, 4}, 2, 1), {{25, 9}}) ==
        "attention 'n': a grid of 6 x 4 is not 25 tokens");
  CHECK(message(windows({6, 4}, 3, 1), {{24, 9}}) ==
        "attention 'n': windows of 3 do not fill a grid of 6 x 4");
  CHECK(message(windows({6, 4}, 2, 2), {{24, 9}}) ==
        "attention 'n': shift must be at least 0 and below the window, is 2");
  CHECK(message(windows({6, 4}, 2, -1), {{24, 9}}) ==
        "attention 'n': shift must be at least 0 and below the window, is -1");
  CHECK(message(windows({0, 4}, 2, 0), {{24, 9}}) ==
        "attention 'n': grid must be at least 1, is 0");
  CHECK(message(windows({6, 4}, -2, 0), {{24, 9}}) ==
        "attention 'n': window must be at least 1, is -2");
  const std::string alone = "attention 'n': grid, shift and relative_bias need a window";
  CHECK(message(windows({6, 4}, 0, 0), {{24, 9}}) == alone);
  CHECK(message(windows(0, 0, 1), {{24, 9}}) == alone);
  CHECK(message(Attention{.relative_bias = true}, {{24, 9}}) == alone);
}

TEST_CASE("a new shape holds the same number of values") {
  CHECK(shape(Reshape{{3, 2, 1, 4}}, {{24}}) == Shape{3, 2, 1, 4});
  CHECK(message(Reshape{{5, 5}}, {{4, 6}}) ==
        "reshape 'n': input [4, 6] has 24 values, which do not fill [5, 5]");
  CHECK(message(Reshape{{-1, 24}}, {{24}}) ==
        "reshape 'n': each dimension must be at least 1, is -1");
  CHECK(message(Reshape{}, {{24}}) == "reshape 'n': shape must have 1 to 4 dimensions, has 0");
  CHECK(message(Reshape{{1, 1, 1, 1, 24}}, {{24}}) ==
        "reshape 'n': shape must have 1 to 4 dimensions, has 5");
  const std::int64_t large = 2147483647;
  CHECK(message(Reshape{{large, large, large}}, {{24}}) ==
        "reshape 'n': input [24] has 24 values, which do not fill "
        "[2147483647, 2147483647, 2147483647]");
}

TEST_CASE("a transpose swaps the last two dimensions") {
  CHECK(shape(Transpose{}, {{2, 3}}) == Shape{3, 2});
  CHECK(shape(Transpose{}, {{2, 3, 4}}) == Shape{2, 4, 3});
  CHECK(message(Transpose{}, {{6}}) ==
        "transpose 'n': input must have 2 dimensions or more, is [6]");
}

TEST_CASE("a concat adds up one axis, and the others are equal") {
  CHECK(shape(Concat{.axis = 1}, {{2, 3, 4}, {2, 1, 4}, {2, 5, 4}}) == Shape{2, 9, 4});
  CHECK(message(Concat{}, {{2, 3}}) == "concat 'n': takes 2 or more inputs, has 1");
  CHECK(message(Concat{.axis = 1}, {{2, 3}, {3, 3}}) ==
        "concat 'n': inputs have shapes [2, 3] and [3, 3], which may differ along axis 1 alone");
  CHECK(message(Concat{}, {{2, 3}, {2}}) ==
        "concat 'n': inputs have shapes [2, 3] and [2], which may differ along axis 0 alone");
  CHECK(message(Concat{.axis = 2}, {{2, 3}, {2, 3}}) == "concat 'n': axis 2 is none of [2, 3]");
  CHECK(message(Concat{.axis = -1}, {{2, 3}, {2, 3}}) == "concat 'n': axis -1 is none of [2, 3]");
}

TEST_CASE("a slice stays within its axis") {
  CHECK(shape(Slice{.axis = 1, .begin = 2, .length = 3}, {{4, 5, 6}}) == Shape{4, 3, 6});
  CHECK(message(Slice{.axis = 1, .begin = 2, .length = 4}, {{4, 5, 6}}) ==
        "slice 'n': begin 2 and length 4 reach beyond axis 1 of [4, 5, 6]");
  CHECK(message(Slice{.begin = -1}, {{4}}) ==
        "slice 'n': begin -1 and length 1 reach beyond axis 0 of [4]");
  CHECK(message(Slice{.length = 0}, {{4}}) == "slice 'n': length must be at least 1, is 0");
  CHECK(message(Slice{.axis = 1}, {{4}}) == "slice 'n': axis 1 is none of [4]");
}

TEST_CASE("ops on sequences take [T, F]") {
  CHECK(shape(ClassToken{}, {{5, 7}}) == Shape{6, 7});
  CHECK(shape(PositionEmbedding{}, {{5, 7}}) == Shape{5, 7});
  CHECK(shape(SequencePool{}, {{5, 7}}) == Shape{7});
  CHECK(shape(MovingAverage{}, {{5, 7}}) == Shape{5, 7});
  CHECK(message(ClassToken{}, {{5}}) == "class_token 'n': input must be [T, F], is [5]");
  CHECK(message(PositionEmbedding{}, {{1, 5, 7}}) ==
        "position_embedding 'n': input must be [T, F], is [1, 5, 7]");
  CHECK(message(SequencePool{}, {{5}}) == "sequence_pool 'n': input must be [T, F], is [5]");
  CHECK(message(MovingAverage{}, {{5}}) == "moving_average 'n': input must be [T, F], is [5]");
  CHECK(message(MovingAverage{.kernel = 4}, {{5, 7}}) ==
        "moving_average 'n': kernel must be odd, is 4");
  CHECK(message(MovingAverage{.kernel = -1}, {{5, 7}}) ==
        "moving_average 'n': kernel must be at least 1, is -1");
}

TEST_CASE("a row is repeated a positive number of times") {
  CHECK(shape(Expand{.count = 3}, {{7}}) == Shape{3, 7});
  CHECK(message(Expand{.count = 0}, {{7}}) == "expand 'n': count must be at least 1, is 0");
  CHECK(message(Expand{.count = 3}, {{1, 7}}) == "expand 'n': input must be [F], is [1, 7]");
}

TEST_CASE("products of matrices need a common length, an identity a square") {
  CHECK(shape(MatMul{}, {{2, 3}, {3, 5}}) == Shape{2, 5});
  CHECK(message(MatMul{}, {{2, 3}, {2, 3}}) ==
        "matmul 'n': inputs have shapes [2, 3] and [2, 3], which must be [M, K] and [K, N]");
  CHECK(message(MatMul{}, {{2, 3}}) == "matmul 'n': takes 2 inputs, has 1");
  CHECK(shape(AddIdentity{}, {{3, 3}}) == Shape{3, 3});
  CHECK(message(AddIdentity{}, {{3, 2}}) == "add_identity 'n': input must be square, is [3, 2]");
}

TEST_CASE("differences and products are of equal shapes") {
  CHECK(shape(Subtract{}, {{2, 3}, {2, 3}}) == Shape{2, 3});
  CHECK(message(Subtract{}, {{2, 3}, {3, 2}}) ==
        "subtract 'n': inputs have shapes [2, 3] and [3, 2], which must be equal");
  CHECK(message(Multiply{}, {{3}, {2}}) ==
        "multiply 'n': inputs have shapes [3] and [2], which must be equal");
}

TEST_CASE("the pixels of an image become tokens and an image again") {
  GraphBuilder b("net");
  const Value image = b.input({3, 4, 5});
  const Value tokens = image.to_tokens();
  CHECK(tokens.shape() == Shape{20, 3});
  CHECK(tokens.to_image({4, 5}).shape() == Shape{3, 4, 5});
  CHECK(test::message_of<ConfigError>([&] { tokens.to_tokens(); }) ==
        "the pixels of [20, 3] cannot become tokens: an image is [C, H, W]");
}

TEST_CASE("new nodes are named by what they do") {
  GraphBuilder b("net");
  const Value x = b.input({3, 4, 5}).to_tokens().layer_norm().position_embedding();
  const Value y = concat({x, x - x * x}, 1).sequence_pool(PoolKind::kMean);
  std::vector<std::string> names;
  for (const Node& node : b.finish(y).nodes) names.push_back(node.name);
  CHECK(names == std::vector<std::string>{"input", "reshape1", "transpose1", "norm1", "positions1",
                                          "multiply1", "subtract1", "concat1", "pool1"});
}

TEST_CASE("the text form of new ops shows what is off its default") {
  GraphBuilder b("net");
  Value x = b.input({12, 2, 2}).pad({.bottom = 2, .left = 1, .right = 1}).to_tokens();
  x = x.layer_norm({.eps = 0.25});
  x = x.attention({.heads = 2, .grid = 4, .window = 2, .shift = 1, .relative_bias = true});
  x = x.position_embedding(PositionKind::kSinusoidal).moving_average(3).slice(0, 1, 2);
  x = concat({x, x.sequence_pool(PoolKind::kMax).expand(2)}, 1);
  x = x.matmul(x.transpose()).add_identity({.orthogonal = true});
  CHECK(to_text(b.finish(x)) ==
        "graph net\n"
        "input: input() -> [12, 2, 2]  shape=[12, 2, 2]\n"
        "pad2d1: pad2d(input) -> [12, 4, 4]  bottom=2  left=1  right=1\n"
        "reshape1: reshape(pad2d1) -> [12, 16]  shape=[12, 16]\n"
        "transpose1: transpose(reshape1) -> [16, 12]\n"
        "norm1: layer_norm(transpose1) -> [16, 12]  eps=0.25\n"
        "attention1: attention(norm1) -> [16, 4]  heads=2  grid=4  window=2  shift=1  "
        "relative_bias=true\n"
        "positions1: position_embedding(attention1) -> [16, 4]  kind=sinusoidal\n"
        "moving_average1: moving_average(positions1) -> [16, 4]  kernel=3\n"
        "slice1: slice(moving_average1) -> [2, 4]  begin=1  length=2\n"
        "pool1: sequence_pool(slice1) -> [4]  kind=max\n"
        "expand1: expand(pool1) -> [2, 4]  count=2\n"
        "concat1: concat(slice1, expand1) -> [2, 8]  axis=1\n"
        "transpose2: transpose(concat1) -> [8, 2]\n"
        "matmul1: matmul(concat1, transpose2) -> [2, 2]\n"
        "add_identity1: add_identity(matmul1) -> [2, 2]  orthogonal=true\n"
        "output add_identity1\n");
}
