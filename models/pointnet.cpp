// PointNet (Qi et al. 2017) for classification, part segmentation and scene segmentation, with the
// layer sizes of the widely used PyTorch version (yanx27/Pointnet_Pointnet2_pytorch). A cloud is
// [N, F], the three coordinates first, so that the 1 x 1 convolutions over points are linear
// layers.
#include "base/counted.h"
#include "models/blocks.h"
#include "models/families.h"
#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::int64_t kCoordinates = 3;

// A layer without bias (the norm has one), its norm and ReLU. For points [N, F] and vectors [F].
Value norm_layer(Value x, std::int64_t features, const std::string& name) {
  return x.linear(features, {.bias = false}).named(name).batch_norm().named(name + "_norm").relu();
}

// The sizes of one network: the factor on its features, and what it leaves out.
class Sizes {
 public:
  explicit Sizes(const ModelOptions& options) : width_(options.real("width")) {}
  std::int64_t operator()(std::int64_t features) const { return scaled_channels(features, width_); }

 private:
  double width_;
};

// A k x k matrix that a small PointNet reads off the points [N, F]: identity plus what it learns.
Value transform(GraphBuilder& b, Value x, const Sizes& sizes, std::int64_t k, bool orthogonal,
                std::string_view name) {
  const auto scope = b.scope(name);
  x = norm_layer(x, sizes(64), "conv1");
  x = norm_layer(x, sizes(128), "conv2");
  x = norm_layer(x, sizes(1024), "conv3").sequence_pool(PoolKind::kMax);
  x = norm_layer(x, sizes(512), "fc1");
  x = norm_layer(x, sizes(256), "fc2");
  return x.linear(k * k).named("fc3").reshape({k, k}).add_identity({.orthogonal = orthogonal});
}

// The coordinates turned by the learned transform; further columns (normals, colours) stay.
Value align_input(GraphBuilder& b, Value x, const ModelOptions& options) {
  if (!options.flag("input_transform")) return x;
  const std::int64_t columns = x.shape()[1];
  const Value t = transform(b, x, Sizes(options), kCoordinates, false, "input_transform");
  if (columns == kCoordinates) return x.matmul(t);
  const Value turned = x.slice(1, 0, kCoordinates).matmul(t);
  return concat({turned, x.slice(1, kCoordinates, columns - kCoordinates)}, 1);
}

Value align_features(GraphBuilder& b, Value x, const ModelOptions& options) {
  if (!options.flag("feature_transform")) return x;
  const std::int64_t features = x.shape()[1];
  return x.matmul(transform(b, x, Sizes(options), features, true, "feature_transform"));
}

// Throws unless `x` is points whose coordinates come before `condition` category columns.
void check_points(const Value& x, const TaskSpec& task, bool takes_condition,
                  const std::string& family) {
  if (x.shape().size() != 2 || x.shape()[1] - task.condition < kCoordinates) {
    throw ConfigError(
        "model.type: " + family + " takes points [N, F] with 3 coordinates or more before " +
        counted(task.condition, "category column") + ", the input is " + to_string(x.shape()));
  }
  if (task.condition != 0 && !takes_condition) {
    throw ConfigError("model.type: " + family + " takes no category columns, the input has " +
                      std::to_string(task.condition) + "; pointnet_part_seg does");
  }
  const bool a_point_each = task.task == Task::kSegmentation;
  if (a_point_each && task.output.front() != x.shape()[0]) {
    throw ConfigError("model.type: " + family + " labels each of the " +
                      counted(x.shape()[0], "point") + ", but " +
                      counted(task.output.front(), "label is", "labels are") + " asked for");
  }
}

struct Encoded {
  Value points;    // [N, 64], after the feature transform
  Value features;  // [1024] of the whole cloud
};

Encoded encode(GraphBuilder& b, Value x, const ModelOptions& options) {
  const Sizes sizes(options);
  x = norm_layer(align_input(b, x, options), sizes(64), "conv1");
  const Value points = align_features(b, x, options);
  x = norm_layer(points, sizes(128), "conv2");
  x = x.linear(sizes(1024), {.bias = false}).named("conv3").batch_norm().named("conv3_norm");
  return {points, x.sequence_pool(PoolKind::kMax)};
}

Value build_classifier(GraphBuilder& b, Value x, const ModelOptions& options,
                       const TaskSpec& task) {
  check_points(x, task, false, "pointnet");
  const Sizes sizes(options);
  x = norm_layer(encode(b, x, options).features, sizes(512), "fc1");
  x = dropout(x.linear(sizes(256)).named("fc2"), options.real("dropout"));
  return x.batch_norm().named("fc2_norm").relu().linear(task.output.front()).named("classifier");
}

Value build_sem_seg(GraphBuilder& b, Value x, const ModelOptions& options, const TaskSpec& task) {
  check_points(x, task, false, "pointnet_sem_seg");
  const Sizes sizes(options);
  const Encoded encoded = encode(b, x, options);
  x = concat({encoded.features.expand(x.shape()[0]), encoded.points}, 1);
  x = norm_layer(x, sizes(512), "head1");
  x = norm_layer(x, sizes(256), "head2");
  x = norm_layer(x, sizes(128), "head3");
  return x.linear(task.output.back()).named("classifier");
}

// The one-hot category of the object, the same in every row, from the last columns of row 0.
Value category(Value x, std::int64_t condition) {
  const std::int64_t first = x.shape()[1] - condition;
  return x.slice(0, 0, 1).slice(1, first, condition).reshape({condition}).named("category");
}

Value build_part_seg(GraphBuilder& b, Value x, const ModelOptions& options, const TaskSpec& task) {
  check_points(x, task, true, "pointnet_part_seg");
  const Sizes sizes(options);
  const Value input = x;
  if (task.condition > 0) x = x.slice(1, 0, x.shape()[1] - task.condition).named("points");
  const Value out1 = norm_layer(align_input(b, x, options), sizes(64), "conv1");
  const Value out2 = norm_layer(out1, sizes(128), "conv2");
  const Value out3 = norm_layer(out2, sizes(128), "conv3");
  const Value out4 = norm_layer(align_features(b, out3, options), sizes(512), "conv4");
  const Value out5 =
      out4.linear(sizes(2048), {.bias = false}).named("conv5").batch_norm().named("conv5_norm");
  Value whole = out5.sequence_pool(PoolKind::kMax);
  if (task.condition > 0) whole = concat({whole, category(input, task.condition)}, 0);
  x = concat({whole.expand(input.shape()[0]), out1, out2, out3, out4, out5}, 1);
  x = norm_layer(x, sizes(256), "head1");
  x = norm_layer(x, sizes(256), "head2");
  x = norm_layer(x, sizes(128), "head3");
  return x.linear(task.output.back()).named("classifier");
}

std::vector<OptionSpec> shared_options() {
  return {width_option(),
          {.key = "input_transform", .value = true, .help = "learn a 3 x 3 turn of the points"},
          {.key = "feature_transform",
           .value = true,
           .help = "learn a turn of the points' features, kept near orthogonal"}};
}

}  // namespace

std::vector<ModelFamily> pointnet_families() {
  std::vector<OptionSpec> with_dropout = shared_options();
  with_dropout.push_back(dropout_option(0.4, "dropout before the last hidden layer's norm"));
  return {{.name = "pointnet",
           .summary = "PointNet, one class per cloud",
           .options = with_dropout,
           .build = build_classifier},
          {.name = "pointnet_part_seg",
           .summary = "PointNet, one part per point of an object whose category is known",
           .options = shared_options(),
           .build = build_part_seg,
           .task = Task::kSegmentation},
          {.name = "pointnet_sem_seg",
           .summary = "PointNet, one class per point of a scene",
           .options = shared_options(),
           .build = build_sem_seg,
           .task = Task::kSegmentation}};
}

}  // namespace tbn
