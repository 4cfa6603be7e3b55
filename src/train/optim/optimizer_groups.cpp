// Resolves parameter groups by role or glob; the first match wins.
#include "train/optim/optimizer_groups.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/nearest.h"
#include "base/text.h"
#include "tbn/error.h"
#include "tbn/policy.h"

namespace tbn {
namespace {

constexpr std::array<std::string_view, 6> kRoleWords = {"latents", "alphas", "weights",
                                                        "biases",  "norms",  "embeddings"};
constexpr std::size_t kNamesShown = 12;

bool is_role_word(const std::string& text) {
  return std::find(kRoleWords.begin(), kRoleWords.end(), text) != kRoleWords.end();
}

[[noreturn]] void fail_unmatched(std::size_t group, const std::string& pattern,
                                 const std::vector<ParameterInfo>& parameters) {
  std::vector<std::string> known(kRoleWords.begin(), kRoleWords.end());
  for (const ParameterInfo& p : parameters) known.push_back(p.name);
  std::vector<std::string> names;
  for (const ParameterInfo& p : parameters) {
    if (names.size() == kNamesShown) {
      names.push_back(fmt::format("and {} more", parameters.size() - kNamesShown));
      break;
    }
    names.push_back(p.name);
  }
  throw ConfigError(fmt::format(
      "optim.groups[{}].match: {} matches no parameter{}; use a role ({}) or a glob over the "
      "names: {}",
      group, in_quotes(pattern), did_you_mean(nearest_match(pattern, known)),
      fmt::join(kRoleWords, ", "), fmt::join(names, ", ")));
}

void check_patterns(const OptimConfig& optim, const std::vector<ParameterInfo>& parameters) {
  for (std::size_t g = 0; g < optim.groups.size(); ++g) {
    for (const std::string& pattern : optim.groups[g].match) {
      const bool used = is_role_word(pattern) ||
                        std::any_of(parameters.begin(), parameters.end(),
                                    [&](const ParameterInfo& p) { return matches(pattern, p); });
      if (!used) fail_unmatched(g, pattern, parameters);
    }
  }
}

// Whether a layer's latents are its bits: one latent per bit, and scalars that are not theirs.
bool trains_bits(const Op& op) {
  const WeightEncoding* encoding = weights_of(op);
  const auto* tiled = encoding == nullptr ? nullptr : std::get_if<TiledWeights>(encoding);
  return tiled != nullptr && (tiled->latent == LatentForm::kShared || tiled->p == 1) &&
         tiled->alpha_from != AlphaSource::kScores;
}

// Bop turns signs and moves nothing.
void check_bop(const std::vector<ResolvedGroup>& groups,
               const std::vector<ParameterInfo>& parameters) {
  for (const ResolvedGroup& group : groups) {
    if (group.fields.type != OptimizerType::kBop) continue;
    for (const std::size_t member : group.members) {
      if (parameters[member].bits) continue;
      throw ConfigError(fmt::format(
          "optim: bop flips the signs of shared latents, and '{}' in the group '{}' is none; give "
          "bop to the group latents alone, with weights.latent: shared and scalars of their own",
          parameters[member].name, group.label));
    }
  }
}

}  // namespace

bool matches(const std::string& pattern, const ParameterInfo& parameter) {
  return is_role_word(pattern) ? pattern == role_word(parameter.role)
                               : glob_match(pattern, parameter.name);
}

std::string role_word(TensorRole role) {
  switch (role) {
    case TensorRole::kLatent:
      return "latents";
    case TensorRole::kAlphaLatent:
    case TensorRole::kAlpha:
      return "alphas";
    case TensorRole::kWeight:
      return "weights";
    case TensorRole::kBias:
      return "biases";
    case TensorRole::kNormWeight:
    case TensorRole::kNormBias:
      return "norms";
    case TensorRole::kEmbedding:
      return "embeddings";
    case TensorRole::kRunningMean:
    case TensorRole::kRunningVar:
      return "buffers";
    case TensorRole::kTile:
    case TensorRole::kLevels:
    case TensorRole::kScale:
      return "packed";
  }
  return "";
}

std::vector<ParameterInfo> trained_parameters(const Graph& graph) {
  std::vector<ParameterInfo> parameters;
  for (const Node& node : graph.nodes) {
    for (const TensorSpec& spec : training_tensors(graph, node)) {
      if (is_buffer(spec.role)) continue;
      parameters.push_back({spec.name, spec.role, element_count(spec.shape),
                            spec.role == TensorRole::kLatent && trains_bits(node.op)});
    }
  }
  return parameters;
}

std::vector<ResolvedGroup> resolve_groups(const OptimConfig& optim,
                                          const std::vector<ParameterInfo>& parameters) {
  check_patterns(optim, parameters);
  std::vector<ResolvedGroup> resolved;
  resolved.reserve(optim.groups.size() + 1);
  for (const OptimGroup& group : optim.groups) {
    resolved.push_back({fmt::format("{}", fmt::join(group.match, ", ")), group.fields, {}});
  }
  resolved.push_back({"others", optim.fields, {}});
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    std::size_t chosen = optim.groups.size();
    for (std::size_t g = 0; g < optim.groups.size() && chosen == optim.groups.size(); ++g) {
      const std::vector<std::string>& patterns = optim.groups[g].match;
      const bool hit = std::any_of(patterns.begin(), patterns.end(),
                                   [&](const std::string& p) { return matches(p, parameters[i]); });
      if (hit) chosen = g;
    }
    resolved[chosen].members.push_back(i);
  }
  check_bop(resolved, parameters);
  return resolved;
}

std::string describe(const OptimFields& fields) {
  std::string text = fmt::format("{} lr {:g}", word_of(fields.type), fields.lr);
  switch (fields.type) {
    case OptimizerType::kSgd:
      text +=
          fmt::format(", momentum {:g}{}", fields.momentum, fields.nesterov ? " (Nesterov)" : "");
      break;
    case OptimizerType::kAdam:
    case OptimizerType::kAdamW:
      text += fmt::format(", betas {:g}", fmt::join(fields.betas, " "));
      break;
    case OptimizerType::kAdadelta:
      text += fmt::format(", rho {:g}", fields.rho);
      break;
    case OptimizerType::kBop:
      return text + fmt::format(", threshold {:g}", fields.threshold);
  }
  return text + fmt::format(", weight decay {:g}", fields.weight_decay);
}

}  // namespace tbn
