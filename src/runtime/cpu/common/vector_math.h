// exp, tanh and the normal distribution for runs of floats: straight lines without branches or
// calls, so that compilers vectorise the loops around them, which they do not with those of
// <cmath>. Of internal linkage and without other headers, so that files compiled for the
// instructions of one processor may include it (see fast/isa.h).
#pragma once

namespace tbn::cpu {
namespace {

// e^x within 2 units in the last place; 0 below -87.3 (where floats become denormal), infinity
// above 88.7. Not-a-number stays one.
//
// e^x = 2^n e^f with n = round(x / ln 2), |f| <= ln 2 / 2, and the series of e^f to its 7th power.
inline float vector_exp(float x) {
  constexpr float kLeast = -87.33654f, kMost = 88.72283f;
  constexpr float kInverseLn2 = 1.44269504f;
  constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;  // ln 2 in two parts
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number
  const float low = x < kLeast ? kLeast : x;
  const float inside = low > kMost ? kMost : low;
  const float shifted = inside * kInverseLn2 + kRound;
  const float n = shifted - kRound;
  const float f = (inside - n * kLn2High) - n * kLn2Low;
  float p = 1.0f / 5040;
  p = p * f + 1.0f / 720;
  p = p * f + 1.0f / 120;
  p = p * f + 1.0f / 24;
  p = p * f + 1.0f / 6;
  p = p * f + 0.5f;
  p = p * f + 1.0f;
  p = p * f + 1.0f;
  // n = 128 does not fit the exponent, so half of it is multiplied in twice.
  const int whole = __builtin_bit_cast(int, shifted) - __builtin_bit_cast(int, kRound);
  const int half = whole >> 1;
  const float first = __builtin_bit_cast(float, (half + 127) << 23);
  const float second = __builtin_bit_cast(float, (whole - half + 127) << 23);
  const float y = p * first * second;
  const float above = x > kMost ? __builtin_inff() : y;
  return x < kLeast ? 0.0f : above;
}

// The probability that a standard normal variable is below x, within 3e-7.
//
// Abramowitz and Stegun, formula 7.1.26: erfc(z) = (a1 t + ... + a5 t^5) e^(-z^2) for z >= 0, with
// t = 1 / (1 + 0.3275911 z).
inline float vector_normal(float x) {
  const float size = x < 0 ? -x : x;
  const float z = size * 0.70710678f;
  const float t = 1.0f / (1.0f + 0.3275911f * z);
  float p = 1.061405429f;
  p = p * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  const float tail = 0.5f * p * t * vector_exp(-z * z);
  return x < 0 ? tail : 1.0f - tail;
}

// tanh x within 3e-7: its odd series in place of the quotient where that would lose digits.
inline float vector_tanh(float x) {
  const float size = x < 0 ? -x : x;
  const float far = 1.0f - 2.0f / (vector_exp(2.0f * size) + 1.0f);
  const float z = x * x;
  float p = -5.70498873e-3f;
  p = p * z + 2.06390888e-2f;
  p = p * z - 5.37397156e-2f;
  p = p * z + 1.33314422e-1f;
  p = p * z - 3.33332819e-1f;
  const float near = x + x * z * p;
  const float signed_far = x < 0 ? -far : far;
  return size < 0.625f ? near : signed_far;
}

}  // namespace
}  // namespace tbn::cpu
