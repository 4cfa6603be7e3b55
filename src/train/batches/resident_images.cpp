// Views are gathered from images with a border: every pixel's place is computed, and one take()
// fetches them all.
#include "train/batches/resident_images.h"

#include <cmath>

#include <torch/torch.h>

#include "tbn/error.h"

namespace tbn {
namespace {

using at::Tensor;

// `values` [B] as [B, 1].
Tensor down(const Tensor& values) { return values.unsqueeze(1); }

Tensor column(const Tensor& draws, DrawColumn which) { return draws.select(1, which); }

// Which of `places` [n] lie in [begin, begin + length), for each begin [B]: [B, n].
Tensor within(const Tensor& places, const Tensor& begin, std::int64_t length) {
  const Tensor from_begin = places.unsqueeze(0) - down(begin);
  return from_begin.ge(0).logical_and_(from_begin.lt(length));
}

}  // namespace

std::int64_t ResidentImages::bytes_of(const ImageSet& set, const AugmentOptions& augment) {
  const std::int64_t border = 2 * augment.crop_padding;
  return set.size() * set.channels * (set.height + border) * (set.width + border);
}

ResidentImages::ResidentImages(const ImageSet& set, const AugmentOptions& augment,
                               c10::Device device)
    : augment_(augment) {
  TBN_CHECK(augment_.randaugment == 0, "RandAugment runs in the loader");
  // from_blob takes a pointer to mutable memory, but nothing writes to it.
  const Tensor bytes = torch::from_blob(const_cast<std::uint8_t*>(set.pixels.data()),
                                        {set.size(), set.channels, set.height, set.width},
                                        at::TensorOptions(at::kByte));
  const std::int64_t border = augment_.crop_padding;
  pixels_ = at::constant_pad_nd(bytes.to(device), {border, border, border, border});
  if (border == 0 && device.is_cpu()) pixels_ = pixels_.clone();
  labels_ = torch::tensor(at::ArrayRef<std::int32_t>(set.labels), at::kInt).to(device, at::kLong);
  const auto places = at::TensorOptions(device).dtype(at::kLong);
  rows_ = at::arange(set.height, places);
  columns_ = at::arange(set.width, places);
}

Tensor ResidentImages::views(const Tensor& indices, const Tensor& draws) const {
  const bool moves = augment_.crop_padding > 0 || augment_.flip;
  Tensor pixels = moves ? cropped(indices, draws) : pixels_.index_select(0, indices);
  if (augment_.cutout > 0) cut_out(draws, pixels);
  return pixels;
}

// out(y, x) = in(y + shift_y, x' + shift_x), where a flip makes x' = W - 1 - x.
Tensor ResidentImages::cropped(const Tensor& indices, const Tensor& draws) const {
  const std::int64_t border = augment_.crop_padding;
  const std::int64_t width = pixels_.size(3);
  const std::int64_t plane = pixels_.size(2) * width;
  const Tensor rows = rows_.unsqueeze(0) + down(column(draws, kShiftY) + border);
  const Tensor mirrored = columns_.size(0) - 1 - columns_;
  const Tensor seen = at::where(down(column(draws, kFlip).ne(0)), mirrored, columns_);
  const Tensor columns = seen + down(column(draws, kShiftX) + border);
  const Tensor planes =
      down(indices * pixels_.size(1)) + at::arange(pixels_.size(1), indices.options()).unsqueeze(0);
  const Tensor places = (planes * plane).unsqueeze(-1).unsqueeze(-1) +
                        (rows * width).unsqueeze(1).unsqueeze(-1) +
                        columns.unsqueeze(1).unsqueeze(1);
  return at::take(pixels_, places);
}

void ResidentImages::cut_out(const Tensor& draws, Tensor& pixels) const {
  const Tensor rows = within(rows_, column(draws, kCutoutTop), augment_.cutout);
  const Tensor columns = within(columns_, column(draws, kCutoutLeft), augment_.cutout);
  const Tensor square = rows.unsqueeze(-1).logical_and(columns.unsqueeze(1));
  pixels.masked_fill_(square.unsqueeze(1), kCutoutGrey);
}

void mix_on_device(const MixChoice& choice, const Tensor& partner, Tensor& pixels) {
  if (choice.kind == MixKind::kNone) return;
  const Tensor others = pixels.index_select(0, partner);
  if (choice.kind == MixKind::kCutmix) {
    const auto box = [&choice](const Tensor& t) {
      return t.narrow(2, choice.box.top, choice.box.height)
          .narrow(3, choice.box.left, choice.box.width);
    };
    box(pixels).copy_(box(others));
    return;
  }
  // In 1/65536, as mix_batch() does: the same bytes.
  const auto own = static_cast<std::int64_t>(std::lround(choice.weight * 65536));
  const Tensor sum = pixels.to(at::kInt).mul_(own).add_(others.to(at::kInt), 65536 - own);
  pixels.copy_(sum.add_(32768).bitwise_right_shift_(16));
}

}  // namespace tbn
