// The network in float, plain loops: what calibration observes, and what the exported float form
// is checked against.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "micro/network.h"

namespace tbn::micro {

// Told of a value (its number in the network) as soon as it is there.
using ValueObserver = std::function<void(int value, std::span<const float>)>;

// `input` lies as the network's input map, channels last; so does the output.
std::vector<float> run_floats(const Network& network, std::span<const float> input,
                              const ValueObserver& observer = {});

// The weights of a layer as they multiply: [rows, inputs], where a layer of signs or integers has
// its unique rows without scalars, and a flat one all outputs with the alphas in.
std::vector<float> multipliers(const Layer& layer);

}  // namespace tbn::micro
