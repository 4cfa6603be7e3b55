// What each export pass makes of the odd network: its graph, and the tensors beside it.
#include "graph/passes/passes.h"
#include "graph/passes/units.h"
#include "support/golden.h"
#include "support/random_model.h"
#include "tbn/models.h"
#include "tbn/policy.h"

using namespace tbn;

namespace {

std::string text_of(const Model& model) {
  std::string text = to_text(model.graph);
  for (const auto& [name, tensor] : model.tensors) {
    text += "tensor " + name + " " + std::string(to_string(tensor.dtype())) + " " +
            to_string(tensor.shape()) + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("each export pass rewrites the odd network as approved") {
  Model model = test::random_trained(test::odd_network(), 1);
  test::check_golden("passes_0_trained.txt", text_of(model));
  int number = 0;
  for (const ExportPass& pass : export_passes()) {
    pass.run(model);
    const std::string file =
        "passes_" + std::to_string(++number) + "_" + std::string(pass.name) + ".txt";
    test::check_golden(file, text_of(model));
  }
}

TEST_CASE("units stand at both ends of a forecaster as approved") {
  Graph graph = build_model({.type = "dlinear",
                             .options = {{"normalize", std::string("last")}},
                             .input = {24, 2},
                             .task = {.task = Task::kForecasting, .output = {6, 2}}});
  apply_policy(graph, {.standard = tiled(2), .rules = {}});
  Model model = pack_model(test::random_trained(std::move(graph), 1));
  add_units(model, {.mean = {10.5, -300}, .deviation = {0.25, 12}}, "golden");
  test::check_golden("passes_units.txt", text_of(model));
}
