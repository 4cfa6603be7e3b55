// Settings that are one of a few words: in code an enum, in YAML a word.
//
// Words<E>::kAll has a word for each value of E, in their order, which is also the order in which
// messages and configs/reference.yaml list them. A setting of an enum without such a table does not
// compile.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string_view>
#include <type_traits>

#include "data/source/options.h"

namespace tbn {

enum class LatentStart { kNormal, kKaimingUniform };  // distribution of latents
enum class AlphaStart { kPositive, kBothSigns };      // signs of learned scalars
enum class NormStart { kApart, kIdentity };           // weights +-1 and biases N(0, b), or 1 and 0
enum class Exif { kIgnore, kTurn };                   // the orientation that a photo says
enum class Toggle { kAuto, kOn, kOff };
enum class OptimizerType { kSgd, kAdam, kAdamW, kAdadelta, kBop };
enum class SecondMoment { kElement, kRow };  // what has a mean square of its own
enum class ScheduleType { kConstant, kCosine, kOneCycle, kStep };
enum class TrainPrecision { kFp32, kBf16, kAuto };
enum class ScalarForm { kF32, kF16 };  // of the numbers of packed files

template <class E>
struct Words;

template <>
struct Words<LatentStart> {
  static constexpr std::array<std::string_view, 2> kAll = {"normal", "kaiming_uniform"};
};
template <>
struct Words<AlphaStart> {
  static constexpr std::array<std::string_view, 2> kAll = {"positive", "both_signs"};
};
template <>
struct Words<NormStart> {
  static constexpr std::array<std::string_view, 2> kAll = {"apart", "identity"};
};
template <>
struct Words<Exif> {
  static constexpr std::array<std::string_view, 2> kAll = {"ignore", "turn"};
};
template <>
struct Words<Toggle> {
  static constexpr std::array<std::string_view, 3> kAll = {"auto", "on", "off"};
};
template <>
struct Words<OptimizerType> {
  static constexpr std::array<std::string_view, 5> kAll = {"sgd", "adam", "adamw", "adadelta",
                                                           "bop"};
};
template <>
struct Words<SecondMoment> {
  static constexpr std::array<std::string_view, 2> kAll = {"element", "row"};
};
template <>
struct Words<ScheduleType> {
  static constexpr std::array<std::string_view, 4> kAll = {"constant", "cosine", "one_cycle",
                                                           "step"};
};
template <>
struct Words<TrainPrecision> {
  static constexpr std::array<std::string_view, 3> kAll = {"fp32", "bf16", "auto"};
};
template <>
struct Words<ScalarForm> {
  static constexpr std::array<std::string_view, 2> kAll = {"f32", "f16"};
};
template <>
struct Words<OnError> {
  static constexpr std::array<std::string_view, 2> kAll = {"stop", "skip"};
};
template <>
struct Words<LimitRule> {
  static constexpr std::array<std::string_view, 2> kAll = {"class", "first"};
};
template <>
struct Words<Decode> {
  static constexpr std::array<std::string_view, 3> kAll = {"auto", "exact", "reduce"};
};
template <>
struct Words<RotationAxes> {
  static constexpr std::array<std::string_view, 3> kAll = {"none", "up", "all"};
};

template <class E>
concept Worded = std::is_enum_v<E> && requires {
  Words<E>::kAll.size();
};

// The word of `value`.
template <Worded E>
constexpr std::string_view word_of(E value) {
  return Words<E>::kAll.at(static_cast<std::size_t>(value));
}

// The value that `word` stands for, if it stands for one.
template <Worded E>
constexpr std::optional<E> value_of(std::string_view word) {
  for (std::size_t i = 0; i < Words<E>::kAll.size(); ++i) {
    if (Words<E>::kAll[i] == word) return static_cast<E>(i);
  }
  return std::nullopt;
}

}  // namespace tbn
