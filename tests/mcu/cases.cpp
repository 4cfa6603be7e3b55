// What the tests of exported C compare with, without the tools' other libraries.
//   tbn_micro_cases write <folder>
//     for each case of micro_cases(): <folder>/<name>.c and .h, <name>_f32.c and .h, and beside
//     them images and the outputs that C++ computes; prints a line "<name> <inputs> <outputs>
//     <bytes|logits>" each
//   tbn_micro_cases run <file.tbn> <images.bin> <outputs.bin>
//     the int8 form of a packed file on images of bytes, channels last
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "export/c_source.h"
#include "micro/float_run.h"
#include "micro/lower.h"
#include "micro/ranges.h"
#include "support/micro_cases.h"
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

void write_case(const fs::path& folder, const MicroCase& micro_case) {
  constexpr std::int64_t kImages = 8;
  const micro::Network network = micro::lower(micro_case.packed);
  const std::int64_t size = network.input.size();
  const std::vector<float> images = random_images(micro_case.packed.graph, kImages, 17);
  std::vector<float> inputs, floats;
  std::vector<std::uint8_t> bytes;
  micro::Ranges ranges;
  for (std::int64_t i = 0; i < kImages; ++i) {
    const auto image = micro::channels_last(network.input, images.data() + i * size);
    inputs.insert(inputs.end(), image.begin(), image.end());
    bytes.insert(bytes.end(), image.begin(), image.end());
    micro::observe_ranges(network, image, ranges);
    const std::vector<float> out = micro::run_floats(network, image);
    floats.insert(floats.end(), out.begin(), out.end());
  }
  const micro::IntegerNetwork integers = micro::quantize(network, ranges);
  std::vector<std::int32_t> outputs;
  for (std::int64_t i = 0; i < kImages; ++i) {
    const auto out =
        micro::run_integers(integers, std::span(bytes).subspan(static_cast<std::size_t>(i * size),
                                                               static_cast<std::size_t>(size)));
    outputs.insert(outputs.end(), out.begin(), out.end());
  }
  const std::string& name = micro_case.name;
  const CSource source = c_source(integers, name);
  const CSource source_f32 = c_source_f32(network, name + "_f32");
  write_text(folder / (name + ".h"), source.header);
  write_text(folder / (name + ".c"), source.source);
  write_text(folder / (name + "_f32.h"), source_f32.header);
  write_text(folder / (name + "_f32.c"), source_f32.source);
  write(folder / (name + ".images"), bytes);
  write(folder / (name + "_f32.images"), inputs);
  write_outputs(folder / (name + ".outputs"), integers.logits, outputs);
  write(folder / (name + "_f32.outputs"), floats);
  std::printf("%s %lld %lld %s\n", name.c_str(), static_cast<long long>(size),
              static_cast<long long>(network.size(network.output)),
              integers.logits ? "logits" : "bytes");
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
      for (const MicroCase& micro_case : micro_cases()) write_case(argv[2], micro_case);
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
