// Sums of bytes under signs, in every instruction set that this processor has: whole numbers, and
// exactly those that their definition says.
#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "runtime/cpu/fast/kernel.h"
#include "support/catch.h"

using namespace tbn;

namespace {

using Random = std::mt19937;

// Rows of signs and stored pixels, drawn by `next_sign` and `next_byte`.
struct Problem {
  fast::Window window;
  std::int64_t rows = 0;
  std::vector<std::uint8_t> bytes;             // of the whole input
  std::vector<std::int64_t> at;                // where each pixel's window begins
  std::vector<std::vector<bool>> is_positive;  // [row][input]

  std::int64_t inputs() const { return window.segments * window.run; }
  int byte(std::int64_t pixel, std::int64_t k) const {
    const std::int64_t place = k / window.run * window.pitch + k % window.run;
    return bytes[static_cast<std::size_t>(at[static_cast<std::size_t>(pixel)] + place)];
  }
};

template <class Sign, class Byte>
Problem make_problem(fast::Window window, std::int64_t rows, std::int64_t pixels, Sign next_sign,
                     Byte next_byte) {
  constexpr std::int64_t kStep = 4;  // between pixels
  Problem problem{.window = window, .rows = rows};
  problem.bytes.resize(
      static_cast<std::size_t>(window.segments * window.pitch + window.run + pixels * kStep));
  for (std::uint8_t& byte : problem.bytes) byte = static_cast<std::uint8_t>(next_byte());
  for (std::int64_t i = 0; i < pixels; ++i) problem.at.push_back((pixels - 1 - i) * kStep);
  for (std::int64_t r = 0; r < rows; ++r) {
    problem.is_positive.emplace_back();
    for (std::int64_t k = 0; k < problem.inputs(); ++k) {
      problem.is_positive.back().push_back(next_sign());
    }
  }
  return problem;
}

// What the formula says, times 1/2.
std::vector<float> expected_sums(const Problem& problem, const std::vector<fast::Quantum>& quanta) {
  std::vector<float> sums;
  for (std::size_t i = 0; i < problem.at.size(); ++i) {
    for (const std::vector<bool>& row : problem.is_positive) {
      std::int64_t sum = 0;
      for (std::size_t k = 0; k < row.size(); ++k) {
        const int value = problem.byte(static_cast<std::int64_t>(i), static_cast<std::int64_t>(k)) -
                          quanta[i].zero;
        sum += row[k] ? value : -value;
      }
      sums.push_back(0.5f * static_cast<float>(sum));
    }
  }
  return sums;
}

// Bits as expand() takes them, [k / 4][vector][row][4].
std::vector<std::uint8_t> packed_bits(const Problem& problem, const fast::ByteOps& ops) {
  std::vector<std::uint8_t> bits(static_cast<std::size_t>(problem.inputs() * problem.rows / 8));
  for (std::int64_t r = 0; r < problem.rows; ++r) {
    for (std::int64_t k = 0; k < problem.inputs(); ++k) {
      if (!problem.is_positive[static_cast<std::size_t>(r)][static_cast<std::size_t>(k)]) continue;
      const std::int64_t place = (k / 4 * problem.rows + r) * 4 + k % 4;
      std::uint8_t& byte = bits[static_cast<std::size_t>(place / 8)];
      byte = static_cast<std::uint8_t>(byte | 1 << (place % 8));
    }
  }
  REQUIRE(problem.rows % ops.rows == 0);
  return bits;
}

std::vector<float> sums_of(const Problem& problem, const fast::ByteOps& ops,
                           const std::vector<fast::Quantum>& quanta) {
  const int vectors = static_cast<int>(problem.rows / ops.rows);
  const std::vector<std::uint8_t> bits = packed_bits(problem, ops);
  std::vector<std::int8_t> weights(static_cast<std::size_t>(problem.inputs() * problem.rows));
  ops.expand(bits.data(), problem.inputs() / 4 * vectors, weights.data());
  std::vector<std::int32_t> totals;
  for (const std::vector<bool>& row : problem.is_positive) {
    std::int32_t total = 0;
    for (const bool positive : row) total += positive ? 1 : -1;
    totals.push_back(total);
  }
  std::vector<std::uint8_t> stored = problem.bytes;
  for (std::uint8_t& byte : stored) byte = static_cast<std::uint8_t>(byte ^ ops.flip);
  std::vector<float> sums(problem.at.size() * static_cast<std::size_t>(problem.rows));
  ops.multiply(weights.data(), vectors, problem.window, stored.data(),
               {problem.at.data(), static_cast<std::int64_t>(problem.at.size())}, totals.data(),
               quanta.data(), 1, sums.data(), problem.rows);
  return sums;
}

template <class Sign, class Byte>
void check_sums(fast::Window window, std::int64_t pixels, Sign next_sign, Byte next_byte) {
  std::vector<fast::Quantum> quanta;
  for (std::int64_t i = 0; i < pixels; ++i) {
    quanta.push_back({.scale = 0.5f, .zero = static_cast<std::int32_t>(i * 51 % 256)});
  }
  for (const fast::Isa& isa : fast::usable_isas()) {
    for (int vectors = 1; vectors <= isa.bytes->vectors; ++vectors) {
      CAPTURE(isa.name, vectors, pixels, window.segments, window.run);
      const Problem problem =
          make_problem(window, vectors * isa.bytes->rows, pixels, next_sign, next_byte);
      CHECK(sums_of(problem, *isa.bytes, quanta) == expected_sums(problem, quanta));
    }
  }
}

}  // namespace

TEST_CASE("sums of bytes are exact for every number of rows and pixels") {
  Random random(1);
  const auto sign = [&] { return random() % 2 == 0; };
  const auto byte = [&] { return random() % 256; };
  for (std::int64_t pixels = 1; pixels <= 14; ++pixels) check_sums({3, 20, 28}, pixels, sign, byte);
  check_sums({1, 4, 0}, 25, sign, byte);
  check_sums({2, 1028, 1032}, 6, sign, byte);
}

TEST_CASE("the largest sums of bytes that long runs can have are exact") {
  for (const unsigned byte : {0u, 255u}) {
    for (const bool positive : {false, true}) {
      // Multiples of the runs after which narrow sums must be widened, and one step more.
      for (const std::int64_t run : {508, 512, 516, 1024, 2052, 65532}) {
        check_sums(
            {1, run, 0}, 5, [=] { return positive; }, [=] { return byte; });
      }
    }
  }
}

TEST_CASE("values are rounded to the bytes that stand for them") {
  std::vector<float> values;
  for (int i = -10; i <= 265; ++i) values.push_back(0.25f * static_cast<float>(i - 100));
  for (const fast::Isa& isa : fast::usable_isas()) {
    CAPTURE(isa.name);
    std::vector<std::uint8_t> bytes(values.size());
    isa.bytes->quantise(values.data(), static_cast<std::int64_t>(values.size()),
                        {.scale = 0.25f, .zero = 100}, bytes.data());
    for (std::size_t k = 0; k < values.size(); ++k) {
      const int expected = std::clamp(static_cast<int>(k) - 10, 0, 255);
      CHECK((bytes[k] ^ isa.bytes->flip) == expected);
    }
    float low = 1, high = 1;
    isa.bytes->range(values.data(), static_cast<std::int64_t>(values.size()), &low, &high);
    CHECK(low == values.front());
    CHECK(high == values.back());
  }
}
