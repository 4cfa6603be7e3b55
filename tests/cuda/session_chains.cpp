// Networks whose linear layers run in one launch.
#include "runtime/cuda/choice/chain_runner.h"
#include "support/catch.h"
#include "support/naive_eval.h"
#include "support/random_model.h"
#include "tbn/cuda.h"

using namespace tbn;

namespace {

Model three_layers() {
  GraphBuilder b("three");
  Value x = b.input({30});
  x = x.linear(48, {.weights = tiled(4), .activation = ActivationKind::kRelu});
  x = x.linear(64, {.weights = tiled(2)}).linear(10, {.weights = binary()});
  return test::random_packed(b.finish(x), 3);
}

std::vector<float> answers(const Model& packed, const CudaOptions& options, std::int64_t batch,
                           const std::string& kernel) {
  CudaSession session(Network::from(packed), options);
  const auto input = test::random_values(batch * 30, 9);
  std::vector<float> output(static_cast<std::size_t>(batch * 10));
  session.run(input, batch, output);
  for (const CudaKernelChoice& choice : session.kernels(batch)) CHECK(choice.kernel == kernel);
  return output;
}

}  // namespace

TEST_CASE("a network of linear layers is one launch for a few vectors, and several for more") {
  const Model packed = three_layers();
  const CudaOptions fp32 = {.precision = Precision::kFp32, .tune = false};
  CudaOptions plain = fp32;
  plain.kernel = "plain";
  for (const std::int64_t batch : {1, 3}) {
    const auto together = answers(packed, fp32, batch, "chain");
    const auto apart = answers(packed, plain, batch, "plain");
    CHECK(test::relative_error(together, std::vector<double>(apart.begin(), apart.end())) < 1e-5);
  }
  CudaOptions asked = fp32;
  asked.kernel = "chain";
  answers(packed, asked, 1, "chain");
}

TEST_CASE("whether layers run together is found out by timing") {
  const Model packed = three_layers();
  CudaSession session(Network::from(packed), {.precision = Precision::kFp32});
  const auto input = test::random_values(30, 9);
  std::vector<float> output(10);
  session.run(input, 1, output);
  CHECK(test::relative_error(output, test::naive_eval(packed, input)) < 1e-5);
  for (const CudaKernelChoice& choice : session.kernels(1)) CHECK(choice.rejected.empty());
}
