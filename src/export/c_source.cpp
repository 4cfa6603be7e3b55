// The two forms of a network in C.
#include "export/c_source.h"

#include "export/c_writer.h"
#include "tbn/error.h"

namespace tbn {

namespace {

constexpr std::int64_t kSmallBytes = 16;  // the structs of steps that are no layers, at most

class IntegerWriter final : public CWriter {
 public:
  IntegerWriter(const micro::IntegerNetwork& network, std::string_view name)
      : CWriter(network.network, name, "", 1), integers_(network) {}

 private:
  std::string arena_type() const override { return "uint32_t"; }
  std::string value_type() const override { return "uint8_t"; }
  std::string scratch_type() const override { return "int32_t"; }
  std::string output_type() const override { return integers_.logits ? "int32_t" : "uint8_t"; }
  std::string argmax() const override {
    return integers_.logits ? "tbn_argmax" : "tbn_argmax_bytes";
  }
  std::int64_t output_bytes() const override { return integers_.logits ? 4 : 1; }
  std::int64_t window_bytes() const override { return 1; }
  std::string header_notes() const override {
    return "Inputs are bytes, images with the channels of a pixel side by side; an output q\n * "
           "stands for OUTPUT_SCALE * (q - OUTPUT_ZERO). Integers alone.";
  }
  std::string constants() const override {
    const micro::Quantity& y =
        integers_.quantities[static_cast<std::size_t>(integers_.network.output)];
    const double scale = integers_.logits ? integers_.logit_scale : y.scale;
    std::string big = c_macro(name());
    return "#define " + big + "_OUTPUT_SCALE " + c_float(scale) + "\n#define " + big +
           "_OUTPUT_ZERO " + c_number(integers_.logits ? 0 : y.zero) + "\n";
  }

  void write_action(std::size_t i) override {
    action_ = &integers_.actions[i];
    std::visit([this](const auto& action) { emit(action); }, step().action);
  }

  void emit(const micro::Layer& layer) {
    const auto& integer = std::get<micro::IntegerLayer>(*action_);
    CLayer fields = sign_layer(layer);
    if (!integer.weights.empty()) {
      fields.set_kernels(layer, "tbn_dense_sums", "tbn_depthwise_dense");
      fields.weights = weights("int8_t", "weights", integer.weights);
    }
    fields.alphas = scalars("int16_t", "alphas", integer.flat_gains);
    fields.gains = scalars("int16_t", "gains", integer.out.gains);
    fields.biases = scalars("int16_t", "biases", integer.out.biases);
    const micro::Requantize& out = integer.out;
    const std::string own = c_number(out.bias_shift) + ", " + c_number(out.shift) + ", " +
                            c_number(out.zero) + ", " + c_number(integer.zero_in);
    call_layer(layer, fields, out.gains.size(), own, integers_.logits && is_last());
  }

  void emit(const micro::Pool& pool) {
    if (pool.kind == PoolKind::kMax) {
      return call("tbn_max_pool", {window(pool.window), input(), output()});
    }
    const auto& mean = std::get<micro::IntegerPool>(*action_);
    describe("static const tbn_mean " + symbol("mean") + " = {" + c_number(mean.out.gains[0]) +
                 ", " + c_number(mean.out.shift) + ", " + c_number(mean.out.zero) + ", " +
                 c_number(mean.zero_in) + "};\n",
             kSmallBytes);
    call("tbn_mean_pool", {"&" + symbol("mean"), window(pool.window), input(), output()});
  }

  void emit(const micro::Sum&) {
    const auto& sum = std::get<micro::IntegerSum>(*action_);
    describe("static const tbn_sum " + symbol("sum") + " = {" + c_number(sum.gains[0]) + ", " +
                 c_number(sum.gains[1]) + ", " + c_number(sum.shift) + ", " + c_number(sum.zero) +
                 ", " + c_number(sum.zeros_in[0]) + ", " + c_number(sum.zeros_in[1]) + "};\n",
             kSmallBytes);
    call("tbn_add",
         {"&" + symbol("sum"), input(), input(1), output(), c_number(step().out.size())});
  }

  void emit(const micro::ScaleChannels&) {
    const auto& scale = std::get<micro::IntegerScale>(*action_);
    if (scale.identity) {
      // The bytes stay where they are, unless others read the input later on.
      if (input() != output()) {
        call("tbn_relu", {input(), output(), c_number(step().out.size()), "0"});
      }
      return;
    }
    const std::string gains = scalars("int16_t", "gains", scale.out.gains);
    const std::string biases = scalars("int16_t", "biases", scale.out.biases);
    describe("static const tbn_scale " + symbol("scale") + " = {" + gains + ", " + biases + ", " +
                 c_number(step().out.c) + ", " + c_number(scale.out.bias_shift) + ", " +
                 c_number(scale.out.shift) + ", " + c_number(scale.out.zero) + "};\n",
             kSmallBytes);
    call("tbn_scale_channels",
         {"&" + symbol("scale"), input(), output(), c_number(step().out.size())});
  }

  void emit(const micro::Activate&) {
    const std::string count = c_number(step().out.size());
    if (const auto* table = std::get_if<micro::ByteTable>(action_)) {
      const std::vector<std::uint8_t> bytes(table->of.begin(), table->of.end());
      const std::string name = weights("uint8_t", "table", bytes);
      return call("tbn_look_up", {name, input(), output(), count});
    }
    const int zero = std::get<micro::Unchanged>(*action_).zero;
    call("tbn_relu", {input(), output(), count, c_number(zero)});
  }

  void emit(const micro::ChannelsFirst&) {
    call("tbn_channels_first",
         {input(), output(), c_number(step().in.h * step().in.w), c_number(step().in.c)});
  }

  const micro::IntegerNetwork& integers_;
  const micro::IntegerAction* action_ = nullptr;
};

class FloatWriter final : public CWriter {
 public:
  FloatWriter(const micro::Network& network, std::string_view name)
      : CWriter(network, name, "_f32", sizeof(float)) {}

 private:
  std::string arena_type() const override { return "float"; }
  std::string value_type() const override { return "float"; }
  std::string scratch_type() const override { return "float"; }
  std::string output_type() const override { return "float"; }
  std::string argmax() const override { return "tbn_argmax_f32"; }
  std::int64_t output_bytes() const override { return sizeof(float); }
  std::int64_t window_bytes() const override { return sizeof(float); }
  std::string header_notes() const override {
    return "Images are pixels 0..255 with the channels of a pixel side by side. The class is -1 "
           "where\n "
           "* an output is not a number.";
  }

  void write_action(std::size_t) override {
    std::visit([this](const auto& action) { emit(action); }, step().action);
  }

  void emit(const micro::Layer& layer) {
    CLayer fields = sign_layer(layer);
    std::visit(Overloaded{[](const micro::RowSigns&) {},
                          [&](const micro::FlatSigns& flat) {
                            fields.alphas = scalars("float", "alphas", flat.alphas);
                          },
                          [&](const micro::IntegerWeights& rows) {
                            fields.set_kernels(layer, "tbn_integer_sums_f32",
                                               "tbn_depthwise_integer");
                            fields.weights = weights("int8_t", "weights", rows.values);
                          },
                          [&](const micro::DenseWeights& dense) {
                            fields.set_kernels(layer, "tbn_dense_sums_f32", "tbn_depthwise_dense");
                            fields.weights = weights("float", "weights", dense.values);
                          }},
               layer.weights);
    fields.gains = scalars("float", "gains", layer.gains);
    fields.biases = scalars("float", "biases", layer.biases);
    call_layer(layer, fields, layer.gains.size(), c_number(layer.relu ? 1 : 0), false);
  }

  void emit(const micro::Pool& pool) {
    call(pool.kind == PoolKind::kMax ? "tbn_max_pool" : "tbn_mean_pool",
         {window(pool.window), input(), output()});
  }
  void emit(const micro::Sum& sum) {
    call("tbn_add",
         {input(), input(1), output(), c_number(step().out.size()), sum.relu ? "1" : "0"});
  }
  void emit(const micro::ScaleChannels& scale) {
    const std::string gains = scalars("float", "gains", scale.gains);
    if (!scale.means.empty()) {
      const std::string means = scalars("float", "means", scale.means);
      return call("tbn_normalize", {means, gains, c_number(step().out.c), input(), output(),
                                    c_number(step().out.size())});
    }
    const std::string biases = scalars("float", "biases", scale.biases);
    call("tbn_scale_channels", {gains, biases, c_number(step().out.c), input(), output(),
                                c_number(step().out.size()), scale.relu ? "1" : "0"});
  }
  void emit(const micro::Activate& op) {
    call("tbn_" + std::string(to_string(op.kind)),
         {input(), output(), c_number(step().out.size())});
  }
  void emit(const micro::ChannelsFirst&) {
    call("tbn_channels_first",
         {input(), output(), c_number(step().in.h * step().in.w), c_number(step().in.c)});
  }
};

}  // namespace

std::int64_t CSource::weights() const {
  std::int64_t bytes = 0;
  for (const CStepCost& step : steps) bytes += step.weights;
  return bytes;
}

std::int64_t CSource::scalars() const {
  std::int64_t bytes = 0;
  for (const CStepCost& step : steps) bytes += step.scalars;
  return bytes;
}

std::int64_t CSource::flash_bytes() const {
  std::int64_t bytes = weights() + scalars();
  for (const CStepCost& step : steps) bytes += step.descriptors;
  return bytes;
}

CSource c_source(const micro::IntegerNetwork& network, std::string_view name) {
  TBN_CHECK(is_c_name(name), "a name for C");
  return IntegerWriter(network, name).write();
}

CSource c_source_f32(const micro::Network& network, std::string_view name) {
  TBN_CHECK(is_c_name(name), "a name for C");
  return FloatWriter(network, name).write();
}

}  // namespace tbn
