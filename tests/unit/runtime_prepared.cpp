// Prepared weights: the same answers to the last bit with and without them, read where they lie in
// the file, and what becomes of those that are of another kind, damaged or hostile.
#include <algorithm>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "export/packed_model.h"
#include "runtime/cpu/fast/kernel.h"
#include "runtime/prepare.h"
#include "support/allocations.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/random_model.h"
#include "support/run_program.h"
#include "support/temp_dir.h"
#include "tbn/error.h"
#include "tbn/file.h"

using namespace tbn;
using test::message_of;
using test::says;

namespace {

constexpr Backend kPreparing[] = {Backend::kExact, Backend::kInt8};

// With layers for every product: look-ups of floats and of bytes, sums of bytes, and floats, of
// sizes that fill no register; and a depthwise one, which is not prepared.
Graph every_product() {
  const WeightEncoding beside = TiledWeights{.p = 2, .order = TileOrder::kInterleave};
  GraphBuilder b("net");
  Value x = b.input({5, 12, 11});
  x = x.conv(23, {.kernel = 3});
  x = x.conv(97, {.kernel = {3, 2}, .stride = {2, 1}, .weights = binary()}).named("tables");
  x = x.conv(12, {.kernel = 3, .bias = true, .weights = tiled(3), .scale = true}).named("bytes");
  x = x.conv(12, {.kernel = 3, .groups = 12});
  x = x.conv(6, {.kernel = 3, .stride = 2, .weights = tiled(9)});  // in flat form
  x = x.flatten().linear(150, {.weights = beside}).named("signs");
  return b.finish(x.linear(7).named("floats"));
}

PackedFile prepared_file(const Model& packed, std::string_view instructions) {
  PackedFile file = make_packed_file(packed, {}, example_inputs(packed.graph, 2));
  prepare_file(file, kPreparing, instructions, "packed");
  return file;
}

std::shared_ptr<const Network> parse(const PackedFile& file) {
  return Network::parse(serialize_packed(file), "m.tbn");
}

std::vector<float> answers(const std::shared_ptr<const Network>& network, Backend backend) {
  const auto input = test::random_values(element_count(network->input_shape()), 5, 0, 255);
  std::vector<float> output(static_cast<std::size_t>(element_count(network->output_shape())));
  Session(network, {.backend = backend}).run(input, 1, output);
  return output;
}

std::set<std::string> kinds(const TensorMap& prepared) {
  std::set<std::string> kinds;
  for (const auto& [name, tensor] : prepared) {
    const std::string layout = name.substr(kPreparedPrefix.size());
    kinds.insert(layout.substr(0, layout.find('-')));
  }
  return kinds;
}

std::set<std::string> names(const TensorMap& tensors) {
  std::set<std::string> names;
  for (const auto& [name, tensor] : tensors) names.insert(name);
  return names;
}

// Whether an address lies in a mapping of the file.
bool lies_in(const std::filesystem::path& file, const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::uintptr_t begin = 0, end = 0;
    char dash = 0;
    words >> std::hex >> begin >> dash >> end;
    if (wanted >= begin && wanted < end) return line.ends_with(file.string());
  }
  return false;
}

}  // namespace

TEST_CASE("prepared weights give the same bits in every instruction set, and are all used") {
  const Model packed = test::random_packed(every_product(), 3);
  const auto input = test::random_values(element_count(packed.graph.input_shape()), 4, 0, 255);
  for (const fast::Isa& isa : fast::usable_isas()) {
    const PackedFile file = parse_packed(serialize_packed(prepared_file(packed, isa.name)), "m");
    std::set<std::string> expected = {"bytes", "floats"};
    if (isa.signs != nullptr) expected.insert("signs");
    if (isa.byte_tables != nullptr) expected.insert("byte_tables");
    CHECK(kinds(file.prepared) == expected);
    std::set<std::string> used_by_any;
    for (const Backend backend : kBackends) {
      CAPTURE(isa.name, to_string(backend));
      TensorMap used;
      const cpu::CpuProgram plain(packed.graph, packed.tensors, backend, &isa);
      const cpu::CpuProgram prepared(packed.graph, packed.tensors, backend, &isa,
                                     {.held = &file.prepared, .used = &used});
      CHECK(test::run(prepared, packed.graph, input) == test::run(plain, packed.graph, input));
      CHECK(used.empty() == (backend == Backend::kReference));
      for (const auto& [name, tensor] : used) {
        CHECK(tensor == file.prepared.at(name));
        used_by_any.insert(name);
      }
    }
    CHECK(used_by_any == names(file.prepared));
  }
}

TEST_CASE("kernels read prepared weights where they lie in the file, on whole lines") {
  const test::TempDir folder;
  const Model packed = test::random_packed(every_product(), 3);
  for (const fast::Isa& isa : fast::usable_isas()) {
    const std::filesystem::path path = folder / (std::string(isa.name) + ".tbn");
    write_packed(path, prepared_file(packed, isa.name));
    const auto network = Network::load(path);
    for (const Backend backend : kPreparing) {
      TensorMap used;
      const cpu::CpuProgram program(network->graph(), network->tensors(), backend, &isa,
                                    {.held = &network->prepared(), .used = &used});
      CHECK(used.size() == 6);
      for (const auto& [name, tensor] : used) {
        CAPTURE(name);
        const std::byte* const bytes = std::as_const(tensor).bytes().data();
        CHECK(bytes == network->prepared().at(name).bytes().data());
        CHECK(lies_in(path, bytes));
        CHECK(reinterpret_cast<std::uintptr_t>(bytes) % 64 == 0);
      }
    }
  }
}

TEST_CASE("a network with prepared weights takes little memory to be made ready") {
  const test::TempDir folder;
  GraphBuilder b("wide");
  const Model packed = test::random_packed(
      b.finish(b.input({1024}).linear(1024, {.weights = binary()}).linear(512)), 1);
  const auto file = [&](std::string_view name) { return folder.path() / name; };
  write_packed(file("plain.tbn"), make_packed_file(packed, {}));
  write_packed(file("prepared.tbn"), prepared_file(packed, instruction_sets().front()));
  const auto bytes_for = [](const std::shared_ptr<const Network>& network, Backend backend) {
    const std::int64_t before = test::allocated_bytes();
    const Session session(network, {.backend = backend});
    return test::allocated_bytes() - before;
  };
  for (const Backend backend : kPreparing) {
    CAPTURE(to_string(backend));
    CHECK(bytes_for(Network::load(file("plain.tbn")), backend) > 4 * 1024 * 1024);
    // Gains, biases, offsets, totals, and the session's memory for activations and tables.
    CHECK(bytes_for(Network::load(file("prepared.tbn")), backend) < 128 * 1024);
  }
}

TEST_CASE("prepared weights of another kind are ignored") {
  const Model packed = test::random_packed(every_product(), 3);
  const PackedFile plain = make_packed_file(packed, {});
  const auto check = [&](const PackedFile& file) {
    const auto network = parse(file);
    for (const Backend backend : kBackends) {
      CHECK(answers(network, backend) == answers(parse(plain), backend));
    }
    CHECK_NOTHROW(check_prepared(*network));
  };
  for (const std::string& instructions : instruction_sets()) {  // those of other processors
    CAPTURE(instructions);
    check(prepared_file(packed, instructions));
  }
  const HostTensor strange =
      HostTensor::of<float>({1}, std::vector<float>{std::numeric_limits<float>::quiet_NaN()});
  for (const char* name :
       {"prepared/", "prepared/x", "prepared/signs-2-5-6-3/signs", "prepared/floats-1-32/nobody",
        "prepared/floats-1-32/", "prepared/floats-1-32/floats/x"}) {
    CAPTURE(name);
    PackedFile file = plain;
    file.prepared.emplace(name, strange);
    check(file);
  }
}

TEST_CASE("prepared weights of the wrong size or type are refused with a sentence") {
  const Model packed = test::random_packed(every_product(), 3);
  const PackedFile file = prepared_file(packed, instruction_sets().front());
  for (const auto& [name, tensor] : file.prepared) {
    CAPTURE(name);
    const std::int64_t lines = tensor.shape().front();
    for (const HostTensor& wrong :
         {HostTensor(DType::kI64, {lines - 1, 8}), HostTensor(DType::kI64, {lines + 1, 8}),
          HostTensor(DType::kI64, {lines * 8}), HostTensor(DType::kI64, {0, 8}),
          HostTensor(DType::kU8, {lines, 8}), HostTensor(DType::kF64, {lines, 8})}) {
      PackedFile damaged = file;
      damaged.prepared[name] = wrong;
      const auto network = parse(damaged);
      const std::string error = message_of<DataError>([&] {
        for (const Backend backend : kPreparing) Session(network, {.backend = backend});
      });
      CHECK(says(error, {"m.tbn: prepared weights '" + name + "' are ",
                         "but the layer's take I64 [" + std::to_string(lines) + ", 8]",
                         "prepare the file again"}));
      CHECK_NOTHROW(answers(network, Backend::kReference));
    }
  }
}

TEST_CASE("whatever prepared weights hold, kernels stay within their memory") {
  const Model packed = test::random_packed(every_product(), 3);
  const auto input = test::random_values(element_count(packed.graph.input_shape()), 4, 0, 255);
  std::mt19937 random(1);
  for (const fast::Isa& isa : fast::usable_isas()) {
    PackedFile file = prepared_file(packed, isa.name);
    for (int round = 0; round < 5; ++round) {
      for (auto& [name, tensor] : file.prepared) {
        if (name.starts_with("prepared/floats")) continue;
        for (std::byte& b : tensor.bytes()) b = round == 0 ? std::byte{0xff} : std::byte(random());
      }
      for (const Backend backend : kPreparing) {
        const cpu::CpuProgram program(packed.graph, packed.tensors, backend, &isa,
                                      {.held = &file.prepared});
        const std::vector<float> output = test::run(program, packed.graph, input);
        CHECK(std::ranges::all_of(output, [](float v) { return std::isfinite(v); }));
      }
    }
  }
}

TEST_CASE("prepared floats that are no numbers are refused") {
  const Model packed = test::random_packed(every_product(), 3);
  PackedFile file = prepared_file(packed, instruction_sets().front());
  const auto floats = std::ranges::find_if(file.prepared, [](const auto& tensor) {
    return tensor.first.starts_with("prepared/floats") && tensor.first.ends_with("/floats");
  });
  REQUIRE(floats != file.prepared.end());
  const float infinite = std::numeric_limits<float>::infinity();
  std::memcpy(floats->second.bytes().data() + 8, &infinite, sizeof infinite);
  const auto network = parse(file);
  CHECK(says(message_of<DataError>([&] { answers(network, Backend::kExact); }),
             {"m.tbn: prepared weights '" + floats->first + "' hold inf", "finite"}));
}

TEST_CASE("prepared weights that are not the layer's own are found") {
  const Model packed = test::random_packed(every_product(), 3);
  const PackedFile file = prepared_file(packed, instruction_sets().back());
  CHECK_NOTHROW(check_prepared(*parse(file)));
  for (const auto& [name, tensor] : file.prepared) {
    PackedFile damaged = file;
    damaged.prepared.at(name).bytes().front() ^= std::byte{1};
    CHECK(says(message_of<DataError>([&] { check_prepared(*parse(damaged)); }),
               {"prepared weights '" + name + "' are not those of the layer"}));
  }
}

TEST_CASE("what two backends share is stored once, and preparing replaces what was prepared") {
  GraphBuilder b("one");
  const Model packed =
      test::random_packed(b.finish(b.input({64}).linear(64, {.weights = tiled(4)}).linear(3)), 1);
  PackedFile file = prepared_file(packed, instruction_sets().front());
  const auto network = Network::from(packed);
  if (fast::usable_isas().front().signs != nullptr) {  // which serve both for a single vector
    CHECK(file.prepared.size() == 2);
  }
  prepare_file(file, {}, instruction_sets().front(), "packed");
  CHECK(file == make_packed_file(packed, {}, example_inputs(packed.graph, 2)));
  CHECK(prepare_weights(*network, Backend::kReference, "portable").empty());
  file.graph_json = "{}";
  CHECK_THROWS_AS(prepare_file(file, kPreparing, "portable", "packed"), DataError);
}
