// Settings that contradict each other, which no single key's table can say.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "config/reader.h"
#include "config/weight_keys.h"
#include "encodings/encoding.h"

namespace tbn {
namespace {

class Checker {
 public:
  Checker(const Config& config, const YamlNode& root, Problems& problems)
      : config_(config), root_(root), problems_(problems) {}

  void check() {
    check_names();
    check_weight_fields(config_.weights.fields, "weights");
    for (std::size_t i = 0; i < config_.weights.rules.size(); ++i) {
      const WeightFields& fields = config_.weights.rules[i].fields;
      if (fields == config_.weights.fields) continue;
      check_weight_fields(fields, fmt::format("weights.rules[{}]", i));
    }
    check_optim_fields(config_.optim.fields, "optim");
    for (std::size_t i = 0; i < config_.optim.groups.size(); ++i) {
      check_optim_fields(config_.optim.groups[i].fields, fmt::format("optim.groups[{}]", i));
    }
    check_schedule();
    check_teacher();
    check_device();
  }

 private:
  // A key that was misread has its default here, which proves nothing.
  void problem(const std::string& key, const std::string& message) {
    if (!problems_.has(key)) problems_.add(place_of(root_, key), key, message);
  }

  void check_names() {
    if (!is_run_name(config_.name)) {
      problem("name", "must be a plain folder name of at most 200 bytes, is '" +
                          printable(config_.name) + "'");
    }
    if (config_.output.empty()) problem("output", "must name a folder, is empty");
  }

  // A rule equal to `weights` is reported there.
  void check_weight_fields(const WeightFields& fields, const std::string& path) {
    const WeightEncoding encoding = weight_encoding(fields);
    if (const auto found = encoding_of(encoding).contradiction(encoding)) {
      problem(path + "." + std::string(found->key), found->message);
    }
  }

  void check_optim_fields(const OptimFields& fields, const std::string& path) {
    // What a group takes from `optim` is reported there.
    const bool is_group = path != "optim";
    const bool own_betas = !is_group || fields.betas != config_.optim.fields.betas;
    if (fields.betas.size() != 2 && own_betas) {
      problem(path + ".betas", fmt::format("must be two numbers, is {}", fields.betas.size()));
    }
    if (fields.type == OptimizerType::kSgd && fields.nesterov && fields.momentum == 0) {
      problem(path + ".nesterov", "needs momentum above 0, is 0");
    }
    if (fields.type == OptimizerType::kBop && fields.lr > 1) {
      problem(path + ".lr",
              fmt::format("of bop is the newest gradient's share of the mean: at most 1, is {:g}",
                          fields.lr));
    }
  }

  void check_schedule() {
    const ScheduleConfig& schedule = config_.schedule;
    const auto epochs = static_cast<double>(config_.train.epochs);
    if (schedule.warmup_epochs >= epochs && schedule.warmup_epochs > 0) {
      problem("schedule.warmup_epochs", fmt::format("must be below train.epochs ({}), is {}",
                                                    config_.train.epochs, schedule.warmup_epochs));
    }
    if (schedule.type != ScheduleType::kStep && schedule.norm_gamma != 1) {
      problem("schedule.norm_gamma", "has a meaning for schedule.type: step only");
    }
    if (schedule.type == ScheduleType::kStep &&
        schedule.milestones.empty() == (schedule.every == 0)) {
      problem("schedule.type", schedule.every == 0
                                   ? "step needs schedule.milestones or schedule.every"
                                   : "step takes schedule.milestones or schedule.every, not both");
    }
    if (schedule.type == ScheduleType::kOneCycle && schedule.warmup_epochs > 0) {
      problem("schedule.warmup_epochs", "has no place in one_cycle, which warms up until peak_at");
    }
    const auto& milestones = schedule.milestones;
    if (std::adjacent_find(milestones.begin(), milestones.end(), std::greater_equal<>{}) !=
        milestones.end()) {
      problem("schedule.milestones", "must ascend");
    }
  }

  // What a teacher says of a blend is no blend of what it says of the two images, and who is
  // blended with whom changes with the epoch.
  void check_teacher() {
    if (config_.teacher.from.empty() || config_.teacher.views == 0) return;
    if (config_.data.mixup == 0 && config_.data.cutmix == 0) return;
    problem("teacher.views",
            fmt::format("keeps the teacher's outputs for single images, and data.{} mixes images "
                        "anew in every epoch; leave one of the two out",
                        config_.data.mixup > 0 ? "mixup" : "cutmix"));
  }

  void check_device() {
    const std::string& device = config_.train.device;
    if (device == "auto" || device == "cpu" || device == "cuda") return;
    const std::string prefix = "cuda:";
    const std::string index = device.substr(std::min(device.size(), prefix.size()));
    const bool is_index = !index.empty() && index.size() <= 2 &&
                          index.find_first_not_of("0123456789") == std::string::npos;
    if (device.compare(0, prefix.size(), prefix) != 0 || !is_index) {
      problem("train.device",
              "must be auto, cpu, cuda or cuda:N with N below 100, is '" + printable(device) + "'");
    }
  }

  const Config& config_;
  const YamlNode& root_;
  Problems& problems_;
};

}  // namespace

bool is_run_name(const std::string& name) {
  const bool has_separator = name.find_first_of("/\\") != std::string::npos;
  const bool has_control = printable(name) != name;
  return !has_separator && !has_control && name != "." && name != "..";
}

void check_config(const Config& config, const YamlNode& root, Problems& problems) {
  Checker(config, root, problems).check();
}

}  // namespace tbn
