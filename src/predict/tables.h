// Tables of a series as inputs: the last rows are what the network sees, the steps ahead what it
// predicts.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "predict/input.h"

namespace tbn {

// A CSV file as `csv` data sets are read; columns are taken by name, in any order and with others
// among them. Throws DataError where it has fewer rows than the network sees or lacks a column.
PredictionInput table_input(const std::filesystem::path& path, const std::string& name,
                            const NetworkForm& form);
// The same of a CSV file's text.
PredictionInput table_of_text(std::string text, const std::string& name, const NetworkForm& form);

// The last rows of [rows, the network's columns].
PredictionInput rows_input(std::span<const double> rows, const std::string& name,
                           const NetworkForm& form);

}  // namespace tbn
