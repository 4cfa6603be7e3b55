// How a cloud of points becomes what a network sees: moved and scaled, and as many points of it as
// the network takes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/counter_rng.h"

namespace tbn {

// Of `points`, [n, columns], the first three columns of which are coordinates: `centre` moves their
// mean to the origin, `scale` then brings the farthest of them from the origin to distance 1. A
// cloud in one place is only moved.
void move_and_scale(std::span<float> points, std::int64_t columns, bool centre, bool scale);

// Both: the cloud fills the unit sphere.
void fit_unit_sphere(std::span<float> points, std::int64_t columns);

// Which `wanted` of `count` points (at least 1): all where there are no more, and some of them
// again. Of more, the first, or where they are `drawn` some without repetition.
std::vector<std::int64_t> choose_points(std::int64_t count, std::int64_t wanted, bool drawn,
                                        CounterRng rng);

}  // namespace tbn
