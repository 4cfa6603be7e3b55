// A run's result as JSON, for summary.json and --json.
#include "train/run/trainer.h"

namespace tbn {

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
