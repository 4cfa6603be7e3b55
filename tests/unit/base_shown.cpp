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
  // C1 controls, marks of direction, separators of lines, characters of no width, and neighbours.
  for (const char* bad :
       {"\u0080", "\u009b",     "\u009f",     "\u00ad",     "\u034f",     "\u061c",    "\u115f",
        "\u17b5", "\u180e",     "\u200b",     "\u200e",     "\u200f",     "\u2028",    "\u202e",
        "\u2060", "\u2065",     "\u2069",     "\u206f",     "\u3164",     "\ufeff",    "\uffa0",
        "\ufff9", "\U0001d173", "\U000e0001", "\U000e0041", "\U000e01f0", "\U000e0fff"}) {
    INFO(bad);
    CHECK(shown(bad) == "?");
    CHECK(shown(std::string("a") + bad + "b") == "a?b");
  }
  for (const char* good :
       {"\u00a0", "\u00ac", "\u00ae", "\u061b", "\u061d", "\u200a", "\u2010", "\u2027", "\u202f",
        "\u205f", "\u2070", "\ufefe", "\ufffd", "\U0001d172", "\U0001d17b"}) {
    INFO(good);
    CHECK(shown(good) == good);
  }
  CHECK(shown("\xc3") == "?");
  CHECK(shown("\xed\xa0\x80") == "???");
}

TEST_CASE("joiners and selectors are shown where scripts are written with them alone") {
  for (const char* good :
       {"\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",          // Persian
        "\u0915\u094d\u200d\u0937", "\u2764\ufe0f\u200d\U0001f525",  // Hindi, a heart
        "\u845b\U000e0100"}) {
    INFO(good);
    CHECK(shown(good) == good);
  }
  for (const char* shaping : {"\u180b", "\u200c", "\u200d", "\ufe00", "\ufe0f", "\U000e0100"}) {
    INFO(shaping);
    CHECK(shown(shaping) == "?");
    CHECK(shown(std::string("cat") + shaping) == "cat?");
    CHECK(shown(std::string("\u00e9") + shaping + "t") == "\u00e9?t");
    CHECK(shown(std::string("\u0434") + shaping + shaping) == "\u0434??");
  }
}
