// What an error says: the tests hold messages to the places and values that they must name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "support/catch.h"

namespace tbn::test {

// The message of the E that `f` throws. Another exception, or none, fails the test.
template <class E, class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  }
  FAIL("no exception was thrown");
  return {};
}

// Whether `text` holds each of the parts; shows the text when it does not.
inline bool says(const std::string& text, const std::vector<std::string_view>& parts) {
  for (const std::string_view part : parts) {
    if (text.find(part) == std::string::npos) {
      UNSCOPED_INFO("'" << part << "' is missing in: " << text);
      return false;
    }
  }
  return true;
}

}  // namespace tbn::test
