/// @file
/// A tensor in plain host memory: what checkpoints, packed files and the runtime hold. It is
/// row-major and contiguous, and knows nothing of LibTorch. Its bytes are its own, or those of a
/// mapped file that it keeps alive and copies before it changes them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tbn {

/// The element types that tbn reads and writes; the names are those of safetensors.
enum class DType { kBool, kU8, kI8, kI32, kI64, kF16, kBF16, kF32, kF64 };

std::size_t size_of(DType dtype);         ///< bytes of one element
std::string_view to_string(DType dtype);  ///< "BOOL", "U8", ..., "F64"

/// Sizes of the dimensions, outermost first; row-major.
using Shape = std::vector<std::int64_t>;

/// The product of the dimensions (1 for no dimension). Throws InternalError where it overflows or a
/// dimension is negative.
std::int64_t element_count(const Shape& shape);
std::string to_string(const Shape& shape);  ///< "[64, 3, 3, 3]"

/// The element type of the C++ type T.
template <class T>
constexpr DType dtype_of();
/// U8.
template <>
constexpr DType dtype_of<std::uint8_t>() {
  return DType::kU8;
}
/// I8.
template <>
constexpr DType dtype_of<std::int8_t>() {
  return DType::kI8;
}
/// I32.
template <>
constexpr DType dtype_of<std::int32_t>() {
  return DType::kI32;
}
/// I64.
template <>
constexpr DType dtype_of<std::int64_t>() {
  return DType::kI64;
}
/// F32.
template <>
constexpr DType dtype_of<float>() {
  return DType::kF32;
}
/// F64.
template <>
constexpr DType dtype_of<double>() {
  return DType::kF64;
}

/// A tensor in host memory, row-major and contiguous. A size that does not fit throws
/// InternalError.
class HostTensor {
 public:
  /// No elements: F32 of shape [0].
  HostTensor() = default;
  /// Zero-filled.
  HostTensor(DType dtype, Shape shape);
  /// Takes over `bytes`, whose size must be element_count(shape) * size_of(dtype).
  HostTensor(DType dtype, Shape shape, std::vector<std::byte> bytes);
  /// The same tensor with its bytes shared: copies of it borrow them instead of copying.
  static HostTensor shared(HostTensor tensor);
  /// Borrows `bytes`, which must be aligned to the elements, have the size of the shape, and stay
  /// valid and unchanged while `owner` lives. A copy of the tensor borrows too.
  static HostTensor borrow(DType dtype, Shape shape, std::span<const std::byte> bytes,
                           std::shared_ptr<const void> owner);

  /// A copy of `values`, as many as the shape has elements.
  template <class T>
  static HostTensor of(const Shape& shape, std::span<const T> values) {
    HostTensor t(dtype_of<T>(), shape);
    t.check_count(values.size());
    std::copy(values.begin(), values.end(), t.values<T>().begin());
    return t;
  }

  /// The element type.
  DType dtype() const { return dtype_; }
  /// The sizes of the dimensions.
  const Shape& shape() const { return shape_; }
  /// The number of elements.
  std::int64_t count() const { return element_count(shape_); }
  /// Whether the bytes belong to something else, such as a mapped file.
  bool is_borrowed() const { return owner_ != nullptr; }

  /// The bytes, row-major and little-endian.
  std::span<const std::byte> bytes() const { return is_borrowed() ? borrowed_ : bytes_; }
  /// The bytes, to be written: borrowed ones are copied first, and spans taken before are no longer
  /// valid.
  std::span<std::byte> bytes() {
    if (is_borrowed()) take_copy();
    return bytes_;
  }

  /// The elements, to be written, as bytes() does it. Throws InternalError where T is not the
  /// dtype.
  template <class T>
  std::span<T> values() {
    check_dtype(dtype_of<T>());
    const std::span<std::byte> all = bytes();
    return {reinterpret_cast<T*>(all.data()), all.size() / sizeof(T)};
  }
  /// The elements. Throws InternalError where T is not the dtype.
  template <class T>
  std::span<const T> values() const {
    check_dtype(dtype_of<T>());
    const std::span<const std::byte> all = bytes();
    return {reinterpret_cast<const T*>(all.data()), all.size() / sizeof(T)};
  }

  /// Whether type, shape and bytes are equal, wherever the bytes lie.
  bool operator==(const HostTensor& other) const;

 private:
  void check_dtype(DType wanted) const;
  void check_count(std::size_t values) const;
  void check_size(std::size_t bytes) const;
  void take_copy();

  DType dtype_ = DType::kF32;
  Shape shape_ = {0};
  std::vector<std::byte> bytes_;  // empty while borrowed
  std::span<const std::byte> borrowed_;
  std::shared_ptr<const void> owner_;  // null: the bytes are the tensor's own
};

/// Parameters and buffers by their full name, "layer1.0.conv1.latent". Ordered, so that what is
/// written from it is the same bytes each time.
using TensorMap = std::map<std::string, HostTensor>;

}  // namespace tbn
