// A rule in words, for people: what tbn-inspect prints and what the header of exported C says.
#pragma once

#include <string>
#include <vector>

#include "tbn/rule.h"

namespace tbn {

// Sentences without a full stop, one per line: "input: picture, ...", "classes: a, b". Names are as
// the rule has them, UTF-8 without control characters.
std::vector<std::string> words_of(const InputRule& rule);
std::vector<std::string> words_of(const OutputRule& rule);
std::vector<std::string> words_of(const MeasuredRule& rule);
// All parts that there are.
std::vector<std::string> words_of(const Rule& rule);

}  // namespace tbn
