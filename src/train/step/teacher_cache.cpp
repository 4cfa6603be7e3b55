// A slot is the CRC-32C of the view's bytes, and the outputs.
#include "train/step/teacher_cache.h"

#include <cstring>

#include <fmt/format.h>
#include <torch/torch.h>

#include "file/crc32c.h"
#include "file/reader.h"
#include "tbn/error.h"
#include "tbn/tensor.h"

namespace tbn {
namespace {

constexpr const char* kKey = "teacher.cache";
constexpr std::uint64_t kInputBytes = 4;  // the checksum of the input

std::uint64_t slot_bytes(const Shape& output) {
  return kInputBytes + 2 * static_cast<std::uint64_t>(element_count(output));
}

SlotLayout layout_of(const TeacherCacheScope& scope) {
  SlotLayout layout{
      .facts = scope.facts,
      .slots = static_cast<std::uint64_t>(scope.samples) * static_cast<std::uint64_t>(scope.views),
      .bytes = slot_bytes(scope.output)};
  layout.facts.insert(layout.facts.begin(), {"kind", "outputs of a teacher"});
  layout.facts.emplace_back("views", std::to_string(scope.views));
  layout.facts.emplace_back("outputs", to_string(scope.output));
  if (layout.slots <= Reader::kMaxFileBytes / (4 + layout.bytes)) return layout;
  throw ConfigError(fmt::format(
      "teacher.views: {} views of {} samples, {} bytes each, are more than a file of {} GiB holds; "
      "use fewer views",
      scope.views, scope.samples, 4 + layout.bytes, Reader::kMaxFileBytes >> 30));
}

std::span<std::byte> bytes_of_row(const at::Tensor& rows, std::int64_t row) {
  const std::size_t size = rows.stride(0) * rows.element_size();
  return {static_cast<std::byte*>(rows.data_ptr()) + row * size, size};
}

}  // namespace

TeacherCache::TeacherCache(const std::filesystem::path& path, const TeacherCacheScope& scope)
    : path_(path),
      samples_(scope.samples),
      views_(scope.views),
      output_(scope.output),
      file_(SlotFile::open(kKey, path, layout_of(scope))) {}

void TeacherCache::check(const std::filesystem::path& path, const TeacherCacheScope& scope) {
  SlotFile::check(kKey, path, layout_of(scope));
}

std::uint64_t TeacherCache::bytes_of(const TeacherCacheScope& scope) {
  return layout_of(scope).file_bytes();
}

std::uint64_t TeacherCache::slot_of(std::int64_t sample, std::int64_t view) const {
  TBN_CHECK(sample >= 0 && sample < samples_ && view >= 0 && view < views_,
            "TeacherCache: no such sample or view");
  return static_cast<std::uint64_t>(view * samples_ + sample);
}

// The answer for an input with this checksum; false where there is none yet.
bool TeacherCache::find(std::uint64_t slot, std::uint32_t input,
                        std::span<std::byte> halves) const {
  std::vector<std::byte> bytes(kInputBytes + halves.size());
  if (!file_.read(slot, bytes)) return false;
  std::uint32_t kept = 0;
  std::memcpy(&kept, bytes.data(), kInputBytes);
  if (kept != input) {
    throw DataError(fmt::format(
        "{}: '{}' was made from other samples: view {} of sample {} is not what it was; are the "
        "data the same? Name another file with {}=..., or delete this one",
        kKey, path_.string(), slot / static_cast<std::uint64_t>(samples_) + 1,
        slot % static_cast<std::uint64_t>(samples_), kKey));
  }
  std::memcpy(halves.data(), bytes.data() + kInputBytes, halves.size());
  return true;
}

// Fills the missing rows of `halves`. The teacher sees the whole batch even where one row is
// missing: a product of another size may round otherwise, and a step that was killed while it wrote
// its answers is to find those that it had.
void TeacherCache::ask(const TaskLoss& loss, const at::Tensor& inputs,
                       const std::vector<std::int64_t>& missing, at::Tensor& halves) const {
  const at::Tensor said = loss.taught(inputs).to(at::kCPU, at::kHalf).reshape({inputs.size(0), -1});
  TBN_CHECK(said.numel() == halves.numel(), "a teacher's outputs have another size");
  if (!said.isfinite().all().item<bool>()) {
    throw DataError(fmt::format(
        "teacher.from: an output of the teacher is no number below 65,504, the most that "
        "teacher.views can keep; leave teacher.views out, or name another teacher"));
  }
  const at::Tensor rows = torch::tensor(at::ArrayRef<std::int64_t>(missing), at::kLong);
  halves.index_copy_(0, rows, said.index_select(0, rows));
}

at::Tensor TeacherCache::outputs(const TaskLoss& loss, const at::Tensor& inputs,
                                 std::span<const std::int64_t> samples, std::int64_t view) {
  TBN_CHECK(static_cast<std::int64_t>(samples.size()) == inputs.size(0),
            "TeacherCache: a number for each sample");
  const torch::NoGradGuard no_grad;
  const at::Tensor seen = inputs.to(at::kCPU).contiguous();
  at::Tensor halves = at::empty({inputs.size(0), element_count(output_)}, at::kHalf);
  std::vector<std::uint32_t> marks;
  std::vector<std::int64_t> missing;
  for (std::int64_t i = 0; i < inputs.size(0); ++i) {
    marks.push_back(crc32c(bytes_of_row(seen, i)));
    const std::uint64_t slot = slot_of(samples[static_cast<std::size_t>(i)], view);
    if (!find(slot, marks.back(), bytes_of_row(halves, i))) missing.push_back(i);
  }
  if (!missing.empty()) ask(loss, inputs, missing, halves);
  for (const std::int64_t i : missing) {
    const std::span<const std::byte> said = bytes_of_row(halves, i);
    std::vector<std::byte> slot(kInputBytes + said.size());
    std::memcpy(slot.data(), &marks[static_cast<std::size_t>(i)], kInputBytes);
    std::memcpy(slot.data() + kInputBytes, said.data(), said.size());
    file_.write(slot_of(samples[static_cast<std::size_t>(i)], view), slot);
  }
  asked_ += static_cast<std::int64_t>(missing.size());
  std::vector<std::int64_t> shape = {inputs.size(0)};
  shape.insert(shape.end(), output_.begin(), output_.end());
  return halves.to(inputs.device(), at::kFloat).view(shape);
}

}  // namespace tbn
