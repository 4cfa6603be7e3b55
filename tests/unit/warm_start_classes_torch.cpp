// A start from trained weights: a classifier of other classes, or of the same in another order.
#include "train/state/warm_start.h"

#include "base/text.h"
#include "support/errors.h"
#include "support/warm_starts_torch.h"

using namespace tbn;
using namespace tbn::test;
using torch::Tensor;

TEST_CASE("a classifier of other classes keeps its initialisation, weight and bias") {
  const TempDir folder;
  const GraphModule teacher = trained(resnet(FloatWeights{}, 10), 1);
  GraphModule student(resnet(FloatWeights{}, 7));
  initialize(student, InitConfig{}, 2);
  const Tensor weight = tensor_of(student, "classifier.weight");
  TensorMap tensors = state_of(teacher);
  tensors.erase("layer1.0.norm1.running_var");
  const std::string file = save(folder, tensors);
  const WarmStart start = warm_start(student, file);
  CHECK((start.left == std::vector<std::string>{"layer1.0.norm1.running_var", "classifier.weight",
                                                "classifier.bias"}));
  CHECK((start.unused == std::vector<std::string>{"classifier.bias", "classifier.weight"}));
  CHECK(same(tensor_of(student, "classifier.weight"), weight));
  CHECK(describe(start) ==
        "warm start from " + file + ": " + grouped(static_cast<std::uint64_t>(start.weights)) +
            " of " + grouped(static_cast<std::uint64_t>(start.all_weights)) + " weights, " +
            std::to_string(start.taken.size()) +
            " tensors taken, 3 left as initialised (layer1.0.norm1.running_var, "
            "classifier.weight, classifier.bias), 2 of the file unused (classifier.bias, "
            "classifier.weight)");
}

TEST_CASE(
    "a classifier of the same classes in another order is taken by name, whatever encodes it") {
  const TempDir folder;
  const auto path = folder / "c.safetensors";
  const std::vector<std::string> there = {"ant", "bee", "cow"};
  const std::vector<std::string> here = {"cow", "ant", "bee"};
  for (const WeightEncoding& encoding :
       {WeightEncoding(FloatWeights{}), WeightEncoding(tiled(1))}) {
    const GraphModule source = trained(one_layer(3, 8, encoding), 1);
    Checkpoint checkpoint{.model = state_of(source), .graph = source.graph()};
    checkpoint.rule.output = OutputRule{.kind = "class", .classes = there};
    write_checkpoint(path, checkpoint);
    GraphModule student(source.graph());
    initialize(student, InitConfig{}, 2);
    const WarmStart start = warm_start(student, path, 1, here);
    CHECK(test::says(describe(start), {"; its classes are in another order, and the classifier's "
                                       "rows were matched by name"}));
    const Tensor rows = torch::tensor({2, 0, 1});
    CHECK(same(tensor_of(student, "fc.bias"), tensor_of(source, "fc.bias").index_select(0, rows)));
    const bool is_float = std::holds_alternative<FloatWeights>(encoding);
    const Tensor theirs = tensor_of(source, is_float ? "fc.weight" : "fc.latent");
    const Tensor ours = tensor_of(student, is_float ? "fc.weight" : "fc.latent");
    const Tensor expected = theirs.index_select(0, rows);
    CHECK(same(is_float ? ours : ours.sign(), is_float ? expected : expected.sign()));
    // The order that it was trained in is taken as it is, with nothing to say.
    const WarmStart straight = warm_start(student, path, 1, there);
    CHECK(straight.classes.empty());
    CHECK((state_of(student) == state_of(source)));
  }
}

TEST_CASE("a classifier of as many other classes keeps its initialisation, and the rest is taken") {
  const TempDir folder;
  const auto path = folder / "c.safetensors";
  const GraphModule source = trained(resnet(FloatWeights{}, 3), 1);
  Checkpoint checkpoint{.model = state_of(source), .graph = source.graph()};
  checkpoint.rule.output = OutputRule{.kind = "class", .classes = {"ant", "bee", "cow"}};
  write_checkpoint(path, checkpoint);
  GraphModule student(resnet(FloatWeights{}, 3));
  initialize(student, InitConfig{}, 2);
  const Tensor weight = tensor_of(student, "classifier.weight");
  const WarmStart start = warm_start(student, path, 0, {"ant", "bee", "dog"});
  CHECK((start.left == std::vector<std::string>{"classifier.weight", "classifier.bias"}));
  CHECK(test::says(describe(start), {"; its classes are others ('dog' is none of them)"}));
  CHECK(same(tensor_of(student, "classifier.weight"), weight));
  CHECK(same(tensor_of(student, "conv1.weight"), tensor_of(source, "conv1.weight")));
  // Names that are not known, or do not tell classes apart, are no reason to leave anything.
  CHECK(warm_start(student, path).left.empty());
}
