// Images that stay on the device, and their random views made there, a batch at a time: the bytes
// that augment_image() and mix_batch() make of the same draws.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "data/images/augment.h"
#include "data/images/mix.h"
#include "data/source/image_set.h"

namespace tbn {

// What is drawn for an image, as columns of a tensor [count, kDraws] of int64.
enum DrawColumn : std::int64_t { kShiftY, kShiftX, kFlip, kCutoutTop, kCutoutLeft, kDraws };

class ResidentImages {
 public:
  // Copies the set. RandAugment is not among what the device can do.
  ResidentImages(const ImageSet& images, const AugmentOptions& augment, c10::Device device);

  // What the copy takes, its borders of zeros for random crops included.
  static std::int64_t bytes_of(const ImageSet& images, const AugmentOptions& augment);

  // indices [B] int64 and draws [B, kDraws] -> [B, C, H, W] bytes
  at::Tensor views(const at::Tensor& indices, const at::Tensor& draws) const;

  // [B] int64
  at::Tensor labels(const at::Tensor& indices) const { return labels_.index_select(0, indices); }

 private:
  at::Tensor cropped(const at::Tensor& indices, const at::Tensor& draws) const;
  void cut_out(const at::Tensor& draws, at::Tensor& pixels) const;

  AugmentOptions augment_;
  at::Tensor pixels_;   // [N, C, H + 2 border, W + 2 border]
  at::Tensor labels_;   // [N] int64
  at::Tensor rows_;     // 0 .. H - 1
  at::Tensor columns_;  // 0 .. W - 1
};

// Mixes pixels [B, C, H, W] with those of `partner` [B], in place.
void mix_on_device(const MixChoice& choice, const at::Tensor& partner, at::Tensor& pixels);

}  // namespace tbn
