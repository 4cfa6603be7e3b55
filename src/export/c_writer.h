// What both forms of a network have in common when they are written as C: the arena, the order of
// declarations, sizes and calls. Each form says how its scalars are stored.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "export/c_arrays.h"
#include "export/c_source.h"
#include "export/c_text.h"
#include "micro/network.h"
#include "micro/plan.h"

namespace tbn {

// The fields of a layer's struct, as its kernel and its weights ask for.
struct CLayer {
  std::string sums = "0";  // function
  std::string depthwise;   // kernel of a depthwise layer, without its suffix
  std::string weights = "0", tail = "0", alphas = "0", gains = "0", biases = "0";
  std::int64_t tile_bits = 0;
  std::int64_t alpha_step = 0;
  bool channels_first = false;

  // One of them, as the layer is.
  void set_kernels(const micro::Layer& layer, std::string of_sums, std::string of_depthwise) {
    (layer.depthwise ? depthwise : sums) = std::move(layer.depthwise ? of_depthwise : of_sums);
  }
};

class CWriter {
 public:
  // `suffix` ends the names of kernels; `value_bytes` is the size of an activation.
  CWriter(const micro::Network& network, std::string_view name, std::string suffix,
          std::int64_t value_bytes)
      : network_(network), name_(name), suffix_(std::move(suffix)), value_bytes_(value_bytes) {}
  virtual ~CWriter() = default;

  // Once.
  CSource write();

 protected:
  virtual std::string arena_type() const = 0;   // of 4 bytes
  virtual std::string value_type() const = 0;   // of activations
  virtual std::string output_type() const = 0;  // of the network's output
  virtual std::string scratch_type() const = 0;
  virtual std::string argmax() const = 0;
  virtual std::string header_notes() const = 0;
  virtual std::string constants() const { return ""; }
  virtual std::int64_t output_bytes() const = 0;  // of one value
  virtual std::int64_t window_bytes() const = 0;  // of one value in a window
  // Writes the arrays and the call of step i.
  virtual void write_action(std::size_t i) = 0;

  const micro::MicroStep& step() const { return network_.steps[current_]; }
  bool is_last() const { return current_ + 1 == network_.steps.size(); }
  const std::string& name() const { return name_; }
  CStepCost& cost() { return cost_; }

  // "step3_gains"
  std::string symbol(const char* what) const;
  // Const arrays of the step, counted among its weights or its scalars; returns their names, or "0"
  // for empty ones.
  template <class T>
  std::string weights(const char* type, const char* what, const std::vector<T>& values) {
    return array<T>(type, what, values, cost_.weights);
  }
  template <class T>
  std::string scalars(const char* type, const char* what, const std::vector<T>& values) {
    return array<T>(type, what, values, cost_.scalars);
  }
  // Any other text among the arrays, and the bytes that it takes.
  void describe(const std::string& text, std::int64_t bytes);

  // Where the step's values lie in the arena.
  std::string input(std::size_t which = 0) const;
  std::string output() const;
  void call(const std::string& kernel, std::initializer_list<std::string> arguments);
  // Writes the struct of a window; "&step3_window".
  std::string window(const micro::Window& w);
  // What the weights of signs are called and how they are read; others are the form's own.
  CLayer sign_layer(const micro::Layer& layer);
  // Writes the layer's struct, whose last fields are `own`, and calls its kernel.
  void call_layer(const micro::Layer& layer, const CLayer& fields, std::size_t gains,
                  const std::string& own, bool logits);

 private:
  template <class T>
  std::string array(const char* type, const char* what, std::span<const T> values,
                    std::int64_t& bytes) {
    if (values.empty()) return "0";
    std::string name = symbol(what);
    arrays_ += c_array(type, name, values);
    bytes += static_cast<std::int64_t>(values.size() * sizeof(T));
    return name;
  }
  std::string place(const std::string& type, std::int64_t offset) const;
  std::int64_t scratch_bytes(const micro::MicroStep& step) const;
  void plan();
  void write_step(std::size_t i);
  std::string source() const;
  std::string header() const;

  const micro::Network& network_;
  std::string name_;
  std::string suffix_;
  std::int64_t value_bytes_;
  micro::Arena arena_;
  std::size_t current_ = 0;
  CStepCost cost_;
  std::string arrays_, calls_;
  CSource result_;
};

}  // namespace tbn
