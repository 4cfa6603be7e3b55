// What the tests of exported C compare with, without the tools' other libraries.
//   tbn_micro_cases write <folder>
//     for each case of micro_cases(): <folder>/<name>.c and .h, <name>_f32.c and .h, and beside
//     them images and the outputs that C++ computes; prints a line "<name> <inputs> <outputs>
//     <bytes|logits|floats> <what it is>" each; those of floats have the float form alone
//   tbn_micro_cases layers <folder>
//     the same for each of micro_layers() and for small layers of made_integers(), named layer0,
//     layer1, ...
//   tbn_micro_cases run <file.tbn> <images.bin> <outputs.bin>
//     the int8 form of a packed file on images of bytes, channels last
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include "export/c_source.h"
#include "micro/float_run.h"
#include "micro/lower.h"
#include "micro/ranges.h"
#include "support/made_rows.h"
#include "support/micro_layers.h"
#include "tbn/error.h"
#include "tbn/runtime.h"

namespace tbn::test {
namespace {

namespace fs = std::filesystem;

template <class T>
void write(const fs::path& path, const std::vector<T>& values) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(values.data()),
            static_cast<std::streamsize>(values.size() * sizeof(T)));
  if (!out.flush()) throw SystemError("cannot write " + path.string());
}
void write_text(const fs::path& path, const std::string& text) {
  write(path, std::vector<char>(text.begin(), text.end()));
}

// As the C code writes them: logits of 32 bits, or bytes.
void write_outputs(const fs::path& path, bool logits, const std::vector<std::int32_t>& values) {
  if (logits) return write(path, values);
  write(path, std::vector<std::uint8_t>(values.begin(), values.end()));
}

struct Inputs {
  std::vector<float> floats;  // channels last
  std::int64_t each = 0;      // values
  std::span<const float> of(std::int64_t i) const {
    return std::span(floats).subspan(static_cast<std::size_t>(i * each),
                                     static_cast<std::size_t>(each));
  }
};

constexpr std::int64_t kImages = 8;

Inputs inputs_of(const micro::Network& network, const Graph& graph) {
  Inputs inputs{.floats = {}, .each = network.input.size()};
  const std::vector<float> images = random_images(graph, kImages, 17);
  if (!network.takes_bytes) {
    inputs.floats = images;
    return inputs;
  }
  for (std::int64_t i = 0; i < kImages; ++i) {
    const auto image = micro::channels_last(network.input, images.data() + i * inputs.each);
    inputs.floats.insert(inputs.floats.end(), image.begin(), image.end());
  }
  return inputs;
}

void write_source(const fs::path& folder, const std::string& name, const CSource& source) {
  write_text(folder / (name + ".h"), source.header);
  write_text(folder / (name + ".c"), source.source);
}

// The last image has a value that is not a number.
void write_float_form(const fs::path& folder, const std::string& name,
                      const micro::Network& network, Inputs inputs) {
  inputs.floats[inputs.floats.size() - static_cast<std::size_t>(inputs.each + 1) / 2] =
      std::numeric_limits<float>::quiet_NaN();
  std::vector<float> outputs;
  for (std::int64_t i = 0; i < kImages; ++i) {
    const std::vector<float> out = micro::run_floats(network, inputs.of(i));
    outputs.insert(outputs.end(), out.begin(), out.end());
  }
  write_source(folder, name, c_source_f32(network, name));
  write(folder / (name + ".images"), inputs.floats);
  write(folder / (name + ".outputs"), outputs);
}

// Returns what its outputs are.
const char* write_integer_form(const fs::path& folder, const std::string& name,
                               const micro::Network& network, const Inputs& inputs) {
  micro::Ranges ranges;
  for (std::int64_t i = 0; i < kImages; ++i) {
    micro::observe_ranges(network, inputs.of(i), ranges);
  }
  const micro::IntegerNetwork integers = micro::quantize(network, ranges);
  std::vector<std::int32_t> outputs;
  for (std::int64_t i = 0; i < kImages; ++i) {
    const auto image = inputs.of(i);
    const auto out =
        micro::run_integers(integers, std::vector<std::uint8_t>(image.begin(), image.end()));
    outputs.insert(outputs.end(), out.begin(), out.end());
  }
  write_source(folder, name, c_source(integers, name));
  write(folder / (name + ".images"),
        std::vector<std::uint8_t>(inputs.floats.begin(), inputs.floats.end()));
  write_outputs(folder / (name + ".outputs"), integers.logits, outputs);
  return integers.logits ? "logits" : "bytes";
}

// `what` it is, without spaces.
void write_case(const fs::path& folder, const std::string& name, const std::string& what,
                const micro::Network& network, const Graph& graph) {
  const Inputs inputs = inputs_of(network, graph);
  write_float_form(folder, name + "_f32", network, inputs);
  const char* kind =
      network.takes_bytes ? write_integer_form(folder, name, network, inputs) : "floats";
  std::printf("%s %lld %lld %s %s\n", name.c_str(), static_cast<long long>(inputs.each),
              static_cast<long long>(network.size(network.output)), kind, what.c_str());
}

void write_cases(const fs::path& folder) {
  for (const MicroCase& each : micro_cases()) {
    write_case(folder, each.name, each.name, micro::lower(each.packed), each.packed.graph);
  }
}

void write_layers(const fs::path& folder) {
  constexpr std::int64_t kMostProducts = 100'000;  // what sanitizers of plain C take in no time
  int count = 0;
  const auto write_layer = [&](const std::string& what, const micro::Network& network,
                               const Graph& graph) {
    write_case(folder, "layer" + std::to_string(count++), what, network, graph);
  };
  for (const MicroCase& layer : micro_layers()) {
    write_layer(layer.name, micro::lower(layer.packed), layer.packed.graph);
  }
  for (const MadeRows& made : made_integers()) {
    const Graph& graph = made.model.graph;
    if (made.rows.groups > 1 && made.rows.groups != graph.input_shape().front()) continue;
    const micro::Network network = micro::lower(made.model, made.rows_of());
    std::int64_t products = 0;
    for (const micro::MicroStep& step : network.steps) products += micro::multiply_adds(step);
    if (products > kMostProducts) continue;
    std::string what = "integers_" + made.what;
    std::ranges::replace(what, ' ', '_');
    write_layer(what, network, graph);
  }
}

void run_file(const fs::path& model, const fs::path& images, const fs::path& outputs) {
  const auto file = Network::load(model);
  const micro::Network network = micro::lower({file->graph(), file->tensors()});
  const micro::Ranges ranges = micro::ranges_from_json(file->metadata().at("tbn.calibration"),
                                                       network.sizes.size(), model.string());
  const micro::IntegerNetwork integers = micro::quantize(network, ranges);
  std::ifstream in(images, std::ios::binary);
  const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
  const auto size = static_cast<std::size_t>(network.input.size());
  std::vector<std::int32_t> all;
  for (std::size_t first = 0; first + size <= bytes.size(); first += size) {
    const auto out = micro::run_integers(integers, std::span(bytes).subspan(first, size));
    all.insert(all.end(), out.begin(), out.end());
  }
  write_outputs(outputs, integers.logits, all);
}

}  // namespace
}  // namespace tbn::test

int main(int argc, char** argv) {
  using namespace tbn::test;
  try {
    if (argc == 3 && std::strcmp(argv[1], "write") == 0) {
      write_cases(argv[2]);
      return 0;
    }
    if (argc == 3 && std::strcmp(argv[1], "layers") == 0) {
      write_layers(argv[2]);
      return 0;
    }
    if (argc == 5 && std::strcmp(argv[1], "run") == 0) {
      run_file(argv[2], argv[3], argv[4]);
      return 0;
    }
    std::fprintf(stderr, "usage: see the head of tests/mcu/cases.cpp\n");
    return 2;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tbn_micro_cases: %s\n", e.what());
    return 1;
  }
}
