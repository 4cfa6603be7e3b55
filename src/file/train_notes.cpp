// The two texts, and what must hold of them.
#include "file/train_notes.h"

#include "file/json.h"
#include "tbn/error.h"

namespace tbn {
namespace {

Json json_of(const TrainProgress& p) {
  Json json = Json::object();
  json["epoch"] = p.epoch;
  json["step_in_epoch"] = p.step_in_epoch;
  json["global_step"] = p.global_step;
  json["loss_sum"] = p.loss_sum;
  json["correct"] = p.correct;
  json["labels"] = p.labels;
  json["samples"] = p.samples;
  if (p.best_score) json["best_score"] = *p.best_score;
  if (p.best_loss) json["best_loss"] = *p.best_loss;
  json["best_epoch"] = p.best_epoch;
  if (p.awaits_validation) json["awaits_validation"] = true;
  return json;
}

// What no training could have counted would be divided by, or trained towards.
void check_counts(const TrainProgress& p) {
  if (p.step_in_epoch > p.global_step) throw DataError("step_in_epoch: more than global_step");
  if ((p.step_in_epoch > 0) != (p.samples > 0)) {
    throw DataError("samples: steps and samples of an epoch are both nothing, or neither is");
  }
  if (p.best_epoch > p.epoch) throw DataError("best_epoch: an epoch that is still to come");
}

TrainProgress progress_from(const Json& json) {
  constexpr std::int64_t kMost = std::int64_t{1} << 53;
  const auto count = [&](const char* key) { return json.at(key).as_int(0, kMost); };
  TrainProgress p;
  p.epoch = count("epoch");
  p.step_in_epoch = count("step_in_epoch");
  p.global_step = count("global_step");
  p.loss_sum = json.at("loss_sum").as_double();
  p.correct = count("correct");
  p.labels = count("labels");
  p.samples = count("samples");
  if (const Json* best = json.find("best_score")) p.best_score = best->as_double();
  if (const Json* loss = json.find("best_loss")) p.best_loss = loss->as_double();
  p.best_epoch = json.at("best_epoch").as_int(-1, kMost);
  if (const Json* awaits = json.find("awaits_validation")) p.awaits_validation = awaits->as_bool();
  check_counts(p);
  return p;
}

Json json_of(const SavedMetrics& metrics) {
  Json json = Json::object();
  if (metrics.val) json["val_" + metrics.measure] = *metrics.val;
  if (metrics.val_loss) json["val_loss"] = *metrics.val_loss;
  if (metrics.test) json["test_" + metrics.measure] = *metrics.test;
  if (metrics.test_loss) json["test_loss"] = *metrics.test_loss;
  return json;
}

SavedMetrics metrics_from(const Json& json) {
  json.as_object();
  SavedMetrics metrics;
  const auto number = [&](const std::string& key) -> std::optional<double> {
    const Json* value = json.find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number()) throw DataError("'" + key + "' is no number");
    return value->as_double();
  };
  for (const char* measure : {"accuracy", "miou", "mse"}) {
    const std::optional<double> val = number(std::string("val_") + measure);
    const std::optional<double> test = number(std::string("test_") + measure);
    if (val || test) metrics = {.measure = measure, .val = val, .test = test};
  }
  metrics.val_loss = number("val_loss");
  metrics.test_loss = number("test_loss");
  return metrics;
}

// What is wrong with a text is said with file and key.
template <class Read>
auto read_json(const std::string& text, const std::string& place, Read read) {
  const Json json = parse_json(text, place);
  try {
    return read(json);
  } catch (const DataError& error) {
    throw DataError(place + ": " + error.what());
  }
}

}  // namespace

bool TrainProgress::is_beaten_by(double score, double loss) const {
  if (!best_score || score > *best_score) return true;
  return score == *best_score && best_loss && loss < *best_loss;
}

void TrainProgress::set_best(std::optional<double> score, std::optional<double> loss) {
  best_score = score;
  best_loss = loss;
  best_epoch = epoch;
}

std::string to_json(const TrainProgress& progress) { return json_of(progress).compact(); }

std::string to_json(const SavedMetrics& metrics) { return json_of(metrics).compact(); }

TrainProgress read_progress(const std::string& text, const std::string& where) {
  return read_json(text, where + ": tbn.progress", progress_from);
}

SavedMetrics read_metrics(const std::string& text, const std::string& where) {
  return read_json(text, where + ": tbn.metrics", metrics_from);
}

}  // namespace tbn
