// The C interface: the same answers as the C++ one, and every mistake a status with a sentence.
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <thread>

#include "graph/passes/passes.h"
#include "runtime/c_errors.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/random_model.h"
#include "support/source_dir.h"
#include "support/temp_dir.h"
#include "tbn/error.h"
#include "tbn/file.h"
#include "tbn/runtime.h"
#include "tbn/tbn_c.h"

using namespace tbn;
using test::says;

namespace {

constexpr std::size_t kInputs = 2 * 13 * 9;
constexpr std::size_t kOutputs = 5;
constexpr std::int64_t kBatch = 7;

using NetworkHandle = std::unique_ptr<tbn_network, decltype(&tbn_network_free)>;
using SessionHandle = std::unique_ptr<tbn_session, decltype(&tbn_session_free)>;

std::vector<std::byte> odd_file() {
  const Model model = pack_model(test::random_trained(test::odd_network(), 1));
  return serialize_packed({.graph_json = to_json(model.graph),
                           .tensors = model.tensors,
                           .features = {"binary", "tiled"},
                           .metadata = {{"tbn.accuracy", "91.5"}, {"tbn.trained_on", "noise"}}});
}

NetworkHandle odd() {
  const std::vector<std::byte> bytes = odd_file();
  tbn_network* network = nullptr;
  REQUIRE(tbn_network_parse(bytes.data(), bytes.size(), &network) == TBN_OK);
  return {network, tbn_network_free};
}

SessionHandle session_of(const tbn_network* network, int backend = TBN_BACKEND_EXACT,
                         int threads = 1) {
  tbn_session* session = nullptr;
  CHECK(tbn_session_create(network, backend, threads, &session) == TBN_OK);
  return {session, tbn_session_free};
}

std::vector<float> inputs() { return test::random_values(kBatch * kInputs, 3, 0, 255); }

std::vector<float> run(tbn_session* session, const std::vector<float>& input) {
  std::vector<float> output(kBatch * kOutputs, std::numeric_limits<float>::quiet_NaN());
  const tbn_status status =
      tbn_session_run(session, input.data(), input.size(), kBatch, output.data(), output.size());
  return status == TBN_OK ? output : std::vector<float>();
}

// Whether a call failed with this status and a message that holds the parts.
bool failed(tbn_status status, tbn_status wanted, const std::vector<std::string_view>& parts) {
  return status == wanted && says(tbn_last_error(), parts);
}

}  // namespace

TEST_CASE("the C interface gives the answers of the C++ one on each backend") {
  const std::vector<float> input = inputs();
  const auto network = Network::parse(odd_file());
  const NetworkHandle handle = odd();
  for (const auto& [number, backend] :
       {std::pair<int, Backend>(TBN_BACKEND_EXACT, Backend::kExact),
        std::pair<int, Backend>(TBN_BACKEND_REFERENCE, Backend::kReference),
        std::pair<int, Backend>(TBN_BACKEND_INT8, Backend::kInt8)}) {
    std::vector<float> expected(kBatch * kOutputs);
    Session(network, {.backend = backend}).run(input, kBatch, expected);
    CHECK(run(session_of(handle.get(), number, 2).get(), input) == expected);
  }
}

TEST_CASE("a network from C says its shapes and what its file says about it") {
  const NetworkHandle network = odd();
  const int64_t* dims = nullptr;
  std::size_t rank = 0, count = 0;
  REQUIRE(tbn_network_input_shape(network.get(), &dims, &rank) == TBN_OK);
  CHECK(Shape(dims, dims + rank) == Shape{2, 13, 9});
  REQUIRE(tbn_network_output_shape(network.get(), &dims, &rank) == TBN_OK);
  CHECK(Shape(dims, dims + rank) == Shape{5});
  CHECK(tbn_network_input_count(network.get(), &count) == TBN_OK);
  CHECK(count == kInputs);
  CHECK(tbn_network_output_count(network.get(), &count) == TBN_OK);
  CHECK(count == kOutputs);

  const char *key = nullptr, *value = nullptr;
  CHECK(tbn_network_metadata(network.get(), "tbn.accuracy", &value) == TBN_OK);
  CHECK(std::string(value) == "91.5");
  CHECK(tbn_network_metadata(network.get(), "tbn.mood", &value) == TBN_OK);
  CHECK(value == nullptr);
  CHECK(tbn_network_metadata_count(network.get(), &count) == TBN_OK);
  REQUIRE(count == 2);
  CHECK(tbn_network_metadata_at(network.get(), 1, &key, &value) == TBN_OK);
  CHECK(std::string(key) == "tbn.trained_on");
  CHECK(std::string(value) == "noise");
  CHECK(failed(tbn_network_metadata_at(network.get(), 2, &key, &value), TBN_ERROR_ARGUMENT,
               {"index 2 of 2"}));
  CHECK(key == nullptr);
}

TEST_CASE("the C interface loads a file that may be deleted, and sessions outlive the network") {
  const test::TempDir dir;
  const std::vector<std::byte> bytes = odd_file();
  test::write_file(dir / "odd.tbn", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  tbn_network* network = nullptr;
  REQUIRE(tbn_network_load((dir / "odd.tbn").c_str(), &network) == TBN_OK);
  std::filesystem::remove(dir / "odd.tbn");
  const SessionHandle session = session_of(network);
  tbn_network_free(network);
  CHECK(run(session.get(), inputs()) == run(session_of(odd().get()).get(), inputs()));
}

TEST_CASE("threads with sessions of their own on one network get the answers of one") {
  const NetworkHandle network = odd();
  const std::vector<float> input = inputs();
  const std::vector<float> expected = run(session_of(network.get()).get(), input);
  std::vector<float> answers[2];
  std::vector<std::thread> threads;
  for (std::vector<float>& answer : answers) {
    threads.emplace_back([&] {
      const SessionHandle session = session_of(network.get());
      for (int round = 0; round < 20; ++round) answer = run(session.get(), input);
    });
  }
  for (std::thread& thread : threads) thread.join();
  REQUIRE(expected.size() == kBatch * kOutputs);
  CHECK(answers[0] == expected);
  CHECK(answers[1] == expected);
}

TEST_CASE("null pointers are errors that name the argument, and freeing null is nothing") {
  const NetworkHandle handle = odd();
  const tbn_network* network = handle.get();
  const SessionHandle session = session_of(network);
  tbn_network* loaded = nullptr;
  tbn_session* made = nullptr;
  const int64_t* dims = nullptr;
  const char* text = nullptr;
  std::size_t n = 0;
  float x = 0;
  const std::pair<tbn_status, const char*> calls[] = {
      {tbn_network_load(nullptr, &loaded), "path"},
      {tbn_network_load("x", nullptr), "network"},
      {tbn_network_parse(nullptr, 3, &loaded), "bytes"},
      {tbn_network_parse(nullptr, 0, &loaded), "bytes"},
      {tbn_network_parse("x", 1, nullptr), "network"},
      {tbn_network_input_shape(nullptr, &dims, &n), "network"},
      {tbn_network_input_shape(network, nullptr, &n), "dims"},
      {tbn_network_output_shape(network, &dims, nullptr), "rank"},
      {tbn_network_input_count(nullptr, &n), "network"},
      {tbn_network_output_count(network, nullptr), "count"},
      {tbn_network_metadata(nullptr, "k", &text), "network"},
      {tbn_network_metadata(network, nullptr, &text), "key"},
      {tbn_network_metadata(network, "k", nullptr), "value"},
      {tbn_network_metadata_count(nullptr, &n), "network"},
      {tbn_network_metadata_count(network, nullptr), "count"},
      {tbn_network_metadata_at(nullptr, 0, &text, &text), "network"},
      {tbn_network_metadata_at(network, 0, nullptr, &text), "key"},
      {tbn_network_metadata_at(network, 0, &text, nullptr), "value"},
      {tbn_session_create(nullptr, TBN_BACKEND_EXACT, 1, &made), "network"},
      {tbn_session_create(network, TBN_BACKEND_EXACT, 1, nullptr), "session"},
      {tbn_session_run(nullptr, &x, 1, 1, &x, 1), "session"},
      {tbn_session_run_u8(nullptr, nullptr, 1, 1, &x, 1), "session"},
  };
  for (const auto& [status, name] : calls) {
    INFO(name);
    CHECK(status == TBN_ERROR_ARGUMENT);
  }
  CHECK(std::string(tbn_last_error()) == "session must not be null");
  CHECK(loaded == nullptr);
  CHECK(made == nullptr);
  tbn_network_free(nullptr);
  tbn_session_free(nullptr);
}

TEST_CASE("the C interface takes bytes for floats of their values") {
  const NetworkHandle network = odd();
  const SessionHandle session = session_of(network.get());
  std::vector<std::uint8_t> bytes;
  for (const float v : inputs()) bytes.push_back(static_cast<std::uint8_t>(v));
  const std::vector<float> expected =
      run(session.get(), std::vector<float>(bytes.begin(), bytes.end()));
  std::vector<float> output(kBatch * kOutputs);
  REQUIRE(tbn_session_run_u8(session.get(), bytes.data(), bytes.size(), kBatch, output.data(),
                             output.size()) == TBN_OK);
  CHECK(output == expected);
  CHECK(failed(tbn_session_run_u8(session.get(), bytes.data(), 3, 1, output.data(), kOutputs),
               TBN_ERROR_ARGUMENT, {"input_count is 3"}));
}

TEST_CASE("a batch whose sizes do not fit is refused and nothing is written") {
  const NetworkHandle network = odd();
  const SessionHandle session = session_of(network.get());
  const std::vector<float> input = inputs();
  std::vector<float> output(kBatch * kOutputs, 77);
  const auto call = [&](const float* in, std::size_t ins, std::int64_t batch, float* out,
                        std::size_t outs) {
    return tbn_session_run(session.get(), in, ins, batch, out, outs);
  };
  CHECK(failed(call(input.data(), kInputs - 1, 1, output.data(), kOutputs), TBN_ERROR_ARGUMENT,
               {"input_count is 233", "1 example of [2, 13, 9] is 1 times 234"}));
  CHECK(failed(call(input.data(), kInputs, 1, output.data(), kOutputs + 1), TBN_ERROR_ARGUMENT,
               {"output_count is 6"}));
  CHECK(failed(call(input.data(), kInputs, -1, output.data(), kOutputs), TBN_ERROR_ARGUMENT,
               {"batch must be at least 0, is -1"}));
  CHECK(failed(call(nullptr, kInputs, 1, output.data(), kOutputs), TBN_ERROR_ARGUMENT,
               {"input must not be null"}));
  CHECK(failed(call(input.data(), kInputs, 1, nullptr, kOutputs), TBN_ERROR_ARGUMENT,
               {"output must not be null"}));
  // Products that wrap around, and counts that equal what is left of them.
  const std::int64_t huge = std::int64_t{1} << 62;
  CHECK(failed(call(input.data(), static_cast<std::size_t>(huge) * kInputs, huge, output.data(),
                    static_cast<std::size_t>(huge) * kOutputs),
               TBN_ERROR_ARGUMENT, {"input_count"}));
  CHECK(output == std::vector<float>(kBatch * kOutputs, 77));
  CHECK(call(nullptr, 0, 0, nullptr, 0) == TBN_OK);
}

TEST_CASE("options that are out of range are refused and leave no session") {
  const NetworkHandle network = odd();
  tbn_session* session = nullptr;
  const auto create = [&](int backend, int threads) {
    session = reinterpret_cast<tbn_session*>(1);
    return tbn_session_create(network.get(), backend, threads, &session);
  };
  CHECK(failed(create(1000, 1), TBN_ERROR_ARGUMENT, {"backend 1000"}));
  CHECK(session == nullptr);
  CHECK(failed(create(-1, 1), TBN_ERROR_ARGUMENT, {"backend -1"}));
  CHECK(failed(create(TBN_BACKEND_EXACT, 0), TBN_ERROR_ARGUMENT, {"threads", "is 0"}));
  CHECK(failed(create(TBN_BACKEND_EXACT, -3), TBN_ERROR_ARGUMENT, {"threads", "is -3"}));
  CHECK(failed(create(TBN_BACKEND_EXACT, 1 << 30), TBN_ERROR_ARGUMENT, {"threads"}));
  CHECK(session == nullptr);
}

TEST_CASE("files that are missing, damaged or no networks are data errors that name the file") {
  const test::TempDir dir;
  tbn_network* network = reinterpret_cast<tbn_network*>(1);
  const auto load = [&](std::string_view name) {
    return tbn_network_load((dir / name).c_str(), &network);
  };
  CHECK(failed(load("none.tbn"), TBN_ERROR_DATA, {"none.tbn: there is no such file"}));
  CHECK(network == nullptr);
  CHECK(failed(tbn_network_load("", &network), TBN_ERROR_DATA, {"no such file"}));
  CHECK(failed(tbn_network_load(dir.path().c_str(), &network), TBN_ERROR_DATA, {"is a folder"}));
  test::write_file(dir / "empty.tbn", "");
  CHECK(failed(load("empty.tbn"), TBN_ERROR_DATA, {"empty.tbn: is empty"}));

  std::vector<std::byte> bytes = odd_file();
  const auto parse = [&](std::size_t size) {
    return tbn_network_parse(bytes.data(), size, &network);
  };
  CHECK(failed(parse(0), TBN_ERROR_DATA, {"model: truncated"}));
  CHECK(failed(parse(bytes.size() - 1), TBN_ERROR_DATA, {"model: truncated"}));
  bytes.back() ^= std::byte{1};
  CHECK(failed(parse(bytes.size()), TBN_ERROR_DATA, {"model: damaged"}));
  test::write_file(dir / "bad.tbn", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  CHECK(failed(load("bad.tbn"), TBN_ERROR_DATA, {"bad.tbn: damaged"}));
  CHECK(network == nullptr);
}

TEST_CASE("whatever is thrown becomes a status and a sentence") {
  CHECK(c::guarded([] {}) == TBN_OK);
  CHECK(failed(c::guarded([] { throw ConfigError("a"); }), TBN_ERROR_ARGUMENT, {"a"}));
  CHECK(failed(c::guarded([] { throw DataError("b"); }), TBN_ERROR_DATA, {"b"}));
  CHECK(failed(c::guarded([] { throw SystemError("c"); }), TBN_ERROR_SYSTEM, {"c"}));
  CHECK(failed(c::guarded([] { throw NonFiniteError("d"); }), TBN_ERROR_NON_FINITE, {"d"}));
  CHECK(failed(c::guarded([] { throw InternalError("e"); }), TBN_ERROR_SYSTEM, {"e"}));
  CHECK(failed(c::guarded([] { throw std::bad_alloc(); }), TBN_ERROR_SYSTEM, {"out of memory"}));
  CHECK(failed(c::guarded([] { throw std::logic_error("f"); }), TBN_ERROR_SYSTEM, {"f"}));
  CHECK(failed(c::guarded([] { throw 7; }), TBN_ERROR_SYSTEM, {"unknown type"}));
}

TEST_CASE("each thread has a last error of its own, and success leaves it") {
  std::string first = "not asked";
  std::thread([&] { first = tbn_last_error(); }).join();
  CHECK(first.empty());
  tbn_network* network = nullptr;
  CHECK(tbn_network_load("/nowhere/x.tbn", &network) == TBN_ERROR_DATA);
  const std::string mine = tbn_last_error();
  std::thread([&] { tbn_network_load(nullptr, &network); }).join();
  CHECK(odd() != nullptr);
  CHECK(tbn_last_error() == mine);
}

TEST_CASE("an error that is too long is cut between characters") {
  for (const std::string shift : {"", "-", "--"}) {
    std::string text = shift;
    while (text.size() < 9000) text += "\u20ac";  // three bytes
    c::fail(TBN_ERROR_DATA, text);
    const std::string kept = tbn_last_error();
    CHECK(kept == text.substr(0, kept.size()));
    CHECK(kept.size() <= 8191);
    CHECK(kept.size() > 8191 - 3);
    CHECK((kept.size() - shift.size()) % 3 == 0);
  }
}

TEST_CASE("an error may be printed on a terminal, whatever the path that it names") {
  tbn_network* network = nullptr;
  const std::string path = "/nowhere/r\u00e9d \u96ea\x1b[2J\nx\u202e\u009b\xff.tbn";
  CHECK(tbn_network_load(path.c_str(), &network) == TBN_ERROR_DATA);
  CHECK(says(tbn_last_error(), {"/nowhere/r\u00e9d \u96ea?[2J?x???.tbn"}));
}

TEST_CASE("a network is loaded within the caller's limits") {
  const std::vector<std::byte> bytes = odd_file();
  const auto parse = [&](const tbn_limits* limits) {
    tbn_network* network = nullptr;
    const tbn_status status =
        tbn_network_parse_within(bytes.data(), bytes.size(), limits, &network);
    CHECK((network != nullptr) == (status == TBN_OK));
    tbn_network_free(network);
    return status;
  };
  tbn_limits limits = {0, 0};
  CHECK(parse(nullptr) == TBN_OK);
  CHECK(parse(&limits) == TBN_OK);
  limits.memory_bytes = 1000;
  CHECK(parse(&limits) == TBN_ERROR_DATA);
  CHECK(says(tbn_last_error(), {"more than the 1,000 of Limits::memory_bytes"}));
  limits = {0, 1000};
  CHECK(parse(&limits) == TBN_ERROR_DATA);
  CHECK(says(tbn_last_error(), {"more than the 1,000 of Limits::operations"}));
  limits = {-1, 0};
  CHECK(parse(&limits) == TBN_ERROR_ARGUMENT);
  CHECK(says(tbn_last_error(), {"limits->memory_bytes must be at least 0, is -1"}));
}

TEST_CASE("the version is the project's") {
  const std::string cmake = test::read_file(test::source_dir() / "CMakeLists.txt");
  CHECK(says(cmake, {"project(tbn VERSION " + std::string(tbn_version()) + " "}));
}
