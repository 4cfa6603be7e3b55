// Our optimisers against torch::optim's, step by step in float64, and their groups.
#include "train/optim/optimizer.h"

#include <torch/torch.h>

#include "support/catch.h"
#include "tbn/error.h"

using tbn::OptimFields;
using tbn::OptimizerType;
using tbn::SecondMoment;
using tbn::UpdateForm;

namespace {

// Three tensors of different shapes, the same for the same seed.
std::vector<at::Tensor> leaves(std::uint64_t seed) {
  torch::manual_seed(seed);
  std::vector<at::Tensor> tensors;
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{4, 3}, {7}, {2, 3, 3, 3}}) {
    tensors.push_back(torch::randn(shape, torch::kFloat64).requires_grad_());
  }
  return tensors;
}

// A loss whose gradient differs from step to step and between the elements.
at::Tensor loss_of(const std::vector<at::Tensor>& tensors, int step) {
  at::Tensor loss = torch::zeros({}, torch::kFloat64);
  for (const at::Tensor& t : tensors) {
    loss = loss + (t * t * t).sin().sum() * (1 + 0.1 * step) + t.exp().sum() * 0.01;
  }
  return loss;
}

tbn::Optimizer optimizer_over(const OptimFields& fields, const std::vector<at::Tensor>& tensors,
                              UpdateForm form = UpdateForm::kForeach) {
  return tbn::Optimizer({{.fields = fields, .names = {"a", "b", "c"}, .parameters = tensors}},
                        form);
}

// Both walk the same 12 steps with a learning rate that changes; the largest difference met.
double largest_difference(const OptimFields& fields, torch::optim::Optimizer& theirs,
                          std::vector<at::Tensor> their_leaves, UpdateForm form) {
  std::vector<at::Tensor> ours = leaves(3);
  tbn::Optimizer optimizer = optimizer_over(fields, ours, form);
  double largest = 0;
  for (int step = 0; step < 12; ++step) {
    const double factor = 1.0 / (1 + step);
    for (auto& group : theirs.param_groups()) group.options().set_lr(fields.lr * factor);
    theirs.zero_grad();
    loss_of(their_leaves, step).backward();
    theirs.step();
    optimizer.zero_grad();
    loss_of(ours, step).backward();
    optimizer.step(factor);
    for (std::size_t i = 0; i < ours.size(); ++i) {
      largest = std::max(largest, (ours[i] - their_leaves[i]).abs().max().item<double>());
    }
  }
  return largest;
}

// The parameters after 8 steps, in the dtype given.
std::vector<at::Tensor> walked(const OptimFields& fields, UpdateForm form, at::ScalarType dtype) {
  std::vector<at::Tensor> tensors;
  for (const at::Tensor& t : leaves(4)) tensors.push_back(t.detach().to(dtype).requires_grad_());
  tbn::Optimizer optimizer = optimizer_over(fields, tensors, form);
  for (int step = 0; step < 8; ++step) {
    optimizer.zero_grad();
    loss_of(tensors, step).backward();
    optimizer.step(1.0 / (1 + step));
  }
  return tensors;
}

UpdateForm any_form() { return GENERATE(UpdateForm::kForeach, UpdateForm::kFused); }

}  // namespace

TEST_CASE("SGD walks with torch::optim::SGD with and without momentum, Nesterov, weight decay") {
  const double momentum = GENERATE(0.0, 0.9);
  const bool nesterov = GENERATE(false, true);
  const double decay = GENERATE(0.0, 0.01);
  const UpdateForm form = any_form();
  if (nesterov && momentum == 0) return;
  std::vector<at::Tensor> theirs = leaves(3);
  torch::optim::SGD reference(
      theirs,
      torch::optim::SGDOptions(0.05).momentum(momentum).nesterov(nesterov).weight_decay(decay));
  const OptimFields fields{.type = OptimizerType::kSgd,
                           .lr = 0.05,
                           .weight_decay = decay,
                           .momentum = momentum,
                           .nesterov = nesterov};
  CHECK(largest_difference(fields, reference, theirs, form) < 1e-13);
}

TEST_CASE("Adadelta takes the steps of Zeiler 2012, element by element") {
  const double decay = GENERATE(0.0, 0.1);
  const OptimFields fields{
      .type = OptimizerType::kAdadelta, .lr = 0.7, .weight_decay = decay, .rho = 0.8, .eps = 1e-6};
  std::vector<at::Tensor> ours = leaves(3);
  std::vector<at::Tensor> theirs = leaves(3);
  tbn::Optimizer optimizer = optimizer_over(fields, ours);
  std::vector<std::vector<double>> squares(3), deltas(3);
  for (int step = 0; step < 6; ++step) {
    optimizer.zero_grad();
    loss_of(ours, step).backward();
    optimizer.step(0.5);
    loss_of(theirs, step).backward();
    const torch::NoGradGuard no_grad;
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      const auto count = static_cast<std::size_t>(theirs[i].numel());
      squares[i].resize(count, 0);
      deltas[i].resize(count, 0);
      double* w = theirs[i].mutable_data_ptr<double>();
      const double* g = theirs[i].grad().const_data_ptr<double>();
      for (std::size_t k = 0; k < count; ++k) {
        const double slope = g[k] + decay * w[k];
        squares[i][k] = 0.8 * squares[i][k] + 0.2 * slope * slope;
        const double delta =
            std::sqrt(deltas[i][k] + 1e-6) / std::sqrt(squares[i][k] + 1e-6) * slope;
        deltas[i][k] = 0.8 * deltas[i][k] + 0.2 * delta * delta;
        w[k] -= 0.35 * delta;
      }
      theirs[i].mutable_grad().reset();
      CHECK((ours[i] - theirs[i]).abs().max().item<double>() < 1e-13);
    }
  }
  CHECK(optimizer.state().front().name == "a/delta");
}

TEST_CASE("Bop turns the signs that Helwegen et al. 2019 turn, and moves nothing") {
  const UpdateForm form = any_form();
  const double threshold = GENERATE(1e-8, 0.2, 1.0);
  const OptimFields fields{
      .type = OptimizerType::kBop, .lr = 0.3, .weight_decay = 0.1, .threshold = threshold};
  std::vector<at::Tensor> ours = leaves(3);
  {
    const torch::NoGradGuard no_grad;
    ours[1][2] = 0;  // counts as negative
  }
  tbn::Optimizer optimizer = optimizer_over(fields, ours, form);
  std::vector<std::vector<double>> means(3), weights(3);
  for (std::size_t i = 0; i < ours.size(); ++i) {
    means[i].resize(static_cast<std::size_t>(ours[i].numel()), 0);
    const double* w = ours[i].const_data_ptr<double>();
    weights[i].assign(w, w + ours[i].numel());
  }
  int flips = 0;
  for (int step = 0; step < 12; ++step) {
    optimizer.zero_grad();
    ((step % 2 == 0 ? 1 : -1.5) * loss_of(ours, step)).backward();
    const double gamma = 0.3 / (1 + step);
    for (std::size_t i = 0; i < ours.size(); ++i) {
      const double* g = ours[i].grad().const_data_ptr<double>();
      for (std::size_t k = 0; k < means[i].size(); ++k) {
        double& m = means[i][k];
        double& w = weights[i][k];
        m = (1 - gamma) * m + gamma * g[k];
        const double sign = w > 0 ? 1 : -1;
        if (std::abs(m) < threshold || (m > 0) != (sign > 0)) continue;
        w = w == 0 ? 1 : -w;
        ++flips;
      }
    }
    optimizer.step(1.0 / (1 + step));
    for (std::size_t i = 0; i < ours.size(); ++i) {
      const double* w = ours[i].const_data_ptr<double>();
      CHECK(std::equal(weights[i].begin(), weights[i].end(), w));
    }
  }
  if (threshold < 1) CHECK(flips > 5);
  CHECK(optimizer.state().size() == 3);
  CHECK(optimizer.state().front().name == "a/mean");
}

TEST_CASE("Adam walks with torch::optim::Adam, its weight decay in the gradient") {
  const double decay = GENERATE(0.0, 0.1);
  const UpdateForm form = any_form();
  std::vector<at::Tensor> theirs = leaves(3);
  torch::optim::Adam reference(
      theirs, torch::optim::AdamOptions(0.02).betas({0.8, 0.95}).eps(1e-6).weight_decay(decay));
  const OptimFields fields{.type = OptimizerType::kAdam,
                           .lr = 0.02,
                           .weight_decay = decay,
                           .betas = {0.8, 0.95},
                           .eps = 1e-6};
  CHECK(largest_difference(fields, reference, theirs, form) < 1e-12);
}

TEST_CASE("AdamW walks with torch::optim::AdamW, its weight decay apart") {
  const UpdateForm form = any_form();
  std::vector<at::Tensor> theirs = leaves(3);
  torch::optim::AdamW reference(
      theirs, torch::optim::AdamWOptions(0.02).betas({0.9, 0.99}).eps(1e-8).weight_decay(0.1));
  const OptimFields fields{.type = OptimizerType::kAdamW,
                           .lr = 0.02,
                           .weight_decay = 0.1,
                           .betas = {0.9, 0.99},
                           .eps = 1e-8};
  CHECK(largest_difference(fields, reference, theirs, form) < 1e-12);
}

TEST_CASE("rates that are tensors take the steps that rates as numbers take, whatever the rule") {
  const auto type = GENERATE(OptimizerType::kSgd, OptimizerType::kAdam, OptimizerType::kAdamW,
                             OptimizerType::kAdadelta, OptimizerType::kBop);
  const auto second_moment = GENERATE(SecondMoment::kElement, SecondMoment::kRow);
  const OptimFields fields{.type = type,
                           .lr = 0.05,
                           .weight_decay = 0.02,
                           .nesterov = true,
                           .second_moment = second_moment,
                           .eps = 1e-6};
  for (const at::ScalarType dtype : {at::kFloat, at::kDouble}) {
    const std::vector<at::Tensor> numbers = walked(fields, UpdateForm::kForeach, dtype);
    const std::vector<at::Tensor> tensors = walked(fields, UpdateForm::kFused, dtype);
    const double most = dtype == at::kFloat ? 2e-6 : 1e-13;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      INFO(word_of(type) << ", " << word_of(second_moment) << ", " << c10::toString(dtype));
      CHECK((numbers[i] - tensors[i]).abs().max().item<double>() < most);
    }
  }
}

TEST_CASE("a fused optimiser goes on from the state and the step count of another form") {
  const OptimFields fields{.type = OptimizerType::kAdam, .lr = 0.02};
  std::vector<at::Tensor> straight = leaves(5), moved = leaves(5);
  tbn::Optimizer foreach = optimizer_over(fields, straight);
  tbn::Optimizer before = optimizer_over(fields, moved);
  tbn::Optimizer after = optimizer_over(fields, moved, UpdateForm::kFused);
  const auto advance = [](tbn::Optimizer& optimizer, std::vector<at::Tensor>& tensors, int step) {
    optimizer.zero_grad();
    loss_of(tensors, step).backward();
    optimizer.step(1);
  };
  for (int step = 0; step < 6; ++step) {
    if (step == 3) {
      const std::vector<tbn::NamedState> from = before.state();
      std::vector<tbn::NamedState> to = after.state();
      for (std::size_t i = 0; i < from.size(); ++i) to[i].tensor.copy_(from[i].tensor);
      after.set_steps(before.steps());
    }
    advance(foreach, straight, step);
    advance(step < 3 ? before : after, moved, step);
  }
  for (std::size_t i = 0; i < straight.size(); ++i) {
    CHECK((straight[i] - moved[i]).abs().max().item<double>() < 1e-13);
  }
}

TEST_CASE("an optimiser that takes over another's state and step count continues it bit for bit") {
  const OptimFields fields{.type = OptimizerType::kAdamW, .lr = 0.02, .weight_decay = 0.1};
  std::vector<at::Tensor> straight = leaves(5);
  tbn::Optimizer first = optimizer_over(fields, straight);
  const auto advance = [](tbn::Optimizer& optimizer, const std::vector<at::Tensor>& tensors,
                          int step) {
    optimizer.zero_grad();
    loss_of(tensors, step).backward();
    optimizer.step(1);
  };
  for (int step = 0; step < 4; ++step) advance(first, straight, step);

  std::vector<at::Tensor> resumed;
  for (const at::Tensor& t : straight) resumed.push_back(t.detach().clone().requires_grad_());
  tbn::Optimizer second = optimizer_over(fields, resumed);
  const std::vector<tbn::NamedState> from = first.state();
  std::vector<tbn::NamedState> to = second.state();
  REQUIRE(from.size() == 6);
  CHECK(from[0].name == "a/mean");
  CHECK(from[1].name == "a/square");
  for (std::size_t i = 0; i < from.size(); ++i) to[i].tensor.copy_(from[i].tensor);
  second.set_steps(first.steps());
  for (int step = 4; step < 8; ++step) {
    advance(first, straight, step);
    advance(second, resumed, step);
  }
  for (std::size_t i = 0; i < straight.size(); ++i) CHECK(at::equal(straight[i], resumed[i]));
}

TEST_CASE("a parameter without a gradient keeps its value") {
  std::vector<at::Tensor> tensors = leaves(1);
  const at::Tensor before = tensors[1].detach().clone();
  tbn::Optimizer optimizer = optimizer_over({.type = OptimizerType::kAdam, .lr = 0.1}, tensors);
  (tensors[0].sum() + tensors[2].sum()).backward();
  optimizer.step(1);
  CHECK(at::equal(before, tensors[1].detach()));
  CHECK(optimizer.gradients().size() == 2);
}

TEST_CASE(
    "one mean square per row divides each row by one value, and vectors keep one per element") {
  // Adam's update by its formulas, in plain loops over the elements.
  OptimFields fields;
  fields.type = OptimizerType::kAdam;
  fields.lr = 0.01;
  fields.second_moment = SecondMoment::kRow;
  const double beta1 = 0.9, beta2 = 0.999;
  std::vector<at::Tensor> ours = leaves(3), theirs = leaves(3);
  tbn::Optimizer optimizer = optimizer_over(fields, ours);
  std::vector<std::vector<double>> first(3), second(3);
  for (int step = 1; step <= 6; ++step) {
    optimizer.zero_grad();
    loss_of(ours, step).backward();
    optimizer.step(1);
    for (at::Tensor& t : theirs) t.mutable_grad() = at::Tensor();
    loss_of(theirs, step).backward();
    for (std::size_t k = 0; k < theirs.size(); ++k) {
      const std::int64_t count = theirs[k].numel();
      const std::int64_t run = theirs[k].dim() < 2 ? 1 : count / theirs[k].size(0);
      const auto* g = theirs[k].grad().contiguous().const_data_ptr<double>();
      auto* w = theirs[k].mutable_data_ptr<double>();
      first[k].resize(static_cast<std::size_t>(count));
      second[k].resize(static_cast<std::size_t>(count / run));
      for (std::int64_t row = 0; row < count / run; ++row) {
        double square = 0;
        for (std::int64_t i = 0; i < run; ++i) square += std::pow(g[row * run + i], 2);
        double& s = second[k][static_cast<std::size_t>(row)];
        s = beta2 * s + (1 - beta2) * square / static_cast<double>(run);
        const double root = std::sqrt(s / (1 - std::pow(beta2, step))) + fields.eps;
        for (std::int64_t i = row * run; i < (row + 1) * run; ++i) {
          double& m = first[k][static_cast<std::size_t>(i)];
          m = beta1 * m + (1 - beta1) * g[i];
          w[i] -= fields.lr * m / (1 - std::pow(beta1, step)) / root;
        }
      }
    }
  }
  for (std::size_t k = 0; k < ours.size(); ++k) {
    CHECK(torch::allclose(ours[k], theirs[k], 1e-12, 1e-12));
  }
  // One value per row of the two tensors with rows.
  for (const tbn::NamedState& state : optimizer.state()) {
    if (state.name == "a/square") CHECK(state.tensor.numel() == 4);
    if (state.name == "b/square") CHECK(state.tensor.numel() == 7);
    if (state.name == "c/square") CHECK(state.tensor.numel() == 2);
  }
}
