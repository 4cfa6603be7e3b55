// Every form of a convolution with the batch norm after it: what training fuses and export folds.
#pragma once

#include <string>
#include <vector>

#include "parity/parity_cases.h"

namespace tbn::test {

struct NormCase {
  std::string name;
  Graph graph;
};

// conv -> norm -> + residual -> relu, with p = 1, rows (4) or a tile that cuts rows (9).
inline Graph norm_graph(const TiledWeights& weights, std::int64_t groups, bool bias) {
  GraphBuilder b("norm");
  const Value x = b.input({12, 5, 4});
  const Value y =
      x.conv(12, {.kernel = 3, .groups = groups, .bias = bias, .weights = weights}).batch_norm();
  return b.finish((y + x).relu().conv(3));
}

// bias x order x alpha and its source x latents x groups x p.
inline std::vector<NormCase> norm_cases() {
  std::vector<NormCase> cases;
  for (const bool bias : {false, true}) {
    for (const TileOrder order : {TileOrder::kRepeat, TileOrder::kInterleave}) {
      for (const AlphaScope alpha : {AlphaScope::kTile, AlphaScope::kLayer, AlphaScope::kOutput}) {
        for (const AlphaSource source :
             {AlphaSource::kLearned, AlphaSource::kWeight, AlphaSource::kScores}) {
          for (const LatentForm latent : {LatentForm::kShared, LatentForm::kFull}) {
            for (const std::int64_t groups : {1, 2, 12}) {
              for (const std::int64_t p : {1, 4, 9}) {
                if (p == 9 && order == TileOrder::kInterleave) continue;  // no rows to interleave
                cases.push_back({"p " + std::to_string(p) + ", groups " + std::to_string(groups) +
                                     ", " + std::string(to_string(order)) + ", alpha " +
                                     std::string(to_string(alpha)) + " from " +
                                     std::string(to_string(source)) + ", latents " +
                                     std::string(to_string(latent)) + (bias ? ", bias" : ""),
                                 norm_graph({p, alpha, source, latent, order}, groups, bias)});
              }
            }
          }
        }
      }
    }
  }
  return cases;
}

}  // namespace tbn::test
