// The profile of a training step: its parts are those of the plan, and they add up.
#include "train/bench/step_profile.h"

#include <algorithm>

#include "config/load.h"
#include "support/catch.h"
#include "support/source_dir.h"

using namespace tbn;

namespace {

const ProfiledNode& node_of(const StepProfile& profile, const std::string& name) {
  const auto at = std::find_if(profile.nodes.begin(), profile.nodes.end(),
                               [&](const ProfiledNode& n) { return n.name == name; });
  REQUIRE(at != profile.nodes.end());
  return *at;
}

bool has_function(const StepProfile& profile, const std::string& name) {
  return std::any_of(profile.functions.begin(), profile.functions.end(),
                     [&](const ProfiledFunction& f) { return f.name == name && f.calls > 0; });
}

}  // namespace

TEST_CASE("a profile names the steps of the plan with what was fused, and its parts add up") {
  const Config config = load_config(test::source_dir() / "configs/fashion_mnist/resnet_p4.yaml",
                                    {"train.batch_size=8", "train.threads=1",
                                     "weights.rules=[{match: classifier, encoding: float}]"});
  const StepProfile profile = profile_steps(config, 3, 1);
  const ProfiledNode& conv = node_of(profile, "block1.conv2");
  CHECK(conv.ops == "conv2d + batch_norm + add + relu");
  CHECK(conv.weights == "tiled(p=4)");
  CHECK(conv.forward_us > 0);
  CHECK(conv.backward_us > 0);
  CHECK(node_of(profile, "classifier").weights == "float");
  CHECK(has_function(profile, "aten::convolution_backward"));
  CHECK(has_function(profile, "tbn::fan_in"));
  // The network's own parts are most of the step, and no part is counted twice.
  CHECK(profile.rest_us() > 0);
  CHECK(profile.rest_us() < 0.5 * profile.step_us);
  double functions_us = 0;
  for (const ProfiledFunction& f : profile.functions) functions_us += f.us;
  CHECK(functions_us < profile.step_us);
}
