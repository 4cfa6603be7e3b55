// The rule (tbn/rule.h) that a data set gives a packed file, and the check whether a data set is
// the one that such a rule was made from.
#pragma once

#include <string>
#include <vector>

#include "data/source/reader.h"
#include "data/source/series_rule.h"

namespace tbn {

// Of splits as they were opened with `options`, at least one of which is there.
Rule rule_of(const DataOptions& options, const DataSplits& splits);

bool is_of_series(const Rule& rule);

// What a series is read by, so that it is read as it was: the rule's columns, step, means and
// deviations and, of the same data set, its rows; empty where the rule does not say.
SeriesRule series_of(const Rule& rule, bool same_set);

// How the data at hand differs from what a network was trained and measured on.
struct DataDifference {
  // Samples were added, removed or renamed where others are then held out of them: a sentence, or
  // empty. Going on would train on what was held out, or measure on what was trained on.
  std::string of_training;
  std::string of_test;  // the same of the samples tested on, where the figure alone is another
};
// Of the splits that both know; the sentences begin with what `where` was measured on.
DataDifference difference(const MeasuredRule& then, const MeasuredRule& now,
                          const std::string& where);

// Before a run goes on with data at hand: throws DataError, beginning with `where`, where its
// classes, columns or training samples are others than `then`; returns what else the user should
// know.
std::vector<std::string> check_same_data(const Rule& then, const Rule& now,
                                         const std::string& where);

}  // namespace tbn
