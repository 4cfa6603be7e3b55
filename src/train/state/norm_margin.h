// How far the scalars of tiled layers are from the eps of the norms behind them.
#pragma once

#include <optional>
#include <string>

namespace tbn {

class GraphModule;

// A norm divides alpha u by sqrt(alpha^2 v + eps), v the variance of a map u, and so takes the
// scalar alpha out, as long as alpha^2 v is far above eps. The smallest alpha^2 v / eps, by the
// running variances of the batch norms behind layers with scalars.
struct NormMargin {
  std::string norm;  // where it is
  double ratio = 0;
};
// None where the network has no such norm.
std::optional<NormMargin> norm_margin(const GraphModule& module);

// Below this ratio the norm's output is more than half a per cent too small.
inline constexpr double kSmallNormMargin = 100;

// A sentence on a margin below kSmallNormMargin; empty on others.
std::string margin_text(const std::optional<NormMargin>& margin);

}  // namespace tbn
