// A start from trained weights, `init: {from: FILE}`: what a file holds of a network replaces what
// initialisation drew; the rest stays. The sums over slices are those of section 3 of the paper.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tbn/rule.h"
#include "train/executor/graph_module.h"

namespace tbn {

struct WarmStart {
  std::filesystem::path from;       // the file that was read
  std::vector<std::string> taken;   // the network's tensors that begin with trained values
  std::vector<std::string> left;    // those that keep their initialisation
  std::vector<std::string> unused;  // the file's tensors that found no place
  // Weights of the network's layers, counted as a float network has them: those started from
  // trained ones, and all.
  std::int64_t weights = 0;
  std::int64_t all_weights = 0;
  Rule rule;            // of the data that a checkpoint was trained on; empty: not known
  std::string classes;  // how the file's classes differ; empty: they do not, or are not known
};

// Gives `module`, already initialised, the trained weights of `from`: a run directory of tbn-train
// (its best checkpoint, else its last), a checkpoint (its averages where it has them), or a
// safetensors file with our names of float tensors (`<node>.weight`, `.bias`, ...) or torchvision's
// of ResNet, ViT or Swin. A tensor that the file lacks or has in another shape is left.
//
// A float layer takes the trained weight W. An encoded one takes the parameters themselves from a
// checkpoint whose layer is encoded alike. Else one of integers takes W, with the step sizes that
// round it to the nearest, and a tiled one, with W's p slices W_i, s = sum_i W_i and t = sign(s):
//   latent        full: W; shared: s. Scaled to the root mean square that initialisation gave them,
//                 which the latents' learning rate is made for. With alpha_from scores, where their
//                 magnitude is alpha, W or s / p as they are
//   alpha         <W_i, t> / q, the scalars for which alpha_i t is nearest to W_i (scope layer:
//                 their mean); mean |W| where p = 1, and negative where a slice opposes the tile
//   alpha_latent  W
// A layer's bias comes along only with its weight. A batch norm after a layer whose tile repeats
// keeps its own start unless the tile was copied: it has to part the replicas.
//
// `classes` are those of the data at hand. Where a checkpoint was trained on the same ones in
// another order, its classifier's rows are taken by name; where on others, as many, the classifier
// keeps its own start, as one of another size does.
//
// Throws DataError where the file is missing, damaged or packed, NonFiniteError where it holds
// values that are not finite, and ConfigError where nothing in it fits the network, or less than
// `share` of its weights.
WarmStart warm_start(GraphModule& module, const std::filesystem::path& from, double share = 0,
                     const std::vector<std::string>& classes = {});

// "warm start from run.safetensors: 11,000 of 11,200 weights, 60 tensors taken, 2 left as
// initialised (classifier.weight, ...), 1 of the file unused (fc.weight)", and what there is to say
// of the classes.
std::string describe(const WarmStart& start);

}  // namespace tbn
