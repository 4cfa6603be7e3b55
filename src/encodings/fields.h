// The settings of an encoding, as its room lists them: graphs as text and as JSON, configurations
// and their reference all walk these lists, so that none can forget one.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "tbn/encodings.h"

namespace tbn {

// A number, or one of a field's choices.
using FieldValue = std::variant<std::int64_t, std::string_view>;

// One setting of an encoding.
struct Field {
  std::string_view key;
  std::string_view help;                  // its line in configs/reference.yaml
  std::vector<std::string_view> choices;  // empty: a number
  std::int64_t min = 0;                   // smallest number in configurations
  std::int64_t max = 0;                   // largest number in configurations
  FieldValue configured;                  // the default in configurations
  std::string_view open = {};             // the word for "decided by Encoding::fit_steps"
  // Whether the encoding is named by this field, as tiled(p=4): JSON then holds it even at its
  // default, and a configuration that sets it alone means this encoding.
  bool is_main = false;
  std::string_view question = {};  // asked where it is missing: "which factor tiles"

  // Read and write the setting of an encoding of the room's own kind. set() takes a choice, or any
  // number.
  FieldValue (*get)(const WeightEncoding&) = nullptr;
  void (*set)(WeightEncoding&, const FieldValue&) = nullptr;
};

// The kind that a member belongs to.
template <class T>
struct MemberOf;
template <class Kind, class T>
struct MemberOf<T Kind::*> {
  using type = Kind;
};
template <auto kMember>
using OwnerOf = typename MemberOf<decltype(kMember)>::type;

// The field of an integer member.
template <auto kMember>
Field number_field(std::string_view key, std::string_view help, std::int64_t min, std::int64_t max,
                   std::int64_t configured) {
  return {.key = key,
          .help = help,
          .choices = {},
          .min = min,
          .max = max,
          .configured = configured,
          .get = [](const WeightEncoding& encoding) -> FieldValue {
            return std::get<OwnerOf<kMember>>(encoding).*kMember;
          },
          .set =
              [](WeightEncoding& encoding, const FieldValue& value) {
                std::get<OwnerOf<kMember>>(encoding).*kMember = std::get<std::int64_t>(value);
              }};
}

// The field of an enum member, whose values are listed; a configuration's default is the first.
template <auto kMember, auto kFirst, auto... kOthers>
Field word_field(std::string_view key, std::string_view help) {
  return {.key = key,
          .help = help,
          .choices = {to_string(kFirst), to_string(kOthers)...},
          .configured = to_string(kFirst),
          .get = [](const WeightEncoding& encoding) -> FieldValue {
            return to_string(std::get<OwnerOf<kMember>>(encoding).*kMember);
          },
          .set =
              [](WeightEncoding& encoding, const FieldValue& value) {
                auto& member = std::get<OwnerOf<kMember>>(encoding).*kMember;
                const std::string_view word = std::get<std::string_view>(value);
                for (const auto each : {kFirst, kOthers...}) {
                  if (word == to_string(each)) member = each;
                }
              }};
}

}  // namespace tbn
