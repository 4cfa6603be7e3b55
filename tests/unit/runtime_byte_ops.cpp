// Sums of bytes under signs and integers, in every instruction set that this processor has: whole
// numbers, and exactly those that their definition says.
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

#include "runtime/cpu/fast/kernel.h"
#include "support/catch.h"

using namespace tbn;

namespace {

using Random = std::mt19937;

// Rows of weights and stored pixels, drawn by `next_weight` and `next_byte`.
struct Problem {
  fast::Window window;
  std::int64_t rows = 0;
  std::vector<std::uint8_t> bytes;        // of the whole input
  std::vector<std::int64_t> at;           // where each pixel's window begins
  std::vector<std::vector<int>> weights;  // [row][input]

  std::int64_t inputs() const { return window.segments * window.run; }
  int byte(std::int64_t pixel, std::int64_t k) const {
    const std::int64_t place = k / window.run * window.pitch + k % window.run;
    return bytes[static_cast<std::size_t>(at[static_cast<std::size_t>(pixel)] + place)];
  }
};

template <class Weight, class Byte>
Problem make_problem(fast::Window window, std::int64_t rows, std::int64_t pixels,
                     Weight next_weight, Byte next_byte) {
  constexpr std::int64_t kStep = 4;  // between pixels
  Problem problem{.window = window, .rows = rows};
  problem.bytes.resize(
      static_cast<std::size_t>(window.segments * window.pitch + window.run + pixels * kStep));
  for (std::uint8_t& byte : problem.bytes) byte = static_cast<std::uint8_t>(next_byte());
  for (std::int64_t i = 0; i < pixels; ++i) problem.at.push_back((pixels - 1 - i) * kStep);
  for (std::int64_t r = 0; r < rows; ++r) {
    problem.weights.emplace_back();
    for (std::int64_t k = 0; k < problem.inputs(); ++k) {
      problem.weights.back().push_back(next_weight());
    }
  }
  return problem;
}

// What the formula says, times 1/2.
std::vector<float> expected_sums(const Problem& problem, const std::vector<fast::Quantum>& quanta) {
  std::vector<float> sums;
  for (std::size_t i = 0; i < problem.at.size(); ++i) {
    for (const std::vector<int>& row : problem.weights) {
      std::int64_t sum = 0;
      for (std::size_t k = 0; k < row.size(); ++k) {
        const int value = problem.byte(static_cast<std::int64_t>(i), static_cast<std::int64_t>(k)) -
                          quanta[i].zero;
        sum += std::int64_t{row[k]} * value;
      }
      sums.push_back(0.5f * static_cast<float>(sum));
    }
  }
  return sums;
}

// Bytes as multiply() takes them, [k / 4][vector][row][4].
std::vector<std::int8_t> integer_weights(const Problem& problem) {
  std::vector<std::int8_t> bytes;
  for (std::int64_t k = 0; k < problem.inputs(); k += 4) {
    for (const std::vector<int>& row : problem.weights) {
      for (std::int64_t i = 0; i < 4; ++i) {
        bytes.push_back(static_cast<std::int8_t>(row[static_cast<std::size_t>(k + i)]));
      }
    }
  }
  return bytes;
}

// What expand() makes for it of signs, whose bits lie in the same order.
std::vector<std::int8_t> sign_weights(const Problem& problem, const fast::ByteOps& ops) {
  const std::vector<std::int8_t> signs = integer_weights(problem);
  std::vector<std::uint8_t> bits(signs.size() / 8);
  for (std::size_t i = 0; i < signs.size(); ++i) {
    if (signs[i] > 0) bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | 1 << (i % 8));
  }
  REQUIRE(problem.rows % ops.rows == 0);
  std::vector<std::int8_t> weights(signs.size());
  ops.expand(bits.data(), problem.inputs() / 4 * (problem.rows / ops.rows), weights.data());
  return weights;
}

// Of ByteOps or IntegerOps.
template <class Ops>
std::vector<float> sums_of(const Problem& problem, const Ops& ops, int flip,
                           const std::vector<std::int8_t>& weights,
                           const std::vector<fast::Quantum>& quanta) {
  std::vector<std::int32_t> totals;
  for (const std::vector<int>& row : problem.weights) {
    totals.push_back(std::accumulate(row.begin(), row.end(), 0));
  }
  std::vector<std::uint8_t> stored = problem.bytes;
  for (std::uint8_t& byte : stored) byte = static_cast<std::uint8_t>(byte ^ flip);
  std::vector<float> sums(problem.at.size() * static_cast<std::size_t>(problem.rows));
  ops.multiply(weights.data(), static_cast<int>(problem.rows / ops.rows), problem.window,
               stored.data(), {problem.at.data(), static_cast<std::int64_t>(problem.at.size())},
               totals.data(), quanta.data(), 1, sums.data(), problem.rows);
  return sums;
}

std::vector<fast::Quantum> quanta_of(std::int64_t pixels) {
  std::vector<fast::Quantum> quanta;
  for (std::int64_t i = 0; i < pixels; ++i) {
    quanta.push_back({.scale = 0.5f, .zero = static_cast<std::int32_t>(i * 51 % 256)});
  }
  return quanta;
}

template <class Sign, class Byte>
void check_sums(fast::Window window, std::int64_t pixels, Sign next_sign, Byte next_byte) {
  const auto next_weight = [&] { return next_sign() ? 1 : -1; };
  const auto quanta = quanta_of(pixels);
  for (const fast::Isa& isa : fast::usable_isas()) {
    const fast::ByteOps& ops = *isa.bytes;
    for (int vectors = 1; vectors <= ops.vectors; ++vectors) {
      CAPTURE(isa.name, vectors, pixels, window.segments, window.run);
      const Problem problem =
          make_problem(window, vectors * ops.rows, pixels, next_weight, next_byte);
      CHECK(sums_of(problem, ops, ops.flip, sign_weights(problem, ops), quanta) ==
            expected_sums(problem, quanta));
    }
  }
}

template <class Weight, class Byte>
void check_integer_sums(fast::Window window, std::int64_t pixels, Weight next_weight,
                        Byte next_byte) {
  const auto quanta = quanta_of(pixels);
  for (const fast::Isa& isa : fast::usable_isas()) {
    const fast::IntegerOps& ops = *isa.integers;
    for (int vectors = 1; vectors <= ops.vectors; ++vectors) {
      CAPTURE(isa.name, vectors, pixels, window.segments, window.run);
      const Problem problem =
          make_problem(window, vectors * ops.rows, pixels, next_weight, next_byte);
      CHECK(sums_of(problem, ops, isa.bytes->flip, integer_weights(problem), quanta) ==
            expected_sums(problem, quanta));
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

TEST_CASE("sums of bytes under integers are exact for every number of rows and pixels") {
  Random random(2);
  const auto byte = [&] { return random() % 256; };
  for (int bits = 2; bits <= 8; ++bits) {
    const auto weight = [&] {
      return static_cast<int>(random() % (1u << bits)) - (1 << (bits - 1));
    };
    for (std::int64_t pixels = 1; pixels <= 14; ++pixels) {
      check_integer_sums({3, 20, 28}, pixels, weight, byte);
    }
    check_integer_sums({1, 4, 0}, 25, weight, byte);
    check_integer_sums({2, 1028, 1032}, 6, weight, byte);
  }
}

TEST_CASE("the largest sums of bytes under integers are exact") {
  for (const unsigned byte : {0u, 255u}) {
    for (const int weight : {-128, -65, 64, 65, 127}) {
      for (const std::int64_t run : {4, 508, 512, 2052, 32768}) {
        check_integer_sums(
            {1, run, 0}, 5, [=] { return weight; }, [=] { return byte; });
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
