// Sinusoidal position embeddings.
#pragma once

#include <cstdint>
#include <vector>

namespace tbn {

// [tokens, features], row-major: row t is sin (even features f) and cos (odd) of
// t / 10000^(2 floor(f / 2) / F) (Vaswani et al. 2017, section 3.5), computed in double.
std::vector<float> sinusoidal_table(std::int64_t tokens, std::int64_t features);

}  // namespace tbn
