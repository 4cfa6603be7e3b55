// Reads files, bases and overrides into one tree, and the tree into a Config.
#include "config/load.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>
#include <system_error>

#include "base/utf8.h"
#include "config/idle.h"
#include "config/keys.h"
#include "config/reader.h"
#include "config/scalars.h"
#include "config/yaml_tree.h"
#include "tbn/error.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxDepth = 8;
constexpr std::size_t kMaxFiles = 64;  // bases of bases could multiply without end
const char* const kDefaultModel = "resnet18";

// What keys that came later than the first runs meant when there were none, where that is not their
// default: a recorded configuration is read on top of this.
const char* const kEarlierValues = "data: {limits: first, decode: reduce, skip_most: 1}";

// Puts `from` over `into`: maps key by key, everything else as a whole.
void merge(YamlNode& into, YamlNode from) {
  const bool is_empty_section =
      from.kind == YamlNode::Kind::kNull && into.kind == YamlNode::Kind::kMap;
  if (is_empty_section) return;
  if (into.kind != YamlNode::Kind::kMap || from.kind != YamlNode::Kind::kMap) {
    into = std::move(from);
    return;
  }
  if (from.place.line > 0) into.place = from.place;
  for (YamlEntry& entry : from.entries) {
    const auto same = std::find_if(into.entries.begin(), into.entries.end(),
                                   [&](const YamlEntry& old) { return old.key == entry.key; });
    if (same == into.entries.end()) {
      into.entries.push_back(std::move(entry));
    } else {
      same->place = entry.place;
      merge(same->value, std::move(entry.value));
    }
  }
}

// "a.b.c" at its dots.
std::vector<std::string> split(std::string_view key) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t dot = key.find('.');
    parts.emplace_back(key.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    key.remove_prefix(dot + 1);
  }
}

// Options belong to a family: under another `model.type` those given before mean nothing.
void drop_options_of_other_type(YamlNode& into, const YamlNode& from) {
  YamlNode* old_model = into.find("model");
  const YamlNode* new_model = from.find("model");
  const YamlNode* new_type = new_model != nullptr ? new_model->find("type") : nullptr;
  if (old_model == nullptr || new_type == nullptr) return;
  const YamlNode* old_type = old_model->find("type");
  const std::string before = old_type != nullptr ? old_type->text : kDefaultModel;
  if (before != new_type->text) old_model->entries.clear();
}

class Loader {
 public:
  YamlNode root;
  Problems problems;

  const std::vector<fs::path>& files() const { return read_; }

  void load_file(const fs::path& file) {
    load_file(file, Place{std::make_shared<const std::string>(file.string()), 0, 0}, "", "");
  }

  void load_text(std::string_view text, const std::string& name) {
    const YamlSource source{std::make_shared<const std::string>(name)};
    YamlNode tree = read_map(text, source);
    if (const YamlNode* base = tree.find("base")) {
      problems.add(base->place, "base", "is only for files");
      std::erase_if(tree.entries, [](const YamlEntry& entry) { return entry.key == "base"; });
    }
    put_over(std::move(tree));
  }

  void put_over(YamlNode tree) {
    drop_options_of_other_type(root, tree);
    merge_over(root, std::move(tree));
  }

  // Settings "key.sub=value" of the command line, each key of which is said once.
  void apply(const std::vector<std::string>& settings) {
    YamlNode all;
    std::map<std::string, std::string> said_by;
    for (const std::string& text : settings) {
      if (std::optional<Setting> setting = split_setting(text)) {
        YamlNode tree = tree_of(*setting, type_after(settings));
        check_once(tree, "", text, said_by);
        merge_over(all, std::move(tree));
      }
    }
    if (all.kind != YamlNode::Kind::kNull) put_over(std::move(all));
  }

  // What was inherited for other data keeps its values where `keeps_idle`, else has its defaults.
  Config finish(const std::string& default_name, unsigned uses, bool keeps_idle = false) {
    if (unreadable_) problems.throw_if_any();  // what is missing would cause false alarms below
    Config config = read(default_name);
    if (uses != 0) {
      report_idle(
          root, config, uses, [this](const Place& place) { return author_of(place); }, problems);
    }
    problems.throw_if_any();
    if (!keeps_idle && leave_out_idle(root, config)) config = read(default_name);
    return config;
  }

  // The options of a network that is there are no keys of the default family, and would be unknown.
  void refuse_network_settings(const std::vector<std::string>& settings, unsigned uses) {
    for (const std::string& setting : settings) {
      const std::string key = setting.substr(0, setting.find('='));
      if (key != "model" && !key.starts_with("model.")) continue;
      problems.add(command_line_.at(0, 0), key, idle_in("model.type", uses));
    }
    problems.throw_if_any();
  }

 private:
  Config read(const std::string& default_name) {
    Config config;
    read_config(root, config, problems);
    if (config.name.empty()) config.name = default_name;
    check_config(config, root, problems);
    problems.throw_if_any();
    return config;
  }

  Author author_of(const Place& place) const {
    if (place.source == command_line_.name) return Author::kTyped;
    return place.source != nullptr && place.source == named_ ? Author::kFile : Author::kInherited;
  }

  struct Setting {
    std::vector<std::string> parts;  // of the key
    std::string key;
    std::string value;
  };

  // "key.sub=value" at its first '='; nothing where it is reported.
  std::optional<Setting> split_setting(const std::string& text) {
    const std::size_t equals = text.find('=');
    const std::string key = text.substr(0, equals);
    if (equals == std::string::npos || key.empty()) {
      problems.add(command_line_.at(0, 0), "",
                   "'" + printable(text) + "' is no setting: write key.sub=value");
      return std::nullopt;
    }
    std::vector<std::string> parts = split(key);
    std::string wrong;
    if (key.find('[') != std::string::npos) {
      wrong = "elements of a list cannot be set one by one: give all of it";
    } else if (key == "base") {
      wrong = "is only for files";
    } else if (parts.size() > 8 || std::find(parts.begin(), parts.end(), "") != parts.end()) {
      wrong = "is no key: write section.key=value";
    }
    if (!wrong.empty()) {
      problems.add(command_line_.at(0, 0), key, wrong);
      return std::nullopt;
    }
    return Setting{std::move(parts), key, text.substr(equals + 1)};
  }

  // The family of networks that settings make options of: the last that they name, or the file's.
  std::string type_after(const std::vector<std::string>& settings) const {
    const std::string key = "model.type=";
    const auto last = std::find_if(settings.rbegin(), settings.rend(),
                                   [&](const std::string& text) { return text.starts_with(key); });
    if (last != settings.rend()) return last->substr(key.size());
    const YamlNode* model = root.find("model");
    const YamlNode* type = model != nullptr ? model->find("type") : nullptr;
    return type != nullptr ? type->text : kDefaultModel;
  }

  // Reports what an earlier setting says otherwise: of two values one would not be heard.
  void check_once(const YamlNode& node, const std::string& key, const std::string& setting,
                  std::map<std::string, std::string>& said_by) {
    if (node.kind == YamlNode::Kind::kMap) {
      for (const YamlEntry& entry : node.entries) {
        check_once(entry.value, key.empty() ? entry.key : key + "." + entry.key, setting, said_by);
      }
      return;
    }
    const auto [before, is_first] = said_by.emplace(key, setting);
    if (is_first || before->second == setting) return;
    problems.add(command_line_.at(0, 0), key,
                 "is given by '" + printable(before->second) + "' and by '" + printable(setting) +
                     "'; give one of them");
  }

  // Maps down to the value, which is as typed where its key holds text and YAML elsewhere.
  YamlNode tree_of(const Setting& setting, const std::string& model_type) {
    YamlNode node = is_text_key(setting.key, model_type)
                        ? text_node(setting)
                        : read_tree(setting.value, command_line_, setting.key);
    node.place = command_line_.at(0, 0);
    for (auto part = setting.parts.rbegin(); part != setting.parts.rend(); ++part) {
      YamlNode map;
      map.kind = YamlNode::Kind::kMap;
      map.place = node.place;
      map.entries.push_back({*part, map.place, std::move(node)});
      node = std::move(map);
    }
    return node;
  }

  YamlNode text_node(const Setting& setting) {
    YamlNode node;
    node.kind = YamlNode::Kind::kScalar;
    node.quoted = true;
    node.text = setting.value;
    if (!is_utf8(node.text))
      refuse(command_line_.at(0, 0), setting.key,
             "is not UTF-8, which checkpoints keep; rename it, or make a link to it");
    return node;
  }

  static void merge_over(YamlNode& into, YamlNode tree) {
    if (into.kind == YamlNode::Kind::kNull) {
      into = std::move(tree);
    } else {
      merge(into, std::move(tree));
    }
  }

  YamlNode read_tree(std::string_view text, const YamlSource& source, const std::string& key) {
    std::optional<YamlNode> tree = parse_yaml(text, source, key, problems);
    if (!tree) unreadable_ = true;
    return tree ? std::move(*tree) : YamlNode{};
  }

  YamlNode read_map(std::string_view text, const YamlSource& source) {
    YamlNode tree = read_tree(text, source, "");
    if (tree.kind == YamlNode::Kind::kMap || unreadable_) return tree;
    const bool is_empty = tree.kind == YamlNode::Kind::kNull;
    problems.add(is_empty ? source.at(0, 0) : tree.place, "",
                 "must be a map of keys, is " + kind_name(tree));
    unreadable_ = true;
    return {};
  }

  void refuse(const Place& place, const std::string& key, const std::string& message) {
    problems.add(place, key, message);
    unreadable_ = true;
  }

  // `asked` is where the file was named, and `written` as what, for the message if there is none.
  void load_file(const fs::path& file, const Place& asked, const std::string& key,
                 const std::string& written) {
    std::error_code ignored;
    const fs::path identity = fs::weakly_canonical(file, ignored);
    if (std::find(open_.begin(), open_.end(), identity) != open_.end()) {
      const bool itself = asked.source && *asked.source == file.string();
      refuse(asked, key,
             itself ? "a file cannot be its own base"
                    : "'" + printable(written) + "' includes this file, and so itself");
      return;
    }
    if (open_.size() > kMaxDepth || ++files_ > kMaxFiles) {
      refuse(asked, key,
             open_.size() > kMaxDepth ? "files are nested more than 8 deep" : "more than 64 files");
      return;
    }
    std::string text;
    if (const std::string wrong = read_text(file, text); !wrong.empty()) {
      refuse(asked, key,
             key.empty() ? wrong
                         : "'" + printable(written) +
                               "', named from the folder of this file, is not read: " + wrong);
      return;
    }
    const YamlSource source{std::make_shared<const std::string>(file.string())};
    if (open_.empty()) named_ = source.name;
    YamlNode tree = read_map(text, source);
    read_.push_back(identity);
    open_.push_back(identity);
    load_bases(file, tree);
    open_.pop_back();
    put_over(std::move(tree));
  }

  void load_bases(const fs::path& file, YamlNode& tree) {
    const auto base = std::find_if(tree.entries.begin(), tree.entries.end(),
                                   [](const YamlEntry& entry) { return entry.key == "base"; });
    if (base == tree.entries.end()) return;
    const YamlNode node = std::move(base->value);
    tree.entries.erase(base);
    std::vector<YamlNode> names = node.items;
    if (node.kind != YamlNode::Kind::kList) names = {node};
    for (const YamlNode& name : names) {
      std::string path;
      const std::string wrong = read_value(name, path);
      if (!wrong.empty() || path.empty()) {
        refuse(name.place, "base", "must be a file or a list of files, is " + kind_name(name));
        continue;
      }
      load_file((file.parent_path() / path).lexically_normal(), name.place, "base", path);
    }
  }

  // What the shell opened, such as <(...); to open any other pipe would wait for its writer.
  static bool is_open_already(const fs::path& file) {
    const std::string path = file.string();
    return path == "/dev/stdin" || path.starts_with("/dev/fd/") ||
           path.starts_with("/proc/self/fd/");
  }

  // Reads at most one byte more than a configuration may have. Returns what is wrong.
  static std::string read_text(const fs::path& file, std::string& text) {
    std::error_code error;
    const fs::file_status status = fs::status(file, error);
    if (status.type() == fs::file_type::not_found) return "no such file";
    if (fs::is_directory(status)) return "is a folder; name a YAML file in it";
    if (!fs::is_regular_file(status) && !is_open_already(file)) {
      return "is no regular file; a pipe is read as /dev/stdin";
    }
    std::ifstream stream(file, std::ios::binary);
    text.resize(YamlLimits{}.bytes + 1);
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!stream.is_open() || stream.bad()) return "cannot be read";
    text.resize(static_cast<std::size_t>(stream.gcount()));
    return "";
  }

  const YamlSource command_line_{std::make_shared<const std::string>("command line"), false};
  std::shared_ptr<const std::string> named_;  // the file that was asked for
  std::vector<fs::path> open_;                // the file being read and those that named it
  std::vector<fs::path> read_;                // every file
  std::size_t files_ = 0;
  bool unreadable_ = false;
};

}  // namespace

Config load_config(const std::filesystem::path& file, const std::vector<std::string>& overrides,
                   ConfigUse use) {
  Loader loader;
  loader.load_file(file);
  loader.apply(overrides);
  return loader.finish(file.stem().string(), use);
}

std::vector<fs::path> config_files(const fs::path& file) {
  Loader loader;
  loader.load_file(file);
  loader.problems.throw_if_any();
  return loader.files();
}

ResumedConfig load_resumed_config(const std::filesystem::path& file,
                                  const std::vector<std::string>& overrides) {
  Loader loader;
  loader.load_file(file);
  loader.apply(overrides);
  ResumedConfig loaded{.config = loader.finish(file.stem().string(), kUseTraining),
                       .as_earlier = {}};
  Loader earlier;
  earlier.load_text(kEarlierValues, "earlier defaults");
  earlier.put_over(std::move(loader.root));
  loaded.as_earlier = earlier.finish(loaded.config.name, kUseTraining);
  return loaded;
}

Config parse_config(std::string_view yaml, const std::string& source,
                    const std::vector<std::string>& overrides) {
  Loader loader;
  loader.load_text(yaml, source);
  loader.apply(overrides);
  return loader.finish("unnamed", kUseTraining);
}

Config parse_recorded_config(std::string_view yaml, const std::string& source,
                             const std::vector<std::string>& overrides) {
  const auto load = [&](const std::string& place, const std::vector<std::string>& settings) {
    Loader loader;
    loader.load_text(kEarlierValues, "earlier defaults");
    loader.load_text(yaml, place);
    loader.apply(settings);
    return loader.finish("unnamed", kUseTraining);
  };
  try {
    Config config = load("configuration", {});
    if (overrides.empty()) return config;
  } catch (const ConfigError& error) {
    const std::string problems = error.what();
    throw DataError(source + ": " + problems.substr(0, problems.find('\n')));
  }
  return load(source, overrides);
}

DataConfig change_data(const DataConfig& data, const std::vector<std::string>& settings,
                       unsigned uses) {
  Config config;
  config.data = data;
  Loader loader;
  loader.load_text(print_config(config), "data");
  loader.refuse_network_settings(settings, uses);
  loader.apply(settings);
  return loader.finish("unnamed", uses, true).data;
}

}  // namespace tbn
