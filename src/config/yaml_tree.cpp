// Builds the tree from yaml-cpp's events, and refuses the parts of YAML that surprise.
#include "config/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <unordered_map>

#include "base/text.h"
#include "base/utf8.h"

namespace tbn {
namespace {

// Ends the reading of one source; the rest of it would make no sense.
struct Stop {
  Place place;
  std::string key;
  std::string message;
};

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const YamlSource& source, std::string prefix, Problems& problems,
              const YamlLimits& limits)
      : source_(source), prefix_(std::move(prefix)), problems_(problems), limits_(limits) {}

  YamlNode root;

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) {
      throw Stop{place(mark), "", "a second document begins here; a configuration is one document"};
    }
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    add(make(YamlNode::Kind::kNull, mark));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Stop{place(mark), path(), "aliases (*) are not supported; use base: or write it out"};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    YamlNode node = make(YamlNode::Kind::kScalar, mark);
    node.quoted = tag == "!";
    node.text = value;
    check_tag(mark, node.quoted ? "" : tag);
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kList, mark, tag);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kMap, mark, tag);
  }
  void OnMapEnd() override { close(); }

  Place place(const YAML::Mark& mark) const {
    return source_.at(mark.is_null() ? 0 : mark.line + 1, mark.column + 1);
  }

 private:
  struct Frame {
    YamlNode node;
    bool has_key = false;
    bool merge = false;  // the key is a plain <<
    std::string key;
    Place key_place;
    std::unordered_map<std::string, int> lines;  // of the keys so far
  };

  YamlNode make(YamlNode::Kind kind, const YAML::Mark& mark) {
    if (++nodes_ > limits_.nodes) {
      throw Stop{place(mark), "", "more than " + grouped(limits_.nodes) + " values"};
    }
    YamlNode node;
    node.kind = kind;
    node.place = place(mark);
    return node;
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag) {
    check_tag(mark, tag);
    if (!frames_.empty() && frames_.back().node.kind == YamlNode::Kind::kMap &&
        !frames_.back().has_key) {
      throw Stop{place(mark), path(), "a key must be a word; is a bracket left open?"};
    }
    if (static_cast<int>(frames_.size()) >= limits_.depth) {
      throw Stop{place(mark), "",
                 "nested deeper than " + std::to_string(limits_.depth) + " levels"};
    }
    frames_.push_back({make(kind, mark), false, false, {}, {}, {}});
  }

  void close() {
    YamlNode node = std::move(frames_.back().node);
    frames_.pop_back();
    add(std::move(node));
  }

  void add(YamlNode node) {
    if (frames_.empty()) {
      root = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.kind == YamlNode::Kind::kList) {
      frame.node.items.push_back(std::move(node));
    } else if (frame.has_key) {
      add_value(frame, std::move(node));
    } else {
      if (node.kind != YamlNode::Kind::kScalar)
        throw Stop{node.place, path(), "a key must be a word; is a bracket left open?"};
      frame.has_key = true;
      frame.merge = !node.quoted && node.text == "<<";
      frame.key = std::move(node.text);
      frame.key_place = node.place;
    }
  }

  void add_value(Frame& frame, YamlNode node) {
    if (frame.merge) {
      problems_.add(frame.key_place, path(),
                    "merge keys are not supported; use base: or write the keys out");
    } else if (const auto [first, fresh] = frame.lines.emplace(frame.key, frame.key_place.line);
               !fresh) {
      problems_.add(frame.key_place, path(),
                    first->second > 0 ? "duplicate key, given on line " +
                                            std::to_string(first->second) + " before"
                                      : "duplicate key");
    } else {
      frame.node.entries.push_back({frame.key, frame.key_place, std::move(node)});
    }
    frame.has_key = false;
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?") return;
    problems_.add(place(mark), path(), "tags are not supported, is '" + printable(tag) + "'");
  }

  // The dotted key of the value that is being read.
  std::string path() const {
    std::string text = prefix_;
    for (const Frame& frame : frames_) {
      if (frame.node.kind == YamlNode::Kind::kList) {
        text += "[" + std::to_string(frame.node.items.size()) + "]";
      } else if (frame.has_key) {
        text += (text.empty() ? "" : ".") + frame.key;
      }
    }
    return text;
  }

  const YamlSource& source_;
  std::string prefix_;
  Problems& problems_;
  const YamlLimits& limits_;
  std::vector<Frame> frames_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

// What yaml-cpp would take for the end of the text or read in a way that surprises.
void check_bytes(std::string_view text, const YamlSource& source) {
  int line = 1;
  int column = 0;
  bool indent = true;
  std::size_t whole = 0;  // where the character after the current one begins
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    ++column;
    if (i == whole) {
      const std::size_t length = utf8_sequence(text.substr(i));
      if (length == 0) {
        throw Stop{source.at(line, column), "",
                   "byte " + std::to_string(static_cast<unsigned char>(c)) +
                       " is no character; a configuration is UTF-8 text"};
      }
      whole += length;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      ++line;
      column = 0;
      indent = true;
    } else if (c == '\t' && indent) {
      throw Stop{source.at(line, column), "", "a tab in the indentation; use spaces"};
    } else if ((byte < 0x20 && c != '\t' && c != '\r') || byte == 0x7f) {
      throw Stop{source.at(line, column), "",
                 "control character " + std::to_string(byte) + "; a configuration is UTF-8 text"};
    } else {
      indent = indent && c == ' ';
    }
  }
}

// "optim", "groups", "[1]", "lr"
std::vector<std::string_view> segments(std::string_view key) {
  std::vector<std::string_view> parts;
  while (!key.empty()) {
    if (key.front() == '.') key.remove_prefix(1);
    const std::size_t end = key.find_first_of(".[", 1);
    parts.push_back(key.substr(0, end));
    key = end == std::string_view::npos ? std::string_view{} : key.substr(end);
  }
  return parts;
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const YamlEntry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

YamlNode* YamlNode::find(std::string_view key) {
  return const_cast<YamlNode*>(std::as_const(*this).find(key));
}

std::string kind_name(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "empty";
    case YamlNode::Kind::kScalar:
      return "'" + printable(node.text) + "'";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
  }
  return "";
}

std::optional<YamlNode> parse_yaml(std::string_view text, const YamlSource& source,
                                   const std::string& prefix, Problems& problems,
                                   const YamlLimits& limits) {
  TreeBuilder builder(source, prefix, problems, limits);
  try {
    if (text.size() > limits.bytes) {
      throw Stop{source.at(0, 0), "", "larger than " + grouped(limits.bytes) + " bytes"};
    }
    check_bytes(text, source);
    // yaml-cpp closes an open quote at the end of the text; a document's end within one is an
    // error.
    std::istringstream stream(std::string(text) + "\n...\n");
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    return std::move(builder.root);
  } catch (const Stop& stop) {
    problems.add(stop.place, stop.key.empty() ? prefix : stop.key, stop.message);
  } catch (const YAML::Exception& error) {
    const bool open_quote = error.msg.find("document indicator in scalar") != std::string::npos;
    problems.add(builder.place(error.mark), prefix,
                 "not valid YAML: " + (open_quote ? "a quote is not closed" : error.msg));
  }
  return std::nullopt;
}

Place place_of(const YamlNode& root, std::string_view key) {
  const YamlNode* node = &root;
  Place place = root.place;
  for (const std::string_view part : segments(key)) {
    if (part.front() == '[') {
      const std::size_t index = std::strtoul(std::string(part.substr(1)).c_str(), nullptr, 10);
      if (index >= node->items.size()) break;
      node = &node->items[index];
      place = node->place;
      continue;
    }
    const auto entry = std::find_if(node->entries.begin(), node->entries.end(),
                                    [&](const YamlEntry& e) { return e.key == part; });
    if (entry == node->entries.end()) break;
    node = &entry->value;
    place = entry->place;
  }
  return place;
}

}  // namespace tbn
