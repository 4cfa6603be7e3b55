// tbn-inspect: what is in a packed file: header, layers, bits and bytes.
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "app/support/exit_codes.h"
#include "app/support/json_out.h"
#include "app/support/limits.h"
#include "app/support/options.h"
#include "app/support/summary_table.h"
#include "base/counted.h"
#include "base/shown.h"
#include "base/text.h"
#include "graph/summary.h"
#include "prepare/rule_words.h"
#include "tbn/error.h"
#include "tbn/file.h"
#include "tbn/runtime.h"

namespace tbn::app {
namespace {

struct Inspected {
  std::filesystem::path path;
  std::string format;
  std::vector<std::string> features;
  std::shared_ptr<const Network> network;
  std::int64_t file_bytes = 0;
  std::int64_t tensor_bytes = 0;  // without the test vectors and the prepared weights
  std::map<std::string, std::int64_t> prepared;  // bytes of each layout
  DType scalars = DType::kF32;                   // of layers; kF16 where any number is in half

  std::int64_t vectors() const {
    const HostTensor& output = network->verify_output();
    return output.count() == 0 ? 0 : output.shape().front();
  }
};

std::int64_t bytes_of(const HostTensor& tensor) {
  return static_cast<std::int64_t>(tensor.bytes().size());
}

// "signs-1-5-6-3" of "prepared/signs-1-5-6-3/layer1.conv1".
std::string layout_of(const std::string& name) {
  const std::string rest = name.substr(kPreparedPrefix.size());
  return rest.substr(0, rest.find('/'));
}

// The header is kept apart, because a Network does not keep it.
Inspected inspect(const std::filesystem::path& path, const Limits& limits) {
  Inspected result{.path = path};
  const PackedFile file = read_packed(path);
  result.format = file.format;
  result.features = file.features;
  result.network = Network::from_file(file, path.string(), limits);
  result.file_bytes = static_cast<std::int64_t>(std::filesystem::file_size(path));
  for (const auto& [name, tensor] : file.tensors) {
    result.tensor_bytes += bytes_of(tensor);
    if (tensor.dtype() == DType::kF16) result.scalars = DType::kF16;
  }
  for (const auto& [name, tensor] : result.network->prepared()) {
    result.prepared[layout_of(name)] += bytes_of(tensor);
  }
  return result;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text.empty() ? "none" : text;
}

// Free text from a file: a line of a terminal.
std::string printable(const std::string& text) {
  const std::string quoted = in_quotes(text);
  return quoted.substr(1, quoted.size() - 2);
}

// {"input": {...}, "output": {...}, "measured": {...}}, as the file has them.
Json rule_json(const Network& network) {
  Json json = Json::object();
  for (const std::string_view key : kRuleKeys) {
    const auto found = network.metadata().find(std::string(key));
    if (found == network.metadata().end()) continue;
    json[key.substr(key.find('.') + 1)] = parse_json(found->second, std::string(key));
  }
  return json;
}

Json to_json_value(const Inspected& file) {
  Json json = Json::object();
  json["path"] = file.path.string();
  Json header = Json::object();
  header["format"] = file.format;
  header["features"] = file.features;
  header["name"] = file.network->graph().name;
  header["input_shape"] = file.network->input_shape();
  header["output_shape"] = file.network->output_shape();
  header["metadata"] = Json::object();
  for (const auto& [key, value] : file.network->metadata()) header["metadata"][key] = value;
  header["test_vectors"] = file.vectors();
  header["scalars"] = std::string(to_string(file.scalars));
  json["header"] = header;
  json["rule"] = rule_json(*file.network);
  json["file_bytes"] = file.file_bytes;
  json["tensor_bytes"] = file.tensor_bytes;
  json["prepared_bytes"] = Json::object();
  for (const auto& [layout, bytes] : file.prepared) json["prepared_bytes"][layout] = bytes;
  const Json summary = summary_json(summarize(file.network->graph(), file.scalars));
  json["totals"] = summary.at("totals");
  json["layers"] = summary.at("layers");
  return json;
}

void print(const Inspected& file) {
  const Network& network = *file.network;
  fmt::print("{}: network '{}', {} -> {}\n", shown(file.path.string()),
             printable(network.graph().name), to_string(network.input_shape()),
             to_string(network.output_shape()));
  fmt::print("format {}, features {}, scalars {}, {}\n", file.format, joined(file.features),
             to_string(file.scalars), counted(file.vectors(), "test vector"));
  for (const auto& [key, value] : network.metadata()) {
    if (!is_rule_key(key)) fmt::print("{}: {}\n", printable(key), printable(value));
  }
  for (const std::string& line : words_of(network.rule())) fmt::print("{}\n", shown(line));
  fmt::print("\n{}", summary_table(summarize(network.graph(), file.scalars)));
  for (const auto& [layout, bytes] : file.prepared) {
    fmt::print("{} bytes of weights prepared as {}\n", grouped(static_cast<std::uint64_t>(bytes)),
               printable(layout));
  }
  fmt::print("{} bytes of tensors, {} bytes of file\n",
             grouped(static_cast<std::uint64_t>(file.tensor_bytes)),
             grouped(static_cast<std::uint64_t>(file.file_bytes)));
}

int run(int argc, char** argv) {
  CommandLine line("tbn-inspect", "shows what is in a packed file", "<file.tbn>");
  add_limit_options(line);
  line.flag("graph", "print the network, one line per op, and nothing else");
  if (!line.parse(argc, argv)) return kDone;
  const std::string path = line.file(".tbn file");
  if (line.has("graph")) {
    line.expect_only("--graph, which prints text", {"graph", "max-memory", "max-operations"});
  } else {
    line.expect_only("a packed file", {"json", "max-memory", "max-operations"});
  }
  const Inspected file = inspect(path, limits_of(line));
  if (line.has("graph")) {
    Graph graph = file.network->graph();
    graph.name = printable(graph.name);  // the only free text in it
    fmt::print("{}", to_text(graph));
  } else if (line.json()) {
    print_json(to_json_value(file));
  } else {
    print(file);
  }
  return kDone;
}

}  // namespace
}  // namespace tbn::app

int main(int argc, char** argv) {
  return tbn::run_tool("tbn-inspect", [&] { return tbn::app::run(argc, argv); });
}
