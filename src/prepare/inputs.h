// The steps of a rule, carried out: what tbn/prepare.h offers, for a rule and the shape of an input
// instead of a network, and the example by which two places can compare how they do it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tbn/prepare.h"
#include "tbn/rule.h"

namespace tbn {

// As in tbn/prepare.h; `shape` is the network's input. Throw ConfigError.
void prepare_image(const Rule& rule, const Shape& shape, const Picture& picture,
                   std::span<std::uint8_t> input);
std::vector<std::int64_t> prepare_points(const Rule& rule, const Shape& shape,
                                         std::span<const float> cloud, std::int64_t category,
                                         std::span<float> input);
void prepare_rows(const Rule& rule, const Shape& shape, std::span<const double> rows,
                  std::span<const std::string> columns, std::span<float> input);

// The CRC-32C of what the steps make of an example: a picture of 97 rows and 61 columns, or a cloud
// of half as many points again as the network takes, both of the numbers of one generator. Nothing
// where there are no steps, or unknown ones, and for series, whose values are another table's.
std::optional<std::uint32_t> example_check(const Rule& rule, const Shape& shape);

// Throws ConfigError, beginning with `where`, where the steps have an unknown one.
void check_steps_known(const InputRule& rule, const std::string& where);

}  // namespace tbn
