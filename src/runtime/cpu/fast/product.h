// How a layer multiplies: what is stored of an input pixel, and how the sums of rows are made from
// it. A linear layer is a convolution of one tap over an image one pixel wide.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "runtime/cpu/fast/isa.h"
#include "runtime/cpu/fast/weights.h"
#include "tbn/ops.h"

namespace tbn::fast {

// The windows of a layer in the stored inputs.
struct Geometry {
  std::int64_t channels = 0;
  Size2 kernel = 1;
  std::int64_t stored_width = 1;  // pixels of a stored row
  std::int64_t taps() const { return kernel.h * kernel.w; }
};

// Rows that are summed at once.
struct RowGroup {
  std::int64_t first = 0;
  std::int64_t count = 0;
};
// All rows in groups of `most`; the last group has what is left.
struct RowGroups {
  std::int64_t rows = 0;
  std::int64_t most = 1;
};

class Product {
 public:
  explicit Product(RowGroups groups) : groups_(groups) {}
  virtual ~Product() = default;
  virtual const char* name() const = 0;  // of the kernels that multiply so

  // The bytes of one value in the stored inputs; offsets and sizes below count such values.
  virtual std::int64_t value_bytes() const { return sizeof(float); }
  virtual std::int64_t pixel() const = 0;  // stored values of a pixel
  // Whether inputs are stored as they are, so that without padding they need not be.
  virtual bool stores_inputs() const { return false; }
  // Whether stored values are bytes that stand for others.
  virtual bool quantises() const { return false; }
  // Pixels one after another, or as many of zeros.
  virtual void store(const float* x, std::int64_t pixels, Quantum quantum, void* to) const = 0;
  virtual void store_zeros(std::int64_t pixels, Quantum quantum, void* to) const = 0;

  std::int64_t all_rows() const { return groups_.rows; }
  std::int64_t groups() const { return (groups_.rows + groups_.most - 1) / groups_.most; }
  RowGroup group(std::int64_t g) const {
    const std::int64_t first = g * groups_.most;
    return {first, std::min(groups_.most, groups_.rows - first)};
  }
  virtual std::int64_t group_rows() const = 0;  // the most, padded to whole registers
  // Values of type float that load() takes; it is called before sums() of its group.
  virtual std::int64_t loaded_values() const { return 0; }
  virtual void load(std::int64_t /*g*/, float* /*loaded*/) const {}
  // sums[i * group_rows() + r] for the rows of a group and the pixels at places.
  virtual void sums(std::int64_t g, const float* loaded, const void* base, Places places,
                    const Quantum* quanta, std::int64_t quantum_step, float* sums) const = 0;

 private:
  RowGroups groups_;
};

// By look-ups in tables of sign patterns; the weights are +1 and -1.
std::unique_ptr<Product> make_sign_product(const SignOps& ops, const LayerWeights& weights,
                                           const Geometry& geometry);
// In float, of any weights.
std::unique_ptr<Product> make_float_product(const FloatOps& ops, const LayerWeights& weights,
                                            const Geometry& geometry);
// The product of inputs rounded to bytes and weights of +1 and -1.
std::unique_ptr<Product> make_byte_product(const ByteOps& ops, const LayerWeights& weights,
                                           const Geometry& geometry);

// The product of inputs rounded to bytes and weights that are integers of 8 bits at most.
std::unique_ptr<Product> make_integer_product(const IntegerOps& ops, const ByteOps& bytes,
                                              const LayerWeights& weights,
                                              const Geometry& geometry);

// As make_byte_product() by look-ups in tables of sums of bytes.
std::unique_ptr<Product> make_byte_table_product(const ByteTableOps& ops, const ByteOps& bytes,
                                                 const LayerWeights& weights,
                                                 const Geometry& geometry);

}  // namespace tbn::fast
