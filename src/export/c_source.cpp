// Writes one step after another; what the two forms share is in CWriter.
#include "export/c_source.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "export/c_arrays.h"
#include "micro/plan.h"
#include "micro/window.h"
#include "tbn/error.h"

namespace tbn {

namespace {

using micro::Step;

constexpr std::int64_t kLayerBytes = 48;   // sizeof(tbn_layer) with pointers of 32 bits
constexpr std::int64_t kWindowBytes = 22;  // sizeof(tbn_window)
constexpr std::int64_t kSmallBytes = 16;   // the structs of other steps, at most

// Whoever formats the project that the files are copied to leaves them as they are.
const std::string kAsWritten = "/* clang-format off */\n";

std::string number(std::int64_t value) { return std::to_string(value); }

std::string decimal(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, static_cast<float>(value)).ptr;
  std::string text(buffer, end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text + "f";
}

// A node's name in a comment: nothing in it can end the comment.
std::string comment(std::string_view name) {
  std::string text;
  for (const char c : name.substr(0, 80)) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-';
    text += plain ? c : '_';
  }
  return text;
}

std::string upper(std::string_view name) {
  std::string text;
  for (const char c : name) {
    text += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return text;
}

// The struct of a layer's sizes as its kernel and its weights ask for.
struct LayerParts {
  std::string sums;  // function
  std::string weights = "0", tail = "0", alphas = "0", gains = "0", biases = "0";
  std::int64_t tile_bits = 0;
  std::int64_t alpha_step = 0;
  bool channels_first = false;
};

const char* gain_form(std::size_t gains, const micro::Layer& layer) {
  if (gains == 1) return "TBN_ONE_GAIN";
  return static_cast<std::int64_t>(gains) == layer.outputs ? "TBN_GAIN_PER_OUTPUT"
                                                           : "TBN_GAIN_PER_COPY";
}

class CWriter {
 public:
  CWriter(const micro::Network& network, std::string_view name, std::string suffix,
          std::int64_t value_bytes)
      : network_(network), name_(name), suffix_(std::move(suffix)), value_bytes_(value_bytes) {}
  virtual ~CWriter() = default;

  CSource write() {
    plan();
    for (std::size_t i = 0; i < network_.steps.size(); ++i) write_step(i);
    result_.arena_bytes = arena_.bytes;
    result_.source = head() + arrays_ + functions();
    result_.header = header();
    return std::move(result_);
  }

 protected:
  virtual std::string value_type() const = 0;
  virtual std::string output_type() const = 0;
  virtual std::string argmax() const = 0;
  virtual std::string header_notes() const = 0;
  virtual std::int64_t output_bytes() const = 0;  // of one value
  virtual std::int64_t window_bytes() const = 0;  // of one value in a window
  // Writes the arrays and the call of step i.
  virtual void write_action(std::size_t i) = 0;

  const Step& step() const { return network_.steps[current_]; }
  std::string symbol(const char* what) const { return "step" + number(current()) + "_" + what; }
  std::int64_t current() const { return static_cast<std::int64_t>(current_); }
  bool is_last() const { return current_ + 1 == network_.steps.size(); }

  template <class T>
  std::string array(const char* type, const char* what, std::span<const T> values,
                    std::int64_t& bytes) {
    if (values.empty()) return "0";
    const std::string name = symbol(what);
    arrays_ += c_array(type, name, values);
    bytes += static_cast<std::int64_t>(values.size() * sizeof(T));
    return name;
  }
  template <class T>
  std::string weights(const char* type, const char* what, const std::vector<T>& values) {
    return array<T>(type, what, values, cost_.weights);
  }
  template <class T>
  std::string scalars(const char* type, const char* what, const std::vector<T>& values) {
    return array<T>(type, what, values, cost_.scalars);
  }

  std::string place(int value) const {
    const std::int64_t offset = arena_.offsets[static_cast<std::size_t>(value)];
    return "(" + value_type() + " *)(arena + " + number(offset / 4) + ")";
  }
  std::string input(std::size_t which = 0) const { return place(step().inputs[which]); }
  std::string output() const {
    const std::int64_t offset = arena_.offsets[static_cast<std::size_t>(step().output)];
    const std::string type = is_last() ? output_type() : value_type();
    return "(" + type + " *)(arena + " + number(offset / 4) + ")";
  }
  std::string scratch(const char* type) const {
    return "(" + std::string(type) + " *)(arena + " + number(arena_.scratch[current_] / 4) + ")";
  }
  void call(const std::string& kernel, std::initializer_list<std::string> arguments) {
    cost_.kernel = kernel + suffix_;
    calls_ += "  " + cost_.kernel + "(";
    bool first = true;
    for (const std::string& argument : arguments) {
      if (!first) calls_ += ", ";
      calls_ += argument;
      first = false;
    }
    calls_ += "); /* " + comment(step().name) + " */\n";
  }

  // The window of the step; "&step3_window".
  std::string window(const micro::Window& w) {
    const auto& [in, out] = std::pair(step().in, step().out);
    const std::string name = symbol("window");
    arrays_ += "static const tbn_window " + name + " = {" + number(in.h) + ", " + number(in.w) +
               ", " + number(in.c) + ", " + number(out.h) + ", " + number(out.w) + ", " +
               number(w.kernel.h) + ", " + number(w.kernel.w) + ", " + number(w.stride.h) + ", " +
               number(w.stride.w) + ", " + number(w.padding.h) + ", " + number(w.padding.w) +
               "};\n";
    cost_.descriptors += kWindowBytes;
    return "&" + name;
  }

  // What the weights of signs are called and how they are read; dense ones are the form's own.
  LayerParts sign_parts(const micro::Layer& layer) {
    LayerParts parts;
    if (const auto* rows = std::get_if<micro::RowSigns>(&layer.weights)) {
      if (layer.depthwise) {
        parts.sums = "0";
        parts.weights = weights("uint8_t", "tile",
                                tile_bytes(rows->positive, static_cast<std::size_t>(layer.inputs)));
        return parts;
      }
      parts.sums = "tbn_tile_sums" + suffix_;
      const TileWords tile = tile_words(*rows);
      parts.weights = weights("uint32_t", "tile", tile.words);
      parts.tail = weights("uint8_t", "tail", tile.tail);
    } else if (const auto* flat = std::get_if<micro::FlatSigns>(&layer.weights)) {
      parts.sums = "tbn_flat_sums" + suffix_;
      parts.tile_bits = static_cast<std::int64_t>(flat->positive.size());
      parts.weights = weights("uint8_t", "tile", tile_bytes(flat->positive, flat->positive.size()));
      parts.alpha_step = flat->alphas.size() > 1 ? 1 : 0;
      parts.channels_first = true;
    }
    return parts;
  }

  // The call of the layer's kernel, whose struct has been written.
  void call_layer(const micro::Layer& layer, bool logits, const char* scratch_type) {
    const std::string self = "&" + symbol("layer");
    const bool dense = std::holds_alternative<micro::DenseWeights>(layer.weights);
    if (layer.depthwise) {
      return call(dense ? "tbn_depthwise_dense" : "tbn_depthwise_tile",
                  {self, window(layer.window), input(), output()});
    }
    const std::string ending = logits ? "_logits" : "";
    if (is_vector(step())) {
      return call("tbn_linear" + ending, {self, input(), output(), scratch(scratch_type)});
    }
    call("tbn_conv2d" + ending,
         {self, window(layer.window), input(), output(), scratch(scratch_type)});
  }

  void add_array(const std::string& text) { arrays_ += text; }
  CStepCost& cost() { return cost_; }
  const std::string& name() const { return name_; }

 private:
  // One window that is the whole input.
  static bool is_vector(const Step& step) {
    return step.in.h * step.in.w == 1 && step.out.h * step.out.w == 1 &&
           std::get<micro::Layer>(step.action).window.taps() == 1;
  }

  std::int64_t scratch_bytes(const Step& step) const {
    const auto* layer = std::get_if<micro::Layer>(&step.action);
    if (layer == nullptr || layer->depthwise) return 0;
    const std::int64_t sums = 4 * micro::outputs_of(*layer).rows;
    return is_vector(step) ? sums : sums + window_bytes() * layer->inputs;
  }

  void plan() {
    std::vector<std::int64_t> values, scratch;
    for (const std::int64_t size : network_.sizes) values.push_back(size * value_bytes_);
    const auto last = static_cast<std::size_t>(network_.output);
    values[last] = network_.sizes[last] * output_bytes();
    for (const Step& step : network_.steps) scratch.push_back(scratch_bytes(step));
    arena_ = micro::plan_arena(network_, values, scratch);
    for (std::size_t i = 0; i < network_.steps.size(); ++i) {
      const Step& step = network_.steps[i];
      std::int64_t live = scratch[i] + values[static_cast<std::size_t>(step.output)];
      for (const int input : step.inputs) live += values[static_cast<std::size_t>(input)];
      live_.push_back(live);
    }
  }

  void write_step(std::size_t i) {
    current_ = i;
    cost_ = {.name = step().name, .multiply_adds = micro::multiply_adds(step())};
    cost_.live_bytes = live_[i];
    const std::size_t before = arrays_.size();
    write_action(i);
    if (arrays_.size() > before) arrays_.insert(before, "/* " + comment(step().name) + " */\n");
    if (arrays_.size() > before) arrays_ += "\n";
    if (!cost_.kernel.empty()) result_.steps.push_back(cost_);
  }

  std::string head() const {
    return "/* " + comment(network_.name) + ", written by tbn-export; see " + name_ + ".h. */\n" +
           kAsWritten + "#include \"" + name_ + ".h\"\n\n#include \"tbn_micro.h\"\n\n" +
           "static uint32_t arena[" + number((arena_.bytes + 3) / 4) + "];\n\n";
  }
  std::string result_place() const {
    const std::int64_t offset = arena_.offsets[static_cast<std::size_t>(network_.output)];
    return "(const " + output_type() + " *)(arena + " + number(offset / 4) + ")";
  }
  std::string functions() const {
    return value_type() + " *" + name_ + "_input(void) { return " + place(0) + "; }\n\nconst " +
           output_type() + " *" + name_ + "_run(void) {\n" + calls_ + "  return " + result_place() +
           ";\n}\n\nint " + name_ + "_predict(void) { return " + argmax() + "(" + name_ +
           "_run(), " + upper(name_) + "_OUTPUTS); }\n";
  }
  std::string header() const {
    const std::string guard = upper(name_) + "_H", big = upper(name_);
    const micro::Map& in = network_.input;
    return "/* " + comment(network_.name) + " as C99, written by tbn-export.\n *\n" + " *   fill " +
           name_ + "_input(): " + big + "_INPUT_SIZE values, " + number(in.h) + " rows of " +
           number(in.w) + " pixels of " + number(in.c) + " channels\n *   then " + name_ +
           "_predict(): the class, or " + name_ + "_run(): the outputs\n *\n" +
           " * The input lies in the arena and is written over: fill it before each run. " +
           header_notes() + "\n *\n * Constants: " + number(result_.weights()) +
           " bytes of weights, " + number(result_.scalars()) + " of scalars, " +
           number(result_.flash_bytes()) + " in all. Arena: " + number(arena_.bytes) +
           " bytes. */\n" + kAsWritten + "#ifndef " + guard + "\n#define " + guard +
           "\n\n#include <stdint.h>\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n#define " +
           big + "_INPUT_SIZE " + number(in.size()) + "\n#define " + big + "_OUTPUTS " +
           number(network_.size(network_.output)) + "\n#define " + big + "_ARENA_BYTES " +
           number(arena_.bytes) + "\n" + constants() + "\n" + value_type() + " *" + name_ +
           "_input(void);\nconst " + output_type() + " *" + name_ + "_run(void);\nint " + name_ +
           "_predict(void);\n\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
  }
  virtual std::string constants() const { return ""; }

  const micro::Network& network_;
  std::string name_;
  std::string suffix_;
  std::int64_t value_bytes_;
  micro::Arena arena_;
  std::vector<std::int64_t> live_;
  std::size_t current_ = 0;
  CStepCost cost_;
  std::string arrays_, calls_;
  CSource result_;
};

class IntegerWriter final : public CWriter {
 public:
  IntegerWriter(const micro::IntegerNetwork& network, std::string_view name)
      : CWriter(network.network, name, "", 1), integers_(network) {}

 private:
  std::string value_type() const override { return "uint8_t"; }
  std::string output_type() const override { return integers_.logits ? "int32_t" : "uint8_t"; }
  std::string argmax() const override {
    return integers_.logits ? "tbn_argmax" : "tbn_argmax_bytes";
  }
  std::int64_t output_bytes() const override { return integers_.logits ? 4 : 1; }
  std::int64_t window_bytes() const override { return 1; }
  std::string header_notes() const override {
    return "Inputs are bytes,\n * images with the channels of a pixel side by side; an output q "
           "stands for\n * OUTPUT_SCALE * (q - OUTPUT_ZERO). Integers alone.";
  }
  std::string constants() const override {
    const micro::Quantity& y =
        integers_.quantities[static_cast<std::size_t>(integers_.network.output)];
    const double scale = integers_.logits ? integers_.logit_scale : y.scale;
    std::string big = upper(name());
    return "#define " + big + "_OUTPUT_SCALE " + decimal(scale) + "\n#define " + big +
           "_OUTPUT_ZERO " + number(integers_.logits ? 0 : y.zero) + "\n";
  }

  void write_action(std::size_t i) override {
    action_ = &integers_.actions[i];
    std::visit([this](const auto& action) { emit(action); }, step().action);
  }

  void emit(const micro::Layer& layer) {
    const auto& integer = std::get<micro::IntegerLayer>(*action_);
    LayerParts parts = sign_parts(layer);
    if (!integer.weights.empty()) {
      parts.sums = layer.depthwise ? "0" : "tbn_dense_sums";
      parts.weights = weights("int8_t", "weights", integer.weights);
    }
    parts.alphas = scalars("int16_t", "alphas", integer.flat_gains);
    parts.gains = scalars("int16_t", "gains", integer.out.gains);
    parts.biases = scalars("int16_t", "biases", integer.out.biases);
    const micro::Outputs map = micro::outputs_of(layer);
    const micro::Requantize& out = integer.out;
    add_array("static const tbn_layer " + symbol("layer") + " = {\n    " + parts.sums + ", " +
              parts.weights + ", " + parts.tail + ", " + parts.alphas + ", " + parts.gains + ", " +
              parts.biases + ",\n    " + number(parts.tile_bits) + ", " + number(layer.inputs) +
              ", " + number(map.rows) + ", " + number(map.copies) + ", " + number(map.row_step) +
              ", " + number(map.copy_step) + ",\n    " + gain_form(out.gains.size(), layer) + ", " +
              number(parts.alpha_step) + ", " + number(parts.channels_first ? 1 : 0) + ", " +
              number(out.bias_shift) + ", " + number(out.shift) + ", " + number(out.zero) + ", " +
              number(integer.zero_in) + "};\n");
    cost().descriptors += kLayerBytes;
    call_layer(layer, integers_.logits && is_last(), "int32_t");
  }

  void emit(const micro::Pool& pool) {
    if (pool.kind == PoolKind::kMax) {
      return call("tbn_max_pool", {window(pool.window), input(), output()});
    }
    const auto& mean = std::get<micro::IntegerPool>(*action_);
    add_array("static const tbn_mean " + symbol("mean") + " = {" + number(mean.out.gains[0]) +
              ", " + number(mean.out.shift) + ", " + number(mean.out.zero) + ", " +
              number(mean.zero_in) + "};\n");
    cost().descriptors += kSmallBytes;
    call("tbn_mean_pool", {"&" + symbol("mean"), window(pool.window), input(), output()});
  }

  void emit(const micro::Sum&) {
    const auto& sum = std::get<micro::IntegerSum>(*action_);
    add_array("static const tbn_sum " + symbol("sum") + " = {" + number(sum.gains[0]) + ", " +
              number(sum.gains[1]) + ", " + number(sum.shift) + ", " + number(sum.zero) + ", " +
              number(sum.zeros_in[0]) + ", " + number(sum.zeros_in[1]) + "};\n");
    cost().descriptors += kSmallBytes;
    call("tbn_add", {"&" + symbol("sum"), input(), input(1), output(), number(step().out.size())});
  }

  void emit(const micro::ScaleChannels&) {
    const auto& scale = std::get<micro::IntegerScale>(*action_);
    if (scale.identity) return;
    const std::string gains = scalars("int16_t", "gains", scale.out.gains);
    const std::string biases = scalars("int16_t", "biases", scale.out.biases);
    add_array("static const tbn_scale " + symbol("scale") + " = {" + gains + ", " + biases + ", " +
              number(step().out.c) + ", " + number(scale.out.bias_shift) + ", " +
              number(scale.out.shift) + ", " + number(scale.out.zero) + "};\n");
    cost().descriptors += kSmallBytes;
    call("tbn_scale_channels",
         {"&" + symbol("scale"), input(), output(), number(step().out.size())});
  }

  void emit(const micro::Activate&) {
    const std::string count = number(step().out.size());
    if (const auto* table = std::get_if<micro::ByteTable>(action_)) {
      const std::vector<std::uint8_t> bytes(table->of.begin(), table->of.end());
      const std::string name = weights("uint8_t", "table", bytes);
      return call("tbn_look_up", {name, input(), output(), count});
    }
    const int zero = std::get<micro::Unchanged>(*action_).zero;
    call("tbn_relu", {input(), output(), count, number(zero)});
  }

  void emit(const micro::ChannelsFirst&) {
    call("tbn_channels_first",
         {input(), output(), number(step().in.h * step().in.w), number(step().in.c)});
  }

  const micro::IntegerNetwork& integers_;
  const micro::IntegerAction* action_ = nullptr;
};

class FloatWriter final : public CWriter {
 public:
  FloatWriter(const micro::Network& network, std::string_view name)
      : CWriter(network, name, "_f32", sizeof(float)) {}

 private:
  std::string value_type() const override { return "float"; }
  std::string output_type() const override { return "float"; }
  std::string argmax() const override { return "tbn_argmax_f32"; }
  std::int64_t output_bytes() const override { return sizeof(float); }
  std::int64_t window_bytes() const override { return sizeof(float); }
  std::string header_notes() const override {
    return "Images are pixels\n * 0..255 with the channels of a pixel side by side.";
  }

  void write_action(std::size_t) override {
    std::visit([this](const auto& action) { emit(action); }, step().action);
  }

  void emit(const micro::Layer& layer) {
    LayerParts parts = sign_parts(layer);
    if (const auto* dense = std::get_if<micro::DenseWeights>(&layer.weights)) {
      parts.sums = layer.depthwise ? "0" : "tbn_dense_sums_f32";
      parts.weights = weights("float", "weights", dense->values);
    }
    if (const auto* flat = std::get_if<micro::FlatSigns>(&layer.weights)) {
      parts.alphas = scalars("float", "alphas", flat->alphas);
    }
    parts.gains = scalars("float", "gains", layer.gains);
    parts.biases = scalars("float", "biases", layer.biases);
    const micro::Outputs map = micro::outputs_of(layer);
    add_array("static const tbn_layer_f32 " + symbol("layer") + " = {\n    " + parts.sums + ", " +
              parts.weights + ", " + parts.tail + ", " + parts.alphas + ", " + parts.gains + ", " +
              parts.biases + ",\n    " + number(parts.tile_bits) + ", " + number(layer.inputs) +
              ", " + number(map.rows) + ", " + number(map.copies) + ", " + number(map.row_step) +
              ", " + number(map.copy_step) + ",\n    " + gain_form(layer.gains.size(), layer) +
              ", " + number(parts.alpha_step) + ", " + number(parts.channels_first ? 1 : 0) + ", " +
              number(layer.relu ? 1 : 0) + "};\n");
    cost().descriptors += kLayerBytes;
    call_layer(layer, false, "float");
  }

  void emit(const micro::Pool& pool) {
    call(pool.kind == PoolKind::kMax ? "tbn_max_pool" : "tbn_mean_pool",
         {window(pool.window), input(), output()});
  }
  void emit(const micro::Sum& sum) {
    call("tbn_add", {input(), input(1), output(), number(step().out.size()), sum.relu ? "1" : "0"});
  }
  void emit(const micro::ScaleChannels& scale) {
    const std::string gains = scalars("float", "gains", scale.gains);
    const std::string biases = scalars("float", "biases", scale.biases);
    call("tbn_scale_channels", {gains, biases, number(step().out.c), input(), output(),
                                number(step().out.size()), scale.relu ? "1" : "0"});
  }
  void emit(const micro::Activate& op) {
    call("tbn_" + std::string(to_string(op.kind)), {input(), output(), number(step().out.size())});
  }
  void emit(const micro::ChannelsFirst&) {
    call("tbn_channels_first",
         {input(), output(), number(step().in.h * step().in.w), number(step().in.c)});
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

bool is_c_name(std::string_view name) {
  const auto allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  return !name.empty() && name.size() <= 40 &&
         std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace tbn
