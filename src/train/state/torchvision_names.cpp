// One table per family: a pattern for our name, and torchvision's name made of what it matched.
#include "train/state/torchvision_names.h"

#include <array>
#include <cctype>
#include <set>
#include <span>

namespace tbn {
namespace {

// In `ours` a '#' stands for a number and a final '*' for the rest. In `theirs` {1}, {2}, ... are
// the numbers in their order, {1+} is 2 {1} + 1 (Swin counts the mergings between its stages), and
// '*' is the rest.
struct Rule {
  std::string_view ours;
  std::string_view theirs;
  int third = -1;
};

constexpr std::array kResNet = {
    Rule{"conv1.*", "conv1.*"},
    Rule{"norm1.*", "bn1.*"},
    Rule{"layer#.#.conv#.*", "layer{1}.{2}.conv{3}.*"},
    Rule{"layer#.#.norm#.*", "layer{1}.{2}.bn{3}.*"},
    Rule{"layer#.#.shortcut.*", "layer{1}.{2}.downsample.0.*"},
    Rule{"layer#.#.shortcut_norm.*", "layer{1}.{2}.downsample.1.*"},
    Rule{"classifier.*", "fc.*"},
};

// Our projections to queries, keys and values have no bias: in_proj_bias stays unused.
constexpr std::string_view kVitQkv =
    "encoder.layers.encoder_layer_{1}.self_attention.in_proj_weight";
constexpr std::array kViT = {
    Rule{"patch_embedding.*", "conv_proj.*"},
    Rule{"class_token.token", "class_token"},
    Rule{"positions.table", "encoder.pos_embedding"},
    Rule{"blocks.#.attention.norm.*", "encoder.layers.encoder_layer_{1}.ln_1.*"},
    Rule{"blocks.#.attention.qkv.weight", kVitQkv},
    Rule{"blocks.#.attention.q.weight", kVitQkv, 0},
    Rule{"blocks.#.attention.k.weight", kVitQkv, 1},
    Rule{"blocks.#.attention.v.weight", kVitQkv, 2},
    Rule{"blocks.#.attention.out.*", "encoder.layers.encoder_layer_{1}.self_attention.out_proj.*"},
    Rule{"blocks.#.mlp.norm.*", "encoder.layers.encoder_layer_{1}.ln_2.*"},
    Rule{"blocks.#.mlp.fc1.*", "encoder.layers.encoder_layer_{1}.mlp.0.*"},
    Rule{"blocks.#.mlp.fc1.*", "encoder.layers.encoder_layer_{1}.mlp.linear_1.*"},
    Rule{"blocks.#.mlp.fc2.*", "encoder.layers.encoder_layer_{1}.mlp.3.*"},
    Rule{"blocks.#.mlp.fc2.*", "encoder.layers.encoder_layer_{1}.mlp.linear_2.*"},
    Rule{"norm.*", "encoder.ln.*"},
    Rule{"classifier.*", "heads.head.*"},
};

// Torchvision normalises the embedded patches (features.0.2) and pools after the last norm; ours
// does neither.
constexpr std::string_view kSwinQkv = "features.{1+}.{2}.attn.qkv.weight";
constexpr std::array kSwin = {
    Rule{"stages.0.patch_embedding.*", "features.0.0.*"},
    Rule{"stages.#.blocks.#.attention.norm.*", "features.{1+}.{2}.norm1.*"},
    Rule{"stages.#.blocks.#.attention.qkv.weight", kSwinQkv},
    Rule{"stages.#.blocks.#.attention.q.weight", kSwinQkv, 0},
    Rule{"stages.#.blocks.#.attention.k.weight", kSwinQkv, 1},
    Rule{"stages.#.blocks.#.attention.v.weight", kSwinQkv, 2},
    Rule{"stages.#.blocks.#.attention.heads.relative_bias",
         "features.{1+}.{2}.attn.relative_position_bias_table"},
    Rule{"stages.#.blocks.#.attention.out.*", "features.{1+}.{2}.attn.proj.*"},
    Rule{"stages.#.blocks.#.mlp.norm.*", "features.{1+}.{2}.norm2.*"},
    Rule{"stages.#.blocks.#.mlp.fc1.*", "features.{1+}.{2}.mlp.0.*"},
    Rule{"stages.#.blocks.#.mlp.fc2.*", "features.{1+}.{2}.mlp.3.*"},
    Rule{"norm.*", "norm.*"},
    Rule{"classifier.*", "head.*"},
};

std::span<const Rule> rules_of(TorchvisionFamily family) {
  switch (family) {
    case TorchvisionFamily::kResNet:
      return kResNet;
    case TorchvisionFamily::kViT:
      return kViT;
    case TorchvisionFamily::kSwin:
      return kSwin;
  }
  return {};
}

struct Match {
  std::vector<std::string> numbers;
  std::string rest;
};

std::optional<Match> match(std::string_view pattern, std::string_view name) {
  Match result;
  for (const char c : pattern) {
    if (c == '*') {
      result.rest = name;
      return result;
    }
    if (c == '#') {
      std::size_t digits = 0;
      while (digits < name.size() && std::isdigit(static_cast<unsigned char>(name[digits])) != 0) {
        ++digits;
      }
      if (digits < 1 || digits > 6) return std::nullopt;
      result.numbers.emplace_back(name.substr(0, digits));
      name.remove_prefix(digits);
      continue;
    }
    if (name.empty() || name.front() != c) return std::nullopt;
    name.remove_prefix(1);
  }
  return name.empty() ? std::optional(result) : std::nullopt;
}

std::string filled_in(std::string_view theirs, const Match& match) {
  std::string name;
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    if (theirs[i] == '*') {
      name += match.rest;
    } else if (theirs[i] == '{') {
      const std::string& number = match.numbers.at(static_cast<std::size_t>(theirs[i + 1] - '1'));
      const bool odd = theirs[i + 2] == '+';
      name += odd ? std::to_string(2 * std::stoi(number) + 1) : number;
      i += odd ? 3 : 2;
    } else {
      name += theirs[i];
    }
  }
  return name;
}

// One third of the rows; the whole tensor where its shape has no thirds.
HostTensor third_of(const HostTensor& tensor, int third) {
  Shape shape = tensor.shape();
  if (shape.empty() || shape[0] % 3 != 0) return tensor;
  shape[0] /= 3;
  const auto bytes = tensor.bytes().subspan(
      static_cast<std::size_t>(third) * (tensor.bytes().size() / 3), tensor.bytes().size() / 3);
  return {tensor.dtype(), shape, std::vector<std::byte>(bytes.begin(), bytes.end())};
}

HostTensor with_rank(HostTensor tensor, std::size_t rank) {
  Shape shape = tensor.shape();
  while (shape.size() > rank && shape.front() == 1) shape.erase(shape.begin());
  if (shape == tensor.shape()) return tensor;
  const auto bytes = tensor.bytes();
  return {tensor.dtype(), shape, std::vector<std::byte>(bytes.begin(), bytes.end())};
}

}  // namespace

std::vector<TensorSpec> float_tensors(const Graph& graph, const Node& node) {
  Node plain = node;
  if (WeightEncoding* weights = weights_of(plain.op)) *weights = FloatWeights{};
  return training_tensors(graph, plain);
}

bool is_floating(DType dtype) {
  return dtype == DType::kF16 || dtype == DType::kBF16 || dtype == DType::kF32 ||
         dtype == DType::kF64;
}

std::optional<TorchvisionFamily> torchvision_family(const TensorMap& tensors) {
  const auto has = [&](const char* name) { return tensors.contains(name); };
  if (has("bn1.weight") && has("layer1.0.bn1.weight")) return TorchvisionFamily::kResNet;
  if (has("conv_proj.weight") && has("encoder.pos_embedding")) return TorchvisionFamily::kViT;
  if (has("features.0.0.weight") && has("features.1.0.attn.qkv.weight")) {
    return TorchvisionFamily::kSwin;
  }
  return std::nullopt;
}

std::vector<TorchvisionName> torchvision_names(TorchvisionFamily family, std::string_view ours) {
  std::vector<TorchvisionName> names;
  for (const Rule& rule : rules_of(family)) {
    if (const auto matched = match(rule.ours, ours)) {
      names.push_back({filled_in(rule.theirs, *matched), rule.third});
    }
  }
  return names;
}

RenamedTensors from_torchvision(TorchvisionFamily family, const Graph& graph,
                                const TensorMap& state_dict) {
  RenamedTensors renamed;
  std::set<std::string_view> used;
  for (const Node& node : graph.nodes) {
    for (const TensorSpec& spec : float_tensors(graph, node)) {
      for (const TorchvisionName& theirs : torchvision_names(family, spec.name)) {
        const auto found = state_dict.find(theirs.name);
        if (found == state_dict.end()) continue;
        const HostTensor& tensor = found->second;
        renamed.tensors.insert_or_assign(
            spec.name, with_rank(theirs.third < 0 ? tensor : third_of(tensor, theirs.third),
                                 spec.shape.size()));
        used.insert(found->first);
        break;
      }
    }
  }
  for (const auto& [name, tensor] : state_dict) {
    if (!used.contains(name) && is_floating(tensor.dtype())) renamed.unused.push_back(name);
  }
  return renamed;
}

}  // namespace tbn
