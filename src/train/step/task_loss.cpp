// The loss of each task.
#include "train/step/task_loss.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include "base/finite.h"
#include "data/class_match.h"
#include "data/input_match.h"
#include "eval/fit.h"
#include "tbn/error.h"
#include "train/executor/device.h"
#include "train/executor/graph_module.h"
#include "train/executor/tensor_io.h"
#include "train/state/checkpoint.h"
#include "train/state/run_directory.h"
#include "train/step/loss.h"
#include "train/step/teacher_file.h"

namespace tbn {
namespace {

// A teacher of other classes, or of these in another order, teaches nonsense.
void check_classes(const Rule& rule, const SampleSpec& spec, const std::string& where) {
  if (!rule.output || spec.task.task == Task::kForecasting) return;
  const ClassMatch match = match_classes(*rule.output, spec, false, where);
  if (match.note.empty()) return;
  throw DataError(fmt::format(
      "{}: {}; a teacher must have been trained on the classes of the student, in their order",
      where, match.note));
}

// And so does one that takes a value for another than it is. What else differs is to be said.
std::vector<std::string> check_inputs(const Rule& rule, const Rule& data,
                                      const std::string& where) {
  if (data.input && !rule.input) {
    return {where + " does not say how its inputs were made; it is given the student's"};
  }
  InputMatch match = match_inputs(rule, data);
  if (!match.others.empty()) {
    throw DataError(fmt::format(
        "{}: {}; a teacher must have been trained on the inputs of the student, name by name and "
        "unit by unit",
        where, match.others.front()));
  }
  for (std::string& text : match.alike) text = fmt::format("{}: {}", where, text);
  return std::move(match.alike);
}

// Whatever their names: of older checkpoints, and of windows of another length.
void check_shapes(const Graph& graph, const SampleSpec& spec, const std::string& where) {
  const std::string misfit = data_misfit(graph, spec);
  if (misfit.empty()) return;
  throw DataError(fmt::format(
      "{}: {}; a teacher must take the inputs of the student and give its outputs", where, misfit));
}

std::shared_ptr<GraphModule> read_teacher(const std::string& path, const SampleSpec& spec,
                                          c10::Device device, const Rule& data,
                                          std::vector<std::string>& notes) {
  const Checkpoint checkpoint = read_checkpoint(path);
  const std::string where = fmt::format("teacher.from: '{}'", path);
  check_classes(checkpoint.rule, spec, where);
  notes = check_inputs(checkpoint.rule, data, where);
  check_shapes(checkpoint.graph, spec, where);
  check_finite(checkpoint.weights(), fmt::format("teacher.from: {}", path),
               "a network that diverged teaches nothing; name another checkpoint");
  auto module = std::make_shared<GraphModule>(checkpoint.graph);
  load_state(*module, checkpoint.weights(), path);
  module->to(device);
  module->eval();
  return module;
}

// Its mark, too, where its answers are kept.
std::shared_ptr<GraphModule> load_teacher(const TeacherConfig& teacher, const SampleSpec& spec,
                                          c10::Device device, const Rule& data,
                                          std::vector<std::string>& notes, std::string& mark) {
  if (teacher.from.empty()) return nullptr;
  const std::string path = find_checkpoint_of("teacher.from", teacher.from).string();
  std::shared_ptr<GraphModule> module;
  const auto read = [&] { module = read_teacher(path, spec, device, data, notes); };
  if (teacher.views > 0) {
    mark = read_marked("teacher.from", path, read);
  } else {
    read();
  }
  return module;
}

}  // namespace

TaskLoss::TaskLoss(const Config& config, const SampleSpec& spec, c10::Device device,
                   const Rule& data)
    : train_(config.train),
      settings_(config.teacher),
      task_(spec.task.task),
      device_(device),
      teacher_(load_teacher(config.teacher, spec, device, data, notes_, teacher_mark_)) {
  if (task_ != Task::kClassification && (config.data.mixup > 0 || config.data.cutmix > 0)) {
    throw ConfigError("data.mixup and data.cutmix mix labels of whole images, for classification");
  }
}

TaskLoss::~TaskLoss() = default;

at::Tensor TaskLoss::operator()(const GraphModule& module, const at::Tensor& outputs,
                                const BatchTensors& batch) const {
  at::Tensor loss = task_loss(outputs, batch);
  if (teacher_ != nullptr) {
    loss = (1 - settings_.weight) * loss + settings_.weight * teacher_loss(outputs, batch);
  }
  if (train_.orthogonal_penalty > 0) {
    for (const at::Tensor& transform : module.regularized()) {
      loss = loss + train_.orthogonal_penalty * orthogonal_penalty(transform);
    }
  }
  return loss;
}

at::Tensor TaskLoss::task_loss(const at::Tensor& outputs, const BatchTensors& batch) const {
  if (task_ == Task::kForecasting) return tbn::mse_loss(outputs, batch.targets);
  at::Tensor loss = cross_entropy(outputs, batch.labels, train_.label_smoothing);
  if (!batch.other_labels.defined()) return loss;
  const at::Tensor other = cross_entropy(outputs, batch.other_labels, train_.label_smoothing);
  const at::Tensor weights = batch.weights.to(loss.scalar_type());
  return weights[0] * loss + weights[1] * other;
}

at::Tensor TaskLoss::taught(const at::Tensor& inputs) const {
  const torch::NoGradGuard no_grad;
  const Autocast autocast(train_.precision == TrainPrecision::kBf16, device_);
  return teacher_->forward(inputs);
}

// T^2 KL(teacher || student) of the softened class probabilities (Hinton et al. 2015, section 2),
// or the squared distance to the teacher's forecast.
at::Tensor TaskLoss::teacher_loss(const at::Tensor& outputs, const BatchTensors& batch) const {
  const at::Tensor taught = batch.taught.defined() ? batch.taught : this->taught(batch.inputs);
  if (task_ == Task::kForecasting) return tbn::mse_loss(outputs, taught);
  const double t = settings_.temperature;
  const auto log_probabilities = [t](const at::Tensor& logits) {
    return at::log_softmax(logits.to(at::kFloat).flatten(0, -2) / t, -1);
  };
  const at::Tensor student = log_probabilities(outputs);
  const at::Tensor teacher = log_probabilities(taught);
  return t * t * (teacher.exp() * (teacher - student)).sum(-1).mean();
}

at::Tensor TaskLoss::correct(const at::Tensor& outputs, const BatchTensors& batch) const {
  if (!batch.labels.defined()) return {};
  const torch::NoGradGuard no_grad;
  return outputs.detach().argmax(-1).eq(batch.labels).sum();
}

}  // namespace tbn
