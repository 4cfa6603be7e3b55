// How the rows of a series become the inputs of a network: the statistics that training measured,
// which a program that runs the network elsewhere needs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tbn {

// The rows of each split: training is [0, train), validation [train, train + validation), test the
// `test` rows after it. Rows beyond are not used.
struct SeriesRows {
  std::int64_t train = 0;
  std::int64_t validation = 0;
  std::int64_t test = 0;

  std::int64_t sum() const { return train + validation + test; }
  bool operator==(const SeriesRows&) const = default;
};

// The statistics of each column's training rows.
struct SeriesStatistics {
  std::vector<double> mean;
  std::vector<double> deviation;  // population standard deviation; 1 for a constant column
  bool operator==(const SeriesStatistics&) const = default;
};

struct SeriesRule {
  std::vector<std::string> columns;  // in the order of the network's inputs; empty: by place
  SeriesStatistics statistics;       // empty vectors: those of the table at hand
  double seconds = 0;                // from a row to the next; 0: not known
  SeriesRows rows;                   // all 0: as the data set says
  // The columns were named by the user (data.series.columns): a table may have others as well.
  bool chosen = false;
  bool operator==(const SeriesRule&) const = default;
};

}  // namespace tbn
