// Finds prepared weights, or makes them.
#include "runtime/cpu/fast/weights.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/text.h"
#include "tbn/error.h"
#include "tbn/file.h"

namespace tbn::fast {
namespace {

constexpr DType kLineType = DType::kI64;
constexpr std::int64_t kLineBytes = 64;

Shape lines_of(std::int64_t bytes) {
  return {(bytes + kLineBytes - 1) / kLineBytes,
          kLineBytes / static_cast<std::int64_t>(size_of(kLineType))};
}

std::string describe(const HostTensor& tensor) {
  return std::string(to_string(tensor.dtype())) + " " + to_string(tensor.shape());
}

// The number of ones among `count` bits.
std::int64_t ones(const std::uint8_t* bits, std::int64_t count) {
  std::int64_t sum = 0;
  for (; count >= 64; count -= 64, bits += 8) {
    std::uint64_t word;
    std::memcpy(&word, bits, 8);
    sum += std::popcount(word);
  }
  for (; count >= 8; count -= 8, ++bits) sum += std::popcount(*bits);
  if (count > 0) sum += std::popcount(*bits & ((1u << count) - 1));
  return sum;
}

}  // namespace

std::string layout_name(std::string_view kind, std::initializer_list<std::int64_t> numbers) {
  std::string name(kind);
  for (const std::int64_t number : numbers) name += "-" + std::to_string(number);
  return name;
}

std::string LayerWeights::name_in(const std::string& layout) const {
  return std::string(kPreparedPrefix) + layout + "/" + node_;
}

HostTensor LayerWeights::in(const std::string& layout, std::int64_t bytes, Pack pack) const {
  const Shape shape = lines_of(bytes);
  const auto find = [&]() -> const HostTensor* {
    if (prepared_.held == nullptr) return nullptr;
    const auto found = prepared_.held->find(name_in(layout));
    return found == prepared_.held->end() ? nullptr : &found->second;
  };
  const auto make = [&] {
    HostTensor lines(kLineType, shape);
    pack(dense_rows(rows_), lines.bytes().data());
    return HostTensor::shared(std::move(lines));
  };
  const HostTensor* held = find();
  if (held != nullptr && (held->dtype() != kLineType || held->shape() != shape)) {
    throw DataError("prepared weights " + in_quotes(name_in(layout)) + " are " + describe(*held) +
                    ", but the layer's take I64 " + to_string(shape) +
                    "; prepare the file again, or export it without");
  }
  const HostTensor lines = held != nullptr ? *held : make();
  if (prepared_.used != nullptr) prepared_.used->insert_or_assign(name_in(layout), lines);
  return lines;
}

HostTensor LayerWeights::floats_in(const std::string& layout, std::int64_t bytes, Pack pack) const {
  const HostTensor lines = in(layout, bytes, pack);
  const auto* values = values_of<float>(lines);
  const auto* end = values + bytes / static_cast<std::int64_t>(sizeof(float));
  const auto* wrong = std::find_if(values, end, [](float v) { return !std::isfinite(v); });
  if (wrong == end) return lines;
  throw DataError("prepared weights " + in_quotes(name_in(layout)) + " hold " +
                  std::to_string(*wrong) +
                  ", and only finite numbers may be in them; prepare the " +
                  "file again, or export it without");
}

std::vector<std::int32_t> LayerWeights::totals() const {
  TBN_CHECK(are_signs() || are_integers(), "rows of signs or integers");
  std::vector<std::int32_t> sums;
  sums.reserve(static_cast<std::size_t>(rows()));
  for (std::int64_t r = 0; r < rows(); ++r) {
    if (const auto* signs = std::get_if<SignRows>(&rows_.values)) {
      const std::int64_t positives = ones(signs->bits.data() + r * signs->row_bytes, rows_.inputs);
      sums.push_back(static_cast<std::int32_t>(2 * positives - rows_.inputs));
      continue;
    }
    const auto row = std::get<IntegerRows>(rows_.values)
                         .values.subspan(static_cast<std::size_t>(r * rows_.inputs),
                                         static_cast<std::size_t>(rows_.inputs));
    sums.push_back(std::accumulate(row.begin(), row.end(), 0));
  }
  return sums;
}

}  // namespace tbn::fast
