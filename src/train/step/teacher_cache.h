// What a teacher says of the training samples, asked once and kept in a file: the outputs of N
// random views of each sample, in half precision. A step whose answers are all there needs no
// forward pass of the teacher.
//
// Answers are kept as they come up in the first N epochs, batch by batch: the samples are at hand
// then, a run that is stopped has asked for no more than it used, and several runs may fill one
// file. New answers are rounded as kept ones are, so that a step does not depend on which they
// were.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "data/source/dataset.h"
#include "file/slot_file.h"
#include "train/step/task_loss.h"

namespace tbn {

// Of which answers a cache is.
struct TeacherCacheScope {
  std::vector<std::pair<std::string, std::string>> facts;  // teacher, data, seed, augmentation, ...
  std::int64_t samples = 0;
  std::int64_t views = 0;
  Shape output;  // of one sample
};

class TeacherCache {
 public:
  // Opens the file, or makes one where there is none. Throws ConfigError where it would be larger
  // than 64 GiB, and as SlotFile does.
  TeacherCache(const std::filesystem::path& path, const TeacherCacheScope& scope);

  // Throws as above where there is a file that does not fit.
  static void check(const std::filesystem::path& path, const TeacherCacheScope& scope);
  // Of the full file, its header left out.
  static std::uint64_t bytes_of(const TeacherCacheScope& scope);

  // What the teacher of `loss` says of inputs [B, ...], which are those `samples` in that view:
  // [B, ...output], float32, rounded to half precision, on the inputs' device. Throws DataError
  // where the file has the answer for another input, or an answer is too large for half precision.
  at::Tensor outputs(const TaskLoss& loss, const at::Tensor& inputs,
                     std::span<const std::int64_t> samples, std::int64_t view);

  // Everything kept so far outlives a power cut: to be called before a checkpoint is written, so
  // that a run which goes on from it finds the same answers.
  void flush() { file_.flush(); }
  // Answers that this object added.
  std::int64_t asked() const { return asked_; }

 private:
  std::uint64_t slot_of(std::int64_t sample, std::int64_t view) const;
  bool find(std::uint64_t slot, std::uint32_t input, std::span<std::byte> halves) const;
  void ask(const TaskLoss& loss, const at::Tensor& inputs, const std::vector<std::int64_t>& missing,
           at::Tensor& halves) const;

  std::filesystem::path path_;
  std::int64_t samples_;
  std::int64_t views_;
  Shape output_;
  SlotFile file_;
  std::int64_t asked_ = 0;
};

}  // namespace tbn
