// What was probably meant by a text that is no number to us, for messages.
#pragma once

#include <string>
#include <string_view>

namespace tbn {

// [-+]? (digits [. digits?] | . digits) ([eE] [-+]? digits)?
bool looks_like_number(std::string_view text);

// What to write instead of `text`: "0.001" for "0,001", "1000.5" for "1.000,5", "16" for "0x10",
// "1000 or 1.000" for "1,000", which has two readings. Empty where nothing is likely: several
// values ("4,8" where `whole`, a whole number, is asked for; "0.1,0.2") or words.
std::string number_advice(std::string_view text, bool whole);

}  // namespace tbn
