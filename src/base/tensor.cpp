// Element types, shapes and the tensor in host memory.
#include "tbn/tensor.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "base/shape.h"
#include "tbn/error.h"

namespace tbn {

std::size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::kBool:
    case DType::kU8:
    case DType::kI8:
      return 1;
    case DType::kF16:
    case DType::kBF16:
      return 2;
    case DType::kI32:
    case DType::kF32:
      return 4;
    case DType::kI64:
    case DType::kF64:
      return 8;
  }
  TBN_CHECK(false, "not a dtype: " + std::to_string(static_cast<int>(dtype)));
}

std::string_view to_string(DType dtype) {
  switch (dtype) {
    case DType::kBool:
      return "BOOL";
    case DType::kU8:
      return "U8";
    case DType::kI8:
      return "I8";
    case DType::kI32:
      return "I32";
    case DType::kI64:
      return "I64";
    case DType::kF16:
      return "F16";
    case DType::kBF16:
      return "BF16";
    case DType::kF32:
      return "F32";
    case DType::kF64:
      return "F64";
  }
  TBN_CHECK(false, "not a dtype: " + std::to_string(static_cast<int>(dtype)));
}

std::optional<std::int64_t> checked_element_count(const Shape& shape) {
  std::int64_t nonzero = 1;
  bool empty = false;
  for (const std::int64_t dim : shape) {
    if (dim < 0) return std::nullopt;
    if (dim == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(nonzero, dim, &nonzero)) {
      return std::nullopt;
    }
  }
  return empty ? 0 : nonzero;
}

std::optional<std::int64_t> checked_byte_count(DType dtype, const Shape& shape) {
  const std::optional<std::int64_t> count = checked_element_count(shape);
  const auto size = static_cast<std::int64_t>(size_of(dtype));
  if (!count || *count > std::numeric_limits<std::int64_t>::max() / size) return std::nullopt;
  return *count * size;
}

std::int64_t element_count(const Shape& shape) {
  const std::optional<std::int64_t> count = checked_element_count(shape);
  TBN_CHECK(count.has_value(), "shape " + to_string(shape) + " is negative or too large");
  return *count;
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

namespace {

std::size_t byte_count(DType dtype, const Shape& shape) {
  const std::optional<std::int64_t> bytes = checked_byte_count(dtype, shape);
  TBN_CHECK(bytes.has_value(), "shape " + to_string(shape) + " is negative or too large");
  return static_cast<std::size_t>(*bytes);
}

}  // namespace

HostTensor::HostTensor(DType dtype, Shape shape)
    : dtype_(dtype), shape_(std::move(shape)), bytes_(byte_count(dtype_, shape_)) {}

HostTensor::HostTensor(DType dtype, Shape shape, std::vector<std::byte> bytes)
    : dtype_(dtype), shape_(std::move(shape)), bytes_(std::move(bytes)) {
  check_size(bytes_.size());
}

HostTensor HostTensor::shared(HostTensor tensor) {
  if (tensor.is_borrowed()) return tensor;
  const auto owner = std::make_shared<const HostTensor>(std::move(tensor));
  return borrow(owner->dtype(), owner->shape(), owner->bytes(), owner);
}

HostTensor HostTensor::borrow(DType dtype, Shape shape, std::span<const std::byte> bytes,
                              std::shared_ptr<const void> owner) {
  TBN_CHECK(owner != nullptr, "borrowed bytes need an owner");
  TBN_CHECK(reinterpret_cast<std::uintptr_t>(bytes.data()) % size_of(dtype) == 0,
            "borrowed bytes are not aligned to " + std::string(tbn::to_string(dtype)));
  HostTensor tensor;
  tensor.dtype_ = dtype;
  tensor.shape_ = std::move(shape);
  tensor.check_size(bytes.size());
  tensor.borrowed_ = bytes;
  tensor.owner_ = std::move(owner);
  return tensor;
}

void HostTensor::take_copy() {
  bytes_.assign(borrowed_.begin(), borrowed_.end());
  borrowed_ = {};
  owner_.reset();
}

bool HostTensor::operator==(const HostTensor& other) const {
  return dtype_ == other.dtype_ && shape_ == other.shape_ &&
         std::ranges::equal(bytes(), other.bytes());
}

void HostTensor::check_size(std::size_t bytes) const {
  const std::size_t wanted = byte_count(dtype_, shape_);
  TBN_CHECK(bytes == wanted, "a tensor " + std::string(tbn::to_string(dtype_)) + " " +
                                 tbn::to_string(shape_) + " takes " + std::to_string(wanted) +
                                 " bytes, not " + std::to_string(bytes));
}

void HostTensor::check_dtype(DType wanted) const {
  TBN_CHECK(wanted == dtype_, "a tensor of " + std::string(tbn::to_string(dtype_)) +
                                  " was read as " + std::string(tbn::to_string(wanted)));
}

void HostTensor::check_count(std::size_t values) const {
  TBN_CHECK(
      values == static_cast<std::size_t>(count()),
      "a tensor " + tbn::to_string(shape_) + " was given " + std::to_string(values) + " values");
}

}  // namespace tbn
