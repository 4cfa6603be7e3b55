// Goes over the table of uses, and looks each key up in the tree.
#include "config/idle.h"

#include <string>
#include <string_view>

#include "config/key_use.h"
#include "config/reader.h"
#include "config/scalars.h"
#include "config/weight_use.h"

namespace tbn {
namespace {

// The value of a dotted key without indices, or null.
const YamlNode* find_value(const YamlNode& root, std::string_view key) {
  const YamlNode* node = &root;
  for (;;) {
    const std::size_t dot = key.find('.');
    node = node->find(key.substr(0, dot));
    if (node == nullptr || dot == std::string_view::npos) return node;
    key.remove_prefix(dot + 1);
  }
}

void erase_value(YamlNode& root, std::string_view key) {
  YamlNode* map = &root;
  for (std::size_t dot = key.find('.'); dot != std::string_view::npos; dot = key.find('.')) {
    map = map->find(key.substr(0, dot));
    if (map == nullptr) return;
    key.remove_prefix(dot + 1);
  }
  std::erase_if(map->entries, [&](const YamlEntry& entry) { return entry.key == key; });
}

// Whether the configuration is the same without it: printed ones say every default.
bool says_default(YamlNode root, std::string_view key, const Config& config) {
  erase_value(root, key);
  Config without;
  Problems ignored;
  read_config(root, without, ignored);
  without.name = config.name;
  return without == config;
}

class IdleReporter {
 public:
  IdleReporter(const YamlNode& root, const Config& config, unsigned uses, const AuthorOf& author)
      : root_(root), config_(config), uses_(uses), author_(author) {}

  std::string wrong_with(std::string_view key, const YamlNode& value) const {
    const Author by = author_(value.place);
    if (by == Author::kInherited) return "";
    std::string for_data = idle_for_data(key, config_);
    if (by == Author::kTyped) {
      if (!for_data.empty()) return for_data;
      std::string here = idle_in(key, uses_);
      if (!here.empty() || names_form(key, value)) return here;
      return idle_beside(key, config_, uses_);
    }
    const YamlNode* name = find_value(root_, "data.name");
    const bool other_data = name != nullptr && author_(name->place) == Author::kTyped;
    if (for_data.empty() || other_data || says_default(root_, key, config_)) return "";
    return for_data;
  }

 private:
  // weights.p=1 makes binary weights of tiled ones, in which p means nothing any more.
  bool names_form(std::string_view key, const YamlNode& value) const {
    std::int64_t number = 0;
    return read_value(value, number).empty() && names_encoding(key, number, config_.weights);
  }

  const YamlNode& root_;
  const Config& config_;
  unsigned uses_;
  const AuthorOf& author_;
};

}  // namespace

void report_idle(const YamlNode& root, const Config& config, unsigned uses, const AuthorOf& author,
                 Problems& problems) {
  const IdleReporter reporter(root, config, uses, author);
  const auto judge = [&](const std::string& key, const YamlNode& value) {
    const std::string wrong = reporter.wrong_with(key, value);
    if (!wrong.empty()) problems.add(value.place, key, wrong);
  };
  for (const KeyUse& use : key_uses()) {
    if (const YamlNode* value = find_value(root, use.key)) judge(std::string(use.key), *value);
  }
  const YamlNode* model = root.find("model");
  if (model == nullptr) return;
  for (const YamlEntry& entry : model->entries) judge("model." + entry.key, entry.value);
}

bool leave_out_idle(YamlNode& root, const Config& config) {
  bool any = false;
  for (const KeyUse& use : key_uses()) {
    if (idle_for_data(use.key, config).empty() || find_value(root, use.key) == nullptr) continue;
    erase_value(root, use.key);
    any = true;
  }
  return any;
}

}  // namespace tbn
