// The result of a training: its figures in the best checkpoint, and as text.
#pragma once

#include <string>

#include "train/run/trainer.h"
#include "train/state/checkpoint.h"

namespace tbn {

// Puts the figures into the best checkpoint, and what they were measured on: the data at hand, its
// rule and its `root`, which may lie elsewhere than that of its epoch. `where` is for messages.
void put_figures(Checkpoint& best, const TrainOutcome& outcome, const Rule& rule,
                 const std::string& root, const std::string& where);

// Of a run in which nothing was left to train: that its files stay, and where the figure that they
// have is another than that of the data at hand.
std::string left_text(const SavedMetrics& then, const EvalMetrics& now);

}  // namespace tbn
