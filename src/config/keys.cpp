// The visitor that lists keys: for suggestions, and for the command line, whose values are text
// where a key's type is.
#include "config/keys.h"

#include <algorithm>
#include <utility>

#include "config/load.h"
#include "config/schema.h"

namespace tbn {
namespace {

// A key and whether its value is one text.
struct Key {
  std::string name;
  bool is_text = false;
};

class KeyLister {
 public:
  explicit KeyLister(std::string_view model_type) : model_type_(model_type) {}

  std::vector<Key> keys;

  template <class T>
  void value(const char* key, const T&, const ValueLimits&, const char*) {
    keys.push_back({path_ + key, std::same_as<T, std::string> || Worded<T>});
  }
  template <class S>
  void section(const char* key, const S& member, const char*) {
    inside(path_ + key, ".", [&] { describe(*this, member); });
  }
  template <class T, class P>
  void list(const char* key, const std::vector<T>&, const P&, const char*) {
    inside(path_ + key, "[].", [&] { describe(*this, kElement<T>); });
  }
  void model(const char* key, const ModelConfig&, const char*) {
    inside(path_ + key, ".", [&] {
      keys.push_back({path_ + "type", true});
      for (const ModelFamily& family : model_families()) {
        if (family.name != model_type_) continue;
        for (const OptionSpec& spec : family.options) {
          keys.push_back({path_ + spec.key, std::holds_alternative<std::string>(spec.value)});
        }
      }
    });
  }

 private:
  template <class T>
  inline static const T kElement{};

  template <class Body>
  void inside(const std::string& key, const char* separator, const Body& body) {
    keys.push_back({key});
    const std::string outer = std::exchange(path_, key + separator);
    body();
    path_ = outer;
  }

  std::string model_type_;
  std::string path_;
};

std::vector<Key> keys_of(std::string_view model_type) {
  KeyLister lister(model_type);
  const Config defaults;
  describe(lister, defaults);
  lister.keys.push_back({"base", true});
  return std::move(lister.keys);
}

}  // namespace

std::vector<std::string> config_keys(std::string_view model_type) {
  std::vector<std::string> names;
  for (Key& key : keys_of(model_type)) names.push_back(std::move(key.name));
  return names;
}

bool is_text_key(std::string_view key, std::string_view model_type) {
  const std::vector<Key> keys = keys_of(model_type);
  const auto found =
      std::find_if(keys.begin(), keys.end(), [&](const Key& each) { return each.name == key; });
  return found == keys.end() || found->is_text;
}

}  // namespace tbn
