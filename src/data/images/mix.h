// Mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019) of a batch of uint8 images: each image is
// blended with another one of the batch, or has a rectangle of it pasted in. The loss of a mixed
// image is weight * loss(its label) + (1 - weight) * loss(its partner's label).
#pragma once

#include <cstdint>
#include <vector>

namespace tbn {

struct MixOptions {
  double mixup = 0;  // alpha: the weight is drawn from Beta(alpha, alpha); 0: none
  // The same, for the share of the image that stays. With both, a coin chooses for each batch.
  double cutmix = 0;

  bool any() const { return mixup > 0 || cutmix > 0; }
};

enum class MixKind { kNone, kMixup, kCutmix };

struct MixBox {
  std::int64_t top = 0;
  std::int64_t left = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
};

struct MixChoice {
  MixKind kind = MixKind::kNone;
  double weight = 1;  // of each image itself; exactly the share of its area for cutmix
  MixBox box;         // cutmix: what comes from the partner
  std::vector<std::int64_t> partner;  // a permutation of the batch
};

// One choice for the batch, from (seed, epoch, number of the batch) alone. Weights of mixup are
// multiples of 2^-16, so that math libraries that differ in a last bit give the same.
MixChoice draw_mix(const MixOptions& options, std::int64_t count, std::int64_t height,
                   std::int64_t width, std::uint64_t seed, std::int64_t epoch, std::int64_t batch);

// Mixes pixels, [count, channels, height, width], in place; memory for one image is all it takes.
// Throws InternalError where the partners are no permutation of the batch.
void mix_batch(const MixChoice& choice, std::int64_t count, std::int64_t channels,
               std::int64_t height, std::int64_t width, std::uint8_t* pixels);

}  // namespace tbn
