// The networks of the parity tests: ops on sequences, windows and points.
#pragma once

#include "parity/parity_cases.h"

namespace tbn::test {

inline const ParityCase kSequenceCases[] = {
    {"pad2d before an even depthwise kernel",
     [] {
       return finish("p", {3, 5, 7}, [](GraphBuilder&, Value x) {
         x = x.conv(6).gelu().batch_norm().pad({.top = 1, .bottom = 2, .left = 1, .right = 2});
         return x.conv(6, {.kernel = 4, .padding = 0, .groups = 6}).gelu().batch_norm();
       });
     }},
    {"pad2d, four sides of their own, before a tiled convolution",
     [] {
       return finish("p", {3, 5, 4}, [](GraphBuilder&, Value x) {
         return x.pad({.top = 3, .bottom = 0, .left = 1, .right = 2})
             .conv(8, {.kernel = 3, .padding = 0, .weights = tiled(4)})
             .batch_norm()
             .relu();
       });
     }},
    {"layer_norm of tokens and of a vector",
     [] {
       return finish("l", {5, 7}, [](GraphBuilder&, Value x) {
         x = x.linear(9).layer_norm({.eps = 1e-3}).gelu().linear(6, {.weights = tiled(2)});
         return x.layer_norm().flatten().layer_norm().linear(3);
       });
     }},
    {"attention, one input",
     [] {
       return finish("a", {5, 7}, [](GraphBuilder&, Value x) {
         return x.linear(27, {.bias = false}).attention({.heads = 3}).linear(4);
       });
     }},
    {"attention, one input from a tiled layer, with a residual sum",
     [] {
       return finish("a", {7, 12}, [](GraphBuilder&, Value x) {
         Value y = x.layer_norm().linear(36, {.bias = false, .weights = tiled(4)});
         return y.attention({.heads = 2}).linear(12, {.weights = tiled(3)}) + x;
       });
     }},
    {"attention, three inputs",
     [] {
       return finish("a", {6, 5}, [](GraphBuilder&, Value x) {
         return attention(x.linear(10), x.linear(10, {.weights = tiled(2)}), x.linear(10),
                          {.heads = 5});
       });
     }},
    {"attention, windows with shift and relative bias",
     [] {
       return finish("w", {24, 5}, [](GraphBuilder&, Value x) {
         return x.linear(18).attention(
             {.heads = 2, .grid = {6, 4}, .window = 2, .shift = 1, .relative_bias = true});
       });
     }},
    {"attention, windows of three with a wide shift and no bias",
     [] {
       return finish("w", {27, 4}, [](GraphBuilder&, Value x) {
         return x.linear(12).attention({.heads = 1, .grid = {3, 9}, .window = 3, .shift = 2});
       });
     }},
    {"attention, windows with relative bias and no shift, three inputs",
     [] {
       return finish("w", {24, 6}, [](GraphBuilder&, Value x) {
         return attention(x.linear(6), x.linear(6), x,
                          {.heads = 3, .grid = {4, 6}, .window = 2, .relative_bias = true});
       });
     }},
    {"reshape and transpose: tokens of an image, and back for a depthwise convolution",
     [] {
       return finish("t", {3, 5, 7}, [](GraphBuilder&, Value x) {
         Value tokens = x.conv(8, {.kernel = 3, .weights = tiled(4)}).to_tokens().layer_norm();
         Value y = tokens.linear(6, {.weights = tiled(2)}).to_image({5, 7});
         y = y.conv(6, {.kernel = 3, .groups = 6}).batch_norm().relu();
         return y.to_tokens().linear(3);
       });
     }},
    {"transpose: a mixer over tokens and features",
     [] {
       return finish("m", {7, 6}, [](GraphBuilder&, Value x) {
         Value y = x.layer_norm().transpose().linear(9).gelu().linear(7).transpose() + x;
         return y.layer_norm().linear(8, {.weights = tiled(4)}).gelu().linear(6) + y;
       });
     }},
    {"reshape: windows of pixels by six dimensions in steps",
     [] {
       return finish("r", {4, 3, 2}, [](GraphBuilder&, Value x) {
         return x.reshape({2, 2, 3, 2}).transpose().reshape({6, 4}).linear(5);
       });
     }},
    {"batch_norm of tokens after a tiled linear, a float one and nothing",
     [] {
       return finish("b", {7, 5}, [](GraphBuilder&, Value x) {
         x = x.batch_norm().relu().linear(12, {.weights = tiled(4)}).batch_norm().relu();
         return x.linear(6).batch_norm().relu().linear(8, {.weights = binary()}).batch_norm();
       });
     }},
    {"batch_norm of tokens after a linear in flat form",
     [] {
       return finish("b", {3, 6}, [](GraphBuilder&, Value x) {
         return x.linear(5, {.weights = tiled(2)}).batch_norm().relu();
       });
     }},
    {"normalize of a sequence's columns",
     [] {
       return finish("n", {6, 3}, [](GraphBuilder&, Value x) {
         return x.normalize({0.5f, -1, 2}, {2, 0.25f, 3}).linear(4);
       });
     }},
    {"concat and slice along each axis",
     [] {
       return finish("c", {5, 6}, [](GraphBuilder&, Value x) {
         Value y = concat({x.slice(1, 3, 2), x, x.slice(1, 0, 1)}, 1).linear(4);
         return concat({y.slice(0, 4, 1), y, y.slice(0, 1, 3)}, 0);
       });
     }},
    {"concat and slice of images",
     [] {
       return finish("c", {3, 5, 7}, [](GraphBuilder&, Value x) {
         Value y = concat({x.conv(4, {.kernel = 3}), x}, 0);
         y = concat({y.slice(2, 1, 5), y.slice(2, 0, 2)}, 2).slice(1, 1, 3).slice(0, 2, 5);
         return y.conv(3, {.kernel = 3, .bias = true});
       });
     }},
    {"class_token and learned positions",
     [] {
       return finish("v", {5, 7}, [](GraphBuilder&, Value x) {
         x = x.linear(6).class_token().position_embedding();
         return x.linear(18).attention({.heads = 2}).slice(0, 0, 1).flatten().linear(3);
       });
     }},
    {"sinusoidal positions of odd width",
     [] {
       return finish("s", {6, 4}, [](GraphBuilder&, Value x) {
         return x.linear(7).position_embedding(PositionKind::kSinusoidal).relu();
       });
     }},
    {"matmul and add_identity: points through a learned transform",
     [] {
       return finish("t", {9, 3}, [](GraphBuilder&, Value x) {
         Value t = x.linear(8, {.weights = tiled(4)}).batch_norm().relu();
         t = t.sequence_pool(PoolKind::kMax).linear(9).reshape({3, 3});
         return x.matmul(t.add_identity({.orthogonal = true})).linear(5);
       });
     }},
    {"sequence_pool by the mean",
     [] {
       return finish("p", {7, 5}, [](GraphBuilder&, Value x) {
         return x.linear(6).relu().sequence_pool(PoolKind::kMean).linear(3);
       });
     }},
    {"expand: a global feature beside each point's",
     [] {
       return finish("e", {7, 4}, [](GraphBuilder&, Value x) {
         Value global = x.linear(6).sequence_pool(PoolKind::kMax).expand(7);
         return concat({x, global}, 1).linear(3);
       });
     }},
    {"moving_average and subtract: trend and season",
     [] {
       return finish("d", {11, 3}, [](GraphBuilder&, Value x) {
         Value trend = x.moving_average(5);
         Value season = (x - trend).transpose().linear(4);
         return (season + trend.transpose().linear(4)).transpose();
       });
     }},
    {"moving_average wider than the sequence",
     [] {
       return finish("d", {3, 2},
                     [](GraphBuilder&, Value x) { return x.moving_average(9).linear(2); });
     }},
    {"multiply: a gate",
     [] {
       return finish("g", {5, 4}, [](GraphBuilder&, Value x) {
         return x.linear(6) * x.linear(6).activation(ActivationKind::kSigmoid);
       });
     }},
};

}  // namespace tbn::test
