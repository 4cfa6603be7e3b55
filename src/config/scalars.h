// Strict reading of single values, and their text in YAML.
//
// true and false are the only booleans. A whole number may be written with an exponent or a point
// as long as its value is whole and below 2^53 (1e3, 10.0). A leading zero (010) is refused,
// because readers of YAML disagree about it, and so are hexadecimal, underscores, infinities and
// NaN. A text may be any single value, quoted or not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/yaml_tree.h"

namespace tbn {

// Each sets `value` and returns "", or returns what is wrong: "must be a number, is 'abc'".
std::string read_value(const YamlNode& node, bool& value);
std::string read_value(const YamlNode& node, std::int64_t& value);
std::string read_value(const YamlNode& node, double& value);
std::string read_value(const YamlNode& node, std::string& value);

// Text that reads back as the same value.
std::string yaml_text(bool value);
std::string yaml_text(std::int64_t value);
std::string yaml_text(double value);
std::string yaml_text(const std::string& value);  // in quotes where plain text would not do

}  // namespace tbn
