// The one place where a tool writes JSON.
#include "app/support/json_out.h"

#include <cstdio>

#include "base/utf8.h"
#include "tbn/error.h"

namespace tbn {
namespace {

// Names of files and folders need not be UTF-8, and JSON must be: a result is not lost over one.
Json with_utf8(const Json& json) {
  if (json.is_string()) return made_utf8(json.as_string());
  if (json.is_array()) {
    Json::Array values;
    for (const Json& value : json.as_array()) values.push_back(with_utf8(value));
    return Json::array(std::move(values));
  }
  if (!json.is_object()) return json;
  Json::Object members;
  for (const auto& [key, value] : json.as_object()) members.append(key, with_utf8(value));
  return Json::object(std::move(members));
}

}  // namespace

// Escaped as for people's eyes. Texts hold no line breaks as they are: those that are there, and
// the blanks behind them, are the layout's.
std::string json_line(const Json& document) {
  std::string line;
  bool indents = false;
  for (const char c : with_utf8(document).pretty()) {
    if (c == '\n' && !line.empty() && line.back() == ',') line += ' ';
    indents = c == '\n' || (indents && c == ' ');
    if (!indents) line += c;
  }
  return line + "\n";
}

void print_json(const Json& document) {
  const std::string text = with_utf8(document).pretty();
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw SystemError("the standard output cannot be written (is the disk full?)");
  }
}

}  // namespace tbn
