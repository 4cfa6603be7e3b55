// What of a text from outside may reach a terminal.
#include "base/shown.h"

#include "support/catch.h"

using namespace tbn;

TEST_CASE("text is shown without what commands a terminal") {
  CHECK(shown("plain 'text' r\u00e9d \u96ea \U0001F600") ==
        "plain 'text' r\u00e9d \u96ea \U0001F600");
  for (int c = 0; c < 256; ++c) {
    const std::string text = "a" + std::string(1, static_cast<char>(c)) + "b";
    CHECK((shown(text) == text) == (c >= 0x20 && c < 0x7f));
    if (c < 0x20 || c >= 0x7f) CHECK(shown(text) == "a?b");
  }
  // C1 controls, marks of direction and separators of lines, and their neighbours.
  for (const char* bad : {"\u0080", "\u009b", "\u009f", "\u061c", "\u200e", "\u200f", "\u2028",
                          "\u202e", "\u2066", "\u2069"}) {
    CHECK(shown(bad) == "?");
  }
  for (const char* good :
       {"\u00a0", "\u061b", "\u061d", "\u200d", "\u2010", "\u2027", "\u202f", "\u2065", "\u206a"}) {
    CHECK(shown(good) == good);
  }
  CHECK(shown("\xc3") == "?");
  CHECK(shown("\xed\xa0\x80") == "???");
}
