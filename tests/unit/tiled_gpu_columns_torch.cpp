// The kernels' threads run one after another on the host, against the loops of the CPU: every shape
// of block, every mask, both kinds of numbers.
#include "train/tiled/gpu/columns.h"

#include <numeric>
#include <vector>

#include "base/counter_rng.h"
#include "support/catch.h"
#include "train/tiled/tiled_function_cpu.h"

using namespace tbn;

namespace {

template <class T>
struct Buffer {
  explicit Buffer(std::size_t count) : storage(count + 16) {
    auto address = reinterpret_cast<std::uintptr_t>(storage.data());
    const std::uintptr_t rest = address % gpu::kAlignment;
    data = storage.data() + (rest == 0 ? 0 : (gpu::kAlignment - rest) / sizeof(T));
    size = count;
  }
  std::vector<T> storage;
  T* data;
  std::size_t size;
};

// Multiples of 1/8 in [-4, 4): exact in bfloat16, and their products in float.
template <class T>
Buffer<T> random_values(std::size_t count, std::uint64_t seed) {
  Buffer<T> buffer(count);
  CounterRng rng(seed);
  for (std::size_t i = 0; i < count; ++i) {
    const float value = static_cast<float>(static_cast<int>(rng.below(64)) - 32) / 8;
    if constexpr (std::is_same_v<T, float>) {
      buffer.data[i] = value;
    } else {
      from_float(value, buffer.data[i]);
    }
  }
  return buffer;
}

template <class T>
std::vector<float> floats(const Buffer<T>& buffer) {
  std::vector<float> all;
  for (std::size_t i = 0; i < buffer.size; ++i) all.push_back(to_float(buffer.data[i]));
  return all;
}

// Calls body(columns, row block, thread) for every thread of a launch.
template <class Body>
void for_threads(const gpu::MapShape& shape, int pack, Body body) {
  const gpu::Geometry g = gpu::geometry_of(shape, pack);
  for (int below = 0; below < g.row_blocks; ++below) {
    for (int beside = 0; beside < g.column_blocks; ++beside) {
      for (int thread = 0; thread < gpu::kThreads; ++thread) {
        gpu::Columns own{};
        if (gpu::columns_of(g, pack, below, beside, thread, own)) body(own);
      }
    }
  }
}

// The sums of all blocks' parts, [copies, maps] each, of what `body` adds for a thread.
template <int P, int V, class Body>
std::pair<std::vector<double>, std::vector<double>> block_sums(const gpu::MapShape& shape,
                                                               Body body) {
  using Block = gpu::BlockSums<P, V>;
  const gpu::Geometry g = gpu::geometry_of(shape, V);
  const auto each = static_cast<std::size_t>(P * shape.maps);
  std::vector<float> parts_g(each * static_cast<std::size_t>(g.row_blocks), NAN);
  std::vector<float> parts_gu = parts_g;
  std::vector<float> all(static_cast<std::size_t>(gpu::kThreads * Block::kValues));
  for (int below = 0; below < g.row_blocks; ++below) {
    for (int beside = 0; beside < g.column_blocks; ++beside) {
      for (int thread = 0; thread < gpu::kThreads; ++thread) {
        gpu::Columns own{};
        gpu::Sums<P, V> sums;
        if (gpu::columns_of(g, V, below, beside, thread, own)) body(own, sums);
        Block::leave(sums, thread, all.data());
      }
      for (int at = 0; at < g.groups * Block::kValues; ++at) {
        Block::write(all.data(), g, shape.maps, below, beside, at, parts_g.data(), parts_gu.data());
      }
    }
  }
  std::pair sums = {std::vector<double>(each), std::vector<double>(each)};
  for (std::size_t k = 0; k < parts_g.size(); ++k) {
    sums.first[k % each] += static_cast<double>(parts_g[k]);
    sums.second[k % each] += static_cast<double>(parts_gu[k]);
  }
  return sums;
}

struct Case {
  std::int64_t rows, maps;
};

template <class T, int P, int V>
void check_fan(const Case& c) {
  const gpu::MapShape shape{c.rows, P, c.maps};
  const auto inputs = static_cast<std::size_t>(c.rows * c.maps);
  const std::size_t outputs = inputs * P;
  const auto scalars = static_cast<std::size_t>(P * c.maps);
  const auto u = random_values<T>(inputs, 1), residual = random_values<T>(outputs, 2);
  const auto dy = random_values<T>(outputs, 3);
  const auto a = random_values<float>(scalars, 4), b = random_values<float>(scalars, 5);
  const auto centre = random_values<float>(static_cast<std::size_t>(c.maps), 6);
  for (const bool has_residual : {false, true}) {
    for (const bool relu : {false, true}) {
      Buffer<T> y(outputs);
      const gpu::FanOut work{shape,  u.data, a.data, b.data, has_residual ? residual.data : nullptr,
                             y.data, relu};
      for_threads(shape, V,
                  [&](const gpu::Columns& own) { gpu::fan_out_columns<T, P, V>(work, own); });
      const std::vector<float> uf = floats(u), rf = floats(residual), dyf = floats(dy);
      std::vector<float> wanted(outputs);
      cpu::fan_out_rows({{P, c.maps},
                         uf.data(),
                         a.data,
                         b.data,
                         has_residual ? rf.data() : nullptr,
                         wanted.data(),
                         relu},
                        0, c.rows);
      for (float& value : wanted) {
        T rounded;
        from_float(value, rounded);
        value = to_float(rounded);
      }
      CHECK(floats(y) == wanted);

      // The backward pass, whose mask is the result or, without a residual, made anew.
      for (const bool keep : {false, true}) {
        const bool from_result = relu && has_residual;
        Buffer<T> du(inputs), g_out(outputs);
        const gpu::FanIn back{.shape = shape,
                              .dy = dy.data,
                              .y = from_result ? y.data : nullptr,
                              .u = u.data,
                              .a = a.data,
                              .b = relu && !from_result ? b.data : nullptr,
                              .centre = centre.data,
                              .du = du.data,
                              .g_out = keep ? g_out.data : nullptr};
        const auto [sum_g, sum_gu] =
            block_sums<P, V>(shape, [&](const gpu::Columns& own, gpu::Sums<P, V>& sums) {
              gpu::fan_in_columns<T, P, V>(back, own, sums);
            });
        std::vector<float> du_wanted(inputs), g_wanted(outputs), sg(scalars), sgu(scalars);
        const std::vector<float> yf = floats(y);
        cpu::fan_in_rows({{P, c.maps},
                          relu ? cpu::Mask::kResult : cpu::Mask::kNone,
                          dyf.data(),
                          yf.data(),
                          uf.data(),
                          a.data,
                          nullptr,
                          centre.data,
                          du_wanted.data(),
                          g_wanted.data()},
                         0, c.rows, sg.data(), sgu.data());
        for (float& value : du_wanted) {
          T rounded;
          from_float(value, rounded);
          value = to_float(rounded);
        }
        CHECK(floats(du) == du_wanted);
        if (keep) CHECK(floats(g_out) == g_wanted);
        for (std::size_t k = 0; k < scalars; ++k) {
          CHECK(sum_g[k] == Approx(sg[k]).margin(1e-3));
          CHECK(sum_gu[k] == Approx(sgu[k]).margin(1e-3));
        }
      }
    }
  }
}

const Case kCases[] = {{1, 4}, {37, 12}, {300, 16}, {5, 1040}, {1100, 64}, {70'000, 4}};

}  // namespace

TEMPLATE_TEST_CASE("kernels fan out and in as the loops do, of any block's share", "", float,
                   Bfloat16) {
  for (const Case& c : kCases) {
    INFO(c.rows << " rows of " << c.maps << " maps");
    check_fan<TestType, 1, 4>(c);
    check_fan<TestType, 2, 4>(c);
    check_fan<TestType, 4, 4>(c);
    check_fan<TestType, 8, 2>(c);
  }
}

TEMPLATE_TEST_CASE("kernels take moments and add affine maps by their formulas", "", float,
                   Bfloat16) {
  for (const Case& c : kCases) {
    const gpu::MapShape shape{c.rows, 1, c.maps};
    const auto count = static_cast<std::size_t>(c.rows * c.maps);
    const auto maps = static_cast<std::size_t>(c.maps);
    const auto u = random_values<TestType>(count, 1);
    auto du = random_values<TestType>(count, 2);
    const std::vector<float> uf = floats(u), before = floats(du);
    const auto centre = random_values<float>(maps, 3), c0 = random_values<float>(maps, 4),
               c1 = random_values<float>(maps, 5);
    const gpu::Moments moments{.shape = shape, .u = u.data};
    const auto [sum, square] =
        block_sums<1, 4>(shape, [&](const gpu::Columns& own, gpu::Sums<1, 4>& sums) {
          gpu::moment_columns<TestType, 4>(moments, own, sums);
        });
    const gpu::AddAffine affine{shape, du.data, u.data, centre.data, c0.data, c1.data};
    for_threads(shape, 4, [&](const gpu::Columns& own) {
      gpu::add_affine_columns<TestType, 4>(affine, own);
    });
    const std::vector<float> after = floats(du);
    for (std::size_t r = 0; r < maps; ++r) {
      double wanted_sum = 0, wanted_square = 0;
      for (std::size_t o = 0; o < static_cast<std::size_t>(c.rows); ++o) {
        const std::size_t at = o * maps + r;
        const double d = static_cast<double>(uf[at]) - static_cast<double>(uf[r]);
        wanted_sum += d;
        wanted_square += d * d;
        TestType rounded;
        from_float(before[at] + c1.data[r] * (uf[at] - centre.data[r]) + c0.data[r], rounded);
        CHECK(after[at] == to_float(rounded));
      }
      CHECK(sum[r] == Approx(wanted_sum).margin(1e-3));
      CHECK(square[r] == Approx(wanted_square).margin(1e-2));
    }
  }
}

TEST_CASE("bfloat16 rounds to the nearest, to even between two, and keeps what is not finite") {
  const auto rounded = [](float x) {
    Bfloat16 b;
    from_float(x, b);
    return to_float(b);
  };
  CHECK(rounded(1.00390625F) == 1.0F);       // half of the last place: down to even
  CHECK(rounded(1.01171875F) == 1.015625F);  // up to even
  CHECK(rounded(1.005F) == 1.0078125F);
  CHECK(std::isnan(rounded(std::nanf(""))));
  CHECK(rounded(INFINITY) == INFINITY);
  CHECK(rounded(-3.5F) == -3.5F);
}

TEST_CASE("every thread of a launch has its own columns, and all are somebody's") {
  for (const Case& c : kCases) {
    const gpu::MapShape shape{c.rows, 1, c.maps};
    std::vector<int> owners(static_cast<std::size_t>(c.rows * c.maps));
    for_threads(shape, 4, [&](const gpu::Columns& own) {
      for (std::int64_t o = own.first; o < c.rows; o += own.stride) {
        for (std::int64_t v = 0; v < 4; ++v) {
          ++owners[static_cast<std::size_t>(o * c.maps + own.map + v)];
        }
      }
    });
    CHECK(std::count(owners.begin(), owners.end(), 1) == c.rows * c.maps);
  }
}
