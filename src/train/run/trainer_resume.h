// Whether a configuration may continue a run that another one began.
#pragma once

#include <string>

#include "config/config.h"

namespace tbn {

// Checks that `config` may continue a run. Machine, length and places may change between the parts
// of a run (train.epochs, max_steps, device, threads, checkpoint_every, checkpoint_minutes,
// eval_batch_size; data.root, threads; name, output). Any other difference would make another run
// of it: throws ConfigError with the first such line. `stored_yaml` is the earlier configuration,
// `source` its place for messages, which end with `rename`, how to begin another run.
void check_resumable(const Config& config, const std::string& stored_yaml,
                     const std::string& source, const std::string& rename = "name=...");

// Those of the settings that may change which differ from the earlier ones, but for the run's
// place: "train.epochs=3 (was 4), train.threads=2 (was 0)"; empty: none. Of a configuration that
// may resume.
std::string changed_settings(const Config& config, const std::string& stored_yaml,
                             const std::string& source);

// `config` with the values of those settings that are younger than the run: it goes on by the rules
// that it began with, whatever their defaults are today. `as_earlier` is `config` by the defaults
// of before there were such settings: what it says otherwise than these was asked for, and stays.
Config resumed_config(Config config, const Config& as_earlier, const std::string& stored_yaml,
                      const std::string& source);

}  // namespace tbn
