// The ranges of a network's values, from which its int8 form is made.
#pragma once

#include <cstdint>

#include "app/export/source.h"
#include "micro/integer.h"

namespace tbn::app {

// Those that `images` of the training split give, without augmentation: of each class its share,
// chosen by data.split_seed.
micro::Ranges calibrate(const CommandLine& line, const ExportSource& source,
                        const micro::Network& network, std::int64_t images);

// Those that the packed file carries, or where --calibrate asks for some, new ones.
micro::Ranges ranges_of(const CommandLine& line, const ExportSource& source,
                        const micro::Network& network);

}  // namespace tbn::app
