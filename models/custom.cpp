// A network composed of layers in YAML: walks the lists of tbn/layers.h and puts each op into the
// graph. Errors name a layer by its place in the file and its path, "model.layers[3].conv2d".
#include <optional>

#include "base/shape.h"
#include "graph/op_traits.h"
#include "models/families.h"
#include "tbn/error.h"
#include "tbn/layers.h"

namespace tbn {
namespace {

[[noreturn]] void fail(const LayerSpec& layer, const std::string& path, const std::string& what) {
  throw ConfigError((layer.place.empty() ? "" : layer.place + ": ") + path + ": " + what);
}

class Composer {
 public:
  Composer(GraphBuilder& b, const TaskSpec& task, Shape input)
      : b_(b), task_(task), input_(std::move(input)) {}

  Value list(Value x, const LayerList& layers, const std::string& path, int depth) {
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const std::string at = path + "[" + std::to_string(i) + "]." + layer_name(layers[i]);
      if (depth > kMaxLayerDepth) {
        fail(layers[i], at,
             "layers are nested deeper than " + std::to_string(kMaxLayerDepth) + " levels");
      }
      x = layer(x, layers[i], at, depth);
    }
    return x;
  }

 private:
  Value layer(Value x, const LayerSpec& layer, const std::string& path, int depth) {
    const std::string wrong = check_layer_name(layer.name);
    if (!wrong.empty()) fail(layer, path + ".name", wrong);
    if (layer.kind == LayerKind::kOp) return op(x, layer, path, depth);
    const std::size_t lists = layer.kind == LayerKind::kResidual ? 2 : 1;
    TBN_CHECK(layer.branches.size() == lists, "a group of layers without its lists");
    // Also what bounds a repeat: every turn adds a node.
    if (layer.branches[0].empty()) fail(layer, path + ".layers", "must not be empty");
    if (layer.kind == LayerKind::kRepeat) return repeat(x, layer, path, depth);
    std::optional<GraphBuilder::Scope> scope;
    if (!layer.name.empty()) scope.emplace(b_, layer.name);
    const Value y = list(x, layer.branches[0], path + ".layers", depth + 1);
    if (layer.kind == LayerKind::kBlock) return y;
    return join(y, list(x, layer.branches[1], path + ".shortcut", depth + 1), layer, path);
  }

  Value repeat(Value x, const LayerSpec& layer, const std::string& path, int depth) {
    if (layer.times < 1 || layer.times > kMaxLayerNodes) {
      fail(layer, path + ".times",
           "must be between 1 and " + std::to_string(kMaxLayerNodes) + ", is " +
               std::to_string(layer.times));
    }
    for (std::int64_t i = 0; i < layer.times; ++i) {
      std::optional<GraphBuilder::Scope> scope;
      if (!layer.name.empty()) scope.emplace(b_, layer.name + "." + std::to_string(i));
      x = list(x, layer.branches[0], path + ".layers", depth + 1);
    }
    return x;
  }

  // The sum of a residual.
  Value join(Value y, Value shortcut, const LayerSpec& layer, const std::string& path) {
    if (y.shape() != shortcut.shape()) {
      fail(layer, path,
           "its layers give " + to_string(y.shape()) + " and its shortcut gives " +
               to_string(shortcut.shape()) +
               ", which must be equal; write a shortcut that changes the shape in the same way, "
               "such as a conv2d of kernel 1");
    }
    count_node(layer, path);
    return y + shortcut;
  }

  Value op(Value x, const LayerSpec& layer, const std::string& path, int depth) {
    std::vector<Value> inputs;
    for (std::size_t i = 0; i < layer.branches.size(); ++i) {
      const std::string at = path + ".branches[" + std::to_string(i) + "]";
      inputs.push_back(list(x, layer.branches[i], at, depth + 1));
    }
    if (inputs.empty()) inputs.push_back(x);
    count_node(layer, path);
    Op op = layer.op;
    resolve(op, inputs.front().shape(), layer, path);
    try {
      const Value y = b_.add(std::move(op), inputs);
      return layer.name.empty() ? y : y.named(layer.name);
    } catch (const ConfigError& error) {
      fail(layer, path, error.what());
    }
  }

  void count_node(const LayerSpec& layer, const std::string& path) {
    if (++nodes_ > kMaxLayerNodes) {
      fail(layer, path,
           "the network has more than " + std::to_string(kMaxLayerNodes) +
               " nodes; repeat fewer times");
    }
  }

  // Puts numbers for the task's words and for a reshape's -1; refuses what only the export makes.
  void resolve(Op& op, const Shape& shape, const LayerSpec& layer, const std::string& path) const {
    if (const auto why = refused_op(op_name(op)); !why.empty()) {
      fail(layer, path, std::string(why));
    }
    std::visit(
        [&](auto& typed) {
          const std::decay_t<decltype(typed)> standard{};
          if constexpr (requires { typed.activation; }) {
            const auto why = std::string(refused_attribute("activation"));
            if (typed.activation != standard.activation) fail(layer, path + ".activation", why);
          }
          if constexpr (requires { typed.scale; }) {
            if (typed.scale) fail(layer, path + ".scale", std::string(refused_attribute("scale")));
          }
          visit_attributes(
              [&](std::string_view name, auto& field) {
                resolve_field(field, layer, path + "." + std::string(name));
              },
              typed);
        },
        op);
    const auto* activation = std::get_if<Activation>(&op);
    if (activation != nullptr && activation->kind == ActivationKind::kNone) {
      fail(layer, path + ".kind", "is missing");
    }
    if (auto* reshape = std::get_if<Reshape>(&op)) fill_up(reshape->shape, shape);
  }

  template <class T>
  void resolve_field(T& field, const LayerSpec& layer, const std::string& path) const {
    if constexpr (std::is_same_v<T, std::int64_t>) {
      const std::string_view word = word_of(field);
      if (!word.empty()) field = number_of(word, layer, path);
    } else if constexpr (std::is_same_v<T, Size2>) {
      resolve_field(field.h, layer, path);
      resolve_field(field.w, layer, path);
    } else if constexpr (std::is_same_v<T, Shape>) {
      for (std::int64_t& d : field) resolve_field(d, layer, path);
    }
  }

  std::int64_t number_of(std::string_view word, const LayerSpec& layer,
                         const std::string& path) const {
    const bool is_forecast = task_.task == Task::kForecasting;
    const bool has_rows = input_.size() == 2;
    if (word == "classes" && !is_forecast) return task_.output.back();
    if (word == "points" && has_rows && !is_forecast) return input_.front();
    if (word == "steps" && has_rows && is_forecast) return input_.front();
    if (word == "horizon" && is_forecast) return task_.output.front();
    if (word == "series" && is_forecast) return task_.output.back();
    fail(layer, path,
         "'" + std::string(word) + "' has no value in " + std::string(to_string(task_.task)) +
             " of " + to_string(input_) + "; write a number");
  }

  // One -1 in a reshape is what the other dimensions leave; what does not fit stays, for the shape
  // rules to refuse.
  static void fill_up(Shape& wanted, const Shape& shape) {
    std::int64_t* open = nullptr;
    Shape rest;
    for (std::int64_t& d : wanted) {
      if (d == -1 && open == nullptr) {
        open = &d;
      } else {
        if (d < 1) return;
        rest.push_back(d);
      }
    }
    const auto known = checked_element_count(rest);
    if (open == nullptr || !known || element_count(shape) % *known != 0) return;
    *open = element_count(shape) / *known;
  }

  GraphBuilder& b_;
  const TaskSpec& task_;
  const Shape input_;
  std::int64_t nodes_ = 2;  // the input and its normalisation
};

Value build_custom(GraphBuilder& b, Value x, const ModelOptions& options, const TaskSpec& task) {
  const LayerList& layers = options.layers("layers");
  if (layers.empty()) throw ConfigError("model.layers: must name at least one layer, is empty");
  const Value y = Composer(b, task, x.shape()).list(x, layers, "model.layers", 1);
  if (y.shape() != task.output) {
    const std::string_view word = task.task == Task::kForecasting ? "series" : "classes";
    fail(layers.back(), "model.layers",
         "the layers give " + to_string(y.shape()) + ", and " + std::string(to_string(task.task)) +
             " needs " + to_string(task.output) + "; end with linear: {out_features: " +
             std::string(word) + "} or what leads to that shape");
  }
  return y;
}

}  // namespace

ModelFamily custom_family() {
  const LayerSpec classifier = {.op = Linear{.out_features = task_word("classes")},
                                .name = "classifier"};
  return {.name = "custom",
          .summary = "a network composed of layers in YAML",
          .options = {{.key = "layers",
                       .value = LayerList{{.op = Flatten{}}, classifier},
                       .help = "ops, blocks, repeats and residuals, one after another"}},
          .build = build_custom,
          .task = std::nullopt};
}

}  // namespace tbn
