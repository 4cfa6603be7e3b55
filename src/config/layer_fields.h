// Attributes of ops in YAML: how each type of attribute is read and written. An integer may be a
// word of tbn/layers.h; a Size2 is one integer or [height, width].
#pragma once

#include <string>
#include <vector>

#include "config/yaml_tree.h"
#include "tbn/layers.h"

namespace tbn {

// Each sets `field` and returns "", or returns what is wrong. Whole numbers are `least` or more.
std::string read_field(const YamlNode& node, std::int64_t& field, std::int64_t least);
std::string read_field(const YamlNode& node, bool& field);
std::string read_field(const YamlNode& node, double& field);
std::string read_field(const YamlNode& node, Size2& field, std::int64_t least);
std::string read_field(const YamlNode& node, Shape& field, std::int64_t least);
std::string read_field(const YamlNode& node, ActivationKind& field);
std::string read_field(const YamlNode& node, PositionKind& field);
std::string read_field(const YamlNode& node, PoolKind& field);

std::string field_text(std::int64_t field);
std::string field_text(bool field);
std::string field_text(double field);
std::string field_text(Size2 field);
std::string field_text(const Shape& field);
std::string field_text(ActivationKind field);
std::string field_text(PositionKind field);
std::string field_text(PoolKind field);

// Types that are in no file: the policy and the data set give their values.
template <class T>
constexpr bool kIsWritten =
    !std::is_same_v<T, WeightEncoding> && !std::is_same_v<T, std::vector<float>>;

// Attributes that have no useful default.
bool is_required(std::string_view op, std::string_view attribute);

// The least whole number that an attribute may be: 1, or 0 or -1 where these mean something.
std::int64_t least_of(std::string_view op, std::string_view attribute);

}  // namespace tbn
