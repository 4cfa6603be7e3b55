// Sessions on the device against the evaluator in double and the CPU's sessions. Nothing here
// knows whether the device is a real one.
#include "cuda/support/sessions.h"
#include "graph/passes/passes.h"
#include "support/catch.h"
#include "support/naive_eval.h"
#include "support/op_cases.h"
#include "support/random_model.h"
#include "support/zoo_cases.h"
#include "tbn/policy.h"

using namespace tbn;
using namespace tbn::cuda::test;

namespace {

void check_ops(Precision precision) {
  for (const tbn::test::OpCase& c : tbn::test::op_cases()) {
    INFO(op_name(c.op) << ": " << c.what);
    const Model model = tbn::test::packed_case(c);
    for (const std::int64_t batch : {1, 3}) {
      CAPTURE(batch);
      CHECK(session_error(model, precision, batch) < allowed_session_error(precision));
    }
  }
}

std::shared_ptr<const Network> packed_network(const ModelSpec& spec) {
  Graph graph = build_model(spec);
  apply_policy(graph, {.standard = tiled(2), .rules = {}});
  return Network::from(pack_model(tbn::test::random_trained(std::move(graph), 3)));
}

std::vector<float> on_cpu(const std::shared_ptr<const Network>& network,
                          const std::vector<float>& input, std::int64_t batch) {
  Session session(network, {.backend = Backend::kReference});
  std::vector<float> output(
      static_cast<std::size_t>(batch * element_count(network->output_shape())));
  session.run(input, batch, output);
  return output;
}

}  // namespace

TEST_CASE("a session in fp32 computes every op as its formula says") {
  check_ops(Precision::kFp32);
}
TEST_CASE("a session in fp16 computes every op to a unit in the last place") {
  check_ops(Precision::kFp16);
}
TEST_CASE("a session in bf16 computes every op to a unit in the last place") {
  check_ops(Precision::kBf16);
}

// Measured: at most 5e-7, and 2^-5.8 in bf16, whose roundings add up along a network. (Random
// weights take some networks beyond the range of fp16.)
TEST_CASE("networks of every family give on the device what they give on the processor") {
  for (const ModelSpec& spec : tbn::test::zoo_cases()) {
    INFO(spec.type << " on " << to_string(spec.input));
    const auto network = packed_network(spec);
    const bool pixels = !spec.mean.empty();
    const std::int64_t batch = 2;
    const std::vector<float> input = tbn::test::random_values(
        batch * element_count(network->input_shape()), 5, pixels ? 0 : -2, pixels ? 255 : 2);
    const std::vector<float> expected = on_cpu(network, input, batch);
    const std::vector<double> wanted(expected.begin(), expected.end());
    CudaSession exact(network, quick(Precision::kFp32)), rounded(network, quick(Precision::kBf16));
    CHECK(tbn::test::relative_error(run(exact, input, batch), wanted) < 1e-5);
    CHECK(tbn::test::relative_error(run(rounded, input, batch), wanted) < 0x1p-5);
  }
}

TEST_CASE("pixels are normalized before they are rounded") {
  // Between two neighbours of bf16 near 200 lies 1: the difference of 200.5 and the mean, 200.25,
  // would be gone.
  GraphBuilder b("pixels");
  const Value x = b.input({2, 1, 3});
  const auto network =
      Network::from({.graph = b.finish(x.normalize({200.25f, 0}, {0.25f, 2})), .tensors = {}});
  CudaSession session(network, quick(Precision::kBf16));
  CHECK(run(session, {200.5f, 200.25f, 200, 1, 2, 4}, 1) ==
        std::vector<float>{1, 0, -1, 0.5f, 1, 2});
}
