// Chooses between singular and plural.
#include "base/counted.h"

#include "base/text.h"

namespace tbn {

std::string counted(std::int64_t count, std::string_view one) {
  return counted(count, one, std::string(one) + "s");
}

std::string counted(std::int64_t count, std::string_view one, std::string_view more) {
  const bool negative = count < 0;
  const auto magnitude = static_cast<std::uint64_t>(count);
  std::string text = (negative ? "-" : "") + grouped(negative ? 0 - magnitude : magnitude) + " ";
  text += count == 1 ? one : more;
  return text;
}

}  // namespace tbn
