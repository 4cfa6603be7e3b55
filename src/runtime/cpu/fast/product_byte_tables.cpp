// Inputs as bytes, of which the tables of their sums are stored: look-ups as product_signs.cpp does
// them, but exact sums of 16 bits and so twice as many rows at once.
#include <algorithm>
#include <cstring>
#include <vector>

#include "runtime/cpu/fast/product.h"
#include "runtime/cpu/fast/signs.h"

namespace tbn::fast {
namespace {

class ByteTableProduct : public Product {
 public:
  ByteTableProduct(const ByteTableOps& ops, const ByteOps& bytes, const LayerWeights& weights,
                   const Geometry& geometry)
      : Product({weights.rows(), kMostRows}),
        ops_(ops),
        bytes_(bytes),
        channels_(geometry.channels),
        tables_((geometry.channels + ops.bits - 1) / ops.bits),
        patterns_(geometry.taps() * tables_) {
    for (std::int64_t h = 0; h < geometry.kernel.h; ++h) {
      for (std::int64_t t = 0; t < tables_; ++t) {
        for (std::int64_t w = 0; w < geometry.kernel.w; ++w) {
          const std::int64_t place = (h * geometry.stored_width + w) * tables_ + t;
          offsets_.push_back(static_cast<std::int32_t>(place * ops_.table));
        }
      }
    }
    words_ = weights.in(
        layout_name("byte_tables",
                    {1, ops.bits, ops.patterns_per_word, ops.rows, ops.blocks_at_once}),
        padded_rows() * words_per_row() * static_cast<std::int64_t>(sizeof(std::uint16_t)),
        [&](const DenseRows& rows, std::byte* to) {
          pack(rows, geometry.kernel, reinterpret_cast<std::uint16_t*>(to));
        });
    totals_ = weights.totals();
    totals_.resize(static_cast<std::size_t>(padded_rows()));
  }

  const char* name() const override { return "byte tables"; }
  std::int64_t value_bytes() const override { return sizeof(std::int16_t); }
  std::int64_t pixel() const override { return tables_ * ops_.table; }
  bool quantises() const override { return true; }
  void store(const float* x, std::int64_t pixels, Quantum quantum, void* to) const override {
    auto* tables = static_cast<std::int16_t*>(to);
    std::uint8_t bytes[kRun];
    for (std::int64_t i = 0; i < pixels; ++i) {
      each_run([&](std::int64_t first, std::int64_t count) {
        bytes_.quantise(x + i * channels_ + first, count, quantum, bytes);
        ops_.build(bytes, count, tables + i * pixel() + first / ops_.bits * ops_.table);
      });
    }
  }
  void store_zeros(std::int64_t pixels, Quantum quantum, void* to) const override {
    if (pixels == 0) return;
    auto* tables = static_cast<std::int16_t*>(to);
    std::uint8_t bytes[kRun];
    std::memset(bytes, quantum.zero, sizeof(bytes));
    each_run([&](std::int64_t first, std::int64_t count) {
      ops_.build(bytes, count, tables + first / ops_.bits * ops_.table);
    });
    for (std::int64_t i = 1; i < pixels; ++i) std::copy_n(tables, pixel(), tables + i * pixel());
  }

  std::int64_t group_rows() const override { return std::min(padded_rows(), kMostRows); }
  void sums(std::int64_t g, const float* /*loaded*/, const void* base, Places places,
            const Quantum* quanta, std::int64_t step, float* sums) const override {
    const std::int64_t first = group(g).first;
    const ByteTableWords words = {values_of<std::uint16_t>(words_) + first * words_per_row(),
                                  offsets_.data(), totals_.data() + first, patterns_, blocks(g)};
    ops_.add(words, static_cast<const std::int16_t*>(base), places, quanta, step, sums,
             group_rows());
  }

 private:
  static constexpr std::int64_t kRun = 384;       // channels that are stored at once
  static constexpr std::int64_t kMostRows = 512;  // of a group

  // Calls f(first channel, count) for runs of whole tables, the last as long as it is.
  template <class F>
  void each_run(F f) const {
    const std::int64_t most = kRun / ops_.bits * ops_.bits;
    for (std::int64_t first = 0; first < channels_; first += most) {
      f(first, std::min(most, channels_ - first));
    }
  }
  std::int64_t padded_rows() const { return (all_rows() + ops_.rows - 1) / ops_.rows * ops_.rows; }
  std::int64_t blocks(std::int64_t g) const { return (group(g).count + ops_.rows - 1) / ops_.rows; }
  std::int64_t words_per_row() const {
    return (patterns_ + ops_.patterns_per_word - 1) / ops_.patterns_per_word;
  }

  // The lane of row r: the sums of even lanes come first, so that lane 2 r has row r of a block and
  // lane 2 r + 1 row r + rows / 2.
  std::int64_t lane(std::int64_t r) const {
    const std::int64_t half = ops_.rows / 2, in_block = r % ops_.rows;
    return in_block % half * 2 + in_block / half;
  }
  // Where word i of row r is: [blocks at once][word][block][lane], where the last blocks may be
  // fewer.
  std::int64_t word(std::int64_t r, std::int64_t i) const {
    const std::int64_t block = r / ops_.rows,
                       first = block / ops_.blocks_at_once * ops_.blocks_at_once;
    const std::int64_t at_once =
        std::min<std::int64_t>(ops_.blocks_at_once, padded_rows() / ops_.rows - first);
    const std::int64_t place = first * words_per_row() + i * at_once + block - first;
    return place * ops_.rows + lane(r);
  }

  // Patterns [tap row][table][tap]: neighbouring pixels look into the same tables at once.
  void pack(const DenseRows& rows, Size2 kernel, std::uint16_t* words) const {
    const std::int64_t taps = kernel.h * kernel.w;
    for (std::int64_t r = 0; r < all_rows(); ++r) {
      const std::span<const float> row = rows.row(r);
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        const std::int64_t line = tap / kernel.w * tables_;
        for (std::int64_t table = 0; table < tables_; ++table) {
          const std::int64_t pattern = (line + table) * kernel.w + tap % kernel.w;
          const std::int64_t c = table * ops_.bits;
          const std::uint32_t bits = pattern_of(
              row.data() + c * taps + tap, std::min<std::int64_t>(ops_.bits, channels_ - c), taps);
          std::uint16_t& at = words[word(r, pattern / ops_.patterns_per_word)];
          at =
              static_cast<std::uint16_t>(at | bits << pattern % ops_.patterns_per_word * ops_.bits);
        }
      }
    }
  }

  const ByteTableOps& ops_;
  const ByteOps& bytes_;
  std::int64_t channels_;
  std::int64_t tables_;                // of a pixel
  std::int64_t patterns_;              // of a row
  std::vector<std::int32_t> offsets_;  // [patterns], from a pixel to the pattern's table
  HostTensor words_;
  std::vector<std::int32_t> totals_;  // [row], the sum of its weights
};

}  // namespace

std::unique_ptr<Product> make_byte_table_product(const ByteTableOps& ops, const ByteOps& bytes,
                                                 const LayerWeights& weights,
                                                 const Geometry& geometry) {
  return std::make_unique<ByteTableProduct>(ops, bytes, weights, geometry);
}

}  // namespace tbn::fast
