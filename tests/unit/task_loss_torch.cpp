// The loss of a step against formulas written out in float64: a teacher's part, mixed labels,
// points, forecasts and the penalty on transforms.
#include "train/step/task_loss.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_dir.h"
#include "tbn/error.h"
#include "train/executor/graph_module.h"
#include "train/executor/tensor_io.h"
#include "train/state/checkpoint.h"
#include "train/state/init.h"

using namespace tbn;
using test::TempDir;
using torch::Tensor;

namespace {

using Row = std::vector<double>;

Row log_softmax(Row z, double temperature) {
  double sum = 0;
  for (double& value : z) sum += std::exp(value /= temperature);
  for (double& value : z) value -= std::log(sum);
  return z;
}

std::vector<Row> rows_of(const Tensor& t) {
  const Tensor flat = t.detach().to(torch::kDouble).reshape({-1, t.size(-1)}).contiguous();
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < flat.size(0); ++i) {
    const double* begin = flat[i].data_ptr<double>();
    rows.emplace_back(begin, begin + flat.size(1));
  }
  return rows;
}

// The mean over rows of -log p(label), with label smoothing.
double cross_entropy(const Tensor& logits, const std::vector<std::int64_t>& labels,
                     double smoothing = 0) {
  const auto rows = rows_of(logits);
  double sum = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row log_p = log_softmax(rows[i], 1);
    for (std::size_t k = 0; k < log_p.size(); ++k) {
      const double hit = static_cast<std::int64_t>(k) == labels[i] ? 1 - smoothing : 0;
      sum -= (hit + smoothing / static_cast<double>(log_p.size())) * log_p[k];
    }
  }
  return sum / static_cast<double>(rows.size());
}

// T^2 times the mean over rows of sum_k q_k log(q_k / p_k).
double distillation(const Tensor& student, const Tensor& teacher, double temperature) {
  const auto p_rows = rows_of(student);
  const auto q_rows = rows_of(teacher);
  double sum = 0;
  for (std::size_t i = 0; i < p_rows.size(); ++i) {
    const Row p = log_softmax(p_rows[i], temperature);
    const Row q = log_softmax(q_rows[i], temperature);
    for (std::size_t k = 0; k < p.size(); ++k) sum += std::exp(q[k]) * (q[k] - p[k]);
  }
  return temperature * temperature * sum / static_cast<double>(p_rows.size());
}

double mean_square(const Tensor& a, const Tensor& b) {
  return (a.detach().to(torch::kDouble) - b.to(torch::kDouble)).square().mean().item<double>();
}

SampleSpec spec_of(Task task, Shape input, Shape output) {
  return {.input = std::move(input), .task = {.task = task, .output = std::move(output)}};
}

// A linear layer over the last dimension after a dropout, which a teacher must not apply.
Graph linear_net(const SampleSpec& spec) {
  GraphBuilder b("linear");
  Value x = b.input(spec.input).dropout(0.5);
  return b.finish(x.linear(spec.task.output.back()).named("fc"));
}

// A network and a loss that learns from a teacher of the same kind.
struct Lesson {
  explicit Lesson(const SampleSpec& samples, double weight = 0.7, double temperature = 2)
      : spec(samples), module(linear_net(samples)), teacher(linear_net(samples)) {
    initialize(module, InitConfig{}, 1);
    initialize(teacher, InitConfig{}, 2);
    const auto file = folder / "teacher.safetensors";
    write_checkpoint(file, {.model = state_of(teacher), .graph = teacher.graph()});
    config.teacher = {.from = file.string(), .temperature = temperature, .weight = weight};
  }

  // W x + b in float64.
  Tensor taught(const Tensor& x) const {
    const auto p = teacher.named_parameters();
    return torch::matmul(x.to(torch::kDouble), p["fc.weight"].to(torch::kDouble).t()) +
           p["fc.bias"].to(torch::kDouble);
  }

  double loss(const Tensor& outputs, const BatchTensors& batch) const {
    const TaskLoss task_loss(config, spec, torch::kCPU);
    return task_loss(module, outputs, batch).item<double>();
  }

  TempDir folder;
  SampleSpec spec;
  GraphModule module;
  GraphModule teacher;
  Config config;
};

Tensor labels_tensor(const std::vector<std::int64_t>& labels) {
  return torch::tensor(labels, torch::kLong);
}

}  // namespace

TEST_CASE("a teacher's part is T^2 KL of softened probabilities, weighted against the labels'") {
  const double temperature = GENERATE(1.0, 2.0, 5.0);
  const double weight = GENERATE(0.0, 0.3, 1.0);
  torch::manual_seed(1);
  const Lesson lesson(spec_of(Task::kClassification, {6}, {4}), weight, temperature);
  const Tensor x = torch::randn({5, 6});
  const Tensor outputs = 2 * torch::randn({5, 4});
  const std::vector<std::int64_t> labels = {0, 3, 1, 1, 2};
  const double expected = (1 - weight) * cross_entropy(outputs, labels) +
                          weight * distillation(outputs, lesson.taught(x), temperature);
  CHECK(lesson.loss(outputs, {.inputs = x, .labels = labels_tensor(labels)}) ==
        Approx(expected).epsilon(1e-5));
}

TEST_CASE("the gradient of a teacher's part is T (p - q) / B, and none reaches the teacher") {
  torch::manual_seed(2);
  const Lesson lesson(spec_of(Task::kClassification, {6}, {4}), 1, 3);
  const Tensor x = torch::randn({5, 6}, torch::requires_grad());
  const Tensor outputs = torch::randn({5, 4}, torch::requires_grad());
  const TaskLoss task_loss(lesson.config, lesson.spec, torch::kCPU);
  task_loss(lesson.module, outputs, {.inputs = x, .labels = labels_tensor({0, 1, 2, 3, 0})})
      .backward();
  const auto p_rows = rows_of(outputs);
  const auto q_rows = rows_of(lesson.taught(x.detach()));
  for (std::size_t i = 0; i < p_rows.size(); ++i) {
    const Row p = log_softmax(p_rows[i], 3);
    const Row q = log_softmax(q_rows[i], 3);
    for (std::size_t k = 0; k < p.size(); ++k) {
      CHECK(outputs.grad()[static_cast<int>(i)][static_cast<int>(k)].item<double>() ==
            Approx(3 * (std::exp(p[k]) - std::exp(q[k])) / 5).margin(1e-6));
    }
  }
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("mixed images count for both labels by their weight, with label smoothing in each") {
  Config config;
  config.train.label_smoothing = 0.1;
  const Lesson lesson(spec_of(Task::kClassification, {6}, {4}));
  const TaskLoss task_loss(config, lesson.spec, torch::kCPU);
  torch::manual_seed(3);
  const Tensor outputs = torch::randn({3, 4});
  const std::vector<std::int64_t> labels = {0, 3, 1};
  const std::vector<std::int64_t> others = {2, 0, 1};
  const BatchTensors batch{.labels = labels_tensor(labels),
                           .other_labels = labels_tensor(others),
                           .weights = mix_weights(0.8, torch::kCPU)};
  const double expected =
      0.8 * cross_entropy(outputs, labels, 0.1) + 0.2 * cross_entropy(outputs, others, 0.1);
  CHECK(task_loss(lesson.module, outputs, batch).item<double>() == Approx(expected).epsilon(1e-5));
  CHECK(task_loss.correct(outputs, batch).item<std::int64_t>() ==
        outputs.argmax(1).eq(batch.labels).sum().item<std::int64_t>());
}

TEST_CASE("points count one by one, before the labels and before the teacher") {
  torch::manual_seed(4);
  const Lesson lesson(spec_of(Task::kSegmentation, {3, 6}, {3, 4}));
  const Tensor x = torch::randn({2, 3, 6});
  const Tensor outputs = torch::randn({2, 3, 4});
  const std::vector<std::int64_t> labels = {0, 3, 1, 1, 2, 0};
  const BatchTensors batch{.inputs = x, .labels = labels_tensor(labels).reshape({2, 3})};
  const double expected =
      0.3 * cross_entropy(outputs, labels) + 0.7 * distillation(outputs, lesson.taught(x), 2);
  CHECK(lesson.loss(outputs, batch) == Approx(expected).epsilon(1e-5));
  std::int64_t right = 0;
  const auto rows = rows_of(outputs);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto best = std::max_element(rows[i].begin(), rows[i].end()) - rows[i].begin();
    right += best == labels[i] ? 1 : 0;
  }
  const TaskLoss task_loss(lesson.config, lesson.spec, torch::kCPU);
  CHECK(task_loss.correct(outputs, batch).item<std::int64_t>() == right);
}

TEST_CASE("a forecast is judged by its squared error, from the targets and from the teacher") {
  torch::manual_seed(5);
  const Lesson lesson(spec_of(Task::kForecasting, {3, 2}, {3, 2}), 0.25);
  const Tensor x = torch::randn({4, 3, 2});
  const Tensor outputs = torch::randn({4, 3, 2});
  const BatchTensors batch{.inputs = x, .targets = torch::randn({4, 3, 2})};
  const double expected =
      0.75 * mean_square(outputs, batch.targets) + 0.25 * mean_square(outputs, lesson.taught(x));
  CHECK(lesson.loss(outputs, batch) == Approx(expected).epsilon(1e-5));
  const TaskLoss task_loss(lesson.config, lesson.spec, torch::kCPU);
  CHECK_FALSE(task_loss.correct(outputs, batch).defined());
}

TEST_CASE("each orthogonal transform adds its penalty once, and others none") {
  // From the input alone: the transforms are X + I, X + 2 I, and X + 3 I without a penalty.
  GraphBuilder b("transforms");
  Value x = b.input({3, 3}).add_identity({.orthogonal = true}).add_identity({.orthogonal = true});
  GraphModule module(b.finish(x.add_identity().flatten().linear(4)));
  initialize(module, InitConfig{}, 1);
  module.train();
  torch::manual_seed(6);
  const Tensor inputs = torch::randn({2, 3, 3});
  const Tensor outputs = module.forward(inputs);
  const std::vector<std::int64_t> labels = {1, 3};
  double penalty = 0;
  for (int which = 1; which <= 2; ++which) {
    for (int sample = 0; sample < 2; ++sample) {
      const Tensor a = inputs[sample].to(torch::kDouble) + which * torch::eye(3, torch::kDouble);
      const Tensor gap = torch::eye(3, torch::kDouble) - torch::matmul(a, a.t());
      penalty += std::sqrt(gap.square().sum().item<double>()) / 2;
    }
  }
  Config config;
  config.train.orthogonal_penalty = GENERATE(0.0, 0.01, 2.0);
  const SampleSpec spec = spec_of(Task::kClassification, {3, 3}, {4});
  const TaskLoss task_loss(config, spec, torch::kCPU);
  const BatchTensors batch{.inputs = inputs, .labels = labels_tensor(labels)};
  const double plain = cross_entropy(outputs, labels);
  CHECK(task_loss(module, outputs, batch).item<double>() ==
        Approx(plain + config.train.orthogonal_penalty * penalty).epsilon(1e-5));
}

TEST_CASE("a teacher of other classes, other inputs or none at all cannot teach") {
  const Lesson lesson(spec_of(Task::kClassification, {6}, {4}));
  const auto refusal = [&](const SampleSpec& spec) {
    return test::message_of<DataError>([&] { TaskLoss(lesson.config, spec, torch::kCPU); });
  };
  const std::string where = "teacher.from: '" + lesson.config.teacher.from + "': ";
  const std::string advice = "; a teacher must take the inputs of the student and give its outputs";
  CHECK(refusal(spec_of(Task::kClassification, {6}, {5})) ==
        where + "the network tells 4 classes apart, and the data set has 5" + advice);
  CHECK(refusal(spec_of(Task::kClassification, {7}, {4})) ==
        where + "the network takes [6], and the samples are [7]" + advice);
  CHECK(refusal(spec_of(Task::kSegmentation, {6}, {1, 4})) ==
        where + "the network gives [4], and the data set asks for [1, 4]" + advice);
  Config missing;
  missing.teacher.from = (lesson.folder / "none.safetensors").string();
  CHECK(
      test::says(test::message_of<DataError>([&] { TaskLoss(missing, lesson.spec, torch::kCPU); }),
                 {"none.safetensors"}));
}

TEST_CASE(
    "a teacher takes every input for what the student takes it, and what else differs is said") {
  Lesson lesson(spec_of(Task::kForecasting, {3, 2}, {3, 2}));
  const Rule rule{.input = InputRule{.kind = "series",
                                     .steps = {StandardiseStep{{1, 10}, {2, 5}}},
                                     .columns = {"flow", "level"},
                                     .seconds = 900}};
  const auto file = lesson.folder / "taught.safetensors";
  write_checkpoint(
      file, {.model = state_of(lesson.teacher), .graph = lesson.teacher.graph(), .rule = rule});
  lesson.config.teacher.from = file.string();
  const auto taught_on = [&](const Rule& data) {
    return TaskLoss(lesson.config, lesson.spec, torch::kCPU, data).notes();
  };
  const auto refusal = [&](const Rule& data) {
    return test::message_of<DataError>([&] { taught_on(data); });
  };
  CHECK(taught_on(rule).empty());
  CHECK(taught_on({}).empty());
  Rule fewer = rule;
  fewer.input->columns = {"flow"};
  CHECK(test::says(refusal(fewer), {"teacher.from: '", "its columns are others (none is where "}));
  Rule permuted = rule;
  permuted.input->columns = {"level", "flow"};
  CHECK(test::says(refusal(permuted), {"teacher.from: '" + file.string() + "': its columns are in ",
                                       "a teacher must have been trained on the inputs"}));
  Rule scaled = rule;
  scaled.input->steps = {StandardiseStep{{1000, 10}, {2000, 5}}};
  CHECK(test::says(refusal(scaled), {"its columns had other units ('flow' has mean 1000"}));
  Rule slower = rule;
  slower.input->seconds = 3600;
  REQUIRE(taught_on(slower).size() == 1);
  CHECK(test::says(taught_on(slower).front(), {"teacher.from: '", "its rows were 900 s apart"}));
  write_checkpoint(file, {.model = state_of(lesson.teacher), .graph = lesson.teacher.graph()});
  CHECK(taught_on(rule) ==
        std::vector{"teacher.from: '" + file.string() +
                    "' does not say how its inputs were made; it is given the student's"});
}

TEST_CASE("a teacher of parts knows the student's categories and names, in their order") {
  SampleSpec spec = spec_of(Task::kSegmentation, {3, 5}, {3, 3});
  spec.class_names = {"p", "q", "r"};
  Lesson lesson(spec);
  const Rule rule{
      .input = InputRule{.kind = "points", .steps = {ChooseStep{}}, .columns = {"x", "y", "z"}},
      .output = OutputRule{.kind = "point_class",
                           .classes = {"p", "q", "r"},
                           .categories = {{"bag", 0, 1}, {"mug", 1, 2}}}};
  const auto file = lesson.folder / "parts.safetensors";
  write_checkpoint(
      file, {.model = state_of(lesson.teacher), .graph = lesson.teacher.graph(), .rule = rule});
  lesson.config.teacher.from = file.string();
  const auto refusal = [&](const SampleSpec& samples, const Rule& data) {
    return test::message_of<DataError>(
        [&] { TaskLoss(lesson.config, samples, torch::kCPU, data); });
  };
  CHECK_NOTHROW(TaskLoss(lesson.config, spec, torch::kCPU, rule));
  SampleSpec renamed = spec;
  renamed.class_names = {"q", "p", "r"};
  CHECK(test::says(refusal(renamed, rule), {"2 of 3 are called otherwise: 'q' for 'p'"}));
  Rule other = rule;
  other.output->categories = {{"mug", 0, 1}, {"bag", 1, 2}};
  CHECK(test::says(refusal(spec, other), {"its categories of parts are in another order"}));
}

TEST_CASE("only labels of whole images can be mixed") {
  Config config;
  config.data.mixup = GENERATE(0.0, 0.2);
  config.data.cutmix = config.data.mixup > 0 ? 0 : 1;
  for (const auto& [task, output] :
       {std::pair(Task::kSegmentation, Shape{3, 4}), std::pair(Task::kForecasting, Shape{3, 2})}) {
    CHECK_THROWS_AS(TaskLoss(config, spec_of(task, {3, 2}, output), torch::kCPU), ConfigError);
  }
  CHECK_NOTHROW(TaskLoss(config, spec_of(Task::kClassification, {6}, {4}), torch::kCPU));
}
