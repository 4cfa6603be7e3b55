// Settings that do nothing for the data, the network or the tool: what was typed is refused, what a
// shared recipe says for other data is left out.
#pragma once

#include <functional>

#include "config/config.h"
#include "config/yaml_tree.h"

namespace tbn {

// Who wrote a value, from the farthest to the nearest.
enum class Author {
  kInherited,  // a base, or a text that a program keeps
  kFile,       // the file that was named
  kTyped,      // the command line
};
using AuthorOf = std::function<Author(const Place&)>;

// Reports each value that was typed and does nothing for `uses` (bits of ConfigUse). In the file
// that was named, a value of another kind of data is reported where neither the default was
// written nor the command line has chosen other data since.
void report_idle(const YamlNode& root, const Config& config, unsigned uses, const AuthorOf& author,
                 Problems& problems);

// Takes what is for other kinds of data out of `root`, so that it has its defaults. Returns whether
// there was any.
bool leave_out_idle(YamlNode& root, const Config& config);

}  // namespace tbn
