// y[c] = act(gain[c] * (w * x)[row of c] + bias[c]), channels last: convolutions, and linear layers
// as convolutions of one tap over an image one pixel wide.
//
// The output is made in bands of rows. The input rows that a band meets are stored the way that the
// layer's product wants them, with zeros where the padding lies, once for all its rows of weights.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "runtime/cpu/fast/kernel.h"
#include "runtime/cpu/fast/product.h"

namespace tbn::fast {
namespace {

constexpr std::int64_t kBandBytes = 640 * 1024;  // stored inputs that stay in a cache
constexpr std::int64_t kBandPixels = 64;         // fewer are not worth a band of their own
constexpr std::int64_t kChunk = 48;              // pixels whose sums wait to be finished

// The bytes between which the values of a run lie, 0 always among them, spread over 0..255. Where
// one is not finite there is no range, and what the bytes stand for is not a number: so is every
// sum of the run, instead of a finite one that means nothing.
Quantum quantum_of(const ByteOps& ops, const float* x, std::int64_t count) {
  float low = 0, high = 0;
  ops.range(x, count, &low, &high);
  if (std::isnan(high)) return {.scale = high, .zero = 0};
  float scale = (high - low) / 255.0f;
  if (!std::isfinite(scale)) scale = high / 255.0f - low / 255.0f;
  // All 0, or next to it: too small to divide by.
  if (scale < std::numeric_limits<float>::min()) return {.scale = 1, .zero = 0};
  return {.scale = scale, .zero = static_cast<std::int32_t>(-low / scale + 0.5f)};
}

class LayerKernel {
 public:
  LayerKernel(const Isa& isa, const LayerImages& shape, LayerOutputs layer,
              std::unique_ptr<Product> product)
      : isa_(isa), shape_(shape), layer_(std::move(layer)), product_(std::move(product)) {
    direct_ = product_->stores_inputs() && shape_.padding.h == 0 && shape_.padding.w == 0;
    const std::int64_t row_bytes =
        shape_.stored_width() * product_->pixel() * product_->value_bytes();
    const std::int64_t fitting =
        std::max<std::int64_t>(1, (kBandBytes / row_bytes - shape_.kernel.h) / shape_.stride.h + 1);
    const std::int64_t worth = shape_.out_h * shape_.out_w / kBandPixels;
    bands_ = std::max((shape_.out_h + fitting - 1) / fitting,
                      std::clamp<std::int64_t>(worth, 1, std::min<std::int64_t>(4, shape_.out_h)));
    band_rows_ = (shape_.out_h + bands_ - 1) / bands_;
    bands_ = (shape_.out_h + band_rows_ - 1) / band_rows_;
    splits_ = bands_ > 1 ? 1 : std::min<std::int64_t>(product_->groups(), 16);
  }

  Kernel kernel(const std::shared_ptr<const LayerKernel>& self) const {
    Kernel kernel{.scratch_values = stored_values() + lines(product_->loaded_values()) +
                                    lines(kChunk * product_->group_rows()),
                  .parts = bands_ * splits_,
                  .name = product_->name()};
    kernel.part = [self](const Buffers& b, std::int64_t part) { self->part(b, part); };
    if (whole_input_first()) {
      kernel.shared_values = quanta_values() + stored_values();
      kernel.run = [self](const Buffers& b) { self->prepare(b); };
    }
    return kernel;
  }

 private:
  // One band is stored once for all parts; and the range of an image's values is that of all bands.
  bool whole_input_first() const {
    return (bands_ == 1 && !direct_) || (product_->quantises() && !shape_.per_row);
  }
  std::int64_t input_rows(std::int64_t rows) const {
    return (rows - 1) * shape_.stride.h + shape_.kernel.h;
  }
  std::int64_t row_values() const { return shape_.stored_width() * product_->pixel(); }
  // Floats of the memory for a band's stored inputs and their quanta.
  std::int64_t band_values() const {
    if (direct_) return 0;
    const std::int64_t bytes = input_rows(band_rows_) * row_values() * product_->value_bytes();
    return lines((bytes + 3) / 4);
  }
  std::int64_t quanta_values() const {
    static_assert(sizeof(Quantum) == 2 * sizeof(float));
    if (!product_->quantises()) return 0;
    return lines(2 * (shape_.per_row ? band_rows_ : 1));
  }
  std::int64_t stored_values() const { return quanta_values() + band_values(); }

  static Quantum* quanta(float* memory) { return reinterpret_cast<Quantum*>(memory); }

  void prepare(const Buffers& b) const {
    if (product_->quantises() && !shape_.per_row) {
      *quanta(b.shared) =
          quantum_of(*isa_.bytes, b.inputs[0], shape_.in_h * shape_.in_w * shape_.channels);
    }
    if (bands_ == 1 && !direct_) {
      store(b.inputs[0], 0, shape_.out_h, quanta(b.shared), b.shared + quanta_values());
    }
  }

  // The padded input rows of `rows` output rows from `begin` on.
  void store(const float* x, std::int64_t begin, std::int64_t rows, Quantum* quanta,
             float* memory) const {
    char* to = reinterpret_cast<char*>(memory);
    const std::int64_t pixel_bytes = product_->pixel() * product_->value_bytes();
    const std::int64_t input_width = shape_.in_w * shape_.channels;
    for (std::int64_t i = 0; i < input_rows(rows); ++i) {
      const std::int64_t y = begin * shape_.stride.h + i - shape_.padding.h;
      const bool inside = y >= 0 && y < shape_.in_h;
      if (shape_.per_row && product_->quantises()) {
        quanta[i] = quantum_of(*isa_.bytes, x + y * input_width, input_width);
      }
      const Quantum quantum = shape_.per_row ? quanta[i] : quanta[0];
      const std::int64_t row_bytes = shape_.stored_width() * pixel_bytes;
      const std::int64_t left = shape_.padding.w * pixel_bytes;
      if (!inside) {
        product_->store_zeros(shape_.stored_width(), quantum, to);
      } else if (is_met(i, shape_.kernel.h, shape_.stride.h, rows)) {
        product_->store_zeros(shape_.padding.w, quantum, to);
        store_row(x + y * input_width, quantum, to + left);
        product_->store_zeros(shape_.padding.w, quantum, to + row_bytes - left);
      }
      to += row_bytes;
    }
  }

  // The pixels of one row that a tap meets.
  void store_row(const float* x, Quantum quantum, char* to) const {
    if (shape_.kernel.w >= shape_.stride.w) return product_->store(x, shape_.in_w, quantum, to);
    for (std::int64_t j = 0; j < shape_.in_w; ++j) {
      if (!is_met(j + shape_.padding.w, shape_.kernel.w, shape_.stride.w, shape_.out_w)) continue;
      product_->store(x + j * shape_.channels, 1, quantum,
                      to + j * product_->pixel() * product_->value_bytes());
    }
  }

  // Whether a tap meets place i along one side, where the last window begins at (windows - 1) *
  // stride.
  static bool is_met(std::int64_t i, std::int64_t kernel, std::int64_t stride,
                     std::int64_t windows) {
    const std::int64_t window = std::min(i / stride, windows - 1);
    return i - window * stride < kernel;
  }

  void part(const Buffers& b, std::int64_t part) const {
    const std::int64_t begin = part / splits_ * band_rows_;
    const std::int64_t rows = std::min(band_rows_, shape_.out_h - begin);
    float* loaded = b.scratch + stored_values();
    float* sums = loaded + lines(product_->loaded_values());
    const void* base = b.scratch + quanta_values();
    const Quantum* quantum = quanta(b.scratch);
    if (direct_) {
      base = b.inputs[0] + begin * shape_.stride.h * shape_.in_w * shape_.channels;
    } else if (bands_ == 1) {
      base = b.shared + quanta_values();
      quantum = quanta(b.shared);
    } else {
      Quantum* own = quanta(b.scratch);
      if (product_->quantises() && !shape_.per_row) *own = *quanta(b.shared);
      store(b.inputs[0], begin, rows, own, b.scratch + quanta_values());
    }
    const std::int64_t first = begin * shape_.out_w * layer_.outputs;
    const float* residual = b.inputs.size() > 1 ? b.inputs[1] + first : nullptr;
    const std::int64_t split = part % splits_, groups = product_->groups();
    for (std::int64_t g = split * groups / splits_; g < (split + 1) * groups / splits_; ++g) {
      product_->load(g, loaded);
      finish_group(g, loaded, base, quantum, rows * shape_.out_w, sums, residual, b.output + first);
    }
  }

  void finish_group(std::int64_t g, const float* loaded, const void* base, const Quantum* quanta,
                    std::int64_t pixels, float* sums, const float* residual, float* y) const {
    const SumTerm& term = layer_.term();
    Finish finish = {.copies = term.copies(),
                     .row_step = term.row_step,
                     .copy_step = term.copy_step,
                     .gain = term.gain.data(),
                     .bias = layer_.bias.data(),
                     .activation = static_cast<int>(layer_.activation),
                     .residual = nullptr};
    const RowGroup group = product_->group(g);
    const std::int64_t quantum_step = shape_.per_row ? 1 : 0;
    std::int64_t at[kChunk];
    for (std::int64_t first = 0; first < pixels; first += kChunk) {
      const std::int64_t count = std::min(kChunk, pixels - first);
      for (std::int64_t i = 0; i < count; ++i) at[i] = place(first + i);
      product_->sums(g, loaded, base, {at, count}, quanta + first * quantum_step, quantum_step,
                     sums);
      if (residual != nullptr) finish.residual = residual + first * layer_.outputs;
      isa_.floats->finish(finish, group.first, group.count, sums, product_->group_rows(), count,
                          y + first * layer_.outputs, layer_.outputs);
    }
  }

  // Where the window of a band's output pixel begins.
  std::int64_t place(std::int64_t pixel) const {
    const std::int64_t row = pixel / shape_.out_w, column = pixel % shape_.out_w;
    return row * shape_.stride.h * row_values() + column * shape_.stride.w * product_->pixel();
  }

  const Isa& isa_;
  LayerImages shape_;
  LayerOutputs layer_;
  std::unique_ptr<Product> product_;
  bool direct_ = false;  // the product reads the input where it is
  std::int64_t band_rows_ = 1;
  std::int64_t bands_ = 1;
  std::int64_t splits_ = 1;  // parts of the rows of weights, where there is one band
};

}  // namespace

Kernel make_layer_kernel(const Isa& isa, const LayerImages& shape, LayerOutputs layer,
                         std::unique_ptr<Product> product) {
  const auto kernel =
      std::make_shared<const LayerKernel>(isa, shape, std::move(layer), std::move(product));
  return kernel->kernel(kernel);
}

}  // namespace tbn::fast
