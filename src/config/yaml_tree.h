// A YAML document as a tree that remembers where each value was written. Built from yaml-cpp's
// events rather than its nodes, which drop duplicate keys and whether a value stood in quotes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problems.h"

namespace tbn {

struct YamlEntry;

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  Place place;
  bool quoted = false;  // scalar: in quotes or a block, so it is text whatever it looks like
  std::string text;     // scalar
  std::vector<YamlNode> items;     // list
  std::vector<YamlEntry> entries;  // map, in the order written; keys are unique

  const YamlNode* find(std::string_view key) const;
  YamlNode* find(std::string_view key);
};

struct YamlEntry {
  std::string key;
  Place place;
  YamlNode value;
};

// "'abc'", "a list", "a map" or "empty", for messages.
std::string kind_name(const YamlNode& node);

// What a text is called in messages, and whether its lines mean something to the reader.
struct YamlSource {
  std::shared_ptr<const std::string> name;
  bool has_lines = true;
  Place at(int line, int column) const {
    return has_lines && line > 0 ? Place{name, line, column} : Place{name, 0, 0};
  }
};

struct YamlLimits {
  std::size_t bytes = 1'000'000;
  std::size_t nodes = 100'000;
  int depth = 80;
};

// Parses one document. Reports into `problems`, with full dotted keys that begin with `prefix`:
// syntax errors, duplicate keys, `<<`, aliases, tags, control characters, a second document, what
// exceeds the limits. Nothing where the text could not be read to its end. An empty text gives a
// null node.
std::optional<YamlNode> parse_yaml(std::string_view text, const YamlSource& source,
                                   const std::string& prefix, Problems& problems,
                                   const YamlLimits& limits = {});

// Where `key` ("optim.groups[1].lr") was written, or the nearest part of it that was.
Place place_of(const YamlNode& root, std::string_view key);

}  // namespace tbn
