// Steps in their order: arrays and structs, then one call each.
#include "export/c_writer.h"

#include "micro/window.h"

namespace tbn {

namespace {

constexpr std::int64_t kLayerBytes = 48;   // sizeof(tbn_layer) with pointers of 32 bits
constexpr std::int64_t kWindowBytes = 22;  // sizeof(tbn_window)

// One window that is the whole input.
bool is_vector(const micro::MicroStep& step) {
  return step.in.h * step.in.w == 1 && step.out.h * step.out.w == 1 &&
         std::get<micro::Layer>(step.action).window.taps() == 1;
}

const char* gain_form(std::size_t gains, const micro::Layer& layer) {
  if (gains == 1) return "TBN_ONE_GAIN";
  return static_cast<std::int64_t>(gains) == layer.outputs ? "TBN_GAIN_PER_OUTPUT"
                                                           : "TBN_GAIN_PER_COPY";
}

}  // namespace

CSource CWriter::write() {
  plan();
  for (std::size_t i = 0; i < network_.steps.size(); ++i) write_step(i);
  result_.arena_bytes = arena_.bytes;
  result_.source = source();
  result_.header = header();
  return std::move(result_);
}

std::string CWriter::symbol(const char* what) const {
  return "step" + c_number(static_cast<std::int64_t>(current_)) + "_" + what;
}

void CWriter::describe(const std::string& text, std::int64_t bytes) {
  arrays_ += text;
  cost_.descriptors += bytes;
}

std::string CWriter::place(const std::string& type, std::int64_t offset) const {
  return "(" + type + " *)(arena + " + c_number(offset / 4) + ")";
}

std::string CWriter::input(std::size_t which) const {
  return place(value_type(), arena_.offsets[static_cast<std::size_t>(step().inputs[which])]);
}

std::string CWriter::output() const {
  return place(is_last() ? output_type() : value_type(),
               arena_.offsets[static_cast<std::size_t>(step().output)]);
}

void CWriter::call(const std::string& kernel, std::initializer_list<std::string> arguments) {
  cost_.kernel = kernel + suffix_;
  calls_ += "  " + cost_.kernel + "(";
  bool first = true;
  for (const std::string& argument : arguments) {
    if (!first) calls_ += ", ";
    calls_ += argument;
    first = false;
  }
  calls_ += "); /* " + c_comment(step().name) + " */\n";
}

std::string CWriter::window(const micro::Window& w) {
  const auto& [in, out] = std::pair(step().in, step().out);
  const std::string name = symbol("window");
  describe("static const tbn_window " + name + " = {" + c_number(in.h) + ", " + c_number(in.w) +
               ", " + c_number(in.c) + ", " + c_number(out.h) + ", " + c_number(out.w) + ", " +
               c_number(w.kernel.h) + ", " + c_number(w.kernel.w) + ", " + c_number(w.stride.h) +
               ", " + c_number(w.stride.w) + ", " + c_number(w.padding.h) + ", " +
               c_number(w.padding.w) + "};\n",
           kWindowBytes);
  return "&" + name;
}

CLayer CWriter::sign_layer(const micro::Layer& layer) {
  CLayer fields;
  if (const auto* rows = std::get_if<micro::RowSigns>(&layer.weights)) {
    if (layer.depthwise) {
      fields.depthwise = "tbn_depthwise_tile";
      fields.weights = weights("uint8_t", "tile",
                               tile_bytes(rows->positive, static_cast<std::size_t>(layer.inputs)));
      return fields;
    }
    fields.sums = "tbn_tile_sums" + suffix_;
    const TileWords tile = tile_words(*rows);
    fields.weights = weights("uint32_t", "tile", tile.words);
    fields.tail = weights("uint8_t", "tail", tile.tail);
  } else if (const auto* flat = std::get_if<micro::FlatSigns>(&layer.weights)) {
    fields.set_kernels(layer, "tbn_flat_sums" + suffix_, "tbn_depthwise_flat");
    fields.tile_bits = static_cast<std::int64_t>(flat->positive.size());
    fields.weights = weights("uint8_t", "tile", tile_bytes(flat->positive, flat->positive.size()));
    fields.alpha_step = flat->alphas.size() > 1 ? 1 : 0;
    fields.channels_first = true;
  }
  return fields;
}

void CWriter::call_layer(const micro::Layer& layer, const CLayer& fields, std::size_t gains,
                         const std::string& own, bool logits) {
  const micro::Outputs map = micro::outputs_of(layer);
  describe("static const tbn_layer" + suffix_ + " " + symbol("layer") + " = {\n    " + fields.sums +
               ", " + fields.weights + ", " + fields.tail + ", " + fields.alphas + ", " +
               fields.gains + ", " + fields.biases + ",\n    " + c_number(fields.tile_bits) + ", " +
               c_number(layer.inputs) + ", " + c_number(map.rows) + ", " + c_number(map.copies) +
               ", " + c_number(map.row_step) + ", " + c_number(map.copy_step) + ",\n    " +
               gain_form(gains, layer) + ", " + c_number(fields.alpha_step) + ", " +
               c_number(fields.channels_first ? 1 : 0) + ", " + own + "};\n",
           kLayerBytes);
  const std::string self = "&" + symbol("layer");
  if (layer.depthwise) {
    return call(fields.depthwise, {self, window(layer.window), input(), output()});
  }
  const std::string ending = logits ? "_logits" : "";
  const std::string scratch = place(scratch_type(), arena_.scratch[current_]);
  if (is_vector(step())) return call("tbn_linear" + ending, {self, input(), output(), scratch});
  call("tbn_conv2d" + ending, {self, window(layer.window), input(), output(), scratch});
}

std::int64_t CWriter::scratch_bytes(const micro::MicroStep& step) const {
  const auto* layer = std::get_if<micro::Layer>(&step.action);
  if (layer == nullptr || layer->depthwise) return 0;
  const std::int64_t sums = 4 * micro::outputs_of(*layer).rows;
  return is_vector(step) ? sums : sums + window_bytes() * layer->inputs;
}

void CWriter::plan() {
  std::vector<std::int64_t> values, scratch;
  for (const std::int64_t size : network_.sizes) values.push_back(size * value_bytes_);
  const auto last = static_cast<std::size_t>(network_.output);
  values[last] = network_.sizes[last] * output_bytes();
  for (const micro::MicroStep& step : network_.steps) scratch.push_back(scratch_bytes(step));
  arena_ = micro::plan_arena(network_, values, scratch);
}

void CWriter::write_step(std::size_t i) {
  current_ = i;
  cost_ = {.name = step().name, .multiply_adds = micro::multiply_adds(step())};
  cost_.live_bytes = arena_.live[i];
  const std::size_t before = arrays_.size();
  write_action(i);
  if (arrays_.size() > before) arrays_.insert(before, "/* " + c_comment(step().name) + " */\n");
  if (arrays_.size() > before) arrays_ += '\n';
  if (!cost_.kernel.empty()) result_.steps.push_back(cost_);
}

std::string CWriter::source() const {
  const auto offset = [this](int value) { return arena_.offsets[static_cast<std::size_t>(value)]; };
  const std::string result = place("const " + output_type(), offset(network_.output));
  return "/* " + c_comment(network_.name) + ", written by tbn-export; see " + name_ + ".h. */\n" +
         std::string(kAsWritten) + "#include \"" + name_ + ".h\"\n\n#include \"tbn_micro.h\"\n\n" +
         "static " + arena_type() + " arena[" + c_number((arena_.bytes + 3) / 4) + "];\n\n" +
         arrays_ + value_type() + " *" + name_ + "_input(void) { return " +
         place(value_type(), offset(0)) + "; }\n\nconst " + output_type() + " *" + name_ +
         "_run(void) {\n" + calls_ + "  return " + result + ";\n}\n\nint " + name_ +
         "_predict(void) { return " + argmax() + "(" + name_ + "_run(), " + c_macro(name_) +
         "_OUTPUTS); }\n";
}

std::string CWriter::header() const {
  const std::string guard = c_macro(name_) + "_H", big = c_macro(name_);
  const micro::Map& in = network_.input;
  return "/* " + c_comment(network_.name) + " as C99, written by tbn-export.\n *\n" + " *   fill " +
         name_ + "_input(): " + big + "_INPUT_SIZE values, " + c_number(in.h) + " rows of " +
         c_number(in.w) + (network_.takes_bytes ? " pixels of " : " places of ") + c_number(in.c) +
         (network_.takes_bytes ? " channels" : " values") + "\n *   then " + name_ +
         "_predict(): the class, or " + name_ + "_run(): the outputs\n *\n" +
         " * The input lies in the arena and is written over: fill it before each run; two runs\n "
         "* at once "
         "are not possible.\n * " +
         header_notes() + "\n *\n * Constants: " + c_number(result_.weights()) +
         " bytes of weights, " + c_number(result_.scalars()) + " of scalars, " +
         c_number(result_.flash_bytes()) + " in all. Arena: " + c_number(arena_.bytes) +
         " bytes. */\n" + std::string(kAsWritten) + "#ifndef " + guard + "\n#define " + guard +
         "\n\n#include <stdint.h>\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n#define " + big +
         "_INPUT_SIZE " + c_number(in.size()) + "\n#define " + big + "_OUTPUTS " +
         c_number(network_.size(network_.output)) + "\n#define " + big + "_ARENA_BYTES " +
         c_number(arena_.bytes) + "\n" + constants() + "\n" + value_type() + " *" + name_ +
         "_input(void);\nconst " + output_type() + " *" + name_ + "_run(void);\nint " + name_ +
         "_predict(void);\n\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
}

}  // namespace tbn
