// The networks of the parity tests: layers, norms, pools and sums on images and vectors.
#pragma once

#include "tbn/graph.h"

namespace tbn::test {

// One op or one rule of the passes, in a network as small as it can be.
struct ParityCase {
  const char* name;
  Graph (*make)();
};

inline Graph finish(const char* name, const Shape& input, Value (*body)(GraphBuilder&, Value)) {
  GraphBuilder b(name);
  Value x = b.input(input);
  return b.finish(body(b, x));
}

inline WeightEncoding coded(std::int64_t p, AlphaScope scope, AlphaSource source, LatentForm latent,
                            TileOrder order = TileOrder::kRepeat) {
  return TiledWeights{p, scope, source, latent, order};
}

// Ops on images and vectors, at odd sizes, in every place that the passes treat apart.
inline const ParityCase kImageCases[] = {
    {"normalize",
     [] {
       return finish("n", {3, 5, 4}, [](GraphBuilder&, Value x) {
         return x.normalize({120, 110, 100}, {60, 50, 70}).flatten().linear(3);
       });
     }},
    {"conv2d, float, groups and bias",
     [] {
       return finish("c", {4, 9, 7}, [](GraphBuilder&, Value x) {
         return x.conv(
             6, {.kernel = {3, 2}, .stride = {2, 1}, .padding = {1, 0}, .groups = 2, .bias = true});
       });
     }},
    {"conv2d, rows, no norm",
     [] {
       return finish("c", {3, 7, 7}, [](GraphBuilder&, Value x) {
         return x.conv(12, {.kernel = 3, .bias = true, .weights = tiled(4)}).relu();
       });
     }},
    {"conv2d, rows, norm",
     [] {
       return finish("c", {3, 7, 5}, [](GraphBuilder&, Value x) {
         return x.conv(12, {.kernel = 3, .stride = 2, .weights = tiled(4)}).batch_norm().relu();
       });
     }},
    {"conv2d, rows, bias and norm",
     [] {
       return finish("c", {3, 7, 5}, [](GraphBuilder&, Value x) {
         return x.conv(6, {.kernel = 3, .bias = true, .weights = tiled(2)}).batch_norm();
       });
     }},
    {"conv2d, full latents, alpha of a layer from weight",
     [] {
       return finish("c", {5, 6, 6}, [](GraphBuilder&, Value x) {
         return x
             .conv(9, {.kernel = 3,
                       .weights =
                           coded(3, AlphaScope::kLayer, AlphaSource::kWeight, LatentForm::kFull)})
             .batch_norm();
       });
     }},
    {"conv2d, interleaved rows, norm",
     [] {
       return finish("c", {3, 7, 5}, [](GraphBuilder&, Value x) {
         const WeightEncoding weights = TiledWeights{.p = 4, .order = TileOrder::kInterleave};
         return x.conv(12, {.kernel = 3, .bias = true, .weights = weights}).batch_norm().relu();
       });
     }},
    {"linear, interleaved rows, one scalar per output",
     [] {
       return finish("l", {5, 7}, [](GraphBuilder&, Value x) {
         x = x.linear(12, {.weights = coded(3, AlphaScope::kOutput, AlphaSource::kWeight,
                                            LatentForm::kFull, TileOrder::kInterleave)});
         return x.gelu().linear(8, {.weights = coded(2, AlphaScope::kTile, AlphaSource::kLearned,
                                                     LatentForm::kShared, TileOrder::kInterleave)});
       });
     }},
    {"conv2d, interleaved groups, one scalar per output",
     [] {
       return finish("c", {4, 6, 6}, [](GraphBuilder&, Value x) {
         return x.conv(8, {.kernel = 3,
                           .groups = 2,
                           .weights = coded(4, AlphaScope::kOutput, AlphaSource::kLearned,
                                            LatentForm::kShared, TileOrder::kInterleave)});
       });
     }},
    {"conv2d, flat, one scalar per output",
     [] {
       return finish("c", {2, 6, 5}, [](GraphBuilder&, Value x) {
         return x
             .conv(6, {.kernel = 3,
                       .weights =
                           coded(4, AlphaScope::kOutput, AlphaSource::kScores, LatentForm::kFull)})
             .batch_norm();
       });
     }},
    {"conv2d, flat",
     [] {
       return finish("c", {2, 6, 5}, [](GraphBuilder&, Value x) {
         return x
             .conv(6, {.kernel = 3,
                       .weights =
                           coded(4, AlphaScope::kTile, AlphaSource::kScores, LatentForm::kFull)})
             .batch_norm()
             .relu();
       });
     }},
    {"conv2d, tiled groups",
     [] {
       return finish("c", {4, 6, 5}, [](GraphBuilder&, Value x) {
         return x.conv(8, {.kernel = 3, .groups = 2, .weights = tiled(4)}).batch_norm();
       });
     }},
    {"conv2d, binary depthwise",
     [] {
       return finish("c", {5, 6, 5}, [](GraphBuilder&, Value x) {
         return x.conv(5, {.kernel = 3, .groups = 5, .weights = binary()}).batch_norm().relu();
       });
     }},
    {"linear, float",
     [] {
       return finish("l", {7}, [](GraphBuilder&, Value x) {
         return x.linear(5).batch_norm().relu().linear(3, {.bias = false});
       });
     }},
    {"linear, rows and flat",
     [] {
       return finish("l", {11}, [](GraphBuilder&, Value x) {
         return x.linear(12, {.weights = tiled(3)}).relu().linear(5, {.weights = tiled(4)});
       });
     }},
    {"batch_norm and affine: a norm that nothing takes in",
     [] {
       return finish("a", {3, 5, 5}, [](GraphBuilder&, Value x) {
         return x.max_pool({.kernel = 2}).batch_norm().relu().conv(4).batch_norm();
       });
     }},
    {"activation, every kind",
     [] {
       return finish("a", {6}, [](GraphBuilder&, Value x) {
         x = x.linear(6)
                 .activation(ActivationKind::kGelu)
                 .linear(6)
                 .activation(ActivationKind::kSilu);
         x = x.linear(6).activation(ActivationKind::kTanh).linear(6);
         return x.activation(ActivationKind::kSigmoid).linear(6).relu();
       });
     }},
    {"add, branches of tiled layers",
     [] {
       return finish("r", {4, 7, 5}, [](GraphBuilder&, Value x) {
         Value y = x.conv(8, {.kernel = 3, .stride = 2, .weights = tiled(4)}).batch_norm();
         Value z = x.conv(8, {.stride = 2, .weights = tiled(2)}).batch_norm();
         Value sum = (y + z).relu();
         return (sum.conv(8, {.weights = binary()}).batch_norm() + sum).relu();
       });
     }},
    {"max_pool2d",
     [] {
       return finish("m", {3, 9, 7}, [](GraphBuilder&, Value x) {
         return x.conv(4).max_pool({.kernel = 3, .stride = 2, .padding = 1});
       });
     }},
    {"avg_pool2d",
     [] {
       return finish("m", {3, 9, 7}, [](GraphBuilder&, Value x) {
         return x.conv(4).avg_pool({.kernel = {3, 2}, .stride = {2, 1}});
       });
     }},
    {"global_avg_pool",
     [] {
       return finish("g", {3, 5, 7},
                     [](GraphBuilder&, Value x) { return x.conv(5).global_avg_pool().linear(2); });
     }},
    {"flatten",
     [] {
       return finish("f", {3, 5, 2}, [](GraphBuilder&, Value x) {
         return x.conv(4).flatten().linear(3, {.weights = tiled(3)});
       });
     }},
    {"dropout",
     [] {
       return finish("d", {6}, [](GraphBuilder&, Value x) {
         return x.linear(8).relu().dropout(0.5).linear(3);
       });
     }},
};

}  // namespace tbn::test
