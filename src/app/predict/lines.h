// How tbn-predict writes a prediction: as text, CSV or JSON.
#pragma once

#include <string>

#include "file/json.h"
#include "predict/input.h"
#include "predict/prediction.h"

namespace tbn::app {

// The first line of CSV: "input,class,probability,class_2,..." for `most` classes,
// "input,class,share,..." for clouds, "input,time,<columns>" of a forecast.
std::string csv_header(const NetworkForm& form, std::int64_t most);

// Ends with a line break. A forecast takes a line per step: with its date, or the number of the
// step where the table has no dates.
std::string csv_lines(const NetworkForm& form, const PredictionInput& input,
                      const Prediction& prediction, std::int64_t most);
// The same with tabs for people: "cat.jpg<tab>cat 0.9710<tab>dog 0.0204".
std::string text_lines(const NetworkForm& form, const PredictionInput& input,
                       const Prediction& prediction);

// {"input", "class", "label", "probability", "top": [{"class", "label", "probability"}]}
// {"input", "shares": [{"class", "label", "share"}], "points": [...], "labels": [...]}
// {"input", "columns": [...], "times": [...], "forecast": [[...], ...]}
Json prediction_json(const NetworkForm& form, const PredictionInput& input,
                     const Prediction& prediction);
// {"input", "error"}
Json error_json(const PredictionInput& input);

}  // namespace tbn::app
