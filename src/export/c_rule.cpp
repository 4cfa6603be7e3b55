// Comments and macros of a rule.
#include "export/c_rule.h"

#include <algorithm>
#include <vector>

#include "export/c_text.h"
#include "prepare/rule_words.h"
#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::size_t kColumns = 98;  // of a line

bool is_plain(char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\' && c != '?'; }

// A line of words in a comment: nothing in it can end the comment or begin another.
std::string comment_words(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    const bool ends = c == '/' && !safe.empty() && (safe.back() == '*' || safe.back() == '/');
    const bool begins = c == '*' && !safe.empty() && safe.back() == '/';
    safe += !is_plain(c) || ends || begins ? '_' : c;
  }
  std::string lines;
  std::size_t used = kColumns;
  for (std::size_t at = 0; at < safe.size();) {
    const std::size_t end = std::min(safe.find(' ', at), safe.size());
    if (used + 1 + end - at > kColumns) {
      lines += lines.empty() ? " * " : "\n *   ";
      used = 5;
    } else {
      lines += ' ';
      ++used;
    }
    lines += safe.substr(at, end - at);
    used += end - at;
    at = end + 1;
  }
  return lines + "\n";
}

// #define NAME {"a", "b"}, on as many lines as it takes.
std::string macro(const std::string& name, const std::vector<std::string>& values) {
  if (values.empty()) return "";
  std::string text = "#define " + name + " {";
  std::size_t used = text.size();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string next = (i > 0 ? ", " : "") + c_string(values[i]);
    if (used + next.size() > kColumns) {
      text += " \\\n  ";
      used = 2;
    }
    text += next;
    used += next.size();
  }
  return text + "}\n";
}

}  // namespace

std::string c_string(std::string_view text) {
  std::string literal = "\"";
  for (const char c : text) {
    if (is_plain(c)) {
      literal += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    literal += '\\';
    for (const int shift : {6, 3, 0}) literal += static_cast<char>('0' + ((byte >> shift) & 7));
  }
  return literal + "\"";
}

void add_rule(CSource& source, std::string_view name, const Rule& rule) {
  if (rule.empty()) return;
  std::string text = "/* How the network was trained and measured:\n";
  const auto add = [&](const std::vector<std::string>& lines) {
    for (const std::string& line : lines) text += comment_words(line);
  };
  if (rule.input) add(words_of(*rule.input));
  if (rule.measured) add(words_of(*rule.measured));
  text += " */\n";
  const std::string big = c_macro(name);
  if (rule.output) text += macro(big + "_CLASS_NAMES", rule.output->classes);
  if (rule.input) text += macro(big + "_COLUMN_NAMES", rule.input->columns);
  const std::size_t at = source.header.find("#define " + big + "_INPUT_SIZE");
  TBN_CHECK(at != std::string::npos, "the header of exported C says the input's size");
  source.header.insert(at, text + "\n");
}

}  // namespace tbn
