// Prints a Summary.
#include "app/support/summary_table.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"

namespace tbn {
namespace {

constexpr std::size_t kColumns = 9;
using Row = std::array<std::string, kColumns>;

std::string count(std::int64_t value) { return grouped(static_cast<std::uint64_t>(value)); }

Row row_of(const LayerSummary& layer) {
  const bool has_tile = layer.tile_length > 0;
  return {layer.name,
          fmt::format("{}", fmt::join(layer.shape, " x ")),
          layer.form.empty() ? layer.encoding : layer.encoding + " " + layer.form,
          has_tile ? fmt::format("{}", layer.p) : "",
          has_tile ? count(layer.tile_length) : "",
          layer.scalars > 0 ? count(layer.scalars) : "",
          fmt::format("{:.3f}", layer.bits_per_weight),
          count(layer.bytes),
          count(layer.macs)};
}

std::string line_of(const Row& row, const std::array<std::size_t, kColumns>& widths) {
  std::string line;
  for (std::size_t c = 0; c < kColumns; ++c) {
    const bool text = c == 0 || c == 2;  // the others are numbers, to the right
    line += c > 0 ? "  " : "";
    line +=
        text ? fmt::format("{:<{}}", row[c], widths[c]) : fmt::format("{:>{}}", row[c], widths[c]);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

double ratio(double a, double b) { return b > 0 ? a / b : 0; }

std::string ratios(const LayerSummary& totals) {
  const auto weights = static_cast<double>(totals.weights);
  const auto bits = static_cast<double>(totals.bits);
  return fmt::format(
      "{} weights at {:.3f} bits: {:.3f} of the size at one bit per weight, 1/{:.1f} of that at "
      "32\n"
      "{} multiply-adds per example, 1/{:.2f} of {} dense ones\n",
      count(totals.weights), totals.bits_per_weight, ratio(bits, weights),
      ratio(32 * weights, bits), count(totals.macs),
      ratio(static_cast<double>(totals.dense_macs), static_cast<double>(totals.macs)),
      count(totals.dense_macs));
}

Json layer_json(const LayerSummary& layer, bool is_total) {
  Json json = Json::object();
  if (!is_total) {
    json["name"] = layer.name;
    json["op"] = layer.op;
    json["encoding"] = layer.encoding;
    json["form"] = layer.form;
    json["shape"] = layer.shape;
    json["p"] = layer.p;
    json["tile_length"] = layer.tile_length;
  }
  json["scalars"] = layer.scalars;
  json["weights"] = layer.weights;
  json["bits"] = layer.bits;
  json["bits_per_weight"] = layer.bits_per_weight;
  json["bytes"] = layer.bytes;
  json["macs"] = layer.macs;
  json["dense_macs"] = layer.dense_macs;
  return json;
}

}  // namespace

std::string summary_table(const Summary& summary) {
  const LayerSummary& totals = summary.totals;
  std::vector<Row> rows = {{"layer", "shape", "weights", "p", "tile", "scalars", "bits/weight",
                            "bytes", "multiply-adds"}};
  for (const LayerSummary& layer : summary.layers) rows.push_back(row_of(layer));
  rows.push_back({"total", count(totals.weights), "", "", "", count(totals.scalars),
                  fmt::format("{:.3f}", totals.bits_per_weight), count(totals.bytes),
                  count(totals.macs)});
  std::array<std::size_t, kColumns> widths = {};
  for (const Row& row : rows) {
    for (std::size_t c = 0; c < kColumns; ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  std::string text;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    text += line_of(rows[r], widths);
    if (r == 0 || r + 2 == rows.size()) {
      std::size_t width = 2 * (kColumns - 1);
      for (const std::size_t w : widths) width += w;
      text += std::string(width, '-') + "\n";
    }
  }
  return text + ratios(totals);
}

Json summary_json(const Summary& summary) {
  Json layers = Json::array();
  for (const LayerSummary& layer : summary.layers) layers.push_back(layer_json(layer, false));
  Json json = Json::object();
  json["totals"] = layer_json(summary.totals, true);
  json["layers"] = std::move(layers);
  return json;
}

}  // namespace tbn
