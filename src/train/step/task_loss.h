// What a training step minimises: the task's own loss, what a teacher's outputs add to it, and the
// penalty on PointNet's transforms.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "config/config.h"
#include "data/source/dataset.h"
#include "train/batches/batch_tensors.h"

namespace tbn {

class GraphModule;

class TaskLoss {
 public:
  // Loads the teacher where there is one, for data of this rule, of which it may be that nothing is
  // known. Throws ConfigError or DataError where it cannot teach this task: every input and every
  // output must mean to it what it means to the student. With teacher.views a file that changes
  // while it is read is a DataError as well.
  TaskLoss(const Config& config, const SampleSpec& spec, c10::Device device, const Rule& data = {});
  ~TaskLoss();

  // What the user should know of the teacher, sentences.
  const std::vector<std::string>& notes() const { return notes_; }

  // The mark of the teacher that was loaded, by its file's bytes (teacher_file.h), where its
  // answers are kept (teacher.views); else empty.
  const std::string& teacher_mark() const { return teacher_mark_; }

  // A scalar in float32 or wider. `outputs` are the module's for this batch, just computed. The
  // teacher is asked where `batch` does not have its answers.
  at::Tensor operator()(const GraphModule& module, const at::Tensor& outputs,
                        const BatchTensors& batch) const;

  // What the teacher says of inputs [B, ...], [B, ...output], without a gradient. There must be
  // one.
  at::Tensor taught(const at::Tensor& inputs) const;

  // How many of the outputs' labels are right (int64, on the device); undefined for forecasting.
  at::Tensor correct(const at::Tensor& outputs, const BatchTensors& batch) const;

 private:
  at::Tensor task_loss(const at::Tensor& outputs, const BatchTensors& batch) const;
  at::Tensor teacher_loss(const at::Tensor& outputs, const BatchTensors& batch) const;

  TrainConfig train_;
  TeacherConfig settings_;
  Task task_;
  c10::Device device_;
  std::vector<std::string> notes_;
  std::string teacher_mark_;
  std::shared_ptr<GraphModule> teacher_;  // null: none
};

}  // namespace tbn
