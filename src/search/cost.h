// What a network of a search costs, and the budget that it must keep.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/passes/units.h"
#include "search/space.h"
#include "tbn/tensor.h"

namespace tbn {

// kFile: bytes of the packed file. kBits: of weights and scalars, as tbn-train's summary has them.
// kMacs: multiply-adds per example. kRam, kFlash: the arena and the const arrays of the C export.
enum class CostKind { kFile, kBits, kMacs, kRam, kFlash };
inline constexpr std::array kCostKinds = {CostKind::kFile, CostKind::kBits, CostKind::kMacs,
                                          CostKind::kRam, CostKind::kFlash};
std::string_view unit_of(CostKind kind);    // "bytes", "bits", "multiply-adds", "bytes of RAM", ...
std::string_view option_of(CostKind kind);  // "bytes", "bits", "macs", "ram", "flash"

// A value per kind.
struct Costs {
  std::array<std::int64_t, kCostKinds.size()> values{};
  std::int64_t& operator[](CostKind kind) { return values[static_cast<std::size_t>(kind)]; }
  std::int64_t operator[](CostKind kind) const { return values[static_cast<std::size_t>(kind)]; }
  bool operator==(const Costs&) const = default;
};

// What the packed file holds besides the network.
struct FileFrame {
  std::map<std::string, std::string> metadata = {};
  std::int64_t test_vectors = 1;
  std::optional<Units> units = {};
  DType scalars = DType::kF32;
};

// The costs of a training graph. The file is packed in memory with arbitrary values, so that its
// size is that of the file to come; figures of accuracy in its metadata may move it by a multiple
// of 64 bytes. RAM and flash are 0 unless `with_c`: int8 where the network takes bytes, else
// single precision. Throws ConfigError with `with_c` where microcontrollers do not run the network.
Costs cost_of(const Graph& graph, const FileFrame& frame, bool with_c = false);

struct Limit {
  CostKind kind = CostKind::kFile;
  std::int64_t most = 0;
};
// All must be kept. The first is the one that a search fills up.
using Budget = std::vector<Limit>;
bool fits(const Costs& costs, const Budget& budget);
bool needs_c(const Budget& budget);

// "48k", "1.5M", "50257": k is 1,000 and M 1,000,000. Nothing for any other text, for what is no
// whole number and for numbers below 1 or above 10^15.
std::optional<std::int64_t> parse_amount(std::string_view text);

// The costs of the networks of a space: exact ones, each measured once, and sums of what each
// layer's choice changes alone, which are exact but for the length of the file's header.
class CostMeter {
 public:
  // Measures each choice of each layer alone.
  CostMeter(const SearchSpace& space, FileFrame frame, bool with_c);

  const Costs& exact(const Pick& pick);
  Costs predicted(const Pick& pick) const;
  // Whether the exact costs keep the budget, measured only where the sums leave it open.
  bool fits(const Pick& pick, const Budget& budget);
  const SearchSpace& space() const { return space_; }

 private:
  const SearchSpace& space_;
  FileFrame frame_;
  bool with_c_;
  std::int64_t slack_;  // that sums may be off by
  std::map<Pick, Costs> exact_;
  std::vector<std::vector<Costs>> changes_;  // of each layer's choices, against the first
};

// Throws ConfigError that names both ends of the space where no network keeps the budget, or where
// the dearest one does, so that there is nothing to search.
void check_budget(CostMeter& meter, const Budget& budget);

}  // namespace tbn
