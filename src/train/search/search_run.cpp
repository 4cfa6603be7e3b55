// The methods that train, step by step.
#include "train/search/search_run.h"

#include <chrono>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <torch/torch.h>

#include "base/counted.h"
#include "base/text.h"
#include "search/knapsack.h"
#include "search/rule.h"
#include "tbn/error.h"
#include "train/run/signals.h"
#include "train/run/trainer_setup.h"
#include "train/search/judge.h"
#include "train/search/search_files.h"
#include "train/search/supernet.h"
#include "train/search/trials.h"
#include "train/state/run_directory.h"
#include "train/step/teacher_file.h"

namespace tbn {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// How much worse the network is with each choice of each layer alone, and what it costs then.
using Offers = std::vector<std::vector<Offer>>;

// Measures a pick in some way; nothing where a signal came first.
using MeasureOn = std::function<std::optional<Measured>(const Pick& pick, Images images)>;

class Search {
 public:
  Search(const Config& config, CostMeter& meter, const SearchSettings& settings,
         const SearchPlace& place);
  SearchOutcome run();

 private:
  bool train_supernet();
  bool run_epoch(Clock::time_point start);
  std::optional<Measured> train_alone(const Pick& pick);
  bool train_epochs(TrainState& state, StepRunner& runner, const Pick& pick);
  std::optional<Measured> measured(const std::string& stage, const Pick& pick, Images images,
                                   const MeasureOn& measure);
  std::optional<Offers> offers(Images images, const MeasureOn& measure);
  bool say_how_losses_add_up(const Offers& offers, const MeasureOn& measure);
  std::vector<Pick> starts(const Offers& offers);
  SearchOutcome search_supernet();
  SearchOutcome search_sensitivity();
  SearchOutcome judged(const std::vector<Scored>& ranked, const MeasureOn& measure);
  SearchOutcome stopped();
  [[noreturn]] void fail_non_finite(const std::string& where);

  const Config& config_;
  CostMeter& meter_;
  const SearchSpace& space_;
  const SearchSettings& settings_;
  const SearchPlace& place_;
  SearchFiles files_;
  TrainerSetup setup_;
  Judge judge_;
  std::optional<Trials> trials_;
  StopSignals signals_;
  RateMeter rate_;
  std::optional<Supernet> supernet_;
  std::vector<Pick> random_;  // networks near the budget that were measured
};

// Averages have no place in shared weights, and the steps are those of the search.
Config for_search(Config config, const SearchSettings& settings) {
  config.train.epochs = settings.epochs;
  config.train.max_steps = 0;
  if (settings.method == SearchMethod::kSupernet) config.train.ema = 0;
  return config;
}

// What the figures of a search depend on besides its configuration: the samples and how they are
// read, and the teacher's file.
Json measured_by(const Config& config, const DataSplits& data) {
  Json samples = Json::object();
  for (const auto& [key, text] : metadata_of(data.rule)) samples[key] = text;
  if (data.statistics) {
    samples["mean"] = data.statistics->mean;
    samples["deviation"] = data.statistics->deviation;
  }
  Json from = Json::object();
  from["data"] = std::move(samples);
  if (!config.teacher.from.empty()) {
    from["teacher"] = mark_of_file(find_checkpoint_of("teacher.from", config.teacher.from));
  }
  return from;
}

Search::Search(const Config& config, CostMeter& meter, const SearchSettings& settings,
               const SearchPlace& place)
    : config_(config),
      meter_(meter),
      space_(meter.space()),
      settings_(settings),
      place_(place),
      files_(config, meter.space(), settings, place),
      setup_(config, nullptr),
      judge_(config, setup_, settings.recalibrate) {
  files_.begin(measured_by(config, setup_.data));
  trials_.emplace(files_.trials(), space_);
}

SearchOutcome Search::run() {
  files_.say(fmt::format(
      "{} layers with choices, {} training and {} validation samples; search in {}",
      space_.layers.size(), grouped(static_cast<std::uint64_t>(setup_.data.train->size())),
      grouped(static_cast<std::uint64_t>(judge_.count(Images::kAll))), place_.folder.string()));
  if (trials_->count() > 0) {
    files_.say(fmt::format("goes on: {} measured before", counted(trials_->count(), "network")));
  }
  return settings_.method == SearchMethod::kSupernet ? search_supernet() : search_sensitivity();
}

SearchOutcome Search::stopped() {
  files_.say(
      fmt::format("stopped by {}; continue with --resume", signal_text(StopSignals::received())));
  return {.signal = StopSignals::received(), .pick = {}, .how = {}};
}

void Search::fail_non_finite(const std::string& where) {
  throw NonFiniteError(
      fmt::format("the loss is not finite {}; try a lower optim.lr or train.clip_norm", where));
}

// The whole training, or what is left of it. False where a signal came first.
bool Search::train_supernet() {
  supernet_.emplace(config_, setup_, meter_, settings_.budget.front(), settings_.near);
  std::error_code error;
  if (place_.resumes && std::filesystem::exists(files_.supernet(), error)) {
    supernet_->restore(files_.supernet());
    if (supernet_->progress().step_in_epoch > setup_.span.steps_per_epoch) {
      throw DataError(fmt::format("{}: it was saved after step {} of an epoch, which has only {}",
                                  files_.supernet().string(), supernet_->progress().step_in_epoch,
                                  setup_.span.steps_per_epoch));
    }
  }
  const Clock::time_point start = Clock::now();
  while (supernet_->progress().epoch < settings_.epochs) {
    if (!run_epoch(start)) return false;
  }
  return true;
}

// Saves at its end, and where a signal stops it.
bool Search::run_epoch(Clock::time_point start) {
  Supernet::Progress& p = supernet_->progress();
  setup_.source.source->start_epoch(p.epoch, p.step_in_epoch);
  TrainBatch batch;
  double sum = 0;
  std::int64_t steps = 0;
  Clock::time_point step_start = Clock::now();
  while (StopSignals::received() == 0 && setup_.source.source->next(batch)) {
    const double loss =
        supernet_->step(batch, schedule_factor(config_.schedule, p.steps, setup_.span));
    if (!std::isfinite(loss)) {
      fail_non_finite(
          fmt::format("at epoch {}, step {} of the supernet", p.epoch + 1, p.step_in_epoch));
    }
    sum += loss;
    ++steps;
    rate_.add(batch.size, seconds_since(step_start));
    step_start = Clock::now();
    const double rate = rate_.samples_per_second();
    const auto left =
        static_cast<double>((setup_.span.total_steps - p.steps) * config_.train.batch_size);
    files_.progress({.epoch = p.epoch + 1,
                     .epochs = settings_.epochs,
                     .step = p.step_in_epoch,
                     .steps = setup_.span.steps_per_epoch,
                     .loss = sum / static_cast<double>(steps),
                     .samples_per_second = rate,
                     .seconds_left = rate > 0 ? left / rate : -1});
  }
  if (!supernet_->is_finite()) {
    throw NonFiniteError(
        fmt::format("a shared weight is not finite after epoch {}, step {} of the supernet; try a "
                    "lower optim.lr or train.clip_norm",
                    p.epoch + 1, p.step_in_epoch));
  }
  const bool is_whole = p.step_in_epoch == setup_.span.steps_per_epoch;
  if (is_whole) {
    ++p.epoch;
    p.step_in_epoch = 0;
  }
  files_.expect_locked();
  supernet_->save(files_.supernet());
  if (!is_whole) return false;
  files_.say(fmt::format("supernet: epoch {}/{}  loss {:.4f}  {}", p.epoch, settings_.epochs,
                         steps > 0 ? sum / static_cast<double>(steps) : 0,
                         duration_text(seconds_since(start))));
  return true;
}

// What is known of a network is measured no second time.
std::optional<Measured> Search::measured(const std::string& stage, const Pick& pick, Images images,
                                         const MeasureOn& measure) {
  if (const auto known = trials_->find(pick, images)) return known;
  if (StopSignals::received() != 0) return std::nullopt;
  const Clock::time_point start = Clock::now();
  const std::optional<Measured> found = measure(pick, images);
  if (!found) return std::nullopt;
  files_.expect_locked();
  trials_->add(stage, pick, images, meter_.exact(pick), *found, seconds_since(start));
  files_.say(fmt::format("{} {}: {}  score {:.2f}  loss {:.4f}", stage, trials_->count(),
                         pick_text(space_, pick), found->score, found->loss));
  return found;
}

// Each layer alone at each of its choices, the others at their first.
std::optional<Offers> Search::offers(Images images, const MeasureOn& measure) {
  const CostKind kind = settings_.budget.front().kind;
  const Pick dearest = space_.dearest();
  const std::int64_t cost = meter_.predicted(dearest)[kind];
  const std::optional<Measured> base = measured("alone", dearest, images, measure);
  if (!base) return std::nullopt;
  if (!std::isfinite(base->loss))
    fail_non_finite("on validation samples, with the largest network");
  Offers offers;
  for (std::size_t i = 0; i < space_.layers.size(); ++i) {
    std::vector<Offer>& own = offers.emplace_back(1);
    for (std::size_t c = 1; c < space_.layers[i].choices.size(); ++c) {
      Pick alone = dearest;
      alone[i] = static_cast<int>(c);
      const std::optional<Measured> found = measured("alone", alone, images, measure);
      if (!found) return std::nullopt;
      own.push_back({meter_.predicted(alone)[kind] - cost, found->loss - base->loss});
    }
  }
  return offers;
}

// R^2 of the sums of losses on random networks near the budget.
bool Search::say_how_losses_add_up(const Offers& offers, const MeasureOn& measure) {
  constexpr std::int64_t kNetworks = 20;
  constexpr std::uint64_t kNumbers = std::uint64_t{1} << 40;  // beside those of steps
  std::vector<double> sums;                                   // where both are numbers
  std::vector<double> losses;
  std::set<Pick> met;
  for (std::uint64_t i = 0; i < kNetworks; ++i) {
    const Pick pick = random_near(meter_, settings_.budget.front(), settings_.near,
                                  static_cast<std::uint64_t>(config_.train.seed), kNumbers + i);
    const std::optional<Measured> found = measured("random", pick, Images::kRank, measure);
    if (!found) return false;
    // Of a network with one choice that is not the first, the sum is its own loss.
    const auto chosen = std::ranges::count_if(pick, [](int choice) { return choice > 0; });
    if (chosen < 2 || !met.insert(pick).second) continue;
    random_.push_back(pick);
    double sum = 0;
    for (std::size_t l = 0; l < pick.size(); ++l) {
      sum += offers[l][static_cast<std::size_t>(pick[l])].loss;
    }
    if (!std::isfinite(sum) || !std::isfinite(found->loss)) continue;
    sums.push_back(sum);
    losses.push_back(found->loss);
  }
  constexpr std::size_t kFew = 5;  // say nothing of how losses add up
  if (sums.size() < kFew) return true;
  files_.say(
      fmt::format("sums of single losses explain {:.2f} of the variance of {} random networks",
                  explained_variance(sums, losses), sums.size()));
  return true;
}

// The rule's network, all layers alike, what the sums of losses are best at below the budget, and
// what has been measured already.
std::vector<Pick> Search::starts(const Offers& offers) {
  std::vector<Pick> picks = {pick_by_size(meter_, settings_.budget)};
  for (int level = 0; level < space_.levels(); ++level) picks.push_back(space_.level(level));
  const Limit& limit = settings_.budget.front();
  const std::int64_t most = limit.most - meter_.predicted(space_.dearest())[limit.kind];
  std::vector<Bundle> front = knapsack_front(offers);
  const auto beyond = std::ranges::partition_point(
      front, [&](const Bundle& bundle) { return bundle.cost <= most; });
  const auto wanted = static_cast<std::ptrdiff_t>(settings_.population / 4);
  for (auto it = beyond; it != front.begin() && beyond - it < wanted;)
    picks.push_back((--it)->pick);
  for (std::size_t i = 0; i < space_.layers.size(); ++i) {
    for (std::size_t c = 1; c < space_.layers[i].choices.size(); ++c) {
      picks.push_back(space_.dearest());
      picks.back()[i] = static_cast<int>(c);
    }
  }
  picks.insert(picks.end(), random_.begin(), random_.end());
  return picks;
}

// The best eight by one half of the images, judged by the other.
SearchOutcome Search::judged(const std::vector<Scored>& ranked, const MeasureOn& measure) {
  const std::size_t judged = std::min<std::size_t>(ranked.size(), 8);
  std::size_t best = 0;
  std::optional<Measured> best_found;
  for (std::size_t i = 0; i < judged; ++i) {
    const std::optional<Measured> found =
        measured("judge", ranked[i].pick, Images::kJudge, measure);
    if (!found) return stopped();
    if (best_found && !is_better(*found, *best_found)) continue;
    best = i;
    best_found = found;
  }
  return {.signal = 0,
          .pick = ranked[best].pick,
          .how = fmt::format("supernet of {}: first of {} judged, rank {} of {}, score {:.2f}",
                             counted(settings_.epochs, "epoch"), judged, best + 1, ranked.size(),
                             best_found->score)};
}

SearchOutcome Search::search_supernet() {
  if (!train_supernet()) return stopped();
  const MeasureOn measure = [&](const Pick& pick, Images images) {
    return judge_.measure(space_, supernet_->weights(), pick, images);
  };
  const std::optional<Offers> alone = offers(Images::kRank, measure);
  if (!alone || !say_how_losses_add_up(*alone, measure)) return stopped();
  const EvolutionOptions options{.population = settings_.population,
                                 .generations = settings_.generations,
                                 .children = std::max<std::int64_t>(1, settings_.population / 4),
                                 .seed = static_cast<std::uint64_t>(config_.train.seed)};
  const auto ranked = evolve(
      meter_, settings_.budget, starts(*alone), options,
      [&](const Pick& pick) { return measured("evolution", pick, Images::kRank, measure); },
      [] { return StopSignals::received() != 0; });
  if (!ranked) return stopped();
  TBN_CHECK(!ranked->empty(), "a budget that no network keeps");
  return judged(*ranked, measure);
}

bool Search::train_epochs(TrainState& state, StepRunner& runner, const Pick& pick) {
  for (std::int64_t epoch = 0; epoch < settings_.epochs; ++epoch) {
    state.start_epoch(epoch);
    state.model().train();
    state.model().set_norm_momentum_factor(norm_momentum_factor(config_.schedule, epoch));
    setup_.source.source->start_epoch(epoch, 0);
    TrainBatch batch;
    while (setup_.source.source->next(batch)) {
      if (StopSignals::received() != 0) return false;
      const std::int64_t step = state.progress().global_step;
      const StepResult result =
          runner.run(batch.tensors, schedule_factor(config_.schedule, step, setup_.span));
      state.count_step(result.loss, result.correct, batch.size, batch.labels);
    }
    state.fetch_sums();
    if (!std::isfinite(state.progress().loss_sum)) {
      fail_non_finite("in the training of " + pick_text(space_, pick));
    }
  }
  return true;
}

// A network by itself, from the start values of the seed.
std::optional<Measured> Search::train_alone(const Pick& pick) {
  at::manual_seed(static_cast<std::uint64_t>(config_.train.seed));
  TrainState state(config_, with_choices(space_, pick), setup_.device, false,
                   setup_.data.train->spec().class_keys());
  StepRunner runner(state, setup_.loss, config_.train, setup_.step_mode.mode);
  if (!train_epochs(state, runner, pick)) return std::nullopt;
  const Ema::Applied averages(state.ema());
  const std::optional<Measured> found = judge_.measure(state.model(), Images::kAll);
  if (found && !std::isfinite(found->loss)) {
    fail_non_finite("on validation samples, after the training of " + pick_text(space_, pick));
  }
  return found;
}

SearchOutcome Search::search_sensitivity() {
  const std::optional<Offers> alone =
      offers(Images::kAll, [&](const Pick& pick, Images) { return train_alone(pick); });
  if (!alone) return stopped();
  std::vector<Bundle> front = knapsack_front(*alone);
  std::ranges::stable_sort(front, std::ranges::less(), &Bundle::loss);
  const std::string how =
      fmt::format("sensitivity: {} trained for {} each, losses added up",
                  counted(trials_->count(), "network"), counted(settings_.epochs, "epoch"));
  for (const Bundle& bundle : front) {
    if (meter_.fits(bundle.pick, settings_.budget)) return {0, bundle.pick, how};
  }
  return {0, pick_by_size(meter_, settings_.budget), how + "; by size, to keep every limit"};
}

}  // namespace

SearchOutcome run_search(const Config& config, CostMeter& meter, const SearchSettings& settings,
                         const SearchPlace& place) {
  const Config own = for_search(config, settings);
  return Search(own, meter, settings, place).run();
}

}  // namespace tbn
