// Finds each name among the network's, and renumbers labels.
#include "data/class_match.h"

#include <numeric>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "base/counted.h"
#include "base/nearest.h"
#include "base/shown.h"
#include "tbn/error.h"

namespace tbn {
namespace {

class Renumbered final : public Dataset {
 public:
  Renumbered(std::shared_ptr<const Dataset> data, SampleSpec spec,
             std::vector<std::int64_t> outputs)
      : data_(std::move(data)), spec_(std::move(spec)), outputs_(std::move(outputs)) {}

  const SampleSpec& spec() const override { return spec_; }
  std::int64_t size() const override { return data_->size(); }
  bool read(std::int64_t index, const ReadContext& context, SampleOut out) const override {
    if (!data_->read(index, context, out)) return false;
    for (std::int64_t i = 0; i < data_->spec().labels(); ++i) {
      out.labels[i] = outputs_[static_cast<std::size_t>(out.labels[i])];
    }
    return true;
  }
  InputRule input_rule() const override { return data_->input_rule(); }
  std::string identity(std::int64_t index) const override { return data_->identity(index); }
  std::int64_t stratum(std::int64_t index) const override { return data_->stratum(index); }
  SkipReport skips() const override { return data_->skips(); }

 private:
  std::shared_ptr<const Dataset> data_;
  SampleSpec spec_;
  std::vector<std::int64_t> outputs_;
};

// Which names stand for which where they differ, the first ten; empty where none do.
std::string differing(const std::vector<std::string>& data,
                      const std::vector<std::string>& network) {
  constexpr std::size_t kShown = 10;
  std::string pairs;
  std::size_t count = 0;
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (data[i] == network[i] || ++count > kShown) continue;
    pairs +=
        fmt::format("{}'{}' for '{}'", count == 1 ? "" : ", ", shown(data[i]), shown(network[i]));
  }
  if (count == 0) return {};
  const std::string more = count > kShown ? fmt::format(" and {} more", count - kShown) : "";
  return fmt::format(
      "the data's classes stand for the network's of the same place, and {} of {} are called "
      "otherwise: {}{}",
      count, data.size(), pairs, more);
}

ClassMatch by_number(const OutputRule& network, const SampleSpec& data, const std::string& where) {
  if (network.classes.size() != data.class_names.size()) {
    throw DataError(fmt::format("{}: the network tells {} apart, and the data has {}", where,
                                counted(std::ssize(network.classes), "class", "classes"),
                                data.class_names.size()));
  }
  ClassMatch match;
  match.outputs.resize(data.class_names.size());
  std::iota(match.outputs.begin(), match.outputs.end(), std::int64_t{0});
  match.note = differing(data.class_keys(), network.keys());
  return match;
}

[[noreturn]] void refuse(const std::string& name, const OutputRule& network,
                         const std::string& way_out, const std::string& where) {
  const std::vector<std::string>& keys = network.keys();
  const std::string guess = nearest(name, keys);
  throw DataError(fmt::format(
      "{}: class '{}' of the data is none of the network's {}{}; rename its folder{}", where, name,
      keys.size(), guess.empty() ? "" : fmt::format(" (nearest '{}')", guess), way_out));
}

}  // namespace

ClassMatch match_classes(const OutputRule& network, const SampleSpec& data, bool by_place,
                         const std::string& where, const std::string& way_out) {
  const std::vector<std::string>& theirs = data.class_keys();
  const std::vector<std::string>& ours = network.keys();
  if (by_place || theirs == ours || data.task.task != Task::kClassification) {
    return by_number(network, data, where);
  }
  std::unordered_map<std::string, std::int64_t> places;
  for (std::size_t i = 0; i < ours.size(); ++i)
    places.emplace(ours[i], static_cast<std::int64_t>(i));
  if (places.size() != ours.size()) return by_number(network, data, where);  // names do not tell
  ClassMatch match;
  for (const std::string& name : theirs) {
    const auto found = places.find(name);
    if (found == places.end())
      refuse(name, network, theirs.size() == ours.size() ? way_out : "", where);
    match.outputs.push_back(found->second);
  }
  match.note = theirs.size() == ours.size()
                   ? "the data has the network's classes in another order; they are matched by name"
                   : fmt::format("{} of the network's {} classes {} in the data, matched by name",
                                 theirs.size(), ours.size(), theirs.size() == 1 ? "is" : "are");
  return match;
}

std::shared_ptr<const Dataset> with_classes_of(const OutputRule& network,
                                               std::shared_ptr<const Dataset> data,
                                               const ClassMatch& match) {
  if (match.note.empty()) return data;
  SampleSpec spec = data->spec();
  spec.class_names = network.classes;
  spec.class_folders = network.folders;
  spec.task.output.back() = static_cast<std::int64_t>(network.classes.size());
  return std::make_shared<Renumbered>(std::move(data), std::move(spec), match.outputs);
}

}  // namespace tbn
