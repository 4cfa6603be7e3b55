// Arrays of numbers as NumPy saves them: .npy, versions 1 to 3 of the format (NumPy Enhancement
// Proposal 1, numpy.lib.format). A file is an outside input: what its header promises is held
// against the bytes that are there.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tbn/tensor.h"

namespace tbn {

inline constexpr std::int64_t kMaxNpyBytes = std::int64_t{1} << 30;  // of a file

// Whether a file begins as every .npy does.
bool is_npy(std::span<const std::uint8_t> bytes);

class NpyArray {
 public:
  // Of a whole file; `where` starts the error sentences ("'a.npy': "). Throws DataError for what is
  // damaged, too short or too long, of another type than booleans, integers and floats, and of
  // columns before rows (Fortran's order).
  NpyArray(std::vector<std::uint8_t> bytes, const std::string& where);

  const Shape& shape() const { return shape_; }  // [] of a single number
  // Whether its numbers are unsigned bytes.
  bool is_bytes() const { return kind_ == 'u' && size_ == 1; }
  bool is_float() const { return kind_ == 'f'; }
  // The numbers from place `first` on, row-major, each as the nearest double.
  void read(std::int64_t first, std::span<double> out) const;

 private:
  double number(const std::uint8_t* at) const;

  std::vector<std::uint8_t> bytes_;
  std::size_t begin_ = 0;  // of the numbers
  Shape shape_;
  char kind_ = 0;         // b, i, u, f
  std::size_t size_ = 0;  // bytes of a number
  bool swapped_ = false;  // the most significant byte comes first
};

}  // namespace tbn
