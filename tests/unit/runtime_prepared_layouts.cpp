// The orders of prepared weights, read back as tbn/file.h specifies them, from the names alone: a
// file must stay readable, so who changes an order changes its version.
#include <cstring>
#include <sstream>

#include "runtime/cpu/fast/kernel.h"
#include "runtime/cpu/program.h"
#include "runtime/cpu/reference/layer.h"
#include "runtime/prepare.h"
#include "support/catch.h"
#include "support/made_rows.h"
#include "support/random_model.h"
#include "tbn/file.h"

using namespace tbn;

namespace {

using Int = std::int64_t;

// A layer's weights: `rows` of `taps` times `channels`, the taps in rows of `width`.
struct Weights {
  Int rows, taps, width, channels;
};

Int up(Int count, Int unit) { return (count + unit - 1) / unit; }

template <class T>
T value_at(const HostTensor& lines, Int i) {
  T value;
  std::memcpy(&value, lines.bytes().data() + i * static_cast<Int>(sizeof(T)), sizeof value);
  return value;
}

// Blocks that lie together, of which `block` is one: the first, and how many.
struct Together {
  Int first, count;
};
Together together(Int block, Int most, Int blocks) {
  const Int first = block / most * most;
  return {first, std::min(most, blocks - first)};
}

bool sign_in_signs(const std::vector<Int>& n, const HostTensor& lines, const Weights& w, Int r,
                   Int tap, Int c) {
  const Int bits = n[1], in_word = n[2], half = n[3], lanes = 16;
  const Int pattern = tap * up(w.channels, bits) + c / bits, p = pattern % in_word;
  const Int words = up(w.taps * up(w.channels, bits), in_word);
  const Together t = together(r / lanes, 8, up(w.rows, lanes));
  const Int place = t.first * words + pattern / in_word * t.count + r / lanes - t.first;
  const Int bit = (half > 0 && p >= half ? 16 + (p - half) * bits : p * bits) + c % bits;
  return (value_at<std::uint32_t>(lines, place * lanes + r % lanes) >> bit & 1) != 0;
}

bool sign_in_byte_tables(const std::vector<Int>& n, const HostTensor& lines, const Weights& w,
                         Int r, Int tap, Int c) {
  const Int bits = n[1], in_word = n[2], lanes = n[3];
  const Int tables = up(w.channels, bits);
  const Int pattern = (tap / w.width * tables + c / bits) * w.width + tap % w.width;
  const Int words = up(w.taps * tables, in_word);
  const Together t = together(r / lanes, n[4], up(w.rows, lanes));
  const Int place = t.first * words + pattern / in_word * t.count + r / lanes - t.first;
  const Int row = r % lanes, half = lanes / 2;
  const Int lane = row < half ? 2 * row : 2 * (row - half) + 1;
  const Int bit = pattern % in_word * bits + c % bits;
  return (value_at<std::uint16_t>(lines, place * lanes + lane) >> bit & 1) != 0;
}

bool sign_in_bytes(const std::vector<Int>& n, const HostTensor& lines, const Weights& w, Int r,
                   Int tap, Int c) {
  const Int lanes = n[1], most = n[2], channels = up(w.channels, 4) * 4;
  const Int k = tap * channels + c, inputs = w.taps * channels;
  const Together t = together(r / lanes, most, up(w.rows, lanes));
  const Int group_bits = inputs * lanes * most;
  const Int bit = t.first / most * group_bits +
                  ((k / 4 * t.count + r / lanes - t.first) * lanes + r % lanes) * 4 + k % 4;
  return (value_at<std::uint8_t>(lines, bit / 8) >> (bit % 8) & 1) != 0;
}

std::int8_t in_integers(const std::vector<Int>& n, const HostTensor& lines, const Weights& w, Int r,
                        Int tap, Int c) {
  const Int lanes = n[1], most = n[2], channels = up(w.channels, 4) * 4;
  const Int k = tap * channels + c, inputs = w.taps * channels;
  const Together t = together(r / lanes, most, up(w.rows, lanes));
  return value_at<std::int8_t>(
      lines, t.first / most * inputs * lanes * most +
                 ((k / 4 * t.count + r / lanes - t.first) * lanes + r % lanes) * 4 + k % 4);
}

float in_floats(const std::vector<Int>& n, const HostTensor& lines, const Weights& w, Int r,
                Int tap, Int c) {
  const Int lanes = n[1];
  const Int place = r / lanes * w.taps * w.channels + tap * w.channels + c;
  return value_at<float>(lines, place * lanes + r % lanes);
}

// "prepared/<kind>-<numbers>/<node>"
struct Name {
  std::string kind, node;
  std::vector<Int> numbers;
};
Name parse_name(const std::string& name) {
  const std::size_t begin = kPreparedPrefix.size(), end = name.find('/', begin);
  std::istringstream parts(name.substr(begin, end - begin));
  Name parsed{.node = name.substr(end + 1)};
  std::getline(parts, parsed.kind, '-');
  for (std::string number; std::getline(parts, number, '-');) {
    parsed.numbers.push_back(std::stoll(number));
  }
  return parsed;
}

float read_back(const Name& name, const HostTensor& lines, const Weights& w, Int r, Int tap,
                Int c) {
  if (name.kind == "floats") return in_floats(name.numbers, lines, w, r, tap, c);
  if (name.kind == "integers") return in_integers(name.numbers, lines, w, r, tap, c);
  const auto sign = name.kind == "signs"         ? sign_in_signs
                    : name.kind == "byte_tables" ? sign_in_byte_tables
                                                 : sign_in_bytes;
  return sign(name.numbers, lines, w, r, tap, c) ? 1.0f : -1.0f;
}

// How many weights of a layer lie elsewhere than the specification says.
Int wrong_weights(const Name& name, const HostTensor& lines, Size2 kernel,
                  const reference::Layer& layer) {
  const Weights w = {layer.sums, kernel.h * kernel.w, kernel.w,
                     layer.inputs / (kernel.h * kernel.w)};
  Int wrong = 0;
  for (Int r = 0; r < w.rows; ++r) {
    for (Int i = 0; i < layer.inputs; ++i) {
      const float found = read_back(name, lines, w, r, i % w.taps, i / w.taps);
      wrong += found == layer.weights.row(r)[static_cast<std::size_t>(i)] ? 0 : 1;
    }
  }
  return wrong;
}

Size2 kernel_of(const Node& node) {
  const auto* conv = std::get_if<Conv2d>(&node.op);
  return conv != nullptr ? conv->kernel : Size2(1);
}

const Node& node_named(const Graph& graph, const std::string& name) {
  return *std::ranges::find(graph.nodes, name, &Node::name);
}

}  // namespace

TEST_CASE("prepared weights lie as the specification says") {
  GraphBuilder b("net");
  Value x = b.input({7, 12, 11}).conv(23, {.kernel = 3});
  x = x.conv(293, {.kernel = {3, 2}, .stride = {2, 1}, .weights = binary()});
  x = x.conv(210, {.kernel = 3, .weights = tiled(3)});
  x = x.global_avg_pool().linear(300, {.weights = tiled(2)});
  const auto network = Network::from(test::random_packed(b.finish(x.linear(7)), 3));
  for (const std::string& instructions : instruction_sets()) {
    for (const Backend backend : {Backend::kExact, Backend::kInt8}) {
      for (const auto& [text, lines] : prepare_weights(*network, backend, instructions)) {
        CAPTURE(text);
        const Name name = parse_name(text);
        CHECK(name.numbers.front() == 1);
        const Node& node = node_named(network->graph(), name.node);
        const auto layer = reference::make_layer(network->graph(), network->tensors(), node);
        CHECK(wrong_weights(name, lines, kernel_of(node), layer) == 0);
      }
    }
  }
}

TEST_CASE("prepared integers lie as the specification says") {
  int found = 0;
  for (const test::MadeRows& made : test::made_integers()) {
    const Graph& graph = made.model.graph;
    const Node& node = node_named(graph, "layer");
    const auto layer = reference::make_layer(graph, made.model.tensors, node, made.rows_of());
    for (const fast::Isa& isa : fast::usable_isas()) {
      TensorMap prepared;
      const cpu::CpuProgram making(graph, made.model.tensors, Backend::kInt8, &isa,
                                   {.used = &prepared}, made.rows_of());
      for (const auto& [text, lines] : prepared) {
        CAPTURE(made.what, text);
        const Name name = parse_name(text);
        CHECK(name.kind == "integers");
        CHECK(wrong_weights(name, lines, kernel_of(node), layer) == 0);
        ++found;
      }
    }
  }
  CHECK(found > 100);
}
