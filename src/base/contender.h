// A way to compute something, by name, ready to be timed.
#pragma once

#include <functional>
#include <string>

namespace tbn {

struct Contender {
  std::string name;           // "LibTorch fp32, oneDNN prepacked"
  std::function<void()> run;  // once, on the same input each time
};

}  // namespace tbn
