// What a network's outputs say of one input.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "predict/input.h"

namespace tbn {

enum class PredictionKind { kClass, kPointClasses, kForecast };

// By the file's rule; by the shape of the outputs where it does not say. Throws ConfigError for
// outputs of which neither says what they are.
PredictionKind prediction_kind(const NetworkForm& form);

struct ClassShare {
  std::int64_t label = 0;  // the place of its logit
  double share = 0;        // classification: its probability; points: the share of those called it
};

struct Prediction {
  // The most probable first; of equal ones the first label. Points: the most frequent first, those
  // that occur.
  std::vector<ClassShare> classes = {};
  std::vector<std::int64_t> labels = {};  // points: of each that the network was given, [N]
  std::vector<float> forecast = {};       // [H, C], in the table's units
};

// `outputs` [output] of the network for `input`; `most` classes at most. Probabilities are the
// softmax of the logits; a point's label is the largest logit among those of its object's kind.
// Throws NonFiniteError where an output is infinite or not a number.
Prediction prediction_of(const NetworkForm& form, const PredictionInput& input,
                         std::span<const float> outputs, std::int64_t most);

// What a class is called: its name, else its number.
std::string class_name(const NetworkForm& form, std::int64_t label);
// What a column of a forecast is called: its name, else "column 3".
std::string column_name(const NetworkForm& form, std::int64_t column);

}  // namespace tbn
