// Which instruction sets are found. A test run that chooses its processor, in an emulator, says in
// TBN_TEST_INSTRUCTION_SETS what that one has.
#include <cstdlib>
#include <string>

#include "runtime/cpu/fast/kernel.h"
#include "support/catch.h"

using namespace tbn;

namespace {

std::string usable_names() {
  std::string names;
  for (const fast::Isa& isa : fast::usable_isas()) {
    names += (names.empty() ? "" : " ") + std::string(isa.name);
  }
  return names;
}

}  // namespace

TEST_CASE("the last instruction set is the one that every processor has") {
  CHECK(fast::usable_isas().back().name == std::string("portable"));
#if defined(__aarch64__)
  CHECK_THAT(usable_names(), EndsWith("neon portable"));
#endif
}

TEST_CASE("a chosen processor's instruction sets are found, the best first") {
  const char* const expected = std::getenv("TBN_TEST_INSTRUCTION_SETS");
  if (expected == nullptr) return;
  CHECK(usable_names() == expected);
}
