// Attention on tensor cores against double.
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "cuda/support/to_host.h"
#include "runtime/cuda/device/memory.h"
#include "runtime/cuda/device/precision.h"
#include "runtime/cuda/kernels/attention.h"
#include "support/catch.h"
#include "support/random_model.h"

using namespace tbn;
using namespace tbn::cuda;
using tbn::cuda::test::to_host;

namespace {

double widen(__half x) { return static_cast<double>(__half2float(x)); }
double widen(__nv_bfloat16 x) { return static_cast<double>(__bfloat162float(x)); }

AttentionShape shape_of(int batch, int tokens, int heads, int width, bool stacked) {
  const std::int64_t features = std::int64_t{heads} * width;
  return {.batch = batch,
          .tokens = tokens,
          .heads = heads,
          .width = width,
          .scale = 1 / std::sqrt(static_cast<float>(width)),
          .input_stride = stacked ? 3 * features : features,
          .output_stride = features};
}

// The same for windows of images of height x width pixels.
AttentionShape windowed(AttentionShape shape, int window, int shift, int grid_h, int grid_w) {
  shape.tokens = window * window;
  shape.window = window;
  shape.shift = shift;
  shape.grid_h = grid_h;
  shape.grid_w = grid_w;
  return shape;
}

int all_tokens(const AttentionShape& shape) {
  return shape.window == 0 ? shape.tokens : shape.grid_h * shape.grid_w;
}

// Queries, keys and values of a shape: token by token, or one after the other.
template <class T>
struct Inputs {
  AttentionShape shape;
  std::vector<T> all;
  std::vector<float> bias;
  std::int64_t keys_at, values_at;

  Inputs(const AttentionShape& given, bool stacked, double size) : shape(given) {
    const std::int64_t features = shape.output_stride;
    const std::int64_t count = std::int64_t{shape.batch} * all_tokens(shape) * features;
    for (const float x : tbn::test::random_values(3 * count, 1, -size, size)) {
      all.push_back(T(x));
    }
    keys_at = stacked ? features : count;
    values_at = 2 * keys_at;
    const int side = 2 * shape.window - 1;
    if (shape.window > 0) bias = tbn::test::random_values(side * side * shape.heads, 2, -2, 2);
  }
  double at(std::int64_t part, int sequence, int token, int head, int i) const {
    const std::int64_t row = std::int64_t{sequence} * all_tokens(shape) + token;
    return widen(
        all[static_cast<std::size_t>(part + row * shape.input_stride + head * shape.width + i)]);
  }
};

// What is added to the score of two pixels of an image; minus infinity where they are of different
// windows, or would be without the roll.
template <class T>
double added_score(const Inputs<T>& in, int head, int query, int key) {
  const AttentionShape& shape = in.shape;
  if (shape.window == 0) return 0;
  const auto rolled = [&](int token) {
    const int y = token / shape.grid_w, x = token % shape.grid_w;
    return std::pair{(y - shape.shift + shape.grid_h) % shape.grid_h,
                     (x - shape.shift + shape.grid_w) % shape.grid_w};
  };
  const auto [query_y, query_x] = rolled(query);
  const auto [key_y, key_x] = rolled(key);
  const bool together =
      query_y / shape.window == key_y / shape.window &&
      query_x / shape.window == key_x / shape.window &&
      // Pixels of the first rows, rolled to the end, are apart from the last.
      (query / shape.grid_w < shape.shift) == (key / shape.grid_w < shape.shift) &&
      (query % shape.grid_w < shape.shift) == (key % shape.grid_w < shape.shift);
  if (!together) return -std::numeric_limits<double>::infinity();
  const int side = 2 * shape.window - 1;
  const int offset =
      (query_y - key_y + shape.window - 1) * side + query_x - key_x + shape.window - 1;
  return static_cast<double>(in.bias[static_cast<std::size_t>(offset * shape.heads + head)]);
}

template <class T>
std::vector<double> expected(const Inputs<T>& in, int sequence, int head, int query) {
  const AttentionShape& shape = in.shape;
  std::vector<double> sum(static_cast<std::size_t>(shape.width));
  double total = 0;
  for (int key = 0; key < all_tokens(shape); ++key) {
    double score = 0;
    for (int i = 0; i < shape.width; ++i) {
      score += in.at(0, sequence, query, head, i) * in.at(in.keys_at, sequence, key, head, i);
    }
    const double weight =
        std::exp(score * static_cast<double>(shape.scale) + added_score(in, head, query, key));
    total += weight;
    for (int i = 0; i < shape.width; ++i) {
      sum[static_cast<std::size_t>(i)] += weight * in.at(in.values_at, sequence, key, head, i);
    }
  }
  for (double& x : sum) x /= total;
  return sum;
}

template <class T>
double attention_error(const Inputs<T>& in, Precision precision, bool plain = false) {
  const AttentionShape& shape = in.shape;
  const Context context(0);
  const Buffer x = Buffer::copy_of(std::span(in.all.data(), in.all.size()), "a test");
  const Buffer y = Buffer::on_device(x.bytes() / 3, "a test");
  const Buffer bias = Buffer::copy_of(std::span<const float>(in.bias), "a test");
  const AttentionData data = {.queries = x.get<T>(),
                              .keys = x.get<T>() + in.keys_at,
                              .values = x.get<T>() + in.values_at,
                              .y = y.get(),
                              .relative_bias = in.bias.empty() ? nullptr : bias.get<float>()};
  REQUIRE(attention_mma_computes(shape, data, precision, context));
  if (plain) {
    launch_attention_plain(shape, data, precision, nullptr);
  } else {
    launch_attention_mma(shape, data, precision, context, nullptr);
  }
  const std::vector<T> computed = to_host<T>(y);
  double difference = 0, norm = 0;
  for (int sequence = 0; sequence < shape.batch; ++sequence) {
    for (int token = 0; token < all_tokens(shape); ++token) {
      const T* row = computed.data() +
                     (std::int64_t{sequence} * all_tokens(shape) + token) * shape.output_stride;
      for (int head = 0; head < shape.heads; ++head) {
        const std::vector<double> wanted = expected(in, sequence, head, token);
        for (std::size_t i = 0; i < wanted.size(); ++i) {
          const double got = widen(row[static_cast<std::size_t>(head * shape.width) + i]);
          difference += (got - wanted[i]) * (got - wanted[i]);
          norm += wanted[i] * wanted[i];
        }
      }
    }
  }
  return std::sqrt(difference / norm);
}

// Weights are rounded too before they multiply the values, and values cancel each other.
void check_shape(const AttentionShape& shape, bool stacked, double size = 1) {
  CAPTURE(shape.batch, shape.tokens, shape.heads, shape.width, shape.window, shape.shift, stacked);
  CHECK(attention_error(Inputs<__half>(shape, stacked, size), Precision::kFp16) < 6e-4);
  CHECK(attention_error(Inputs<__nv_bfloat16>(shape, stacked, size), Precision::kBf16) < 5e-3);
}

void check_attention(int batch, int tokens, int heads, int width, bool stacked, double size = 1) {
  check_shape(shape_of(batch, tokens, heads, width, stacked), stacked, size);
}

}  // namespace

TEST_CASE("attention on tensor cores computes any number of tokens") {
  for (const int tokens : {1, 2, 15, 16, 17, 49, 64, 65, 128, 197}) {
    check_attention(1, tokens, 2, 32, true);
  }
}

TEST_CASE("attention on tensor cores computes heads of any multiple of 16 up to 128") {
  for (int width = 16; width <= 128; width += 16) check_attention(1, 70, 1, width, false);
}

TEST_CASE("attention on tensor cores computes batches, stacked or apart") {
  check_attention(3, 65, 4, 64, true);
  check_attention(2, 10, 3, 48, false);
}

TEST_CASE("attention on tensor cores follows scores that grow from tile to tile") {
  // Where queries and keys are large, one weight is nearly 1 and the largest score changes late.
  check_attention(1, 150, 1, 64, true, 6);
}

TEST_CASE("a first key whose score is minus infinity has no weight") {
  const int width = 16, tokens = 20;
  Inputs<__nv_bfloat16> in(shape_of(1, tokens, 1, width, false), false, 1);
  for (int token = 0; token < tokens; ++token) {
    const auto at = static_cast<std::size_t>(token * width);
    in.all[at] = __nv_bfloat16(1e25f);
    in.all[static_cast<std::size_t>(in.keys_at) + at] = __nv_bfloat16(token == 0 ? -1e25f : 0.0f);
  }
  for (const bool plain : {false, true}) {
    CAPTURE(plain);
    CHECK(attention_error(in, Precision::kBf16, plain) < 5e-3);
  }
}

TEST_CASE("attention on tensor cores sees windows, shifted and with a bias for each offset") {
  const AttentionShape stacked = shape_of(2, 0, 2, 32, true);
  check_shape(windowed(stacked, 4, 0, 8, 12), true);
  check_shape(windowed(stacked, 4, 2, 8, 12), true);
  check_shape(windowed(shape_of(1, 0, 3, 16, false), 7, 3, 14, 7), false);
  // Whole tiles of keys that a query does not see.
  check_shape(windowed(shape_of(1, 0, 1, 16, true), 12, 6, 12, 12), true);
}

TEST_CASE("attention on tensor cores leaves other widths and precisions to others") {
  const Context context(0);
  const AttentionData data;
  const auto computes = [&](const AttentionShape& shape, Precision precision) {
    return attention_mma_computes(shape, data, precision, context);
  };
  CHECK(computes(shape_of(1, 5, 2, 32, true), Precision::kBf16));
  CHECK_FALSE(computes(shape_of(1, 5, 2, 32, true), Precision::kFp32));
  CHECK_FALSE(computes(shape_of(1, 5, 2, 24, true), Precision::kBf16));
  CHECK_FALSE(computes(shape_of(1, 5, 2, 144, true), Precision::kFp16));
}
