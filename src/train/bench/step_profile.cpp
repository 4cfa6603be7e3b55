// LibTorch tells an observer when a function begins and ends. The executor makes a scope of each
// step of its plan, and autograd numbers what it records in it, so that a function of the backward
// pass is traced to the step whose range of numbers it has.
#include "train/bench/step_profile.h"

#include <ATen/SequenceNumber.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>

#include "config/data_options.h"
#include "data/registry.h"
#include "tbn/encodings.h"
#include "tbn/error.h"
#include "train/bench/step_contender.h"
#include "train/executor/device.h"
#include "train/run/trainer_graph.h"
#include "train/step/step.h"

namespace tbn {
namespace {

using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

// "torch::autograd::CppNode<tbn::(anonymous namespace)::NormFanOut>" -> "NormFanOut backward".
std::string short_name(std::string_view name) {
  if (!name.starts_with("torch::autograd::CppNode<")) return std::string(name);
  name.remove_suffix(1);
  name.remove_prefix(std::min(name.size(), name.rfind(':') + 1));
  return std::string(name) + " backward";
}

// Adds up what the callbacks see, from any thread.
class Recorder {
 public:
  Recorder(const std::vector<PlanStep>& steps, const Graph& graph)
      : forward_(steps.size()), backward_(steps.size()) {
    for (std::size_t i = 0; i < steps.size(); ++i) index_[graph.node(steps[i].node).name] = i;
  }

  // A function that has begun, on the stack of its thread.
  struct Running : at::ObserverContext {
    Clock::time_point start;
    double within_us = 0;  // in the functions that it called
    Running* caller = nullptr;
    std::uint64_t first_number = 0;
  };

  std::unique_ptr<Running> begin(const at::RecordFunction& function) {
    auto running = std::make_unique<Running>();
    running->caller = innermost_;
    innermost_ = running.get();
    if (function.scope() == at::RecordScope::USER_SCOPE) {
      running->first_number = at::sequence_number::peek();
    }
    running->start = Clock::now();
    return running;
  }

  void end(const at::RecordFunction& function, Running& running) {
    const double us = microseconds_since(running.start);
    innermost_ = running.caller;
    if (running.caller != nullptr) running.caller->within_us += us;
    const std::lock_guard lock(mutex_);
    switch (function.scope()) {
      case at::RecordScope::USER_SCOPE:
        // A teacher's steps have a place within the loss.
        if (running.caller == nullptr) end_scope(function.name(), running.first_number, us);
        return;
      case at::RecordScope::BACKWARD_FUNCTION:
        end_backward(function.seqNr(), us);
        break;
      default:
        break;
    }
    ProfiledFunction& sum = functions_[short_name(function.name())];
    sum.us += us - running.within_us;
    sum.calls += 1;
  }

  StepProfile profile(const std::vector<PlanStep>& plan, const Graph& graph, double step_us,
                      int steps) const;

 private:
  void end_scope(const char* name, std::uint64_t first_number, double us) {
    const auto step = index_.find(name);
    if (step != index_.end()) {
      forward_[step->second] += us;
      owners_[first_number] = step->second;
      owners_[at::sequence_number::peek()] = kLoss;  // until the next scope begins there
    } else if (std::string_view(name) == kLossScope) {
      loss_us_ += us;
    } else if (std::string_view(name) == kOptimizerScope) {
      optimizer_us_ += us;
    }
  }

  // `number` is negative for the functions that hand a gradient to its parameter.
  void end_backward(std::int64_t number, double us) {
    if (number < 0) {
      gradients_us_ += us;
      return;
    }
    auto owner = owners_.upper_bound(static_cast<std::uint64_t>(number));
    const std::size_t step = owner == owners_.begin() ? kLoss : std::prev(owner)->second;
    (step == kLoss ? loss_us_ : backward_[step]) += us;
  }

  static constexpr std::size_t kLoss = ~std::size_t{0};
  static thread_local Running* innermost_;

  std::mutex mutex_;
  std::map<std::string, std::size_t> index_;     // node's name -> step of the plan
  std::map<std::uint64_t, std::size_t> owners_;  // first number of a range -> its step, or kLoss
  std::map<std::string, ProfiledFunction> functions_;
  std::vector<double> forward_, backward_;
  double loss_us_ = 0, optimizer_us_ = 0, gradients_us_ = 0;
};

thread_local Recorder::Running* Recorder::innermost_ = nullptr;

std::string ops_of(const Graph& graph, const PlanStep& step) {
  std::string text(op_name(graph.node(step.node).op));
  if (step.pool >= 0) text += " + " + std::string(op_name(graph.node(step.pool).op));
  if (step.norm >= 0) text += " + " + std::string(op_name(graph.node(step.norm).op));
  if (step.residual >= 0) text += " + add";
  if (step.relu) text += " + relu";
  return text;
}

std::string encoding_name(const Node& node) {
  const WeightEncoding* encoding = weights_of(node.op);
  return encoding == nullptr ? "" : to_string(*encoding);
}

StepProfile Recorder::profile(const std::vector<PlanStep>& plan, const Graph& graph, double step_us,
                              int steps) const {
  const double n = steps;
  StepProfile profile{step_us / n, loss_us_ / n, optimizer_us_ / n, gradients_us_ / n, {}, {}, {}};
  for (std::size_t i = 0; i < plan.size(); ++i) {
    const Node& node = graph.node(plan[i].node);
    profile.nodes.push_back({node.name, ops_of(graph, plan[i]), encoding_name(node),
                             forward_[i] / n, backward_[i] / n});
  }
  for (const auto& [name, sum] : functions_) {
    profile.functions.push_back({name, sum.us / n, sum.calls / n});
  }
  std::sort(profile.functions.begin(), profile.functions.end(),
            [](const auto& a, const auto& b) { return a.us > b.us; });
  return profile;
}

// LibTorch's callbacks are plain functions: they find their recorder here while one observes.
Recorder* observing = nullptr;

class Observation {
 public:
  explicit Observation(Recorder& recorder) {
    TBN_CHECK(observing == nullptr, "one step is observed at a time");
    observing = &recorder;
    handle_ = at::addGlobalCallback(
        at::RecordFunctionCallback(
            [](const at::RecordFunction& f) -> std::unique_ptr<at::ObserverContext> {
              return observing->begin(f);
            },
            [](const at::RecordFunction& f, at::ObserverContext* context) {
              observing->end(f, *static_cast<Recorder::Running*>(context));
            })
            .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION,
                     at::RecordScope::USER_SCOPE}));
  }
  ~Observation() {
    at::removeCallback(handle_);
    observing = nullptr;
  }
  Observation(const Observation&) = delete;
  Observation& operator=(const Observation&) = delete;

 private:
  at::CallbackHandle handle_;
};

}  // namespace

double StepProfile::rest_us() const {
  double known = loss_us + optimizer_us + gradients_us;
  for (const ProfiledNode& node : nodes) known += node.forward_us + node.backward_us;
  return step_us - known;
}

StepProfile profile_steps(const Config& asked, int steps, int warm_up) {
  TBN_CHECK(steps > 0, "steps");
  Config config = asked;
  const c10::Device device = resolve_device(config.train.device);
  if (!device.is_cpu()) {
    throw ConfigError(
        "a profile is taken on the CPU alone: there a function has done its work "
        "when it returns; give train.device=cpu");
  }
  configure_torch(config.train, device);
  config.train.precision = choose_precision(config.train.precision, device).precision;
  const SampleSpec spec = describe_data(data_options(config.data));
  const BatchTensors batch = random_batch(spec, config.train.batch_size, device);
  StepContender network(config, spec, device);
  for (int i = 0; i < warm_up; ++i) network.step_us(batch);
  Recorder recorder(network.model().steps(), network.model().graph());
  double total_us = 0;
  {
    const Observation observation(recorder);
    for (int i = 0; i < steps; ++i) total_us += network.step_us(batch);
  }
  StepProfile profile =
      recorder.profile(network.model().steps(), network.model().graph(), total_us, steps);
  profile.device = describe_device(device);
  return profile;
}

}  // namespace tbn
