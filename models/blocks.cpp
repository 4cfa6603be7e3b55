// The parts that several families share, see the header.
#include "models/blocks.h"

#include "models/families.h"
#include "tbn/error.h"

namespace tbn {

OptionSpec count_option(std::string key, std::int64_t value, std::int64_t max, std::string help) {
  return {.key = std::move(key),
          .value = value,
          .min = 1,
          .max = static_cast<double>(max),
          .help = std::move(help)};
}

OptionSpec choice_option(std::string key, std::string value, std::vector<std::string> choices,
                         std::string help) {
  return {.key = std::move(key),
          .value = std::move(value),
          .choices = std::move(choices),
          .help = std::move(help)};
}

OptionSpec list_option(std::string key, std::vector<std::int64_t> value, std::int64_t max,
                       std::string help) {
  return {.key = std::move(key),
          .value = std::move(value),
          .min = 1,
          .max = static_cast<double>(max),
          .help = std::move(help)};
}

OptionSpec width_option() {
  return {.key = "width",
          .value = 1.0,
          .min = 0.05,
          .max = 16,
          .help = "factor on the channels, rounded to multiples of 8"};
}

OptionSpec channels_option(std::vector<std::int64_t> value, std::string help) {
  return list_option("channels", std::move(value), 65536, std::move(help));
}

std::vector<std::int64_t> channels_of(const ModelOptions& options, std::size_t count,
                                      const std::string& family, const std::string& part) {
  std::vector<std::int64_t> channels = options.list("channels");
  if (channels.size() != count) {
    throw ConfigError("model.channels: " + family + " needs one entry for each of its " +
                      std::to_string(count) + " " + part + "s, has " +
                      std::to_string(channels.size()));
  }
  for (std::int64_t& each : channels) each = scaled_channels(each, options.real("width"));
  return channels;
}

OptionSpec dropout_option(double rate, std::string help) {
  return {.key = "dropout", .value = rate, .min = 0, .max = 0.99, .help = std::move(help)};
}

OptionSpec qkv_option() {
  return choice_option("qkv", "fused", {"fused", "separate"},
                       "queries, keys and values from one layer, or from three");
}

Value dropout(Value x, double rate) { return rate > 0 ? x.dropout(rate) : x; }

Value patches(Value x, std::int64_t dim, std::int64_t patch, const std::string& option) {
  const Shape& image = x.shape();
  if (image.size() == 3 && (image[1] % patch != 0 || image[2] % patch != 0)) {
    throw ConfigError("model." + option + ": patches of " + std::to_string(patch) + " x " +
                      std::to_string(patch) + " do not fill an image of " +
                      std::to_string(image[1]) + " x " + std::to_string(image[2]));
  }
  return x.conv(dim, {.kernel = patch, .stride = patch, .padding = 0, .bias = true});
}

Value residual_attention(GraphBuilder& b, Value x, const SelfAttention& options) {
  const std::int64_t features = x.shape().back();
  const std::int64_t inner = options.attention.heads * options.head_dim;
  const auto project = [&](Value y) {
    if (options.fused) {
      return y.linear(3 * inner, {.bias = false}).named("qkv").attention(options.attention);
    }
    const Value q = y.linear(inner, {.bias = false}).named("q");
    const Value k = y.linear(inner, {.bias = false}).named("k");
    const Value v = y.linear(inner, {.bias = false}).named("v");
    return attention(q, k, v, options.attention);
  };
  const auto branch = [&] {
    const auto scope = b.scope("attention");
    const Value y = project(x.layer_norm().named("norm")).named("heads");
    return dropout(y.linear(features).named("out"), options.dropout);
  };
  return x + branch();
}

Value two_layers(Value x, std::int64_t hidden, double rate) {
  const std::int64_t features = x.shape().back();
  const Value y = dropout(x.linear(hidden).named("fc1").gelu(), rate);
  return dropout(y.linear(features).named("fc2"), rate);
}

Value residual_mlp(GraphBuilder& b, Value x, std::string_view name, std::int64_t hidden,
                   double rate) {
  const auto branch = [&] {
    const auto scope = b.scope(name);
    return two_layers(x.layer_norm().named("norm"), hidden, rate);
  };
  return x + branch();
}

}  // namespace tbn
