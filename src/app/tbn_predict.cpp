// tbn-predict: what a trained network says of pictures, clouds, tables and arrays that no data set
// holds.
#include <algorithm>
#include <cstdio>
#include <vector>

#include <fmt/format.h>

#include "app/predict/lines.h"
#include "app/predict/network.h"
#include "app/support/exit_codes.h"
#include "app/support/json_out.h"
#include "app/support/limits.h"
#include "app/support/options.h"
#include "base/counted.h"
#include "base/shown.h"
#include "predict/input_reader.h"
#include "predict/prediction.h"
#include "tbn/error.h"

namespace tbn::app {
namespace {

enum class Format { kText, kCsv, kJsonLines, kJson };

Format format_of(const CommandLine& line) {
  const std::string name = line.text("format");
  if (line.json()) {
    if (!line.has("format")) return Format::kJson;
    throw ConfigError("--json prints one document, and --format " + name +
                      " lines; give one of them");
  }
  if (name == "text") return Format::kText;
  if (name == "csv") return Format::kCsv;
  if (name == "jsonl") return Format::kJsonLines;
  throw ConfigError("--format: '" + name + "' is not one of text, csv, jsonl");
}

void write(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    throw SystemError("the standard output cannot be written (is the disk full?)");
  }
}

// Runs inputs in batches and writes what comes of them, in their order.
class Predictor {
 public:
  Predictor(const CommandLine& line, const PredictingNetwork& network, Format format)
      : network_(network),
        format_(format),
        quiet_(line.has("quiet")),
        batch_(static_cast<std::size_t>(line.number("batch-size", 1, 100000))),
        most_(line.number("top", 1, 100000)) {
    // More classes than there are make empty columns.
    most_ = std::min<long long>(most_, network.form.output.back());
    if (format_ == Format::kCsv) write(csv_header(network_.form, most_));
  }

  void add(PredictionInput input) {
    for (const std::string& note : input.notes) {
      if (!quiet_) fmt::print(stderr, "note: {}\n", shown(note));
    }
    waiting_.push_back(std::move(input));
    if (waiting_.size() == batch_) flush();
  }

  void flush() {
    run();
    std::size_t place = 0;
    const auto each = static_cast<std::size_t>(element_count(network_.form.output));
    for (PredictionInput& input : waiting_) {
      if (input.error.empty()) {
        try {
          put(input, prediction_of(network_.form, input,
                                   std::span(outputs_).subspan(place++ * each, each), most_));
          continue;
        } catch (const NonFiniteError& error) {
          input.error = error.what();
          code_ = kNonFinite;
        }
      }
      fail(input);
    }
    waiting_.clear();
    std::fflush(stdout);
  }

  std::int64_t failed() const { return failed_; }
  std::int64_t inputs() const { return inputs_; }
  // Of the tool, where an input failed: the network's outputs for one were not finite, or it could
  // not be read.
  int code() const { return code_; }
  // Of --json.
  Json::Array take_documents() { return std::move(documents_); }

 private:
  // The outputs of those that wait and can be run.
  void run() {
    std::vector<float> values;
    std::int64_t count = 0;
    for (PredictionInput& input : waiting_) {
      if (!input.error.empty()) continue;
      values.insert(values.end(), input.values.begin(), input.values.end());
      input.values = {};
      ++count;
    }
    outputs_.resize(static_cast<std::size_t>(count * element_count(network_.form.output)));
    if (count > 0) network_.run(values, count, outputs_);
  }

  void fail(const PredictionInput& input) {
    ++inputs_;
    ++failed_;
    std::fflush(stdout);
    fmt::print(stderr, "tbn-predict: error: {}\n", shown(input.error));
    if (format_ == Format::kJsonLines) write(json_line(error_json(input)));
    if (format_ == Format::kJson) documents_.push_back(error_json(input));
  }

  void put(const PredictionInput& input, const Prediction& prediction) {
    ++inputs_;
    switch (format_) {
      case Format::kText:
        return write(text_lines(network_.form, input, prediction));
      case Format::kCsv:
        return write(csv_lines(network_.form, input, prediction, most_));
      case Format::kJsonLines:
        return write(json_line(prediction_json(network_.form, input, prediction)));
      case Format::kJson:
        documents_.push_back(prediction_json(network_.form, input, prediction));
    }
  }

  const PredictingNetwork& network_;
  Format format_;
  bool quiet_;
  std::size_t batch_;
  long long most_;
  std::vector<PredictionInput> waiting_;
  std::vector<float> outputs_;
  Json::Array documents_;
  std::int64_t inputs_ = 0;
  std::int64_t failed_ = 0;
  int code_ = kBadData;
};

int run(int argc, char** argv) {
  CommandLine line("tbn-predict",
                   "predicts: class names and probabilities of pictures and clouds, forecasts of "
                   "tables",
                   "<run directory | checkpoint | file.tbn> <file | folder | -> ...");
  line.value("top", "count", "the most probable classes, as many", "1")
      .value("format", "name", "text, csv or jsonl (a JSON document per line and input)", "text")
      .value("category", "name",
             "the kind of object that clouds are, for networks that are told it")
      .value("batch-size", "count", "inputs at a time", "32")
      .quiet_flag("print no notes");
  add_session_options(line);
  add_limit_options(line);
  if (!line.parse(argc, argv)) return kDone;
  const Format format = format_of(line);
  const std::vector<std::string>& arguments = line.arguments();
  if (arguments.empty()) throw ConfigError("which run directory, checkpoint or .tbn file?");
  if (arguments.size() < 2) {
    throw ConfigError("which inputs? name files, folders, or - for the standard input");
  }
  const PredictingNetwork network = open_network(line, arguments.front());
  Predictor predictor(line, network, format);
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    take_inputs(arguments[i], network.form,
                [&](PredictionInput input) { predictor.add(std::move(input)); });
  }
  predictor.flush();
  if (format == Format::kJson) {
    print_json(Json::object({{"path", network.path.string()},
                             {"predictions", Json::array(predictor.take_documents())}}));
  }
  if (predictor.failed() == 0) return kDone;
  if (predictor.inputs() > 1) {
    fmt::print(stderr, "tbn-predict: {} of {} failed\n", predictor.failed(),
               counted(predictor.inputs(), "input"));
  }
  return predictor.code();
}

}  // namespace
}  // namespace tbn::app

int main(int argc, char** argv) {
  return tbn::run_tool("tbn-predict", [&] { return tbn::app::run(argc, argv); });
}
