// Everything wrong with a configuration, collected so that one run reports it all.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/nearest.h"
#include "tbn/error.h"

namespace tbn {

// Where a value was written: a file (or "command line") and its line and column from 1; line 0
// means the source as a whole.
struct Place {
  std::shared_ptr<const std::string> source;
  int line = 0;
  int column = 0;
};

class Problems {
 public:
  // `key` is the full dotted key, or empty where the problem belongs to none.
  void add(const Place& place, std::string_view key, std::string_view message);
  bool empty() const { return problems_.empty(); }
  std::size_t count() const { return problems_.size() + left_out_; }
  // Whether the message is complete already: more problems are only counted.
  bool is_long() const { return left_out_ > 0; }
  // Whether there is a problem with the key, or with an element of its list.
  bool has(std::string_view key) const;
  // Throws ConfigProblems with one line per problem, by source, line and column.
  void throw_if_any() const;

 private:
  struct Problem {
    std::size_t source = 0;  // in order of first appearance
    int line = 0;
    int column = 0;
    std::string text;
  };
  std::vector<Problem> problems_;
  std::vector<std::string> sources_;
  std::set<std::string, std::less<>> keys_;
  std::size_t left_out_ = 0;
};

// All that is wrong with a configuration: what() has a line for each, where that of every other
// error is one sentence.
class ConfigProblems final : public ConfigError {
 public:
  using ConfigError::ConfigError;
};

// `text` as shown() (base/shown.h) and not longer than 200 bytes, for messages.
std::string printable(std::string_view text);

}  // namespace tbn
