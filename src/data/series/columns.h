// Which columns of a table a network takes, and in which order: by name wherever names are unique.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/series/csv_table.h"
#include "data/source/options.h"

namespace tbn {

struct ColumnChoice {
  std::vector<std::size_t> columns;  // of the table, in the order of the network's inputs
  std::vector<std::string> notes;    // where the choice is not what the table shows
};

// The columns that `options` asks for among a table's `names`:
//
//   neither names nor a rule       all, in the table's order; a name that is there twice is noted
//   data.series.columns            those named, in that order
//   a rule                         the rule's, by name; other columns are refused, unless the rule
//                                  was made with chosen ones
//   a rule and names               the rule's by name where these are the same names, else by place
//
// Where a name is repeated, in the table or in the rule, a rule's columns are taken by place, and
// must be as many. Throws ConfigError for names that the table lacks or has twice, and DataError
// where a table has not the rule's columns; both begin with `where`.
ColumnChoice choose_columns(const std::vector<std::string>& names, const SeriesOptions& options,
                            const std::string& where);

// How many columns `options` asks for, of a table with `columns` of them.
std::int64_t chosen_columns(std::int64_t columns, const SeriesOptions& options);

// Throws DataError, beginning with `where`, for a first column of a table without dates that
// changes by the same step from row to row: the number of a row or its time stamp, whose values of
// training no later row has.
void check_no_index(const CsvTable& table, const std::string& where);

}  // namespace tbn
