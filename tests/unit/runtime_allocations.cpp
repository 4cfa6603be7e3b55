// Running allocates nothing: what it needs is there when a batch of that size has run once.
#include "graph/passes/passes.h"
#include "runtime/prepare.h"
#include "support/allocations.h"
#include "support/catch.h"
#include "support/random_model.h"
#include "support/zoo_cases.h"
#include "tbn/models.h"
#include "tbn/policy.h"
#include "tbn/runtime.h"

using namespace tbn;

namespace {

// What the runs after the first ask for.
std::int64_t allocations_of_runs(Session& session, std::int64_t batch) {
  const Network& network = session.network();
  const auto input = test::random_values(batch * element_count(network.input_shape()), 3, 0, 255);
  std::vector<float> output(
      static_cast<std::size_t>(batch * element_count(network.output_shape())));
  session.run(input, batch, output);
  const std::int64_t before = test::allocations();
  for (int i = 0; i < 3; ++i) session.run(input, batch, output);
  return test::allocations() - before;
}

// Where an address is left, the compiler cannot do without the allocation.
const void* volatile left = nullptr;

}  // namespace

TEST_CASE("allocations are counted") {
  const std::int64_t before = test::allocations();
  const auto value = std::make_unique<int>(1);
  left = value.get();
  const std::vector<float> values(10);
  left = values.data();
  CHECK(test::allocations() - before == 2);
}

TEST_CASE("what was allocated and not freed is known") {
  const std::int64_t before = test::live_bytes();
  std::vector<float> values(1000);
  left = values.data();
  CHECK(test::live_bytes() - before >= 4000);
  values = std::vector<float>();
  CHECK(test::live_bytes() == before);
}

TEST_CASE("a session keeps its kernels' weights and nothing else of their size") {
  GraphBuilder b("net");
  Value x = b.input({64, 16, 16});
  for (int i = 0; i < 4; ++i) x = x.conv(256, {.kernel = 3, .weights = tiled(2)});
  const auto network = Network::from(test::random_packed(b.finish(x.global_avg_pool()), 1));
  for (const Backend backend : {Backend::kExact, Backend::kInt8}) {
    std::int64_t wanted = 2 * 1024 * 1024;  // for activations and tables; as floats: 3.8 MB
    for (const auto& [name, tensor] :
         prepare_weights(*network, backend, instruction_sets().front())) {
      wanted += std::ssize(tensor.bytes());
    }
    const std::int64_t before = test::live_bytes();
    const Session session(network, {.backend = backend});
    CHECK(test::live_bytes() - before < wanted);
  }
}

TEST_CASE("no backend allocates while it runs, on one thread or several, alone or in batches") {
  const auto check = [](const Graph& graph) {
    CAPTURE(graph.name);
    const auto network = Network::from(pack_model(test::random_trained(graph, 2)));
    for (const Backend backend : kBackends) {
      for (const int threads : {1, 3}) {
        Session session(network, {.backend = backend, .threads = threads});
        for (const std::int64_t batch : {1, 7}) {
          CAPTURE(to_string(backend), threads, batch);
          CHECK(allocations_of_runs(session, batch) == 0);
        }
      }
    }
  };
  check(test::odd_network());
  for (const ModelSpec& spec : test::zoo_cases()) {
    Graph graph = build_model(spec);
    apply_policy(graph, {.standard = tiled(2), .rules = {}});
    check(graph);
  }
}
