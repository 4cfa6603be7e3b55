// Shapes for which the kernels of ops take other ways than for the small ones of op_cases: vectors
// of 16 bytes, squares of 32 x 32, several passes over a row; and values whose order in memory
// changes.
#include "cuda/support/sessions.h"
#include "support/catch.h"
#include "support/random_model.h"

using namespace tbn;
using namespace tbn::cuda::test;

namespace {

using Made = Value (*)(Value);

struct WideCase {
  const char* what;
  Shape input;
  Made made;
};

Value joined(Value x, std::int64_t axis) {
  return concat({x.relu(), x, x.slice(axis, 0, 8)}, axis);
}

// An image that lies channels last.
Value pooled(Value x) { return x.max_pool({.kernel = 1}); }

void check(const std::vector<WideCase>& cases, double factor = 1, std::int64_t batch = 2) {
  for (const WideCase& c : cases) {
    INFO(c.what);
    GraphBuilder b("wide");
    const Model model = tbn::test::random_packed(b.finish(c.made(b.input(c.input))), 23);
    for (const Precision precision : kPrecisions) {
      CAPTURE(to_string(precision));
      CHECK(session_error(model, precision, batch) < factor * allowed_session_error(precision));
    }
  }
}

}  // namespace

TEST_CASE("ops on whole vectors of 16 bytes, and on what is left of them") {
  check({
      {"add", {3, 67}, [](Value x) { return x + x.relu(); }},
      {"multiply", {64}, [](Value x) { return x * x.relu(); }},
      {"affine of a map",
       {8, 5, 3},
       [](Value x) {
         return x.relu().normalize({1, 2, 3, 4, 5, 6, 7, 8}, {1, 2, 3, 4, 5, 6, 7, 8});
       }},
      {"positions", {5, 16}, [](Value x) { return x.position_embedding(); }},
      {"layer norm, one pass of a warp", {3, 64}, [](Value x) { return x.layer_norm(); }},
      {"layer norm, several", {2, 520}, [](Value x) { return x.layer_norm(); }},
      {"layer norm, odd", {2, 131}, [](Value x) { return x.layer_norm(); }},
      {"class token", {3, 16}, [](Value x) { return x.class_token(); }},
      {"expand", {24}, [](Value x) { return x.expand(5); }},
      {"concat of columns", {3, 16}, [](Value x) { return joined(x, 1); }},
      {"concat of rows", {9, 16}, [](Value x) { return joined(x, 0); }},
      {"mean over tokens", {41, 40}, [](Value x) { return x.sequence_pool(PoolKind::kMean); }},
      {"largest of tokens", {41, 70}, [](Value x) { return x.sequence_pool(PoolKind::kMax); }},
  });
}

TEST_CASE("images whose channels fill whole vectors") {
  check({
      {"max pool",
       {16, 7, 6},
       [](Value x) { return x.max_pool({.kernel = 3, .stride = 2, .padding = 1}); }},
      {"avg pool",
       {8, 7, 6},
       [](Value x) {
         return x.avg_pool({.kernel = {2, 3}});
       }},
      {"global pool", {40, 5, 7}, [](Value x) { return x.global_avg_pool(); }},
      {"pad", {16, 3, 4}, [](Value x) { return x.pad({.top = 1, .bottom = 1, .left = 2}); }},
      {"concat of channels", {16, 3, 4}, [](Value x) { return joined(pooled(x), 0); }},
      {"concat of rows", {8, 9, 4}, [](Value x) { return joined(pooled(x), 1); }},
      {"slice of columns", {8, 3, 9}, [](Value x) { return pooled(x).slice(2, 1, 5); }},
      {"slice of channels", {24, 3, 3}, [](Value x) { return pooled(x).slice(0, 8, 8); }},
  });
}

TEST_CASE("matrices of several squares are transposed") {
  check({
      {"the op", {70, 41}, [](Value x) { return x.transpose(); }},
      {"several matrices", {3, 33, 45}, [](Value x) { return x.transpose(); }},
      {"of an image that lies channels last",
       {33, 9, 5},
       [](Value x) { return pooled(x).transpose(); }},
      {"in and out of an image", {37, 6, 7}, [](Value x) { return pooled(x); }},
      {"to a vector", {20, 6, 7}, [](Value x) { return pooled(x).flatten(); }},
  });
}

TEST_CASE("blocks that use their shared memory again and again") {
  check(
      {
          {"largest of tokens",
           {9, 70000},
           [](Value x) { return x.sequence_pool(PoolKind::kMax); }},
          {"many matrices", {540, 33, 34}, [](Value x) { return x.transpose(); }},
      },
      1, 1);
}

TEST_CASE("heads wider than a warp's registers") {
  check({
      {"160 features", {4, 480}, [](Value x) { return x.attention({}); }},
      {"2 heads of 129", {3, 774}, [](Value x) { return x.attention({.heads = 2}); }},
  });
}

TEST_CASE("values pass between images and tokens in whichever order they lie") {
  check(
      {
          {"image to tokens",
           {12, 5, 3},
           [](Value x) { return pooled(x).to_tokens().layer_norm(); }},
          {"tokens to image",
           {15, 12},
           [](Value x) {
             return pooled(x.layer_norm().to_image({5, 3}));
           }},
          {"there and back",
           {12, 5, 3},
           [](Value x) {
             return pooled(pooled(x).to_tokens().to_image({3, 5}));
           }},
          {"tokens that live on",
           {15, 12},
           [](Value x) {
             const Value y = x.layer_norm();
             return pooled(y.to_image({5, 3})).to_tokens() + y;
           }},
          {"a transposed sequence that is read twice",
           {15, 12},
           [](Value x) {
             const Value t = x.transpose();
             return pooled(t.reshape({12, 5, 3})).flatten() + t.flatten();
           }},
          {"an image's sequence as the output",
           {12, 5, 3},
           [](Value x) {
             return pooled(x).reshape({12, 15});
           }},
          {"an image's sequence, computed on",
           {12, 5, 3},
           [](Value x) {
             return pooled(x).reshape({12, 15}).layer_norm();
           }},
          {"an image of another size",
           {12, 5, 4},
           [](Value x) {
             return pooled(pooled(x).reshape({12, 2, 10}));
           }},
          {"an image with other channels",
           {12, 5, 4},
           [](Value x) {
             return pooled(pooled(x).reshape({6, 10, 4}));
           }},
          {"an image that lives on, in both orders",
           {12, 5, 3},
           [](Value x) {
             const Value y = pooled(x);
             return concat(
                 {y.flatten(), y.reshape({12, 15}).transpose().flatten(), y.relu().flatten()}, 0);
           }},
          {"the input, twice",
           {6, 5, 3},
           [](Value x) { return x.flatten() + pooled(x).flatten(); }},
      },
      2);
}
