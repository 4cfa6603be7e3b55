// The rule in the header of exported C.
#include "export/c_rule.h"

#include "support/catch.h"

using namespace tbn;

TEST_CASE("string literals of C hold every byte of a name") {
  CHECK(c_string("ankle boot") == R"("ankle boot")");
  CHECK(c_string("a\"b\\c?") == R"("a\042b\134c\077")");
  CHECK(c_string("\xc3\xa9"
                 "1") == R"("\303\2511")");
}

TEST_CASE("a rule becomes words and macros, and nothing in a name leaves them") {
  CSource source{.header = "#include <stdint.h>\n\n#define PETS_INPUT_SIZE 3\n"};
  add_rule(source, "pets", {});
  CHECK(source.header == "#include <stdint.h>\n\n#define PETS_INPUT_SIZE 3\n");
  add_rule(
      source, "pets",
      {.input =
           InputRule{.kind = "points", .steps = {UnknownStep{"*/ int x; /*"}}, .columns = {"x"}},
       .output = OutputRule{.kind = "class", .classes = {"cat", "d\"og", "*/"}}});
  CHECK(source.header.find("#define PETS_CLASS_NAMES {\"cat\", \"d\\042og\", \"*/\"}\n") !=
        std::string::npos);
  CHECK(source.header.find("#define PETS_COLUMN_NAMES {\"x\"}\n") != std::string::npos);
  const std::size_t comment = source.header.find("/*");
  CHECK(source.header.find("*/", comment) == source.header.find(" */\n#define PETS_CLASS") + 1);
  CSource many{.header = "#define N_INPUT_SIZE 3\n"};
  add_rule(
      many, "n",
      {.output = OutputRule{.kind = "class", .classes = std::vector<std::string>(100, "a class")}});
  for (std::size_t at = 0; at < many.header.size();) {
    const std::size_t end = many.header.find('\n', at);
    CHECK(end - at <= 100);
    at = end + 1;
  }
}
