// How good a network of a supernet is, on validation images. Those are in two halves: one ranks
// the many networks that a search meets, the other judges the few that it ends with, since the best
// of hundreds on one set is better there than elsewhere by chance.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "search/evolution.h"
#include "train/run/trainer_setup.h"
#include "train/search/shared_weights.h"

namespace tbn {

enum class Images { kRank, kJudge, kAll };
std::string_view word_of(Images images);  // "rank", "judge", "all"

class Judge {
 public:
  // Networks are recalibrated on at most that many training samples. Throws ConfigError where there
  // are fewer than two validation samples. All must outlive it.
  Judge(const Config& config, const TrainerSetup& setup, std::int64_t recalibrate);

  // The network of a pick with shared weights: the statistics of its batch norms are the means over
  // batches of training samples as they are, without random views. Nothing where a signal came
  // first.
  std::optional<Measured> measure(const SearchSpace& space, const SharedWeights& weights,
                                  const Pick& pick, Images images) const;
  // A trained network as it is.
  std::optional<Measured> measure(GraphModule& network, Images images) const;

  std::int64_t count(Images images) const { return set_of(images)->size(); }

 private:
  const std::shared_ptr<const Dataset>& set_of(Images images) const {
    return sets_[static_cast<std::size_t>(images)];
  }
  bool recalibrate(GraphModule& network) const;

  const Config& config_;
  const TrainerSetup& setup_;
  std::array<std::shared_ptr<const Dataset>, 3> sets_;  // by Images
  std::shared_ptr<const Dataset> training_;             // for statistics
};

}  // namespace tbn
