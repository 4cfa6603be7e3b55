// Uniform weights: integers of a few bits, times one step size per output. They are trained as
// floats that each step rounds, the step sizes with them (LSQ, arXiv 1902.08153).
#include "encodings/uniform.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "encodings/rooms.h"
#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::int64_t kFloatBits = 32;

std::vector<Field> make_fields() {
  Field bits = number_field<&UniformWeights::bits>("bits", "of a weight of uniform layers",
                                                   kFewestLevelBits, kMostLevelBits, 8);
  bits.is_main = true;
  return {bits};
}

class UniformRoom final : public Encoding {
 public:
  std::string_view word() const override { return "uniform"; }
  WeightEncoding standard() const override { return UniformWeights{}; }
  std::span<const Field> fields() const override {
    static const std::vector<Field> all = make_fields();
    return all;
  }
  std::string name(const WeightEncoding& encoding) const override {
    return "uniform(bits=" + std::to_string(bits_of(encoding)) + ")";
  }

  void check(const WeightEncoding& encoding, const LayerDims& dims) const override {
    const std::int64_t bits = bits_of(encoding);
    if (bits >= kFewestLevelBits && bits <= kMostLevelBits) return;
    throw ConfigError(dims.where + ": uniform weights have " + std::to_string(kFewestLevelBits) +
                      " to " + std::to_string(kMostLevelBits) + " bits, not " +
                      std::to_string(bits));
  }

  std::vector<WeightEncoding> choices(const WeightEncoding& /*encoding*/, const LayerDims& /*dims*/,
                                      const ChoiceLimits& limits) const override {
    std::vector<WeightEncoding> found;
    found.reserve(limits.bits.size());
    for (const std::int64_t bits : limits.bits) found.emplace_back(UniformWeights{bits});
    return found;
  }

  EncodingCost cost(const WeightEncoding& encoding, const LayerDims& dims) const override {
    const std::int64_t bits = bits_of(encoding);
    return {.form = std::to_string(bits) + " bits",
            .scalars = dims.outputs,
            .bits = bits * dims.outputs * dims.inputs + kFloatBits * dims.outputs,
            .bytes = dims.outputs * (level_row_bytes(dims.inputs, bits) + kFloatBits / 8),
            .sums = dims.outputs};
  }

  std::vector<TensorSpec> training_tensors(const WeightEncoding& /*encoding*/,
                                           const LayerDims& dims) const override {
    return {{.name = "weight", .role = TensorRole::kWeight, .shape = dims.weight},
            {.name = "alpha", .role = TensorRole::kAlpha, .shape = {dims.outputs}}};
  }

  std::vector<TensorSpec> packed_tensors(const WeightEncoding& encoding, const LayerDims& dims,
                                         bool scaled) const override {
    std::vector<TensorSpec> specs = {
        {.name = "levels",
         .role = TensorRole::kLevels,
         .dtype = DType::kU8,
         .shape = {dims.outputs, level_row_bytes(dims.inputs, bits_of(encoding))}}};
    if (!scaled) {
      specs.push_back({.name = "alpha", .role = TensorRole::kAlpha, .shape = {dims.outputs}});
    }
    return specs;
  }

  void pack(WeightEncoding& encoding, const LayerDims& dims,
            EditableTensors& tensors) const override {
    const std::int64_t bits = bits_of(encoding);
    const auto weights = tensors.values<float>("weight");
    HostTensor steps_of_outputs(DType::kF32, {dims.outputs});
    const auto steps = steps_of_outputs.values<float>();
    std::ranges::transform(tensors.values<float>("alpha"), steps.begin(),
                           [&](float alpha) { return step_of(alpha, bits); });
    const auto inputs = static_cast<std::size_t>(dims.inputs);
    const auto row_bytes = static_cast<std::size_t>(level_row_bytes(dims.inputs, bits));
    HostTensor packed(DType::kU8, {dims.outputs, level_row_bytes(dims.inputs, bits)});
    std::vector<std::int8_t> row(inputs);
    for (std::size_t c = 0; c < steps.size(); ++c) {
      for (std::size_t k = 0; k < inputs; ++k) {
        row[k] = level_of(weights[c * inputs + k], steps[c], bits);
      }
      pack_levels(row, bits, packed.values<std::uint8_t>().subspan(c * row_bytes, row_bytes));
    }
    tensors.erase("weight");
    tensors.put("levels", std::move(packed));
    tensors.put("alpha", std::move(steps_of_outputs));
  }

  void absorb(const WeightEncoding& /*encoding*/, const LayerDims& /*dims*/,
              EditableTensors& tensors, std::span<double> scale) const override {
    const std::vector<double> steps = tensors.doubles("alpha");
    for (std::size_t c = 0; c < scale.size(); ++c) scale[c] *= steps[c];
    tensors.erase("alpha");
  }

  std::vector<std::string_view> features(const WeightEncoding& /*encoding*/) const override {
    return {"uniform"};
  }

  void check_values(const WeightEncoding& encoding, const LayerDims& dims,
                    const NodeTensors& tensors) const override {
    const std::int64_t bits = bits_of(encoding);
    const std::int64_t row_bytes = level_row_bytes(dims.inputs, bits);
    const auto used = static_cast<unsigned>((dims.inputs * bits + 7) % 8 + 1);  // of the last byte
    const auto packed = tensors.values<std::uint8_t>("levels");
    for (std::int64_t c = 0; c < dims.outputs; ++c) {
      if (packed[static_cast<std::size_t>((c + 1) * row_bytes - 1)] >> used == 0) continue;
      throw DataError(dims.where + ": row " + std::to_string(c) + " of its " +
                      std::to_string(dims.inputs) + " levels does not end with zeros");
    }
  }

  LayerRows rows(const WeightEncoding& encoding, const LayerDims& dims,
                 const NodeTensors& tensors) const override {
    const std::int64_t bits = bits_of(encoding);
    const auto packed = tensors.values<std::uint8_t>("levels");
    LayerRows rows = {.outputs = dims.outputs, .inputs = dims.inputs, .groups = dims.groups};
    Term& term = rows.terms.emplace_back();
    term.rows = dims.outputs;
    if (tensors.has("alpha")) {
      const auto steps = tensors.values<float>("alpha");
      term.gain = {.of = ScalarsOf::kOutputs, .values = {steps.begin(), steps.end()}};
    }
    if (bits == 8) {  // as they lie in the file
      rows.values =
          IntegerRows{{reinterpret_cast<const std::int8_t*>(packed.data()), packed.size()},
                      static_cast<int>(bits)};
      return rows;
    }
    const auto levels = std::make_shared<std::vector<std::int8_t>>(
        static_cast<std::size_t>(dims.outputs * dims.inputs));
    const auto inputs = static_cast<std::size_t>(dims.inputs);
    const auto row_bytes = static_cast<std::size_t>(level_row_bytes(dims.inputs, bits));
    for (std::size_t c = 0; c < static_cast<std::size_t>(dims.outputs); ++c) {
      unpack_levels(packed.subspan(c * row_bytes, row_bytes), bits,
                    std::span(*levels).subspan(c * inputs, inputs));
    }
    rows.values = IntegerRows{*levels, static_cast<int>(bits)};
    rows.keep = levels;
    return rows;
  }

 private:
  static std::int64_t bits_of(const WeightEncoding& encoding) {
    return std::get<UniformWeights>(encoding).bits;
  }
};

}  // namespace

const Encoding& uniform_encoding() {
  static const UniformRoom room;
  return room;
}

float step_factor(std::int64_t bits) { return 1 / static_cast<float>(highest_level(bits)); }

float step_of(float alpha, std::int64_t bits) {
  return std::max(std::abs(alpha), kLeastAlpha) * step_factor(bits);
}

std::int8_t level_of(float weight, float step, std::int64_t bits) {
  if (step == 0) return 0;
  const auto low = static_cast<float>(lowest_level(bits));
  const auto high = static_cast<float>(highest_level(bits));
  return static_cast<std::int8_t>(std::nearbyint(std::clamp(weight / step, low, high)));
}

void pack_levels(std::span<const std::int8_t> row, std::int64_t bits,
                 std::span<std::uint8_t> packed) {
  const auto width = static_cast<std::size_t>(bits);
  const unsigned mask = (1u << bits) - 1;
  std::ranges::fill(packed, std::uint8_t{0});
  for (std::size_t k = 0; k < row.size(); ++k) {
    const std::size_t first = k * width;
    const unsigned moved = (static_cast<unsigned>(row[k]) & mask) << first % 8;
    packed[first / 8] = static_cast<std::uint8_t>(packed[first / 8] | moved);
    if (moved > 0xff) packed[first / 8 + 1] = static_cast<std::uint8_t>(moved >> 8);
  }
}

void unpack_levels(std::span<const std::uint8_t> packed, std::int64_t bits,
                   std::span<std::int8_t> row) {
  const auto width = static_cast<std::size_t>(bits);
  const unsigned mask = (1u << bits) - 1;
  const int sign = 1 << (bits - 1);
  for (std::size_t k = 0; k < row.size(); ++k) {
    const std::size_t first = k * width;
    unsigned both = packed[first / 8];
    if (first % 8 + width > 8) both |= static_cast<unsigned>(packed[first / 8 + 1]) << 8;
    const auto level = static_cast<int>(both >> first % 8 & mask);
    row[k] = static_cast<std::int8_t>((level ^ sign) - sign);
  }
}

}  // namespace tbn
