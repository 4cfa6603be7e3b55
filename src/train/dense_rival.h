// What LibTorch does as quickly as it can, ready to be timed. No LibTorch type in this header.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace tbn {

struct DenseRival {
  std::string name;           // "LibTorch fp32, oneDNN prepacked"
  std::function<void()> run;  // once, on the same input each time
};

}  // namespace tbn
