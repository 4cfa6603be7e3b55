// Where the time of a training step goes: by step of the network's plan, forward and backward, and
// by function of LibTorch. No LibTorch type in this header, so that tools compile quickly.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/config.h"

namespace tbn {

// A step of the executor's plan: a node with what was fused into it.
struct ProfiledNode {
  std::string name;     // "layer1.0.conv1"
  std::string ops;      // "conv2d + batch_norm + relu"
  std::string weights;  // "tiled(p=4)", "binary", "float"; empty where it has none
  double forward_us = 0;
  double backward_us = 0;
};

// A function of LibTorch or of the tiled op, less the functions that it calls.
struct ProfiledFunction {
  std::string name;
  double us = 0;
  double calls = 0;
};

// Means of `steps` steps, in microseconds.
struct StepProfile {
  double step_us = 0;
  double loss_us = 0;  // forward and backward
  double optimizer_us = 0;
  double gradients_us = 0;  // handing the gradients to the parameters
  std::vector<ProfiledNode> nodes;
  std::vector<ProfiledFunction> functions;  // the longest first
  std::string device;

  // What none of the parts above accounts for.
  double rest_us() const;
};

// Profiles steps on a random batch after `warm_up` unobserved ones. Observation costs about a
// microsecond a function. Throws ConfigError as training does.
StepProfile profile_steps(const Config& config, int steps, int warm_up = 3);

}  // namespace tbn
