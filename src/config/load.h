// The way from YAML to a Config and back.
//
//   Config config = load_config("configs/resnet.yaml", {"optim.lr=0.05", "model.width=0.25"});
//   write(run_directory / "config.yaml", print_config(config));
//
// Precedence: defaults < `base:` files < the file < overrides, of which two that give one key
// different values are refused. Maps are merged key by key, lists are replaced as a whole. Where a
// file or an override changes `model.type`, the options of files below it are dropped.
//
// An override's value is taken as it was typed where its key holds text: "data.root=mnist #2" is
// the folder "mnist #2", "name='x'" has its quotes in it, "init.from=" is no file. It is YAML where
// its key holds a number, true or false, a list or a map.
//
// A setting that would do nothing (key_use.h) is refused where the command line says it, and where
// the file that is named says it of another kind of data than its own. What a base says of other
// data is left out: it has its default.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/key_use.h"

namespace tbn {

// Reads `file`, which is a regular one or what the shell opened (/dev/stdin, /dev/fd/N), the files
// its `base:` names (relative to it; at most 8 deep) and the overrides "key.sub=value". Throws
// ConfigError; its what() holds every problem, a line each: "file:line:column: optim.lrr: unknown
// key (did you mean optim.lr?)", or "command line: ...". `name` becomes the file's stem where none
// is given, and `model.options` every option of the family.
Config load_config(const std::filesystem::path& file,
                   const std::vector<std::string>& overrides = {}, ConfigUse use = kUseTraining);

// The files that load_config reads of `file`: itself and its bases, those of bases too, by their
// canonical paths. Throws ConfigError where one cannot be read.
std::vector<std::filesystem::path> config_files(const std::filesystem::path& file);

// As load_config, for a run that an earlier tbn may have begun: `as_earlier` has the defaults of
// before there was data.limits, data.decode and data.skip_most; what it says otherwise was asked
// for.
struct ResumedConfig {
  Config config;
  Config as_earlier;
};
ResumedConfig load_resumed_config(const std::filesystem::path& file,
                                  const std::vector<std::string>& overrides = {});

// The same as load_config from text, with `source` for the file's name in messages. `base:` is
// refused. A text is what a program keeps, so that what it says of other data is left out.
Config parse_config(std::string_view yaml, const std::string& source,
                    const std::vector<std::string>& overrides = {});

// The same of a text that print_config wrote, by this tbn or an earlier one, and that a checkpoint
// keeps: a key that it does not have takes the value by which runs were made before there was one,
// which may not be today's default (data.limits: first). Throws ConfigError for an override alone:
// what is wrong with the text is a damaged file, a DataError "<source>: configuration:3:5: ...".
Config parse_recorded_config(std::string_view yaml, const std::string& source,
                             const std::vector<std::string>& overrides = {});

// `data` as the command line changes it for samples that a trained network is run on. Throws
// ConfigError for settings that are wrong or do nothing for `uses`, bits of kUseEvaluation; with 0
// none is judged, for callers that do not know the other settings yet.
DataConfig change_data(const DataConfig& data, const std::vector<std::string>& settings,
                       unsigned uses);

// The resolved configuration as YAML, every key of it. Reading it gives an equal Config, and equal
// Configs give the same text.
std::string print_config(const Config& config);

// configs/reference.yaml: print_config of the defaults with a comment on each key.
std::string reference_config();

// Every key in dotted form, "weights.rules[].p" for those of list elements. `model.` options are
// those of the family `model_type`.
std::vector<std::string> config_keys(std::string_view model_type);

}  // namespace tbn
