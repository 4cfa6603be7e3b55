// The command line decides, else the recorded configuration; single precision otherwise.
#include "app/export/scalars.h"

#include <algorithm>

#include "base/half.h"
#include "base/text.h"
#include "config/load.h"
#include "graph/passes/half_scalars.h"
#include "tbn/error.h"

namespace tbn::app {
namespace {

constexpr const char* kKey = "export.scalars=";

DType type_named(const std::string& word) {
  const auto form = value_of<ScalarForm>(word);
  if (!form) throw ConfigError("--scalars: " + in_quotes(word) + " is not one of f32, f16");
  return scalar_type({.scalars = *form});
}

}  // namespace

void add_scalars_option(CommandLine& line) {
  line.value("scalars", "type",
             "of scalars, biases and layer norms: f32, or f16, rounded to half the bytes (default: "
             "export.scalars of the run; of a .tbn, as it is); with --format c of a run: f32, its "
             "numbers as trained, whatever export.scalars says");
}

void check_c_scalars(const CommandLine& line, bool is_packed) {
  if (!line.has("scalars")) return;
  if (is_packed) {
    throw ConfigError(
        "--scalars does nothing for --format c of a packed file, whose numbers were rounded, or "
        "not, when it was exported; leave it out");
  }
  if (type_named(line.text("scalars")) == DType::kF32) return;
  throw ConfigError(
      "--scalars f16: C holds no numbers in half precision; leave it out, for those of the run's "
      "packed file, or say f32, for those that were trained");
}

DType scalars_of(const CommandLine& line, const std::string& config_yaml,
                 const std::string& where) {
  for (const std::string& setting : line.settings()) {
    if (!setting.starts_with(kKey)) continue;
    throw ConfigError(in_quotes(setting) + ": is of trainings; say it as --scalars " +
                      setting.substr(std::string(kKey).size()));
  }
  if (line.has("scalars")) return type_named(line.text("scalars"));
  if (config_yaml.empty()) return DType::kF32;
  return scalar_type(parse_recorded_config(config_yaml, where).exported);
}

DType scalars_of(const CommandLine& line, const PackedFile& file) {
  if (line.has("scalars")) return type_named(line.text("scalars"));
  const bool has_halves = std::ranges::any_of(
      file.tensors, [](const auto& entry) { return entry.second.dtype() == DType::kF16; });
  return has_halves ? DType::kF16 : DType::kF32;
}

void set_scalars(Model& packed, DType scalars, const std::string& where) {
  if (scalars == DType::kF16) {
    narrow_scalars(packed, where);
  } else {
    widen_scalars(packed);
  }
}

void keep_scalars(Model& packed, const TensorMap& file) {
  for (auto& [name, tensor] : packed.tensors) {
    const auto found = file.find(name);
    if (found == file.end() || found->second.dtype() != DType::kF16) continue;
    if (tensor.dtype() == DType::kF32) tensor = narrowed(tensor);
  }
}

}  // namespace tbn::app
