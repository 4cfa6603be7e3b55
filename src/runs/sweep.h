// A sweep: the runs that several values of some settings make, one after another.
#pragma once

#include <string>
#include <vector>

namespace tbn {

// One run: its settings as tbn-train takes them, and what it is called.
struct SweepRun {
  std::string name;                   // "resnet_p4 weights.p=2 train.seed=1" without blanks:
                                      // "resnet_p4_p2_seed1"
  std::vector<std::string> settings;  // "weights.p=2"
};

// The values of "weights.p=2,4,8" or "train.seed=1..3", apart; one of "a=b". What lies in brackets,
// braces or quotes is not cut. Throws ConfigError for no values, one twice, and for ranges that run
// down or are longer than 1000.
struct SweepAxis {
  std::string key;
  std::vector<std::string> values;
};
SweepAxis sweep_axis(const std::string& setting);

// Every combination of the axes' values, the last axis running fastest. Names begin with `name` and
// have the last part of the key and the value of each axis with several; characters that are none
// of a folder's name become '-'. Throws ConfigError for more than 10,000 runs, and where two would
// have one name.
std::vector<SweepRun> sweep_runs(const std::string& name, const std::vector<SweepAxis>& axes);

}  // namespace tbn
