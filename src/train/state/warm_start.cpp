// Trained weights into a network of the same or another encoding.
#include "train/state/warm_start.h"

#include <fmt/format.h>

#include <optional>
#include <set>
#include <unordered_map>

#include "base/counted.h"
#include "base/text.h"
#include "file/safetensors.h"
#include "graph/node_rows.h"
#include "tbn/error.h"
#include "train/executor/tensor_io.h"
#include "train/state/checkpoint.h"
#include "train/state/class_rows.h"
#include "train/state/copies.h"
#include "train/state/run_directory.h"
#include "train/state/torchvision_names.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;
using torch::Tensor;

// What a file holds, under our names.
struct Source {
  std::string where;
  TensorMap tensors;
  std::optional<Graph> graph;        // of a checkpoint
  Rule rule;                         // of a checkpoint's data
  std::vector<std::string> foreign;  // torchvision's names that have no place in the network
};

// torch.save writes zip archives, and pickles before that; neither is opened.
void refuse_pickle(const fs::path& file) {
  const std::string extension = file.extension().string();
  if (extension != ".pth" && extension != ".pt" && extension != ".bin") return;
  throw DataError(fmt::format(
      "{}: tbn reads safetensors files; scripts/convert_pth.py makes one of a PyTorch state dict",
      file.string()));
}

Source read_source(const fs::path& from, const Graph& graph) {
  const fs::path path = find_checkpoint_of("init.from", from);
  refuse_pickle(path);
  Source source{.where = path.string()};
  SafetensorsFile file = read_safetensors(path);
  if (file.metadata.contains("tbn.format")) {
    throw DataError(source.where +
                    ": is a packed network, whose latents are gone; start from the run or the "
                    "checkpoint that it was exported from");
  }
  if (file.metadata.contains("tbn.checkpoint")) {
    file = {};
    Checkpoint checkpoint = read_checkpoint(path);
    source.tensors = std::move(checkpoint.ema.empty() ? checkpoint.model : checkpoint.ema);
    source.graph = std::move(checkpoint.graph);
    source.rule = std::move(checkpoint.rule);
  } else if (const auto family = torchvision_family(file.tensors)) {
    RenamedTensors renamed = from_torchvision(*family, graph, file.tensors);
    source.tensors = std::move(renamed.tensors);
    source.foreign = std::move(renamed.unused);
  } else {
    source.tensors = std::move(file.tensors);
  }
  return source;
}

// One source's tensors, checked as they are asked for.
class TrainedTensors {
 public:
  explicit TrainedTensors(Source source) : source_(std::move(source)) {
    if (!source_.graph) return;
    for (NodeId id = 0; id < static_cast<NodeId>(source_.graph->nodes.size()); ++id) {
      nodes_.emplace(source_.graph->node(id).name, id);
    }
  }

  // In float64; undefined where there is none of that shape.
  Tensor find(const std::string& name, at::IntArrayRef sizes) {
    const auto found = source_.tensors.find(name);
    if (found == source_.tensors.end() || !is_floating(found->second.dtype()) ||
        at::IntArrayRef(found->second.shape()) != sizes) {
      return {};
    }
    const Tensor tensor = to_torch(found->second).to(torch::kDouble);
    check_values(name, tensor);
    used_.insert(name);
    return tensor;
  }

  // Whether a layer's own parameters, of these specs, mean the same here and there.
  bool encodes_alike(const Node& node) const {
    if (!source_.graph) return true;
    const Node* theirs = node_named(node.name);
    const WeightEncoding* encoding = theirs == nullptr ? nullptr : weights_of(theirs->op);
    return encoding != nullptr && *encoding == *weights_of(node.op);
  }

  // The weight that a layer computes with, [n, m...] in float64: stored as it is where the file
  // does not say what it is of, else by its encoding there. Undefined where there is none of that
  // shape.
  Tensor weight(const std::string& node, at::IntArrayRef sizes) {
    if (!source_.graph) return find(node + ".weight", sizes);
    const Node* theirs = node_named(node);
    const WeightEncoding* encoding = theirs == nullptr ? nullptr : weights_of(theirs->op);
    if (encoding == nullptr) return {};
    const LayerDims dims = dims_of(*source_.graph, *theirs);
    if (at::IntArrayRef(dims.weight) != sizes) return {};
    std::vector<NamedTensor> tensors;
    for (const TensorSpec& spec : training_tensors(*source_.graph, *theirs)) {
      if (spec.role == TensorRole::kBias) continue;
      tensors.push_back({spec.name, spec.role, find(spec.name, spec.shape)});
      if (!tensors.back().tensor.defined()) return {};
    }
    return trained_room(*encoding).make(*encoding, dims, tensors)->dense();
  }

  const std::string& where() const { return source_.where; }
  const Rule& rule() const { return source_.rule; }
  std::vector<std::string> classes() const {
    return source_.rule.output ? source_.rule.output->keys() : std::vector<std::string>{};
  }

  std::vector<std::string> unused() const {
    std::vector<std::string> names = source_.foreign;
    for (const auto& [name, tensor] : source_.tensors) {
      if (is_floating(tensor.dtype()) && !used_.contains(name)) names.push_back(name);
    }
    return names;
  }

 private:
  const Node* node_named(const std::string& name) const {
    const auto found = nodes_.find(name);
    return found == nodes_.end() ? nullptr : &source_.graph->node(found->second);
  }

  void check_values(const std::string& name, const Tensor& tensor) const {
    if (!at::isfinite(tensor).all().item<bool>()) {
      throw NonFiniteError(
          fmt::format("{}: tensor {} holds values that are not finite, from which no training "
                      "starts; name another checkpoint",
                      source_.where, in_quotes(name)));
    }
    if (name.ends_with(".running_var") && (tensor < 0).any().item<bool>()) {
      throw DataError(
          fmt::format("{}: tensor {} holds a negative variance", source_.where, in_quotes(name)));
    }
  }

  Source source_;
  std::unordered_map<std::string, NodeId> nodes_;
  std::set<std::string> used_;
};

class WarmStarter {
 public:
  WarmStarter(GraphModule& module, Source source, const std::vector<std::string>& classes)
      : module_(module),
        trained_(std::move(source)),
        start_{.from = trained_.where(), .rule = trained_.rule()},
        rows_(match_class_rows(trained_.classes(), classes)),
        classifier_(classifier_of(module.graph())) {
    start_.classes = rows_.note;
  }

  WarmStart run() {
    const Graph& graph = module_.graph();
    for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes.size()); ++id) {
      if (parts_replicas(id) || (weights_of(graph.node(id).op) == nullptr && keeps_start(id))) {
        for (const NamedTensor& named : module_.tensors_of(id)) start_.left.push_back(named.name);
      } else if (weights_of(graph.node(id).op) == nullptr) {
        for (const NamedTensor& named : module_.tensors_of(id)) copy_or_leave(id, named);
      } else {
        start_layer(id, graph.node(id));
      }
    }
    if (start_.taken.empty()) {
      throw ConfigError(fmt::format(
          "init.from: none of the tensors in {} has the name and shape of one of network '{}'; is "
          "it of another network?",
          trained_.where(), module_.graph().name));
    }
    start_.unused = trained_.unused();
    return std::move(start_);
  }

 private:
  void start_layer(NodeId id, const Node& node) {
    const bool started = !keeps_start(id) && (copy_weights(id, node) || convert_weights(id, node));
    const std::int64_t weights = element_count(dims_of(module_.graph(), node).weight);
    start_.all_weights += weights;
    if (started) start_.weights += weights;
    for (const NamedTensor& named : module_.tensors_of(id)) {
      if (named.role != TensorRole::kBias) {
        (started ? start_.taken : start_.left).push_back(named.name);
      } else if (started) {
        copy_or_leave(id, named);
      } else {
        start_.left.push_back(named.name);
      }
    }
  }

  // Whether the node's rows are classes, which those of the file are not.
  bool keeps_start(NodeId id) const { return rows_.are_others && classifier_.contains(id); }

  // Whether they are the file's in another order.
  bool is_reordered(NodeId id) const { return !rows_.rows.empty() && classifier_.contains(id); }

  // A tensor of the file with its rows as the classes are here.
  Tensor in_our_order(NodeId id, const Tensor& theirs) const {
    const auto count = static_cast<std::int64_t>(rows_.rows.size());
    if (!is_reordered(id) || theirs.dim() == 0 || theirs.size(0) != count) return theirs;
    return theirs.index_select(0, torch::tensor(rows_.rows, torch::kLong));
  }

  // Whether the node is the norm of maps whose tile repeats and was made from other weights here:
  // only that norm can part the replicas, and one that was trained on maps all different does not.
  bool parts_replicas(NodeId id) const {
    const Graph& graph = module_.graph();
    if (!std::holds_alternative<BatchNorm>(graph.node(id).op)) return false;
    const NodeId layer = source_of(graph, id);
    return makes_copies(graph, layer) && !copied_.contains(layer);
  }

  // The layer's parameters as they are, if the source has all of them.
  bool copy_weights(NodeId id, const Node& node) {
    if (!trained_.encodes_alike(node) || is_reordered(id)) return false;
    std::vector<std::pair<Tensor, Tensor>> copies;
    for (const NamedTensor& named : module_.weight_of(id)->tensors()) {
      const Tensor trained = trained_.find(named.name, named.tensor.sizes());
      if (!trained.defined()) return false;
      copies.emplace_back(named.tensor, trained);
    }
    for (auto& [target, trained] : copies) target.copy_(trained);
    copied_.insert(id);
    return true;
  }

  bool convert_weights(NodeId id, const Node& node) {
    const TrainedWeight& weight = *module_.weight_of(id);
    const Tensor trained = trained_.weight(node.name, weight.dims().weight);
    // All zeros have no signs to start from.
    if (!trained.defined() || trained.abs().max().item<double>() == 0) return false;
    weight.take(in_our_order(id, trained));
    return true;
  }

  void copy_or_leave(NodeId id, const NamedTensor& named) {
    const Tensor trained = trained_.find(named.name, named.tensor.sizes());
    if (trained.defined()) {
      Tensor target = named.tensor;
      target.copy_(in_our_order(id, trained));
    }
    (trained.defined() ? start_.taken : start_.left).push_back(named.name);
  }

  GraphModule& module_;
  TrainedTensors trained_;
  WarmStart start_;
  ClassRows rows_;
  std::set<NodeId> classifier_;
  std::set<NodeId> copied_;  // layers that took the source's parameters as they were
};

// ", 2 left as initialised (a, b)"; "" where there are none.
std::string listed(const std::vector<std::string>& names, std::string_view what) {
  constexpr std::size_t kShown = 4;
  if (names.empty()) return "";
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    const std::string quoted = in_quotes(names[i]);
    text += (i > 0 ? ", " : "") + quoted.substr(1, quoted.size() - 2);
  }
  return fmt::format(", {} {} ({}{})", names.size(), what, text,
                     names.size() > kShown ? ", ..." : "");
}

}  // namespace

namespace {

std::string weights_text(const WarmStart& start) {
  return fmt::format("{} of {} weights", grouped(static_cast<std::uint64_t>(start.weights)),
                     grouped(static_cast<std::uint64_t>(start.all_weights)));
}

void check_share(const WarmStart& start, double share) {
  const auto all = static_cast<double>(start.all_weights);
  if (static_cast<double>(start.weights) >= share * all) return;
  throw ConfigError(fmt::format(
      "init.from: {} has {} of the network's layers, {} taken{}, less than the {:g} % of "
      "init.share; is it of another network? init.share=0 starts from these alone",
      start.from.string(), weights_text(start), start.taken.size(),
      listed(start.left, "left as initialised"), 100 * share));
}

}  // namespace

WarmStart warm_start(GraphModule& module, const fs::path& from, double share,
                     const std::vector<std::string>& classes) {
  const torch::NoGradGuard no_grad;
  WarmStart start = WarmStarter(module, read_source(from, module.graph()), classes).run();
  check_share(start, share);
  return start;
}

std::string describe(const WarmStart& start) {
  return fmt::format("warm start from {}: {}, {} taken{}{}{}", start.from.string(),
                     weights_text(start), counted(std::ssize(start.taken), "tensor"),
                     listed(start.left, "left as initialised"),
                     listed(start.unused, "of the file unused"),
                     start.classes.empty() ? "" : "; " + start.classes);
}

}  // namespace tbn
