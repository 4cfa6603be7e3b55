// What type of value a key takes, for values that come from a command line.
#pragma once

#include <string_view>

namespace tbn {

// Whether `key` ("data.root", "model.stem") holds one text, under the options of the family
// `model_type`. True for a key that does not exist: its value means nothing, and the message is
// about the key.
bool is_text_key(std::string_view key, std::string_view model_type);

}  // namespace tbn
