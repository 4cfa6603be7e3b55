// What the settings of `model:` say of the network before it is built, for settings elsewhere that
// do nothing without it.
#pragma once

#include "config/config.h"

namespace tbn {

// Whether it has convolutions, whose memory order is a setting.
bool has_convolutions(const ModelConfig& model);

// Whether it learns a transform that training is to keep near orthogonal (AddIdentity::orthogonal).
bool has_orthogonal_transforms(const ModelConfig& model);

}  // namespace tbn
