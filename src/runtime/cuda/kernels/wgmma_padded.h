// Sums of the kernel "wgmma" for pixels of padded images: each stage holds 64 channels of all
// pixels that a tile's windows reach, and every tap multiplies by it from another pixel on.
#pragma once

#include "runtime/cuda/kernels/wgmma_sum.h"

namespace tbn::cuda {

// A step, channels first: which tap of which 64 channels, and where the tap lies.
struct TapStep {
  int channels, tap = 0;
  int column = 0, pixel = 0;  // of the window, and of the padded image from the window's first on

  __device__ __forceinline__ void advance(const LayerShape& shape) {
    const bool row_ends = ++column == shape.kernel_w;
    pixel += row_ends ? shape.out_w : 1;  // a padded row is kernel_w - 1 pixels longer
    if (row_ends) column = 0;
    if (++tap == shape.order.taps) {
      tap = pixel = 0;
      ++channels;
    }
  }
};

template <class T, class Block>
class PaddedSummer : public WgmmaWarpgroup<T, Block, 2> {
  using Base = WgmmaWarpgroup<T, Block, 2>;
  using typename Base::Sums, typename Base::Weights, typename Base::Words;

 public:
  using Base::Base;

  // The warpgroup's sums of an item; advances in the ring by its channels.
  __device__ __forceinline__ void sum(const WorkItem& work, const LayerShape& shape, Sums& sums) {
    const std::uint32_t* rows[Block::kParts];
#pragma unroll
    for (int part = 0; part < Block::kParts; ++part) {
      rows[part] = this->words_at(this->first_row(work) + 64 * part, 0);
    }
    TapStep now{work.first_step / shape.order.taps};
    Words words;
    Weights weights[2];
    load(rows, now, words);
    select(now, words);
    Base::template expand_group<0>(words, weights[0]);
    Base::zero(sums);
    this->first_ = true;
    for (int step = work.first_step; step < work.end_step; ++step) {
      this->wait_for_stage();
      const std::uint64_t pixels = this->pixels(now.pixel);
      Base::template multiply<0>(sums, weights[0], pixels);
      if (!this->first_ && now.tap == 0) this->release();
      this->first_ = false;
      Base::template expand_group<1>(words, weights[1]);
      now.advance(shape);
      load(rows, now, words);  // used when half of the step's products are done
      Base::template multiply<1>(sums, weights[1], pixels);
      select(now, words);
      Base::template expand_group<0>(words, weights[0]);
      if (now.tap == 0) ++this->place_.passed;
    }
    wgmma_wait<0>();
    Base::hold(sums);
    this->release();
  }

 private:
  // The half of a lane's words of a block that has the step's bits. After the last step of a layer
  // comes one of its first tap.
  __device__ __forceinline__ void load(const std::uint32_t* const (&rows)[Block::kParts],
                                       const TapStep& at, Words& words) const {
    const int step = at.tap * this->plan_.tap_steps + at.channels;
    const int word = step / kBlockSteps * kBlockWords + step % kBlockSteps / 2 * 2;
#pragma unroll
    for (int part = 0; part < Block::kParts; ++part) {
      const uint2 pair = __ldg(reinterpret_cast<const uint2*>(rows[part] + word));
      words[part] = {pair.x, pair.y, 0, 0};
    }
  }

  // Has the step's bits be those of the first of a block: it is one of two to share the words.
  __device__ __forceinline__ void select(const TapStep& at, Words& words) const {
    const int step = at.tap * this->plan_.tap_steps + at.channels;
    constexpr int kStepBits = 8;
#pragma unroll
    for (int part = 0; part < Block::kParts; ++part) {
      words[part].x >>= step % 2 * kStepBits;
      words[part].y >>= step % 2 * kStepBits;
    }
  }
};

}  // namespace tbn::cuda
