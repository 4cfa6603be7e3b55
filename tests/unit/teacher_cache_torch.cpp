// A teacher's answers that are kept: those that it gives, rounded to half precision; asked once;
// and never those for another input.
#include "train/step/teacher_cache.h"

#include <torch/torch.h>

#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_dir.h"
#include "tbn/error.h"
#include "train/executor/graph_module.h"
#include "train/executor/tensor_io.h"
#include "train/state/checkpoint.h"
#include "train/state/init.h"
#include "train/step/teacher_file.h"

using namespace tbn;
using test::message_of;
using test::says;
using test::TempDir;
using torch::Tensor;

namespace {

constexpr std::int64_t kSamples = 12;
constexpr std::int64_t kViews = 3;

const SampleSpec kSpec{.input = {2, 4, 4}, .bytes = true, .task = {.output = {5}}};

Graph small_net() {
  GraphBuilder b("small");
  const Value x = b.input({2, 4, 4}).normalize({100, 120}, {50, 60});
  return b.finish(x.flatten().linear(5).named("fc"));
}

// A teacher in a file, and the loss that learns from it. `integers`: its outputs are whole numbers,
// which half precision holds exactly.
struct Lesson {
  explicit Lesson(bool integers, double scale = 1) {
    GraphBuilder b("teacher");
    GraphModule teacher(b.finish(b.input({2, 4, 4}).flatten().linear(5).named("fc")));
    initialize(teacher, InitConfig{}, 2);
    {
      const torch::NoGradGuard no_grad;
      auto parameters = teacher.named_parameters();
      if (integers) {
        parameters["fc.weight"].copy_(torch::randint(-1, 2, {5, 32}));
        parameters["fc.bias"].zero_();
      }
      parameters["fc.weight"].mul_(scale);
    }
    const auto file = folder / "teacher.safetensors";
    write_checkpoint(file, {.model = state_of(teacher), .graph = teacher.graph()});
    config.teacher = {.from = file.string(), .views = kViews};
    loss.emplace(config, kSpec, torch::kCPU);
  }

  TeacherCacheScope scope() const {
    return {.facts = {{"teacher", "a"}}, .samples = kSamples, .views = kViews, .output = {5}};
  }
  std::filesystem::path path() const { return folder / "outputs"; }

  TempDir folder;
  Config config;
  std::optional<TaskLoss> loss;
};

// The views of a data set: [kViews][kSamples] images.
Tensor all_views() {
  torch::manual_seed(5);
  return torch::randint(0, 4, {kViews, kSamples, 2, 4, 4}, torch::kByte);
}

Tensor rows_of(const Tensor& view, const std::vector<std::int64_t>& samples) {
  return view.index_select(0, torch::tensor(samples, torch::kLong));
}

}  // namespace

TEST_CASE("kept answers are the teacher's in half precision, in any order and company") {
  const Lesson lesson(false);
  const Tensor views = all_views();
  TeacherCache cache(lesson.path(), lesson.scope());
  const std::vector<std::vector<std::int64_t>> batches = {{3, 1, 7}, {7, 0, 3, 11}, {1}, {0, 11}};
  for (std::int64_t view = 0; view < kViews; ++view) {
    for (const auto& samples : batches) {
      const Tensor inputs = rows_of(views[view], samples);
      const Tensor kept = cache.outputs(*lesson.loss, inputs, samples, view);
      const Tensor exact = lesson.loss->taught(inputs);
      CHECK(kept.scalar_type() == torch::kFloat);
      CHECK(kept.sizes() == exact.sizes());
      CHECK(torch::equal(kept, kept.to(torch::kHalf).to(torch::kFloat)));
      CHECK(((kept - exact).abs() <= exact.abs() * 0x1p-10 + 0x1p-24).all().item<bool>());
    }
    CHECK(cache.asked() == 5 * (view + 1));  // 0, 1, 3, 7, 11
  }
  // Another process asks for nothing, and gets the same.
  TeacherCache again(lesson.path(), lesson.scope());
  const Tensor inputs = rows_of(views[2], {11, 3});
  CHECK(torch::equal(again.outputs(*lesson.loss, inputs, std::vector<std::int64_t>{11, 3}, 2),
                     cache.outputs(*lesson.loss, inputs, std::vector<std::int64_t>{11, 3}, 2)));
  CHECK(again.asked() == 0);
}

TEST_CASE("a step with kept answers is the step with the teacher, in float32 and in float64") {
  const auto type = GENERATE(torch::kFloat, torch::kDouble);
  const bool integers = GENERATE(true, false);
  const Lesson lesson(integers);
  const Tensor views = all_views();
  const std::vector<std::int64_t> samples = {2, 9, 4, 5};
  TeacherCache cache(lesson.path(), lesson.scope());
  const auto gradient = [&](int how) {  // 0: the teacher is asked; 1: new answers; 2: kept ones
    GraphModule student(small_net(), type);
    initialize(student, InitConfig{}, 1);
    BatchTensors batch{.inputs = rows_of(views[1], samples),
                       .labels = torch::tensor({0, 4, 2, 1}, torch::kLong)};
    if (how > 0) batch.taught = cache.outputs(*lesson.loss, batch.inputs, samples, 1);
    (*lesson.loss)(student, student.forward(batch.inputs), batch).backward();
    return student.named_parameters()["fc.weight"].grad();
  };
  const Tensor asked = gradient(0);
  const Tensor fresh = gradient(1);
  const Tensor kept = gradient(2);
  CHECK(cache.asked() == 4);
  CHECK(torch::equal(fresh, kept));
  if (integers) {
    CHECK(torch::equal(asked, kept));
  } else {
    CHECK_FALSE(torch::equal(asked, kept));
    CHECK(torch::allclose(asked, kept, 2e-3, 2e-3));
  }
}

TEST_CASE(
    "the answer for another input is an error, and so is one that half precision cannot hold") {
  const Lesson lesson(false);
  const Tensor views = all_views();
  TeacherCache cache(lesson.path(), lesson.scope());
  const std::vector<std::int64_t> samples = {2, 9};
  Tensor inputs = rows_of(views[1], samples);
  cache.outputs(*lesson.loss, inputs, samples, 1);
  inputs[1][1][3][3] = 200;
  CHECK(message_of<DataError>([&] { cache.outputs(*lesson.loss, inputs, samples, 1); }) ==
        "teacher.cache: '" + lesson.path().string() +
            "' was made from other samples: view 2 of sample 9 is not what it was; are the data "
            "the same? Name another file with teacher.cache=..., or delete this one");
  const Lesson loud(true, 1e5);
  TeacherCache other(loud.path(), loud.scope());
  CHECK(says(message_of<DataError>([&] { other.outputs(*loud.loss, inputs, samples, 1); }),
             {"no number below 65,504", "leave teacher.views out"}));
}

TEST_CASE("the mark of a teacher is that of the file which was loaded") {
  const Lesson lesson(false);
  const std::filesystem::path file = lesson.config.teacher.from;
  const std::string mark = mark_of_file(file);
  CHECK(says(mark, {"CRC-32C ", " bytes"}));
  CHECK(lesson.loss->teacher_mark() == mark);
  // Another run of the teacher's replaces its file.
  const Lesson other(true);
  std::filesystem::copy_file(other.config.teacher.from, file,
                             std::filesystem::copy_options::overwrite_existing);
  CHECK(mark_of_file(file) != mark);
  CHECK(lesson.loss->teacher_mark() == mark);
  Config asked = lesson.config;
  asked.teacher.views = 0;
  CHECK(TaskLoss(asked, kSpec, torch::kCPU).teacher_mark().empty());
}

TEST_CASE("a file that changes while it is read has no mark") {
  const TempDir folder;
  const auto path = folder / "teacher";
  test::write_file(path, "one");
  CHECK(read_marked("teacher.from", path, [] {}) == mark_of_file(path));
  CHECK(message_of<DataError>([&] {
          read_marked("teacher.from", path, [&] { test::write_file(path, "two"); });
        }) == "teacher.from: '" + path.string() +
                  "' changed while it was read; start again when the run that writes it is over");
}

TEST_CASE("a cache of another teacher, other views or other outputs is refused") {
  const Lesson lesson(false);
  { const TeacherCache cache(lesson.path(), lesson.scope()); }
  CHECK_NOTHROW(TeacherCache::check(lesson.path(), lesson.scope()));
  const auto refusal = [&](const TeacherCacheScope& scope) {
    return message_of<DataError>([&] { TeacherCache::check(lesson.path(), scope); });
  };
  TeacherCacheScope scope = lesson.scope();
  scope.facts[0].second = "b";
  CHECK(says(refusal(scope), {"was made with teacher 'a', and this run has 'b'"}));
  scope = lesson.scope();
  scope.views = 4;
  CHECK(says(refusal(scope), {"was made with views '3', and this run has '4'"}));
  scope = lesson.scope();
  scope.output = {6};
  CHECK(says(refusal(scope), {"was made with outputs '[5]', and this run has '[6]'"}));
  scope = lesson.scope();
  scope.samples = std::int64_t{1} << 40;
  CHECK(says(message_of<ConfigError>([&] { TeacherCache::check(lesson.path(), scope); }),
             {"teacher.views: 3 views of 1099511627776 samples, 18 bytes each, are more than",
              "64 GiB", "use fewer views"}));
}
