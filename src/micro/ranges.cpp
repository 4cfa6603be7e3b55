// Reads and writes ranges.
#include "micro/ranges.h"

#include <cmath>

#include "file/json.h"
#include "tbn/error.h"

namespace tbn::micro {

std::string to_json(const Ranges& ranges) {
  Json::Array pairs;
  for (const Range& range : ranges) pairs.push_back(Json::array({range.low, range.high}));
  return Json::array(std::move(pairs)).canonical();
}

Ranges ranges_from_json(std::string_view text, std::size_t values, const std::string& where) {
  const std::string place = where + ": tbn.calibration";
  const Json json = parse_json(text, place);
  if (!json.is_array() || json.size() != values) {
    throw DataError(place + ": must be a list of " + std::to_string(values) +
                    " ranges; calibrate the network again");
  }
  Ranges ranges;
  for (const Json& pair : json.as_array()) {
    const bool is_pair = pair.is_array() && pair.size() == 2 &&
                         pair.at(std::size_t{0}).is_number() && pair.at(std::size_t{1}).is_number();
    if (!is_pair) throw DataError(place + ": each range must be two numbers");
    const Range range = {static_cast<float>(pair.at(std::size_t{0}).as_double()),
                         static_cast<float>(pair.at(std::size_t{1}).as_double())};
    if (!std::isfinite(range.low) || !std::isfinite(range.high) || range.low > range.high) {
      throw DataError(place + ": a range must be finite, its lower end first");
    }
    ranges.push_back(range);
  }
  return ranges;
}

}  // namespace tbn::micro
