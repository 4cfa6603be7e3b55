// Reads a table by the rule of a network that was trained elsewhere or earlier: whether that is
// possible, and which differences the user should know.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/series/csv_table.h"
#include "data/source/series_rule.h"

namespace tbn {

// Throws DataError, beginning with `where`, for a rule that no training makes: statistics that are
// not of `columns` columns, not finite or no scale, and rows below zero. Rules come from files.
void check_rule(const SeriesRule& rule, std::int64_t columns, const std::string& where);

// Of `rule`, with what it leaves open from `found`, the rule that the table at hand would make.
SeriesRule completed(SeriesRule rule, const SeriesRule& found);

// Whether a column's mean is more than 3 of the deviations `a` off, or its deviation more than 3
// times as large or small, as in other units.
bool are_other_units(const SeriesStatistics& a, const SeriesStatistics& b, std::size_t column);

// Sentences on what of the table a network of `rule` was not measured on: more rows, another step,
// and columns in other units. `found` has no statistics.
std::vector<std::string> differences(const CsvTable& table, const SeriesRule& rule,
                                     const SeriesRule& found);

}  // namespace tbn
