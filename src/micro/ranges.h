// Calibrated ranges as text: what a .tbn file carries under "tbn.calibration", so that its int8
// form is the same wherever it is exported or evaluated.
#pragma once

#include <string>
#include <string_view>

#include "micro/integer.h"

namespace tbn::micro {

// [[low, high], ...], one of each value of the lowered network; equal ranges give equal text.
std::string to_json(const Ranges& ranges);

// Throws DataError beginning with `where` unless the text holds `values` pairs of finite numbers,
// the lower first.
Ranges ranges_from_json(std::string_view text, std::size_t values, const std::string& where);

}  // namespace tbn::micro
