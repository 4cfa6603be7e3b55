// A run's result in its best checkpoint, in words and as JSON, for summary.json and --json.
#include "train/run/trainer_outcome.h"

#include <cmath>

#include <fmt/format.h>

#include "config/load.h"
#include "eval/measure.h"

namespace tbn {

void put_figures(Checkpoint& best, const TrainOutcome& outcome, const Rule& rule,
                 const std::string& root, const std::string& where) {
  SavedMetrics& metrics = best.metrics;
  metrics.measure = measure_of(outcome.test->task);
  metrics.test = measure_value(*outcome.test);
  metrics.test_loss = outcome.test->loss;
  if (outcome.validation) {
    metrics.val = measure_value(*outcome.validation);
    metrics.val_loss = outcome.validation->loss;
  }
  best.rule = rule;
  Config recorded = parse_recorded_config(best.config_yaml, where);
  if (recorded.data.root == root) return;
  recorded.data.root = root;
  best.config_yaml = print_config(recorded);
}

std::string left_text(const SavedMetrics& then, const EvalMetrics& now) {
  std::string text = "nothing was left to train: the run's files stay as they are";
  if (then.test && std::abs(*then.test - measure_value(now)) > 1e-4 * std::abs(*then.test)) {
    text += fmt::format(
        ", with the test {} {:.4f} of the data that it was measured on; that of the data at hand "
        "is "
        "{:.4f}",
        then.measure, *then.test, measure_value(now));
  }
  return text;
}

Json outcome_json(const Config& config, const TrainOutcome& outcome, const Summary& summary) {
  const LayerSummary& totals = summary.totals;
  Json json = Json::object();
  json["name"] = config.name;
  json["data"] = config.data.name;
  json["root"] = config.data.root;
  json["folder"] = outcome.folder.string();
  json["complete"] = outcome.is_complete;
  if (outcome.signal != 0) json["signal"] = outcome.signal;
  json["epochs"] = outcome.epochs;
  json["steps"] = outcome.steps;
  json["best_epoch"] = outcome.best_epoch;
  if (outcome.validation) json["validation"] = metrics_json(*outcome.validation);
  if (outcome.test) json["test"] = metrics_json(*outcome.test);
  if (outcome.norm_margin) {
    json["norm_margin"] = Json::object(
        {{"norm", outcome.norm_margin->norm}, {"variance_to_eps", outcome.norm_margin->ratio}});
  }
  json["weights"] = totals.weights;
  json["bits"] = totals.bits;
  json["bits_per_weight"] = totals.bits_per_weight;
  json["bytes"] = totals.bytes;
  json["macs"] = totals.macs;
  json["dense_macs"] = totals.dense_macs;
  json["device"] = outcome.device;
  json["samples_per_s"] = outcome.samples_per_second;
  json["train_seconds"] = outcome.train_seconds;
  json["seconds"] = outcome.seconds;
  return json;
}

}  // namespace tbn
