// The zoo's small networks: every family has one, and each does what its kind of network must do
// whatever its weights are.
#include <set>

#include "graph/passes/passes.h"
#include "support/catch.h"
#include "support/naive_eval.h"
#include "support/random_model.h"
#include "support/zoo_cases.h"
#include "tbn/error.h"
#include "tbn/model.h"
#include "tbn/policy.h"
#include "tbn/runtime.h"

using namespace tbn;
using test::naive_eval;
using test::random_trained;
using test::random_values;
using test::relative_error;
using Values = std::vector<float>;

namespace {

// The small cases of one family; fails the test where there is none.
std::vector<ModelSpec> cases_of(const std::string& family) {
  std::vector<ModelSpec> found;
  for (ModelSpec& spec : test::zoo_cases()) {
    if (spec.type == family) found.push_back(std::move(spec));
  }
  REQUIRE(!found.empty());
  return found;
}

// Rows of a [N, F] in reverse order.
template <class T>
std::vector<T> reversed_rows(const std::vector<T>& values, std::size_t columns) {
  std::vector<T> reversed;
  for (std::size_t row = values.size() / columns; row-- > 0;) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(row * columns);
    reversed.insert(reversed.end(), begin, begin + static_cast<std::ptrdiff_t>(columns));
  }
  return reversed;
}

// Values of a cloud; the last `condition` columns are the same in all rows: 0, ..., 0, 1.
Values cloud(const ModelSpec& spec, std::uint64_t seed) {
  Values values = random_values(element_count(spec.input), seed);
  const auto columns = static_cast<std::size_t>(spec.input[1]);
  const auto first = columns - static_cast<std::size_t>(spec.task.condition);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i % columns >= first) values[i] = i % columns + 1 == columns ? 1.0F : 0.0F;
  }
  return values;
}

}  // namespace

TEST_CASE("every family of the zoo has a small case") {
  std::set<std::string> types;
  for (const ModelSpec& spec : test::zoo_cases()) types.insert(spec.type);
  for (const ModelFamily& family : model_families()) {
    INFO("tests/support/zoo_cases.cpp needs a case of " << family.name);
    CHECK(types.count(family.name) == 1);
  }
}

TEST_CASE("every small case gives what its task asks for, and a policy of p = 4 fits it") {
  for (const ModelSpec& spec : test::zoo_cases()) {
    INFO(spec.type);
    Graph graph = build_model(spec);
    CHECK(graph.output_shape() == spec.task.output);
    CHECK(graph_from_json(to_json(graph), "graph") == graph);
    CHECK_NOTHROW(apply_policy(graph, {.standard = tiled(4)}));
    CHECK(summarize(graph).totals.weights < 1'000'000);
  }
}

TEST_CASE("every small case runs packed as its trained form says") {
  for (const std::int64_t p : {1, 4}) {
    std::uint64_t seed = 20;
    for (const ModelSpec& spec : test::zoo_cases()) {
      INFO(spec.type << " at p = " << p);
      Graph graph = build_model(spec);
      apply_policy(graph, {.standard = tiled(p)});
      const Model trained = random_trained(std::move(graph), ++seed);
      const bool pixels = !spec.mean.empty();
      const Values input = pixels ? random_values(element_count(spec.input), seed, 0, 255)
                                  : random_values(element_count(spec.input), seed);
      Session session(Network::from(pack_model(trained)));
      Values output(static_cast<std::size_t>(element_count(spec.task.output)));
      session.run(input, 1, output);
      const auto expected = naive_eval(trained, input);
      CHECK(relative_error(output, expected) < 1e-4);
    }
  }
}

TEST_CASE("the layers of Transformers have names that patterns can be written for") {
  const Graph vit = build_model({.type = "vit", .input = {3, 32, 32}});
  const Graph swin = build_model({.type = "swin_t", .input = {3, 32, 32}});
  const auto has = [](const Graph& graph, const std::string& name) {
    for (const Node& node : graph.nodes) {
      if (node.name == name) return weights_of(node.op) != nullptr;
    }
    return false;
  };
  for (const char* name : {"patch_embedding", "blocks.0.attention.qkv", "blocks.5.attention.out",
                           "blocks.0.mlp.fc1", "blocks.5.mlp.fc2", "classifier"}) {
    INFO(name);
    CHECK(has(vit, name));
  }
  for (const char* name : {"stages.0.patch_embedding", "stages.3.patch_merging",
                           "stages.2.blocks.5.attention.qkv", "classifier"}) {
    INFO(name);
    CHECK(has(swin, name));
  }
}

TEST_CASE("Swin shifts every second window, and none where a window covers the grid") {
  std::vector<std::vector<std::int64_t>> shifts(4);
  for (const Node& node : build_model({.type = "swin_t", .input = {3, 64, 64}}).nodes) {
    const auto* attention = std::get_if<Attention>(&node.op);
    if (attention == nullptr) continue;
    const auto stage = static_cast<std::size_t>(node.name[std::string("stages.").size()] - '0');
    shifts[stage].push_back(attention->shift);
    CHECK(attention->window == 4);
    CHECK(attention->relative_bias);
  }
  using List = std::vector<std::int64_t>;
  CHECK(shifts[0] == List{0, 2});              // 32 x 32
  CHECK(shifts[1] == List{0, 2});              // 16 x 16
  CHECK(shifts[2] == List{0, 2, 0, 2, 0, 2});  // 8 x 8
  CHECK(shifts[3] == List{0, 2});              // 8 x 8
  for (const Node& node : build_model({.type = "swin_t", .input = {3, 32, 32}}).nodes) {
    const auto* attention = std::get_if<Attention>(&node.op);
    if (attention != nullptr && attention->grid == Size2(4)) CHECK(attention->shift == 0);
  }
}

TEST_CASE("PointNet classifies a cloud whatever the order of its points") {
  for (const ModelSpec& spec : cases_of("pointnet")) {
    const Model model = random_trained(build_model(spec), 5);
    const Values points = cloud(spec, 6);
    const auto columns = static_cast<std::size_t>(spec.input[1]);
    const auto logits = naive_eval(model, points);
    CHECK(relative_error(naive_eval(model, reversed_rows(points, columns)), logits) < 1e-9);
    CHECK(relative_error(naive_eval(model, cloud(spec, 7)), logits) > 1e-6);
  }
}

TEST_CASE("the segmenting PointNets label a point alike wherever it stands in the cloud") {
  for (const char* family : {"pointnet_part_seg", "pointnet_sem_seg"}) {
    for (const ModelSpec& spec : cases_of(family)) {
      INFO(family << " on " << to_string(spec.input));
      const Model model = random_trained(build_model(spec), 8);
      const Values points = cloud(spec, 9);
      const auto logits = naive_eval(model, points);
      const auto other =
          naive_eval(model, reversed_rows(points, static_cast<std::size_t>(spec.input[1])));
      const auto classes = static_cast<std::size_t>(spec.task.output[1]);
      CHECK(relative_error(reversed_rows(other, classes), logits) < 1e-9);
      CHECK(relative_error(other, logits) > 1e-6);
    }
  }
}

TEST_CASE("part segmentation sees the category, and as a category alone") {
  const ModelSpec spec = cases_of("pointnet_part_seg").front();
  REQUIRE(spec.task.condition == 4);
  const Model model = random_trained(build_model(spec), 10);
  Values points = cloud(spec, 11);
  const auto logits = naive_eval(model, points);
  // Rows below the first are not read for it.
  for (std::size_t row = 1; row < 12; ++row) points[row * 7 + 6] = 0.0F;
  CHECK(relative_error(naive_eval(model, points), logits) < 1e-12);
  points[6] = 0.0F;
  points[3] = 1.0F;
  CHECK(relative_error(naive_eval(model, points), logits) > 1e-6);
}

TEST_CASE("with normalize: last a forecast follows its series' level") {
  int tried = 0;
  for (const ModelSpec& spec : test::zoo_cases()) {
    const auto normalize = spec.options.find("normalize");
    if (spec.task.task != Task::kForecasting || normalize == spec.options.end()) continue;
    INFO(spec.type);
    ++tried;
    const Model model = random_trained(build_model(spec), 12);
    Values series = random_values(element_count(spec.input), 13);
    auto forecast = naive_eval(model, series);
    // 0.25 and 2 are added without rounding away what the values are.
    for (std::size_t i = 0; i < series.size(); ++i) series[i] += i % 7 == 0 ? 2.0F : 0.25F;
    for (std::size_t i = 0; i < forecast.size(); ++i) forecast[i] += i % 7 == 0 ? 2.0 : 0.25;
    CHECK(relative_error(naive_eval(model, series), forecast) < 1e-5);
  }
  CHECK(tried == 4);
}

TEST_CASE("ConvMixer keeps its resolution with even and with odd kernels") {
  for (const std::int64_t kernel : {8, 7}) {
    const ModelSpec spec{.type = "convmixer",
                         .options = {{"dim", std::int64_t{8}}, {"kernel", kernel}},
                         .input = {3, 12, 10}};
    for (const Node& node : build_model(spec).nodes) {
      const auto* conv = std::get_if<Conv2d>(&node.op);
      if (conv == nullptr) continue;
      INFO(node.name);
      CHECK(node.shape == Shape{8, 12, 10});
      CHECK((conv->groups == 8) == (conv->kernel == Size2(kernel)));
    }
  }
}
